//! Writes that share a commit.
//!
//! A disk makes a few hundred to a few thousand commits a second; a node must take more submissions than
//! that. So concurrent writes run one after another inside one database transaction, each in a savepoint
//! of its own, and the last of a group commits for all. Whoever fails rolls back its own savepoint; whoever
//! succeeds is answered only after the shared commit. What each leaves behind (events, jobs, audit entries) is
//! written once for the whole group, many rows a statement.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crypto::keys::KeyRing;
use kernel::time::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, oneshot};

use crate::audit::{AuditEntry, AuditState, Checkpoints, Head};
use crate::db::{self, Env};
use crate::dialect::Dialect;
use crate::jobs::NewJob;
use crate::outbox::Event;
use crate::{Reads, Row, Store, StoreError, Value};

/// A group commits at the latest after this many members, so that nobody waits for a crowd.
const GROUP_LIMIT: usize = 64;

/// The one place that writes.
pub(crate) struct Writer {
    connection: DatabaseConnection,
    dialect: Dialect,
    env: Env,
    keys: Arc<RwLock<KeyRing>>,
    checkpoints: Checkpoints,
    group: Arc<AsyncMutex<Option<Group>>>,
    waiting: AtomicUsize,
    /// Wakes whoever works off jobs and events.
    pub(crate) committed: tokio::sync::watch::Sender<u64>,
}

/// The open database transaction and who waits for it.
struct Group {
    transaction: DatabaseTransaction,
    /// What the members leave behind, in the order in which they ended.
    left: Vec<Left>,
    /// Whether the savepoint of an earlier member is still there; the next member replaces it.
    savepoint: bool,
    /// A savepoint was refused: the transaction is in an unknown state, and nobody may believe in its commit.
    broken: bool,
    members: usize,
    waiters: Vec<oneshot::Sender<Result<(), String>>>,
}

impl Writer {
    pub(crate) fn new(
        connection: DatabaseConnection,
        dialect: Dialect,
        env: Env,
        keys: Arc<RwLock<KeyRing>>,
        data_dir: &Path,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            connection,
            dialect,
            env,
            keys,
            checkpoints: Checkpoints::of(data_dir),
            group: Arc::default(),
            waiting: AtomicUsize::new(0),
            committed: tokio::sync::watch::Sender::new(0),
        })
    }

    async fn open_group(&self) -> Result<Group, StoreError> {
        let transaction = self.connection.begin_with_options(self.dialect.begin_write()).await?;
        Ok(Group {
            transaction,
            left: Vec::new(),
            savepoint: false,
            broken: false,
            members: 0,
            waiters: Vec::new(),
        })
    }

    /// Signs the audit head, commits, and answers everybody who waits.
    async fn commit_group(&self, group: Group) -> Result<(), StoreError> {
        let Group { transaction, left, waiters, .. } = group;
        let outcome = async {
            crate::outbox::insert(&transaction, self.dialect, &self.env, &left).await?;
            crate::jobs::insert(&transaction, self.dialect, &self.env, &left).await?;
            let checkpoint = self.write_audit(&transaction, &left).await?;
            transaction.commit().await?;
            if let Some(head) = checkpoint {
                // The write is on disk whatever becomes of the file, which a later head makes up for.
                if let Err(error) = self.checkpoints.append(&head) {
                    tracing::error!(%error, "the file of audit heads could not be written");
                }
            }
            Ok::<(), StoreError>(())
        }
        .await;
        let told = outcome.as_ref().map(|&()| ()).map_err(ToString::to_string);
        for waiter in waiters {
            // A waiter that is gone no longer needs the answer.
            drop(waiter.send(told.clone()));
        }
        self.committed.send_modify(|count| *count += 1);
        outcome
    }

    /// Adds what the members noted to the log and signs its new head.
    async fn write_audit(
        &self,
        transaction: &DatabaseTransaction,
        left: &[Left],
    ) -> Result<Option<Head>, StoreError> {
        if left.iter().all(|member| member.noted.audit.is_empty()) {
            return Ok(None);
        }
        let mut state = AuditState::load(transaction, self.dialect).await?;
        state.append(transaction, self.dialect, &self.env, left).await?;
        let head = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            state.sign(&keys, self.env.now())?
        };
        state.write(transaction, self.dialect, &head).await?;
        Ok(Some(head))
    }

    /// Commits what is open and closes the connection.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        let mut slot = self.group.lock().await;
        if let Some(group) = slot.take() {
            self.commit_group(group).await?;
        }
        self.connection.clone().close().await?;
        Ok(())
    }

    fn nobody_waits(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0
    }
}

