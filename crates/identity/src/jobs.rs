//! What time brings: sessions and half-done sign-ins that are over are forgotten.

use store::StoreError;
use store::jobs::{Job, finish};
use web::App;

use crate::{challenges, sessions};

/// Forgets what is over. It counts no longer in any case; this keeps the tables small.
pub const EXPIRE_SESSIONS: &str = "identity.expire_sessions";

/// Runs a job of this crate; false when it is none.
pub async fn handle(app: &App, job: &Job) -> Result<bool, StoreError> {
    if job.kind != EXPIRE_SESSIONS {
        return Ok(false);
    }
    let now = app.now();
    let tx = app.store.begin().await?;
    sessions::forget_over(&tx, now).await?;
    challenges::forget_expired(&tx, now).await?;
    finish(&tx, job).await?;
    tx.commit().await?;
    Ok(true)
}
