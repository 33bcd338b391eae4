//! Work for later.

use store::jobs::Job;
use web::App;

use crate::actions::{appointments, result};
use crate::error::ServiceError;

/// Answers `cases.concluded`.
pub const ISSUE_RESULT: &str = "services.issue_result";
/// Frees seats whose hold has run out and forgets drafts whose time is over.
pub const EXPIRE_HOLDS: &str = "services.expire_holds";

/// Does a job of this crate; false for a kind that it does not know.
pub async fn handle(app: &App, job: &Job) -> Result<bool, ServiceError> {
    match job.kind.as_str() {
        ISSUE_RESULT => result::issue_result(app, job).await?,
        EXPIRE_HOLDS => {
            appointments::expire(app).await?;
            let tx = app.store.begin().await?;
            store::jobs::finish(&tx, job).await?;
            tx.commit().await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
