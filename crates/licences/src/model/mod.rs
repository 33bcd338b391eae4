//! Pure types of licences and what may become of them.

pub mod canonical;
pub mod licence;
pub mod record;
pub mod state;
