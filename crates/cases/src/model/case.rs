//! The case as it stands after its events.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::ids::{AccountId, BlobId, CaseId, LicenceId, SubjectId};
use kernel::legal_clock::{Light, PauseGround};
use kernel::time::{Date, Timestamp};
use packs::model::{Procedure, Stage as PackStage, Words};

use super::clocks::clock_event;
use super::steps::{delivery_step, intake_step, work_steps};
use super::{
    Automatic, CaseError, CaseEvent, CaseEventKind, ChildReason, ClockName, Clocks, EventActor, Opened,
    Point, Rating, Reason, WorkStep,
};

/// The stages that the general law knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
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
    Archived,
    /// 不予受理.
    NotAccepted,
    /// 撤回.
    Withdrawn,
    /// 终止.
    Terminated,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 12] = [
        Self::Received,
        Self::Correction,
        Self::Accepted,
        Self::Review,
        Self::Decision,
        Self::Production,
        Self::Delivery,
        Self::Rating,
        Self::Archived,
        Self::NotAccepted,
        Self::Withdrawn,
        Self::Terminated,
    ];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Correction => "correction",
            Self::Accepted => "accepted",
            Self::Review => "review",
            Self::Decision => "decision",
            Self::Production => "production",
            Self::Delivery => "delivery",
            Self::Rating => "rating",
            Self::Archived => "archived",
            Self::NotAccepted => "not_accepted",
            Self::Withdrawn => "withdrawn",
            Self::Terminated => "terminated",
        }
    }

    /// The stage of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// Whether a decision is still to come.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Received | Self::Correction | Self::Accepted | Self::Review | Self::Decision)
    }
}

/// Where the case is, with what that place needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Received; the office has to accept it, to ask for correction, or not to accept it.
    Received,
    /// It waits for the applicant's answer.
    Correction,
    /// Accepted; nobody has begun.
    Accepted {
        /// What comes first; nothing where no officer works on it.
        next: Option<WorkStep>,
    },
    /// Under work.
    Working {
        /// What is to be done now.
        step: WorkStep,
    },
    /// Decided; the licence is being made.
    Production,
    /// Decided; it has to be handed over.
    Delivery,
    /// Closed; it may be rated.
    Rating,
    /// Closed for good.
    Archived,
    /// Not accepted.
    NotAccepted,
    /// Withdrawn by the applicant.
    Withdrawn,
    /// Ended without a decision.
    Terminated,
}

/// Who has the case in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignee {
    /// The account.
    pub account: AccountId,
    /// The person.
    pub subject: SubjectId,
}

/// The one correction notice and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// When it was sent.
    pub asked_at: Timestamp,
    /// What has to be corrected.
    pub points: Vec<Point>,
    /// Until when it can be answered.
    pub answer_by: Option<Date>,
    /// The answer.
    pub answered: Option<Answered>,
}

/// The answer to a correction notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// When.
    pub at: Timestamp,
    /// In words.
    pub text: String,
    /// With a file.
    pub file: Option<BlobId>,
}

/// A time that is not counted and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPause {
    /// Why.
    pub ground: PauseGround,
    /// Why, as the procedure calls it.
    pub name: Words,
    /// Since when.
    pub since: Timestamp,
}

/// A step that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepDone {
    /// The step.
    pub step: String,
    /// By whom.
    pub by: EventActor,
    /// When.
    pub at: Timestamp,
    /// What was found.
    pub opinion: String,
    /// What was proposed.
    pub proposal: Option<String>,
}

/// The decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: EventActor,
    /// A result of the procedure.
    pub outcome: String,
    /// Whether the applicant gets what they asked for.
    pub favourable: bool,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What it fixes.
    pub values: std::collections::BTreeMap<String, serde_json::Value>,
    /// What decided, when no officer did.
    pub automatic: Option<Automatic>,
    /// The case in which a person looked at it.
    pub reviewed_in: Option<String>,
}

/// What was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// When.
    pub at: Timestamp,
    /// The licence, if there is one.
    pub licence: Option<LicenceId>,
}

