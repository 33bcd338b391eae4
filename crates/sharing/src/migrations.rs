//! The tables of sharing.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "sharing_0001_keys",
        statements: &[
            // `verifier` is what recognises the secret (SCRAM), sealed; `secret_hash` its SM3, for those who show it whole.
            "CREATE TABLE sharing_key (
            key_id TEXT NOT NULL PRIMARY KEY,
            owner_kind TEXT NOT NULL CHECK (owner_kind IN ('account', 'system')),
            owner_id TEXT NOT NULL,
            name TEXT NOT NULL,
            verifier {bytes} NOT NULL,
            secret_hash {bytes} NOT NULL,
            created_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL,
            last_used_at BIGINT,
            revoked_at BIGINT
        )",
            "CREATE INDEX sharing_key_owner ON sharing_key (owner_kind, owner_id)",
            "CREATE UNIQUE INDEX sharing_key_secret ON sharing_key (secret_hash)",
        ],
    },
    Migration {
        name: "sharing_0002_uses",
        statements: &[
            // `record` is the receipt as it is hashed into the audit log; `statement` is encrypted.
            "CREATE TABLE sharing_use (
            use_id TEXT NOT NULL PRIMARY KEY,
            at BIGINT NOT NULL,
            door TEXT NOT NULL,
            actor_kind TEXT NOT NULL,
            actor_id TEXT NOT NULL,
            purpose TEXT NOT NULL,
            case_no TEXT NOT NULL,
            statement {bytes} NOT NULL,
            outcome TEXT NOT NULL,
            row_count BIGINT NOT NULL,
            persons BIGINT NOT NULL,
            record TEXT NOT NULL
        )",
            "CREATE INDEX sharing_use_actor ON sharing_use (actor_id, use_id)",
            "CREATE TABLE sharing_use_resource (
            resource_id TEXT NOT NULL,
            use_id TEXT NOT NULL,
            grant_id TEXT NOT NULL,
            PRIMARY KEY (resource_id, use_id)
        )",
            "CREATE INDEX sharing_use_grant ON sharing_use_resource (grant_id, use_id)",
        ],
    },
    Migration {
        name: "sharing_0003_loading",
        statements: &[
            // `sealed` is what was handed in, found and confirmed, encrypted: it holds rows of the source.
            "CREATE TABLE sharing_loading (
            loading_id TEXT NOT NULL PRIMARY KEY,
            provider TEXT NOT NULL,
            resource_id TEXT NOT NULL,
            made_by TEXT NOT NULL,
            sealed {bytes} NOT NULL,
            stage TEXT NOT NULL CHECK (stage IN ('draft', 'running', 'ended')),
            load_id TEXT,
            fault TEXT,
            created_at BIGINT NOT NULL
        )",
            "CREATE INDEX sharing_loading_provider ON sharing_loading (provider, loading_id)",
        ],
    },
    Migration {
        name: "sharing_0004_lineage",
        statements: &[
            // Kept once for all uses that have it; `lineage_hash` is SM3, hex.
            "CREATE TABLE sharing_lineage (
            lineage_hash TEXT NOT NULL PRIMARY KEY,
            lineage TEXT NOT NULL
        )",
            "ALTER TABLE sharing_use ADD COLUMN lineage_hash TEXT NOT NULL DEFAULT ''",
        ],
    },
];
