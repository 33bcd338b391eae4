//! Behind the PostgreSQL door: keys lead to actors, actors to grants, and every statement to a receipt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use crypto::scram::Verifier;
use kernel::actor::Actor;
use kernel::error::Coded;
use kernel::ids::UseId;
use lake::Session;
use store::Purpose;
use web::App;

use super::lineage::Kept;
use super::record::{Outcome as Ended, Record};
use super::{Asker, Book, Desk, Door, State, UseError, named_case};
use crate::keys::{self, Key};
use crate::wire::{Ask, Gate, GateSession, Outcome, Peer, Turned};

/// Sessions that a connection remembers: statements that were understood and not yet run.
const REMEMBERED: usize = 256;

/// The keeper of the PostgreSQL door of a node.
pub struct KeyGate(App);

impl KeyGate {
    /// The keeper for this node.
    pub fn new(app: App) -> Self {
        Self(app)
    }
}

#[async_trait]
impl Gate for KeyGate {
    async fn verifier(&self, user: &str) -> Option<Verifier> {
        match keys::verifier(&self.0.store.read(), user).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, "an access key could not be read");
                None
            }
        }
    }

    async fn open(&self, user: &str, _peer: &Peer) -> Result<Box<dyn GateSession>, Turned> {
        let (key, actor) = resolve(&self.0, user).await?;
        let noted = async {
            let tx = self.0.store.begin().await?;
            keys::note_use(&tx, &actor, &key, Door::Wire.as_str()).await?;
            tx.commit().await
        };
        noted.await.map_err(|error| turned(&error.into()))?;
        Ok(Box::new(KeySession { app: self.0.clone(), user: user.to_owned(), inner: Mutex::default() }))
    }
}

/// Who a key is for, as of now: a key that was taken back leads nowhere from the next statement on.
async fn resolve(app: &App, user: &str) -> Result<(Key, Actor), Turned> {
    let db = app.store.read();
    let gone =
        || Turned { code: "sharing.no_key", message: "the access key does not count any more".to_owned() };
    let found = async {
        let Some(key) = keys::find(&db, user).await? else { return Ok(None) };
        Ok::<_, store::StoreError>(keys::actor(&db, &key).await?.map(|actor| (key, actor)))
    };
    found.await.map_err(|error| turned(&error.into()))?.ok_or_else(gone)
}

/// Somebody who came in with a key.
struct KeySession {
    app: App,
    user: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    last: u64,
    books: BTreeMap<u64, Arc<Book>>,
    running: BTreeMap<UseId, Begun>,
}

/// A statement that has begun.
struct Begun {
    record: Record,
    sql: String,
    book: Arc<Book>,
    tables: BTreeSet<String>,
}

impl KeySession {
    async fn asker(&self, ask: &Ask<'_>) -> Result<Asker, Turned> {
        let (_, actor) = resolve(&self.app, &self.user).await?;
        let purpose = match ask.purpose {
            Some(word) => crate::api::parse_purpose(word).ok_or_else(|| Turned {
                code: "sharing.purpose",
                message: "yiwang.purpose is no purpose that data is given out for".to_owned(),
            })?,
            None => Purpose::Statistics,
        };
        Ok(Asker { actor, purpose, case_no: ask.case.map(str::to_owned), door: Door::Wire })
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl GateSession for KeySession {
    async fn session(&self, ask: &Ask<'_>) -> Result<(Session, u64), Turned> {
        let asker = self.asker(ask).await?;
        let Desk { book, session } = Desk::open(&self.app, asker).await.map_err(|error| turned(&error))?;
        let mut inner = self.inner();
        inner.last += 1;
        let number = inner.last;
        inner.books.insert(number, Arc::new(book));
        while inner.books.len() > REMEMBERED {
            inner.books.pop_first();
        }
        Ok((session, number))
    }

    async fn began(&self, ask: &Ask<'_>) -> Result<String, Turned> {
        let asker = self.asker(ask).await?;
        let begun = async {
            let state = State::of(&self.app)?;
            let case = named_case(&self.app, &asker).await?;
            let book = Book { app: self.app.clone(), state, asker, case, seats: Vec::new() };
            let record = book.record(ask.sql, Vec::new(), Ended::open());
            book.state.recorder.begin(book.entry(record.clone(), ask.sql, &[], 0)).await?;
            Ok::<_, UseError>((record, book))
        };
        let (record, book) = begun.await.map_err(|error| turned(&error))?;
        let id = record.use_id;
        let begun = Begun { record, sql: ask.sql.to_owned(), book: Arc::new(book), tables: BTreeSet::new() };
        self.inner().running.insert(id, begun);
        Ok(id.to_string())
    }

    async fn uses(&self, receipt: &str, session: u64, tables: &[String]) -> Result<(), Turned> {
        let unknown = || Turned { code: "sharing.changed", message: "ask the statement again".to_owned() };
        let id: UseId = receipt.parse().map_err(|_| unknown())?;
        let entry = {
            let mut inner = self.inner();
            let book = inner.books.get(&session).cloned().ok_or_else(unknown)?;
            let begun = inner.running.get_mut(&id).ok_or_else(unknown)?;
            begun.tables = tables.iter().cloned().collect();
            begun.record.grants = book.used(&begun.tables);
            // The rows of an answer that is sent piece by piece are not known before they leave.
            let counted = |seat: &super::Seat| {
                begun.tables.contains(seat.name()) && seat.admitted.grant.terms.most_rows.is_some()
            };
            if book.seats.iter().any(counted) {
                return Err(Turned {
                    code: "sharing.counted_rows",
                    message: "the grant counts rows: use the console or the REST interface".to_owned(),
                });
            }
            begun.book = book.clone();
            book.entry(begun.record.clone(), &begun.sql, &[], 0)
        };
        let recorder = State::of(&self.app).map_err(|error| turned(&error))?.recorder;
        recorder.pay(entry).await.map_err(|error| turned(&error))
    }

    async fn ended(&self, receipt: &str, outcome: Outcome) {
        let Ok(id) = receipt.parse::<UseId>() else { return };
        let Some(mut begun) = self.inner().running.remove(&id) else { return };
        begun.record.plan_hash = outcome.plan_hash.map(hex::encode).unwrap_or_default();
        let written = async {
            let persons = begun.book.persons(&begun.tables).await?;
            begun.record.outcome = Ended {
                code: outcome.error.unwrap_or("ok").to_owned(),
                rows: outcome.rows,
                bytes: outcome.bytes,
                micros: u64::try_from(outcome.elapsed.as_micros()).unwrap_or(u64::MAX),
                persons: persons.as_ref().map(|persons| persons.len() as u64),
            };
            let persons: Vec<_> = persons.into_iter().flatten().collect();
            let mut entry = begun.book.entry(begun.record, &begun.sql, &persons, 0);
            entry.spent.clear();
            entry.lineage = outcome.lineage.as_ref().map(Kept::of).transpose()?;
            begun.book.state.recorder.end(entry).await
        };
        if let Err(error) = written.await {
            tracing::error!(%error, "the end of a use could not be written");
        }
    }
}

/// What somebody at the door is told.
fn turned(error: &UseError) -> Turned {
    if matches!(error, UseError::Store(_) | UseError::NoLake) {
        tracing::error!(%error, "the PostgreSQL door could not reach the ledger");
    }
    let message = match error {
        UseError::Refused(refusal) => refusal.to_string(),
        UseError::Case => error.to_string(),
        _ => "the data cannot be reached".to_owned(),
    };
    Turned { code: error.code(), message }
}
