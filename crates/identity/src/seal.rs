//! Sealing what is stored but not of a person: secrets of second factors, states of sign-ins.

use crypto::field::FieldContext;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Store, StoreError};

/// Seals `value` for one column of one row, so that a sealed value moved elsewhere does not open.
pub(crate) fn seal(store: &Store, table: &str, column: &str, row: &str, value: &[u8]) -> Vec<u8> {
    store.cipher().encrypt(&FieldContext { table, column, subject: row }, value, &*store.env().entropy)
}

/// Opens what [`seal`] sealed.
pub(crate) fn open(
    store: &Store,
    table: &str,
    column: &str,
    row: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    store
        .cipher()
        .decrypt(&FieldContext { table, column, subject: row }, sealed)
        .map_err(|error| StoreError::Sealed(error.to_string()))
}

/// As [`seal`], for a document.
pub(crate) fn seal_json(
    store: &Store,
    table: &str,
    column: &str,
    row: &str,
    value: &impl Serialize,
) -> Result<Vec<u8>, StoreError> {
    Ok(seal(store, table, column, row, &serde_json::to_vec(value)?))
}

/// As [`open`], for a document.
pub(crate) fn open_json<T: DeserializeOwned>(
    store: &Store,
    table: &str,
    column: &str,
    row: &str,
    sealed: &[u8],
) -> Result<T, StoreError> {
    Ok(serde_json::from_slice(&open(store, table, column, row, sealed)?)?)
}
