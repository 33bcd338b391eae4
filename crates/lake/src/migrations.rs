//! The ledger's tables of the lake.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[BASE, LOADING, KEEPING, HISTORY];

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

const LOADING: Migration = Migration {
    name: "lake_0002_loading",
    statements: &[
        // `content` is the digest of what was read, by which it is known again; none before all was read.
        "CREATE TABLE lake_load (
            load_id TEXT NOT NULL PRIMARY KEY,
            table_id TEXT NOT NULL,
            source TEXT NOT NULL,
            occasion TEXT,
            mapping TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('checking', 'arriving', 'done', 'repeated', 'refused',
                                                 'cancelled', 'failed')),
            content TEXT,
            rows_done BIGINT NOT NULL,
            rows_total BIGINT,
            bytes_done BIGINT NOT NULL,
            bytes_total BIGINT,
            rejected BIGINT NOT NULL,
            kept BIGINT NOT NULL,
            arrived BIGINT NOT NULL,
            batches BIGINT NOT NULL,
            cancel_asked BIGINT NOT NULL,
            error TEXT,
            started_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            ended_at BIGINT
        )",
        "CREATE INDEX lake_load_content ON lake_load (table_id, content)",
        "CREATE INDEX lake_load_started ON lake_load (started_at)",
        "CREATE TABLE lake_rejected (
            load_id TEXT NOT NULL,
            place BIGINT NOT NULL,
            line BIGINT NOT NULL,
            faults TEXT NOT NULL,
            sealed {bytes} NOT NULL,
            PRIMARY KEY (load_id, place)
        )",
    ],
};

/// What keeping house needs: how much waits, how far the log was, what was forgotten, what was destroyed.
const KEEPING: Migration = Migration {
    name: "lake_0003_keeping",
    statements: &[
        "ALTER TABLE lake_table ADD COLUMN waiting_bytes BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE lake_table ADD COLUMN compacted_seq BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE lake_table ADD COLUMN stream_seq BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE lake_table ADD COLUMN stream TEXT",
        "ALTER TABLE lake_table ADD COLUMN forgotten_batches BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE lake_table ADD COLUMN forgotten_rows BIGINT NOT NULL DEFAULT 0",
        // Since when it is being destroyed: from then on it is gone for everybody.
        "ALTER TABLE lake_table ADD COLUMN ends_at BIGINT",
        "UPDATE lake_table
            SET waiting_bytes = (SELECT CAST(COALESCE(SUM(length(body)), 0) AS BIGINT)
                                   FROM lake_batch
                                  WHERE lake_batch.table_id = lake_table.table_id)",
        // Batches that came through the stream and are in the table, so that one which is sent again is known.
        "CREATE TABLE lake_known (
            table_id TEXT NOT NULL,
            batch_id TEXT NOT NULL,
            row_count BIGINT NOT NULL,
            arrived_at BIGINT NOT NULL,
            PRIMARY KEY (table_id, batch_id)
        )",
        // What was destroyed. The row is written before anything is, so that a run that was cut short is finished by
        // the next and says the same.
        "CREATE TABLE lake_destroyed (
            table_id TEXT NOT NULL,
            begun_at BIGINT NOT NULL,
            ended_at BIGINT,
            record TEXT NOT NULL,
            PRIMARY KEY (table_id, begun_at)
        )",
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
