//! Why a case cannot go where somebody wants it to go.

use kernel::calendar::BeyondCalendar;
use kernel::error::Coded;
use kernel::legal_clock::ClockError;
use kernel::time::Date;

use super::{Moment, Stage};

/// The reason of a refusal, with a stable code.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// Not in this stage.
    #[error("the case is in stage `{}`, which does not allow this", stage.as_str())]
    WrongStage {
        /// Where it is.
        stage: Stage,
    },
    /// Somebody acted since the page was read.
    #[error("the case has moved on since it was read")]
    ChangedMeanwhile,
    /// The actor holds no post that may.
    #[error("none of the actor's posts may do this in this case")]
    NotYourPost,
    /// It is the officer's own affair (回避).
    #[error("an officer does not handle their own affair")]
    OwnCase,
    /// The same person did the step that this one checks, or acted in the case that this one looks at.
    #[error("another person must do this step")]
    FourEyes,
    /// Another officer has claimed it.
    #[error("another officer has claimed the case")]
    ClaimedByOther,
    /// Nobody, or somebody else, has claimed it.
    #[error("the case is not claimed by the actor")]
    NotClaimed,
    /// The officer who should take over may not.
    #[error("the other officer holds no post that may do the next step")]
    CannotTakeOver,
    /// The law allows one correction notice (行政许可法, article 32).
    #[error("a correction notice was sent already")]
    SecondCorrection,
    /// The procedure has no correction.
    #[error("the procedure knows no correction notice")]
    NoCorrection,
    /// The office was silent too long.
    #[error("the office was silent past {deadline}, so the application counts as accepted")]
    DeemedAccepted {
        /// The last day on which it could have spoken.
        deadline: Date,
    },
    /// A text that has to be given is empty or too long.
    #[error("field `{field}` must hold between 1 and {limit} characters")]
    Text {
        /// The field.
        field: &'static str,
        /// How long it may be.
        limit: usize,
    },
    /// The clock stands still.
    #[error("the clock is paused")]
    Paused,
    /// The clock runs.
    #[error("the clock is not paused")]
    NotPaused,
    /// The procedure does not name that ground.
    #[error("`{ground}` is no ground for a pause in this procedure")]
    UnknownGround {
        /// The ground.
        ground: String,
    },
    /// The procedure knows no extension.
    #[error("the procedure knows no extension")]
    NoExtension,
    /// It was extended before.
    #[error("the limit was extended already")]
    ExtendedAlready,
    /// The limit has passed.
    #[error("the limit ran out on {due}")]
    ExtensionTooLate {
        /// The due date.
        due: Date,
    },
    /// The procedure knows no such result.
    #[error("`{outcome}` is no result of this procedure")]
    UnknownOutcome {
        /// The result.
        outcome: String,
    },
    /// The procedure lets no machine decide.
    #[error("the procedure does not allow an automatic decision")]
    NotAutomatic,
    /// A moment is rated once.
    #[error("`{}` was rated already", moment.as_str())]
    AlreadyRated {
        /// The moment.
        moment: Moment,
    },
    /// There is nothing to rate yet, or no longer.
    #[error("`{}` cannot be rated now", moment.as_str())]
    NotRatable {
        /// The moment.
        moment: Moment,
    },
    /// The procedure, or the way in which the case was decided, offers no review.
    #[error("no human review is offered here")]
    NoReview,
    /// A review was asked for before.
    #[error("a review was asked for already")]
    ReviewAsked,
    /// The time for it has passed.
    #[error("a review could be asked for until {until}")]
    ReviewTooLate {
        /// The last day.
        until: Date,
    },
    /// A legal clock refuses the event.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The calendar ends too early.
    #[error(transparent)]
    BeyondCalendar(#[from] BeyondCalendar),
    /// Stored events do not follow from each other.
    #[error("event {seq} of the case cannot follow those before it")]
    Broken {
        /// Its place.
        seq: u32,
    },
}

impl Coded for CaseError {
    fn code(&self) -> &'static str {
        match self {
            Self::WrongStage { .. } => "case.wrong_stage",
            Self::ChangedMeanwhile => "case.changed_meanwhile",
            Self::NotYourPost => "case.not_your_post",
            Self::OwnCase => "case.own_case",
            Self::FourEyes => "case.four_eyes",
            Self::ClaimedByOther => "case.claimed_by_other",
            Self::NotClaimed => "case.not_claimed",
            Self::CannotTakeOver => "case.cannot_take_over",
            Self::SecondCorrection => "case.second_correction",
            Self::NoCorrection => "case.no_correction",
            Self::DeemedAccepted { .. } => "case.deemed_accepted",
            Self::Text { .. } => "case.text_missing",
            Self::Paused => "case.paused",
            Self::NotPaused => "case.not_paused",
            Self::UnknownGround { .. } => "case.unknown_ground",
            Self::NoExtension => "case.no_extension",
            Self::ExtendedAlready => "case.extended_already",
            Self::ExtensionTooLate { .. } => "case.extension_too_late",
            Self::UnknownOutcome { .. } => "case.unknown_outcome",
            Self::NotAutomatic => "case.not_automatic",
            Self::AlreadyRated { .. } => "case.already_rated",
            Self::NotRatable { .. } => "case.not_ratable",
            Self::NoReview => "case.no_review",
            Self::ReviewAsked => "case.review_asked",
            Self::ReviewTooLate { .. } => "case.review_too_late",
            Self::Clock(error) => error.code(),
            Self::BeyondCalendar(error) => error.code(),
            Self::Broken { .. } => "case.broken",
        }
    }
}
