//! What happens to a case: stored, versioned, never changed.

use std::collections::BTreeMap;

use kernel::actor::Actor;
use kernel::ids::{AccountId, BlobId, CaseId, LicenceId, OrgCode, SubjectId};
use kernel::legal_clock::{ClockRule, Light, PauseGround};
use kernel::time::{Date, Timestamp};
use packs::model::Words;
use serde::{Deserialize, Serialize};

use super::payload::Payload;
use super::rating::{Grade, Moment};
use super::terms::Terms;

/// The version of the events that this code writes. A later one reads this one too.
pub(crate) const EVENT_VERSION: i64 = 1;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseEvent {
    /// Its place in the case, from 1.
    pub seq: u32,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: EventActor,
    /// What.
    pub kind: CaseEventKind,
}

/// Who acted, with what is needed to hold four eyes apart. Never a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventActor {
    /// `citizen`, `officer`, `system`, `node`.
    pub kind: String,
    /// The account that signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectId>,
    /// The post in which they acted, or a system's name; empty for citizens.
    pub label: String,
}

impl EventActor {
    /// The actor, in the post that counts here.
    pub fn new(actor: &Actor, post: Option<&str>) -> Self {
        let label = match actor {
            Actor::System { name, .. } => name.clone(),
            other => match post {
                Some(post) => post.to_owned(),
                None => other.posts().first().map(|held| held.post.to_string()).unwrap_or_default(),
            },
        };
        Self { kind: actor.kind().to_owned(), account: actor.account(), subject: actor.subject(), label }
    }

    /// The platform itself.
    pub fn node() -> Self {
        Self::new(&Actor::Node, None)
    }

    /// Whether both are the same person: the same account, or the same person with another account.
    pub fn is_same_person(&self, other: &Self) -> bool {
        let same = |left: Option<_>, right: Option<_>| left.is_some() && left == right;
        same(self.account.map(|id| id.as_uuid()), other.account.map(|id| id.as_uuid()))
            || same(self.subject.map(|id| id.as_uuid()), other.subject.map(|id| id.as_uuid()))
    }
}

/// What is fixed when a case opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Its number.
    pub case_no: String,
    /// The item.
    pub item_id: String,
    /// The item's version.
    pub item_hash: String,
    /// What the item is called.
    pub item_name: Words,
    /// The procedure.
    pub procedure_id: String,
    /// The procedure's version.
    pub procedure_hash: String,
    /// The organisation that decides.
    pub org: OrgCode,
    /// The division it happens in.
    pub division: String,
    /// What the applicant is called.
    pub applicant: String,
    /// The case that this one grew out of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The limit of the law, where a law sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statutory: Option<ClockRule>,
    /// The limit that the office promises.
    pub promised: ClockRule,
    /// The numbers of the procedure, as they stood on the day.
    pub terms: Terms,
    /// What was submitted.
    pub payload: Payload,
}

/// The case that another one grew out of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The case; it is about the same person or firm.
    pub case_id: CaseId,
    /// Its number.
    pub case_no: String,
    /// Why.
    pub reason: ChildReason,
    /// The moment that was rated badly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<Moment>,
    /// The officers who acted in it; they may not handle this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<EventActor>,
}

/// One point of a correction notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// What is missing or wrong, and what would put it right.
    pub text: String,
}

/// One reason of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The reason, in words for the applicant.
    pub text: Words,
    /// The clause it applies, as it is cited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<Words>,
}

/// What decided without an officer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Automatic {
    /// The item whose decision table it was.
    pub item_hash: String,
    /// The row that fitted, from 1; 0 is the default row.
    pub row: u32,
}

/// Why a case grew out of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildReason {
    /// A person shall look at an automatic decision.
    Review,
    /// A bad rating (差评).
    BadRating,
}

