//! From the tree of a file to canonical JSON, by the shape of its kind, naming every mistake.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use crate::error::{PackError, Place};
use crate::expr::{FactType, Value};
use crate::shape::{FileKind, Key, Need, Object, Shape};
use crate::words::{self, Choices};
use crate::yaml::{Entry, Kind, Node, Position};

/// A file as canonical JSON, with the place of everything in it.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) file: String,
    pub(crate) kind: FileKind,
    pub(crate) json: Json,
    places: HashMap<String, Position>,
}

impl Document {
    /// Where a JSON pointer, or else the nearest thing around it, stands in the file.
    pub(crate) fn place(&self, pointer: &str) -> Place {
        let mut pointer = pointer;
        loop {
            if let Some(at) = self.places.get(pointer) {
                return Place::top(&self.file).at(*at);
            }
            match pointer.rfind('/') {
                Some(end) => pointer = pointer.get(..end).unwrap_or(""),
                None => return Place::top(&self.file),
            }
        }
    }
}

/// Reads a file of a kind. The document is there only where the file has no mistake of shape.
pub(crate) fn read(file: &str, kind: FileKind, node: &Node, errors: &mut Vec<PackError>) -> Option<Document> {
    let before = errors.len();
    let inherits = matches!(&node.kind, Kind::Map(entries)
        if entries.iter().any(|e| words::canonical_key(&e.key) == Some("base")));
    let mut reader = Reader { file, errors, places: HashMap::new(), inherits };
    let json = reader.object(node, kind.shape(), "");
    let places = reader.places;
    (errors.len() == before).then(|| Document { file: file.to_owned(), kind, json, places })
}

struct Reader<'a> {
    file: &'a str,
    errors: &'a mut Vec<PackError>,
    places: HashMap<String, Position>,
    inherits: bool,
}

