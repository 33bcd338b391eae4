//! Running a query of the lake, and sending its rows.

use std::time::Duration;

use lake::answer::Answer;
use lake::cells::Cells;
use lake::{Asker, Cell, CellKind, Prepared, Session};
use pgwire::messages::PgWireBackendMessage;
use tokio::time::Instant;

use super::connection::{Connection, Socket, send};
use super::encode::{self, Formats};
use super::error::Failure;
use super::{Outcome, SERVER_VERSION, Turned};

/// How long after a statement was understood it may be run on what was granted then. Longer, and it is understood
/// anew: a client may keep a statement for days.
const FRESH: Duration = Duration::from_secs(1);

/// A statement that was understood, with the session that understood it.
pub(super) struct Ready {
    session: Session,
    number: u64,
    pub(super) prepared: Prepared,
    at: Instant,
}

/// A query that runs.
pub(super) struct Running {
    receipt: String,
    began: Instant,
    tables: Vec<String>,
    answer: Option<Answer>,
    pub(super) kinds: Vec<CellKind>,
    /// Rows that were read and not yet sent, from which on.
    waiting: Option<(Cells, usize)>,
    rows: u64,
    bytes: u64,
    expiry: Instant,
}

impl Running {
    /// When the time of the query is over.
    pub(super) fn expiry(&self) -> Instant {
        self.expiry
    }

    fn outcome(&self, error: Option<&'static str>) -> Outcome {
        Outcome {
            tables: self.tables.clone(),
            rows: self.rows,
            bytes: self.bytes,
            elapsed: self.began.elapsed(),
            plan_hash: self.answer.as_ref().map(Answer::plan_hash),
            lineage: self.answer.as_ref().map(|answer| answer.lineage().clone()),
            error,
        }
    }

    /// The rows that are there next, and from which on; none at the end.
    pub(super) async fn more(&mut self) -> Result<Option<&mut (Cells, usize)>, Failure> {
        while self.waiting.as_ref().is_none_or(|(cells, next)| *next >= cells.rows()) {
            self.waiting = None;
            let Some(answer) = &mut self.answer else { return Ok(None) };
            match answer.next().await? {
                Some(rows) => self.waiting = Some((rows.cells()?, 0)),
                None => return Ok(None),
            }
        }
        Ok(self.waiting.as_mut())
    }

    /// Counts what was sent.
    pub(super) fn count(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes += u64::try_from(bytes).unwrap_or_default();
    }
}

impl Connection {
    /// Understands a query, on what is granted now.
    pub(super) async fn understand(
        &mut self,
        sql: &str,
        declared: &[Option<CellKind>],
    ) -> Result<Ready, Failure> {
        let (session, number) =
            self.gate.session(&self.ask(sql)).await.map_err(|turned| turned_away(&turned))?;
        let asker = Asker {
            user: self.user.clone(),
            version: format!("PostgreSQL {SERVER_VERSION} (Yiwang {})", env!("CARGO_PKG_VERSION")),
            settings: self.settings.all(),
        };
        let session = session.with_catalog(&asker).await?;
        let prepared = session.prepare(sql, declared).await?;
        Ok(Ready { session, number, prepared, at: Instant::now() })
    }

    /// Begins a query: from now on it is the one that runs. `expected` is what a client was told that it answers with.
    pub(super) async fn begin(
        &mut self,
        sql: &str,
        ready: Option<Ready>,
        declared: &[Option<CellKind>],
        values: &[Cell<'static>],
        expected: Option<&[(String, CellKind)]>,
    ) -> Result<Vec<(String, CellKind)>, Failure> {
        self.note_begin(sql).await?;
        let ready = match ready.filter(|ready| ready.at.elapsed() < FRESH) {
            Some(ready) => ready,
            None => self.understand(sql, declared).await?,
        };
        let columns = ready.prepared.columns().to_vec();
        if expected.is_some_and(|expected| expected != columns) {
            let text = "what is granted has changed since the statement was prepared";
            return Err(Failure::new("0A000", "wire.changed", text));
        }
        let within = self.settings.statement_timeout();
        if let Some(running) = &mut self.current {
            running.tables = ready.prepared.tables().to_vec();
            let counted = self.gate.uses(&running.receipt, ready.number, &running.tables).await;
            counted.map_err(|turned| turned_away(&turned))?;
        }
        let answer = ready.session.run(&ready.prepared, values, within).await?;
        if answer.kinds() != columns.iter().map(|(_, kind)| kind.clone()).collect::<Vec<_>>() {
            return Err(Failure::new(
                "0A000",
                "wire.changed",
                "the columns are not those that were described",
            ));
        }
        if let Some(running) = &mut self.current {
            running.expiry = Instant::now() + answer.time_left();
            running.kinds = answer.kinds();
            running.answer = Some(answer);
        }
        Ok(columns)
    }

    /// Notes that a statement begins.
    pub(super) async fn note_begin(&mut self, sql: &str) -> Result<(), Failure> {
        self.note_end(None).await;
        let receipt = self.gate.began(&self.ask(sql)).await.map_err(|turned| turned_away(&turned))?;
        let now = Instant::now();
        self.current = Some(Running {
            receipt,
            began: now,
            tables: Vec::new(),
            answer: None,
            kinds: Vec::new(),
            waiting: None,
            rows: 0,
            bytes: 0,
            expiry: now,
        });
        Ok(())
    }

    /// Notes how the statement that ran has ended, if one ran; the id of its receipt.
    pub(super) async fn note_end(&mut self, error: Option<&'static str>) -> Option<String> {
        let running = self.current.take()?;
        self.note_end_of(running, error).await
    }

    /// The same for one that was put aside.
    pub(super) async fn note_end_of(
        &mut self,
        running: Running,
        error: Option<&'static str>,
    ) -> Option<String> {
        let outcome = running.outcome(error);
        let Running { receipt, answer, .. } = running;
        // Ended before it is noted: what runs holds memory and a place.
        drop(answer);
        self.gate.ended(&receipt, outcome).await;
        Some(receipt)
    }

    /// Sends rows of what runs, `most` of them; how many, and whether those were all.
    pub(super) async fn send_rows(
        &mut self,
        formats: &Formats,
        most: Option<usize>,
    ) -> Result<(usize, bool), Failure> {
        let stalled = self.shared.limits.stalled;
        match &mut self.current {
            Some(running) => send_rows(&mut self.socket, running, formats, most, stalled).await,
            None => Ok((0, true)),
        }
    }
}

async fn send_rows(
    socket: &mut Socket,
    running: &mut Running,
    formats: &Formats,
    most: Option<usize>,
    stalled: Duration,
) -> Result<(usize, bool), Failure> {
    let kinds = running.kinds.clone();
    let mut sent = 0;
    loop {
        if most == Some(sent) {
            return Ok((sent, false));
        }
        let Some((cells, next)) = running.more().await? else { return Ok((sent, true)) };
        let row = encode::row(cells, &kinds, *next, formats);
        *next += 1;
        running.count(row.data.len());
        send(socket, PgWireBackendMessage::DataRow(row), stalled).await?;
        sent += 1;
    }
}

/// Somebody may not ask what they ask.
pub(super) fn turned_away(turned: &Turned) -> Failure {
    Failure::new("42501", turned.code, turned.message.clone())
}
