//! The tables of cases. Those that grow with people begin their key with `subject_id`.

use store::Migration;

/// In order.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "cases_0001_base",
    statements: &[
        // Procedures by the hash of their version: a case keeps running under the one it opened with.
        "CREATE TABLE cases_procedure (
            hash TEXT NOT NULL PRIMARY KEY,
            id TEXT NOT NULL,
            document TEXT NOT NULL,
            kept_at BIGINT NOT NULL
        )",
        // The only truth of a case. `chain` is SM3 over the row and the chain before it.
        "CREATE TABLE cases_event (
            subject_id TEXT NOT NULL,
            case_id TEXT NOT NULL,
            seq BIGINT NOT NULL,
            at BIGINT NOT NULL,
            kind TEXT NOT NULL,
            version BIGINT NOT NULL,
            data {bytes} NOT NULL,
            chain {bytes} NOT NULL,
            PRIMARY KEY (subject_id, case_id, seq)
        )",
        // Columns for queues, all of them computed from the events.
        "CREATE TABLE cases_case (
            subject_id TEXT NOT NULL,
            case_id TEXT NOT NULL,
            case_no TEXT NOT NULL,
            item_id TEXT NOT NULL,
            item_name_zh TEXT NOT NULL,
            item_name_en TEXT NOT NULL,
            procedure_hash TEXT NOT NULL,
            org TEXT NOT NULL,
            division TEXT NOT NULL,
            parent_id TEXT,
            applicant {bytes} NOT NULL,
            received_at BIGINT NOT NULL,
            stage TEXT NOT NULL CHECK (stage IN ('received', 'correction', 'accepted', 'review', 'decision',
                'production', 'delivery', 'rating', 'archived', 'not_accepted', 'withdrawn', 'terminated')),
            outcome TEXT,
            due_role TEXT,
            assignee TEXT,
            due_on TEXT NOT NULL,
            yellow_from TEXT NOT NULL,
            paused BIGINT NOT NULL,
            done BIGINT NOT NULL,
            statutory_due TEXT,
            promised_due TEXT,
            beyond_year BIGINT NOT NULL,
            wake_on TEXT NOT NULL,
            since BIGINT NOT NULL,
            closed_at BIGINT,
            last_seq BIGINT NOT NULL,
            PRIMARY KEY (subject_id, case_id)
        )",
        "CREATE UNIQUE INDEX cases_case_no ON cases_case (case_no)",
        "CREATE INDEX cases_case_queue ON cases_case (org, due_role, due_on, case_id)",
        "CREATE INDEX cases_case_wake ON cases_case (wake_on, case_id)",
        // What supervision counts, all of it computed from the events.
        "CREATE TABLE cases_rating (
            subject_id TEXT NOT NULL,
            case_id TEXT NOT NULL,
            moment TEXT NOT NULL,
            again BIGINT NOT NULL,
            org TEXT NOT NULL,
            item_id TEXT NOT NULL,
            grade BIGINT NOT NULL CHECK (grade BETWEEN 1 AND 5),
            at BIGINT NOT NULL,
            PRIMARY KEY (subject_id, case_id, moment, again)
        )",
        "CREATE INDEX cases_rating_item ON cases_rating (org, item_id)",
        "CREATE TABLE cases_card (
            subject_id TEXT NOT NULL,
            case_id TEXT NOT NULL,
            clock TEXT NOT NULL CHECK (clock IN ('statutory', 'promised')),
            due_on TEXT NOT NULL,
            light TEXT NOT NULL CHECK (light IN ('yellow', 'red')),
            org TEXT NOT NULL,
            item_id TEXT NOT NULL,
            at BIGINT NOT NULL,
            PRIMARY KEY (subject_id, case_id, clock, due_on, light)
        )",
        "CREATE INDEX cases_card_org ON cases_card (org, at)",
    ],
}];
