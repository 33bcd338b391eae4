//! Work after acceptance: taking and handing over, examining, deciding, pausing, extending.

use std::collections::BTreeMap;

use kernel::actor::Actor;
use kernel::calendar::WorkCalendar;
use kernel::ids::{AccountId, SubjectId};
use kernel::legal_clock::PauseGround;
use kernel::time::Timestamp;
use packs::model::Words;

use super::error::CaseError;
use super::intake::MAX_TEXT;
use super::{Automatic, Case, CaseEventKind, EventActor, Reason, Stage, WorkStep};

/// How many reasons one decision may give.
const MAX_REASONS: usize = 20;

// Who may.
impl Case {
    /// The post in which the actor may do what the case waits for. Refuses those whose own affair it is, who
    /// acted in the case that this one looks at, and who did the step that this one checks.
    pub fn post_for(&self, actor: &Actor) -> Result<EventActor, CaseError> {
        let wrong = CaseError::WrongStage { stage: self.stage() };
        let Some(step) = self.due_step() else { return Err(wrong) };
        let Some(role) = &step.role else { return Err(wrong) };
        let acting = self.in_role(actor, role)?;
        if self.did_checked_step(&step, &acting) { Err(CaseError::FourEyes) } else { Ok(acting) }
    }

    /// The post with which the actor holds `role` in the organisation of the case.
    pub fn in_role(&self, actor: &Actor, role: &str) -> Result<EventActor, CaseError> {
        let held = actor.posts().iter().find(|held| held.org == self.opened.org && held.role == role);
        let acting = EventActor::new(actor, Some(held.ok_or(CaseError::NotYourPost)?.post.as_str()));
        if actor.subject() == Some(self.subject) {
            return Err(CaseError::OwnCase);
        }
        if self.is_excluded(&acting) { Err(CaseError::FourEyes) } else { Ok(acting) }
    }

    fn did_checked_step(&self, step: &WorkStep, officer: &EventActor) -> bool {
        let checked = step.not_same_as.as_deref();
        self.done.iter().any(|done| Some(done.step.as_str()) == checked && done.by.is_same_person(officer))
    }

    /// Whoever acted in the case that this one looks at has no part in it.
    fn is_excluded(&self, officer: &EventActor) -> bool {
        let excluded = self.opened.parent.iter().flat_map(|parent| &parent.excluded);
        excluded.into_iter().any(|other| other.is_same_person(officer))
    }

    /// The post in which an officer of the organisation may see the case. One's own affair, and a complaint about
    /// one's own work, may not be seen.
    pub fn seen_by(&self, actor: &Actor) -> Result<EventActor, CaseError> {
        let held =
            actor.posts().iter().find(|held| held.org == self.opened.org && self.knows_role(&held.role));
        let acting = EventActor::new(actor, Some(held.ok_or(CaseError::NotYourPost)?.post.as_str()));
        if actor.subject() == Some(self.subject) {
            return Err(CaseError::OwnCase);
        }
        if self.is_excluded(&acting) { Err(CaseError::FourEyes) } else { Ok(acting) }
    }

    /// Whether the procedure gives that role anything to do.
    fn knows_role(&self, role: &str) -> bool {
        self.procedure.steps.iter().any(|step| step.role.as_deref() == Some(role))
            || self.opened.terms.extension.as_ref().is_some_and(|extension| extension.role == role)
    }

    /// As [`Case::post_for`], and nobody else has the case in hand.
    pub fn in_hand_of(&self, actor: &Actor) -> Result<EventActor, CaseError> {
        let acting = self.post_for(actor)?;
        match self.assignee {
            Some(assignee) if Some(assignee.account) != actor.account() => Err(CaseError::ClaimedByOther),
            _ => Ok(acting),
        }
    }
}

// What may happen.
impl Case {
    /// An officer takes the case.
    pub fn claim(&self) -> Result<Vec<CaseEventKind>, CaseError> {
        match (self.due_role(), self.assignee) {
            (None, _) => Err(CaseError::WrongStage { stage: self.stage() }),
            (_, Some(_)) => Err(CaseError::ClaimedByOther),
            _ => Ok(vec![CaseEventKind::Claimed]),
        }
    }

