//! Work that the clock starts: sessions and half-finished sign-ins that are over are forgotten.

use store::StoreError;
use store::jobs::{Job, finish};
use web::App;

use crate::{challenges, sessions};

/// Runs a job of this crate; false when the kind is not ours.
pub async fn handle(app: &App, job: &Job) -> Result<bool, StoreError> {
    if job.kind != "identity.expire_sessions" {
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