impl Reader<'_> {
    fn wrong(
        &mut self,
        at: Position,
        code: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Json {
        self.errors.push(Place::top(self.file).at(at).error(code, zh.into(), en.into()));
        Json::Null
    }

    fn shape(&mut self, node: &Node, shape: &Shape, pointer: &str) -> Json {
        match shape {
            Shape::Object(object) => self.object(node, object, pointer),
            Shape::List(of, least) => self.list(node, of, *least, pointer),
            Shape::Map(of) => self.map(node, of, pointer),
            Shape::Given => self.given(node, pointer),
            Shape::Words(longest) => self.words(node, *longest, pointer),
            Shape::Term if matches!(node.kind, Kind::Map(_)) => self.wrong(
                node.at,
                "pack.wrong_type",
                "时限须写成文字，如“3 个工作日”",
                "a span is written as text, for example `3 working days`",
            ),
            _ => match &node.kind {
                Kind::Scalar(text) => self.scalar(node.at, text, shape),
                _ => self.wrong(
                    node.at,
                    "pack.wrong_type",
                    format!("此处须为{}", expected(shape).0),
                    format!("this must be {}", expected(shape).1),
                ),
            },
        }
    }

    fn object(&mut self, node: &Node, object: &Object, pointer: &str) -> Json {
        let Kind::Map(entries) = &node.kind else {
            return self.wrong(
                node.at,
                "pack.wrong_type",
                "此处须为键值对",
                "this must be a mapping with keys",
            );
        };
        let mut found: Map<String, Json> = Map::new();
        for entry in entries {
            let Some(key) = self.known_key(entry, object) else { continue };
            if found.contains_key(key.name) {
                self.duplicate(entry);
                continue;
            }
            let below = format!("{pointer}/{}", key.name);
            self.places.insert(below.clone(), entry.at);
            let value = self.shape(&entry.value, &key.shape, &below);
            found.insert(key.name.to_owned(), value);
        }
        for key in object.fields {
            let needed = match key.need {
                Need::Required => true,
                Need::Optional => false,
                Need::Inherited => !self.inherits,
            };
            if needed && !found.contains_key(key.name) {
                let zh = words::chinese_key(key.name).unwrap_or(key.name);
                self.wrong(
                    node.at,
                    "pack.missing_key",
                    format!("缺少 `{zh}`"),
                    format!("the key `{}` is missing", key.name),
                );
            }
        }
        Json::Object(found)
    }

    fn known_key(&mut self, entry: &Entry, object: &Object) -> Option<&'static Key> {
        let canonical = words::canonical_key(&entry.key);
        let key = canonical.and_then(|name| object.fields.iter().find(|key| key.name == name));
        if key.is_none() {
            let known: Vec<&str> = object.fields.iter().map(|key| key.name).collect();
            self.wrong(
                entry.at,
                "pack.unknown_key",
                format!("`{}` 中没有 `{}` 这个键", object.name, entry.key),
                format!("`{}` has no key `{}`; it has {}", object.name, entry.key, known.join(", ")),
            );
        }
        key
    }

    fn duplicate(&mut self, entry: &Entry) {
        self.wrong(
            entry.at,
            "pack.duplicate_key",
            format!("`{}` 重复出现", entry.key),
            format!("`{}` stands twice", entry.key),
        );
    }

    fn list(&mut self, node: &Node, of: &Shape, least: usize, pointer: &str) -> Json {
        let Kind::List(items) = &node.kind else {
            return self.wrong(node.at, "pack.wrong_type", "此处须为列表", "this must be a list");
        };
        if items.len() < least {
            return self.wrong(
                node.at,
                "pack.empty_list",
                format!("列表至少须有 {least} 项"),
                format!("the list needs at least {least}"),
            );
        }
        let mut list = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let below = format!("{pointer}/{i}");
            self.places.insert(below.clone(), item.at);
            list.push(self.shape(item, of, &below));
        }
        Json::Array(list)
    }

    fn map(&mut self, node: &Node, of: &Shape, pointer: &str) -> Json {
        let Kind::Map(entries) = &node.kind else {
            return self.wrong(node.at, "pack.wrong_type", "此处须为键值对", "this must be a mapping");
        };
        let mut found = Map::new();
        for entry in entries {
            if !is_id(&entry.key) {
                self.wrong(
                    entry.at,
                    "pack.bad_value",
                    format!("`{}` 不能作编号", entry.key),
                    format!("`{}` is not an id", entry.key),
                );
                continue;
            }
            if found.contains_key(&entry.key) {
                self.duplicate(entry);
                continue;
            }
            let below = format!("{pointer}/{}", entry.key);
            self.places.insert(below.clone(), entry.at);
            let value = self.shape(&entry.value, of, &below);
            found.insert(entry.key.clone(), value);
        }
        Json::Object(found)
    }

    /// Keeps spellings; the types come with the facts.
    fn given(&mut self, node: &Node, pointer: &str) -> Json {
        let Kind::Map(entries) = &node.kind else {
            return self.wrong(
                node.at,
                "pack.wrong_type",
                "此处须为键值对",
                "this must be a mapping of facts",
            );
        };
        let mut found = Map::new();
        for entry in entries {
            if found.contains_key(&entry.key) {
                self.duplicate(entry);
                continue;
            }
            self.places.insert(format!("{pointer}/{}", entry.key), entry.at);
            let value = match &entry.value.kind {
                Kind::Scalar(text) => Json::from(text.as_str()),
                Kind::List(items) => {
                    let mut list = Vec::with_capacity(items.len());
                    for item in items {
                        list.push(match &item.kind {
                            Kind::Scalar(text) => Json::from(text.as_str()),
                            _ => self.wrong(item.at, "pack.wrong_type", "此处须为文本", "this must be text"),
                        });
                    }
                    Json::Array(list)
                }
                Kind::Map(_) => self.wrong(
                    entry.value.at,
                    "pack.wrong_type",
                    "事实须为单个值或列表",
                    "a fact is one value or a list",
                ),
            };
            found.insert(entry.key.clone(), value);
        }
        Json::Object(found)
    }

    fn words(&mut self, node: &Node, longest: usize, pointer: &str) -> Json {
        let Kind::Map(entries) = &node.kind else {
            return self.wrong(
                node.at,
                "pack.wrong_type",
                "此处须有 `中文` 与 `英文` 两种文字",
                "this needs both `zh` and `en`",
            );
        };
        let mut found = Map::new();
        for entry in entries {
            let key = match words::canonical_key(&entry.key) {
                Some(key @ ("zh" | "en")) => key,
                _ => {
                    self.wrong(
                        entry.at,
                        "pack.unknown_key",
                        format!("此处只有 `中文` 与 `英文`，没有 `{}`", entry.key),
                        format!("only `zh` and `en` stand here, not `{}`", entry.key),
                    );
                    continue;
                }
            };
            if found.contains_key(key) {
                self.duplicate(entry);
                continue;
            }
            self.places.insert(format!("{pointer}/{key}"), entry.at);
            let value = self.shape(&entry.value, &Shape::Text(longest * 4), "");
            found.insert(key.to_owned(), value);
        }
        for (key, zh) in [("zh", "中文"), ("en", "英文")] {
            if !found.contains_key(key) {
                self.wrong(
                    node.at,
                    "pack.missing_key",
                    format!("缺少 `{zh}` 文字"),
                    format!("the key `{key}` is missing"),
                );
            }
        }
        Json::Object(found)
    }

    fn scalar(&mut self, at: Position, text: &str, shape: &Shape) -> Json {
        match scalar(text, shape) {
            Some(json) => json,
            None if matches!(shape, Shape::Text(_)) && !text.is_empty() => self.wrong(
                at,
                "pack.bad_text",
                "文字过长，或含有控制字符、HTML 标记",
                "the text is too long or holds control characters or HTML",
            ),
            None => {
                let (zh, en) = expected(shape);
                self.wrong(
                    at,
                    "pack.bad_value",
                    format!("`{text}` 不是{zh}"),
                    format!("`{text}` is not {en}"),
                )
            }
        }
    }
}

