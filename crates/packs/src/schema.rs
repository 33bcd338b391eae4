//! The JSON Schema of each kind of file, for editors. Keys in both languages are described.

use serde_json::{Map, Value as Json, json};

use crate::shape::{FileKind, Need, Object, Shape};
use crate::words;

/// File name and text of every schema.
pub fn files() -> Vec<(String, String)> {
    FileKind::ALL
        .iter()
        .map(|kind| {
            let text = serde_json::to_string_pretty(&schema(*kind)).unwrap_or_default();
            (format!("{}.json", kind.name()), text + "\n")
        })
        .collect()
}

fn schema(kind: FileKind) -> Json {
    let mut definitions = Map::new();
    object(kind.shape(), &mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.name(),
        "$ref": format!("#/$defs/{}", kind.shape().name),
        "$defs": definitions,
    })
}

fn object(object: &Object, definitions: &mut Map<String, Json>) -> Json {
    let reference = json!({ "$ref": format!("#/$defs/{}", object.name) });
    if definitions.contains_key(object.name) {
        return reference;
    }
    // The name is taken before its parts are described, so that a shape may contain itself.
    definitions.insert(object.name.to_owned(), Json::Null);
    let mut properties = Map::new();
    let mut required = Vec::new();
    let inherits = object.fields.iter().any(|key| key.name == "base");
    let mut required_alone = Vec::new();
    for key in object.fields {
        let zh = words::chinese_key(key.name).unwrap_or(key.name);
        let described = shape(&key.shape, definitions);
        properties.insert(key.name.to_owned(), described.clone());
        properties.insert(zh.to_owned(), described);
        let either = json!({ "anyOf": [{ "required": [key.name] }, { "required": [zh] }] });
        match key.need {
            Need::Required => required.push(either),
            Need::Inherited => required_alone.push(either),
            Need::Optional => {}
        }
    }
    if inherits && !required_alone.is_empty() {
        required.push(json!({
            "anyOf": [{ "required": ["base"] }, { "required": ["继承"] }, { "allOf": required_alone }]
        }));
    }
    let mut described = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (Some(map), false) = (described.as_object_mut(), required.is_empty()) {
        map.insert("allOf".to_owned(), Json::Array(required));
    }
    definitions.insert(object.name.to_owned(), described);
    reference
}

fn shape(what: &Shape, definitions: &mut Map<String, Json>) -> Json {
    match what {
        Shape::Id => json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,80}$" }),
        Shape::FactName => json!({ "type": "string", "minLength": 1, "maxLength": 60 }),
        Shape::Text(longest) => json!({ "type": "string", "minLength": 1, "maxLength": longest }),
        Shape::Words(longest) => {
            let text = json!({ "type": "string", "minLength": 1, "maxLength": longest * 4 });
            json!({
                "type": "object",
                "properties": { "zh": text, "中文": text, "en": text, "英文": text },
                "additionalProperties": false,
                "allOf": [
                    { "anyOf": [{ "required": ["zh"] }, { "required": ["中文"] }] },
                    { "anyOf": [{ "required": ["en"] }, { "required": ["英文"] }] },
                ],
            })
        }
        Shape::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Boolean => json!({ "enum": [true, false, "是", "否", "yes", "no"] }),
        Shape::Date => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
        Shape::Money => json!({ "type": ["string", "integer"], "examples": ["80元", "12.50yuan", "无"] }),
        Shape::Term => {
            json!({ "type": "string", "examples": ["3 个工作日", "15 working days", "30 日", "当场"] })
        }
        Shape::Expr => json!({ "type": "string", "minLength": 1, "maxLength": crate::expr::MAX_CHARS }),
        Shape::Choice(choices) => {
            let spellings: Vec<&str> = choices.iter().flat_map(|(en, zh)| [*en, *zh]).collect();
            json!({ "enum": spellings })
        }
        Shape::Digits(lengths) => {
            let forms: Vec<String> = lengths.iter().map(|n| format!("[0-9]{{{n}}}")).collect();
            json!({ "type": "string", "pattern": format!("^({})$", forms.join("|")) })
        }
        Shape::List(of, least) => {
            json!({ "type": "array", "items": shape(of, definitions), "minItems": least })
        }
        Shape::Object(of) => object(of, definitions),
        Shape::Map(of) => json!({ "type": "object", "additionalProperties": shape(of, definitions) }),
        Shape::Given => json!({
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    { "type": ["string", "number", "boolean"] },
                    { "type": "array", "items": { "type": "string" } },
                ],
            },
        }),
    }
}
