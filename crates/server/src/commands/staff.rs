//! `yiwang staff add`: the first administrator of a node, and whoever else works there.

use std::io::Write;

use anyhow::Context;
use identity::accounts::AccountKind;
use identity::staff::{self, NewStaff};
use kernel::actor::Actor;
use store::Faults;

use crate::config::Config;
use crate::node;

/// Makes an account and prints its first password, once. Whoever may run this holds the root key, so the act is
/// the node's own.
pub(super) async fn add(config: &Config, new: &NewStaff) -> anyhow::Result<bool> {
    let app = node::open(config, node::real_env(Faults::default()), false).await?;
    let (_, password) = staff::create(&app, &Actor::Node, new).await.context("no account was made")?;
    writeln!(
        std::io::stdout(),
        "login: {}\nfirst password, shown only now: {password}\nA second factor is set up at the first sign-in.",
        new.login
    )?;
    app.store.close().await?;
    Ok(true)
}

/// What somebody signs in as.
pub(super) fn kind(word: &str) -> Result<AccountKind, String> {
    let known = staff::KINDS.iter().find(|kind| kind.as_str() == word);
    known.copied().ok_or_else(|| "officer, auditor or administrator".to_owned())
}