/// A write: everything done through it commits together, with its events, jobs and audit entries.
///
/// While a `Tx` is held no other write runs. So hash passwords, sign, render and wait for the network
/// before [`Store::begin`] or after [`Tx::commit`]. A `Tx` that is dropped is rolled back. Do not begin a
/// second one while holding one: it would wait for ever.
pub struct Tx {
    store: Store,
    slot: Option<OwnedMutexGuard<Option<Group>>>,
    /// Whether it has a savepoint of its own. Before that it has written nothing, and the savepoint that stands is
    /// another member's.
    begun: bool,
    noted: Mutex<Noted>,
}

/// What a write leaves behind beside its own rows.
#[derive(Default)]
pub(crate) struct Noted {
    pub(crate) audit: Vec<AuditEntry>,
    pub(crate) events: Vec<Event>,
    pub(crate) jobs: Vec<NewJob>,
}

/// What a member of a group left, and when it ended.
pub(crate) struct Left {
    pub(crate) at: Timestamp,
    pub(crate) noted: Noted,
}

impl Tx {
    pub(crate) async fn begin(store: Store) -> Result<Self, StoreError> {
        let writer = store.inner().writer.clone();
        writer.waiting.fetch_add(1, Ordering::SeqCst);
        let mut slot = {
            let mut queued = Queued { writer: &writer, in_turn: false };
            let slot = writer.group.clone().lock_owned().await;
            queued.in_turn = true;
            slot
        };
        if slot.is_none() {
            *slot = Some(writer.open_group().await?);
        }
        let mut tx = Self { store, slot: Some(slot), begun: false, noted: Mutex::default() };
        let group = tx.group_mut()?;
        let savepoint =
            if group.savepoint { "RELEASE SAVEPOINT member; SAVEPOINT member" } else { "SAVEPOINT member" };
        // Until the answer is there, nobody knows which savepoint stands; a new one over it is always right.
        group.savepoint = false;
        if let Err(error) = group.transaction.execute_unprepared(savepoint).await {
            group.broken = true;
            return Err(error.into());
        }
        group.savepoint = true;
        tx.begun = true;
        Ok(tx)
    }

    /// Runs a statement and says how many rows it touched.
    pub async fn execute(&self, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        db::execute(&self.group()?.transaction, self.store.inner().dialect, sql, values).await
    }

    /// Writes many rows with few statements: `INSERT INTO table (columns)` and the values of each row.
    pub async fn insert(&self, into: &str, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
        db::insert(&self.group()?.transaction, self.store.inner().dialect, into, "", rows).await
    }

    /// Notes an act in the audit log; it is written with the shared commit.
    pub fn audit(&self, entry: AuditEntry) {
        self.noted().audit.push(entry);
    }

    /// Tells the rest of the house that something happened; the outbox carries it.
    pub fn emit(&self, event: Event) {
        self.noted().events.push(event);
    }

    /// Leaves work for later.
    pub fn enqueue(&self, job: NewJob) {
        self.noted().jobs.push(job);
    }

