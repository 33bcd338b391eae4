//! One error for everything the ledger can refuse.

use sea_orm::{DbErr, SqlErr};

/// Why the ledger did not do what it was asked.
///
/// "Not found" is not an error here: a lookup answers with an `Option`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique key is taken; the caller decides what that means to a person.
    #[error("the key is taken already")]
    Taken(#[source] DbErr),
    /// The database refused or could not be reached.
    #[error("the ledger could not run a statement")]
    Database(#[source] DbErr),
    /// The shared commit failed; nothing of it was kept.
    #[error("the ledger could not commit: {0}")]
    Commit(String),
    /// A stored value is not what its column promises.
    #[error("column `{column}` holds an unexpected value: {reason}")]
    Column {
        /// The column's name.
        column: String,
        /// What was wrong with it.
        reason: String,
    },
    /// A stored document could not be read or written as JSON.
    #[error("a stored document is not readable")]
    Json(#[from] serde_json::Error),
    /// A file of the data folder could not be read or written.
    #[error("the data folder could not be used: {path}")]
    File {
        /// The path below the data folder.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A sealed value did not open: wrong root key, or somebody changed it.
    #[error("a sealed value did not open: {0}")]
    Sealed(String),
    /// A configuration that cannot work.
    #[error("{0}")]
    Config(String),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Taken(error),
            _ => Self::Database(error),
        }
    }
}

impl StoreError {
    /// Wraps an input/output error with the path that it happened at.
    pub fn file(path: impl AsRef<std::path::Path>, source: std::io::Error) -> Self {
        Self::File { path: path.as_ref().display().to_string(), source }
    }

    /// Whether a unique key was taken.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Taken(_))
    }
}