/// A case that grew out of this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// The case.
    pub case_id: CaseId,
    /// Its number.
    pub case_no: String,
    /// Why.
    pub reason: ChildReason,
}

/// A case, folded from its events.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Whose case it is.
    pub subject: SubjectId,
    /// What was fixed when it opened.
    pub opened: Opened,
    /// Its procedure, in the version it opened under.
    pub procedure: Arc<Procedure>,
    /// Who has it in hand.
    pub assignee: Option<Assignee>,
    /// The correction notice.
    pub correction: Option<Correction>,
    /// When it was accepted, expressly or by silence.
    pub accepted_at: Option<Timestamp>,
    /// The open pause.
    pub pause: Option<OpenPause>,
    /// Whether the limit was extended.
    pub extended: bool,
    /// Steps that were done.
    pub done: Vec<StepDone>,
    /// The decision.
    pub decision: Option<Decision>,
    /// Why it was not accepted or was terminated.
    pub end_reasons: Vec<Reason>,
    /// What was handed over.
    pub delivered: Option<Delivered>,
    /// Ratings.
    pub ratings: Vec<Rating>,
    /// Cases that grew out of it.
    pub children: Vec<Child>,
    /// Cards that electronic supervision has shown.
    pub cards: BTreeSet<(ClockName, Date, bool)>,
    /// Both clocks.
    pub(crate) clocks: Clocks,
    pub(crate) status: Status,
    /// When it reached its present stage.
    pub(crate) since: Timestamp,
    /// The officers who acted in it.
    pub(crate) officers: Vec<EventActor>,
    received_at: Timestamp,
    closed_at: Option<Timestamp>,
    /// How it ended without a decision; archiving does not forget it.
    ended_as: Option<&'static str>,
    seq: u32,
    last_at: Timestamp,
}

impl Case {
    /// Folds a case from its events.
    pub fn fold(
        subject: SubjectId,
        id: CaseId,
        procedure: Arc<Procedure>,
        events: &[CaseEvent],
    ) -> Result<Self, CaseError> {
        let Some((first, rest)) = events.split_first() else { return Err(CaseError::Broken { seq: 1 }) };
        let mut case = Self::begin(subject, id, procedure, first)?;
        for event in rest {
            case.apply(event)?;
        }
        Ok(case)
    }

    /// A case with its first event alone.
    pub(crate) fn begin(
        subject: SubjectId,
        id: CaseId,
        procedure: Arc<Procedure>,
        event: &CaseEvent,
    ) -> Result<Self, CaseError> {
        let CaseEventKind::Opened(opened) = &event.kind else {
            return Err(CaseError::Broken { seq: event.seq });
        };
        if event.seq != 1 {
            return Err(CaseError::Broken { seq: event.seq });
        }
        let mut clocks = Clocks::new(opened.statutory.clone(), opened.promised.clone());
        if let Some(event) = clock_event(event) {
            clocks.push(&event)?;
        }
        Ok(Self {
            id,
            subject,
            opened: (**opened).clone(),
            procedure,
            assignee: None,
            correction: None,
            accepted_at: None,
            pause: None,
            extended: false,
            done: Vec::new(),
            decision: None,
            end_reasons: Vec::new(),
            delivered: None,
            ratings: Vec::new(),
            children: Vec::new(),
            cards: BTreeSet::new(),
            clocks,
            status: Status::Received,
            since: event.at,
            officers: Vec::new(),
            received_at: event.at,
            closed_at: None,
            ended_as: None,
            seq: 1,
            last_at: event.at,
        })
    }

    /// Where the case is.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The stage in the words of the law.
    pub fn stage(&self) -> Stage {
        match &self.status {
            Status::Received => Stage::Received,
            Status::Correction => Stage::Correction,
            Status::Accepted { .. } => Stage::Accepted,
            Status::Working { step } => step.stage,
            Status::Production => Stage::Production,
            Status::Delivery => Stage::Delivery,
            Status::Rating => Stage::Rating,
            Status::Archived => Stage::Archived,
            Status::NotAccepted => Stage::NotAccepted,
            Status::Withdrawn => Stage::Withdrawn,
            Status::Terminated => Stage::Terminated,
        }
    }

