//! What an officer can do, by name: the page's buttons and the API's paths lead to the same place.

use std::collections::BTreeMap;

use kernel::actor::Actor;
use kernel::time::Timestamp;
use packs::model::Words;
use store::Tx;

use super::{
    At, Colleague, DecisionInput, accept, add_note, ask_correction, calendar, claim, decide, examine, extend,
    hand_over, pause, reassign, reject_application, release, resume, terminate,
};
use crate::error::ActionError;
use crate::model::{Case, CaseError, Grade, Point, Reason, Stage};

/// One thing that an officer can do with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkAction {
    /// Take it.
    Claim,
    /// Give it back.
    Release,
    /// Accept.
    Accept,
    /// Send the correction notice.
    AskCorrection,
    /// Not accept.
    RejectApplication,
    /// Examine.
    Examine,
    /// Decide.
    Decide,
    /// Hand over or call back.
    HandOver,
    /// Stop the clocks.
    Pause,
    /// Let them run again.
    Resume,
    /// Extend the limit.
    Extend,
    /// Hand to a colleague.
    Reassign,
    /// End without a decision.
    Terminate,
    /// Note something.
    AddNote,
}

impl WorkAction {
    /// Every action, in the order of the bar.
    pub const ALL: [Self; 14] = [
        Self::Claim,
        Self::Accept,
        Self::AskCorrection,
        Self::RejectApplication,
        Self::Examine,
        Self::Decide,
        Self::HandOver,
        Self::Resume,
        Self::Pause,
        Self::Extend,
        Self::Reassign,
        Self::Release,
        Self::Terminate,
        Self::AddNote,
    ];

    /// The word of the address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Release => "release",
            Self::Accept => "accept",
            Self::AskCorrection => "ask-correction",
            Self::RejectApplication => "reject",
            Self::Examine => "examine",
            Self::Decide => "decide",
            Self::HandOver => "hand-over",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Extend => "extend",
            Self::Reassign => "reassign",
            Self::Terminate => "terminate",
            Self::AddNote => "note",
        }
    }

    /// The action of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }

    /// Whether it needs nothing more than a press of its button.
    pub fn is_plain(self) -> bool {
        matches!(self, Self::Claim | Self::Release | Self::Accept | Self::Resume)
    }

    /// What the actor can do with a case now. The action itself checks again.
    pub fn available(case: &Case, actor: &Actor, now: Timestamp) -> Vec<Self> {
        Self::ALL.into_iter().filter(|action| action.is_available(case, actor, now)).collect()
    }

    fn is_available(self, case: &Case, actor: &Actor, now: Timestamp) -> bool {
        let stage = case.stage();
        let in_hand = case.in_hand_of(actor).is_ok();
        let heads = case
            .opened
            .terms
            .extension
            .as_ref()
            .is_some_and(|extension| case.in_role(actor, &extension.role).is_ok());
        let works = matches!(stage, Stage::Accepted | Stage::Review | Stage::Decision);
        let silent = case.deemed_acceptance(calendar(), now.china_date()).ok().flatten().is_some();
        let step = case.current_step();
        match self {
            Self::Claim => case.post_for(actor).is_ok() && case.assignee.is_none(),
            Self::Release => {
                case.assignee.is_some_and(|assignee| Some(assignee.account) == actor.account())
                    && case.post_for(actor).is_ok()
            }
            Self::Accept => in_hand && stage == Stage::Received,
            Self::AskCorrection => {
                in_hand && stage == Stage::Received && case.correction.is_none() && !silent && case.corrects()
            }
            Self::RejectApplication => in_hand && stage == Stage::Received && !silent,
            Self::Examine => in_hand && case.pause.is_none() && step.is_some_and(|step| !step.decides()),
            Self::Decide => in_hand && case.pause.is_none() && step.is_some_and(|step| step.decides()),
            Self::HandOver => in_hand && matches!(stage, Stage::Production | Stage::Delivery),
            Self::Pause => {
                in_hand && works && case.pause.is_none() && !case.procedure.clocks.pauses.is_empty()
            }
            Self::Resume => in_hand && case.pause.is_some(),
            Self::Extend => heads && works && case.extend("-", calendar(), now).is_ok(),
            Self::Reassign => case.assignee.is_some() && (in_hand || heads),
            Self::Terminate => in_hand && case.may_terminate(now.china_date()).is_ok(),
            Self::AddNote => case.seen_by(actor).is_ok(),
        }
    }
}

/// What an action is given; each reads its own part.
#[derive(Clone, Debug, Default)]
pub struct WorkInput {
    /// The points of a correction notice.
    pub points: Vec<String>,
    /// An opinion, a notice, a note or a reason, in words.
    pub text: String,
    /// The same in English, where it was given.
    pub text_en: String,
    /// The id of the procedure's legal basis that a reason applies.
    pub article: String,
    /// A result: decided or proposed.
    pub outcome: String,
    /// The ground of a pause.
    pub ground: String,
    /// Values that a decision fixes.
    pub values: BTreeMap<String, serde_json::Value>,
    /// The new grade of whoever was called back.
    pub grade: Option<Grade>,
    /// Who takes over.
    pub colleague: Option<Colleague>,
}

/// Does what an officer wants to do.
pub async fn perform(
    tx: &Tx,
    actor: &Actor,
    at: At,
    action: WorkAction,
    input: WorkInput,
) -> Result<Case, ActionError> {
    match action {
        WorkAction::Claim => claim(tx, actor, at).await,
        WorkAction::Release => release(tx, actor, at).await,
        WorkAction::Accept => accept(tx, actor, at).await,
        WorkAction::AskCorrection => {
            let points: Vec<Point> = input.points.into_iter().map(|text| Point { text }).collect();
            ask_correction(tx, actor, at, &points).await
        }
        WorkAction::RejectApplication => {
            let reasons = reasons(tx, at, &input).await?;
            reject_application(tx, actor, at, &reasons).await
        }
        WorkAction::Examine => examine(tx, actor, at, &input.text, Some(&input.outcome)).await,
        WorkAction::Decide => {
            let reasons = reasons(tx, at, &input).await?;
            decide(tx, actor, at, DecisionInput { outcome: input.outcome, reasons, values: input.values })
                .await
        }
        WorkAction::HandOver => hand_over(tx, actor, at, &input.text, input.grade).await,
        WorkAction::Pause => pause(tx, actor, at, &input.ground, &input.text).await,
        WorkAction::Resume => resume(tx, actor, at).await,
        WorkAction::Extend => extend(tx, actor, at, &input.text).await,
        WorkAction::Reassign => {
            let colleague = input.colleague.as_ref().ok_or(CaseError::CannotTakeOver)?;
            reassign(tx, actor, at, colleague, &input.text).await
        }
        WorkAction::Terminate => {
            let reasons = reasons(tx, at, &input).await?;
            terminate(tx, actor, at, &reasons).await
        }
        WorkAction::AddNote => add_note(tx, actor, at, &input.text).await,
    }
}

/// The reason that was written, with the clause of the procedure that was chosen.
async fn reasons(tx: &Tx, at: At, input: &WorkInput) -> Result<Vec<Reason>, ActionError> {
    let case = super::load(tx, at).await?.case;
    let zh = input.text.trim();
    let en = match input.text_en.trim() {
        "" => zh,
        en => en,
    };
    Ok(vec![Reason { text: Words::new(zh, en), article: case.cite(&input.article) }])
}
