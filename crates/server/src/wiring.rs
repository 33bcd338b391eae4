//! Every reaction of one part of the house to another, on one page.

use store::jobs::Job;
use store::outbox::Reaction;
use web::App;

/// Which event leads to which job.
pub const REACTIONS: &[Reaction] = &[
    // A decision in favour of the applicant ends in what the item promises: a licence, a slip, a payment.
    Reaction { event: "cases.concluded", job: "services.issue_result" },
];

/// Jobs that the clock starts: each must be harmless when it runs twice and miss nothing when it did not
/// run for a day.
pub const TIMERS: &[(&str, u64)] = &[
    // seconds between two runs
    ("cases.sweep", 30),
    ("services.expire_holds", 15),
    ("licences.expire", 300),
    ("identity.expire_sessions", 600),
    ("sharing.keep_lake", 60),
    ("store.sweep_blobs", 3_600),
];

/// Runs a job in the part of the house that knows its kind.
pub async fn run(app: &App, job: &Job) -> anyhow::Result<()> {
    let known = identity::jobs::handle(app, job).await?
        || cases::jobs::handle(app, job).await?
        || licences::jobs::handle(app, job).await?
        || services::jobs::handle(app, job).await?
        || sharing::jobs::handle(app, job).await?;
    if known {
        return Ok(());
    }
    match job.kind.as_str() {
        "store.sweep_blobs" => {
            let removed = store::blobs::sweep(&app.store).await?;
            if removed > 0 {
                tracing::info!(removed, "files without a row were removed");
            }
            let tx = app.store.begin().await?;
            store::jobs::finish(&tx, job).await?;
            tx.commit().await?;
            Ok(())
        }
        other => anyhow::bail!("nobody handles jobs of the kind `{other}`"),
    }
}