/// Which of the two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockName {
    /// Of the law (法定).
    Statutory,
    /// Of the promise (承诺).
    Promised,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CaseEventKind {
    /// 收件.
    Opened(Box<Opened>),
    /// The one correction notice (一次性补正告知).
    CorrectionAsked {
        /// Everything that has to be corrected.
        points: Vec<Point>,
        /// Until when the applicant may answer, where the procedure sets a term.
        answer_by: Option<Date>,
    },
    /// The applicant's answer.
    CorrectionAnswered {
        /// In words.
        text: String,
        /// With a file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<BlobId>,
    },
    /// 受理.
    Accepted,
    /// Accepted by the office's silence (行政许可法, article 32): from the day of receipt.
    DeemedAccepted {
        /// The day of receipt.
        received: Date,
        /// The last day on which the office could have spoken.
        deadline: Date,
    },
    /// 不予受理.
    NotAccepted {
        /// Why.
        reasons: Vec<Reason>,
    },
    /// An officer took the case.
    Claimed,
    /// The officer gave it back to the queue.
    Released,
    /// The case was handed to another officer.
    Reassigned {
        /// To whom: the account.
        to: AccountId,
        /// To whom: the person.
        to_subject: SubjectId,
        /// Why.
        reason: String,
    },
    /// A step before the deciding one was done (审查, 核实, 整改).
    Examined {
        /// The step of the procedure.
        step: String,
        /// What was found.
        opinion: String,
        /// The outcome that is proposed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposal: Option<String>,
    },
    /// 决定.
    Decided {
        /// The step of the procedure; none when no officer decided.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
        /// A result of the procedure.
        outcome: String,
        /// Whether the applicant gets what they asked for.
        favourable: bool,
        /// Why.
        reasons: Vec<Reason>,
        /// Values that the decision fixes, such as an amount.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        values: BTreeMap<String, serde_json::Value>,
        /// What decided, when no officer did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        automatic: Option<Automatic>,
    },
    /// A time that is not counted began (特别程序).
    Paused {
        /// Why, as the clock knows it.
        ground: PauseGround,
        /// Why, as the procedure calls it.
        name: Words,
        /// The clause, as it is cited.
        article: Words,
        /// What the applicant is told.
        notice: String,
    },
    /// That time ended.
    Resumed,
    /// The limit was extended.
    Extended {
        /// By how many days.
        days: u32,
        /// The clause, as it is cited.
        article: Words,
        /// Why, as the applicant is told.
        reason: String,
    },
    /// 撤回.
    Withdrawn {
        /// Why, in the applicant's words; may be empty.
        reason: String,
    },
    /// 终止.
    Terminated {
        /// Why.
        reasons: Vec<Reason>,
    },
    /// A note for colleagues; the applicant does not see it.
    NoteAdded {
        /// The note.
        text: String,
    },
    /// 制证 and 送达.
    Delivered {
        /// The licence that was issued, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        licence: Option<LicenceId>,
    },
    /// 评价.
    Rated {
        /// Of what.
        moment: Moment,
        /// How good.
        grade: Grade,
        /// Grades of the item's own dimensions, by their Chinese names.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        dimensions: BTreeMap<String, Grade>,
        /// In words; may be empty.
        comment: String,
        /// Whether it is the rating after a complaint was put right.
        #[serde(default)]
        again: bool,
    },
    /// A case of its own grew out of this one.
    ChildOpened {
        /// The case.
        case_id: CaseId,
        /// Its number.
        case_no: String,
        /// Why.
        reason: ChildReason,
    },
    /// A person looked at the automatic decision.
    Reviewed {
        /// The case in which they did.
        case_no: String,
        /// Its outcome.
        outcome: String,
        /// What this case's outcome is from now on; none when the decision stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        new_outcome: Option<String>,
        /// Whether the applicant now gets what they asked for.
        favourable: bool,
        /// Why.
        reasons: Vec<Reason>,
    },
    /// Electronic supervision showed a card (黄牌, 红牌).
    CardShown {
        /// Which clock.
        clock: ClockName,
        /// Yellow or red.
        light: Light,
        /// The due date in question.
        due: Date,
    },
    /// 归档.
    Archived,
}

impl CaseEventKind {
    /// The name under which it is stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opened(_) => "opened",
            Self::CorrectionAsked { .. } => "correction_asked",
            Self::CorrectionAnswered { .. } => "correction_answered",
            Self::Accepted => "accepted",
            Self::DeemedAccepted { .. } => "deemed_accepted",
            Self::NotAccepted { .. } => "not_accepted",
            Self::Claimed => "claimed",
            Self::Released => "released",
            Self::Reassigned { .. } => "reassigned",
            Self::Examined { .. } => "examined",
            Self::Decided { .. } => "decided",
            Self::Paused { .. } => "paused",
            Self::Resumed => "resumed",
            Self::Extended { .. } => "extended",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Terminated { .. } => "terminated",
            Self::NoteAdded { .. } => "note_added",
            Self::Delivered { .. } => "delivered",
            Self::Rated { .. } => "rated",
            Self::ChildOpened { .. } => "child_opened",
            Self::Reviewed { .. } => "reviewed",
            Self::CardShown { .. } => "card_shown",
            Self::Archived => "archived",
        }
    }
}
