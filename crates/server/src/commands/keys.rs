//! `yiwang keys rotate`: new signing keys; what the old ones signed still verifies.

use std::io::Write;

use crypto::keys::Purpose;
use crypto::suite::Algorithm;
use store::Faults;

use crate::config::Config;
use crate::node;

const PURPOSES: [(&str, Purpose); 4] = [
    ("receipt", Purpose::Receipt),
    ("licence", Purpose::Licence),
    ("audit-head", Purpose::AuditHead),
    ("status-list", Purpose::StatusList),
];

/// Makes a new key of each suite. A node that is running signs with the old ones until it starts again.
pub(super) async fn rotate(config: &Config, purpose: Purpose) -> anyhow::Result<bool> {
    let store = node::open_existing(config, node::real_env(Faults::default())).await?;
    for algorithm in [Algorithm::Sm2Sm3, Algorithm::Ed25519] {
        store::keys::rotate(&store, purpose, algorithm).await?;
    }
    store.close().await?;
    writeln!(
        std::io::stdout(),
        "new keys are in the ring; start the node again, so that it signs with them"
    )?;
    Ok(true)
}

/// What a key signs.
pub(super) fn purpose(word: &str) -> Result<Purpose, String> {
    let known = PURPOSES.iter().find(|(name, _)| *name == word);
    known.map(|(_, purpose)| *purpose).ok_or_else(|| "receipt, licence, audit-head or status-list".to_owned())
}