    /// Its number.
    pub fn case_no(&self) -> &str {
        &self.opened.case_no
    }

    /// When it was received.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// When it was decided, not accepted, withdrawn or terminated.
    pub fn closed_at(&self) -> Option<Timestamp> {
        self.closed_at
    }

    /// How many events it has; the next one is one more.
    pub fn seq(&self) -> u32 {
        self.seq
    }

    /// When the last event happened.
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// The step of the work between acceptance and decision that is to be done now.
    pub fn current_step(&self) -> Option<&WorkStep> {
        match &self.status {
            Status::Accepted { next } => next.as_ref(),
            Status::Working { step } => Some(step),
            _ => None,
        }
    }

    /// The step whose turn it is: accepting, working, deciding, handing over.
    pub fn due_step(&self) -> Option<WorkStep> {
        match &self.status {
            Status::Received | Status::Correction => intake_step(&self.procedure),
            Status::Accepted { .. } | Status::Working { .. } => self.current_step().cloned(),
            Status::Production | Status::Delivery => delivery_step(&self.procedure),
            Status::Rating
            | Status::Archived
            | Status::NotAccepted
            | Status::Withdrawn
            | Status::Terminated => None,
        }
    }

    /// The role whose turn it is, when it is an officer's.
    pub fn due_role(&self) -> Option<String> {
        self.due_step()?.role
    }

    /// The outcome in one word: a result of the procedure, or how the case ended without one.
    pub fn outcome(&self) -> Option<&str> {
        self.decision.as_ref().map(|decision| decision.outcome.as_str()).or(self.ended_as)
    }

    /// What the outcome is called.
    pub fn outcome_name(&self) -> Option<&Words> {
        let decision = self.decision.as_ref()?;
        self.procedure.results.iter().find(|result| result.id == decision.outcome).map(|result| &result.name)
    }

    /// Whether no officer accepts: the receipt is the acceptance.
    pub(crate) fn accepts_itself(&self) -> bool {
        self.stage() == Stage::Received && intake_step(&self.procedure).is_none()
    }

    /// The officers who acted in it.
    pub fn officers(&self) -> &[EventActor] {
        &self.officers
    }

    /// Whether it is the handling of a bad rating.
    pub fn is_complaint(&self) -> bool {
        self.opened.parent.as_ref().is_some_and(|parent| parent.reason == ChildReason::BadRating)
    }

    /// The event that would come next, if `kind` happened now. Time never runs backwards within a case.
    pub fn next_event(&self, kind: CaseEventKind, actor: EventActor, now: Timestamp) -> CaseEvent {
        CaseEvent { seq: self.seq + 1, at: now.max(self.last_at), actor, kind }
    }

    /// Takes the next event. An event that cannot follow is an error, and the case is as it was.
    pub fn apply(&mut self, event: &CaseEvent) -> Result<(), CaseError> {
        let broken = CaseError::Broken { seq: event.seq };
        if event.seq != self.seq + 1 || event.at < self.last_at || !self.may_follow(&event.kind) {
            return Err(broken);
        }
        if let Some(event) = clock_event(event) {
            self.clocks.push(&event)?;
        }
        let before = self.stage();
        self.take(event);
        if self.stage() != before {
            self.since = event.at;
        }
        if event.actor.kind == "officer" && !self.officers.iter().any(|known| known == &event.actor) {
            self.officers.push(event.actor.clone());
        }
        self.seq = event.seq;
        self.last_at = event.at;
        Ok(())
    }

