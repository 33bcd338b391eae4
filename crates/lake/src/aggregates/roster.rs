//! The roster of a table: which row and which entity goes by which number in the answered sets.
//!
//! It holds keyed hashes and no id (`yiwang_key`), sealed, in parts that are added and never changed. A row keeps its
//! number for good, also when it is gone.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crypto::field::FieldContext;
use store::{Reads, Store, StoreError, Tx, params};

use crate::LakeError;

/// The most rows that answered sets hold.
pub(super) const MAX_ROWS: usize = 16_000_000;
/// Rows of one part.
const PART: usize = 250_000;
/// The bytes of one row: the key of the row, then that of its entity.
const ROW: usize = 32;

/// A keyed hash, already evenly spread.
pub(super) type Key = u128;

/// Takes the low half of a key for its hash: nobody chooses keys.
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

pub(super) type Numbers = HashMap<Key, u32, BuildHasherDefault<Spread>>;

/// The numbers of the rows and entities of one table.
#[derive(Default)]
pub(super) struct Roster {
    rows: Numbers,
    entities: Numbers,
    entity_of: Vec<u32>,
    secret: Option<[u8; 32]>,
    parts: i64,
}

/// Rows that are not in the roster yet, in the order of their numbers.
#[derive(Default)]
pub(super) struct Fresh {
    /// The key of the row, that of its entity, and whether the entity is new too.
    keys: Vec<(Key, Key, bool)>,
}

store::row! {
    struct PartRow { part: i64, body: Vec<u8> }
}

impl Roster {
    /// Whose row it is.
    pub(super) fn entity_of(&self, row: u32) -> u32 {
        self.entity_of.get(row as usize).copied().unwrap_or(u32::MAX)
    }

    /// The number of a row, a new one if it has none.
    pub(super) fn number(&mut self, row: Key, entity: Key, fresh: &mut Fresh) -> Result<u32, LakeError> {
        if let Some(number) = self.rows.get(&row) {
            return Ok(*number);
        }
        let known = self.entities.len();
        let number = self.push(row, entity)?;
        fresh.keys.push((row, entity, self.entities.len() > known));
        Ok(number)
    }

    /// Takes back the numbers of rows that are not written.
    pub(super) fn forget(&mut self, fresh: &Fresh) {
        for (row, entity, is_new) in &fresh.keys {
            self.rows.remove(row);
            if *is_new {
                self.entities.remove(entity);
            }
        }
        self.entity_of.truncate(self.rows.len());
    }

    fn push(&mut self, row: Key, entity: Key) -> Result<u32, LakeError> {
        let limit = || LakeError::Limit(crate::error::Limit::Memory);
        let number = u32::try_from(self.entity_of.len()).map_err(|_| limit())?;
        if self.entity_of.len() >= MAX_ROWS {
            return Err(limit());
        }
        let next = u32::try_from(self.entities.len()).map_err(|_| limit())?;
        let entity = *self.entities.entry(entity).or_insert(next);
        self.rows.insert(row, number);
        self.entity_of.push(entity);
        Ok(number)
    }

    /// Reads the parts that were written since.
    pub(super) async fn refresh(&mut self, store: &Store, id: &str) -> Result<(), LakeError> {
        let sql =
            "SELECT part, body FROM lake_history_roster WHERE roster_id = $1 AND part >= $2 ORDER BY part";
        let parts: Vec<PartRow> = store.read().query(sql, params![id, self.parts]).await?;
        for part in parts {
            let body = open(store, "lake_history_roster", &place(id, part.part), &part.body)?;
            if part.part == 0 {
                self.secret = body.first_chunk::<32>().copied();
                self.parts = 1;
                continue;
            }
            for row in body.chunks_exact(ROW) {
                let (row, entity) = row.split_at(ROW / 2);
                self.push(key(row), key(entity))?;
            }
            self.parts = part.part + 1;
        }
        Ok(())
    }

    /// The secret of the keys. It is drawn once for each roster and does not hang on the root key, which may change.
    pub(super) async fn secret(&mut self, store: &Store, id: &str) -> Result<[u8; 32], LakeError> {
        self.refresh(store, id).await?;
        if self.secret.is_none() {
            let mut drawn = [0; 32];
            store.env().entropy.fill(&mut drawn);
            let tx = store.begin().await?;
            let body = seal(store, "lake_history_roster", &place(id, 0), &drawn);
            tx.execute(
                "INSERT INTO lake_history_roster (roster_id, part, body, written_at)
                 VALUES ($1, 0, $2, $3)
                 ON CONFLICT (roster_id, part) DO NOTHING",
                params![id, body, store.env().now()],
            )
            .await?;
            tx.commit().await?;
            self.refresh(store, id).await?;
        }
        self.secret.ok_or_else(|| StoreError::Sealed("a roster has no secret".to_owned()).into())
    }

    /// Writes the rows that were new. If another process has written meanwhile, the part is taken: then all is to be
    /// read again.
    pub(super) async fn write(&mut self, tx: &Tx, id: &str, fresh: &Fresh) -> Result<(), StoreError> {
        for rows in fresh.keys.chunks(PART) {
            let mut body = Vec::with_capacity(rows.len() * ROW);
            for (row, entity, _) in rows {
                body.extend(row.to_le_bytes());
                body.extend(entity.to_le_bytes());
            }
            let body = seal(tx.store(), "lake_history_roster", &place(id, self.parts), &body);
            tx.execute(
                "INSERT INTO lake_history_roster (roster_id, part, body, written_at) VALUES ($1, $2, $3, $4)",
                params![id, self.parts, body, tx.store().env().now()],
            )
            .await?;
            self.parts += 1;
        }
        Ok(())
    }
}

/// A key from its bytes.
pub(super) fn key(bytes: &[u8]) -> Key {
    bytes.first_chunk::<16>().map_or(0, |bytes| Key::from_le_bytes(*bytes))
}

fn place(id: &str, part: i64) -> String {
    format!("{id}/{part}")
}

pub(super) fn seal(store: &Store, table: &str, subject: &str, body: &[u8]) -> Vec<u8> {
    let context = FieldContext { table, column: "body", subject };
    store.cipher().encrypt(&context, body, store.env().entropy.as_ref())
}

pub(super) fn open(store: &Store, table: &str, subject: &str, sealed: &[u8]) -> Result<Vec<u8>, LakeError> {
    let context = FieldContext { table, column: "body", subject };
    let opened = store.cipher().decrypt(&context, sealed);
    Ok(opened.map_err(|error| StoreError::Sealed(error.to_string()))?)
}
