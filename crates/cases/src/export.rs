//! The history of one case, to take along: events in order, each with its link of the chain.

use kernel::time::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::model::{CaseEventKind, ChildReason, national};
use crate::store::Loaded;

/// Who is given a history: each is told what is theirs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The person or firm whose case it is: all but notes among colleagues.
    Applicant,
    /// Officers who handle it: all but who rated what.
    Officer,
}

impl Audience {
    /// Whether this audience may see an event.
    pub fn may_see(self, kind: &CaseEventKind) -> bool {
        match (self, kind) {
            (Self::Applicant, CaseEventKind::NoteAdded { .. } | CaseEventKind::CardShown { .. }) => false,
            // 国办发〔2019〕51号: whoever was rated does not learn who rated.
            (Self::Officer, CaseEventKind::Rated { .. }) => false,
            (Self::Officer, CaseEventKind::ChildOpened { reason, .. }) => *reason != ChildReason::BadRating,
            _ => true,
        }
    }
}

/// The history of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct History {
    /// `yiwang-case-history/1`.
    pub format: &'static str,
    /// The case.
    pub case_no: String,
    /// When it was written out, RFC 3339.
    pub exported_at: String,
    /// What happened, in order.
    pub events: Vec<HistoryEvent>,
    /// SM3 over the events above as compact JSON, hex: for whoever keeps the file.
    pub digest: String,
}

/// One event of a history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HistoryEvent {
    /// Its place, from 1.
    pub seq: u32,
    /// When, RFC 3339.
    pub at: String,
    /// What; empty where it is withheld.
    pub kind: String,
    /// The kind of actor: `citizen`, `officer`, `node`.
    pub by: String,
    /// The post.
    pub post: String,
    /// The event's own data; nothing where it is withheld.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Json>,
    /// The national state of the case that it brought.
    pub national_state: Option<u8>,
    /// The link of the chain in the ledger: SM3 over the link before it and the stored row, hex.
    pub link: String,
}

/// Writes out the history of a case for somebody.
pub fn history(loaded: &Loaded, audience: Audience, now: Timestamp) -> Result<History, serde_json::Error> {
    let states = national::states(&loaded.case, &loaded.events);
    let mut events = Vec::with_capacity(loaded.events.len());
    for (event, link) in loaded.events.iter().zip(&loaded.links) {
        let shown = audience.may_see(&event.kind);
        events.push(HistoryEvent {
            seq: event.seq,
            at: event.at.to_string(),
            kind: if shown { event.kind.name().to_owned() } else { String::new() },
            by: if shown { event.actor.kind.clone() } else { String::new() },
            post: if shown { event.actor.label.clone() } else { String::new() },
            data: if shown { Some(serde_json::to_value(&event.kind)?) } else { None },
            national_state: states.iter().find(|(seq, _)| *seq == event.seq).map(|(_, state)| *state),
            link: hex::encode(link),
        });
    }
    let digest = hex::encode(crypto::hash::sm3(&serde_json::to_vec(&events)?));
    Ok(History {
        format: "yiwang-case-history/1",
        case_no: loaded.case.case_no().to_owned(),
        exported_at: now.to_string(),
        events,
        digest,
    })
}
