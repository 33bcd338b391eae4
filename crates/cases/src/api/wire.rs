//! What goes over the wire: separate from the model, so that either may change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;
use web::wire::Words;

use crate::actions::{WorkAction, calendar};
use crate::document::DecisionDocument;
use crate::model::{Case, ClockReading};
use crate::queue::{Listed, Page};
use crate::view::light_word;

/// A case in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseSummary {
    /// Its number.
    pub case_no: String,
    /// The item's id.
    pub item_id: String,
    /// The item's name.
    pub item_name: Words,
    /// `received`, `correction`, `accepted`, `review`, `decision`, `production`, `delivery`, `rating`,
    /// `archived`, `not_accepted`, `withdrawn` or `terminated`.
    pub stage: &'static str,
    /// A result of the procedure, or `not_accepted`, `withdrawn`, `terminated`.
    pub outcome: Option<String>,
    /// `green`, `yellow`, `red`, `paused` or `done`.
    pub light: &'static str,
    /// The next date to be kept.
    pub due_on: Option<String>,
    /// When it was received, RFC 3339.
    pub received_at: String,
    /// Whether an officer has it in hand.
    pub claimed: bool,
}

impl From<&Listed> for CaseSummary {
    fn from(case: &Listed) -> Self {
        Self {
            case_no: case.case_no.clone(),
            item_id: case.item_id.clone(),
            item_name: (&case.item_name).into(),
            stage: case.stage.as_str(),
            outcome: case.outcome.clone(),
            light: light_word(case.light),
            due_on: case.due.map(|due| due.to_string()),
            received_at: case.received_at.to_string(),
            claimed: case.assignee.is_some(),
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseList {
    /// The cases.
    pub cases: Vec<CaseSummary>,
    /// The cursor of the next page: `?after=` for work, `?before=` for one's own.
    pub next: Option<String>,
}

impl From<&Page> for CaseList {
    fn from(page: &Page) -> Self {
        Self { cases: page.cases.iter().map(CaseSummary::from).collect(), next: page.next.clone() }
    }
}

/// A clock.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Clock {
    /// The last day in time; none before the start, while a pause keeps it open, or past the calendar.
    pub due_on: Option<String>,
    /// Days left, in the unit of the limit.
    pub remaining: Option<i32>,
    /// The light.
    pub light: Option<&'static str>,
    /// Whether it stands still.
    pub paused: bool,
    /// How the due date came about: steps with a `kind`.
    #[schema(value_type = Vec<Object>)]
    pub derivation: Json,
    /// The year whose holidays are not announced yet, when the due date lies in it.
    pub beyond_year: Option<i16>,
}

impl From<&ClockReading> for Clock {
    fn from(reading: &ClockReading) -> Self {
        match reading {
            ClockReading::State(state) => Self {
                due_on: state.due.map(|due| due.to_string()),
                remaining: state.remaining,
                light: Some(light_word(state.light)),
                paused: state.paused,
                derivation: serde_json::to_value(&state.derivation).unwrap_or_default(),
                beyond_year: None,
            },
            ClockReading::BeyondCalendar { last_year } => Self {
                due_on: None,
                remaining: None,
                light: None,
                paused: false,
                derivation: Json::Array(Vec::new()),
                beyond_year: Some(last_year.saturating_add(1)),
            },
        }
    }
}

/// The one correction notice.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Correction {
    /// What has to be corrected.
    pub points: Vec<String>,
    /// When it was sent, RFC 3339.
    pub asked_at: String,
    /// Until when it can be answered.
    pub answer_by: Option<String>,
    /// When it was answered, RFC 3339.
    pub answered_at: Option<String>,
    /// The answer in words.
    pub answer: Option<String>,
    /// The file of the answer.
    pub answer_file: Option<String>,
}

/// A case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseDetail {
    /// Its number.
    pub case_no: String,
    /// How many events it has: send it back as `seen`, so that nothing is done to a case that has moved on.
    pub seq: u32,
    /// The item's id.
    pub item_id: String,
    /// The item's version.
    pub item_hash: String,
    /// The item's name.
    pub item_name: Words,
    /// The organisation that decides.
    pub org: String,
    /// The division.
    pub division: String,
    /// Where it is.
    pub stage: &'static str,
    /// The step that is due, of the procedure.
    pub step: Option<String>,
    /// The outcome.
    pub outcome: Option<String>,
    /// Whether the applicant gets what they asked for, once it is decided.
    pub favourable: Option<bool>,
    /// The light.
    pub light: &'static str,
    /// When it was received, RFC 3339.
    pub received_at: String,
    /// When it ended, RFC 3339.
    pub closed_at: Option<String>,
    /// The clock of the law.
    pub statutory: Option<Clock>,
    /// The clock of the promise.
    pub promised: Clock,
    /// The correction notice.
    pub correction: Option<Correction>,
    /// The licence that was issued.
    pub licence_id: Option<String>,
    /// The case that this one grew out of.
    pub parent: Option<String>,
    /// What was submitted: `sections`, `facts`, `materials`.
    #[schema(value_type = Object)]
    pub payload: Json,
    /// Moments that the applicant can rate now.
    pub ratable: Vec<&'static str>,
    /// What an officer can do now; empty for an applicant.
    pub actions: Vec<&'static str>,
}

