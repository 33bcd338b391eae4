//! The ledger's tables of the lake.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[BASE, HISTORY];

const BASE: Migration = Migration {
    name: "lake_0001_base",
    statements: &[
        "CREATE TABLE lake_table (
            table_id TEXT NOT NULL PRIMARY KEY,
            schema TEXT NOT NULL,
            version BIGINT NOT NULL,
            last_seq BIGINT NOT NULL,
            created_at BIGINT NOT NULL
        )",
        // The inbox. `body` is the batch as an Arrow IPC stream, and empty once Delta has it; the row stays, so
        // that a batch which is sent again is known.
        "CREATE TABLE lake_batch (
            table_id TEXT NOT NULL,
            seq BIGINT NOT NULL,
            batch_id TEXT NOT NULL,
            row_count BIGINT NOT NULL,
            body {bytes},
            arrived_at BIGINT NOT NULL,
            PRIMARY KEY (table_id, seq)
        )",
        "CREATE UNIQUE INDEX lake_batch_id ON lake_batch (table_id, batch_id)",
        "CREATE INDEX lake_batch_open ON lake_batch (table_id, seq) WHERE body IS NOT NULL",
    ],
};

/// What was answered where aggregates alone are.
const HISTORY: Migration = Migration {
    name: "lake_0004_history",
    statements: &[
        // Which row goes by which number in the sets: keyed hashes, sealed.
        "CREATE TABLE lake_history_roster (
            roster_id TEXT NOT NULL,
            part BIGINT NOT NULL,
            body {bytes} NOT NULL,
            written_at BIGINT NOT NULL,
            PRIMARY KEY (roster_id, part)
        )",
        // One row an answered question: the sets of its groups and the answer, sealed. The subject is whose history
        // it is: the organisation that holds the grants.
        "CREATE TABLE lake_history (
            subject_id TEXT NOT NULL,
            roster_id TEXT NOT NULL,
            seq BIGINT NOT NULL,
            body {bytes} NOT NULL,
            asked_at BIGINT NOT NULL,
            PRIMARY KEY (subject_id, roster_id, seq)
        )",
    ],
};
