//! The attack corpus over the door, and everything that can be looked up in the catalogues, over two worlds that differ
//! only in what is hidden.

use std::collections::BTreeMap;

use serde::Deserialize;
use sharing::wire::Limits;

use crate::door::{TestDoor, root};
use crate::world::{NUMBERS, SECRETS};

#[derive(Debug, Deserialize)]
struct Attack {
    id: String,
    sql: String,
    expect: String,
    #[serde(default)]
    never: Vec<String>,
}

/// What an asker notices.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
struct Noticed {
    #[serde(default)]
    error: Option<(String, String, String)>,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    rows: Option<Vec<Vec<Option<String>>>>,
    #[serde(default)]
    done: Option<String>,
}

/// What no answer to this asker may hold.
const NEVER: [&str; 6] = ["SECRET", "424242", "ISIBLE", "EILED", "N-T", "7777777"];

/// What the lake refuses and the door answers itself, with nothing of the data in it: transactions, cursors over what
/// the asker may see, settings.
fn answered_by_the_door(attack: &Attack) -> bool {
    const BY: [&str; 8] = ["begin", "commit", "rollback", "set ", "show ", "reset ", "declare ", "copy ("];
    let sql = attack.sql.trim_start().to_lowercase();
    BY.iter().any(|word| sql.starts_with(word))
        || ["deallocate all", "discard all", "close all", "begin", "commit"]
            .contains(&sql.trim_end_matches(';'))
}

/// The outcomes in one world.
async fn outcomes(door: &TestDoor, statements: &[String]) -> Vec<BTreeMap<String, Noticed>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), serde_json::to_vec(statements).unwrap()).unwrap();
    let out = door.python("attacks.py", Some(file.path().to_owned())).await;
    serde_json::from_str(&out).unwrap()
}

/// Rows without the order that nobody asked for, floating point numbers without their last digits.
fn settled(noticed: &Noticed, sql: &str) -> Noticed {
    let mut noticed = noticed.clone();
    for row in noticed.rows.iter_mut().flatten() {
        for cell in row.iter_mut().flatten() {
            if let (true, Ok(number)) = (cell.contains('.'), cell.parse::<f64>()) {
                *cell = format!("{number:.9e}");
            }
        }
    }
    if !sql.to_ascii_uppercase().contains("ORDER BY") {
        noticed.rows.iter_mut().for_each(|rows| rows.sort());
    }
    noticed
}

