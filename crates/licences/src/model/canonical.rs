//! One text and one byte string for one meaning: canonical JSON and its deterministic CBOR.
//!
//! A record is a JSON object of texts, whole numbers, yes or no, lists and objects: nothing that two writers
//! could spell in two ways. Its canonical JSON has sorted keys and no spaces; its CBOR form is what a QR code
//! carries, with the frequent keys as small numbers. Each is made from the other without loss.

use ciborium::value::Value as Cbor;
use crypto::cbor::{self, CborError, Limits};
use serde_json::{Map, Value as Json};
use thiserror::Error;

/// Keys that are written as their place in this list. Only ever append: the places are on paper.
const SHORT_KEYS: [&str; 30] = [
    "format",
    "identifier",
    "type",
    "id",
    "name",
    "zh",
    "en",
    "hash",
    "issuer",
    "code",
    "uscc",
    "fields",
    "withheld",
    "issued_at",
    "valid_from",
    "valid_to",
    "status",
    "list",
    "index",
    "case_no",
    "item",
    "applicant",
    "received_at",
    "content_hash",
    "statutory_due",
    "promised_due",
    "lists",
    "fresh_until",
    "made_at",
    "holder",
];

/// Objects and lists inside each other.
const MAX_DEPTH: usize = 12;

/// Why a value has no canonical form, or bytes are not one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CanonicalError {
    /// Nothing, fractions and numbers beyond 64 bits can be spelt in more than one way.
    #[error("a record holds texts, whole numbers, yes or no, lists and objects only")]
    NotPlain,
    /// Nested more deeply than is read.
    #[error("the record is nested too deeply")]
    TooDeep,
    /// Bytes that are no record in its one form.
    #[error("not the canonical form of a record")]
    NotCanonical,
    /// Bytes that are not deterministic CBOR.
    #[error("not acceptable CBOR")]
    Cbor(#[from] CborError),
}

/// The canonical JSON of a value.
pub fn to_text(json: &Json) -> Result<String, CanonicalError> {
    let mut text = String::new();
    write(json, MAX_DEPTH, &mut text)?;
    Ok(text)
}

/// The CBOR form of a value.
pub fn to_cbor(json: &Json) -> Result<Vec<u8>, CanonicalError> {
    Ok(cbor::encode(&pack(json, MAX_DEPTH)?)?)
}

/// The value of a CBOR form; any other spelling of it is refused.
pub fn from_cbor(bytes: &[u8]) -> Result<Json, CanonicalError> {
    let json = unpack(&cbor::decode(bytes, Limits::DEFAULT)?)?;
    if to_cbor(&json)? == bytes { Ok(json) } else { Err(CanonicalError::NotCanonical) }
}

fn write(json: &Json, depth: usize, text: &mut String) -> Result<(), CanonicalError> {
    let depth = depth.checked_sub(1).ok_or(CanonicalError::TooDeep)?;
    match json {
        Json::Object(members) => {
            let mut members: Vec<(&String, &Json)> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| key.as_str());
            text.push('{');
            for (number, (key, value)) in members.into_iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                text.push_str(&Json::from(key.as_str()).to_string());
                text.push(':');
                write(value, depth, text)?;
            }
            text.push('}');
        }
        Json::Array(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                write(item, depth, text)?;
            }
            text.push(']');
        }
        Json::Number(number) if !number.is_i64() => return Err(CanonicalError::NotPlain),
        Json::Null => return Err(CanonicalError::NotPlain),
        plain => text.push_str(&plain.to_string()),
    }
    Ok(())
}

