//! Faults as a parameter: where a crash test stops the process.
//!
//! A step that must survive `kill -9` calls [`Faults::reached`]. Outside a crash test that is one check of
//! an empty option.

use std::sync::Arc;

/// The place, if any, at which this process shall stand still and wait to be killed.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<str>>);

impl Faults {
    /// Stands still at `place`.
    pub fn at(place: &str) -> Self {
        Self(Some(place.into()))
    }

    /// Stands still for ever if this is the place; says so on standard error first.
    pub async fn reached(&self, place: &str) {
        if self.0.as_deref() == Some(place) {
            tracing::warn!(place, "standing still for a crash test");
            eprintln!("standing still at {place}");
            std::future::pending::<()>().await;
        }
    }
}
