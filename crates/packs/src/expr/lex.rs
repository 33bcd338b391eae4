//! From text to tokens. Full-width punctuation counts as its ASCII twin.

use super::value::{Decimal, Value, money};
use super::{ExprError, ExprErrorKind, MAX_CHARS};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Word(String),
    Literal(Value),
    Open,
    Close,
    ListOpen,
    ListClose,
    Comma,
    Less,
    LessEqual,
    More,
    MoreEqual,
    Equal,
    NotEqual,
}

/// Words that mean something in expressions and so cannot name a fact.
pub(super) fn is_reserved(word: &str) -> bool {
    const RESERVED: &[&str] = &[
        "and",
        "且",
        "or",
        "或",
        "not",
        "非",
        "in",
        "属于",
        "contains",
        "含",
        "contains_any",
        "含任一",
        "is",
        "empty",
        "为空",
        "不为空",
        "等于",
        "不等于",
        "小于",
        "大于",
        "不大于",
        "不超过",
        "不小于",
        "不低于",
        "true",
        "yes",
        "是",
        "false",
        "no",
        "否",
        "today",
        "今天",
        "rule",
        "规则",
    ];
    RESERVED.contains(&word) || super::ast::Function::named(word).is_some()
}

pub(super) fn lex(text: &str) -> Result<Vec<Token>, ExprError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_CHARS {
        return Err(ExprError::new(
            0,
            ExprErrorKind::TooLarge,
            format!("表达式长 {} 字，上限 {MAX_CHARS} 字", chars.len()),
            format!("the expression has {} characters, the limit is {MAX_CHARS}", chars.len()),
        ));
    }
    let mut lexer = Lexer { chars: &chars, next: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    chars: &'a [char],
    next: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.next + ahead).copied()
    }

    fn token(&mut self) -> Result<Option<Token>, ExprError> {
        while self.peek(0).is_some_and(|c| c.is_whitespace() || c == '\u{3000}') {
            self.next += 1;
        }
        let at = self.next;
        let Some(c) = self.peek(0) else { return Ok(None) };
        let negative_number = c == '-' && self.peek(1).is_some_and(|d| d.is_ascii_digit());
        let kind = if c.is_ascii_digit() || negative_number {
            self.number(at)?
        } else if c.is_alphabetic() || c == '_' {
            TokenKind::Word(self.word(at)?)
        } else if let Some(end) = quote_end(c) {
            self.text(at, end)?
        } else {
            self.symbol(at, c)?
        };
        Ok(Some(Token { at, kind }))
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let start = self.next;
        while self.peek(0).is_some_and(&keep) {
            self.next += 1;
        }
        self.chars.iter().skip(start).take(self.next - start).collect()
    }

    fn word(&mut self, at: usize) -> Result<String, ExprError> {
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '.');
        if word.split('.').any(str::is_empty) {
            return Err(syntax(
                at,
                format!("`{word}` 中的点位置不对"),
                format!("`{word}` has a misplaced dot"),
            ));
        }
        Ok(word)
    }

    fn number(&mut self, at: usize) -> Result<TokenKind, ExprError> {
        let mut written = String::new();
        if self.peek(0) == Some('-') {
            written.push('-');
            self.next += 1;
        }
        written.push_str(&self.take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')));
        let value = Decimal::parse(&written)
            .map(Value::Number)
            .or_else(|| money(&written).map(Value::Money))
            .or_else(|| day(&written).map(Value::Date));
        value.map(TokenKind::Literal).ok_or_else(|| {
            syntax(
                at,
                format!("`{written}` 不是数字、金额或日期"),
                format!("`{written}` is not a number, an amount of money or a date"),
            )
        })
    }

    fn text(&mut self, at: usize, end: char) -> Result<TokenKind, ExprError> {
        self.next += 1;
        let text = self.take_while(|c| c != end && !c.is_control());
        if self.peek(0) != Some(end) {
            return Err(syntax(at, "引号没有配对".into(), "the quotation mark is not closed".into()));
        }
        self.next += 1;
        if text.contains('"') && text.contains('\'') {
            // The canonical print has one of the two to quote with.
            return Err(syntax(
                at,
                "文本不能同时含两种引号".into(),
                "text cannot hold both quotation marks".into(),
            ));
        }
        Ok(TokenKind::Literal(Value::Text(text)))
    }

    fn symbol(&mut self, at: usize, c: char) -> Result<TokenKind, ExprError> {
        let followed = self.peek(1) == Some('=');
        let (kind, length) = match c {
            '(' | '（' => (TokenKind::Open, 1),
            ')' | '）' => (TokenKind::Close, 1),
            '[' | '【' => (TokenKind::ListOpen, 1),
            ']' | '】' => (TokenKind::ListClose, 1),
            ',' | '，' | '、' => (TokenKind::Comma, 1),
            '<' | '＜' if followed => (TokenKind::LessEqual, 2),
            '<' | '＜' => (TokenKind::Less, 1),
            '>' | '＞' if followed => (TokenKind::MoreEqual, 2),
            '>' | '＞' => (TokenKind::More, 1),
            '≤' => (TokenKind::LessEqual, 1),
            '≥' => (TokenKind::MoreEqual, 1),
            '=' | '＝' if followed => (TokenKind::Equal, 2),
            '=' | '＝' => (TokenKind::Equal, 1),
            '!' | '！' if followed => (TokenKind::NotEqual, 2),
            '≠' => (TokenKind::NotEqual, 1),
            other => {
                return Err(syntax(
                    at,
                    format!("不认识的字符 `{other}`"),
                    format!("`{other}` has no meaning here"),
                ));
            }
        };
        self.next += length;
        Ok(kind)
    }
}

fn day(written: &str) -> Option<jiff::civil::Date> {
    (written.len() == 10).then(|| written.parse().ok()).flatten()
}

fn quote_end(c: char) -> Option<char> {
    match c {
        '"' => Some('"'),
        '\'' => Some('\''),
        '“' => Some('”'),
        '‘' => Some('’'),
        _ => None,
    }
}

pub(super) fn syntax(at: usize, zh: String, en: String) -> ExprError {
    ExprError::new(at, ExprErrorKind::Syntax, zh, en)
}
