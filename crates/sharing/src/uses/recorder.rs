//! Writes uses down, many in one commit.
//!
//! A commit costs the same for one use and for a hundred, so those that wait share one: whoever comes while a
//! commit runs is in the next. Each is answered after the commit that holds it, so nothing leaves before its use is
//! on disk.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use grants::Refusal;
use kernel::ids::GrantId;
use store::{AuditEntry, Store, StoreError, Tx, Value, params};
use tokio::sync::oneshot;

use super::UseError;
use super::ledger::seal;
use super::lineage::Kept;
use super::record::{Record, UsedGrant};

/// The most uses in one commit.
const MOST: usize = 256;

/// The most lineages that are remembered as written.
const MOST_KNOWN: usize = 4_096;

/// A use to be written down.
pub(crate) struct Entry {
    pub(crate) record: Record,
    pub(crate) statement: String,
    /// The entry of the use itself; its object is set when the record is final.
    pub(crate) audit: AuditEntry,
    /// One entry for each person concerned.
    pub(crate) persons: Vec<AuditEntry>,
    /// What is counted on which grants.
    pub(crate) spent: Vec<Spent>,
    /// Where the answer comes from, once there is a plan.
    pub(crate) lineage: Option<Kept>,
}

/// A use of a grant and the rows that were given out on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) grant: GrantId,
    pub(crate) rows: u64,
}

/// What of a use is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// All of it at once.
    Whole,
    /// That it began.
    Begin,
    /// On which grants, once that is known of a use that has begun.
    Pay,
    /// How it ended.
    End,
}

struct Waiting {
    part: Part,
    entry: Entry,
    done: oneshot::Sender<Result<(), Failure>>,
}

/// Why a use was not written down; in a form that many can be told.
#[derive(Clone, Debug)]
enum Failure {
    UsedUp,
    Ledger(String),
}

/// Writes uses down. Clones share one queue.
#[derive(Clone)]
pub struct Recorder {
    store: Store,
    queue: Arc<Mutex<Queue>>,
    /// Lineages that are in the ledger: there are few, and most uses have one of them.
    known: Arc<Mutex<HashSet<String>>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether somebody is at work on the queue.
    busy: bool,
}

impl Recorder {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, queue: Arc::default(), known: Arc::default() }
    }

    /// Writes a use that is over.
    pub(crate) async fn whole(&self, entry: Entry) -> Result<(), UseError> {
        self.write(Part::Whole, entry).await
    }

    /// Writes that a use begins, and counts it.
    pub(crate) async fn begin(&self, entry: Entry) -> Result<(), UseError> {
        self.write(Part::Begin, entry).await
    }

    /// Counts a use that has begun on its grants.
    pub(crate) async fn pay(&self, entry: Entry) -> Result<(), UseError> {
        self.write(Part::Pay, entry).await
    }

    /// Writes how a use ended that was begun.
    pub(crate) async fn end(&self, entry: Entry) -> Result<(), UseError> {
        self.write(Part::End, entry).await
    }

    async fn write(&self, part: Part, entry: Entry) -> Result<(), UseError> {
        let (done, answer) = oneshot::channel();
        let lead = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting.push(Waiting { part, entry, done });
            !std::mem::replace(&mut queue.busy, true)
        };
        if lead {
            // Its own task: whoever hangs up must not leave the others waiting.
            tokio::spawn(self.clone().work());
        }
        match answer.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Failure::UsedUp)) => Err(Refusal::UsedUp.into()),
            Ok(Err(Failure::Ledger(text))) => Err(StoreError::Commit(text).into()),
            Err(_) => Err(StoreError::Commit("the recorder is gone".to_owned()).into()),
        }
    }

    async fn work(self) {
        loop {
            let members = {
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                if queue.waiting.is_empty() {
                    queue.busy = false;
                    return;
                }
                let some = queue.waiting.len().min(MOST);
                queue.waiting.drain(..some).collect::<Vec<_>>()
            };
            let (uses, answers): (Vec<_>, Vec<_>) =
                members.into_iter().map(|member| ((member.part, member.entry), member.done)).unzip();
            let outcomes = match self.commit(&uses).await {
                Ok(outcomes) => outcomes,
                Err(error) => vec![Err(Failure::Ledger(error.to_string())); answers.len()],
            };
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // An asker who hung up needs no answer.
                drop(answer.send(outcome));
            }
        }
    }

    /// Writes the lineages that are not there yet, and gives their hashes.
    async fn keep_lineages(&self, tx: &Tx, uses: &[(Part, Entry)]) -> Result<HashSet<String>, StoreError> {
        let new: HashMap<&str, &str> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let all = uses.iter().filter_map(|(_, entry)| entry.lineage.as_ref());
            all.filter(|one| !known.contains(&one.hash))
                .map(|one| (one.hash.as_str(), one.text.as_str()))
                .collect()
        };
        for (hash, text) in &new {
            let sql = "INSERT INTO sharing_lineage (lineage_hash, lineage) VALUES ($1, $2)
                       ON CONFLICT (lineage_hash) DO NOTHING";
            tx.execute(sql, params![*hash, *text]).await?;
        }
        Ok(new.into_keys().map(str::to_owned).collect())
    }

    fn remember(&self, new: HashSet<String>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > MOST_KNOWN {
            known.clear();
        }
        known.extend(new);
    }

    async fn commit(&self, uses: &[(Part, Entry)]) -> Result<Vec<Result<(), Failure>>, StoreError> {
        let mut sealed = Vec::with_capacity(uses.len());
        for (_, entry) in uses {
            sealed.push((entry.record.text()?, seal(&self.store, entry.record.use_id, &entry.statement)));
        }
        let tx = self.store.begin().await?;
        let new = self.keep_lineages(&tx, uses).await?;
        let paid = pay(&tx, uses).await?;
        let (mut rows, mut links) = (Vec::new(), Vec::new());
        for (((part, entry), paid), (text, statement)) in uses.iter().zip(&paid).zip(sealed) {
            if !paid {
                continue;
            }
            let record = &entry.record;
            let object = Record::object(record.use_id, &text);
            if *part != Part::End {
                let link = |used: &UsedGrant| params![&used.resource, record.use_id, used.grant];
                links.extend(record.grants.iter().map(link));
            }
            match part {
                Part::Whole | Part::Begin => rows.push(columns(entry, text, statement)),
                Part::Pay | Part::End => update(&tx, entry, text).await?,
            }
            tx.audit(entry.audit.clone().object(object));
            for person in &entry.persons {
                tx.audit(person.clone());
            }
        }
        let sql = "INSERT INTO sharing_use
                          (use_id, at, door, actor_kind, actor_id, purpose, case_no, statement, outcome,
                           row_count, persons, record, lineage_hash)";
        tx.insert(sql, rows).await?;
        tx.insert("INSERT INTO sharing_use_resource (resource_id, use_id, grant_id)", links).await?;
        tx.commit().await?;
        self.remember(new);
        Ok(paid.into_iter().map(|paid| if paid { Ok(()) } else { Err(Failure::UsedUp) }).collect())
    }
}