    /// The officer gives it back.
    pub fn release(&self, account: AccountId) -> Result<Vec<CaseEventKind>, CaseError> {
        match self.assignee {
            Some(assignee) if assignee.account == account => Ok(vec![CaseEventKind::Released]),
            _ => Err(CaseError::NotClaimed),
        }
    }

    /// Hands the case to a colleague who may do the step. The action has checked that the colleague holds the
    /// post; four eyes are checked here.
    pub fn reassign(
        &self,
        to: AccountId,
        to_subject: SubjectId,
        reason: &str,
    ) -> Result<Vec<CaseEventKind>, CaseError> {
        if self.assignee.is_none() {
            return Err(CaseError::NotClaimed);
        }
        let colleague = EventActor {
            kind: "officer".to_owned(),
            account: Some(to),
            subject: Some(to_subject),
            label: String::new(),
        };
        if to_subject == self.subject
            || self.due_step().is_some_and(|step| self.did_checked_step(&step, &colleague))
            || self.is_excluded(&colleague)
        {
            return Err(CaseError::CannotTakeOver);
        }
        Ok(vec![CaseEventKind::Reassigned { to, to_subject, reason: required_text("reason", reason)? }])
    }

    /// Does a step before the deciding one, with an opinion and, it may be, a proposal.
    pub fn examine(&self, opinion: &str, proposal: Option<&str>) -> Result<Vec<CaseEventKind>, CaseError> {
        let wrong = CaseError::WrongStage { stage: self.stage() };
        let Some(step) = self.current_step().filter(|step| !step.decides()) else { return Err(wrong) };
        self.expect_running()?;
        let proposal = match proposal.filter(|proposal| !proposal.is_empty()) {
            Some(proposal) => Some(self.result(proposal)?.0.to_owned()),
            None => None,
        };
        Ok(vec![CaseEventKind::Examined {
            step: step.id.clone(),
            opinion: required_text("opinion", opinion)?,
            proposal,
        }])
    }

    /// Decides, in the last step.
    pub fn decide(
        &self,
        outcome: &str,
        reasons: &[Reason],
        values: BTreeMap<String, serde_json::Value>,
    ) -> Result<Vec<CaseEventKind>, CaseError> {
        let wrong = CaseError::WrongStage { stage: self.stage() };
        let Some(step) = self.current_step().filter(|step| step.decides()) else { return Err(wrong) };
        self.expect_running()?;
        let (outcome, favourable) = self.result(outcome)?;
        Ok(vec![CaseEventKind::Decided {
            step: Some(step.id.clone()),
            outcome: outcome.to_owned(),
            favourable,
            reasons: required_reasons(reasons)?,
            values,
            automatic: None,
        }])
    }

    /// Decides by the item's decision table, where the procedure allows it. Accepts first, where that is still
    /// to be done: a table that can decide has found the application complete.
    pub fn decide_automatically(
        &self,
        outcome: &str,
        reasons: &[Reason],
        values: BTreeMap<String, serde_json::Value>,
        by: Automatic,
    ) -> Result<Vec<CaseEventKind>, CaseError> {
        if !self.procedure.auto_decision {
            return Err(CaseError::NotAutomatic);
        }
        self.expect(&[Stage::Received, Stage::Accepted])?;
        self.expect_running()?;
        let (outcome, favourable) = self.result(outcome)?;
        let decided = CaseEventKind::Decided {
            step: None,
            outcome: outcome.to_owned(),
            favourable,
            reasons: required_reasons(reasons)?,
            values,
            automatic: Some(by),
        };
        Ok(match self.stage() {
            Stage::Received => vec![CaseEventKind::Accepted, decided],
            _ => vec![decided],
        })
    }

