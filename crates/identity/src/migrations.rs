//! The tables of people, organisations and accounts.

use store::Migration;

/// In order, never changed once released.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "identity_0001_base",
    statements: &[
        // People and firms. Everything personal is encrypted; `code_index` finds one by number.
        "CREATE TABLE identity_person (
            subject_id TEXT NOT NULL PRIMARY KEY,
            code_index {bytes} NOT NULL UNIQUE,
            record {bytes} NOT NULL,
            synthetic BIGINT NOT NULL CHECK (synthetic IN (0, 1)),
            created_at BIGINT NOT NULL,
            changed_at BIGINT NOT NULL
        )",
        "CREATE TABLE identity_firm (
            subject_id TEXT NOT NULL PRIMARY KEY,
            code_index {bytes} NOT NULL UNIQUE,
            owner_id TEXT NOT NULL,
            record {bytes} NOT NULL,
            created_at BIGINT NOT NULL,
            changed_at BIGINT NOT NULL
        )",
        "CREATE INDEX identity_firm_owner ON identity_firm (owner_id)",
        // How somebody signs in. The login is a name they choose, folded to lower case; who comes through
        // the real-name provider has no password.
        "CREATE TABLE identity_account (
            subject_id TEXT NOT NULL,
            account_id TEXT NOT NULL UNIQUE,
            login TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('citizen', 'officer', 'auditor', 'administrator')),
            password_hash TEXT,
            totp_secret {bytes},
            totp_last_step BIGINT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('active', 'locked')),
            created_at BIGINT NOT NULL,
            changed_at BIGINT NOT NULL,
            PRIMARY KEY (subject_id, account_id)
        )",
        "CREATE TABLE identity_passkey (
            subject_id TEXT NOT NULL,
            passkey_id TEXT NOT NULL,
            account_id TEXT NOT NULL,
            credential_index {bytes} NOT NULL UNIQUE,
            label TEXT NOT NULL,
            credential {bytes} NOT NULL,
            created_at BIGINT NOT NULL,
            used_at BIGINT,
            PRIMARY KEY (subject_id, passkey_id)
        )",
        // The account that somebody at an outside provider is.
        "CREATE TABLE identity_link (
            subject_id TEXT NOT NULL,
            issuer TEXT NOT NULL,
            external_index {bytes} NOT NULL,
            account_id TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            PRIMARY KEY (subject_id, issuer, external_index)
        )",
        "CREATE UNIQUE INDEX identity_link_external ON identity_link (issuer, external_index)",
        // Only the hash of a session's token is kept; the token itself says whose session it is.
        "CREATE TABLE identity_session (
            subject_id TEXT NOT NULL,
            token_hash {bytes} NOT NULL,
            session_id TEXT NOT NULL,
            account_id TEXT NOT NULL,
            on_behalf_of TEXT,
            method TEXT NOT NULL CHECK (method IN ('password', 'totp', 'passkey', 'real_name')),
            device TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            seen_at BIGINT NOT NULL,
            PRIMARY KEY (subject_id, token_hash)
        )",
        "CREATE INDEX identity_session_seen ON identity_session (seen_at)",
        // What a sign-in of several steps must remember for some minutes, sealed.
        "CREATE TABLE identity_challenge (
            token_hash {bytes} NOT NULL PRIMARY KEY,
            kind TEXT NOT NULL,
            state {bytes} NOT NULL,
            expires_at BIGINT NOT NULL
        )",
        "CREATE INDEX identity_challenge_expires ON identity_challenge (expires_at)",
        // The outside provider of real-name identities; at most one.
        "CREATE TABLE identity_provider (
            provider_id TEXT NOT NULL PRIMARY KEY CHECK (provider_id = 'real-name'),
            issuer TEXT NOT NULL,
            client_id TEXT NOT NULL,
            client_secret {bytes} NOT NULL,
            authority {bytes},
            name_zh TEXT NOT NULL,
            name_en TEXT NOT NULL,
            changed_at BIGINT NOT NULL
        )",
        // A token of the API for another system: only its hash is kept.
        "CREATE TABLE identity_token (
            token_hash {bytes} NOT NULL PRIMARY KEY,
            token_id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            scopes TEXT NOT NULL,
            created_by TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL,
            revoked_at BIGINT
        )",
        // The organisation in six levels, as the packs describe it.
        "CREATE TABLE identity_org (
            org_code TEXT NOT NULL PRIMARY KEY,
            parent TEXT,
            level TEXT NOT NULL,
            division TEXT NOT NULL,
            uscc TEXT NOT NULL,
            name_zh TEXT NOT NULL,
            name_en TEXT NOT NULL
        )",
        "CREATE TABLE identity_post (
            post_code TEXT NOT NULL PRIMARY KEY,
            org_code TEXT NOT NULL,
            roles TEXT NOT NULL,
            name_zh TEXT NOT NULL,
            name_en TEXT NOT NULL
        )",
        // Who holds which post, and when.
        "CREATE TABLE identity_holding (
            subject_id TEXT NOT NULL,
            post_code TEXT NOT NULL,
            valid_from BIGINT NOT NULL,
            valid_to BIGINT NOT NULL,
            PRIMARY KEY (subject_id, post_code, valid_from)
        )",
        // Who may act for whom: a guardian for a child, an agent for a firm.
        "CREATE TABLE identity_delegation (
            subject_id TEXT NOT NULL,
            delegation_id TEXT NOT NULL,
            delegate_id TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('guardian', 'owner', 'agent', 'proxy')),
            scope TEXT NOT NULL,
            valid_from BIGINT NOT NULL,
            valid_to BIGINT NOT NULL,
            revoked_at BIGINT,
            PRIMARY KEY (subject_id, delegation_id)
        )",
        "CREATE INDEX identity_delegation_delegate ON identity_delegation (delegate_id)",
        // Villages are imported; the levels above are built in.
        "CREATE TABLE identity_village (
            code TEXT NOT NULL PRIMARY KEY,
            township TEXT NOT NULL,
            name TEXT NOT NULL
        )",
        "CREATE INDEX identity_village_township ON identity_village (township)",
    ],
}];
