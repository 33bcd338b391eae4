//! What goes into a clock: the rule and the events.

use serde::{Deserialize, Serialize};

use crate::calendar::BeyondCalendar;
use crate::error::Coded;
use crate::time::Timestamp;

/// How the days of a limit are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Working days (工作日).
    WorkingDays,
    /// Every day (自然日).
    NaturalDays,
}

/// How long something may take; zero days is on the spot (当场).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limit {
    /// How many days.
    pub days: u32,
    /// Of which kind.
    pub unit: Unit,
}

/// What starts a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartEvent {
    /// The application was received (收件).
    Received,
    /// The application was accepted (受理), expressly or by silence.
    Accepted,
}

/// One limit and what starts it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClockRule {
    /// How long.
    pub limit: Limit,
    /// From when.
    pub start: StartEvent,
    /// The clause or promise that sets the limit, such as `行政许可法 42`.
    pub source: String,
}

impl ClockRule {
    /// A limit in working days from acceptance, the usual case of a statutory or promised limit.
    #[must_use]
    pub fn working_days(days: u32, source: impl Into<String>) -> Self {
        let limit = Limit { days, unit: Unit::WorkingDays };
        Self { limit, start: StartEvent::Accepted, source: source.into() }
    }

    /// The same limit from another start.
    #[must_use]
    pub fn starting_at(self, start: StartEvent) -> Self {
        Self { start, ..self }
    }
}

/// The procedures whose time is not counted (特别程序), a closed list of 行政许可法, article 45.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseGround {
    /// 听证.
    Hearing,
    /// 招标.
    Tender,
    /// 拍卖.
    Auction,
    /// 检验.
    Inspection,
    /// 检测.
    Testing,
    /// 检疫.
    Quarantine,
    /// 鉴定.
    Appraisal,
    /// 专家评审.
    ExpertReview,
    /// A ground outside the article that the procedure itself names, with its own legal basis.
    Other,
}

impl PauseGround {
    /// Every ground of the article, in its order.
    pub const ALL: [Self; 8] = [
        Self::Hearing,
        Self::Tender,
        Self::Auction,
        Self::Inspection,
        Self::Testing,
        Self::Quarantine,
        Self::Appraisal,
        Self::ExpertReview,
    ];

    /// The clause that names the ground; empty where only the procedure does.
    #[must_use]
    pub fn article(self) -> &'static str {
        if self == Self::Other { "" } else { "行政许可法 45" }
    }

    /// The word of the law.
    #[must_use]
    pub fn term(self) -> &'static str {
        match self {
            Self::Hearing => "听证",
            Self::Tender => "招标",
            Self::Auction => "拍卖",
            Self::Inspection => "检验",
            Self::Testing => "检测",
            Self::Quarantine => "检疫",
            Self::Appraisal => "鉴定",
            Self::ExpertReview => "专家评审",
            Self::Other => "其他",
        }
    }
}

/// One event of a case, as far as a clock cares.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClockEvent {
    /// When it happened; the clock counts the day in China.
    pub at: Timestamp,
    /// What happened.
    pub kind: ClockEventKind,
}

/// What happened to a case, as far as a clock cares.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClockEventKind {
    /// The application arrived.
    Received,
    /// The one notice of all that must be corrected (一次性补正告知). The time until the answer is not counted.
    CorrectionAsked {
        /// The notice.
        document: String,
    },
    /// The applicant answered the notice.
    CorrectionAnswered,
    /// The application was accepted.
    Accepted,
    /// The office was silent past its days, so the application counts as accepted from the day of receipt
    /// (行政许可法, article 32). `at` is when the platform noted it; the clock starts at the receipt.
    DeemedAccepted,
    /// A procedure began whose time is not counted; the applicant was told in writing.
    Paused {
        /// Why.
        ground: PauseGround,
        /// The clause, usually [`PauseGround::article`].
        article: String,
        /// The written notice.
        document: String,
    },
    /// That procedure ended.
    Resumed,
    /// The limit was extended while it still ran (行政许可法, article 42: ten days, by the head of the organ).
    Extended {
        /// By how many days, in the unit of the limit.
        days: u32,
        /// Who approved it.
        approver: String,
        /// The clause.
        article: String,
    },
    /// The case was decided, refused or withdrawn: the clock stops for good.
    Decided,
}

/// Why a clock cannot take an event or tell its state. Indices count the events from zero.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// An event that is earlier than the one before it.
    #[error("event {index} is earlier than the event before it")]
    OutOfOrder {
        /// The place of the event.
        index: usize,
    },
    /// A second receipt or acceptance.
    #[error("event {index} repeats an event that happens once")]
    Repeated {
        /// The place of the event.
        index: usize,
    },
    /// The law allows one correction notice, which names everything (行政许可法, article 32).
    #[error("event {index} is a second correction notice")]
    SecondCorrection {
        /// The place of the event.
        index: usize,
    },
    /// A pause inside a pause.
    #[error("event {index} pauses a clock that is paused")]
    AlreadyPaused {
        /// The place of the event.
        index: usize,
    },
    /// The end of a pause that never began.
    #[error("event {index} ends a pause that is not open")]
    NotPaused {
        /// The place of the event.
        index: usize,
    },
    /// Silence cannot accept what was never received.
    #[error("event {index} needs the application to have been received")]
    NotReceived {
        /// The place of the event.
        index: usize,
    },
    /// Anything after the decision.
    #[error("event {index} comes after the decision")]
    AfterDecision {
        /// The place of the event.
        index: usize,
    },
    /// The calendar ends too early to know the due date.
    #[error(transparent)]
    BeyondCalendar(#[from] BeyondCalendar),
}

impl Coded for ClockError {
    fn code(&self) -> &'static str {
        match self {
            Self::OutOfOrder { .. } => "clock.out_of_order",
            Self::Repeated { .. } => "clock.repeated",
            Self::SecondCorrection { .. } => "clock.second_correction",
            Self::AlreadyPaused { .. } => "clock.already_paused",
            Self::NotPaused { .. } => "clock.not_paused",
            Self::NotReceived { .. } => "clock.not_received",
            Self::AfterDecision { .. } => "clock.after_decision",
            Self::BeyondCalendar(error) => error.code(),
        }
    }
}
