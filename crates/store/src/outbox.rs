//! Events: what happened, told to the rest of the house.
//!
//! An event is a row written with the change that it tells of. A worker turns each into one job for every
//! reaction that `server/src/wiring.rs` lists, in the same transaction that removes the row: told at least
//! once, and each reaction's effects kept exactly once.

use kernel::ids::EventId;
use kernel::time::Timestamp;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::db::{self, Env};
use crate::dialect::Dialect;
use crate::jobs::NewJob;
use crate::tx::Left;
use crate::{Reads, Store, StoreError, params};

pub(crate) const TABLE: &str = "CREATE TABLE store_outbox (
    event_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    happened_at BIGINT NOT NULL
)";

/// Something that happened, in the past tense: kind `cases.concluded`, with a versioned payload.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its name, such as `cases.concluded`.
    pub kind: &'static str,
    payload: String,
}

impl Event {
    /// An event with this payload.
    pub fn new(kind: &'static str, payload: &impl Serialize) -> Result<Self, StoreError> {
        Ok(Self { kind, payload: serde_json::to_string(payload)? })
    }

    /// The payload as its type.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        Ok(serde_json::from_str(&self.payload)?)
    }
}

/// Which job answers which event.
#[derive(Clone, Copy, Debug)]
pub struct Reaction {
    /// The event's kind.
    pub event: &'static str,
    /// The kind of the job that is made of it; its payload is the event's.
    pub job: &'static str,
}

pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
    env: &Env,
    left: &[Left],
) -> Result<(), StoreError> {
    let rows = left.iter().flat_map(|member| {
        member.noted.events.iter().map(|event| {
            let id = EventId::generate(&*env.clock, &*env.entropy);
            params![id, event.kind, &event.payload, member.at]
        })
    });
    let sql = "INSERT INTO store_outbox (event_id, kind, payload, happened_at)";
    db::insert(connection, dialect, sql, "", rows.collect()).await
}

crate::row! {
    struct OutboxRow { event_id: String, kind: String, payload: String, happened_at: Timestamp }
}

/// Turns up to `limit` waiting events into jobs and says how many there were.
pub async fn dispatch(store: &Store, reactions: &[Reaction], limit: u32) -> Result<usize, StoreError> {
    let waiting = store.read().count("SELECT COUNT(*) AS n FROM store_outbox", vec![]).await?;
    if waiting == 0 {
        return Ok(0);
    }
    let tx = store.begin().await?;
    let sql = format!(
        "SELECT event_id, kind, payload, happened_at
           FROM store_outbox
          ORDER BY event_id
          LIMIT {limit}{}",
        store.inner().dialect.skip_locked()
    );
    let events: Vec<OutboxRow> = tx.query(&sql, vec![]).await?;
    for event in &events {
        for reaction in reactions.iter().filter(|reaction| reaction.event == event.kind) {
            tx.enqueue(
                NewJob::raw(reaction.job, event.payload.clone())
                    .once(format!("{}:{}", event.event_id, reaction.job))
                    .at(event.happened_at),
            );
        }
        tx.execute("DELETE FROM store_outbox WHERE event_id = $1", params![&event.event_id]).await?;
    }
    tx.commit().await?;
    Ok(events.len())
}
