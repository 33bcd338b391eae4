//! The table: reads JSON lines, works out the ratios, prints and keeps them.

use std::io::BufRead;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// What one measurement said.
#[derive(Deserialize)]
struct Measured {
    name: String,
    value: f64,
    unit: String,
    ceiling: Option<f64>,
    ceiling_name: Option<String>,
    peer: Option<f64>,
    peer_name: Option<String>,
}

/// A line of the result.
#[derive(Serialize)]
struct Line {
    name: String,
    value: f64,
    unit: String,
    ceiling: Option<f64>,
    ceiling_name: Option<String>,
    peer: Option<f64>,
    peer_name: Option<String>,
    ratio_to_ceiling: Option<f64>,
    ratio_to_peer: Option<f64>,
    at: String,
    machine: String,
}

/// Reads measurements from standard input, prints the table and writes `file`.
pub(crate) fn collect(file: &Path) -> anyhow::Result<()> {
    let at = kernel::time::Clock::now(&kernel::time::SystemClock).to_china_string();
    let machine = machine();
    let mut lines = Vec::new();
    for text in std::io::stdin().lock().lines() {
        let text = text?;
        if !text.starts_with('{') {
            continue;
        }
        let one: Measured = serde_json::from_str(&text).with_context(|| text.clone())?;
        let ratio = |of: Option<f64>| of.filter(|of| *of > 0.0).map(|of| rounded(one.value / of));
        lines.push(Line {
            ratio_to_ceiling: ratio(one.ceiling),
            ratio_to_peer: ratio(one.peer),
            value: rounded(one.value),
            ceiling: one.ceiling.map(rounded),
            peer: one.peer.map(rounded),
            name: one.name,
            unit: one.unit,
            ceiling_name: one.ceiling_name,
            peer_name: one.peer_name,
            at: at.clone(),
            machine: machine.clone(),
        });
    }
    for line in &lines {
        let beside =
            |value: Option<f64>, ratio: Option<f64>, name: &Option<String>| match (value, ratio, name) {
                (Some(value), Some(ratio), Some(name)) => format!("  {ratio:>8} of {value} ({name})"),
                _ => String::new(),
            };
        println!(
            "{:<28} {:>10} {:<4}{}{}",
            line.name,
            line.value,
            line.unit,
            beside(line.ceiling, line.ratio_to_ceiling, &line.ceiling_name),
            beside(line.peer, line.ratio_to_peer, &line.peer_name),
        );
    }
    std::fs::write(file, format!("{}\n", serde_json::to_string_pretty(&lines)?))?;
    Ok(())
}

fn rounded(value: f64) -> f64 {
    if value.abs() >= 100.0 { value.round() } else { (value * 1000.0).round() / 1000.0 }
}

/// Cores and processor, as the system names them.
fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("", |(_, name)| name);
    let cores = text.lines().filter(|line| line.starts_with("processor")).count();
    format!("{cores} cores, {}", model.trim())
}
