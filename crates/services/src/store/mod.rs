//! The statements of this crate.

pub(crate) mod bookings;
pub(crate) mod drafts;
pub(crate) mod names;
pub(crate) mod receipts;
