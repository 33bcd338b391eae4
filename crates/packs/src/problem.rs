//! Mistakes by JSON pointer, before a file gives them lines.

use crate::expr::{Expr, ExprError, Scope};

/// One mistake in a document.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) pointer: String,
    pub(crate) code: &'static str,
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// The mistakes found so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(
        &mut self,
        pointer: impl Into<String>,
        code: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) {
        self.0.push(Problem { pointer: pointer.into(), code, zh: zh.into(), en: en.into() });
    }

    pub(crate) fn unknown_basis(&mut self, pointer: &str, id: &str) {
        self.add(
            pointer,
            "pack.unknown_basis",
            format!("本文件的依据中没有 `{id}`"),
            format!("`{id}` is no legal basis of this file"),
        );
    }

    /// Compiles a condition and rewrites it canonically, or notes why not.
    pub(crate) fn condition(&mut self, text: &mut String, pointer: &str, scope: &Scope) -> Option<Expr> {
        let compiled = Expr::condition(text, scope);
        self.compiled(compiled, text, pointer)
    }

    /// Compiles an expression and rewrites it canonically, or notes why not.
    pub(crate) fn expr(&mut self, text: &mut String, pointer: &str, scope: &Scope) -> Option<Expr> {
        let compiled = Expr::parse(text, scope);
        self.compiled(compiled, text, pointer)
    }

    fn compiled(
        &mut self,
        compiled: Result<Expr, ExprError>,
        text: &mut String,
        pointer: &str,
    ) -> Option<Expr> {
        match compiled {
            Ok(expr) => {
                *text = expr.to_string();
                Some(expr)
            }
            Err(error) => {
                self.expr_error(pointer, &error);
                None
            }
        }
    }

    pub(crate) fn expr_error(&mut self, pointer: &str, error: &ExprError) {
        self.add(
            pointer,
            error.kind.code(),
            format!("{}（第 {} 字）", error.zh, error.at + 1),
            error.to_string(),
        );
    }
}
