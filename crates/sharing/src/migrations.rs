//! The tables of data sharing.

use store::Migration;

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[Migration {
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
}];
