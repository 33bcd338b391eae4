//! Measures the spine: pages, submissions, start-up, memory. Every figure stands beside what this machine does
//! for the bare work in the same run, so that a figure means something on another machine.
//!
//! `bench bare ADDR` serves one fixed answer; `bench submissions` prints the rates of submissions as JSON lines;
//! `bench tpch SCALE ROUNDS` and `bench growth ROUNDS SCALE…` those of queries through the barrier;
//! `bench collect FILE` reads JSON lines and writes the table.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

mod collect;
mod queries;
mod submissions;

use axum::Router;
use axum::routing::get;

/// The node's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare", address] => bare(address).await,
        ["submissions"] => submissions::run().await,
        ["tpch", scale, rounds] => queries::run(scale.parse()?, rounds.parse()?).await,
        ["growth", rounds, scales @ ..] => {
            let scales = scales.iter().map(|scale| scale.parse()).collect::<Result<Vec<f64>, _>>()?;
            queries::growth(&scales, rounds.parse()?).await
        }
        ["collect", file] => collect::collect(std::path::Path::new(file)),
        _ => anyhow::bail!(
            "bench bare ADDR | bench submissions | bench tpch SCALE ROUNDS | bench growth ROUNDS SCALE… | bench collect FILE"
        ),
    }
}

/// A handler that does nothing: what axum itself can serve here.
async fn bare(address: &str) -> anyhow::Result<()> {
    let router = Router::new().route("/", get(|| async { "bare\n" }));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
