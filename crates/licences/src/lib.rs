//! E-licences (电子证照): types, issue, presentation, verification and revocation.

pub mod actions;
pub mod document;
pub mod events;
pub mod migrations;
pub mod model;
pub mod receipt;
pub mod status;
pub mod store;

pub use migrations::MIGRATIONS;
pub use model::licence::{Licence, NewLicence, Registry, Standing};
pub use store::{find, find_by_id, find_by_identifier, find_valid, history, wallet_of};
