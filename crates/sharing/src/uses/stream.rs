//! An answer on its way to the asker.

use std::collections::BTreeSet;
use std::time::Instant;

use kernel::error::Coded;
use kernel::ids::{SubjectId, UseId};
use lake::answer::{Answer, AnswerColumn, Rows};
use lake::{LakeError, Seen};
use store::AuditEntry;

use super::lineage::Kept;
use super::record::{FORM, Outcome, Record, UsedBy, UsedGrant};
use super::recorder::{Entry, Spent};
use super::{Book, Seat, UseError, Whole};

/// An answer whose rows have not left yet.
pub struct Running {
    book: Book,
    sql: String,
    started: Instant,
    answer: Answer,
    record: Record,
    /// Rows that were read already because the grant counts them.
    counted: Option<std::vec::IntoIter<Rows>>,
    rows: u64,
    bytes: u64,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing left, nothing is written.
    Fresh,
    /// Its beginning is on disk.
    Begun,
    /// Its end is on disk, or on its way there.
    Ended,
}

impl Running {
    pub(super) fn new(book: Book, sql: &str, started: Instant, answer: Answer) -> Self {
        let used = book.used(answer.tables());
        let mut record = book.record(sql, used, Outcome::open());
        record.plan_hash = hex::encode(answer.plan_hash());
        Self {
            book,
            sql: sql.to_owned(),
            started,
            answer,
            record,
            counted: None,
            rows: 0,
            bytes: 0,
            phase: Phase::Fresh,
        }
    }

    /// The id of the use.
    pub fn use_id(&self) -> UseId {
        self.record.use_id
    }

    /// The columns of the answer.
    pub fn columns(&self) -> Vec<AnswerColumn> {
        self.answer.columns()
    }

    /// What is known of the use so far.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The answer itself, for its form.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Reads the answer whole, up to `most` rows, writes the use down, and gives it.
    pub async fn whole(mut self, most: usize) -> Result<Whole, UseError> {
        let (parts, more) = match self.read_up_to(most).await {
            Ok(read) => read,
            Err(error) => return Err(self.failed(error).await),
        };
        let rows = count(&parts);
        let persons = self.book.persons(&self.answer.tables().clone()).await?;
        self.record.outcome = self.outcome("ok", rows, persons.as_ref());
        let entry = self.entry(persons, rows)?;
        self.phase = Phase::Ended;
        self.book.state.recorder.whole(entry).await?;
        Ok(Whole { use_id: self.record.use_id, columns: self.answer.columns(), rows: parts, more })
    }

    /// The next rows; none at the end, and then the end of the use is on disk.
    pub async fn next(&mut self) -> Result<Option<Rows>, UseError> {
        if self.phase == Phase::Fresh {
            self.begin().await?;
        }
        let next = match &mut self.counted {
            Some(parts) => Ok(parts.next()),
            None => self.answer.next().await,
        };
        match next {
            Ok(Some(part)) => {
                self.rows += part.len() as u64;
                self.bytes += part.bytes() as u64;
                Ok(Some(part))
            }
            Ok(None) => {
                self.end("ok").await?;
                Ok(None)
            }
            Err(error) => {
                self.end(error.code()).await?;
                Err(UseError::Failed { error, receipt: self.record.use_id })
            }
        }
    }

    /// Ends a use before its end, for a reason of the door's, such as `lake.cancelled`.
    pub async fn break_off(&mut self, code: &str) -> Result<(), UseError> {
        self.end(code).await
    }

    /// Writes the use down as begun. Where a grant counts rows, all of them are read and counted first.
    async fn begin(&mut self) -> Result<(), UseError> {
        let mut rows = 0;
        if self.book.seats.iter().any(|seat| self.counts_rows(seat)) {
            let (parts, _) = self.read_up_to(usize::MAX).await?;
            rows = count(&parts);
            self.counted = Some(parts.into_iter());
        }
        let entry = self.entry(None, rows)?;
        self.book.state.recorder.begin(entry).await?;
        self.phase = Phase::Begun;
        Ok(())
    }

    async fn end(&mut self, code: &str) -> Result<(), UseError> {
        if self.phase == Phase::Ended {
            return Ok(());
        }
        let begun = self.phase == Phase::Begun;
        self.phase = Phase::Ended;
        let persons = self.book.persons(&self.answer.tables().clone()).await?;
        self.record.outcome = self.outcome(code, self.rows, persons.as_ref());
        let mut entry = self.entry(persons, 0)?;
        if begun {
            entry.spent.clear();
            self.book.state.recorder.end(entry).await
        } else {
            self.book.state.recorder.whole(entry).await
        }
    }

    /// An answer that failed while it was read: nothing of it left.
    async fn failed(&mut self, error: LakeError) -> UseError {
        match self.end(error.code()).await {
            Ok(()) => UseError::Failed { error, receipt: self.record.use_id },
            Err(unwritten) => unwritten,
        }
    }

