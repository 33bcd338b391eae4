//! TPC-H through the barrier: its tables in a lake, a grant on each, its queries in our words, and DuckDB on a copy that
//! holds no more than the grants show.

mod compare;
mod duck;
mod grants;
mod tables;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use kernel::entropy::OsEntropy;
use kernel::time::SystemClock;
use lake::answer::Answer;
use lake::session::Granted;
use lake::{Lake, Limits, Schema, TableId};
use store::{Env, Faults};

pub use compare::{Answered, difference};
pub use duck::{Duck, Timed};
pub use grants::{Grant, grants};
pub use tables::{TABLES, fill};

/// The queries by number, as they are kept in `bench/tpch`.
const QUERIES: [&str; 22] = [
    include_str!("../../tpch/q01.sql"),
    include_str!("../../tpch/q02.sql"),
    include_str!("../../tpch/q03.sql"),
    include_str!("../../tpch/q04.sql"),
    include_str!("../../tpch/q05.sql"),
    include_str!("../../tpch/q06.sql"),
    include_str!("../../tpch/q07.sql"),
    include_str!("../../tpch/q08.sql"),
    include_str!("../../tpch/q09.sql"),
    include_str!("../../tpch/q10.sql"),
    include_str!("../../tpch/q11.sql"),
    include_str!("../../tpch/q12.sql"),
    include_str!("../../tpch/q13.sql"),
    include_str!("../../tpch/q14.sql"),
    include_str!("../../tpch/q15.sql"),
    include_str!("../../tpch/q16.sql"),
    include_str!("../../tpch/q17.sql"),
    include_str!("../../tpch/q18.sql"),
    include_str!("../../tpch/q19.sql"),
    include_str!("../../tpch/q20.sql"),
    include_str!("../../tpch/q21.sql"),
    include_str!("../../tpch/q22.sql"),
];

/// The queries with the parameters of a scale.
#[must_use]
pub fn queries(scale: f64) -> Vec<String> {
    let fraction = format!("{:.10}", 0.0001 / scale);
    // No small world has an order of more than 300.
    let quantity = if scale < 0.5 { "220" } else { "300" };
    QUERIES.iter().map(|sql| sql.replace("{fraction}", &fraction).replace("{quantity}", quantity)).collect()
}

/// Reads an answer to its end.
pub async fn read(mut answer: Answer) -> anyhow::Result<Answered> {
    let floats = answer.columns().iter().map(|column| column.kind == "Float64").collect();
    let mut rows = Vec::new();
    for part in answer.all().await? {
        rows.extend(part.texts()?);
    }
    Ok(Answered { floats, rows })
}

/// The tables of the lake by their names.
pub fn ids() -> anyhow::Result<Vec<TableId>> {
    TABLES.iter().map(|table| table.id.parse().context(table.id)).collect()
}

/// What the barrier is asked to show of each.
pub fn granted() -> anyhow::Result<Vec<Granted>> {
    let mut all = Vec::new();
    for grant in grants() {
        let id: TableId = grant.table.parse()?;
        all.push(Granted { name: id.clone(), table: id, policy: grant.policy, witness: None });
    }
    Ok(all)
}

/// A lake of its own in a folder, with limits that no measured query meets.
pub async fn open(folder: &Path) -> anyhow::Result<Lake> {
    let env = Env { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy), faults: Faults::default() };
    let place = store::Config {
        url: None,
        data_dir: folder.to_owned(),
        issuer: Some("urn:yiwang:node:bench".to_owned()),
    };
    let root = crypto::root::RootKey::generate(&*env.entropy);
    let store = store::Store::open(&place, env, root, lake::MIGRATIONS).await?;
    let limits = Limits { time: Duration::from_secs(3_600), memory: 8 << 30, ..Limits::default() };
    Ok(Lake::open(store, limits)?)
}

fn schema_of(table: &tables::Table) -> anyhow::Result<Schema> {
    let columns = table.columns.iter().map(|(name, kind, personal)| lake::Column {
        name: (*name).to_owned(),
        kind: *kind,
        personal: *personal,
    });
    Ok(Schema::new(columns.collect())?)
}