impl CaseDetail {
    /// The case as it stands on a day, with what an officer could do.
    pub(crate) fn new(case: &Case, today: kernel::time::Date, actions: Vec<WorkAction>) -> Self {
        let (statutory, promised) = case.readings(calendar(), today);
        Self {
            case_no: case.case_no().to_owned(),
            seq: case.seq(),
            item_id: case.opened.item_id.clone(),
            item_hash: case.opened.item_hash.clone(),
            item_name: (&case.opened.item_name).into(),
            org: case.opened.org.to_string(),
            division: case.opened.division.clone(),
            stage: case.stage().as_str(),
            step: case.due_step().map(|step| step.id),
            outcome: case.outcome().map(str::to_owned),
            favourable: case.decision.as_ref().map(|decision| decision.favourable),
            light: light_word(case.agenda(calendar()).light(today)),
            received_at: case.received_at().to_string(),
            closed_at: case.closed_at().map(|at| at.to_string()),
            statutory: statutory.as_ref().map(Clock::from),
            promised: Clock::from(&promised),
            correction: case.correction.as_ref().map(|correction| Correction {
                points: correction.points.iter().map(|point| point.text.clone()).collect(),
                asked_at: correction.asked_at.to_string(),
                answer_by: correction.answer_by.map(|day| day.to_string()),
                answered_at: correction.answered.as_ref().map(|answered| answered.at.to_string()),
                answer: correction.answered.as_ref().map(|answered| answered.text.clone()),
                answer_file: correction
                    .answered
                    .as_ref()
                    .and_then(|answered| answered.file)
                    .map(|id| id.to_string()),
            }),
            licence_id: case.delivered.and_then(|delivered| delivered.licence).map(|id| id.to_string()),
            parent: case.opened.parent.as_ref().map(|parent| parent.case_no.clone()),
            payload: serde_json::to_value(&case.opened.payload).unwrap_or_default(),
            ratable: case.ratable().into_iter().map(|moment| moment.as_str()).collect(),
            actions: actions.into_iter().map(WorkAction::as_str).collect(),
        }
    }
}

/// A reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reason {
    /// In words.
    pub text: Words,
    /// The clause.
    pub article: Option<Words>,
}

/// A decision as a document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Document {
    /// What it is.
    pub title: Words,
    /// The case.
    pub case_no: String,
    /// Who decided.
    pub org: Words,
    /// To whom.
    pub applicant: String,
    /// On what.
    pub item: Words,
    /// When, RFC 3339.
    pub decided_at: String,
    /// The outcome.
    pub outcome: Words,
    /// Whether the applicant gets what they asked for.
    pub favourable: bool,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What it rests on.
    pub basis: Vec<Words>,
    /// The item's version, where its table decided.
    pub automatic_item_hash: Option<String>,
    /// The row of that table.
    pub automatic_row: Option<u32>,
    /// The case in which a person looked at it again.
    pub reviewed_in: Option<String>,
    /// SM3 over the document, hex.
    pub digest: String,
}

