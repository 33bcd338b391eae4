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

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_of_what_it_is_compared_with() {
    let (_test, _lake, plain) = world(&SECRETS).await;
    let (_other_test, _other_lake, session) = world(&SECRETS).await;
    let with_catalog = session.with_catalog(&Asker::default()).await.unwrap();
    let list = |item| CellKind::List(Box::new(item));
    let numbers = |numbers: &[i64]| Cell::List(numbers.iter().copied().map(Cell::Int).collect());
    for session in [&plain, &with_catalog] {
        let of = |sql: &'static str, said: Vec<Option<CellKind>>| async move {
            session.prepare(sql, &said).await.unwrap().parameters()
        };
        let amount = "SELECT count(*) FROM persons WHERE amount = ANY($1)";
        assert_eq!(of(amount, vec![]).await, [list(CellKind::Int8)]);
        assert_eq!(of(amount, vec![Some(list(CellKind::Float8))]).await, [list(CellKind::Float8)]);
        assert_eq!(
            of("SELECT count(*) FROM persons WHERE born <> ALL($1)", vec![]).await,
            [list(CellKind::Date)]
        );
        assert_eq!(of("SELECT town = ANY($1) AS one FROM vehicles", vec![]).await, [list(CellKind::Text)]);

        let count = |sql: String, said: Option<CellKind>, values: Vec<Cell<'static>>| async move {
            let said = if values.is_empty() { vec![] } else { vec![said] };
            match answer(session, &sql, &said, &values).await.unwrap().remove(0).remove(0) {
                Cell::Int(count) => count,
                other => panic!("{other:?}"),
            }
        };
        let wanted =
            count("SELECT count(*) FROM persons WHERE amount IN (1, 38)".to_owned(), None, vec![]).await;
        assert!(wanted > 0);
        let decimals = Cell::List(vec![Cell::Numeric("1".to_owned()), Cell::Numeric("38.0".to_owned())]);
        for (said, values) in [
            (None, numbers(&[1, 38])),
            (Some(list(CellKind::Int4)), numbers(&[38, 1])),
            (Some(list(CellKind::Text)), Cell::List(vec![text("1"), text("038"), Cell::Empty])),
            (Some(list(CellKind::Numeric)), decimals),
        ] {
            assert_eq!(count(amount.to_owned(), said, vec![values]).await, wanted);
        }
        let others = "SELECT count(*) FROM persons WHERE amount <> ALL($1)".to_owned();
        assert_eq!(count(others, None, vec![numbers(&[1, 38])]).await, 7_500 - wanted);
        let written = "SELECT count(*) FROM persons WHERE amount = ANY('{1, 38, NULL}')".to_owned();
        assert_eq!(count(written, None, vec![]).await, wanted);
        // By the true value of a masked column.
        let masked = "SELECT count(*) FROM persons WHERE citizen_id = ANY($1)".to_owned();
        assert_eq!(count(masked, None, vec![Cell::List(vec![text("532901000004")])]).await, 1);
    }
}

/// What is looked up in an empty table is not run, and its parameters are parameters all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_of_nothing_keeps_its_columns_and_parameters() {
    let (_test, _lake, session) = world(&SECRETS).await;
    let session = session.with_catalog(&Asker::default()).await.unwrap();
    for (sql, columns, rows) in [
        (
            "SELECT c.relname, unnest(i.indkey) AS k FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid \
             WHERE c.relname = $1 AND i.indnatts > $2 ORDER BY k",
            vec!["relname", "k"],
            0,
        ),
        (
            "SELECT c.relname, CASE WHEN c.relhasindex THEN (SELECT json_build_object($1::TEXT, s.seqstart) \
             FROM pg_sequence s WHERE s.seqrelid = c.oid) END AS options FROM pg_class c WHERE c.relname = $2",
            vec!["relname", "options"],
            1,
        ),
    ] {
        let prepared = session.prepare(sql, &[]).await.unwrap();
        let named: Vec<&str> = prepared.columns().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(named, columns, "{sql}");
        assert_eq!(prepared.parameters().len(), 2, "{sql}");
        assert_eq!(
            answer(&session, sql, &[], &[text("vehicles"), text("vehicles")]).await.unwrap().len(),
            rows,
            "{sql}"
        );
    }
}

/// What the engine makes of it while it plans is no comparison of a column any more, and must not get lost for that.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_item_of_a_list_lets_no_row_through() {
    let (_test, _lake, session) = world(&SECRETS).await;
    for (condition, wanted) in [
        ("town IN ('T-1')", 4),
        ("town IN ('T-1', NULL)", 4),
        ("town IN (NULL)", 0),
        ("town = 'T-1' OR NULL", 4),
        ("town NOT IN ('T-1', NULL)", 0),
        ("NOT (town IN ('T-1', NULL))", 0),
        ("town = ANY(ARRAY['T-1', NULL])", 4),
        ("town <> ALL(ARRAY['T-1', NULL])", 0),
        ("town = NULL", 0),
    ] {
        let sql = format!("SELECT count(*) FROM vehicles WHERE {condition}");
        assert_eq!(answer(&session, &sql, &[], &[]).await.unwrap(), [[Cell::Int(wanted)]], "{condition}");
    }
    let hidden = "SELECT count(*) FROM persons WHERE county IN ('532902', NULL)";
    assert_eq!(answer(&session, hidden, &[], &[]).await.unwrap(), [[Cell::Int(0)]]);
}
