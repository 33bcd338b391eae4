//! What time brings: the lake is kept in order, and loads that died with their process go on.

use kernel::error::Coded;
use lake::{Keeping, Lake, housekeeping};
use store::jobs::{Job, finish};
use web::App;

use crate::loads;
use crate::uses::{State, UseError};

/// Compacts, merges and clears what is due in every table, and goes on with loads that nobody works on. Runs every
/// minute.
pub const KEEP_LAKE: &str = "sharing.keep_lake";

/// Runs a job of this crate; false when it is none. A table that cannot be kept is told to the operator and does
/// not hold up the others.
pub async fn handle(app: &App, job: &Job) -> Result<bool, UseError> {
    if job.kind != KEEP_LAKE {
        return Ok(false);
    }
    let state = State::of(app)?;
    for table in Lake::tables(&app.store.read()).await? {
        if let Err(error) = housekeeping(state.lake(), &table, &Keeping::default()).await {
            tracing::error!(table = table.id.as_str(), %error, "a table of the lake could not be kept in order");
        }
    }
    for outcome in [loads::resume(app).await, loads::clear(app).await] {
        if let Err(error) = outcome {
            tracing::error!(error.code = error.code(), %error, "loads of stewards could not be looked after");
        }
    }
    let tx = app.store.begin().await?;
    finish(&tx, job).await?;
    tx.commit().await?;
    Ok(true)
}
