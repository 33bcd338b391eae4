//! One error for every answer: a stable code, a status, and texts in the reader's language.
//!
//! A handler answers with `Result<Response, Problem>`. What leaves the node is `application/problem+json`
//! (RFC 9457) for programs and a page for people; the shell decides which, because only it knows the
//! reader. The text is the message `problem-<code>` with dots as hyphens; the source is logged once, here,
//! and never shown.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use store::StoreError;

use crate::forms::FieldError;
use crate::i18n::{Arg, I18nError};
use crate::render::RenderError;

/// Why a request was not served.
#[derive(Debug)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// The stable public code, such as `case.wrong_stage`.
    pub code: &'static str,
    /// Values for the message.
    pub args: Vec<(&'static str, Arg)>,
    /// What is wrong with which field.
    pub fields: Vec<FieldError>,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// A problem with this status and code.
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, args: Vec::new(), fields: Vec::new(), source: None }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(code: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code)
    }

    /// 401: nobody is signed in.
    pub fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "access.not_signed_in")
    }

    /// 403: this actor may not.
    pub fn forbidden(code: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code)
    }

    /// 404: there is no such thing, or none that this actor may know of.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "http.not_found")
    }

    /// 409: the thing is in a state that does not allow this.
    pub fn conflict(code: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code)
    }

    /// 422: fields are wrong.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self { fields, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "form.invalid") }
    }

    /// 500: our fault.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "http.internal") }
    }

    /// Adds a value for the message.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Arg>) -> Self {
        self.args.push((name, value.into()));
        self
    }

    /// The key of its message.
    pub fn key(&self) -> String {
        format!("problem-{}", self.code.replace(['.', '_'], "-"))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| -> &(dyn std::error::Error + 'static) { source })
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

impl From<RenderError> for Problem {
    fn from(error: RenderError) -> Self {
        Self::internal(error)
    }
}

impl From<I18nError> for Problem {
    fn from(error: I18nError) -> Self {
        Self::internal(error)
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for Problem {
    /// A bare answer that carries the problem; the shell gives it its body.
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            let mut chain = self.to_string();
            let mut source = std::error::Error::source(&self);
            while let Some(error) = source {
                chain.push_str(": ");
                chain.push_str(&error.to_string());
                source = error.source();
            }
            tracing::error!(problem.code = self.code, error = %chain, "a request failed");
        }
        let mut response = self.status.into_response();
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}

/// The body of `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemBody {
    /// A reference that identifies the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is wrong, in the reader's language.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// The id of the request, to be quoted when asking for help.
    pub request_id: String,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FieldProblem {
    /// The field's name.
    pub field: String,
    /// The stable code.
    pub code: String,
    /// What is wrong, in the reader's language.
    pub message: String,
}
