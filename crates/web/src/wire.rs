//! Wire types that every part of the API shares.

use serde::Serialize;

/// A text in both languages.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl From<&packs::model::Words> for Words {
    fn from(words: &packs::model::Words) -> Self {
        Self { zh: words.zh.clone(), en: words.en.clone() }
    }
}
