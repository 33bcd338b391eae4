//! Prepared statements: a parameter is a constant of the type that the statement expects, and nothing more.

use kernel::error::Coded;
use lake::{Asker, Cell, CellKind, LakeError, Session};

use crate::common::{SECRETS, world};

async fn answer(
    session: &Session,
    sql: &str,
    declared: &[Option<CellKind>],
    values: &[Cell<'static>],
) -> Result<Vec<Vec<Cell<'static>>>, LakeError> {
    let prepared = session.prepare(sql, declared).await?;
    let mut answer = session.run(&prepared, values, None).await?;
    let described: Vec<CellKind> = prepared.columns().iter().map(|(_, kind)| kind.clone()).collect();
    assert_eq!(answer.kinds(), described, "{sql}: what was described is what comes");
    let mut rows = Vec::new();
    while let Some(part) = answer.next().await? {
        let cells = part.cells()?;
        for row in 0..cells.rows() {
            rows.push((0..cells.columns()).map(|column| cells.at(row, column).into_owned()).collect());
        }
    }
    Ok(rows)
}

fn text(text: &str) -> Cell<'static> {
    Cell::Text(text.to_owned().into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_is_compared_as_a_constant_is() {
    let (_test, _lake, session) = world(&SECRETS).await;
    let one = |sql: &'static str, value| {
        let session = &session;
        async move { answer(session, sql, &[], &[value]).await.unwrap() }
    };
    // Below the barrier, by the true value of a masked column.
    let found = one("SELECT citizen_id, name FROM persons WHERE citizen_id = $1", text("532901000004")).await;
    assert_eq!(found, [[text("532901****04"), text("V***********E")]]);
    let hidden = one("SELECT citizen_id FROM persons WHERE citizen_id = $1", text("532902000004")).await;
    assert!(hidden.is_empty());
    // A value is a value, whatever it says.
    let said = one("SELECT count(*) FROM persons WHERE county = $1", text("x' OR county = '532902")).await;
    assert_eq!(said, [[Cell::Int(0)]]);
    // What the statement expects goes before what the asker says; a fraction is not cut.
    let number = "SELECT count(*) FROM persons WHERE amount < $1";
    let whole = answer(&session, number, &[Some(CellKind::Int2)], &[Cell::Int(2)]).await.unwrap();
    let half = answer(&session, number, &[Some(CellKind::Float8)], &[Cell::Float8(1.5)]).await.unwrap();
    assert_eq!(whole, half);
    let list = [Some(CellKind::List(Box::new(CellKind::Int2)))];
    let prepared = session.prepare("SELECT array_length($1)", &list).await.unwrap();
    assert_eq!(prepared.parameters(), [CellKind::List(Box::new(CellKind::Int8))]);
    let prepared = session.prepare("SELECT plate FROM vehicles WHERE town = $1 LIMIT $2", &[]).await.unwrap();
    assert_eq!(prepared.parameters(), [CellKind::Text, CellKind::Int8]);
    assert_eq!(prepared.tables(), ["vehicles"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_value_of_a_parameter_is_refused_and_the_checks_are_those_of_a_query() {
    let (_test, _lake, session) = world(&SECRETS).await;
    for (sql, values, code) in [
        ("SELECT count(*) FROM persons WHERE amount = $1", vec![text("many")], "lake.parameter"),
        ("SELECT count(*) FROM persons WHERE amount = $1", vec![], "lake.parameter"),
        ("SELECT count(*) FROM persons WHERE amount = $0", vec![Cell::Int(1)], "lake.plan"),
        ("SELECT note FROM persons WHERE amount = $1", vec![Cell::Int(1)], "lake.plan"),
        ("SELECT uuid(), $1", vec![Cell::Int(1)], "lake.function"),
        ("INSERT INTO persons VALUES ($1)", vec![Cell::Int(1)], "lake.not_a_query"),
        ("EXPLAIN SELECT $1", vec![Cell::Int(1)], "lake.explain"),
        ("SELECT $1 / (amount - amount) FROM persons", vec![Cell::Int(1)], "lake.run"),
    ] {
        let error = answer(&session, sql, &[], &values).await.unwrap_err();
        let held = error.code() == code || (code == "lake.plan" && error.code() == "lake.parameter");
        assert!(held, "{sql}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogues_are_there_only_when_they_are_asked_for() {
    let (_test, lake, session) = world(&SECRETS).await;
    let tables = "SELECT table_name FROM information_schema.tables ORDER BY 1";
    assert_eq!(answer(&session, tables, &[], &[]).await.unwrap_err().code(), "lake.plan");
    let session =
        session.with_catalog(&Asker { user: "somebody".to_owned(), ..Asker::default() }).await.unwrap();
    let shown = answer(&session, tables, &[], &[]).await.unwrap();
    assert_eq!(shown, [[text("persons")], [text("vehicles")]]);
    let user = answer(&session, "SELECT current_user", &[], &[]).await.unwrap();
    assert_eq!(user, [[text("somebody")]]);
    // A table has its number in every session.
    let number = "SELECT oid FROM pg_class WHERE relname = $1";
    let first = answer(&session, number, &[], &[text("vehicles")]).await.unwrap();
    let granted = [crate::common::granted(
        "vehicles",
        lake::Policy { columns: vec![lake::policy::Shown::plain("plate")], rows: None },
    )];
    let other = lake.session_with_catalog(&granted, &Asker::default()).await.unwrap();
    assert_eq!(answer(&other, number, &[], &[text("vehicles")]).await.unwrap(), first);
    assert!(answer(&other, number, &[], &[text("persons")]).await.unwrap().is_empty());
}
