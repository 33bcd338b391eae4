//! What was answered to whom: the exact sets of each answer, written before the answer leaves.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use kernel::time::Timestamp;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use store::{Reads, Store, StoreError, Tx, params};
use tokio::sync::Mutex;

use super::audit::{self, Layout, Verdict};
use super::query::AggregateQuery;
use super::roster::{Roster, open, seal};
use crate::error::Refusal;
use crate::{LakeError, TableId};

/// The histories of this process, by roster.
#[derive(Default)]
pub(crate) struct Histories(std::sync::Mutex<HashMap<String, Arc<Mutex<Kept>>>>);

/// How many rosters stay in memory.
const MAX_KEPT: usize = 16;

/// A roster and the histories over it, as far as they were read.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) roster: Roster,
    asked: HashMap<String, Vec<Asked>>,
    /// Whether what is here may not be in the ledger: a question was given up while it was written.
    pub(super) unsure: bool,
}

/// One answered question.
pub(super) struct Asked {
    pub(super) head: Head,
    /// The rows of each group.
    pub(super) sets: Vec<RoaringBitmap>,
    /// The answer as an Arrow IPC stream.
    pub(super) answer: Vec<u8>,
    pub(super) at: Timestamp,
}

/// What is known of a question beside its sets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// What was asked.
    pub(super) question: AggregateQuery,
    /// The policy under which it was asked, as a hash.
    pub(super) policy: String,
    /// Which rows the table had.
    pub(super) edition: String,
    /// Whether the last set is a remainder.
    pub(super) remainder: bool,
    /// Whether each entity has one row.
    pub(super) one_row: bool,
    /// How many entities a group covers at least.
    pub(super) k: u32,
}

store::row! {
    struct AskedRow { seq: i64, body: Vec<u8>, asked_at: Timestamp }
}

impl Histories {
    /// The roster of this name, with what was read of it.
    pub(super) fn kept(&self, roster: &str) -> Arc<Mutex<Kept>> {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if all.len() >= MAX_KEPT && !all.contains_key(roster) {
            all.clear();
        }
        all.entry(roster.to_owned()).or_default().clone()
    }
}

/// The name of the roster of a table and its entities.
pub(super) fn roster_id(table: &TableId, entity: &str, one_row: bool) -> String {
    format!("{table}/{entity}/{}", if one_row { "one" } else { "many" })
}