fn pack(json: &Json, depth: usize) -> Result<Cbor, CanonicalError> {
    let depth = depth.checked_sub(1).ok_or(CanonicalError::TooDeep)?;
    Ok(match json {
        Json::Object(members) => Cbor::Map(
            members
                .iter()
                .map(|(key, value)| Ok((pack_key(key), pack(value, depth)?)))
                .collect::<Result<_, CanonicalError>>()?,
        ),
        Json::Array(items) => {
            Cbor::Array(items.iter().map(|item| pack(item, depth)).collect::<Result<_, CanonicalError>>()?)
        }
        Json::String(text) => Cbor::Text(text.clone()),
        Json::Bool(truth) => Cbor::Bool(*truth),
        Json::Number(number) => Cbor::Integer(number.as_i64().ok_or(CanonicalError::NotPlain)?.into()),
        Json::Null => return Err(CanonicalError::NotPlain),
    })
}

fn pack_key(key: &str) -> Cbor {
    match SHORT_KEYS.iter().position(|short| *short == key) {
        Some(place) => Cbor::Integer((place as u64).into()),
        None => Cbor::Text(key.to_owned()),
    }
}

fn unpack(value: &Cbor) -> Result<Json, CanonicalError> {
    Ok(match value {
        Cbor::Map(members) => {
            let mut object = Map::new();
            for (key, value) in members {
                object.insert(unpack_key(key)?, unpack(value)?);
            }
            Json::Object(object)
        }
        Cbor::Array(items) => Json::Array(items.iter().map(unpack).collect::<Result<_, _>>()?),
        Cbor::Text(text) => Json::String(text.clone()),
        Cbor::Bool(truth) => Json::Bool(*truth),
        Cbor::Integer(number) => {
            Json::from(i64::try_from(*number).map_err(|_| CanonicalError::NotCanonical)?)
        }
        _ => return Err(CanonicalError::NotCanonical),
    })
}

fn unpack_key(key: &Cbor) -> Result<String, CanonicalError> {
    match key {
        Cbor::Text(text) => Ok(text.clone()),
        Cbor::Integer(place) => usize::try_from(*place)
            .ok()
            .and_then(|place| SHORT_KEYS.get(place))
            .map(|key| (*key).to_owned())
            .ok_or(CanonicalError::NotCanonical),
        _ => Err(CanonicalError::NotCanonical),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let (one, other) = (json!({"b": [1, "x"], "a": {"zh": "甲", "c": true}}), {
            json!({"a": {"c": true, "zh": "甲"}, "b": [1, "x"]})
        });
        assert_eq!(to_text(&one).unwrap(), r#"{"a":{"c":true,"zh":"甲"},"b":[1,"x"]}"#);
        assert_eq!(to_text(&one), to_text(&other));
        assert_eq!(to_cbor(&one), to_cbor(&other));
    }

    #[test]
    fn what_could_be_spelt_twice_is_refused() {
        for bad in [json!(null), json!(1.5), json!([u64::MAX]), json!({"a": null})] {
            assert_eq!(to_text(&bad), Err(CanonicalError::NotPlain), "{bad}");
            assert_eq!(to_cbor(&bad), Err(CanonicalError::NotPlain), "{bad}");
        }
        let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(to_text(&deep), Err(CanonicalError::TooDeep));
        // A frequent key written out is another spelling of the same record.
        let long = cbor::encode(&Cbor::Map(vec![(Cbor::Text("format".into()), Cbor::Bool(true))])).unwrap();
        assert_eq!(from_cbor(&long), Err(CanonicalError::NotCanonical));
        let unknown = cbor::encode(&Cbor::Map(vec![(Cbor::Integer(99.into()), Cbor::Bool(true))])).unwrap();
        assert_eq!(from_cbor(&unknown), Err(CanonicalError::NotCanonical));
    }

    fn plain() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            ".{0,12}".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((prop_oneof!["[a-z]{1,6}", Just("name".to_owned())], inner), 0..4)
                    .prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn both_forms_give_the_record_back(record in plain()) {
            let text = to_text(&record).unwrap();
            let read: Json = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(to_text(&read).unwrap(), text.clone());
            let back = from_cbor(&to_cbor(&record).unwrap()).unwrap();
            prop_assert_eq!(to_text(&back).unwrap(), text);
        }
    }
}