    async fn read_up_to(&mut self, most: usize) -> Result<(Vec<Rows>, bool), LakeError> {
        let left = self.book.seats.iter().filter_map(|seat| seat.admitted.grant.rows_left()).min();
        let most = left.map_or(most, |left| most.min(usize::try_from(left).unwrap_or(usize::MAX)));
        let mut parts = Vec::new();
        let mut had = 0;
        while let Some(part) = self.answer.next().await? {
            if had + part.len() > most {
                let part = part.first(most - had);
                self.bytes += part.bytes() as u64;
                parts.push(part);
                return Ok((parts, true));
            }
            had += part.len();
            self.bytes += part.bytes() as u64;
            parts.push(part);
        }
        Ok((parts, false))
    }

    fn counts_rows(&self, seat: &Seat) -> bool {
        seat.admitted.grant.terms.most_rows.is_some() && named(&self.answer, seat)
    }

    fn outcome(&self, code: &str, rows: u64, persons: Option<&BTreeSet<SubjectId>>) -> Outcome {
        Outcome {
            code: code.to_owned(),
            rows,
            bytes: self.bytes,
            micros: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            persons: persons.map(|persons| persons.len() as u64),
        }
    }

    fn entry(&self, persons: Option<BTreeSet<SubjectId>>, rows: u64) -> Result<Entry, UseError> {
        let persons: Vec<SubjectId> = persons.into_iter().flatten().collect();
        let entry = self.book.entry(self.record.clone(), &self.sql, &persons, rows);
        Ok(Entry { lineage: Some(Kept::of(self.answer.lineage())?), ..entry })
    }
}

impl Drop for Running {
    /// The asker hung up: what left until then is written down without them.
    fn drop(&mut self) {
        if self.phase != Phase::Begun {
            return;
        }
        self.record.outcome = Outcome { persons: None, ..self.outcome("broken_off", self.rows, None) };
        let Ok(mut entry) = self.entry(None, 0) else { return };
        entry.spent.clear();
        let recorder = self.book.state.recorder.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = recorder.end(entry).await {
                    tracing::error!(%error, "the end of a use that was broken off could not be written");
                }
            });
        }
    }
}

impl Book {
    /// The grants of these tables.
    pub(super) fn used(&self, tables: &BTreeSet<String>) -> Vec<UsedGrant> {
        self.seats.iter().filter(|seat| tables.contains(seat.name())).map(Seat::used).collect()
    }

    /// The registered persons whose rows of these tables passed; none where it were too many.
    pub(super) async fn persons(
        &self,
        tables: &BTreeSet<String>,
    ) -> Result<Option<BTreeSet<SubjectId>>, UseError> {
        let mut numbers = BTreeSet::new();
        for seat in self.seats.iter().filter(|seat| tables.contains(seat.name())) {
            if seat.is_reckoned() {
                return Ok(None);
            }
            match seat.seen() {
                Some(Seen::Entities(entities)) => numbers.extend(entities),
                Some(Seen::Many) => return Ok(None),
                None => {}
            }
        }
        Ok(Some(identity::people::find_all_by_citizen_id(&self.app.store.read(), &numbers).await?))
    }

    pub(super) fn record(&self, statement: &str, grants: Vec<UsedGrant>, outcome: Outcome) -> Record {
        let env = self.app.store.env();
        Record {
            form: FORM,
            use_id: UseId::generate(&*env.clock, &*env.entropy),
            at: env.now(),
            door: self.asker.door.as_str().to_owned(),
            actor: UsedBy::of(&self.asker.actor),
            purpose: self.asker.purpose,
            case_no: self.case.as_ref().map(|case| case.number.clone()).unwrap_or_default(),
            grants,
            statement_hash: hex::encode(crypto::hash::sm3(statement.as_bytes())),
            plan_hash: String::new(),
            outcome,
        }
    }

    /// What the recorder writes of a record.
    pub(super) fn entry(&self, record: Record, statement: &str, persons: &[SubjectId], rows: u64) -> Entry {
        let spent = record.grants.iter().map(|used| Spent { grant: used.grant, rows }).collect();
        let about = |entry: AuditEntry| match &self.case {
            Some(case) => entry.in_case(case.id, &case.number),
            None => entry,
        };
        let action = if record.outcome.code == "ok" || record.outcome.code == "open" {
            "sharing.use"
        } else {
            "sharing.use_refused"
        };
        let bare = || about(AuditEntry::new(&self.asker.actor, action, self.asker.purpose));
        let resources: Vec<&str> = record.grants.iter().map(|used| used.resource.as_str()).collect();
        let object = format!("grants.resource:{};{}", resources.join(","), record.use_id);
        Entry {
            persons: persons.iter().map(|person| bare().about(*person).object(object.clone())).collect(),
            audit: bare(),
            statement: statement.to_owned(),
            record,
            spent,
            lineage: None,
        }
    }
}

fn named(answer: &Answer, seat: &Seat) -> bool {
    answer.tables().contains(seat.name())
}

fn count(parts: &[Rows]) -> u64 {
    parts.iter().map(|part| part.len() as u64).sum()
}