/// Whether `owner` has a history of the table under other terms. Its sets are of other units, and could not be held
/// together with these.
pub(super) async fn is_split(
    store: &Store,
    table: &TableId,
    roster: &str,
    owner: &str,
) -> Result<bool, LakeError> {
    let sql = "SELECT roster_id FROM lake_history WHERE subject_id = $1 AND roster_id <> $2";
    let rows = store.read().rows(sql, params![owner, roster]).await?;
    for row in rows {
        let other: String = row.get("roster_id")?;
        if other.split('/').next() == Some(table.as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Kept {
    /// Reads what was written since.
    pub(super) async fn refresh(
        &mut self,
        store: &Store,
        roster: &str,
        owner: &str,
    ) -> Result<(), LakeError> {
        if self.unsure {
            *self = Self::default();
        }
        self.roster.refresh(store, roster).await?;
        let asked = self.asked.entry(owner.to_owned()).or_default();
        let sql = "SELECT seq, body, asked_at
                     FROM lake_history
                    WHERE subject_id = $1 AND roster_id = $2 AND seq >= $3
                    ORDER BY seq";
        let rows: Vec<AskedRow> = store.read().query(sql, params![owner, roster, next(asked)]).await?;
        for row in rows {
            let body = open(store, "lake_history", &place(owner, roster, row.seq), &row.body)?;
            asked.push(Asked::read(&body, row.asked_at)?);
        }
        Ok(())
    }

    /// What was answered to `owner`.
    pub(super) fn asked(&self, owner: &str) -> &[Asked] {
        self.asked.get(owner).map_or(&[], Vec::as_slice)
    }

    /// Whether this may be answered beside all that was.
    pub(super) fn admit(&self, owner: &str, head: &Head, sets: &[RoaringBitmap]) -> Result<(), LakeError> {
        let new = (head, sets);
        let before = self.asked(owner).iter().map(|asked| (&asked.head, asked.sets.as_slice()));
        let mut all: Vec<(&Head, &[RoaringBitmap])> = before.collect();
        all.push(new);
        let refused = |verdict| match verdict {
            Verdict::Safe => Ok(()),
            Verdict::Isolates => Err(LakeError::Refused(Refusal::TooClose)),
            Verdict::TooMany => Err(LakeError::Refused(Refusal::HistoryFull)),
        };
        // What was answered under a smaller number is out already; a greater one cannot call it back.
        let k = all.iter().map(|(head, _)| head.k).min().unwrap_or(head.k) as usize;
        let layouts = layouts(&all);
        refused(audit::audit(&layouts, k, |row| self.roster.entity_of(row)))?;
        // Where an entity has many rows, how many entities there are is a sum over other units: the entities. Groups
        // share them, so that neither they nor finer ones add up to anything.
        let counted = all.iter().filter(|(head, _)| head.question.counts_entities() && !head.one_row);
        let mut different: Vec<&(&Head, &[RoaringBitmap])> = Vec::new();
        for one in counted {
            if !different.iter().any(|other| repeats(one, other)) {
                different.push(one);
            }
        }
        let entities: Vec<Layout<'_>> = different
            .into_iter()
            .map(|(_, sets)| {
                let entities = |set: &RoaringBitmap| -> RoaringBitmap {
                    set.iter().map(|row| self.roster.entity_of(row)).collect()
                };
                Layout { sets: sets.iter().map(entities).map(Cow::Owned).collect(), whole: None }
            })
            .collect();
        refused(audit::audit(&entities, k, |entity| entity))
    }

    /// Writes an answer down. What is written counts as answered, whether or not it is ever sent.
    pub(super) async fn write(
        &mut self,
        tx: &Tx,
        roster: &str,
        owner: &str,
        asked: Asked,
    ) -> Result<(), LakeError> {
        let seq = next(self.asked(owner));
        let body = seal(tx.store(), "lake_history", &place(owner, roster, seq), &asked.written()?);
        tx.execute(
            "INSERT INTO lake_history (subject_id, roster_id, seq, body, asked_at)
             VALUES ($1, $2, $3, $4, $5)",
            params![owner, roster, seq, body, asked.at],
        )
        .await?;
        self.asked.entry(owner.to_owned()).or_default().push(asked);
        Ok(())
    }
}

fn next(asked: &[Asked]) -> i64 {
    i64::try_from(asked.len()).unwrap_or(i64::MAX)
}

fn place(owner: &str, roster: &str, seq: i64) -> String {
    format!("{owner}/{roster}/{seq}")
}

/// The questions less those whose groups are made of another one's: they add nothing.
fn independent<'a>(all: &[(&'a Head, &'a [RoaringBitmap])]) -> Vec<(&'a Head, &'a [RoaringBitmap])> {
    let mut kept: Vec<(&Head, &[RoaringBitmap])> = Vec::new();
    for one in all {
        if kept.iter().any(|other| adds_nothing(one, other)) {
            continue;
        }
        kept.retain(|other| !adds_nothing(other, one));
        kept.push(*one);
    }
    kept
}

/// Whether the groups of `one` are unions of those of `other`, and that for the questions' sake, whatever the data:
/// the same filter over the same rows, grouped by some of the same columns, and no remainder that hides which
/// group a row is in. To be sure of the rows, the sets are compared too.
fn adds_nothing(one: &(&Head, &[RoaringBitmap]), other: &(&Head, &[RoaringBitmap])) -> bool {
    let (a, b) = (one.0, other.0);
    let finer = a.question.groups.is_subset(&b.question.groups);
    let same = a.question.groups == b.question.groups && a.remainder == b.remainder;
    let total = a.question.groups.is_empty();
    family(a) == family(b)
        && finer
        && (!b.remainder || same || total)
        && one.1.iter().all(|set| {
            let inside = other.1.iter().filter(|part| !part.is_disjoint(set));
            let mut union = RoaringBitmap::new();
            for part in inside {
                union |= part;
            }
            union == *set
        })
}

/// Whether two questions are the same but for what they ask of their groups.
fn repeats(one: &(&Head, &[RoaringBitmap]), other: &(&Head, &[RoaringBitmap])) -> bool {
    family(one.0) == family(other.0) && one.0.question.groups == other.0.question.groups && one.1 == other.1
}

/// What the groups of a question add up to: the rows that a policy shows and a filter admits, at one time.
fn family(head: &Head) -> (&str, &str, Option<&crate::RowRule>) {
    (&head.policy, &head.edition, head.question.filter.as_ref())
}

fn layouts<'a>(all: &[(&'a Head, &'a [RoaringBitmap])]) -> Vec<Layout<'a>> {
    let mut wholes: Vec<(&Head, RoaringBitmap)> = Vec::new();
    independent(all)
        .into_iter()
        .map(|(head, sets)| {
            let mut whole = RoaringBitmap::new();
            for set in sets {
                whole |= set;
            }
            let known =
                wholes.iter().position(|(other, rows)| family(other) == family(head) && *rows == whole);
            let number = known.unwrap_or(wholes.len());
            if known.is_none() {
                wholes.push((head, whole));
            }
            Layout { sets: sets.iter().map(Cow::Borrowed).collect(), whole: Some(number) }
        })
        .collect()
}

impl Asked {
    fn written(&self) -> Result<Vec<u8>, LakeError> {
        let mut body = Vec::new();
        let head = serde_json::to_vec(&self.head).map_err(StoreError::from)?;
        append(&mut body, &head);
        append(&mut body, &self.answer);
        for set in &self.sets {
            let mut bytes = Vec::with_capacity(set.serialized_size());
            set.serialize_into(&mut bytes).map_err(|error| StoreError::Sealed(error.to_string()))?;
            append(&mut body, &bytes);
        }
        Ok(body)
    }

    fn read(mut body: &[u8], at: Timestamp) -> Result<Self, LakeError> {
        let head = serde_json::from_slice(taken(&mut body)?).map_err(StoreError::from)?;
        let answer = taken(&mut body)?.to_vec();
        let mut sets = Vec::new();
        while !body.is_empty() {
            let set = RoaringBitmap::deserialize_from(taken(&mut body)?);
            sets.push(set.map_err(|error| StoreError::Sealed(error.to_string()))?);
        }
        Ok(Self { head, sets, answer, at })
    }
}

fn append(to: &mut Vec<u8>, part: &[u8]) {
    to.extend((part.len() as u64).to_le_bytes());
    to.extend(part);
}

fn taken<'a>(body: &mut &'a [u8]) -> Result<&'a [u8], LakeError> {
    let torn = || LakeError::Store(StoreError::Sealed("a history is cut short".to_owned()));
    let (length, rest) = body.split_first_chunk::<8>().ok_or_else(torn)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| torn())?;
    let (part, rest) = rest.split_at_checked(length).ok_or_else(torn)?;
    *body = rest;
    Ok(part)
}
