//! A procedure (程序): stages and clocks from the general law, steps for posts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LegalBasis, Words};

/// One procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// What it is for.
    pub summary: Words,
    /// What it rests on.
    pub legal_basis: Vec<LegalBasis>,
    /// The stages it uses, in their order, then the ends that lie off the way.
    pub stages: Vec<Stage>,
    /// Who does what.
    pub steps: Vec<ProcedureStep>,
    /// The clocks around the decision's own limit, which the item names.
    pub clocks: Clocks,
    /// Whether an `auto_approve` of the review table decides the case without an officer.
    pub auto_decision: bool,
    /// The outcomes that a review table of this procedure may have.
    pub review_outcomes: Vec<String>,
    /// The right to have a decision looked at by a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_on_request: Option<ReviewOnRequest>,
    /// Rules for bookings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<AppointmentRules>,
    /// How a case may end.
    pub results: Vec<CaseResult>,
    /// The 15 national case states, by the moment that brings them.
    pub national_states: Vec<NationalState>,
}

/// The stages that the general law knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 草稿.
    Draft,
    /// 收件.
    Received,
    /// 补正.
    Correction,
    /// 受理.
    Accepted,
    /// 审查.
    Review,
    /// 决定.
    Decision,
    /// 制证.
    Production,
    /// 送达.
    Delivery,
    /// 评价.
    Rating,
    /// 归档.
    Archive,
    /// 不予受理.
    NotAccepted,
    /// 撤回.
    Withdrawn,
    /// 终止.
    Terminated,
    /// 复议.
    Reconsideration,
}

/// Who does what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcedureStep {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// The stage it belongs to.
    pub stage: Stage,
    /// What is done.
    pub action: StepAction,
    /// The role that does it; absent where the node itself does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Four eyes: never the person who did that earlier step of the same case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_same_as: Option<String>,
}

/// What is done in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepAction {
    /// Takes in (收件).
    Receive,
    /// Accepts, or asks for correction, or does not accept (受理).
    Accept,
    /// Examines and proposes (审查).
    Examine,
    /// Decides (决定).
    Decide,
    /// Makes the licence or document (制证).
    Produce,
    /// Hands over (送达).
    Deliver,
    /// Confirms a booking.
    Confirm,
    /// Serves the persons at the counter.
    Attend,
    /// Verifies a complaint (核实).
    Verify,
    /// Puts right (整改).
    Rectify,
    /// Calls back (回访).
    CallBack,
}

/// The clocks around the decision. Each names a dated rule row for its days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// The one correction notice must go out within this (行政许可法 §32).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<String>,
    /// How long the applicant has to answer the notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction_answer: Option<String>,
    /// Whether silence past the correction limit counts as acceptance from receipt.
    #[serde(default)]
    pub deemed_acceptance: bool,
    /// The limit of the whole procedure where the item does not set one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_limit: Option<String>,
    /// The decision is delivered within this (行政许可法 §44).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// The only grounds on which the clock may stand still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<PauseGround>,
    /// Who may extend the limit, and by how much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
}

/// A ground for a pause (特别程序).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseGround {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// The id of the procedure's legal basis that allows it.
    pub article: String,
}

/// The right to extend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The dated rule row that holds the days.
    pub rule: String,
    /// The only role that may approve it.
    pub role: String,
    /// The id of the legal basis.
    pub article: String,
}

/// The right to a human review of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewOnRequest {
    /// The procedure that reviews.
    pub procedure: String,
    /// The dated rule row with the days in which it may be asked for.
    pub within: String,
}

/// Rules for bookings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppointmentRules {
    /// Whether every party confirms with an account of their own.
    pub all_parties_confirm: bool,
    /// Whether those who find no free slot may wait for one.
    pub waiting_list: bool,
    /// Up to how many hours before its start a booking may be moved or given up.
    pub change_until_hours: u32,
}

/// How a case may end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseResult {
    /// Its id, for example `approved`.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// The national state it brings.
    pub national_state: u8,
    /// Whether the applicant gets what they asked for.
    pub favourable: bool,
}

/// A national case state (1 to 15) and the moment that brings it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NationalState {
    /// The moment: `received`, `withdrawn_before_acceptance`, `accepted`, `not_accepted`,
    /// `correction_asked`, `correction_answered`, `review_started`, `paused`, `resumed`,
    /// `withdrawn`, `revoked`.
    pub on: String,
    /// The state's number.
    pub state: u8,
}

impl Procedure {
    /// The national state that a moment or a result brings.
    pub fn national_state(&self, on: &str) -> Option<u8> {
        let moment = self.national_states.iter().find(|s| s.on == on).map(|s| s.state);
        moment.or_else(|| self.results.iter().find(|r| r.id == on).map(|r| r.national_state))
    }

    /// Roles by the step that needs them.
    pub fn roles(&self) -> BTreeMap<&str, &str> {
        self.steps.iter().filter_map(|s| Some((s.id.as_str(), s.role.as_deref()?))).collect()
    }

    /// The step of that id.
    pub fn step(&self, id: &str) -> Option<&ProcedureStep> {
        self.steps.iter().find(|s| s.id == id)
    }

    /// The legal basis of that id.
    pub fn basis(&self, id: &str) -> Option<&LegalBasis> {
        self.legal_basis.iter().find(|b| b.id == id)
    }
}
