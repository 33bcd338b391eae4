//! A lake to test with, and the world of the attack corpus.

use jiff::civil::{Date, date};
use lake::batch::Values;
use lake::session::Granted;
use lake::{
    Batch, Column, Kind, Lake, LakeError, Limits, Mask, Policy, RowRule, Scalar, Schema, Session, Table,
    TableId,
};
use store::test::{On, TestStore, open};

/// How many times as long a test of drawn worlds is to run; `make test-long` says more than one.
pub(crate) fn times() -> u32 {
    std::env::var("YIWANG_TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

pub(crate) async fn empty(on: On) -> (TestStore, Lake) {
    let test = open(on, lake::MIGRATIONS).await;
    let lake = Lake::open(test.store.clone(), Limits::default()).unwrap();
    (test, lake)
}

pub(crate) fn id(name: &str) -> TableId {
    name.parse().unwrap()
}

pub(crate) async fn make(lake: &Lake, name: &str, schema: &Schema) -> Table {
    let tx = lake.store().begin().await.unwrap();
    assert!(Lake::create_table(&tx, &id(name), schema).await.unwrap());
    tx.commit().await.unwrap();
    Lake::table(&lake.store().read(), &id(name)).await.unwrap()
}

pub(crate) async fn arrive(
    lake: &Lake,
    table: &Table,
    batch_id: &str,
    batch: &Batch,
) -> lake::inbox::Arrival {
    let encoded = lake::inbox::encode(table, batch).unwrap();
    let tx = lake.store().begin().await.unwrap();
    let arrival = lake::inbox::arrive(&tx, &table.id, batch_id, encoded).await.unwrap();
    tx.commit().await.unwrap();
    arrival
}

/// The answer as text, row by row.
pub(crate) async fn rows(session: &Session, sql: &str) -> Result<Vec<Vec<Option<String>>>, LakeError> {
    let mut answer = session.query(sql).await?;
    let mut rows = Vec::new();
    for part in answer.all().await? {
        rows.extend(part.texts()?);
    }
    Ok(rows)
}

/// The one number that a query answers with.
pub(crate) async fn number(session: &Session, sql: &str) -> i64 {
    rows(session, sql).await.unwrap()[0][0].clone().unwrap().parse().unwrap()
}

pub(crate) fn granted(name: &str, policy: Policy) -> Granted {
    Granted { name: id(name), table: id(name), policy, witness: None }
}

pub(crate) async fn whole(lake: &Lake, table: &Table) -> Session {
    lake.session(&[granted(table.id.as_str(), Policy::everything(&table.schema))]).await.unwrap()
}

/// What is hidden in a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hidden {
    /// How many rows of the other county.
    pub(crate) rows: usize,
    /// What is written into hidden names and towns.
    pub(crate) mark: &'static str,
    /// The amount of hidden rows.
    pub(crate) amount: i64,
    /// The birthday of hidden people.
    pub(crate) born: Date,
    /// Where the rows lie: in files, in the inbox, or both.
    pub(crate) in_files: usize,
}

/// More hidden rows than visible ones, so that no row group and no batch is without both.
pub(crate) const SECRETS: Hidden =
    Hidden { rows: 9_000, mark: "T-SECRET-A", amount: 0, born: date(1901, 1, 1), in_files: 2 };
/// Another number of them, with texts that are numbers.
pub(crate) const NUMBERS: Hidden =
    Hidden { rows: 4_500, mark: "424242", amount: 7_777_777, born: date(2019, 12, 31), in_files: 1 };

const VISIBLE: usize = 7_500;

fn persons() -> Schema {
    Schema::new(vec![
        Column::new("county", Kind::Text),
        Column::new("town", Kind::Text),
        Column::personal("name", Kind::Text),
        Column::personal("citizen_id", Kind::Text),
        Column::new("amount", Kind::Integer),
        Column::personal("born", Kind::Date),
        Column::personal("note", Kind::Text),
    ])
    .unwrap()
}

fn vehicles() -> Schema {
    Schema::new(vec![
        Column::new("plate", Kind::Text),
        Column::new("town", Kind::Text),
        Column::personal("owner", Kind::Text),
    ])
    .unwrap()
}

fn people(world: &Hidden) -> Batch {
    let (mut county, mut town, mut name, mut citizen_id) = (vec![], vec![], vec![], vec![]);
    let (mut amount, mut born, mut note) = (vec![], vec![], vec![]);
    let mut hidden = 0;
    for row in 0..VISIBLE {
        county.push(Some("532901".to_owned()));
        town.push((row % 97 != 0).then(|| format!("T-{}", row % 40)));
        // As long in both worlds; the letters behind the stars differ.
        name.push(Some(format!(
            "V{}{row:05}E",
            if world.mark.starts_with('T') { "ISIBLE" } else { "EILED-" }
        )));
        citizen_id.push(Some(format!("532901{row:06}")));
        amount.push(Some(1 + i64::try_from(row * 37 % 5_000).unwrap()));
        born.push(Some(date(
            1950 + i16::try_from(row % 70).unwrap(),
            3,
            1 + i8::try_from(row % 28).unwrap(),
        )));
        note.push(Some(format!("N-{}-{row}", world.mark)));
        while hidden * VISIBLE < world.rows * row {
            county.push(Some("532902".to_owned()));
            town.push(Some(format!("{}{}", world.mark, hidden % 10)));
            name.push(Some(world.mark.to_owned()));
            citizen_id.push(Some(format!("532902{hidden:06}")));
            amount.push(Some(world.amount));
            born.push(Some(world.born));
            note.push(Some(world.mark.to_owned()));
            hidden += 1;
        }
    }
    Batch::new(
        &persons(),
        vec![
            Values::Text(county),
            Values::Text(town),
            Values::Text(name),
            Values::Text(citizen_id),
            Values::Integer(amount),
            Values::Date(born),
            Values::Text(note),
        ],
    )
    .unwrap()
}

fn cars() -> Batch {
    let texts = |text: fn(usize) -> String| Values::Text((0..200).map(|row| Some(text(row))).collect());
    let columns = vec![
        texts(|row| format!("云L{row:05}")),
        texts(|row| format!("T-{}", row % 60)),
        texts(|row| format!("532901{row:06}")),
    ];
    Batch::new(&vehicles(), columns).unwrap()
}

/// What the asker of the corpus may see of the people.
pub(crate) fn policy() -> Policy {
    let stars = |first, last| Mask::Stars { first, last };
    Policy {
        columns: vec![
            lake::policy::Shown::plain("county"),
            lake::policy::Shown::plain("town"),
            lake::policy::Shown::masked("name", stars(1, 1)),
            lake::policy::Shown::masked("citizen_id", stars(6, 2)).with_match(),
            lake::policy::Shown::plain("amount"),
            lake::policy::Shown::plain("born"),
        ],
        rows: Some(RowRule::equal("county", Scalar::Text("532901".to_owned()))),
    }
}

/// A world with its asker.
pub(crate) async fn world(hidden: &Hidden) -> (TestStore, Lake, Session) {
    let (test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "persons", &persons()).await;
    let all = people(hidden);
    for part in 0..hidden.in_files {
        let rows = all.rows() / 3;
        arrive(&lake, &table, &format!("file-{part}"), &all.slice(part * rows, rows)).await;
        lake::compaction::compact(&lake, &table).await.unwrap();
    }
    let rest = hidden.in_files * (all.rows() / 3);
    arrive(&lake, &table, "rest", &all.slice(rest, all.rows() - rest)).await;
    let table = make(&lake, "vehicles", &vehicles()).await;
    arrive(&lake, &table, "all", &cars()).await;
    let secrets = Schema::new(vec![Column::new("secret", Kind::Text)]).unwrap();
    let table = make(&lake, "secrets", &secrets).await;
    let text = Values::Text(vec![Some(hidden.mark.to_owned())]);
    arrive(&lake, &table, "all", &Batch::new(&secrets, vec![text]).unwrap()).await;
    let session = asker(&lake).await;
    (test, lake, session)
}

/// The asker of a world.
pub(crate) async fn asker(lake: &Lake) -> Session {
    lake.session(&[granted("persons", policy()), granted("vehicles", Policy::everything(&vehicles()))])
        .await
        .unwrap()
}
