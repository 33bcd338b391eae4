//! Works off events and jobs as they come, and starts the timers.

use std::time::Duration;

use store::jobs::{self, NewJob};
use store::{StoreError, outbox};
use tokio::sync::watch;
use web::App;

use crate::{node, wiring};

/// Events taken at a time.
const BATCH: u32 = 100;

/// Without a commit to wake it, a worker looks this often.
const POLL: Duration = Duration::from_millis(500);

/// Works until `stop` says so; the job in hand is finished first.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    if let Err(error) = jobs::take_back(&app.store).await {
        tracing::error!(%error, "jobs of the process before could not be taken back");
    }
    let mut committed = app.store.committed();
    loop {
        if *stop.borrow() {
            return;
        }
        committed.mark_unchanged();
        match step(&app).await {
            Ok(true) => {}
            Ok(false) => {
                tokio::select! {
                    _ = committed.changed() => {}
                    _ = stop.changed() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
            Err(error) => {
                tracing::error!(%error, "the worker could not reach the ledger");
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

/// Does what is due now; false when there was nothing.
pub async fn step(app: &App) -> Result<bool, StoreError> {
    let told = outbox::dispatch(&app.store, wiring::REACTIONS, BATCH).await?;
    let Some(job) = jobs::lease(&app.store).await? else { return Ok(told > 0) };
    if let Err(error) = wiring::run(app, &job).await {
        tracing::warn!(job.kind, job.attempts, error = format!("{error:#}"), "a job failed");
        jobs::fail(&app.store, &job, &format!("{error:#}")).await?;
    }
    Ok(true)
}

/// Everything that is due, until nothing is: for tests and for commands that must not leave work behind.
pub async fn drain(app: &App) -> Result<(), StoreError> {
    while step(app).await? {}
    Ok(())
}

/// Keeps the files of [`node::PUBLIC_FOLDER`] at most a second behind the ledger: whoever verifies offline must
/// not take a licence that was just revoked.
pub async fn publish(app: App, mut stop: watch::Receiver<bool>) {
    let mut written = node::PublicFiles::default();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stop.changed() => return,
        }
        if let Err(error) = written.bring_up_to_date(&app).await {
            tracing::error!(error = format!("{error:#}"), "the public files could not be written");
        }
    }
}

/// Leaves each timer's job at its time. The clock decides, so a node that was off runs each once at start.
pub async fn timers(app: App, mut stop: watch::Receiver<bool>) {
    let mut next: Vec<u64> = vec![0; wiring::TIMERS.len()];
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let mut seconds = 0_u64;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stop.changed() => return,
        }
        for ((kind, every), due) in wiring::TIMERS.iter().zip(&mut next) {
            if seconds >= *due {
                *due = seconds + every;
                if let Err(error) = leave(&app, kind).await {
                    tracing::error!(%error, kind, "a timer could not leave its job");
                }
            }
        }
        seconds += 1;
    }
}

async fn leave(app: &App, kind: &str) -> Result<(), StoreError> {
    let tx = app.store.begin().await?;
    tx.enqueue(NewJob::new(kind, &())?.once(format!("timer:{kind}")));
    tx.commit().await
}
