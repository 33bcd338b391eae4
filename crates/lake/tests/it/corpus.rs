//! The attack corpus, statement by statement, over two worlds that differ only in what is hidden.

use std::collections::BTreeSet;
use std::path::Path;

use kernel::error::Coded;
use lake::{LakeError, Session};
use serde::Deserialize;

use crate::common::{NUMBERS, SECRETS, world};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attack {
    id: String,
    pub(crate) sql: String,
    expect: Expect,
    #[serde(default)]
    never: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Expect {
    Answers,
    Refused,
    Fails,
    Any,
}

/// What no answer to this asker may hold.
const NEVER: [&str; 6] = ["SECRET", "424242", "ISIBLE", "EILED", "N-T", "7777777"];

/// What an asker notices: the rows, or the code of the error and, where the text is for them, the text.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Rows(Vec<String>),
    Error(&'static str, Option<String>),
}

pub(crate) async fn outcome(session: &Session, sql: &str) -> Outcome {
    match crate::common::rows(session, sql).await {
        Ok(rows) => {
            let cell = |cell: &Option<String>| match cell.as_deref().map(|text| (text, text.parse::<f64>())) {
                // The last digits of a sum of floating point numbers depend on the order of adding.
                Some((text, Ok(number))) if text.contains('.') => format!("{number:.9e}"),
                Some((text, _)) => format!("{text:?}"),
                None => "NULL".to_owned(),
            };
            let row = |row: &Vec<Option<String>>| row.iter().map(cell).collect::<Vec<_>>().join(", ");
            let mut rows: Vec<String> = rows.iter().map(row).collect();
            if !sql.to_ascii_uppercase().contains("ORDER BY") {
                rows.sort();
            }
            Outcome::Rows(rows)
        }
        Err(error) => Outcome::Error(error.code(), error.for_asker()),
    }
}

/// Every attack of the corpus.
pub(crate) fn attacks() -> Vec<Attack> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/attacks");
    let mut attacks: Vec<Attack> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        attacks.extend(serde_saphyr::from_str::<Vec<Attack>>(&text).unwrap());
    }
    assert!(attacks.len() >= 150, "{} attacks", attacks.len());
    let ids: BTreeSet<&str> = attacks.iter().map(|attack| attack.id.as_str()).collect();
    assert_eq!(ids.len(), attacks.len(), "an id stands twice");
    attacks
}

/// What is wrong with the answers of two worlds to an attack.
pub(crate) async fn tried(attack: &Attack, secrets: &Session, numbers: &Session) -> Vec<String> {
    let mut wrong = Vec::new();
    let here = outcome(secrets, &attack.sql).await;
    let there = outcome(numbers, &attack.sql).await;
    if here != there {
        wrong.push(format!("{}: the worlds differ\n  {}\n  {}", attack.id, short(&here), short(&there)));
    }
    let held = match &here {
        Outcome::Rows(_) => [Expect::Answers, Expect::Any].contains(&attack.expect),
        Outcome::Error(code, _) => match attack.expect {
            Expect::Answers => false,
            Expect::Any => true,
            Expect::Refused => REFUSALS.contains(code),
            Expect::Fails => !REFUSALS.contains(code),
        },
    };
    if !held {
        wrong.push(format!("{}: {:?} was expected, not {}", attack.id, attack.expect, short(&here)));
    }
    let text = format!("{here:?}");
    // What the asker wrote themself may come back in the text of an error.
    let told =
        attack.never.iter().map(String::as_str).chain(NEVER).filter(|never| !attack.sql.contains(never));
    for never in told {
        if text.contains(never) {
            wrong.push(format!("{}: `{never}` appears in {}", attack.id, short(&here)));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn no_attack_of_the_corpus_sees_what_is_hidden() {
    let attacks = attacks();
    let (_one, _lake, secrets) = world(&SECRETS).await;
    let (_two, _lake, numbers) = world(&NUMBERS).await;
    let mut wrong = Vec::new();
    for attack in &attacks {
        wrong.extend(tried(attack, &secrets, &numbers).await);
    }
    assert!(wrong.is_empty(), "{} of {} attacks:\n{}", wrong.len(), attacks.len(), wrong.join("\n"));
}

const REFUSALS: [&str; 5] =
    ["lake.not_a_query", "lake.explain", "lake.several_statements", "lake.function", "lake.too_long"];

fn short(outcome: &Outcome) -> String {
    format!("{outcome:?}").chars().take(300).collect()
}

#[tokio::test]
async fn an_error_while_it_runs_tells_its_code_alone() {
    let (_test, _lake, session) = world(&SECRETS).await;
    let error = crate::common::rows(&session, "SELECT CAST(name AS INT) FROM persons").await.unwrap_err();
    assert!(matches!(error, LakeError::Run(_)), "{error:?}");
    assert_eq!(error.for_asker(), None);
    let error = crate::common::rows(&session, "SELECT salary FROM persons").await.unwrap_err();
    assert!(error.for_asker().unwrap().contains("salary"));
}
