//! TPC-H through the barrier, beside the bare engine and DuckDB.
//!
//! Each query runs four ways on this machine in the same minutes: governed; behind ordinary views of the same rules, which
//! leak; on the bare tables without any rule; and in DuckDB on a copy that holds no more than the rules show. The governed
//! answer has to be DuckDB's, or there is no figure.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use bench::tpch::{self, Duck};
use lake::LakeError;
use lake::answer::Answer;
use serde_json::json;

/// All queries at one scale, so many rounds each, as JSON lines.
pub(crate) async fn run(scale: f64, rounds: usize) -> anyhow::Result<()> {
    let all = measure(scale, rounds).await?;
    for (number, one) in all.queries.iter().enumerate() {
        let name = format!("TPC-H {scale} q{:02}", number + 1);
        line(&name, one.governed, one.bare, "the engine without a rule", one.duck);
    }
    let (governed, views, bare, duck) = all.sums();
    line(&format!("TPC-H {scale} all queries"), governed, bare, "the engine without a rule", duck);
    line(
        &format!("TPC-H {scale} all, beside views"),
        governed,
        views,
        "ordinary views of the same rules",
        duck,
    );
    let cost = |of: fn(&Query) -> f64| geometric(all.queries.iter().map(|one| one.governed / of(one)));
    for (name, value) in [
        ("cost of the barrier", cost(|one| one.bare)),
        ("cost beside views", cost(|one| one.views)),
        ("time beside DuckDB", cost(|one| one.duck)),
    ] {
        let name = format!("TPC-H {scale} {name}");
        println!("{}", json!({"name": name, "value": value, "unit": "x", "ceiling": null, "peer": null}));
    }
    Ok(())
}

/// The sum of all queries at each of these scales.
pub(crate) async fn growth(scales: &[f64], rounds: usize) -> anyhow::Result<()> {
    for scale in scales {
        let all = measure(*scale, rounds).await?;
        let (governed, _, bare, duck) = all.sums();
        line(&format!("growth at {scale} GB"), governed, bare, "the engine without a rule", duck);
        println!(
            "{}",
            json!({
                "name": format!("growth at {scale} GB: arrival"), "value": all.filled, "unit": "s",
                "ceiling": null, "peer": all.copied, "peer_name": format!("DuckDB {}: its copy", all.version),
            })
        );
    }
    Ok(())
}

/// What was measured at one scale.
struct Measured {
    version: String,
    filled: f64,
    copied: f64,
    queries: Vec<Query>,
}

/// One query in milliseconds, the median of its rounds.
struct Query {
    governed: f64,
    views: f64,
    bare: f64,
    duck: f64,
}

impl Measured {
    fn sums(&self) -> (f64, f64, f64, f64) {
        let sum = |of: fn(&Query) -> f64| self.queries.iter().map(of).sum();
        (sum(|one| one.governed), sum(|one| one.views), sum(|one| one.bare), sum(|one| one.duck))
    }
}

async fn measure(scale: f64, rounds: usize) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let lake = tpch::open(folder.path()).await?;
    let began = Instant::now();
    tpch::fill(&lake, scale).await?;
    let filled = began.elapsed().as_secs_f64();
    let session = lake.session(&tpch::granted()?).await?;
    let views = lake.plain_views(&tpch::granted()?).await?;
    let bare = lake.plain_tables(&tpch::ids()?).await?;
    let queries = tpch::queries(scale);
    let duck = Duck::here().answer(&lake, &folder.path().join(Path::new("copy")), &queries, rounds).await?;
    let mut measured = Vec::new();
    for (number, (sql, (theirs, seconds))) in queries.iter().zip(&duck.answers).enumerate() {
        let ours = tpch::read(session.query(sql).await?).await?;
        if let Some(difference) = tpch::difference(&ours, theirs) {
            anyhow::bail!("query {} is not answered as by DuckDB: {difference}", number + 1);
        }
        let (mut through, mut leaking, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        // In turns, so that whatever else the machine does meets all of them.
        for _ in 0..rounds {
            through.push(time(session.query(sql)).await?);
            leaking.push(time(views.query(sql)).await?);
            plain.push(time(bare.query(sql)).await?);
        }
        let duck: Vec<f64> = seconds.iter().map(|seconds| seconds * 1_000.0).collect();
        measured.push(Query {
            governed: median(through)?,
            views: median(leaking)?,
            bare: median(plain)?,
            duck: median(duck)?,
        });
    }
    Ok(Measured { version: duck.version, filled, copied: duck.copied, queries: measured })
}

/// From the question to the last row, in milliseconds.
async fn time(asked: impl Future<Output = Result<Answer, LakeError>>) -> anyhow::Result<f64> {
    let began = Instant::now();
    asked.await?.all().await?;
    Ok(began.elapsed().as_secs_f64() * 1_000.0)
}

fn median(mut times: Vec<f64>) -> anyhow::Result<f64> {
    ensure!(!times.is_empty(), "nothing was measured");
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().context("no median")
}

fn geometric(ratios: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = ratios.fold((0.0, 0.0), |(sum, count), ratio| (sum + ratio.ln(), count + 1.0));
    (sum / f64::max(count, 1.0)).exp()
}

fn line(name: &str, value: f64, ceiling: f64, ceiling_name: &str, duck: f64) {
    println!(
        "{}",
        json!({
            "name": name, "value": value, "unit": "ms", "ceiling": ceiling, "ceiling_name": ceiling_name,
            "peer": duck, "peer_name": "DuckDB on a filtered copy",
        })
    );
}
