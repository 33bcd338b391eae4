//! Rejected rows as a file: line and faults before the cells, so that the rows can be put right and loaded again.

use kernel::error::Coded;

use super::ledger::Rejected;
use super::mapping::Mapping;

/// The first line of such a file.
pub fn rejected_header(mapping: &Mapping) -> String {
    let sources = mapping.columns.iter().map(|column| column.source.as_str());
    ["_line", "_faults"].into_iter().chain(sources).map(quoted).collect::<Vec<_>>().join(",")
}

/// A rejected row in it.
pub fn rejected_line(row: &Rejected) -> String {
    let faults: Vec<String> = row
        .faults
        .iter()
        .map(|fault| format!("{}={}", fault.column.as_deref().unwrap_or("*"), fault.reason.code()))
        .collect();
    let as_a_whole = row.faults.iter().any(|fault| fault.column.is_none());
    let cells = if as_a_whole { quoted(&row.raw) } else { row.raw.clone() };
    format!("{},{},{cells}", row.line, quoted(&faults.join("; ")))
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
