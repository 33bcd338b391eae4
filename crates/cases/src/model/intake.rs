//! The first days: one correction notice, acceptance, non-acceptance, and what silence means.

use kernel::calendar::WorkCalendar;
use kernel::ids::BlobId;
use kernel::legal_clock::Limit;
use kernel::time::{Date, Timestamp};
use packs::model::Stage as PackStage;

use super::clocks::last_day;
use super::error::CaseError;
use super::{Case, CaseEventKind, Point, Reason, Stage};
use crate::model::work::{required_reasons, required_text};

/// How many points one notice may hold.
const MAX_POINTS: usize = 20;

/// How long a point, an answer or an opinion may be, in characters.
pub(crate) const MAX_TEXT: usize = 2000;

impl Case {
    /// Whether the office has been silent so long that the application counts as accepted, and the last day
    /// on which it could have spoken (行政许可法, article 32).
    pub fn deemed_acceptance(&self, calendar: &WorkCalendar, today: Date) -> Result<Option<Date>, CaseError> {
        let Some(limit) = self.silence_limit() else { return Ok(None) };
        let deadline = last_day(limit, self.received_at(), calendar)?;
        Ok((today > deadline).then_some(deadline))
    }

    /// The last day on which the office may still be silent, where silence means something.
    pub(crate) fn silence_ends(&self, calendar: &WorkCalendar) -> Option<Date> {
        last_day(self.silence_limit()?, self.received_at(), calendar).ok()
    }

    fn silence_limit(&self) -> Option<Limit> {
        let terms = &self.opened.terms;
        let waits = self.stage() == Stage::Received && self.correction.is_none() && terms.deemed_acceptance;
        terms.correction.filter(|_| waits)
    }

    /// The acceptance that silence has brought, to be recorded by the node.
    pub fn accept_by_silence(
        &self,
        calendar: &WorkCalendar,
        today: Date,
    ) -> Result<Option<CaseEventKind>, CaseError> {
        let received = self.received_at().china_date();
        Ok(self
            .deemed_acceptance(calendar, today)?
            .map(|deadline| CaseEventKind::DeemedAccepted { received, deadline }))
    }

    /// Whether the procedure knows a correction notice.
    pub fn corrects(&self) -> bool {
        self.procedure.stages.contains(&PackStage::Correction)
    }

    /// Sends the one correction notice, which names everything.
    pub fn ask_correction(
        &self,
        points: &[Point],
        calendar: &WorkCalendar,
        now: Timestamp,
    ) -> Result<Vec<CaseEventKind>, CaseError> {
        if self.correction.is_some() {
            return Err(CaseError::SecondCorrection);
        }
        if !self.corrects() {
            return Err(CaseError::NoCorrection);
        }
        self.expect(&[Stage::Received])?;
        self.refuse_after_silence(calendar, now.china_date())?;
        let points: Vec<Point> = points
            .iter()
            .map(|point| Point { text: point.text.trim().to_owned() })
            .filter(|point| !point.text.is_empty())
            .collect();
        if points.is_empty() || points.len() > MAX_POINTS {
            return Err(CaseError::Text { field: "points", limit: MAX_TEXT });
        }
        for point in &points {
            required_text("points", &point.text)?;
        }
        let answer_by = match self.opened.terms.correction_answer {
            // Beyond the calendar there is no certain day, so none is set against the applicant.
            Some(limit) => last_day(limit, now, calendar).ok(),
            None => None,
        };
        Ok(vec![CaseEventKind::CorrectionAsked { points, answer_by }])
    }

    /// The applicant's answer, in words or with a file or both. A late answer is taken while the case is open.
    pub fn answer_correction(
        &self,
        text: &str,
        file: Option<BlobId>,
    ) -> Result<Vec<CaseEventKind>, CaseError> {
        self.expect(&[Stage::Correction])?;
        let text = text.trim().to_owned();
        if text.chars().count() > MAX_TEXT || (text.is_empty() && file.is_none()) {
            return Err(CaseError::Text { field: "text", limit: MAX_TEXT });
        }
        Ok(vec![CaseEventKind::CorrectionAnswered { text, file }])
    }

    /// Accepts. Where silence has done so already, that is what is recorded, with the day of receipt.
    pub fn accept(&self, calendar: &WorkCalendar, now: Timestamp) -> Result<Vec<CaseEventKind>, CaseError> {
        self.expect(&[Stage::Received])?;
        let deemed = self.accept_by_silence(calendar, now.china_date())?;
        Ok(vec![deemed.unwrap_or(CaseEventKind::Accepted)])
    }

    /// Does not accept, with reasons (行政许可法, articles 32 and 38).
    pub fn reject_application(
        &self,
        reasons: &[Reason],
        calendar: &WorkCalendar,
        now: Timestamp,
    ) -> Result<Vec<CaseEventKind>, CaseError> {
        self.expect(&[Stage::Received])?;
        self.refuse_after_silence(calendar, now.china_date())?;
        Ok(vec![CaseEventKind::NotAccepted { reasons: required_reasons(reasons)? }])
    }

    fn refuse_after_silence(&self, calendar: &WorkCalendar, today: Date) -> Result<(), CaseError> {
        match self.deemed_acceptance(calendar, today)? {
            Some(deadline) => Err(CaseError::DeemedAccepted { deadline }),
            None => Ok(()),
        }
    }
}
