//! Names and types: what is not declared, or cannot be compared, is refused before it runs.

use super::ast::{Ast, Comparison};
use super::value::{FactType, Value};
use super::{ExprError, ExprErrorKind, Scope};
use crate::model::{RuleUnit, Words};

pub(super) fn check(ast: Ast, scope: &Scope) -> Result<(Ast, FactType), ExprError> {
    use FactType::{Boolean, Date, List, Number, Text};
    match ast {
        Ast::Literal { value, shown } => {
            let kind = value.kind();
            Ok((Ast::Literal { value, shown }, kind))
        }
        Ast::Fact { id, .. } => fact(&id, scope),
        Ast::Rule(id) => {
            let unit = scope
                .rule(&id)
                .ok_or_else(|| name_error(format!("没有规则 `{id}`"), format!("there is no rule `{id}`")))?;
            Ok((Ast::Rule(id), if unit == RuleUnit::Fen { FactType::Money } else { Number }))
        }
        Ast::Today => Ok((Ast::Today, Date)),
        Ast::Call(function, arguments) => {
            let (expected, kind) = function.signature();
            let [name, zh] = function.names();
            if arguments.len() != expected.len() {
                let n = expected.len();
                return Err(type_error(
                    format!("函数 `{zh}` 须有 {n} 个参数"),
                    format!("`{name}` takes {n} arguments"),
                ));
            }
            let mut checked = Vec::with_capacity(arguments.len());
            for (argument, expected) in arguments.into_iter().zip(expected) {
                checked.push(expecting(argument, *expected, scope)?);
            }
            Ok((Ast::Call(function, checked), kind))
        }
        Ast::Not(part) => Ok((Ast::Not(Box::new(expecting(*part, Boolean, scope)?)), Boolean)),
        Ast::And(parts) => Ok((Ast::And(all_truths(parts, scope)?), Boolean)),
        Ast::Or(parts) => Ok((Ast::Or(all_truths(parts, scope)?), Boolean)),
        Ast::Compare(sign, a, b) => compare(sign, *a, *b, scope),
        Ast::Contains(a, b) => {
            let (a, kind) = check(*a, scope)?;
            if !matches!(kind, Text | List) {
                return Err(type_error(
                    "“含”左边须为文本或列表",
                    "`contains` needs text or a list on its left",
                ));
            }
            let b = expecting(bare_option(*b, &a, scope), Text, scope)?;
            let b = with_label(b, &a)?;
            Ok((Ast::Contains(Box::new(a), Box::new(b)), Boolean))
        }
        Ast::ContainsAny(a, items) => {
            let a = expecting(*a, List, scope)?;
            let items = list(items, Text, &a)?;
            Ok((Ast::ContainsAny(Box::new(a), items), Boolean))
        }
        Ast::In(a, items) => {
            let (a, kind) = check(*a, scope)?;
            if kind == List {
                return Err(type_error("“属于”左边不能是列表", "`in` cannot have a list on its left"));
            }
            let items = list(items, kind, &a)?;
            Ok((Ast::In(Box::new(a), items), Boolean))
        }
        Ast::Empty(part) => Ok((Ast::Empty(Box::new(holder(*part, scope)?)), Boolean)),
        Ast::NotEmpty(part) => Ok((Ast::NotEmpty(Box::new(holder(*part, scope)?)), Boolean)),
    }
}

fn fact(name: &str, scope: &Scope) -> Result<(Ast, FactType), ExprError> {
    let (id, info) = scope.resolve(name).ok_or_else(|| {
        name_error(format!("事实 `{name}` 没有声明"), format!("the fact `{name}` is not declared"))
    })?;
    let ast = Ast::Fact { id: id.to_owned(), label: info.label.clone(), options: info.options.clone() };
    Ok((ast, info.kind))
}

