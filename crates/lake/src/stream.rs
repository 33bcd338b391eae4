//! The inbox as a stream of NATS JetStream, for a node whose ledger shall not carry what arrives in bulk.
//!
//! Each table has a stream of its own with a limit, on the disk of the server. A batch is a message: durable when
//! the server acknowledges it, compacted with its sequence as the application transaction of the log, and purged when
//! the log has it.
//!
//! The server knows a message that is sent again for a while only. So before a message is purged its id is written
//! into the ledger; whoever reads or compacts leaves out a message whose id is there or came before it in the stream.
//!
//! The name under which the log keeps the sequence holds the moment at which the stream was made: a stream that was
//! lost and made anew begins at 1 and must not be taken for what is in the table already. A stream that went back, as
//! one that was restored from an older copy, is refused.
//!
//! How durable an acknowledgement is depends on the server: NATS syncs its files every two minutes unless it is told
//! `sync_interval: always`, which it knows since 2.10. Without that a batch survives the death of the server and of
//! the node, but not a power cut; with three replicas it survives that of one machine.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::context::{GetStreamErrorKind, PublishError, PublishErrorKind};
use async_nats::jetstream::stream::{Config, DirectGetErrorKind, DiscardPolicy, Info, StorageType};
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{ConnectOptions, HeaderMap};
use kernel::time::Timestamp;
use store::{Reads, params};

use crate::inbox::{Arrival, Encoded, Waiting};
use crate::{Lake, LakeError, Table, TableId};

/// The header by which the server knows a message again.
const ID: &str = "Nats-Msg-Id";
/// Headers of ours: how many rows, and when it arrived.
const ROWS: &str = "Yiwang-Rows";
const AT: &str = "Yiwang-At";

/// A server of NATS with JetStream, and how its streams are made.
#[derive(Clone)]
pub struct StreamServer {
    /// Where it is, such as `nats://127.0.0.1:4222` or `tls://nats.example.org`.
    pub url: String,
    /// Name and password, if it asks for them.
    pub login: Option<(String, String)>,
    /// A file with the certificates that it is trusted by, if not by the usual ones.
    pub certificates: Option<PathBuf>,
    /// What the names of the streams begin with, so that several nodes can share a server.
    pub prefix: String,
    /// How many bytes of one table may wait.
    pub max_bytes: i64,
    /// For how long the server knows a message again.
    pub known_for: Duration,
    /// On how many servers of a cluster each message is kept.
    pub replicas: usize,
}

impl StreamServer {
    /// A server at this address, with the usual limits.
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            login: None,
            certificates: None,
            prefix: "yiwang".to_owned(),
            max_bytes: 4 << 30,
            known_for: Duration::from_secs(3600),
            replicas: 1,
        }
    }
}

impl fmt::Debug for StreamServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamServer")
            .field("url", &self.url)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// The connection to the server.
pub(crate) struct Stream {
    context: jetstream::Context,
    server: StreamServer,
}

/// How a stream stands.
pub(crate) struct Standing {
    /// The name under which the log keeps its sequence.
    pub(crate) name: String,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Up to which batch the ledger knows the log to be.
    pub(crate) compacted: i64,
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> LakeError {
    LakeError::Stream(Box::new(error))
}

store::row! {
    struct MarkRow { stream: Option<String>, stream_seq: i64 }
}
store::row! {
    struct IdRow { batch_id: String }
}

impl Stream {
    pub(crate) async fn connect(server: &StreamServer) -> Result<Self, LakeError> {
        let mut options = ConnectOptions::new().name("yiwang lake");
        if let Some((user, password)) = &server.login {
            options = options.user_and_password(user.clone(), password.clone());
        }
        if let Some(path) = &server.certificates {
            options = options.add_root_certificates(path.clone());
        }
        let client = options.connect(server.url.as_str()).await.map_err(failed)?;
        let mut context = jetstream::new(client);
        context.set_timeout(Duration::from_secs(30));
        Ok(Self { context, server: server.clone() })
    }

    fn name_of(&self, table: &TableId) -> String {
        format!("{}_{table}", self.server.prefix)
    }

    fn subject_of(&self, table: &TableId) -> String {
        format!("{}.{table}", self.server.prefix)
    }

