//! What a client is told when something fails.
//!
//! An asker reads what speaks of their own statement alone. Of everything else they get a state, the platform's code
//! and the receipt's id, by which the operator finds the rest.

use kernel::error::Coded;
use lake::LakeError;
use pgwire::error::ErrorInfo;
use pgwire::messages::response::ErrorResponse;

/// Something failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// PostgreSQL's class.
    pub(super) state: &'static str,
    /// The platform's code.
    pub(super) code: &'static str,
    /// For the asker.
    pub(super) message: String,
    /// Of the use that failed.
    pub(super) receipt: Option<String>,
    /// Whether the connection ends with it.
    pub(super) fatal: bool,
}

impl Failure {
    pub(super) fn new(state: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { state, code, message: message.into(), receipt: None, fatal: false }
    }

    pub(super) fn fatal(state: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { fatal: true, ..Self::new(state, code, message) }
    }

    pub(super) fn of_lake(error: &LakeError) -> Self {
        let message = error.for_asker().unwrap_or_else(|| match error {
            LakeError::Limit(_) => error.to_string(),
            LakeError::Run(_) => "the statement failed while it ran".to_owned(),
            _ => "the data cannot be read now".to_owned(),
        });
        if error.sqlstate().starts_with("58") {
            tracing::error!(error = %chain(error), "the lake cannot be read");
        }
        Self::new(error.sqlstate(), error.code(), message)
    }

    /// What PostgreSQL's protocol has no place for here.
    pub(super) fn protocol(message: impl Into<String>) -> Self {
        Self::new("08P01", "wire.protocol", message)
    }

    pub(super) fn cancelled() -> Self {
        Self::new("57014", "lake.cancelled", "the statement was cancelled")
    }

    pub(super) fn response(&self) -> ErrorResponse {
        let severity = if self.fatal { "FATAL" } else { "ERROR" };
        let mut info = ErrorInfo::new(severity.to_owned(), self.state.to_owned(), self.message.clone());
        info.severity_nonlocalized = Some(severity.to_owned());
        info.detail = Some(match &self.receipt {
            Some(receipt) => format!("{}, receipt {receipt}", self.code),
            None => self.code.to_owned(),
        });
        info.into()
    }
}

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Self {
        Self::of_lake(&error)
    }
}

/// The error and what is behind it, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