fn compare(sign: Comparison, a: Ast, b: Ast, scope: &Scope) -> Result<(Ast, FactType), ExprError> {
    // A bare word beside a field with options is one of the options: `shop.kind = food`.
    let b = bare_option(b, &a, scope);
    let (a, kind) = check(a, scope)?;
    let b = with_label(expecting(b, kind, scope)?, &a)?;
    let a = with_label(a, &b)?;
    let equality = matches!(sign, Comparison::Equal | Comparison::NotEqual);
    let ordered = matches!(kind, FactType::Number | FactType::Money | FactType::Date);
    if !(ordered || equality && kind != FactType::List) {
        let words = kind.words();
        return Err(type_error(
            format!("{}不能用 `{}` 比较", words.zh, sign.sign()),
            format!("{} cannot be compared by `{}`", words.en, sign.sign()),
        ));
    }
    Ok((Ast::Compare(sign, Box::new(a), Box::new(b)), FactType::Boolean))
}

/// A word that names no fact, beside a fact with options that has such an option, is that option.
fn bare_option(word: Ast, beside: &Ast, scope: &Scope) -> Ast {
    let (Ast::Fact { id: word_id, .. }, Ast::Fact { id, .. }) = (&word, beside) else { return word };
    let is_option = scope.resolve(word_id).is_none()
        && scope.resolve(id).is_some_and(|(_, info)| info.options.iter().any(|(value, _)| value == word_id));
    if is_option { Ast::literal(Value::Text(word_id.clone())) } else { word }
}

/// Gives a literal beside a fact with options the option's label, or refuses what is no option.
fn with_label(literal: Ast, beside: &Ast) -> Result<Ast, ExprError> {
    let (Ast::Literal { value: Value::Text(text), .. }, Ast::Fact { id, options, .. }) = (&literal, beside)
    else {
        return Ok(literal);
    };
    if options.is_empty() || text.is_empty() {
        return Ok(literal);
    }
    let label: Option<&Words> = options.iter().find(|(value, _)| value == text).map(|(_, label)| label);
    match label {
        Some(label) => Ok(Ast::Literal { value: Value::Text(text.clone()), shown: Some(label.clone()) }),
        None => Err(type_error(
            format!("`{text}` 不是 `{id}` 的选项"),
            format!("`{text}` is not an option of `{id}`"),
        )),
    }
}

fn list(items: Vec<Ast>, kind: FactType, beside: &Ast) -> Result<Vec<Ast>, ExprError> {
    if items.is_empty() {
        return Err(type_error("列表不能为空", "the list must not be empty"));
    }
    items
        .into_iter()
        .map(|item| match &item {
            Ast::Literal { value, .. } if value.kind() == kind => with_label(item, beside),
            _ => Err(mismatch(kind)),
        })
        .collect()
}

fn holder(part: Ast, scope: &Scope) -> Result<Ast, ExprError> {
    let (part, kind) = check(part, scope)?;
    if matches!(kind, FactType::Text | FactType::List) {
        return Ok(part);
    }
    Err(type_error("只有文本和列表可以为空", "only text and lists can be empty"))
}

fn all_truths(parts: Vec<Ast>, scope: &Scope) -> Result<Vec<Ast>, ExprError> {
    parts.into_iter().map(|part| expecting(part, FactType::Boolean, scope)).collect()
}

fn expecting(ast: Ast, expected: FactType, scope: &Scope) -> Result<Ast, ExprError> {
    let (ast, kind) = check(ast, scope)?;
    if kind == expected { Ok(ast) } else { Err(mismatch(expected)) }
}

fn mismatch(expected: FactType) -> ExprError {
    let words = expected.words();
    type_error(format!("此处须为{}", words.zh), format!("this must be {}", words.en))
}

fn type_error(zh: impl Into<String>, en: impl Into<String>) -> ExprError {
    ExprError::new(0, ExprErrorKind::Type, zh, en)
}

fn name_error(zh: String, en: String) -> ExprError {
    ExprError::new(0, ExprErrorKind::Name, zh, en)
}
