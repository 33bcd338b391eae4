//! One function a use case.

pub mod appointments;
pub mod drafts;
pub mod files;
pub mod result;
pub mod submit;
