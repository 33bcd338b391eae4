//! `yiwang verify FILE`: is this licence or receipt genuine? Nothing leaves the machine.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use crypto::keys::TrustList;
use kernel::time::{Clock, SystemClock};
use licences::status::StatusList;
use licences::verify::verify_file;

use crate::node::PUBLIC_FOLDER;

const TRUST: &str = "yiwang-trust.json";
const STATUS: &str = "yiwang-status.json";

/// Prints the verdict; false unless the document is genuine and in force.
pub(super) fn verify(
    file: &Path,
    trust: Option<PathBuf>,
    status: Option<PathBuf>,
    data: &Path,
    english: bool,
) -> anyhow::Result<bool> {
    let bytes = std::fs::read(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    let trust_path = find(trust, TRUST, file, data).with_context(|| {
        format!("no trust list: get the issuer's /.well-known/{TRUST} and put it beside the file")
    })?;
    let trust: TrustList = read_json(&trust_path)?;
    if sharing::receipt::is_receipt(&bytes) {
        return receipt(&bytes, &trust, english);
    }
    let status = match find(status, STATUS, file, data) {
        Some(path) => Some(read_json::<StatusList>(&path)?),
        None => None,
    };
    let verdict = verify_file(&bytes, &trust, status.as_ref(), SystemClock.now());
    let lang = if english { web::i18n::Lang::EN } else { web::i18n::Lang::ZH };
    writeln!(std::io::stdout(), "{}", verdict.to_text(lang))?;
    Ok(verdict.is_good())
}

/// A receipt of a use of data: what it says, or what is wrong with it.
fn receipt(bytes: &[u8], trust: &TrustList, english: bool) -> anyhow::Result<bool> {
    let mut out = std::io::stdout();
    match sharing::receipt::check(bytes, trust) {
        Ok(receipt) => {
            let record = &receipt.record;
            let resources: Vec<&str> = record.grants.iter().map(|used| used.resource.as_str()).collect();
            let (good, who, what, rows) = match english {
                true => ("genuine receipt of a use of data", "who", "resources", "rows"),
                false => ("真实的数据使用凭据", "谁", "资源", "行数"),
            };
            writeln!(out, "{good}  {}", record.use_id)?;
            writeln!(out, "  {}  {}  {}", record.at.to_china_string(), record.purpose.as_str(), record.case_no)?;
            writeln!(out, "  {who}: {} {}", record.actor.kind, record.actor.label)?;
            writeln!(out, "  {what}: {}", resources.join(", "))?;
            writeln!(out, "  {rows}: {} ({})", record.outcome.rows, record.outcome.code)?;
            Ok(true)
        }
        Err(flaw) => {
            let bad = if english { "not genuine" } else { "不是真实的凭据" };
            writeln!(out, "{bad}: {flaw}")?;
            Ok(false)
        }
    }
}

fn find(given: Option<PathBuf>, name: &str, file: &Path, data: &Path) -> Option<PathBuf> {
    given.or_else(|| {
        let beside = file.parent().unwrap_or(Path::new(".")).join(name);
        [beside, data.join(PUBLIC_FOLDER).join(name)].into_iter().find(|path| path.is_file())
    })
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("`{}` is not readable", path.display()))
}
