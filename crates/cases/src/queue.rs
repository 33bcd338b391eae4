//! Lists: the queue of an officer's posts, and a person's own cases.

use kernel::actor::PostHolding;
use kernel::ids::{AccountId, CaseId, OrgCode, SubjectId};
use kernel::legal_clock::Light;
use kernel::time::{Date, Timestamp};
use packs::model::Words;
use store::{IntoValue, Reads, StoreError, Value, params};

use crate::model::Stage;
use crate::store::{CaseKey, NEVER, applicant_of};

/// How many cases one page of a list holds.
pub const PAGE: u32 = 20;

/// What an officer wants to see of their queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this stage.
    pub stage: Option<Stage>,
    /// With this light.
    pub light: Option<Light>,
    /// Of this item.
    pub item: Option<String>,
    /// Whose number holds this text.
    pub text: Option<String>,
    /// In the hands of this account.
    pub assignee: Option<AccountId>,
}

/// Where a page of the queue begins: after this due date and case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    due_on: String,
    case_id: CaseId,
}

impl Cursor {
    /// Reads the text of a cursor.
    pub fn parse(text: &str) -> Option<Self> {
        let (due_on, case_id) = text.split_once('~')?;
        let due: Date = due_on.parse().ok()?;
        Some(Self { due_on: due.to_string(), case_id: case_id.parse().ok()? })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}", self.due_on, self.case_id)
    }
}

/// A case as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: CaseKey,
    /// Its number.
    pub case_no: String,
    /// The item.
    pub item_id: String,
    /// What the item is called.
    pub item_name: Words,
    /// Whose it is; lists show it masked.
    pub applicant: String,
    /// The organisation that decides.
    pub org: OrgCode,
    /// The division it happens in.
    pub division: String,
    /// Where it is.
    pub stage: Stage,
    /// The outcome, once there is one.
    pub outcome: Option<String>,
    /// Its light.
    pub light: Light,
    /// The next date to be kept.
    pub due: Option<Date>,
    /// Who has it in hand.
    pub assignee: Option<AccountId>,
    /// When it was received.
    pub received_at: Timestamp,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The cases.
    pub cases: Vec<Listed>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// How many cases of a queue have which light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lights {
    /// All.
    pub all: i64,
    /// Overdue.
    pub red: i64,
    /// Nearly due.
    pub yellow: i64,
    /// With time left.
    pub green: i64,
    /// Standing still.
    pub paused: i64,
}

store::row! {
    struct ListRow {
        subject_id: SubjectId, case_id: CaseId, case_no: String, item_id: String, item_name_zh: String,
        item_name_en: String, applicant: Vec<u8>, org: OrgCode, division: String, stage: String,
        outcome: Option<String>, due_on: String, yellow_from: String, paused: bool, done: bool,
        assignee: Option<AccountId>, received_at: Timestamp,
    }
}

store::row! {
    struct LightsRow { all_n: i64, red: i64, yellow: i64, green: i64, paused_n: i64 }
}

store::row! {
    struct ItemRow { item_id: String, item_name_zh: String, item_name_en: String }
}

const COLUMNS: &str =
    "subject_id, case_id, case_no, item_id, item_name_zh, item_name_en, applicant, org, division,
                stage, outcome, due_on, yellow_from, paused, done, assignee, received_at";

/// The cases that wait for one of these posts, nearest due date first.
pub async fn queue(
    db: &impl Reads,
    posts: &[PostHolding],
    filter: &Filter,
    after: Option<&Cursor>,
    today: Date,
) -> Result<Page, StoreError> {
    let mut query = Conditions::of(posts, filter, today);
    if let Some(cursor) = after {
        let due = query.bind(cursor.due_on.as_str());
        let id = query.bind(cursor.case_id);
        query.add(format!("(due_on > {due} OR (due_on = {due} AND case_id > {id}))"));
    }
    let sql = format!(
        "SELECT {COLUMNS}
           FROM cases_case
          WHERE {}
          ORDER BY due_on, case_id
          LIMIT {}",
        query.text(),
        PAGE + 1
    );
    let rows: Vec<ListRow> = db.query(&sql, query.values).await?;
    let next = rows.get(usize_of(PAGE).saturating_sub(1)).filter(|_| rows.len() > usize_of(PAGE));
    let next = next.map(|row| Cursor { due_on: row.due_on.clone(), case_id: row.case_id }.to_string());
    page(db, rows, next, today)
}

/// How many cases the filter leaves, by light.
pub async fn lights(
    db: &impl Reads,
    posts: &[PostHolding],
    filter: &Filter,
    today: Date,
) -> Result<Lights, StoreError> {
    let filter = Filter { light: None, ..filter.clone() };
    let mut query = Conditions::of(posts, &filter, today);
    let today = query.bind(today);
    let sum = |light| {
        format!("CAST(COALESCE(SUM(CASE WHEN {} THEN 1 ELSE 0 END), 0) AS BIGINT)", light_is(light, &today))
    };
    let sql = format!(
        "SELECT COUNT(*) AS all_n, {} AS red, {} AS yellow, {} AS green, {} AS paused_n
           FROM cases_case
          WHERE {}",
        sum(Light::Red),
        sum(Light::Yellow),
        sum(Light::Green),
        sum(Light::Paused),
        query.text()
    );
    let row: Option<LightsRow> = db.optional(&sql, query.values).await?;
    Ok(row.map_or_else(Lights::default, |row| Lights {
        all: row.all_n,
        red: row.red,
        yellow: row.yellow,
        green: row.green,
        paused: row.paused_n,
    }))
}

