//! From YAML text to a tree in which every key and value knows its line and column.
//!
//! Only the plain part of YAML is read: no anchors, aliases, tags or merge keys. Scalars are kept
//! as they are written; what a scalar means is decided by the shape of the place it stands in, so
//! that `00013112800001` stays a code and `no` never becomes a truth value by guess.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, MergeKeyPolicy, Spanned, Tagged};

use crate::error::{PackError, Place};

/// The largest content file, in bytes.
pub(crate) const MAX_FILE_BYTES: usize = 512 * 1024;
/// How deep collections may nest.
pub(crate) const MAX_DEPTH: usize = 24;
/// How many values, keys and collections a file may hold.
pub(crate) const MAX_NODES: usize = 40_000;

/// A place in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) kind: Kind,
}

/// What a value is made of.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A scalar as written, without its quotation marks.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Position,
    pub(crate) value: Node,
}

/// Reads one document.
pub(crate) fn parse(file: &str, text: &str) -> Result<Node, PackError> {
    if text.len() > MAX_FILE_BYTES {
        return Err(too_large(file, text.len() as u64));
    }
    let raw: Raw = serde_saphyr::from_str_with_options(text, options()).map_err(|e| refuse(file, &e))?;
    settle(file, text, raw)
}

/// Says that a file has too many bytes.
pub(crate) fn too_large(file: &str, bytes: u64) -> PackError {
    Place::top(file).error(
        "pack.too_large",
        format!("文件 {bytes} 字节，超过上限 {MAX_FILE_BYTES} 字节"),
        format!("the file has {bytes} bytes, more than the limit of {MAX_FILE_BYTES}"),
    )
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_anchors: 0,
            max_aliases: 0,
            max_documents: 1,
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: MAX_NODES * 2,
            max_total_scalar_bytes: MAX_FILE_BYTES,
            max_merge_keys: 0,
        },
        // Duplicates are forwarded so that each is reported with its own line.
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        emit_comments: false,
        with_snippet: false,
    }
}

fn refuse(file: &str, error: &Error) -> PackError {
    let mut place = Place::top(file);
    if let Some(at) = error.location() {
        place = place.at(position(&at));
    }
    let reason = error.to_string();
    let (code, zh) = if ["budget", "depth", "recursion limit"].iter().any(|limit| reason.contains(limit)) {
        ("pack.yaml_budget", "文件超出读取限额（不允许锚点、别名、多份文档和过深的嵌套）")
    } else {
        ("pack.yaml_syntax", "不是合法的 YAML")
    };
    place.error(code, format!("{zh}：{reason}"), format!("not readable: {reason}"))
}

fn position(at: &serde_saphyr::Location) -> Position {
    Position {
        line: u32::try_from(at.line()).unwrap_or(u32::MAX),
        column: u32::try_from(at.column()).unwrap_or(u32::MAX),
    }
}

struct Raw(Tagged<Spanned<Body>>);

enum Body {
    /// A scalar that the reader took for text.
    Text(String),
    /// A scalar that the reader took for a number, a truth value or nothing.
    Plain,
    List(Vec<Raw>),
    Map(Vec<(Tagged<Spanned<String>>, Raw)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Tagged::<Spanned<Body>>::deserialize(deserializer).map(Raw)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar, a list or a mapping")
    }

