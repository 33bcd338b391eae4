//! The numbers of a procedure, resolved on the day of receipt and kept with the case.

use kernel::legal_clock::{ClockRule, Limit, StartEvent, Unit};
use kernel::time::Date;
use packs::model::{ItemDoc, Procedure, Start, Term, TermUnit};
use packs::{RuleError, Rules};
use serde::{Deserialize, Serialize};

/// For how many days a finished case waits for its rating before it is archived. The platform's own choice,
/// not a number of the law.
const RATING_OPEN_DAYS: u32 = 30;

/// The days around the decision, as the dated rule rows said on the day of receipt.
///
/// They go into the case's first event: a rule that changes later does not change a case under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Within this the one correction notice must go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Limit>,
    /// How long the applicant has to answer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction_answer: Option<Limit>,
    /// Whether silence past the first counts as acceptance.
    #[serde(default)]
    pub deemed_acceptance: bool,
    /// Within this a decision is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Limit>,
    /// Who may extend the limit, and by how much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<ExtensionTerm>,
    /// Within this a human review may be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Limit>,
    /// For how many days a finished case waits for its rating.
    #[serde(default = "rating_open_days")]
    pub rating_open_days: u32,
}

/// The right to extend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionTerm {
    /// By how many days, in the unit of the limit.
    pub days: u32,
    /// The only role that may.
    pub role: String,
}

/// Why a procedure's numbers could not be resolved.
#[derive(Debug, thiserror::Error)]
#[error("the terms of procedure `{procedure}` cannot be resolved")]
pub struct TermsError {
    procedure: String,
    #[source]
    source: RuleError,
}

impl Terms {
    /// The terms of `procedure` on the day of receipt.
    pub fn resolve(procedure: &Procedure, rules: &Rules, day: Date) -> Result<Self, TermsError> {
        let wrap = |source| TermsError { procedure: procedure.id.clone(), source };
        let days = |id: &Option<String>| match id {
            Some(id) => rules.days(id, day).map(|term| Some(limit_of(term))).map_err(wrap),
            None => Ok(None),
        };
        let clocks = &procedure.clocks;
        let extension = match &clocks.extension {
            Some(extension) => Some(ExtensionTerm {
                days: rules.days(&extension.rule, day).map_err(wrap)?.days,
                role: extension.role.clone(),
            }),
            None => None,
        };
        Ok(Self {
            correction: days(&clocks.correction)?,
            correction_answer: days(&clocks.correction_answer)?,
            deemed_acceptance: clocks.deemed_acceptance,
            delivery: days(&clocks.delivery)?,
            extension,
            review: days(&procedure.review_on_request.as_ref().map(|review| review.within.clone()))?,
            rating_open_days: RATING_OPEN_DAYS,
        })
    }

    /// The two clock rules of an item on a day: that of the law, which is the procedure's own where the item
    /// names none, and that of the promise.
    pub fn clock_rules(
        item: &ItemDoc,
        procedure: &Procedure,
        rules: &Rules,
        day: Date,
    ) -> Result<(Option<ClockRule>, ClockRule), TermsError> {
        let start = match item.limits.start {
            Start::Received => StartEvent::Received,
            Start::Accepted => StartEvent::Accepted,
        };
        let basis =
            item.limits.article.as_deref().and_then(|id| item.legal_basis.iter().find(|b| b.id == id));
        let statutory = match item.limits.statutory {
            Some(term) => {
                let source = basis.map(|basis| basis.cite("zh")).unwrap_or_default();
                Some(ClockRule { limit: limit_of(term), start, source })
            }
            None => Self::decision_rule(procedure, rules, day)?.map(|rule| rule.starting_at(start)),
        };
        let promised = ClockRule { limit: limit_of(item.limits.promised), start, source: item.id.clone() };
        Ok((statutory, promised))
    }

    /// The rule of the whole procedure, where its clocks name one: from acceptance.
    pub fn decision_rule(
        procedure: &Procedure,
        rules: &Rules,
        day: Date,
    ) -> Result<Option<ClockRule>, TermsError> {
        let Some(id) = &procedure.clocks.decision_limit else { return Ok(None) };
        let wrap = |source| TermsError { procedure: procedure.id.clone(), source };
        let limit = limit_of(rules.days(id, day).map_err(wrap)?);
        let row = rules.at(id, day).map_err(wrap)?;
        Ok(Some(ClockRule { limit, start: StartEvent::Accepted, source: row.source.cite("zh") }))
    }
}

/// A term of a content file as a limit of a clock.
pub(crate) fn limit_of(term: Term) -> Limit {
    let unit = match term.unit {
        TermUnit::WorkingDays => Unit::WorkingDays,
        TermUnit::NaturalDays => Unit::NaturalDays,
    };
    Limit { days: term.days, unit }
}

fn rating_open_days() -> u32 {
    RATING_OPEN_DAYS
}
