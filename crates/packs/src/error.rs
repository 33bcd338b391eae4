//! What is wrong with a content file, and where.

use std::fmt;

use crate::yaml::Position;

/// One mistake in one content file. Every mistake of every file is reported, not only the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackError {
    /// The file, relative to the content folder.
    pub file: String,
    /// The line, from 1; 0 where the mistake concerns the folder as a whole.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// A stable code such as `pack.material_already_held`.
    pub code: &'static str,
    /// The mistake in Chinese.
    pub message_zh: String,
    /// The mistake in English.
    pub message_en: String,
}

impl PackError {
    /// The message in the reader's language: English for `en…`, Chinese otherwise.
    pub fn message(&self, lang: &str) -> &str {
        if lang.starts_with("en") { &self.message_en } else { &self.message_zh }
    }
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, code, message_zh, message_en } = self;
        write!(f, "{file}:{line}:{column}: [{code}] {message_en} / {message_zh}")
    }
}

impl std::error::Error for PackError {}

/// Where a mistake is, before what it is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    file: String,
    at: Position,
}

impl Place {
    pub(crate) fn top(file: &str) -> Self {
        Self { file: file.to_owned(), at: Position { line: 1, column: 1 } }
    }

    pub(crate) fn at(mut self, at: Position) -> Self {
        self.at = at;
        self
    }

    pub(crate) fn error(self, code: &'static str, message_zh: String, message_en: String) -> PackError {
        PackError {
            file: self.file,
            line: self.at.line,
            column: self.at.column,
            code,
            message_zh,
            message_en,
        }
    }
}
