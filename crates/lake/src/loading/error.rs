//! What can go wrong while a source is read, and why a row is rejected.

use kernel::error::Coded;
use serde::{Deserialize, Serialize};

use crate::LakeError;

/// An error that ends a load. Rows that do not fit are no such error: see [`Reason`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The source cannot be opened or read to its end.
    #[error("the source cannot be read: {0}")]
    Unreadable(String),
    /// The source is larger than what is read.
    #[error("the source is too large: {0}")]
    TooLarge(String),
    /// The address is not one that the operator allows.
    #[error("`{0}` is not among the hosts that may be read")]
    NotAllowed(String),
    /// What was said about how to read the source does not fit it.
    #[error("{0}")]
    Reading(String),
    /// The source does not have the columns that the mapping was made for.
    #[error("the source has other columns than the mapping: {0}")]
    Columns(String),
    /// The mapping does not fit the table.
    #[error("the mapping does not fit: {0}")]
    Mapping(String),
    /// The source changed while it was read. What had arrived before that is as the source was checked.
    #[error("the source changed while it was read")]
    Changed,
    /// There is no such load.
    #[error("there is no load `{0}`")]
    NoLoad(String),
    /// The other database refused.
    #[error("the database of the source refuses")]
    Database(#[source] sqlx::Error),
    /// The other server refused.
    #[error("the server of the source refuses")]
    Http(#[source] reqwest::Error),
    /// The lake or the ledger refused.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

impl Coded for LoadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "load.unreadable",
            Self::TooLarge(_) => "load.too_large",
            Self::NotAllowed(_) => "load.host_not_allowed",
            Self::Reading(_) => "load.reading",
            Self::Columns(_) => "load.columns",
            Self::Mapping(_) => "load.mapping",
            Self::Changed => "load.changed",
            Self::NoLoad(_) => "load.no_load",
            Self::Database(_) => "load.database",
            Self::Http(_) => "load.http",
            Self::Lake(error) => error.code(),
        }
    }
}

impl From<store::StoreError> for LoadError {
    fn from(error: store::StoreError) -> Self {
        Self::Lake(LakeError::Store(error))
    }
}

impl From<std::io::Error> for LoadError {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Why a row is rejected, or a cell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The cell is not of the column's kind.
    WrongKind,
    /// It is of the kind and lies outside what the column holds: too large a number, too many digits behind the
    /// point, a day that no calendar has.
    OutOfRange,
    /// The column must not be empty.
    Empty,
    /// The row has more cells than there are columns, or a field that no column has.
    TooManyCells,
    /// The row has fewer cells than there are columns.
    TooFewCells,
    /// Bytes that are no text in the encoding, or a NUL.
    Encoding,
    /// The row is longer than what is read.
    TooLong,
    /// Quotes that do not close, or text behind a closing quote; in JSON lines, a line that is no object.
    Broken,
    /// The spreadsheet keeps fifteen digits of a number, and this one had more.
    DigitsLost,
    /// The formula of the cell has no value but an error.
    Formula,
    /// Not a citizen number.
    CitizenId,
    /// Not a unified social credit code.
    Uscc,
    /// Not the code of an administrative division.
    Division,
}

impl Coded for Reason {
    fn code(&self) -> &'static str {
        match self {
            Self::WrongKind => "load.wrong_kind",
            Self::OutOfRange => "load.out_of_range",
            Self::Empty => "load.empty",
            Self::TooManyCells => "load.too_many_cells",
            Self::TooFewCells => "load.too_few_cells",
            Self::Encoding => "load.encoding",
            Self::TooLong => "load.too_long",
            Self::Broken => "load.broken",
            Self::DigitsLost => "load.digits_lost",
            Self::Formula => "load.formula",
            Self::CitizenId => "load.citizen_id",
            Self::Uscc => "load.uscc",
            Self::Division => "load.division",
        }
    }
}
