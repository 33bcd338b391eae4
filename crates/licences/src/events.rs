//! What this crate tells the rest of the house.

use kernel::ids::{LicenceId, SubjectId};
use serde::{Deserialize, Serialize};
use store::{Event, StoreError, Tx};

use crate::model::licence::Licence;
use crate::model::state::LicenceEvent;

/// Payload of `licences.issued`, `licences.amended`, `licences.suspended`, `licences.restored`,
/// `licences.revoked` and `licences.expired`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenceChanged {
    /// Whose licence.
    pub subject: SubjectId,
    /// Which licence.
    pub licence_id: LicenceId,
    /// The id of its type.
    pub type_id: String,
    /// The version that it has now.
    pub version: u16,
}

/// Emits the domain event of a step.
pub(crate) fn emit(tx: &Tx, licence: &Licence, event: &LicenceEvent) -> Result<(), StoreError> {
    let kind = match event {
        LicenceEvent::Issued { .. } => "licences.issued",
        LicenceEvent::Amended { .. } => "licences.amended",
        LicenceEvent::Suspended { .. } => "licences.suspended",
        LicenceEvent::Restored { .. } => "licences.restored",
        LicenceEvent::Revoked { .. } => "licences.revoked",
        LicenceEvent::Expired { .. } => "licences.expired",
    };
    let payload = LicenceChanged {
        subject: licence.holder,
        licence_id: licence.id,
        type_id: licence.type_id.clone(),
        version: licence.state.version,
    };
    tx.emit(Event::new(kind, &payload)?);
    Ok(())
}
