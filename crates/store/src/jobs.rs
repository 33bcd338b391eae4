//! Work for later: leased rows, not held locks.
//!
//! A worker leases a job for a while; if the process dies, the lease runs out and another takes it. The
//! handler's own writes and the removal of the job are one transaction, so its effects are kept exactly
//! once. A job that keeps failing backs off and at last lies still as `dead`, where an operator finds it.

use std::time::Duration;

use kernel::ids::JobId;
use kernel::time::Timestamp;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::db::{self, Env};
use crate::dialect::Dialect;
use crate::tx::Left;
use crate::{Reads, Store, StoreError, Tx, params};

pub(crate) const TABLE: &str = "CREATE TABLE store_job (
    job_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    once_key TEXT UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'dead')),
    run_at BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL
)";

/// How long a worker may work on a job before another takes it.
const LEASE: Duration = Duration::from_secs(60);

/// After so many failures a job lies still.
const MAX_ATTEMPTS: i64 = 12;

/// A job to be left.
#[derive(Clone, Debug)]
pub struct NewJob {
    kind: String,
    payload: String,
    once_key: Option<String>,
    run_at: Option<Timestamp>,
}

impl NewJob {
    /// A job of this kind with this payload, due at once.
    pub fn new(kind: &str, payload: &impl Serialize) -> Result<Self, StoreError> {
        Ok(Self::raw(kind, serde_json::to_string(payload)?))
    }

    pub(crate) fn raw(kind: &str, payload: String) -> Self {
        Self { kind: kind.to_owned(), payload, once_key: None, run_at: None }
    }

    /// Leaves the job only if no job with this key is waiting.
    #[must_use]
    pub fn once(mut self, key: String) -> Self {
        self.once_key = Some(key);
        self
    }

    /// Not before this time.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.run_at = Some(time);
        self
    }
}

/// A job in a worker's hands.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its kind, which names its handler.
    pub kind: String,
    /// How often it was tried before.
    pub attempts: i64,
    payload: String,
}

impl Job {
    /// The payload as its type.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        Ok(serde_json::from_str(&self.payload)?)
    }
}

crate::row! {
    struct JobRow { job_id: JobId, kind: String, payload: String, attempts: i64 }
}

pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
    env: &Env,
    left: &[Left],
) -> Result<(), StoreError> {
    let rows = left.iter().flat_map(|member| {
        member.noted.jobs.iter().map(|job| {
            let id = JobId::generate(&*env.clock, &*env.entropy);
            let run_at = job.run_at.unwrap_or(member.at);
            let once_key = job.once_key.clone();
            params![id, &job.kind, &job.payload, once_key, "waiting", run_at, 0_i64, 0_i64, member.at]
        })
    });
    let sql = "INSERT INTO store_job
                      (job_id, kind, payload, once_key, state, run_at, leased_until, attempts, created_at)";
    db::insert(connection, dialect, sql, "ON CONFLICT (once_key) DO NOTHING", rows.collect()).await
}

/// Takes back what a process before this one had leased. Only a ledger in the data folder knows that no other
/// process works on it; on a server's ledger the lease has to run out.
pub async fn take_back(store: &Store) -> Result<(), StoreError> {
    if store.inner().dialect.is_shared() {
        return Ok(());
    }
    let tx = store.begin().await?;
    tx.execute("UPDATE store_job SET leased_until = 0 WHERE leased_until > 0", params![]).await?;
    tx.commit().await
}

/// Leases the job that has been due longest, if any is due.
pub async fn lease(store: &Store) -> Result<Option<Job>, StoreError> {
    let now = store.env().now();
    let due = store
        .read()
        .count(
            "SELECT COUNT(*) AS n FROM store_job WHERE state = 'waiting' AND run_at <= $1 AND leased_until <= $1",
            params![now],
        )
        .await?;
    if due == 0 {
        return Ok(None);
    }
    let tx = store.begin().await?;
    let sql = format!(
        "UPDATE store_job
            SET leased_until = $2
          WHERE job_id = (SELECT job_id
                            FROM store_job
                           WHERE state = 'waiting' AND run_at <= $1 AND leased_until <= $1
                           ORDER BY run_at, job_id
                           LIMIT 1{})
         RETURNING job_id, kind, payload, attempts",
        store.inner().dialect.skip_locked()
    );
    let row: Option<JobRow> = tx.optional(&sql, params![now, later(now, LEASE)]).await?;
    tx.commit().await?;
    Ok(row.map(|row| Job { id: row.job_id, kind: row.kind, attempts: row.attempts, payload: row.payload }))
}

/// Removes a finished job, inside the transaction that holds its effects.
pub async fn finish(tx: &Tx, job: &Job) -> Result<(), StoreError> {
    tx.execute("DELETE FROM store_job WHERE job_id = $1", params![job.id]).await?;
    Ok(())
}

/// Gives a failed job back: later, or never again once it failed too often.
pub async fn fail(store: &Store, job: &Job, error: &str) -> Result<(), StoreError> {
    let now = store.env().now();
    let attempts = job.attempts + 1;
    let dead = attempts >= MAX_ATTEMPTS;
    // 2 s, 4 s, 8 s … at most an hour.
    let pause = Duration::from_secs(2_u64.saturating_pow(u32::try_from(attempts).unwrap_or(12)).min(3600));
    let tx = store.begin().await?;
    tx.execute(
        "UPDATE store_job
            SET attempts = $2, leased_until = 0, run_at = $3, last_error = $4, state = $5
          WHERE job_id = $1",
        params![job.id, attempts, later(now, pause), error, if dead { "dead" } else { "waiting" }],
    )
    .await?;
    tx.commit().await
}

/// How many jobs wait and how many lie still.
pub async fn counts(store: &Store) -> Result<(i64, i64), StoreError> {
    let read = store.read();
    let waiting = read.count("SELECT COUNT(*) AS n FROM store_job WHERE state = 'waiting'", vec![]).await?;
    let dead = read.count("SELECT COUNT(*) AS n FROM store_job WHERE state = 'dead'", vec![]).await?;
    Ok((waiting, dead))
}

fn later(time: Timestamp, pause: Duration) -> Timestamp {
    let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(time.micros().saturating_add(micros))
}