    /// Whether the law's order of stages lets `kind` follow here.
    fn may_follow(&self, kind: &CaseEventKind) -> bool {
        let stage = self.stage();
        let working = matches!(stage, Stage::Accepted | Stage::Review | Stage::Decision);
        match kind {
            CaseEventKind::Opened(_) => false,
            CaseEventKind::CorrectionAsked { .. } => stage == Stage::Received && self.correction.is_none(),
            CaseEventKind::CorrectionAnswered { .. } => stage == Stage::Correction,
            CaseEventKind::Accepted | CaseEventKind::NotAccepted { .. } => stage == Stage::Received,
            CaseEventKind::DeemedAccepted { .. } => stage == Stage::Received && self.correction.is_none(),
            CaseEventKind::Claimed => self.due_role().is_some() && self.assignee.is_none(),
            CaseEventKind::Released | CaseEventKind::Reassigned { .. } => self.assignee.is_some(),
            CaseEventKind::Examined { step, .. } => {
                self.pause.is_none()
                    && self.current_step().is_some_and(|current| current.id == *step && !current.decides())
            }
            CaseEventKind::Decided { step: None, .. } => working && self.pause.is_none(),
            CaseEventKind::Decided { step: Some(step), .. } => {
                self.pause.is_none()
                    && self.current_step().is_some_and(|current| current.id == *step && current.decides())
            }
            CaseEventKind::Paused { .. } => working && self.pause.is_none(),
            CaseEventKind::Resumed => self.pause.is_some(),
            CaseEventKind::Extended { .. } => working && !self.extended,
            CaseEventKind::Withdrawn { .. } | CaseEventKind::Terminated { .. } => stage.is_open(),
            CaseEventKind::NoteAdded { .. } | CaseEventKind::ChildOpened { .. } => true,
            CaseEventKind::CardShown { .. } => true,
            CaseEventKind::Delivered { .. } => matches!(stage, Stage::Production | Stage::Delivery),
            CaseEventKind::Rated { moment, again, .. } => {
                !self.ratings.iter().any(|rating| rating.moment == *moment && rating.again == *again)
            }
            CaseEventKind::Reviewed { .. } => {
                self.decision.as_ref().is_some_and(|decision| decision.reviewed_in.is_none())
            }
            CaseEventKind::Archived => {
                matches!(stage, Stage::Rating | Stage::NotAccepted | Stage::Withdrawn | Stage::Terminated)
            }
        }
    }