    /// Stops the clocks on a ground that the procedure names (行政许可法, article 45). The applicant is told.
    pub fn pause(&self, ground: &str, notice: &str) -> Result<Vec<CaseEventKind>, CaseError> {
        self.expect(&[Stage::Accepted, Stage::Review, Stage::Decision])?;
        self.expect_running()?;
        let Some(named) = self.procedure.clocks.pauses.iter().find(|pause| pause.id == ground) else {
            return Err(CaseError::UnknownGround { ground: ground.chars().take(40).collect() });
        };
        // Grounds of the law's closed list keep their name in the clock; others are named by the procedure.
        let word = serde_json::Value::from(named.id.replace('-', "_"));
        let ground = serde_json::from_value(word).unwrap_or(PauseGround::Other);
        Ok(vec![CaseEventKind::Paused {
            ground,
            name: named.name.clone(),
            article: self.cite(&named.article).unwrap_or_default(),
            notice: required_text("notice", notice)?,
        }])
    }

    /// Lets the clocks run again.
    pub fn resume(&self) -> Result<Vec<CaseEventKind>, CaseError> {
        match self.pause {
            Some(_) => Ok(vec![CaseEventKind::Resumed]),
            None => Err(CaseError::NotPaused),
        }
    }

    /// Extends the limit, once, while it runs (行政许可法, article 42). The applicant is told why.
    pub fn extend(
        &self,
        reason: &str,
        calendar: &WorkCalendar,
        now: Timestamp,
    ) -> Result<Vec<CaseEventKind>, CaseError> {
        let (Some(term), Some(extension)) = (&self.opened.terms.extension, &self.procedure.clocks.extension)
        else {
            return Err(CaseError::NoExtension);
        };
        self.expect(&[Stage::Accepted, Stage::Review, Stage::Decision])?;
        if self.extended {
            return Err(CaseError::ExtendedAlready);
        }
        // What counts is the limit of the law; where there is none, the promise.
        let run = self.clocks.statutory.as_ref().unwrap_or(&self.clocks.promised);
        if let Ok(state) = run.state(calendar, now.china_date())
            && let (true, Some(due)) = (state.overdue, state.due)
        {
            return Err(CaseError::ExtensionTooLate { due });
        }
        Ok(vec![CaseEventKind::Extended {
            days: term.days,
            article: self.cite(&extension.article).unwrap_or_default(),
            reason: required_text("reason", reason)?,
        }])
    }

    /// Notes something for colleagues.
    pub fn add_note(&self, text: &str) -> Result<Vec<CaseEventKind>, CaseError> {
        Ok(vec![CaseEventKind::NoteAdded { text: required_text("text", text)? }])
    }

    pub(crate) fn expect(&self, stages: &[Stage]) -> Result<(), CaseError> {
        let stage = self.stage();
        if stages.contains(&stage) { Ok(()) } else { Err(CaseError::WrongStage { stage }) }
    }

    fn expect_running(&self) -> Result<(), CaseError> {
        if self.pause.is_some() { Err(CaseError::Paused) } else { Ok(()) }
    }

    /// The result of that name, and whether it is favourable.
    fn result<'a>(&self, outcome: &'a str) -> Result<(&'a str, bool), CaseError> {
        match self.procedure.results.iter().find(|result| result.id == outcome) {
            Some(result) => Ok((outcome, result.favourable)),
            None => Err(CaseError::UnknownOutcome { outcome: outcome.chars().take(40).collect() }),
        }
    }

    /// A legal basis of the procedure, in both languages.
    pub(crate) fn cite(&self, id: &str) -> Option<Words> {
        self.procedure.basis(id).map(|basis| Words::new(basis.cite("zh"), basis.cite("en")))
    }
}

/// A text that must be there and not too long.
pub(crate) fn required_text(field: &'static str, text: &str) -> Result<String, CaseError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_TEXT {
        return Err(CaseError::Text { field, limit: MAX_TEXT });
    }
    Ok(text.to_owned())
}

/// Reasons that must be there: nobody is refused without one, and nobody is granted without one.
pub(crate) fn required_reasons(reasons: &[Reason]) -> Result<Vec<Reason>, CaseError> {
    let given: Vec<Reason> =
        reasons.iter().filter(|reason| !reason.text.zh.trim().is_empty()).cloned().collect();
    if given.is_empty() || given.len() > MAX_REASONS {
        return Err(CaseError::Text { field: "reason", limit: MAX_TEXT });
    }
    for reason in &given {
        required_text("reason", &reason.text.zh)?;
    }
    Ok(given)
}