    fn visit_str<E>(self, text: &str) -> Result<Body, E> {
        Ok(Body::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Body, E> {
        Ok(Body::Text(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Body, E> {
        Ok(Body::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Body, E> {
        Ok(Body::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Body, E> {
        Ok(Body::Plain)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Body, E> {
        Ok(Body::Plain)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Body, E> {
        Ok(Body::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Body, E> {
        Ok(Body::Plain)
    }

    fn visit_unit<E>(self) -> Result<Body, E> {
        Ok(Body::Plain)
    }

    fn visit_none<E>(self) -> Result<Body, E> {
        Ok(Body::Plain)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Body, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Raw>()? {
            items.push(item);
        }
        Ok(Body::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry::<Tagged<Spanned<String>>, Raw>()? {
            entries.push(entry);
        }
        Ok(Body::Map(entries))
    }
}

/// Refuses tags, merge keys and duplicate keys, and puts the written text of plain scalars back.
fn settle(file: &str, text: &str, raw: Raw) -> Result<Node, PackError> {
    let Tagged(spanned, tag) = raw.0;
    let at = position(&spanned.referenced);
    refuse_tag(file, at, tag)?;
    let span = spanned.referenced.span();
    let written = span
        .byte_offset()
        .zip(span.byte_len())
        .and_then(|(start, len)| {
            let start = usize::try_from(start).ok()?;
            let end = start.checked_add(usize::try_from(len).ok()?)?;
            text.get(start..end)
        })
        .unwrap_or("");
    let kind = match spanned.value {
        Body::Text(text) => Kind::Scalar(text),
        Body::Plain => Kind::Scalar(written.trim().to_owned()),
        Body::List(items) => {
            Kind::List(items.into_iter().map(|i| settle(file, text, i)).collect::<Result<_, _>>()?)
        }
        Body::Map(raw_entries) => {
            let mut entries: Vec<Entry> = Vec::with_capacity(raw_entries.len());
            for (Tagged(key, tag), value) in raw_entries {
                let at = position(&key.referenced);
                refuse_tag(file, at, tag)?;
                let key = key.value;
                if key == "<<" {
                    return Err(Place::top(file).at(at).error(
                        "pack.yaml_merge_key",
                        "不允许合并键 `<<`".into(),
                        "merge keys `<<` are not allowed".into(),
                    ));
                }
                entries.push(Entry { key, at, value: settle(file, text, value)? });
            }
            Kind::Map(entries)
        }
    };
    Ok(Node { at, kind })
}

fn refuse_tag(file: &str, at: Position, tag: Option<String>) -> Result<(), PackError> {
    match tag {
        None => Ok(()),
        Some(tag) => Err(Place::top(file).at(at).error(
            "pack.yaml_tag",
            format!("不允许标签 `{tag}`"),
            format!("the tag `{tag}` is not allowed"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(node: &Node) -> &str {
        match &node.kind {
            Kind::Scalar(text) => text,
            other => panic!("not a scalar: {other:?}"),
        }
    }

    #[test]
    fn every_key_and_value_knows_its_place_and_its_written_text() {
        let node = parse("a.yaml", "编码: 00013112800001\nlist:\n  - yes\n  - 'no'\n  - 1.50\n  - ~\n  -\n")
            .unwrap();
        let Kind::Map(entries) = &node.kind else { panic!() };
        assert_eq!(entries[0].key, "编码");
        assert_eq!(entries[0].at, Position { line: 1, column: 1 });
        assert_eq!(entries[0].value.at, Position { line: 1, column: 5 });
        assert_eq!(scalar(&entries[0].value), "00013112800001");
        let Kind::List(list) = &entries[1].value.kind else { panic!() };
        assert_eq!(scalar(&list[0]), "yes");
        assert_eq!(scalar(&list[1]), "no");
        assert_eq!(list[1].at, Position { line: 4, column: 5 });
        assert_eq!(scalar(&list[2]), "1.50");
        assert_eq!(scalar(&list[3]), "~");
        assert_eq!(scalar(&list[4]), "");
    }

    #[test]
    fn what_plain_content_does_not_need_is_refused_with_its_line() {
        let deep = format!("a:\n  {}1{}", "[".repeat(60), "]".repeat(60));
        for (text, code, line) in [
            ("a: 1\nb: &x 2\n", "pack.yaml_budget", 2),
            ("a: &x [1]\nb: *x\n", "pack.yaml_budget", 1),
            ("a: 1\nb: !!str 2\n", "pack.yaml_tag", 2),
            ("a: 1\nb: !run 2\n", "pack.yaml_tag", 2),
            ("a: 1\n<<: {b: 1}\n", "pack.yaml_merge_key", 2),
            ("a: 1\nb: [1\n", "pack.yaml_syntax", 2),
            (deep.as_str(), "pack.yaml_budget", 2),
        ] {
            let error = parse("a.yaml", text).unwrap_err();
            assert_eq!((error.code, error.line), (code, line), "{text}: {error}");
        }
    }
}
