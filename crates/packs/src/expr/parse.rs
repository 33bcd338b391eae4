//! From tokens to a tree, by recursive descent.
//!
//! ```text
//! or   := and (("or" | 或) and)*
//! and  := not (("and" | 且) not)*
//! not  := ("not" | 非) not | test
//! test := term [sign term | "contains" term | "contains_any" list | "in" list | "is" ["not"] "empty"]
//! term := literal | fact | "today" | "rule" "(" text ")" | function "(" term, … ")" | "(" or ")"
//! ```

use super::ast::{Ast, Comparison, Function};
use super::lex::{Token, TokenKind, lex, syntax};
use super::value::{Value, truth};
use super::{ExprError, ExprErrorKind, MAX_DEPTH, MAX_LIST, MAX_PARTS};

pub(super) fn parse(text: &str) -> Result<Ast, ExprError> {
    let tokens = lex(text)?;
    let mut parser = Parser { tokens, next: 0, depth: 0, parts: 0, end: text.chars().count() };
    let ast = parser.or()?;
    match parser.tokens.get(parser.next) {
        None => Ok(ast),
        Some(token) => Err(syntax(token.at, "此处多出内容".into(), "nothing more is expected here".into())),
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    parts: usize,
    end: usize,
}

impl Parser {
    fn or(&mut self) -> Result<Ast, ExprError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ExprError::new(
                self.at(),
                ExprErrorKind::TooLarge,
                format!("嵌套超过 {MAX_DEPTH} 层"),
                format!("it nests deeper than {MAX_DEPTH} levels"),
            ));
        }
        let mut parts = vec![self.and()?];
        while self.take_word(&["or", "或"]) {
            parts.push(self.and()?);
        }
        self.depth -= 1;
        self.joined(parts, Ast::Or)
    }

    fn and(&mut self) -> Result<Ast, ExprError> {
        let mut parts = vec![self.not()?];
        while self.take_word(&["and", "且"]) {
            parts.push(self.not()?);
        }
        self.joined(parts, Ast::And)
    }

    fn joined(&mut self, mut parts: Vec<Ast>, join: fn(Vec<Ast>) -> Ast) -> Result<Ast, ExprError> {
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            Some(last) => {
                parts.push(last);
                self.part(join(parts))
            }
            None => Err(self.unexpected()),
        }
    }

    fn not(&mut self) -> Result<Ast, ExprError> {
        let mut negations = 0_usize;
        while self.take_word(&["not", "非"]) {
            negations += 1;
            if negations > MAX_DEPTH {
                return Err(self.too_many());
            }
        }
        let mut ast = self.test()?;
        for _ in 0..negations {
            ast = self.part(Ast::Not(Box::new(ast)))?;
        }
        Ok(ast)
    }

    fn test(&mut self) -> Result<Ast, ExprError> {
        let left = self.term()?;
        if let Some(sign) = self.comparison() {
            let right = self.term()?;
            return self.part(Ast::Compare(sign, Box::new(left), Box::new(right)));
        }
        if self.take_word(&["contains", "含"]) {
            let right = self.term()?;
            return self.part(Ast::Contains(Box::new(left), Box::new(right)));
        }
        if self.take_word(&["contains_any", "含任一"]) {
            let list = self.list()?;
            return self.part(Ast::ContainsAny(Box::new(left), list));
        }
        if self.take_word(&["in", "属于"]) {
            let list = self.list()?;
            return self.part(Ast::In(Box::new(left), list));
        }
        if self.take_word(&["为空"]) {
            return self.part(Ast::Empty(Box::new(left)));
        }
        if self.take_word(&["不为空"]) {
            return self.part(Ast::NotEmpty(Box::new(left)));
        }
        if self.take_word(&["is"]) {
            let negated = self.take_word(&["not"]);
            if !self.take_word(&["empty"]) {
                return Err(self.unexpected());
            }
            let left = Box::new(left);
            return self.part(if negated { Ast::NotEmpty(left) } else { Ast::Empty(left) });
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let sign = match &self.tokens.get(self.next)?.kind {
            TokenKind::Equal => Comparison::Equal,
            TokenKind::NotEqual => Comparison::NotEqual,
            TokenKind::Less => Comparison::Less,
            TokenKind::LessEqual => Comparison::LessEqual,
            TokenKind::More => Comparison::More,
            TokenKind::MoreEqual => Comparison::MoreEqual,
            TokenKind::Word(word) => match word.as_str() {
                "等于" => Comparison::Equal,
                "不等于" => Comparison::NotEqual,
                "小于" => Comparison::Less,
                "不大于" | "不超过" => Comparison::LessEqual,
                "大于" => Comparison::More,
                "不小于" | "不低于" => Comparison::MoreEqual,
                _ => return None,
            },
            _ => return None,
        };
        self.next += 1;
        Some(sign)
    }

    fn term(&mut self) -> Result<Ast, ExprError> {
        let Some(token) = self.tokens.get(self.next).cloned() else { return Err(self.unexpected()) };
        match token.kind {
            TokenKind::Literal(value) => {
                self.next += 1;
                self.part(Ast::literal(value))
            }
            TokenKind::Open => {
                self.next += 1;
                let inner = self.or()?;
                self.expect(&TokenKind::Close)?;
                Ok(inner)
            }
            TokenKind::Word(word) => {
                self.next += 1;
                self.named(&word, token.at)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn named(&mut self, word: &str, at: usize) -> Result<Ast, ExprError> {
        if let Some(truth) = truth(word) {
            return self.part(Ast::literal(Value::Boolean(truth)));
        }
        let called = self.peek() == Some(&TokenKind::Open);
        if matches!(word, "today" | "今天") {
            if called {
                self.next += 1;
                self.expect(&TokenKind::Close)?;
            }
            return self.part(Ast::Today);
        }
        if let Some(id) = word.strip_prefix("rule.").or_else(|| word.strip_prefix("规则.")) {
            return self.part(Ast::Rule(id.to_owned()));
        }
        if matches!(word, "rule" | "规则") {
            return self.rule(at);
        }
        if let Some(function) = Function::named(word) {
            let arguments = self.arguments()?;
            return self.part(Ast::Call(function, arguments));
        }
        if called {
            return Err(ExprError::new(
                at,
                ExprErrorKind::Name,
                format!("没有函数 `{word}`"),
                format!("there is no function `{word}`"),
            ));
        }
        if super::lex::is_reserved(word) {
            return Err(syntax(at, format!("`{word}` 不能放在这里"), format!("`{word}` cannot stand here")));
        }
        self.part(Ast::name(word))
    }

    fn rule(&mut self, at: usize) -> Result<Ast, ExprError> {
        self.expect(&TokenKind::Open)?;
        let Some(TokenKind::Literal(Value::Text(id))) = self.peek().cloned() else {
            return Err(syntax(at, "规则须写明编号".into(), "a rule needs its id as text".into()));
        };
        let plain = !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_'));
        if !plain {
            return Err(syntax(at, "规则编号不合写法".into(), "the rule's id is misspelt".into()));
        }
        self.next += 1;
        self.expect(&TokenKind::Close)?;
        self.part(Ast::Rule(id))
    }

    fn arguments(&mut self) -> Result<Vec<Ast>, ExprError> {
        self.expect(&TokenKind::Open)?;
        let mut arguments = Vec::new();
        while self.peek() != Some(&TokenKind::Close) {
            if !arguments.is_empty() {
                self.expect(&TokenKind::Comma)?;
            }
            arguments.push(self.or()?);
        }
        self.next += 1;
        Ok(arguments)
    }

    /// A list of literals; a bare word in it is text, so that options need no quotation marks.
    fn list(&mut self) -> Result<Vec<Ast>, ExprError> {
        self.expect(&TokenKind::ListOpen)?;
        let mut items = Vec::new();
        while self.peek() != Some(&TokenKind::ListClose) {
            if !items.is_empty() {
                self.expect(&TokenKind::Comma)?;
            }
            let value = match self.peek().cloned() {
                Some(TokenKind::Literal(value)) => value,
                Some(TokenKind::Word(word)) => truth(&word).map_or(Value::Text(word), Value::Boolean),
                _ => return Err(self.unexpected()),
            };
            self.next += 1;
            if items.len() == MAX_LIST {
                return Err(self.too_many());
            }
            let item = self.part(Ast::literal(value))?;
            items.push(item);
        }
        self.next += 1;
        Ok(items)
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next).map(|t| &t.kind)
    }

    fn take_word(&mut self, spellings: &[&str]) -> bool {
        let found = matches!(self.peek(), Some(TokenKind::Word(word)) if spellings.contains(&word.as_str()));
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, kind: &TokenKind) -> Result<(), ExprError> {
        if self.peek() == Some(kind) {
            self.next += 1;
            return Ok(());
        }
        Err(self.unexpected())
    }

    fn part(&mut self, ast: Ast) -> Result<Ast, ExprError> {
        self.parts += 1;
        if self.parts > MAX_PARTS { Err(self.too_many()) } else { Ok(ast) }
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |t| t.at)
    }

    fn unexpected(&self) -> ExprError {
        if self.next >= self.tokens.len() {
            return syntax(self.end, "表达式不完整".into(), "the expression breaks off".into());
        }
        syntax(self.at(), "此处写法不对".into(), "this cannot stand here".into())
    }

    fn too_many(&self) -> ExprError {
        ExprError::new(
            self.at(),
            ExprErrorKind::TooLarge,
            format!("表达式过大（上限 {MAX_PARTS} 个成分、列表 {MAX_LIST} 项）"),
            format!("the expression is too large (at most {MAX_PARTS} parts, {MAX_LIST} in a list)"),
        )
    }
}