/// Counts the uses on their grants: all of a grant at once, and one by one where not all fit.
async fn pay(tx: &Tx, uses: &[(Part, Entry)]) -> Result<Vec<bool>, StoreError> {
    let mut sums: BTreeMap<GrantId, (u64, u64)> = BTreeMap::new();
    for spent in uses.iter().flat_map(|(_, entry)| &entry.spent) {
        let (count, rows) = sums.entry(spent.grant).or_default();
        *count += 1;
        *rows += spent.rows;
    }
    let mut whole = true;
    let mut had = Vec::new();
    for (grant, (count, rows)) in &sums {
        if grants::decide::spend(tx, *grant, *count, *rows).await? {
            had.push((*grant, *count, *rows));
        } else {
            whole = false;
        }
    }
    if whole {
        return Ok(vec![true; uses.len()]);
    }
    for (grant, count, rows) in had {
        grants::decide::give_back(tx, grant, count, rows).await?;
    }
    let mut paid = Vec::with_capacity(uses.len());
    for (_, entry) in uses {
        let mut taken: Vec<Spent> = Vec::new();
        let mut all = true;
        for spent in &entry.spent {
            if grants::decide::spend(tx, spent.grant, 1, spent.rows).await? {
                taken.push(*spent);
            } else {
                all = false;
                break;
            }
        }
        if !all {
            for spent in taken {
                grants::decide::give_back(tx, spent.grant, 1, spent.rows).await?;
            }
        }
        paid.push(all);
    }
    Ok(paid)
}

fn columns(entry: &Entry, text: String, statement: Vec<u8>) -> Vec<Value> {
    let record = &entry.record;
    params![
        record.use_id,
        record.at,
        &record.door,
        &record.actor.kind,
        &record.actor.id,
        record.purpose.as_str(),
        &record.case_no,
        statement,
        &record.outcome.code,
        whole(record.outcome.rows),
        record.outcome.persons.map_or(-1, whole),
        text,
        lineage_hash(entry)
    ]
}

fn lineage_hash(entry: &Entry) -> &str {
    entry.lineage.as_ref().map(|lineage| lineage.hash.as_str()).unwrap_or_default()
}

async fn update(tx: &Tx, entry: &Entry, text: String) -> Result<(), StoreError> {
    let record = &entry.record;
    tx.execute(
        "UPDATE sharing_use
            SET outcome = $2, row_count = $3, persons = $4, record = $5, lineage_hash = $6
          WHERE use_id = $1",
        params![
            record.use_id,
            &record.outcome.code,
            whole(record.outcome.rows),
            record.outcome.persons.map_or(-1, whole),
            text,
            lineage_hash(entry)
        ],
    )
    .await?;
    Ok(())
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