impl From<DecisionDocument> for Document {
    fn from(document: DecisionDocument) -> Self {
        let (automatic_item_hash, automatic_row) = document.automatic.unzip();
        Self {
            title: (&document.title).into(),
            case_no: document.case_no,
            org: (&document.org).into(),
            applicant: document.applicant,
            item: (&document.item).into(),
            decided_at: document.decided_at.to_string(),
            outcome: (&document.outcome).into(),
            favourable: document.favourable,
            reasons: document
                .reasons
                .iter()
                .map(|reason| Reason {
                    text: (&reason.text).into(),
                    article: reason.article.as_ref().map(Words::from),
                })
                .collect(),
            basis: document.basis.iter().map(Words::from).collect(),
            automatic_item_hash,
            automatic_row,
            reviewed_in: document.reviewed_in,
            digest: document.digest,
        }
    }
}

/// A file that was taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UploadedFile {
    /// Its id, to be named in an answer.
    pub file_id: String,
    /// What its bytes were found to be.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// SM3 of its bytes, hex.
    pub sm3: String,
}

/// The answer to a correction notice.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectionAnswer {
    /// In words; may be empty when there is a file.
    #[serde(default)]
    pub text: String,
    /// A file that was uploaded before.
    #[serde(default)]
    pub file_id: Option<String>,
    /// The number of events that the sender had seen.
    #[serde(default)]
    pub seen: Option<u32>,
}

/// A withdrawal.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
    /// The number of events that the sender had seen.
    #[serde(default)]
    pub seen: Option<u32>,
}

/// A rating.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// `submission`, `correction` or `completion`.
    pub moment: String,
    /// 5 very satisfied, 4 satisfied, 3 fairly satisfied, 2 dissatisfied, 1 very dissatisfied.
    pub grade: u8,
    /// Grades of the item's own dimensions, by their Chinese names.
    #[serde(default)]
    pub dimensions: BTreeMap<String, u8>,
    /// In words; may be empty.
    #[serde(default)]
    pub comment: String,
}

/// What became of a rating.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RatingAnswer {
    /// The case that handles a bad rating.
    pub complaint_case_no: Option<String>,
}

/// A request for a human review.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    /// Why.
    pub reason: String,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReviewAnswer {
    /// The case in which a person looks at the decision.
    pub case_no: String,
}

/// What an officer does; each action reads its own part.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The number of events that the sender had seen.
    #[serde(default)]
    pub seen: Option<u32>,
    /// `ask-correction`: everything that has to be corrected.
    #[serde(default)]
    pub points: Vec<String>,
    /// An opinion, a reason, a notice or a note.
    #[serde(default)]
    pub text: String,
    /// The same in English.
    #[serde(default)]
    pub text_en: String,
    /// The id of the procedure's legal basis that a reason applies.
    #[serde(default)]
    pub article: String,
    /// `decide`, `examine`: a result of the procedure.
    #[serde(default)]
    pub outcome: String,
    /// `pause`: a ground of the procedure.
    #[serde(default)]
    pub ground: String,
    /// `decide`: values that the decision fixes.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub values: BTreeMap<String, Json>,
    /// `hand-over` of a complaint: the new grade.
    #[serde(default)]
    pub grade: Option<u8>,
    /// `reassign`: the account of the colleague.
    #[serde(default)]
    pub colleague: String,
}

/// What electronic supervision sees.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Supervision {
    /// The newest cards.
    pub cards: Vec<Card>,
    /// Each item with each organisation.
    pub items: Vec<ItemFigures>,
}

/// A card.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Card {
    /// The case.
    pub case_no: String,
    /// The organisation.
    pub org: String,
    /// `statutory` or `promised`.
    pub clock: String,
    /// The due date.
    pub due_on: String,
    /// `yellow` or `red`.
    pub light: String,
    /// When it was shown, RFC 3339.
    pub at: String,
}

/// How an item fares.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ItemFigures {
    /// The organisation.
    pub org: String,
    /// The item.
    pub item_id: String,
    /// Cases received.
    pub cases: i64,
    /// Cases closed.
    pub done: i64,
    /// First ratings.
    pub ratings: i64,
    /// The mean grade in hundredths.
    pub mean_hundredths: Option<i64>,
    /// Bad ratings.
    pub bad: i64,
    /// Ratings after a complaint was put right.
    pub rated_again: i64,
    /// Yellow cards.
    pub yellow: i64,
    /// Red cards.
    pub red: i64,
}