#[tokio::test(flavor = "multi_thread")]
async fn no_attack_of_the_corpus_sees_what_is_hidden_through_the_door() {
    let mut attacks: Vec<Attack> = Vec::new();
    for entry in std::fs::read_dir(root().join("corpus/attacks")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        attacks.extend(serde_saphyr::from_str::<Vec<Attack>>(&text).unwrap());
    }
    assert!(attacks.len() >= 150, "{} attacks", attacks.len());
    let statements: Vec<String> = attacks.iter().map(|attack| attack.sql.clone()).collect();
    let secrets = TestDoor::open(&SECRETS, Limits::default()).await;
    let numbers = TestDoor::open(&NUMBERS, Limits::default()).await;
    let here = outcomes(&secrets, &statements).await;
    let there = outcomes(&numbers, &statements).await;
    let mut wrong = Vec::new();
    for ((attack, here), there) in attacks.iter().zip(&here).zip(&there) {
        for (way, here) in here {
            let told = |text: &str| wrong_of(attack, way, here, text);
            let (here_settled, there) = (settled(here, &attack.sql), settled(&there[way], &attack.sql));
            if here_settled != there {
                wrong.push(told(&format!("the worlds differ: {}", short(&there))));
            }
            let refused = here
                .error
                .as_ref()
                .is_some_and(|(state, ..)| ["42501", "42601", "54000", "0A000"].contains(&state.as_str()));
            let held = match attack.expect.as_str() {
                "answers" => here.error.is_none(),
                "refused" => refused || answered_by_the_door(attack),
                "fails" => here.error.is_some(),
                _ => true,
            };
            if !held {
                wrong.push(told("not as expected"));
            }
            let text = format!("{here:?}");
            let never = attack.never.iter().map(String::as_str).chain(NEVER);
            wrong.extend(
                never
                    .filter(|never| !attack.sql.contains(never) && text.contains(never))
                    .map(|never| told(&format!("`{never}` appears"))),
            );
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn wrong_of(attack: &Attack, way: &str, here: &Noticed, text: &str) -> String {
    format!("{} ({way}, {}): {text}; {}", attack.id, attack.expect, short(here))
}

fn short(noticed: &Noticed) -> String {
    format!("{noticed:?}").chars().take(300).collect()
}

/// Every table that the catalogues have, and every one that PostgreSQL has and they do not.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalogues_tell_of_nothing_that_is_not_granted() {
    let secrets = TestDoor::open(&SECRETS, Limits::default()).await;
    let numbers = TestDoor::open(&NUMBERS, Limits::default()).await;
    let dynamic = [
        "pg_attribute",
        "pg_class",
        "pg_database",
        "pg_namespace",
        "pg_roles",
        "pg_settings",
        "pg_tables",
        "pg_user",
        "pg_views",
        "pg_matviews",
        "pg_index",
        "pg_constraint",
        "pg_description",
        "pg_attrdef",
        "pg_policy",
        "pg_rewrite",
        "pg_trigger",
        "pg_statistic_ext",
        "pg_sequence",
        "pg_depend",
        "pg_shdescription",
        "pg_auth_members",
        "pg_type",
        "pg_proc",
        "pg_extension",
        "pg_tablespace",
    ];
    let standard = [
        "tables",
        "columns",
        "schemata",
        "views",
        "table_constraints",
        "key_column_usage",
        "routines",
        "sequences",
        "constraint_column_usage",
        "referential_constraints",
        "check_constraints",
    ];
    let absent = [
        "pg_authid",
        "pg_shadow",
        "pg_statistic",
        "pg_stats",
        "pg_stat_activity",
        "pg_stat_user_tables",
        "pg_statio_user_tables",
        "pg_file_settings",
        "pg_hba_file_rules",
        "pg_locks",
        "pg_largeobject",
        "pg_user_mapping",
        "pg_db_role_setting",
        "pg_replication_slots",
        "pg_stat_gssapi",
        "pg_cursors",
        "pg_prepared_statements",
        "pg_config",
    ];
    let mut statements: Vec<String> =
        dynamic.iter().map(|table| format!("SELECT * FROM pg_catalog.{table}")).collect();
    statements.extend(standard.iter().map(|table| format!("SELECT * FROM information_schema.{table}")));
    let there = statements.len();
    statements.extend(absent.iter().map(|table| format!("SELECT * FROM pg_catalog.{table}")));
    statements.push("SELECT * FROM information_schema.df_settings".to_owned());
    statements.push("SELECT * FROM information_schema.parameters".to_owned());
    let functions_from = statements.len();
    statements.extend(
        [
            "SELECT pg_relation_size(oid), pg_total_relation_size(oid) FROM pg_class WHERE relname = 'persons'",
            "SELECT reltuples, relpages FROM pg_class WHERE relname IN ('persons', 'vehicles')",
            "SELECT pg_database_size('yiwang')",
            "SELECT oid FROM pg_class WHERE relname IN ('secrets', 'lake_table', 'lake_batch')",
            "SELECT 'secrets'::regclass",
            "SELECT has_table_privilege('secrets', 'SELECT')",
            "SELECT current_setting('data_directory', true)",
            "SELECT obj_description(oid, 'pg_class') FROM pg_class",
            "SELECT (SELECT count(*) FROM pg_class), count(*) FROM persons",
        ]
        .map(str::to_owned),
    );
    let here = outcomes(&secrets, &statements).await;
    let other = outcomes(&numbers, &statements).await;
    for (place, ((sql, here), other)) in statements.iter().zip(&here).zip(&other).enumerate() {
        for (way, noticed) in here {
            assert_eq!(settled(noticed, sql), settled(&other[way], sql), "{sql}");
            let text = format!("{noticed:?}");
            let words = [
                "secret",
                "note\"",
                "lake_table",
                "lake_batch",
                "/tmp",
                "below",
                "datafusion",
                "16500",
                "12000",
            ];
            for word in words.iter().chain(&NEVER).filter(|word| !sql.contains(**word)) {
                let of_postgresql = place < there && ["note\""].contains(word);
                assert!(
                    of_postgresql || !text.contains(word),
                    "{sql}: `{word}` in {}",
                    &text[..text.len().min(2_000)]
                );
            }
            match place {
                _ if place < there => assert!(noticed.error.is_none(), "{sql}: {noticed:?}"),
                _ if place < functions_from => {
                    assert_eq!(noticed.error.as_ref().unwrap().0, "42P01", "{sql}: {noticed:?}");
                }
                _ => {}
            }
        }
    }
    // A subquery over the catalogues beside a table keeps its meaning.
    let last = here.last().unwrap()["text"].rows.clone().unwrap();
    assert_eq!(last, [[Some("11".to_owned()), Some("7500".to_owned())]]);
}
