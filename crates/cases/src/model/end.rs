//! How a case ends, and what can still happen then.

use kernel::calendar::WorkCalendar;
use kernel::ids::{CaseId, LicenceId};
use kernel::time::Date;

use super::clocks::last_day;
use super::error::CaseError;
use super::intake::MAX_TEXT;
use super::work::required_reasons;
use super::{Case, CaseEventKind, ChildReason, Reason, Stage};

/// How a case ended: what others react to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// A result of the procedure, or `not_accepted`, `withdrawn`, `terminated`.
    pub word: String,
    /// Whether the applicant gets what they asked for.
    pub favourable: bool,
}

impl Case {
    /// How the case ended, once it has.
    pub fn ended(&self) -> Option<Outcome> {
        let favourable = self.decision.as_ref().is_some_and(|decision| decision.favourable);
        self.outcome().map(|word| Outcome { word: word.to_owned(), favourable })
    }

    /// The applicant withdraws, at any time before the decision.
    pub fn withdraw(&self, reason: &str) -> Result<Vec<CaseEventKind>, CaseError> {
        if !self.stage().is_open() {
            return Err(CaseError::WrongStage { stage: self.stage() });
        }
        let reason = reason.trim().to_owned();
        if reason.chars().count() > MAX_TEXT {
            return Err(CaseError::Text { field: "reason", limit: MAX_TEXT });
        }
        Ok(vec![CaseEventKind::Withdrawn { reason }])
    }

    /// Ends the case without a decision, with reasons.
    pub fn terminate(&self, reasons: &[Reason], today: Date) -> Result<Vec<CaseEventKind>, CaseError> {
        self.may_terminate(today)?;
        Ok(vec![CaseEventKind::Terminated { reasons: required_reasons(reasons)? }])
    }

    /// A case that waits for the applicant's correction can be ended only when their time has run out; one that
    /// was just received is accepted or not accepted instead.
    pub fn may_terminate(&self, today: Date) -> Result<(), CaseError> {
        let stage = self.stage();
        let still_time = self
            .correction
            .as_ref()
            .is_some_and(|correction| correction.answer_by.is_none_or(|until| today <= until));
        if !stage.is_open() || stage == Stage::Received || (stage == Stage::Correction && still_time) {
            return Err(CaseError::WrongStage { stage });
        }
        Ok(())
    }

    /// The result was made and handed over.
    pub fn deliver(&self, licence: Option<LicenceId>) -> Result<Vec<CaseEventKind>, CaseError> {
        self.expect(&[Stage::Production, Stage::Delivery])?;
        Ok(vec![CaseEventKind::Delivered { licence }])
    }

    /// Checks that a human review may be asked for, and names the procedure that reviews.
    pub fn review_procedure(&self, calendar: &WorkCalendar, today: Date) -> Result<&str, CaseError> {
        let Some(review) = &self.procedure.review_on_request else { return Err(CaseError::NoReview) };
        let Some(decision) = &self.decision else { return Err(CaseError::NoReview) };
        if self.children.iter().any(|child| child.reason == ChildReason::Review) {
            return Err(CaseError::ReviewAsked);
        }
        if let Some(limit) = self.opened.terms.review
            // Past the calendar the last day is not certain, so it is not held against the applicant.
            && let Ok(until) = last_day(limit, decision.at, calendar)
            && today > until
        {
            return Err(CaseError::ReviewTooLate { until });
        }
        Ok(&review.procedure)
    }

    /// A case of its own grew out of this one.
    pub fn child_opened(&self, case_id: CaseId, case_no: &str, reason: ChildReason) -> CaseEventKind {
        CaseEventKind::ChildOpened { case_id, case_no: case_no.to_owned(), reason }
    }

    /// Archives a closed case: a rated one at once, any other when its time for a rating is over.
    pub fn archive(&self, today: Date) -> Option<CaseEventKind> {
        let rated = self.ratings.iter().any(|rating| rating.moment == super::Moment::Completion);
        let due = self.archive_on()?;
        (rated || today >= due).then_some(CaseEventKind::Archived)
    }

    /// The day on which a closed case is archived if nobody rates it before.
    pub(crate) fn archive_on(&self) -> Option<Date> {
        let closed =
            matches!(self.stage(), Stage::Rating | Stage::NotAccepted | Stage::Withdrawn | Stage::Terminated);
        let days = jiff::Span::new().try_days(self.opened.terms.rating_open_days).ok()?;
        self.since.china_date().checked_add(days).ok().filter(|_| closed)
    }
}
