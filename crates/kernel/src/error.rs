//! Stable public codes of errors.

/// An error with a code that callers of the API may rely on, such as `case.wrong_stage`.
///
/// A code is `area.what` in lower case with underscores. It never changes once released; the message beside
/// it may. The pages choose their text for the citizen by this code.
pub trait Coded {
    /// The stable code of this error.
    fn code(&self) -> &'static str;
}
