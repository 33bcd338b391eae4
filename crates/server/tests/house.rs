//! The rules of the house that no type keeps: which crate may use which, where the databases differ, how
//! tables are keyed, how large a file may grow.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file below a folder of `crates`, with its path from the root.
fn files(ending: &str) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root.join("crates")).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|found| found == ending) {
            let name = entry.path().strip_prefix(&root).unwrap().display().to_string();
            found.push((name, std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    found
}

/// The edges that docs/ARCHITECTURE.md allows: lines of the form "- crate -> a, b".
fn allowed_edges() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("- ")?.split_once(" ->"))
        .map(|(from, to)| {
            let to = to.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            (from.trim().to_owned(), to.collect())
        })
        .collect()
}

#[test]
fn crates_use_only_those_that_the_architecture_names() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .unwrap();
    let members: BTreeSet<String> = metadata.packages.iter().map(|one| one.name.to_string()).collect();
    let edges: BTreeMap<String, BTreeSet<String>> = metadata
        .packages
        .iter()
        .filter(|one| one.name.as_str() != "xtask")
        .map(|one| {
            let used = one.dependencies.iter().filter(|to| to.kind == DependencyKind::Normal);
            (one.name.to_string(), used.map(|to| to.name.clone()).filter(|to| members.contains(to)).collect())
        })
        .collect();
    assert_eq!(edges, allowed_edges());
}

#[test]
fn only_the_store_knows_the_library_of_the_database_and_only_one_file_the_difference_between_databases() {
    for (name, text) in files("toml") {
        if name.contains("/store/") || !name.ends_with("Cargo.toml") {
            continue;
        }
        assert!(!text.contains("sea-orm"), "{name} goes to the database by itself");
        // The lake loads tables of other people's databases with it. The ledger it reaches through the store alone.
        let loads = name.contains("/lake/");
        assert!(loads || !text.contains("sqlx"), "{name} goes to the database by itself");
    }
    for (name, text) in files("rs") {
        if name.ends_with("store/src/dialect.rs") || name.contains("/tests/") {
            continue;
        }
        for word in ["Dialect::Sqlite", "Dialect::Postgres", "DbBackend::", "DatabaseBackend::"] {
            assert!(
                !text.contains(word),
                "{name} asks for the database ({word}); that belongs into dialect.rs"
            );
        }
    }
}

#[test]
fn only_the_lake_knows_its_engine() {
    for (name, text) in files("toml") {
        if name.contains("/lake/") || !name.ends_with("Cargo.toml") || !name.contains("crates/") {
            continue;
        }
        for library in ["datafusion", "deltalake", "arrow", "parquet"] {
            assert!(!text.contains(library), "{name} goes to {library} by itself");
        }
    }
}

#[test]
fn sql_never_asks_for_the_time_and_never_counts_across_people() {
    for (name, text) in files("rs") {
        if name.contains("/tests/") {
            continue;
        }
        for word in
            ["CURRENT_TIMESTAMP", "datetime('now", "now()::", "AUTOINCREMENT", "SERIAL PRIMARY", "nextval("]
        {
            assert!(!text.contains(word), "{name}: {word}");
        }
    }
}

/// Small tables, whatever the number of people, and those that nobody's record is looked up in.
const REFERENCE: [&str; 33] = [
    "cases_procedure",
    "grants_event",
    "grants_grant",
    "grants_resource",
    "identity_challenge",
    "identity_org",
    "identity_post",
    "identity_provider",
    "identity_token",
    "identity_village",
    "lake_batch",
    "lake_destroyed",
    "lake_history",
    "lake_history_roster",
    "lake_known",
    "lake_load",
    "lake_rejected",
    "lake_table",
    "licences_status_publication",
    "licences_status_slot",
    "services_business_name",
    "services_item_version",
    "services_slot",
    "sharing_key",
    "sharing_lineage",
    "sharing_loading",
    "sharing_use",
    "sharing_use_resource",
    "store_audit_head",
    "store_audit_leaf",
    "store_audit_state",
    "store_job",
    "store_outbox",
];

/// Of the store itself, before there is anybody.
const HOUSEHOLD: [&str; 2] = ["store_key_ring", "store_migration"];

#[test]
fn tables_that_grow_with_people_lead_their_key_with_the_subject() {
    let mut seen = BTreeSet::new();
    for (name, text) in files("rs") {
        if name.contains("/tests/") {
            continue;
        }
        for part in text.split("CREATE TABLE ").skip(1) {
            let Some((table, columns)) = part.split_once('(') else { continue };
            let table = table.trim().trim_start_matches("IF NOT EXISTS ").to_owned();
            if !table.contains('_') || table.contains(' ') || table.contains('{') {
                continue;
            }
            let first = columns.split_whitespace().next().unwrap_or_default().to_owned();
            let small = REFERENCE.contains(&table.as_str()) || HOUSEHOLD.contains(&table.as_str());
            assert!(
                small || first == "subject_id",
                "{name}: {table} begins with {first}; it grows with people, so lead with subject_id"
            );
            if !small {
                assert!(
                    columns.contains("PRIMARY KEY (subject_id")
                        || columns.contains("subject_id TEXT NOT NULL PRIMARY KEY"),
                    "{name}: the key of {table} does not begin with subject_id"
                );
            }
            seen.insert(table);
        }
    }
    assert!(seen.len() >= 40, "the tables were not found: {seen:?}");
    for table in REFERENCE {
        assert!(seen.contains(table), "{table} is gone; strike it from the list");
    }
}

#[test]
fn no_file_of_code_grows_past_what_one_reads_in_a_sitting() {
    for (name, text) in files("rs") {
        let lines = text.lines().count();
        assert!(lines <= 700 || name.contains("/tests/"), "{name} has {lines} lines: make it a folder");
    }
}

#[test]
fn pages_hold_no_script_or_style_that_the_policy_would_refuse() {
    for (name, text) in files("html") {
        if name.contains("/vendor/") {
            continue;
        }
        for word in [" onclick=", " onchange=", " onsubmit=", " onload=", "javascript:", "<style"] {
            assert!(!text.contains(word), "{name}: {word}");
        }
        for script in text.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap_or_default();
            assert!(tag.contains("nonce="), "{name}: a script without a nonce");
        }
        for post in text.split("method=\"post\"").skip(1) {
            let form = post.split("</form>").next().unwrap_or_default();
            assert!(
                form.contains("csrf") || name.ends_with("identity/templates/sign_in.html"),
                "{name}: a form without its token"
            );
        }
    }
}

#[test]
fn every_crate_says_in_its_first_line_what_it_is_for() {
    for (name, text) in files("rs") {
        if name.ends_with("src/lib.rs") {
            assert!(text.starts_with("//! "), "{name} does not begin with its purpose");
        }
    }
}
