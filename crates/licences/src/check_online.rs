//! Verification by the node itself: with its own trust list, its own status list of this minute, and a note for
//! the holder.

use kernel::actor::Actor;
use web::{App, Problem};

use crate::actions::{self, Verifier};
use crate::document::Format;
use crate::status::{self, StatusError, StatusList};
use crate::store as ledger;
use crate::verify::{Carrier, Finding, Verdict, verify_file};

/// Checks a file or a text and tells the holder that somebody did.
pub(crate) async fn check(
    app: &App,
    actor: &Actor,
    bytes: &[u8],
    verifier: &Verifier,
) -> Result<Verdict, Problem> {
    let published = status::document(app).await?;
    let status: StatusList = serde_json::from_slice(&published).map_err(StatusError::from)?;
    let trust = app.store.keys().trust_list();
    let mut verdict = verify_file(bytes, &trust, Some(&status), app.now());
    let Some(shown) = verdict.shown.clone() else { return Ok(verdict) };
    if let Some(kind) = app.pack.licence_type(&shown.type_id) {
        verdict = verdict.labelled(kind);
    }
    if shown.format == Format::Licence {
        let found = ledger::find_by_identifier(&app.store.read(), &shown.number).await?;
        // Genuine, of this node, and not in its ledger: an earlier version, which the status list calls revoked,
        // or a ledger that lost it. Neither may pass for valid.
        let Some(licence) = found else {
            if verdict.is_good() {
                verdict.finding = Finding::StatusUnknown { age_hours: None };
            }
            return Ok(verdict);
        };
        let channel = match (&shown.copy, shown.carrier) {
            (Some(_), _) => "copy",
            (None, Carrier::Code) => "paper",
            (None, Carrier::File | Carrier::Credential | Carrier::Pdf) => "document",
        };
        let tx = app.store.begin().await?;
        actions::log_use(&tx, actor, &licence, channel, "", verifier, verdict.finding.code()).await?;
        tx.commit().await?;
    }
    Ok(verdict)
}