    fn take(&mut self, event: &CaseEvent) {
        match &event.kind {
            CaseEventKind::Opened(_) | CaseEventKind::NoteAdded { .. } => {}
            CaseEventKind::CorrectionAsked { points, answer_by } => {
                self.correction = Some(Correction {
                    asked_at: event.at,
                    points: points.clone(),
                    answer_by: *answer_by,
                    answered: None,
                });
                self.assignee = None;
                self.status = Status::Correction;
            }
            CaseEventKind::CorrectionAnswered { text, file } => {
                if let Some(correction) = &mut self.correction {
                    correction.answered = Some(Answered { at: event.at, text: text.clone(), file: *file });
                }
                self.assignee = None;
                self.status = Status::Received;
            }
            CaseEventKind::Accepted | CaseEventKind::DeemedAccepted { .. } => {
                self.accepted_at = Some(event.at);
                let next = self.step_after(None);
                // Who accepts and then examines keeps the case in hand.
                let accepting = intake_step(&self.procedure).and_then(|step| step.role);
                if next.as_ref().and_then(|step| step.role.clone()) != accepting {
                    self.assignee = None;
                }
                self.status = match (next, self.assignee) {
                    (Some(step), Some(_)) => Status::Working { step },
                    (next, _) => Status::Accepted { next },
                };
            }
            CaseEventKind::NotAccepted { reasons } => {
                self.end_reasons = reasons.clone();
                self.close(Status::NotAccepted, event.at);
            }
            CaseEventKind::Claimed => {
                self.assignee = assignee_of(&event.actor);
                if let Status::Accepted { next: Some(step) } = &self.status {
                    self.status = Status::Working { step: step.clone() };
                }
            }
            CaseEventKind::Released => self.assignee = None,
            CaseEventKind::Reassigned { to, to_subject, .. } => {
                self.assignee = Some(Assignee { account: *to, subject: *to_subject });
            }
            CaseEventKind::Examined { step, opinion, proposal } => {
                self.done.push(StepDone {
                    step: step.clone(),
                    by: event.actor.clone(),
                    at: event.at,
                    opinion: opinion.clone(),
                    proposal: proposal.clone(),
                });
                if let Some(next) = self.step_after(Some(step)) {
                    self.status = Status::Working { step: next };
                }
                self.assignee = None;
            }
            CaseEventKind::Decided { step, outcome, favourable, reasons, values, automatic } => {
                self.done.extend(step.iter().map(|step| StepDone {
                    step: step.clone(),
                    by: event.actor.clone(),
                    at: event.at,
                    opinion: String::new(),
                    proposal: None,
                }));
                self.decision = Some(Decision {
                    at: event.at,
                    by: event.actor.clone(),
                    outcome: outcome.clone(),
                    favourable: *favourable,
                    reasons: reasons.clone(),
                    values: values.clone(),
                    automatic: automatic.clone(),
                    reviewed_in: None,
                });
                let next = self.after_decision(*favourable);
                self.close(next, event.at);
            }
            CaseEventKind::Paused { ground, name, .. } => {
                self.pause = Some(OpenPause { ground: *ground, name: name.clone(), since: event.at });
            }
            CaseEventKind::Resumed => self.pause = None,
            CaseEventKind::Extended { .. } => self.extended = true,
            CaseEventKind::Withdrawn { .. } => self.close(Status::Withdrawn, event.at),
            CaseEventKind::Terminated { reasons } => {
                self.end_reasons = reasons.clone();
                self.close(Status::Terminated, event.at);
            }
            CaseEventKind::Delivered { licence } => {
                self.delivered = Some(Delivered { at: event.at, licence: *licence });
                self.assignee = None;
                self.status = self.after_delivery();
            }
            CaseEventKind::Rated { moment, grade, again, .. } => {
                self.ratings.push(Rating { moment: *moment, grade: *grade, again: *again });
            }
            CaseEventKind::ChildOpened { case_id, case_no, reason } => {
                self.children.push(Child { case_id: *case_id, case_no: case_no.clone(), reason: *reason });
            }
            CaseEventKind::Reviewed { case_no, new_outcome, favourable, reasons, .. } => {
                if let Some(decision) = &mut self.decision {
                    decision.reviewed_in = Some(case_no.clone());
                    if let Some(outcome) = new_outcome {
                        decision.outcome = outcome.clone();
                        decision.favourable = *favourable;
                        decision.reasons = reasons.clone();
                    }
                }
                if new_outcome.is_some() && *favourable && self.delivered.is_none() {
                    self.status = self.after_decision(true);
                }
            }
            CaseEventKind::CardShown { clock, light, due } => {
                self.cards.insert((*clock, *due, *light == Light::Red));
            }
            CaseEventKind::Archived => self.status = Status::Archived,
        }
    }

    fn close(&mut self, status: Status, at: Timestamp) {
        self.ended_as = match &status {
            Status::NotAccepted => Some(Stage::NotAccepted.as_str()),
            Status::Withdrawn => Some(Stage::Withdrawn.as_str()),
            Status::Terminated => Some(Stage::Terminated.as_str()),
            _ => None,
        };
        self.status = status;
        self.closed_at = Some(at);
        self.assignee = None;
        self.pause = None;
    }

    /// The first step of work, or the one after `step`.
    fn step_after(&self, step: Option<&str>) -> Option<WorkStep> {
        let mut steps = work_steps(&self.procedure).into_iter();
        if let Some(step) = step {
            steps.by_ref().find(|candidate| candidate.id == step)?;
        }
        steps.next()
    }

    /// A favourable decision is made into a licence and handed over, where the procedure has these stages. The
    /// text of a refusal reaches the applicant with the decision itself, unless an officer has to hand it over.
    fn after_decision(&self, favourable: bool) -> Status {
        let has = |stage| self.procedure.stages.contains(&stage);
        if favourable && has(PackStage::Production) {
            Status::Production
        } else if has(PackStage::Delivery) && (favourable || delivery_step(&self.procedure).is_some()) {
            Status::Delivery
        } else {
            self.after_delivery()
        }
    }

    fn after_delivery(&self) -> Status {
        let rated = self.procedure.stages.contains(&PackStage::Rating);
        if rated { Status::Rating } else { Status::Archived }
    }
}

fn assignee_of(actor: &EventActor) -> Option<Assignee> {
    Some(Assignee { account: actor.account?, subject: actor.subject? })
}