/// The items of which cases wait for these posts: the choices of the filter.
pub async fn items(
    db: &impl Reads,
    posts: &[PostHolding],
    today: Date,
) -> Result<Vec<(String, Words)>, StoreError> {
    let query = Conditions::of(posts, &Filter::default(), today);
    let sql = format!(
        "SELECT item_id, MIN(item_name_zh) AS item_name_zh, MIN(item_name_en) AS item_name_en
           FROM cases_case
          WHERE {}
          GROUP BY item_id
          ORDER BY item_id",
        query.text()
    );
    let rows: Vec<ItemRow> = db.query(&sql, query.values).await?;
    Ok(rows.into_iter().map(|row| (row.item_id, Words::new(row.item_name_zh, row.item_name_en))).collect())
}

/// A person's or firm's own cases, newest first; `before` is the cursor of the page before.
pub async fn list_of_subject(
    db: &impl Reads,
    subject: SubjectId,
    before: Option<&str>,
    today: Date,
) -> Result<Page, StoreError> {
    // An id holds the time at which it was made, so its order is the order of opening.
    let before = before.filter(|text| text.parse::<CaseId>().is_ok()).unwrap_or("g");
    let sql = format!(
        "SELECT {COLUMNS}
           FROM cases_case
          WHERE subject_id = $1 AND case_id < $2
          ORDER BY case_id DESC
          LIMIT {}",
        PAGE + 1
    );
    let rows: Vec<ListRow> = db.query(&sql, params![subject, before]).await?;
    let next = rows.get(usize_of(PAGE).saturating_sub(1)).filter(|_| rows.len() > usize_of(PAGE));
    let next = next.map(|row| row.case_id.to_string());
    page(db, rows, next, today)
}

fn page(db: &impl Reads, rows: Vec<ListRow>, next: Option<String>, today: Date) -> Result<Page, StoreError> {
    let mut cases = Vec::with_capacity(rows.len());
    for row in rows.into_iter().take(usize_of(PAGE)) {
        cases.push(listed(db, row, today)?);
    }
    Ok(Page { cases, next })
}

fn listed(db: &impl Reads, row: ListRow, today: Date) -> Result<Listed, StoreError> {
    let unreadable = |column: &str, value: &str| StoreError::Column {
        column: column.to_owned(),
        reason: format!("`{value}` is not readable"),
    };
    let stage = Stage::parse(&row.stage).ok_or_else(|| unreadable("stage", &row.stage))?;
    let day = |column: &str, text: &str| match text {
        NEVER => Ok(None),
        text => text.parse::<Date>().map(Some).map_err(|_| unreadable(column, text)),
    };
    let agenda = crate::model::Agenda {
        due: day("due_on", &row.due_on)?,
        yellow_from: day("yellow_from", &row.yellow_from)?,
        paused: row.paused,
        done: row.done,
        ..Default::default()
    };
    Ok(Listed {
        key: CaseKey { subject: row.subject_id, id: row.case_id },
        case_no: row.case_no,
        item_id: row.item_id,
        item_name: Words::new(row.item_name_zh, row.item_name_en),
        applicant: applicant_of(db.store(), row.subject_id, &row.applicant)?,
        org: row.org,
        division: row.division,
        stage,
        outcome: row.outcome,
        light: agenda.light(today),
        due: agenda.due,
        assignee: row.assignee,
        received_at: row.received_at,
    })
}

/// Conditions and their values, in step.
struct Conditions {
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn of(posts: &[PostHolding], filter: &Filter, today: Date) -> Self {
        let mut query = Self { parts: Vec::new(), values: Vec::new() };
        let mut mine: Vec<String> = Vec::with_capacity(posts.len());
        for held in posts {
            let (org, role) = (query.bind(&held.org), query.bind(held.role.as_str()));
            mine.push(format!("(org = {org} AND due_role = {role})"));
        }
        // Without a post there is no queue.
        query.add(if mine.is_empty() { "1 = 0".to_owned() } else { format!("({})", mine.join(" OR ")) });
        if let Some(stage) = filter.stage {
            let stage = query.bind(stage.as_str());
            query.add(format!("stage = {stage}"));
        }
        if let Some(item) = &filter.item {
            let item = query.bind(item);
            query.add(format!("item_id = {item}"));
        }
        if let Some(assignee) = filter.assignee {
            let assignee = query.bind(assignee);
            query.add(format!("assignee = {assignee}"));
        }
        if let Some(text) = &filter.text {
            // Numbers hold capital letters, digits and hyphens; anything else cannot be part of one.
            let plain: String = text
                .to_ascii_uppercase()
                .chars()
                .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
                .collect();
            let pattern = query.bind(format!("%{plain}%"));
            query.add(format!("case_no LIKE {pattern}"));
        }
        if let Some(light) = filter.light {
            let today = query.bind(today);
            query.add(light_is(light, &today));
        }
        query
    }

    fn bind(&mut self, value: impl IntoValue) -> String {
        self.values.push(value.into_value());
        format!("${}", self.values.len())
    }

    fn add(&mut self, part: String) {
        self.parts.push(part);
    }

    fn text(&self) -> String {
        self.parts.join("\n            AND ")
    }
}

/// The same as [`crate::model::Agenda::light`], in SQL.
fn light_is(light: Light, today: &str) -> String {
    match light {
        Light::Done => "done = 1".to_owned(),
        Light::Red => format!("done = 0 AND due_on < {today}"),
        Light::Paused => format!("done = 0 AND due_on >= {today} AND paused = 1"),
        Light::Yellow => format!("done = 0 AND due_on >= {today} AND paused = 0 AND yellow_from <= {today}"),
        Light::Green => format!("done = 0 AND due_on >= {today} AND paused = 0 AND yellow_from > {today}"),
    }
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