    async fn make(&self, table: &TableId) -> Result<(), LakeError> {
        self.context
            .create_or_update_stream(Config {
                name: self.name_of(table),
                subjects: vec![self.subject_of(table)],
                max_bytes: self.server.max_bytes,
                // A full stream refuses what comes; the default would drop what waits.
                discard: DiscardPolicy::New,
                storage: StorageType::File,
                num_replicas: self.server.replicas,
                duplicate_window: self.server.known_for,
                allow_direct: true,
                ..Config::default()
            })
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Takes a batch in.
    pub(crate) async fn send(
        &self,
        lake: &Lake,
        table: &Table,
        batch_id: &str,
        batch: Encoded,
    ) -> Result<Arrival, LakeError> {
        let read = lake.store().read();
        // A table that is gone takes nothing, though its stream may be there still.
        Lake::table(&read, &table.id).await?;
        let known = "SELECT COUNT(*) AS n
                       FROM (SELECT 1 FROM lake_known WHERE table_id = $1 AND batch_id = $2
                             UNION ALL
                             SELECT 1 FROM lake_batch WHERE table_id = $1 AND batch_id = $2) known";
        if read.count(known, params![table.id.as_str(), batch_id]).await? > 0 {
            return Ok(Arrival { seq: 0, repeated: true });
        }
        let mut headers = HeaderMap::new();
        headers.insert(ID, batch_id);
        headers.insert(ROWS, batch.rows.to_string());
        headers.insert(AT, lake.store().env().now().micros().to_string());
        let body = bytes::Bytes::from(batch.body);
        lake.store().env().faults.reached("lake.arriving").await;
        let published = match self.publish(table, headers.clone(), body.clone()).await {
            // The first batch of a table.
            Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                self.make(&table.id).await?;
                self.publish(table, headers, body).await
            }
            other => other,
        };
        let ack = published.map_err(|error| refused(error, self.context.client().max_payload()))?;
        lake.store().env().faults.reached("lake.arrived").await;
        let seq = i64::try_from(ack.sequence).unwrap_or(i64::MAX);
        if !ack.duplicate && seq <= self.mark(lake, &table.id).await?.stream_seq {
            self.standing(lake, &table.id).await?;
        }
        Ok(Arrival { seq, repeated: ack.duplicate })
    }

    async fn publish(
        &self,
        table: &Table,
        headers: HeaderMap,
        body: bytes::Bytes,
    ) -> Result<jetstream::publish::PublishAck, PublishError> {
        self.context.publish_with_headers(self.subject_of(&table.id), headers, body).await?.await
    }

    /// Up to which message of which stream the ledger knows the table's log to be.
    async fn mark(&self, lake: &Lake, table: &TableId) -> Result<MarkRow, LakeError> {
        let row: Option<MarkRow> = lake
            .store()
            .read()
            .optional(
                "SELECT stream, stream_seq FROM lake_table WHERE table_id = $1",
                params![table.as_str()],
            )
            .await?;
        row.ok_or_else(|| LakeError::NoTable(table.to_string()))
    }

    /// How the stream of a table stands, or none while there is none.
    pub(crate) async fn standing(&self, lake: &Lake, table: &TableId) -> Result<Option<Standing>, LakeError> {
        let mark = self.mark(lake, table).await?;
        let Some(info) = self.info(table).await? else { return Ok(None) };
        let name = format!("yiwang.stream.{}", info.created.unix_timestamp_nanos());
        let standing = Standing {
            first: i64::try_from(info.state.first_sequence).unwrap_or(i64::MAX),
            last: i64::try_from(info.state.last_sequence).unwrap_or(i64::MAX),
            compacted: if mark.stream.as_deref() == Some(name.as_str()) { mark.stream_seq } else { 0 },
            bytes: info.state.bytes,
            messages: info.state.messages,
            name,
        };
        if standing.last < standing.compacted {
            return Err(LakeError::Damaged(crate::checking::Damage {
                what: format!("stream {}", self.name_of(table)),
                reason: format!(
                    "ends at {}, though {} is in the table: it was put back to an older state",
                    standing.last, standing.compacted
                ),
            }));
        }
        Ok(Some(standing))
    }

    async fn info(&self, table: &TableId) -> Result<Option<Info>, LakeError> {
        match self.context.get_stream(self.name_of(table)).await {
            Ok(stream) => Ok(Some(stream.cached_info().clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(inner) if inner.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    Ok(None)
                }
                _ => Err(failed(error)),
            },
        }
    }

