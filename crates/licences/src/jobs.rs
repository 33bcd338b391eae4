//! What time brings: terms that end, codes that nobody needs any more.

use jiff::SignedDuration;
use store::Reads;
use store::jobs::{Job, finish};
use thiserror::Error;
use web::App;

use crate::actions::{self, LicenceError};

/// Marks licences whose last day is over as expired. Runs every few minutes.
pub const EXPIRE: &str = "licences.expire";

/// How long a code is kept after it ran out, for whoever asks why it does not work.
const KEEP_CODES: SignedDuration = SignedDuration::from_hours(24);

/// Why a job was not done.
#[derive(Debug, Error)]
pub enum JobError {
    /// A licence could not be changed.
    #[error("licences could not be marked as expired")]
    Licence(#[from] LicenceError),
    /// The ledger refused.
    #[error("the ledger refused")]
    Store(#[from] store::StoreError),
}

/// Runs a job of this crate; false when it is none.
pub async fn handle(app: &App, job: &Job) -> Result<bool, JobError> {
    match job.kind.as_str() {
        EXPIRE => {
            actions::expire_due(&app.store, app.now().china_date()).await?;
            let tx = app.store.begin().await?;
            let before = tx.store().env().now().plus(-KEEP_CODES);
            actions::present::forget_codes(&tx, before).await?;
            finish(&tx, job).await?;
            tx.commit().await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
