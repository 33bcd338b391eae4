//! Immutable versions: canonical JSON and its hash.

use std::ops::Deref;

use kernel::error::Coded;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sm3::{Digest, Sm3};

use crate::model::{LicenceType, Procedure};

/// One immutable version of one content file. What was decided under it keeps its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// `item`, `procedure`, `licence`, …
    pub kind: String,
    /// The id within the kind.
    pub id: String,
    /// `sm3:` and 64 hexadecimal digits over the canonical JSON.
    pub hash: String,
    /// The canonical JSON: canonical keys, sorted, nothing left out that matters.
    pub canonical_json: String,
}

impl Version {
    pub(crate) fn of(kind: &str, id: &str, canonical_json: String) -> Self {
        Self { kind: kind.to_owned(), id: id.to_owned(), hash: content_hash(&canonical_json), canonical_json }
    }
}

/// The hash of canonical JSON.
pub fn content_hash(canonical_json: &str) -> String {
    format!("sm3:{}", hex::encode(Sm3::digest(canonical_json.as_bytes())))
}

/// JSON with sorted keys and no spaces: one text for one meaning.
pub(crate) fn canonical(json: &Json) -> String {
    let mut text = String::new();
    write(json, &mut text);
    text
}

fn write(json: &Json, text: &mut String) {
    match json {
        Json::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                text.push_str(&Json::from(key.as_str()).to_string());
                text.push(':');
                if let Some(value) = object.get(key) {
                    write(value, text);
                }
            }
            text.push('}');
        }
        Json::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

/// A kind of content that is nothing but its typed document.
pub trait Content: Serialize + DeserializeOwned {
    /// The kind's name in versions.
    const KIND: &'static str;

    /// The document's id.
    fn id(&self) -> &str;
}

impl Content for Procedure {
    const KIND: &'static str = "procedure";

    fn id(&self) -> &str {
        &self.id
    }
}

impl Content for LicenceType {
    const KIND: &'static str = "licence";

    fn id(&self) -> &str {
        &self.id
    }
}

/// A document with its version. Read it as the document itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<T> {
    version: Version,
    doc: T,
}

impl<T: Content> Versioned<T> {
    pub(crate) fn new(doc: T) -> Result<Self, serde_json::Error> {
        let canonical_json = canonical(&serde_json::to_value(&doc)?);
        let version = Version::of(T::KIND, doc.id(), canonical_json);
        Ok(Self { version, doc })
    }

    /// The version that was stored, whatever the files say today.
    pub fn from_canonical(canonical_json: &str) -> Result<Self, CompileError> {
        let doc: T = serde_json::from_str(canonical_json).map_err(CompileError::Unreadable)?;
        let version = Version::of(T::KIND, doc.id(), canonical_json.to_owned());
        Ok(Self { version, doc })
    }

    /// The version.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The version's hash.
    pub fn hash(&self) -> &str {
        &self.version.hash
    }
}

impl<T> Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.doc
    }
}

/// Why a stored version does not compile.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// It is not canonical JSON of its kind.
    #[error("the stored version is not readable")]
    Unreadable(#[source] serde_json::Error),
    /// Its expressions or facts do not fit together.
    #[error("the stored version does not compile at `{pointer}`: {message}")]
    Refused {
        /// The JSON pointer of the first mistake.
        pointer: String,
        /// The mistake.
        message: String,
    },
}

impl Coded for CompileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "packs.unreadable_version",
            Self::Refused { .. } => "packs.version_does_not_compile",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_change_the_hash() {
        let a: Json = serde_json::from_str(r#"{"b": [1, {"y": "é", "x": null}], "a": true}"#).unwrap();
        let b: Json = serde_json::from_str(r#"{"a":true,"b":[1,{"x":null,"y":"é"}]}"#).unwrap();
        assert_eq!(canonical(&a), r#"{"a":true,"b":[1,{"x":null,"y":"é"}]}"#);
        assert_eq!(content_hash(&canonical(&a)), content_hash(&canonical(&b)));
    }

    #[test]
    fn the_hash_is_sm3() {
        // GB/T 32905-2016, appendix A, first example.
        assert_eq!(
            content_hash("abc"),
            "sm3:66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
    }
}
