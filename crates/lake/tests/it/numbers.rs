//! A table of numbers: whether each is there, and once, shows in their count and their sum.

use jiff::civil::date;
use lake::batch::Values;
use lake::{Batch, Column, Kind, Lake, LakeError, Limits, Schema, Storage, Table};
use store::test::TestStore;

use crate::common::{id, rows, whole};

pub(crate) fn schema() -> Schema {
    Schema::new(vec![
        Column::new("n", Kind::Integer),
        Column::personal("name", Kind::Text),
        Column::new("day", Kind::Date),
    ])
    .unwrap()
}

/// The numbers of a range. Each tenth has no day; the others are of the first days of 2026.
pub(crate) fn batch(numbers: std::ops::Range<i64>) -> Batch {
    let names = numbers.clone().map(|n| Some(format!("NAME-{n}"))).collect();
    let day = |n: i64| (n % 10 != 0).then(|| date(2026, 1, 1 + i8::try_from(n % 28).unwrap()));
    let days = numbers.clone().map(day).collect();
    let columns = vec![Values::Integer(numbers.map(Some).collect()), Values::Text(names), Values::Date(days)];
    Batch::new(&schema(), columns).unwrap()
}

/// Count and sum of the numbers.
pub(crate) async fn sum(lake: &Lake, table: &Table) -> (i64, i64) {
    seen(lake, table).await.unwrap()
}

pub(crate) async fn seen(lake: &Lake, table: &Table) -> Result<(i64, i64), LakeError> {
    let policy = lake::Policy::everything(&table.schema);
    let granted = lake::session::Granted { name: id("t"), table: table.id.clone(), policy, witness: None };
    let session = lake.session(&[granted]).await?;
    let rows = rows(&session, "SELECT count(*), coalesce(sum(n), 0) FROM t").await?;
    let number = |column: usize| rows[0][column].clone().unwrap().parse().unwrap();
    Ok((number(0), number(1)))
}

/// Count and sum of the numbers below `n`.
pub(crate) fn all_below(n: i64) -> (i64, i64) {
    (n, n * (n - 1) / 2)
}

pub(crate) async fn lake_at(test: &TestStore, storage: &Storage) -> Lake {
    Lake::open_with(test.store.clone(), Limits::default(), storage).await.unwrap()
}

/// The rows of a session that was opened before.
pub(crate) async fn session(lake: &Lake, table: &Table) -> lake::Session {
    whole(lake, table).await
}
