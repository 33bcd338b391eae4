//! The tables of grants.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "grants_0001_base",
    statements: &[
        "CREATE TABLE grants_resource (
            resource_id TEXT NOT NULL PRIMARY KEY,
            provider TEXT NOT NULL,
            grade TEXT NOT NULL,
            body TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            changed_at BIGINT NOT NULL
        )",
        "CREATE INDEX grants_resource_provider ON grants_resource (provider)",
        // `terms` never changes after it is written; `terms_hash` is its SM3, which every receipt names.
        "CREATE TABLE grants_grant (
            grant_id TEXT NOT NULL PRIMARY KEY,
            resource_id TEXT NOT NULL,
            holder TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('proposed', 'active', 'suspended', 'revoked', 'refused')),
            terms TEXT NOT NULL,
            terms_hash {bytes} NOT NULL,
            seq BIGINT NOT NULL,
            uses BIGINT NOT NULL,
            most_uses BIGINT,
            row_count BIGINT NOT NULL,
            most_rows BIGINT,
            valid_from BIGINT NOT NULL,
            valid_to BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            changed_at BIGINT NOT NULL
        )",
        "CREATE INDEX grants_grant_holder ON grants_grant (holder, status)",
        "CREATE INDEX grants_grant_resource ON grants_grant (resource_id, created_at)",
        "CREATE TABLE grants_event (
            grant_id TEXT NOT NULL,
            seq BIGINT NOT NULL,
            at BIGINT NOT NULL,
            by_account TEXT NOT NULL,
            by_subject TEXT NOT NULL,
            by_label TEXT NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (grant_id, seq)
        )",
    ],
}];