fn scalar(text: &str, shape: &Shape) -> Option<Json> {
    match shape {
        Shape::Id => is_id(text).then(|| Json::from(text)),
        Shape::FactName => (!text.is_empty() && text.chars().count() <= 60).then(|| Json::from(text)),
        Shape::Text(longest) => is_plain(text, *longest).then(|| Json::from(text)),
        Shape::Integer(least, most) => {
            let n: i64 = text.parse().ok()?;
            (*least..=*most).contains(&n).then(|| Json::from(n))
        }
        Shape::Boolean => Value::from_author(FactType::Boolean, text).map(|truth| truth.to_json()),
        Shape::Date => Value::from_author(FactType::Date, text).map(|date| date.to_json()),
        Shape::Money if matches!(text, "0" | "无" | "免费") => Some(Json::from(0)),
        Shape::Money => {
            Value::from_author(FactType::Money, text).map(|m| m.to_json()).filter(|m| m.as_i64() >= Some(0))
        }
        Shape::Term => term(text),
        Shape::Expr => (!text.trim().is_empty()).then(|| Json::from(text.trim())),
        Shape::Choice(choices) => choice(text, choices).map(Json::from),
        Shape::Digits(lengths) => (lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| Json::from(text)),
        Shape::Words(_) | Shape::List(..) | Shape::Object(_) | Shape::Map(_) | Shape::Given => None,
    }
}

fn is_id(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Authors are not trusted: no markup, no control characters but line ends, no endless text.
fn is_plain(text: &str, longest: usize) -> bool {
    let mut chars = text.chars().peekable();
    let mut length = 0_usize;
    while let Some(c) = chars.next() {
        length += 1;
        let hidden = c.is_control() && c != '\n'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        let markup =
            c == '<' && chars.peek().is_some_and(|n| n.is_ascii_alphabetic() || matches!(n, '/' | '!' | '?'));
        if hidden || markup || length > longest {
            return false;
        }
    }
    !text.trim().is_empty()
}

fn choice(text: &str, choices: Choices) -> Option<&'static str> {
    choices.iter().find(|(en, zh)| *en == text || *zh == text).map(|(en, _)| *en)
}

fn term(text: &str) -> Option<Json> {
    let text = text.trim();
    let made = |days: u32, unit: &str| Some(serde_json::json!({ "days": days, "unit": unit }));
    if matches!(text, "当场" | "at once" | "on the spot") {
        return made(0, "working_days");
    }
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let days: u32 = number.parse().ok().filter(|n| (1..=3_650).contains(n))?;
    match unit.trim() {
        "个工作日" | "工作日" | "working days" | "working day" => made(days, "working_days"),
        "日" | "个自然日" | "自然日" | "天" | "days" | "day" => made(days, "natural_days"),
        _ => None,
    }
}

/// What a shape wants, in both languages.
fn expected(shape: &Shape) -> (String, String) {
    let both = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    match shape {
        Shape::Id => both("编号（字母、数字、- _ .）", "an id (letters, digits, `-`, `_`, `.`)"),
        Shape::FactName => both("事实名", "the name of a fact"),
        Shape::Text(_) => both("文本", "text"),
        Shape::Words(_) => both("中英两种文字", "words in both languages"),
        Shape::Integer(least, most) => {
            (format!("{least} 至 {most} 的整数"), format!("a whole number from {least} to {most}"))
        }
        Shape::Boolean => both("“是”或“否”", "`true` or `false`"),
        Shape::Date => both("日期（年-月-日）", "a date (YYYY-MM-DD)"),
        Shape::Money => both("金额（如 80元）", "an amount of money (for example `80yuan`)"),
        Shape::Term => {
            both("时限（如“3 个工作日”“当场”）", "a span (for example `3 working days`, `at once`)")
        }
        Shape::Expr => both("表达式", "an expression"),
        Shape::Choice(choices) => {
            let zh: Vec<&str> = choices.iter().map(|(_, zh)| *zh).collect();
            let en: Vec<&str> = choices.iter().map(|(en, _)| *en).collect();
            (format!("以下之一：{}", zh.join("、")), format!("one of {}", en.join(", ")))
        }
        Shape::Digits(lengths) => {
            let n: Vec<String> = lengths.iter().map(ToString::to_string).collect();
            (format!("{} 位数字", n.join("、")), format!("{} digits", n.join(", ")))
        }
        Shape::List(..) => both("列表", "a list"),
        Shape::Object(_) | Shape::Map(_) | Shape::Given => both("键值对", "a mapping"),
    }
}
