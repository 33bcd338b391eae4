//! The tables of this crate.

use store::Migration;

/// In order; never changed once released.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "services_0001_base",
    statements: &[
        // Every version that something was decided under; a reference table.
        "CREATE TABLE services_item_version (
            hash TEXT NOT NULL PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('item', 'procedure', 'licence')),
            id TEXT NOT NULL,
            canonical_json TEXT NOT NULL,
            published_at BIGINT NOT NULL
        )",
        "CREATE TABLE services_draft (
            subject_id TEXT NOT NULL,
            draft_id TEXT NOT NULL,
            item_id TEXT NOT NULL,
            item_hash TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'waiting', 'submitted')),
            version BIGINT NOT NULL,
            answers {bytes} NOT NULL,
            created_at BIGINT NOT NULL,
            changed_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL,
            noticed_at BIGINT,
            PRIMARY KEY (subject_id, draft_id)
        )",
        "CREATE INDEX services_draft_expires ON services_draft (state, expires_at)",
        "CREATE TABLE services_receipt (
            subject_id TEXT NOT NULL,
            draft_id TEXT NOT NULL,
            case_id TEXT NOT NULL,
            case_no TEXT NOT NULL,
            item_id TEXT NOT NULL,
            item_hash TEXT NOT NULL,
            document {bytes} NOT NULL,
            submit_key TEXT,
            outcome TEXT,
            received_at BIGINT NOT NULL,
            PRIMARY KEY (subject_id, draft_id)
        )",
        "CREATE UNIQUE INDEX services_receipt_case ON services_receipt (subject_id, case_id)",
        "CREATE UNIQUE INDEX services_receipt_key ON services_receipt (subject_id, submit_key)",
        // Names are held by the place, not by a person: two applicants must never get one name.
        "CREATE TABLE services_business_name (
            division TEXT NOT NULL,
            distinctive TEXT NOT NULL,
            shown TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('held', 'registered')),
            subject_id TEXT,
            case_id TEXT,
            since BIGINT NOT NULL,
            PRIMARY KEY (division, distinctive)
        )",
        "CREATE TABLE services_slot (
            resource TEXT NOT NULL,
            starts_at BIGINT NOT NULL,
            ends_at BIGINT NOT NULL,
            capacity BIGINT NOT NULL,
            taken BIGINT NOT NULL CHECK (taken >= 0 AND taken <= capacity),
            PRIMARY KEY (resource, starts_at)
        )",
        "CREATE TABLE services_booking (
            subject_id TEXT NOT NULL,
            booking_id TEXT NOT NULL,
            draft_id TEXT NOT NULL,
            item_id TEXT NOT NULL,
            resource TEXT NOT NULL,
            starts_at BIGINT NOT NULL,
            state TEXT NOT NULL
                CHECK (state IN ('held', 'waiting', 'booked', 'expired', 'cancelled', 'declined')),
            partner_id TEXT,
            held_until BIGINT NOT NULL,
            case_id TEXT,
            case_no TEXT,
            changed_at BIGINT NOT NULL,
            PRIMARY KEY (subject_id, booking_id)
        )",
        "CREATE INDEX services_booking_due ON services_booking (state, held_until)",
        // Who was invited; kept beside the booking so that an invitation is found by the invited person.
        "CREATE TABLE services_invitation (
            subject_id TEXT NOT NULL,
            booking_id TEXT NOT NULL,
            inviter_id TEXT NOT NULL,
            item_id TEXT NOT NULL,
            starts_at BIGINT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'declined', 'expired', 'cancelled')),
            until BIGINT NOT NULL,
            PRIMARY KEY (subject_id, booking_id)
        )",
        "CREATE TABLE services_waiting (
            subject_id TEXT NOT NULL,
            resource TEXT NOT NULL,
            day TEXT NOT NULL,
            draft_id TEXT NOT NULL,
            since BIGINT NOT NULL,
            offered_at BIGINT,
            PRIMARY KEY (subject_id, resource, day)
        )",
        "CREATE INDEX services_waiting_day ON services_waiting (resource, day, since)",
    ],
}];