    /// The oldest messages after that number, up to `bytes`, and at least one if any is there.
    pub(crate) async fn waiting(
        &self,
        table: &TableId,
        after: i64,
        bytes: u64,
    ) -> Result<Vec<Waiting>, LakeError> {
        let stream = self.context.get_stream_no_info(self.name_of(table)).await.map_err(failed)?;
        let mut found = Vec::new();
        let (mut sum, mut next) = (0_u64, u64::try_from(after.saturating_add(1)).unwrap_or(1));
        while sum < bytes {
            let message = match stream.direct_get_next_for_subject(self.subject_of(table), Some(next)).await {
                Ok(message) => message,
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => break,
                Err(error) => return Err(failed(error)),
            };
            let header = |name| message.headers.get(name).map(|value| value.as_str().to_owned());
            let number = |name| header(name).and_then(|text| text.parse::<i64>().ok());
            let missing = |name| {
                LakeError::Damaged(crate::checking::Damage {
                    what: format!("message {} of stream {}", message.sequence, self.name_of(table)),
                    reason: format!("has no header `{name}`"),
                })
            };
            found.push(Waiting {
                seq: i64::try_from(message.sequence).unwrap_or(i64::MAX),
                batch_id: header(ID).ok_or_else(|| missing(ID))?,
                rows: number(ROWS).ok_or_else(|| missing(ROWS))?,
                arrived_at: Timestamp::from_micros(number(AT).ok_or_else(|| missing(AT))?),
                body: message.payload.clone(),
            });
            sum = sum.saturating_add(u64::try_from(message.payload.len()).unwrap_or(u64::MAX));
            next = message.sequence.saturating_add(1);
        }
        Ok(found)
    }

    /// Writes the ids of batches that the log has into the ledger, then purges them: after a kill in between they are
    /// written and purged again.
    pub(crate) async fn clear(
        &self,
        lake: &Lake,
        table: &TableId,
        name: &str,
        batches: &[Waiting],
    ) -> Result<(), LakeError> {
        let Some(last) = batches.last().map(|batch| batch.seq) else { return Ok(()) };
        let tx = lake.store().begin().await?;
        for batch in batches {
            tx.execute(
                "INSERT INTO lake_known (table_id, batch_id, row_count, arrived_at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (table_id, batch_id) DO NOTHING",
                params![table.as_str(), batch.batch_id.as_str(), batch.rows, batch.arrived_at],
            )
            .await?;
        }
        tx.execute(
            "UPDATE lake_table
                SET stream_seq = CASE WHEN stream = $2 AND stream_seq > $3 THEN stream_seq ELSE $3 END,
                    stream = $2
              WHERE table_id = $1",
            params![table.as_str(), name, last],
        )
        .await?;
        tx.commit().await?;
        lake.store().env().faults.reached("lake.noted").await;
        let stream = self.context.get_stream_no_info(self.name_of(table)).await.map_err(failed)?;
        let up_to = u64::try_from(last.saturating_add(1)).unwrap_or(0);
        stream.purge().sequence(up_to).await.map_err(failed)?;
        Ok(())
    }

    /// Removes the stream of a table with all that waits in it.
    pub(crate) async fn destroy(&self, table: &TableId) -> Result<(), LakeError> {
        if self.info(table).await?.is_some() {
            self.context.delete_stream(self.name_of(table)).await.map_err(failed)?;
        }
        Ok(())
    }
}

/// Which of these batches came before: ids that the ledger knows, and those that stand earlier in the stream, as far
/// as `seen` has them.
pub(crate) async fn repeated(
    db: &impl Reads,
    table: &TableId,
    batches: &[Waiting],
    seen: &mut HashSet<String>,
) -> Result<HashSet<i64>, LakeError> {
    for part in batches.chunks(100) {
        let places: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 2)).collect();
        let places = places.join(", ");
        let sql = format!(
            "SELECT batch_id FROM lake_known WHERE table_id = $1 AND batch_id IN ({places})
              UNION
             SELECT batch_id FROM lake_batch WHERE table_id = $1 AND batch_id IN ({places})"
        );
        let mut values = params![table.as_str()];
        values.extend(part.iter().map(|batch| store::Value::from(batch.batch_id.as_str())));
        seen.extend(db.query::<IdRow>(&sql, values).await?.into_iter().map(|row| row.batch_id));
    }
    let mut repeated = HashSet::new();
    for batch in batches {
        if !seen.insert(batch.batch_id.clone()) {
            repeated.insert(batch.seq);
        }
    }
    Ok(repeated)
}

fn refused(error: PublishError, most: usize) -> LakeError {
    let full = std::error::Error::source(&error)
        .is_some_and(|source| source.to_string().contains("maximum bytes exceeded"));
    match error.kind() {
        _ if full => LakeError::Full,
        PublishErrorKind::MaxPayloadExceeded => {
            LakeError::Data(format!("a batch is too large for the stream, which takes {most} bytes"))
        }
        _ => failed(error),
    }
}
