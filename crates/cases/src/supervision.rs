//! Electronic supervision: yellow and red cards, and ratings by item. No name of a rater, no name of an officer.

use kernel::actor::Actor;
use kernel::ids::OrgCode;
use kernel::time::{Date, Timestamp};
use packs::Pack;
use packs::model::Words;
use store::{Reads, StoreError, params};

use crate::error::ActionError;
use crate::model::CaseError;

/// How many cards the list shows.
const CARDS: u32 = 100;

store::row! {
    /// A card that was shown.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Card {
        /// The case.
        pub case_no: String,
        /// The item, in Chinese.
        pub item_name_zh: String,
        /// The item, in English.
        pub item_name_en: String,
        /// The organisation.
        pub org: OrgCode,
        /// Where the case is now.
        pub stage: String,
        /// `statutory` or `promised`.
        pub clock: String,
        /// The due date.
        pub due_on: Date,
        /// `yellow` or `red`.
        pub light: String,
        /// When the card was shown.
        pub at: Timestamp,
    }
}

store::row! {
    struct CountRow { org: OrgCode, item_id: String, item_name_zh: String, item_name_en: String, cases: i64, done_n: i64 }
}

store::row! {
    struct GradeRow { org: OrgCode, item_id: String, ratings: i64, total: i64, bad: i64, again: i64 }
}

store::row! {
    struct CardCountRow { org: OrgCode, item_id: String, yellow: i64, red: i64 }
}

/// How an item fares with an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFigures {
    /// The organisation.
    pub org: OrgCode,
    /// The item.
    pub item_id: String,
    /// What the item is called.
    pub item_name: Words,
    /// Cases received.
    pub cases: i64,
    /// Cases closed.
    pub done: i64,
    /// First ratings given.
    pub ratings: i64,
    /// The mean grade in hundredths; nothing while nobody has rated.
    pub mean_hundredths: Option<i64>,
    /// Bad ratings (差评).
    pub bad: i64,
    /// Bad ratings that were rated again after they were put right.
    pub rated_again: i64,
    /// Yellow cards.
    pub yellow: i64,
    /// Red cards.
    pub red: i64,
}

/// What supervision sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The newest cards.
    pub cards: Vec<Card>,
    /// Each item with each organisation.
    pub items: Vec<ItemFigures>,
}

/// Refuses whoever holds no post in the rating office.
pub fn require_supervisor(actor: &Actor, pack: &Pack) -> Result<(), ActionError> {
    let office = pack.node().rating_office.as_str();
    if actor.posts().iter().any(|held| held.org.as_str() == office) {
        Ok(())
    } else {
        Err(CaseError::NotYourPost.into())
    }
}

/// Cards and figures of the whole node.
pub async fn overview(db: &impl Reads) -> Result<Overview, StoreError> {
    let cards = db
        .query(
            "SELECT c.case_no, c.item_name_zh, c.item_name_en, k.org, c.stage, k.clock, k.due_on, k.light, k.at
               FROM cases_card k
               JOIN cases_case c ON c.subject_id = k.subject_id AND c.case_id = k.case_id
              ORDER BY k.at DESC, c.case_no, k.clock, k.light
              LIMIT $1",
            params![CARDS],
        )
        .await?;
    let counts: Vec<CountRow> = db
        .query(
            "SELECT org, item_id, MIN(item_name_zh) AS item_name_zh, MIN(item_name_en) AS item_name_en,
                    COUNT(*) AS cases, CAST(SUM(done) AS BIGINT) AS done_n
               FROM cases_case
              GROUP BY org, item_id
              ORDER BY org, item_id",
            vec![],
        )
        .await?;
    let grades: Vec<GradeRow> = db
        .query(
            "SELECT org, item_id,
                    CAST(SUM(CASE WHEN again = 0 THEN 1 ELSE 0 END) AS BIGINT) AS ratings,
                    CAST(SUM(CASE WHEN again = 0 THEN grade ELSE 0 END) AS BIGINT) AS total,
                    CAST(SUM(CASE WHEN again = 0 AND grade <= 2 THEN 1 ELSE 0 END) AS BIGINT) AS bad,
                    CAST(SUM(again) AS BIGINT) AS again
               FROM cases_rating
              GROUP BY org, item_id",
            vec![],
        )
        .await?;
    let shown: Vec<CardCountRow> = db
        .query(
            "SELECT org, item_id,
                    CAST(SUM(CASE WHEN light = 'yellow' THEN 1 ELSE 0 END) AS BIGINT) AS yellow,
                    CAST(SUM(CASE WHEN light = 'red' THEN 1 ELSE 0 END) AS BIGINT) AS red
               FROM cases_card
              GROUP BY org, item_id",
            vec![],
        )
        .await?;
    let items = counts
        .into_iter()
        .map(|count| {
            let grade = grades.iter().find(|row| row.org == count.org && row.item_id == count.item_id);
            let cards = shown.iter().find(|row| row.org == count.org && row.item_id == count.item_id);
            ItemFigures {
                item_name: Words::new(count.item_name_zh, count.item_name_en),
                cases: count.cases,
                done: count.done_n,
                ratings: grade.map_or(0, |row| row.ratings),
                mean_hundredths: grade.and_then(|row| (row.total * 100).checked_div(row.ratings)),
                bad: grade.map_or(0, |row| row.bad),
                rated_again: grade.map_or(0, |row| row.again),
                yellow: cards.map_or(0, |row| row.yellow),
                red: cards.map_or(0, |row| row.red),
                org: count.org,
                item_id: count.item_id,
            }
        })
        .collect();
    Ok(Overview { cards, items })
}
