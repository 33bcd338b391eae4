//! What the barrier shows, and that it is the barrier which hides the rest.

use lake::policy::Shown;
use lake::{Mask, Policy, RowRule, Scalar};

use crate::common::{SECRETS, granted, number, rows, world};

#[tokio::test]
async fn an_asker_sees_their_rows_their_columns_and_their_masks() {
    let (_test, _lake, session) = world(&SECRETS).await;
    assert_eq!(number(&session, "SELECT count(*) FROM persons").await, 7_500);
    let one = rows(&session, "SELECT * FROM persons WHERE citizen_id = '532901000004'").await.unwrap();
    let one: Vec<&str> = one[0].iter().map(|cell| cell.as_deref().unwrap()).collect();
    assert_eq!(one, ["532901", "T-4", "V***********E", "532901****04", "149", "1954-03-05"]);
    assert_eq!(number(&session, "SELECT count(*) FROM persons WHERE citizen_id = '532902000004'").await, 0);
    let between = (0..7_500).filter(|row| (10..=20).contains(&(1 + row * 37 % 5_000))).count();
    let counted = number(&session, "SELECT count(*) FROM persons WHERE amount BETWEEN 10 AND 20").await;
    assert_eq!(usize::try_from(counted).unwrap(), between);
}

#[tokio::test]
async fn every_mask_and_every_rule_counts() {
    let (_test, lake, _session) = world(&SECRETS).await;
    let key = "0f".repeat(32);
    let policy = Policy {
        columns: vec![
            Shown::masked("county", Mask::Prefix { letters: 4 }),
            Shown::masked("town", Mask::Empty {}),
            Shown::masked("citizen_id", Mask::Token { key }),
            Shown::masked("amount", Mask::Floor { step: 100 }),
            Shown::masked("born", Mask::Year {}),
        ],
        rows: Some(RowRule::All(vec![
            RowRule::StartsWith { column: "county".to_owned(), prefix: "532901".to_owned() },
            RowRule::Not(Box::new(RowRule::Empty { column: "town".to_owned() })),
            RowRule::Any(vec![
                RowRule::equal("amount", Scalar::Integer(149)),
                RowRule::In { column: "amount".to_owned(), values: vec![Scalar::Integer(38)] },
            ]),
            RowRule::Compare {
                column: "born".to_owned(),
                is: lake::Comparison::AtLeast,
                value: Scalar::Date(jiff::civil::date(1950, 1, 1)),
            },
        ])),
    };
    let session = lake.session(&[granted("persons", policy)]).await.unwrap();
    let all = rows(&session, "SELECT * FROM persons ORDER BY amount, born").await.unwrap();
    assert_eq!(all.len(), 4, "{all:?}");
    for row in &all {
        assert_eq!(row[0].as_deref(), Some("5329"));
        assert_eq!(row[1], None);
        assert_eq!(row[2].as_ref().unwrap().len(), 32);
        assert!(["0", "100"].contains(&row[3].as_deref().unwrap()));
        assert!(row[4].as_ref().unwrap().ends_with("-01-01"));
    }
    // What is masked is compared as it is shown.
    assert_eq!(number(&session, "SELECT count(*) FROM persons WHERE amount = 100").await, 2);
    assert_eq!(number(&session, "SELECT count(*) FROM persons WHERE amount = 149").await, 0);
    assert_eq!(number(&session, "SELECT count(*) FROM persons WHERE county = '532901'").await, 0);
}

#[tokio::test]
async fn a_policy_that_does_not_fit_the_table_opens_nothing() {
    let (_test, lake, _session) = world(&SECRETS).await;
    for policy in
        [Policy { columns: vec![Shown::plain("salary")], rows: None }, Policy { columns: vec![], rows: None }]
    {
        assert!(lake.session(&[granted("persons", policy)]).await.is_err());
    }
    assert!(lake.session(&[granted("nothing", crate::common::policy())]).await.is_err());
    let twice = [granted("persons", crate::common::policy()), granted("persons", crate::common::policy())];
    assert!(lake.session(&twice).await.is_err());
}