    /// Ends the write and waits until the shared commit is on disk.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let writer = self.store.inner().writer.clone();
        let left = Left { at: self.store.env().now(), noted: std::mem::take(&mut *self.noted()) };
        let group = self.group_mut()?;
        group.left.push(left);
        group.members += 1;
        let Some(mut slot) = self.slot.take() else {
            return Err(StoreError::Commit("the write was over already".to_owned()));
        };
        let last = slot.as_ref().is_some_and(|group| group.members >= GROUP_LIMIT) || writer.nobody_waits();
        if last {
            match slot.take() {
                // Not to be cut short by a caller that hangs up: others wait for this commit too.
                Some(group) => tokio::spawn(async move {
                    let outcome = writer.commit_group(group).await;
                    drop(slot);
                    outcome
                })
                .await
                .map_err(|error| StoreError::Commit(error.to_string()))?,
                None => Ok(()),
            }
        } else {
            let (sender, receiver) = oneshot::channel();
            if let Some(group) = slot.as_mut() {
                group.waiters.push(sender);
            }
            drop(slot);
            match receiver.await {
                Ok(outcome) => outcome.map_err(StoreError::Commit),
                Err(_) => Err(StoreError::Commit("the writer stopped".to_owned())),
            }
        }
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn group(&self) -> Result<&Group, StoreError> {
        self.slot
            .as_ref()
            .and_then(|slot| slot.as_ref())
            .ok_or_else(|| StoreError::Commit("the write was over already".to_owned()))
    }

    fn group_mut(&mut self) -> Result<&mut Group, StoreError> {
        self.slot
            .as_mut()
            .and_then(|slot| slot.as_mut())
            .ok_or_else(|| StoreError::Commit("the write was over already".to_owned()))
    }
}

impl Reads for Tx {
    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        db::rows(&self.group()?.transaction, self.store.inner().dialect, sql, values).await
    }

    fn store(&self) -> &Store {
        &self.store
    }
}

impl Drop for Tx {
    /// Rolls back this member; the others of the group are not touched.
    fn drop(&mut self) {
        let Some(mut slot) = self.slot.take() else { return };
        if slot.is_none() {
            return;
        }
        let writer = self.store.inner().writer.clone();
        let begun = self.begun;
        let rollback = async move {
            let undone = match slot.as_ref() {
                Some(group) if group.broken => false,
                // The savepoint stays, and the next member replaces it.
                Some(group) if begun => {
                    group.transaction.execute_unprepared("ROLLBACK TO SAVEPOINT member").await.is_ok()
                }
                _ => true,
            };
            let Some(group) = slot.take() else { return };
            if !undone {
                // The connection is in an unknown state: nobody of this group may believe in a commit.
                for waiter in group.waiters {
                    drop(waiter.send(Err("the group could not be rolled back".to_owned())));
                }
                drop(group.transaction.rollback().await);
            } else if writer.nobody_waits() || group.members >= GROUP_LIMIT {
                if let Err(error) = writer.commit_group(group).await {
                    tracing::error!(%error, "a group could not be committed");
                }
            } else {
                *slot = Some(group);
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(rollback);
            }
            // Outside a runtime the process is ending; the database rolls back by itself.
            Err(_) => drop(rollback),
        }
    }
}

/// Somebody who waits for their turn. The member before them leaves the commit to them, so if they give up, it is
/// made in their place.
struct Queued<'a> {
    writer: &'a Arc<Writer>,
    in_turn: bool,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.writer.waiting.fetch_sub(1, Ordering::SeqCst);
        if self.in_turn {
            return;
        }
        let writer = self.writer.clone();
        let commit = async move {
            let mut slot = writer.group.clone().lock_owned().await;
            if !writer.nobody_waits() {
                return;
            }
            if let Some(group) = slot.take()
                && let Err(error) = writer.commit_group(group).await
            {
                tracing::error!(%error, "a group could not be committed");
            }
        };
        // Outside a runtime the process is ending, and nobody waits for an answer.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(commit);
        }
    }
}
