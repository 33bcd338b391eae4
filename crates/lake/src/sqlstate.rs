//! Which of PostgreSQL's error classes an error of the lake belongs to.
//!
//! Errors of planning speak of the asker's own statement, and so have a state of their own. Whatever fails while it
//! runs has one state for all: which of the many it was would tell of the data.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use crate::LakeError;
use crate::error::{Limit, Refusal};

impl LakeError {
    /// The five letters of the class.
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::Refused(Refusal::TooLong) => "54000",
            Self::Refused(Refusal::Several) => "42601",
            Self::Refused(_) | Self::Matched(_) => "42501",
            Self::Plan(error) => of_plan(error),
            Self::Parameter(_) => "22P02",
            Self::Limit(Limit::Time | Limit::Cancelled) => "57014",
            Self::Limit(Limit::Memory) => "53200",
            Self::Limit(Limit::Rows) => "54000",
            Self::Limit(Limit::Concurrency) => "53300",
            Self::NoTable(_) => "42P01",
            Self::Run(_) => "22000",
            Self::Policy(_) => "42501",
            _ => "58000",
        }
    }
}

fn of_plan(error: &DataFusionError) -> &'static str {
    match error.find_root() {
        DataFusionError::SQL(..) => "42601",
        DataFusionError::SchemaError(schema, _) => match schema.as_ref() {
            SchemaError::FieldNotFound { .. } => "42703",
            SchemaError::AmbiguousReference { .. } => "42702",
            _ => "42701",
        },
        DataFusionError::NotImplemented(_) => "0A000",
        DataFusionError::Plan(text) if text.starts_with("table '") && text.contains("not found") => "42P01",
        DataFusionError::Plan(text) if text.starts_with("Invalid function") => "42883",
        _ => "42000",
    }
}
