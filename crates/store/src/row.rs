//! Values on their way into and out of the ledger.
//!
//! Three column types carry everything on both databases: `TEXT`, `BIGINT` and bytes. An id is its
//! hyphenated text, a time is UTC microseconds, a yes or no is 0 or 1, money is minor units.

use kernel::time::Timestamp;
use sea_orm::{QueryResult, TryGetable};

use crate::StoreError;

/// A bound parameter.
pub type Value = sea_orm::Value;

/// One row of an answer.
pub struct Row(pub(crate) QueryResult);

impl Row {
    /// The column `name`, as `T`.
    pub fn get<T: Column>(&self, name: &str) -> Result<T, StoreError> {
        T::read(self, name)
    }

    fn raw<T: TryGetable>(&self, name: &str) -> Result<T, StoreError> {
        self.0
            .try_get::<T>("", name)
            .map_err(|error| StoreError::Column { column: name.to_owned(), reason: error.to_string() })
    }
}

/// A type that a row is made into.
pub trait FromRow: Sized {
    /// Reads the row.
    fn from_row(row: &Row) -> Result<Self, StoreError>;
}

/// A type that a column is read as.
pub trait Column: Sized {
    /// Reads the column `name` of `row`.
    fn read(row: &Row, name: &str) -> Result<Self, StoreError>;
}

/// A type that can be bound as a parameter.
pub trait IntoValue {
    /// The parameter.
    fn into_value(self) -> Value;
}

macro_rules! plain {
    ($($kind:ty),*) => {$(
        impl Column for $kind {
            fn read(row: &Row, name: &str) -> Result<Self, StoreError> { row.raw(name) }
        }
        impl Column for Option<$kind> {
            fn read(row: &Row, name: &str) -> Result<Self, StoreError> { row.raw(name) }
        }
        impl IntoValue for $kind {
            fn into_value(self) -> Value { self.into() }
        }
        impl IntoValue for Option<$kind> {
            fn into_value(self) -> Value { self.into() }
        }
    )*};
}
plain!(String, i64, Vec<u8>);

impl IntoValue for &str {
    fn into_value(self) -> Value {
        self.into()
    }
}
impl IntoValue for &String {
    fn into_value(self) -> Value {
        self.as_str().into()
    }
}
impl IntoValue for Option<&str> {
    fn into_value(self) -> Value {
        self.map(str::to_owned).into()
    }
}
impl IntoValue for &[u8] {
    fn into_value(self) -> Value {
        self.to_vec().into()
    }
}
impl<const N: usize> IntoValue for [u8; N] {
    fn into_value(self) -> Value {
        self.to_vec().into()
    }
}

macro_rules! integers {
    ($($kind:ty),*) => {$(
        impl Column for $kind {
            fn read(row: &Row, name: &str) -> Result<Self, StoreError> {
                let wide: i64 = row.raw(name)?;
                wide.try_into().map_err(|_| StoreError::Column {
                    column: name.to_owned(),
                    reason: format!("`{wide}` is out of range"),
                })
            }
        }
        impl IntoValue for $kind {
            fn into_value(self) -> Value { i64::from(self).into() }
        }
    )*};
}
integers!(i32, u32, u16, u8);

impl Column for bool {
    fn read(row: &Row, name: &str) -> Result<Self, StoreError> {
        Ok(row.raw::<i64>(name)? != 0)
    }
}
impl IntoValue for bool {
    fn into_value(self) -> Value {
        i64::from(self).into()
    }
}

impl Column for Timestamp {
    fn read(row: &Row, name: &str) -> Result<Self, StoreError> {
        Ok(Timestamp::from_micros(row.raw(name)?))
    }
}
impl Column for Option<Timestamp> {
    fn read(row: &Row, name: &str) -> Result<Self, StoreError> {
        Ok(row.raw::<Option<i64>>(name)?.map(Timestamp::from_micros))
    }
}
impl IntoValue for Timestamp {
    fn into_value(self) -> Value {
        self.micros().into()
    }
}
impl IntoValue for Option<Timestamp> {
    fn into_value(self) -> Value {
        self.map(Timestamp::micros).into()
    }
}

/// Types that the ledger keeps as their text: ids, codes, calendar dates.
macro_rules! as_text {
    ($($kind:ty),* $(,)?) => {$(
        impl Column for $kind {
            fn read(row: &Row, name: &str) -> Result<Self, StoreError> {
                let text: String = row.raw(name)?;
                text.parse().map_err(|_| StoreError::Column {
                    column: name.to_owned(),
                    reason: format!("`{text}` is not readable"),
                })
            }
        }
        impl Column for Option<$kind> {
            fn read(row: &Row, name: &str) -> Result<Self, StoreError> {
                match row.raw::<Option<String>>(name)? {
                    None => Ok(None),
                    Some(_) => <$kind as Column>::read(row, name).map(Some),
                }
            }
        }
        impl IntoValue for $kind {
            fn into_value(self) -> Value { self.to_string().into() }
        }
        impl IntoValue for &$kind {
            fn into_value(self) -> Value { self.to_string().into() }
        }
        impl IntoValue for Option<$kind> {
            fn into_value(self) -> Value { self.map(|value| value.to_string()).into() }
        }
    )*};
}
as_text!(
    kernel::ids::SubjectId,
    kernel::ids::AccountId,
    kernel::ids::SessionId,
    kernel::ids::CaseId,
    kernel::ids::EventId,
    kernel::ids::LicenceId,
    kernel::ids::DraftId,
    kernel::ids::BlobId,
    kernel::ids::JobId,
    kernel::ids::AuditId,
    kernel::ids::GrantId,
    kernel::ids::TokenId,
    kernel::ids::UseId,
    kernel::ids::BookingId,
    kernel::ids::OrgCode,
    kernel::ids::PostCode,
    kernel::time::Date,
);

/// The parameters of a statement, in order.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::IntoValue::into_value($value)),*]
    };
}

/// A row type: the struct and how it is read, each field from the column of its own name.
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident : $kind:ty),* $(,)? }) => {
        $(#[$meta])* $vis struct $name { $($(#[$field_meta])* $field_vis $field: $kind),* }
        impl $crate::FromRow for $name {
            fn from_row(row: &$crate::Row) -> Result<Self, $crate::StoreError> {
                Ok(Self { $($field: row.get::<$kind>(stringify!($field))?),* })
            }
        }
    };
}
