//! The tables of licences.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "licences_0001_base",
    statements: &[
        // `body` holds record, signatures and the holder's own fields, encrypted.
        "CREATE TABLE licences_licence (
            subject_id TEXT NOT NULL,
            licence_id TEXT NOT NULL,
            type_id TEXT NOT NULL,
            org TEXT NOT NULL,
            identifier TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('valid', 'suspended', 'expired', 'revoked')),
            version BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            status_list BIGINT NOT NULL,
            status_index BIGINT NOT NULL,
            valid_to TEXT,
            case_id TEXT,
            case_no TEXT,
            body {bytes} NOT NULL,
            issued_at BIGINT NOT NULL,
            changed_at BIGINT NOT NULL,
            PRIMARY KEY (subject_id, licence_id)
        )",
        "CREATE INDEX licences_licence_identifier ON licences_licence (identifier)",
        "CREATE INDEX licences_licence_term ON licences_licence (valid_to) WHERE valid_to IS NOT NULL",
        "CREATE TABLE licences_event (
            subject_id TEXT NOT NULL,
            licence_id TEXT NOT NULL,
            seq BIGINT NOT NULL,
            at BIGINT NOT NULL,
            kind TEXT NOT NULL,
            body {bytes} NOT NULL,
            PRIMARY KEY (subject_id, licence_id, seq)
        )",
        // Blind indexes of what a licence is found by: its identifiers and the fields that it always shows.
        "CREATE TABLE licences_term (
            subject_id TEXT NOT NULL,
            licence_id TEXT NOT NULL,
            term {bytes} NOT NULL,
            PRIMARY KEY (subject_id, licence_id, term)
        )",
        "CREATE INDEX licences_term_term ON licences_term (term)",
        "CREATE TABLE licences_presentation (
            subject_id TEXT NOT NULL,
            licence_id TEXT NOT NULL,
            code {bytes} NOT NULL,
            scene TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL,
            used_at BIGINT,
            PRIMARY KEY (subject_id, licence_id, code)
        )",
        "CREATE INDEX licences_presentation_code ON licences_presentation (code)",
        "CREATE INDEX licences_presentation_expiry ON licences_presentation (expires_at)",
        "CREATE TABLE licences_use (
            subject_id TEXT NOT NULL,
            licence_id TEXT NOT NULL,
            use_id TEXT NOT NULL,
            at BIGINT NOT NULL,
            channel TEXT NOT NULL CHECK (channel IN ('code', 'document', 'paper', 'copy')),
            body {bytes} NOT NULL,
            PRIMARY KEY (subject_id, licence_id, use_id)
        )",
        "CREATE TABLE licences_copy (
            subject_id TEXT NOT NULL,
            licence_id TEXT NOT NULL,
            copy_no TEXT NOT NULL,
            made_at BIGINT NOT NULL,
            valid_to TEXT NOT NULL,
            body {bytes} NOT NULL,
            PRIMARY KEY (subject_id, licence_id, copy_no)
        )",
        // Grows with licences but is found by place: the status lists are one for all and name nobody.
        "CREATE TABLE licences_status_slot (
            list BIGINT NOT NULL,
            slot BIGINT NOT NULL,
            licence_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            status BIGINT NOT NULL CHECK (status IN (0, 1, 2)),
            changed_at BIGINT NOT NULL,
            PRIMARY KEY (list, slot)
        )",
        "CREATE INDEX licences_status_slot_status ON licences_status_slot (status) WHERE status <> 0",
        "CREATE INDEX licences_status_slot_changed ON licences_status_slot (changed_at)",
        "CREATE TABLE licences_status_publication (
            name TEXT NOT NULL PRIMARY KEY,
            made_at BIGINT NOT NULL,
            body {bytes} NOT NULL
        )",
    ],
}];
