//! What goes over the wire.

use grants::Admitted;
use grants::model::terms::{Environment, needs_case};
use lake::LakeError;
use lake::answer::{AnswerColumn, Rows as Part};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as Json};
use utoipa::ToSchema;
use web::wire::Words;

use crate::uses::record::Record;

/// A resource that the caller may use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Resource {
    /// Its id, which is its name in a query.
    pub id: String,
    /// Its title.
    pub title: Words,
    /// What it holds.
    pub about: Words,
    /// The organisation that provides it.
    pub provider: String,
    /// Its grade (GB/T 43697).
    pub grade: String,
    /// Whether it is made up.
    pub synthetic: bool,
    /// Its version.
    pub version: u32,
    /// The columns that the grant shows.
    pub columns: Vec<ResourceColumn>,
    /// The grant.
    pub grant: String,
    /// What it may be used for.
    pub purpose: &'static str,
    /// Whether a use has to name a case.
    pub needs_case: bool,
    /// `rows`, or `aggregates` where only aggregates leave.
    pub environment: &'static str,
    /// Until when.
    pub valid_to: String,
    /// Uses that are left; none where there is no limit.
    pub uses_left: Option<u64>,
}

/// A column that a grant shows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ResourceColumn {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: Words,
    /// What it holds, such as `text` or `decimal(2)`.
    pub kind: String,
    /// Whether a mask stands in place of the value.
    pub masked: bool,
    /// Whether a masked column may be looked up by its true value.
    pub matched: bool,
}

impl Resource {
    pub(crate) fn new(admitted: &Admitted) -> Self {
        let Admitted { grant, resource, table, policy } = admitted;
        let columns = policy.columns.iter().map(|shown| ResourceColumn {
            name: shown.column.clone(),
            title: (&resource.title_of(&shown.column)).into(),
            kind: policy
                .shown_kind(&table.schema, &shown.column)
                .map(|kind| kind.to_string())
                .unwrap_or_default(),
            masked: shown.mask.is_some(),
            matched: shown.matched,
        });
        Self {
            id: resource.id.to_string(),
            title: (&resource.description.title).into(),
            about: (&resource.description.about).into(),
            provider: resource.provider.to_string(),
            grade: resource.grade.to_string(),
            synthetic: resource.description.synthetic,
            version: table.version,
            columns: columns.collect(),
            grant: grant.id.to_string(),
            purpose: grant.terms.purpose.as_str(),
            needs_case: needs_case(grant.terms.purpose),
            environment: match grant.terms.environment {
                Environment::Rows {} => "rows",
                Environment::Aggregates { .. } => "aggregates",
            },
            valid_to: grant.terms.valid_to.to_string(),
            uses_left: grant.terms.most_uses.map(|most| most.saturating_sub(grant.uses)),
        }
    }
}

/// The resources that the caller may use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ResourceList {
    /// In no order.
    pub resources: Vec<Resource>,
}

/// A page of a resource.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Records {
    /// The use, under which its receipt is found.
    pub use_id: String,
    /// The resource.
    pub resource: String,
    /// Its version.
    pub version: u32,
    /// Whether the data is made up.
    pub synthetic: bool,
    /// The rows: column to value. Decimals, dates and times are texts.
    #[schema(value_type = Vec<Object>)]
    pub rows: Vec<Map<String, Json>>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
}

/// A query to be run.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQuery {
    /// One SELECT in the dialect of PostgreSQL.
    pub sql: String,
    /// What for: `case_handling`, `prefill`, `verification`, `supervision`, `statistics` or `emergency`.
    pub purpose: String,
    /// For which case; needed for `case_handling`.
    #[serde(default)]
    pub case_no: Option<String>,
    /// The most rows to answer, from 1 to 10,000; 1,000 if nothing is said.
    #[serde(default)]
    pub max_rows: Option<usize>,
}

/// The rows of a query.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Rows {
    /// The use, under which its receipt is found.
    pub use_id: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each a list of values in the order of the columns. Decimals, dates and times are texts.
    #[schema(value_type = Vec<Vec<Object>>)]
    pub rows: Vec<Vec<Json>>,
    /// Whether there are more rows than were asked for.
    pub more: bool,
}

/// A column of an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Column {
    /// Its name.
    pub name: String,
    /// What it holds, as the engine names it.
    pub kind: String,
}

impl From<&AnswerColumn> for Column {
    fn from(column: &AnswerColumn) -> Self {
        Self { name: column.name.clone(), kind: column.kind.clone() }
    }
}

/// A use of grants.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Use {
    /// Its id.
    pub use_id: String,
    /// When.
    pub at: String,
    /// Through which door.
    pub door: String,
    /// What for.
    pub purpose: &'static str,
    /// For which case.
    pub case_no: Option<String>,
    /// The resources that it named.
    pub resources: Vec<String>,
    /// The statement; the asker alone reads it.
    pub statement: String,
    /// `ok`, `open`, `broken_off` or the code of an error.
    pub outcome: String,
    /// Rows that left.
    pub rows: u64,
    /// How long it took, in microseconds.
    pub micros: u64,
}

impl Use {
    pub(crate) fn new(record: &Record, statement: String) -> Self {
        Self {
            use_id: record.use_id.to_string(),
            at: record.at.to_string(),
            door: record.door.clone(),
            purpose: record.purpose.as_str(),
            case_no: (!record.case_no.is_empty()).then(|| record.case_no.clone()),
            resources: record.grants.iter().map(|used| used.resource.clone()).collect(),
            statement,
            outcome: record.outcome.code.clone(),
            rows: record.outcome.rows,
            micros: record.outcome.micros,
        }
    }
}

/// A page of one's own uses.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UseList {
    /// Newest first.
    pub uses: Vec<Use>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
}

/// Rows as lists of values.
pub(crate) fn arrays(columns: &[AnswerColumn], parts: &[Part]) -> Result<Vec<Vec<Json>>, LakeError> {
    let mut rows = Vec::new();
    for part in parts {
        for cells in part.texts()? {
            rows.push(cells.into_iter().zip(columns).map(|(cell, column)| value(column, cell)).collect());
        }
    }
    Ok(rows)
}

/// Rows as objects.
pub(crate) fn objects(
    columns: &[AnswerColumn],
    parts: &[Part],
) -> Result<Vec<Map<String, Json>>, LakeError> {
    let named = |row: Vec<Json>| columns.iter().map(|column| column.name.clone()).zip(row).collect();
    Ok(arrays(columns, parts)?.into_iter().map(named).collect())
}

fn value(column: &AnswerColumn, cell: Option<String>) -> Json {
    let Some(text) = cell else { return Json::Null };
    if column.kind == "Boolean" {
        return Json::Bool(text == "true");
    }
    // Decimals stay texts: a reader's floating point would change them.
    if column.numeric && !column.kind.starts_with("Decimal") {
        let whole = text.parse::<i64>().ok().map(Number::from);
        if let Some(number) = whole.or_else(|| text.parse().ok().and_then(Number::from_f64)) {
            return Json::Number(number);
        }
    }
    Json::String(text)
}
