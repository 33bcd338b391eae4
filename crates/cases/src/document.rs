//! The decision as a document (决定书): data that a page shows in both languages and the API gives out.

use kernel::time::{Date, Timestamp};
use packs::Pack;
use packs::model::Words;
use serde::Serialize;

use crate::model::{Case, Reason, Stage};

/// A decision, a non-acceptance or a termination, as it is handed to the applicant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionDocument {
    /// What kind of document it is.
    pub title: Words,
    /// The number of the case, under which it is found.
    pub case_no: String,
    /// Who decided.
    pub org: Words,
    /// To whom it is addressed.
    pub applicant: String,
    /// On what.
    pub item: Words,
    /// When the application was received.
    pub received_on: Date,
    /// When it was accepted.
    pub accepted_on: Option<Date>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The outcome.
    pub outcome: Words,
    /// Whether the applicant gets what they asked for.
    pub favourable: bool,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What the procedure rests on.
    pub basis: Vec<Words>,
    /// The item's version and the row of its table, where no officer decided.
    pub automatic: Option<(String, u32)>,
    /// The case in which a person looked at it again.
    pub reviewed_in: Option<String>,
    /// SM3 over what stands above, hex: two copies that say the same have the same.
    pub digest: String,
}

impl DecisionDocument {
    /// The document of a case that has ended with reasons; none of one that is open or was withdrawn.
    pub fn of(case: &Case, pack: &Pack) -> Option<Self> {
        let decided_at = case.closed_at()?;
        let decision = case.decision.as_ref();
        let (title, outcome, reasons) = match (decision, case.outcome()?) {
            (Some(decision), _) => (
                Words::new("决定书", "Decision"),
                case.outcome_name().cloned().unwrap_or_default(),
                decision.reasons.clone(),
            ),
            (None, word) if word == Stage::NotAccepted.as_str() => (
                Words::new("不予受理通知书", "Notice of non-acceptance"),
                Words::new("不予受理", "Not accepted"),
                case.end_reasons.clone(),
            ),
            (None, word) if word == Stage::Terminated.as_str() => (
                Words::new("终止办理通知书", "Notice of termination"),
                Words::new("终止办理", "Terminated"),
                case.end_reasons.clone(),
            ),
            (None, _) => return None,
        };
        let basis = case.procedure.legal_basis.iter();
        let mut document = Self {
            title,
            case_no: case.case_no().to_owned(),
            org: org_name(pack, case.opened.org.as_str()),
            applicant: case.opened.applicant.clone(),
            item: case.opened.item_name.clone(),
            received_on: case.received_at().china_date(),
            accepted_on: case.accepted_at.map(Timestamp::china_date),
            decided_at,
            outcome,
            favourable: decision.is_some_and(|decision| decision.favourable),
            reasons,
            basis: basis.map(|basis| Words::new(basis.cite("zh"), basis.cite("en"))).collect(),
            automatic: decision
                .and_then(|decision| decision.automatic.as_ref())
                .map(|automatic| (automatic.item_hash.clone(), automatic.row)),
            reviewed_in: decision.and_then(|decision| decision.reviewed_in.clone()),
            digest: String::new(),
        };
        let text = serde_json::to_vec(&document).unwrap_or_default();
        document.digest = hex::encode(crypto::hash::sm3(&text));
        Some(document)
    }
}

/// What an organisation is called; its code where the content files do not know it any more.
pub(crate) fn org_name(pack: &Pack, code: &str) -> Words {
    pack.org(code).map_or_else(|| Words::new(code, code), |org| org.name.clone())
}
