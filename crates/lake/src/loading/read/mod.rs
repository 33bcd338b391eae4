//! Readers: each turns one form of source into rows of cells.

pub(crate) mod database;
mod delimited;
pub(crate) mod file;
pub(crate) mod http;
mod json;
pub(crate) mod lines;
mod parquet;
mod sheet;
mod workbook;
