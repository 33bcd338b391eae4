//! The registry of resources: what a table of the lake is, who provides it, and how sensitive it is.

use std::fmt;
use std::str::FromStr;

use kernel::ids::OrgCode;
use kernel::time::Timestamp;
use lake::{Lake, Schema, Table, TableId};
use packs::model::Words;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use store::{Reads, Tx, params};

use crate::GrantError;

/// The grade of a resource after GB/T 43697-2024: core, important, and general data in four levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// General data, level 1 to 4.
    General(u8),
    /// Important data.
    Important,
    /// Core data.
    Core,
}

impl Grade {
    /// Every grade, from the least sensitive.
    pub const ALL: [Self; 6] = [
        Self::General(1),
        Self::General(2),
        Self::General(3),
        Self::General(4),
        Self::Important,
        Self::Core,
    ];

    /// Whether a grant needs a second pair of eyes: from level 3 on, where harm to persons or organisations is
    /// serious.
    pub fn needs_four_eyes(self) -> bool {
        self >= Self::General(3)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::General(level) => write!(f, "general-{level}"),
            Self::Important => f.write_str("important"),
            Self::Core => f.write_str("core"),
        }
    }
}

impl FromStr for Grade {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        Self::ALL
            .into_iter()
            .find(|grade| grade.to_string() == text)
            .ok_or_else(|| GrantError::Description(format!("`{text}` is no grade")))
    }
}

impl Serialize for Grade {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Grade {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is said of a resource beside its table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Its title.
    pub title: Words,
    /// What it holds, in a sentence or two.
    pub about: Words,
    /// How often it is brought up to date, such as `daily`.
    pub update_cycle: UpdateCycle,
    /// The column that tells whose entity a row is: a person, a firm, a station. Aggregates count these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Whether the entity is a person, by their citizen number; then whoever is concerned sees the uses.
    #[serde(default)]
    pub of_persons: bool,
    /// Whether it is made up.
    #[serde(default)]
    pub synthetic: bool,
    /// What each column is called, in the order of the table.
    pub columns: Vec<ColumnTitle>,
}

/// What a column is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnTitle {
    /// Its name in the table.
    pub column: String,
    /// Its title.
    pub title: Words,
}

/// How often a resource is brought up to date (更新周期, GB/T 21063).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateCycle {
    /// As it happens.
    RealTime,
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every quarter.
    Quarterly,
    /// Every year.
    Yearly,
    /// When there is a reason.
    Irregular,
}

impl UpdateCycle {
    /// Every cycle.
    pub const ALL: [Self; 7] = [
        Self::RealTime,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::Quarterly,
        Self::Yearly,
        Self::Irregular,
    ];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RealTime => "real_time",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Yearly => "yearly",
            Self::Irregular => "irregular",
        }
    }
}

/// A resource: a table of the lake that may be granted.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The name of its table.
    pub id: TableId,
    /// The organisation that provides it.
    pub provider: OrgCode,
    /// How sensitive it is.
    pub grade: Grade,
    /// What is said of it.
    pub description: Description,
    /// Since when it is registered.
    pub created_at: Timestamp,
}

impl Resource {
    /// The title of a column; its name where nobody gave it one.
    pub fn title_of(&self, column: &str) -> Words {
        let found = self.description.columns.iter().find(|title| title.column == column);
        found.map_or_else(
            || Words { zh: column.to_owned(), en: column.to_owned() },
            |title| title.title.clone(),
        )
    }
}

/// A resource to be registered.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// The name of its table.
    pub id: TableId,
    /// The organisation that provides it.
    pub provider: OrgCode,
    /// How sensitive it is.
    pub grade: Grade,
    /// What is said of it.
    pub description: Description,
}

impl NewResource {
    fn check(&self, schema: &Schema) -> Result<(), GrantError> {
        let description = &self.description;
        for words in [&description.title, &description.about] {
            if words.zh.trim().is_empty() || words.en.trim().is_empty() {
                return Err(GrantError::Description("a title or text is missing".to_owned()));
            }
        }
        let known = |name: &str| schema.column(name).is_some();
        if let Some(entity) = &description.entity
            && !known(entity)
        {
            return Err(GrantError::Description(format!("there is no column `{entity}`")));
        }
        if description.of_persons && description.entity.is_none() {
            return Err(GrantError::Description("no column tells whose row it is".to_owned()));
        }
        match description.columns.iter().find(|title| !known(&title.column)) {
            Some(title) => Err(GrantError::Description(format!("there is no column `{}`", title.column))),
            None => Ok(()),
        }
    }
}

store::row! {
    struct ResourceRow {
        resource_id: String, provider: OrgCode, grade: String, body: String, created_at: Timestamp,
    }
}

const COLUMNS: &str = "resource_id, provider, grade, body, created_at";

/// Registers a table of the lake. Who may, the action decides.
pub(crate) async fn insert(tx: &Tx, table: &Table, new: &NewResource) -> Result<(), GrantError> {
    new.check(&table.schema)?;
    let body = serde_json::to_string(&new.description).map_err(store::StoreError::from)?;
    let made = tx
        .execute(
            "INSERT INTO grants_resource (resource_id, provider, grade, body, created_at, changed_at)
             VALUES ($1, $2, $3, $4, $5, $5)
             ON CONFLICT (resource_id) DO NOTHING",
            params![new.id.as_str(), &new.provider, new.grade.to_string(), body, tx.store().env().now()],
        )
        .await?;
    if made == 1 { Ok(()) } else { Err(GrantError::ResourceTaken(new.id.to_string())) }
}

/// The resource of this name.
pub async fn get(db: &impl Reads, id: &str) -> Result<Resource, GrantError> {
    find(db, id).await?.ok_or_else(|| GrantError::NoResource(id.chars().take(70).collect()))
}

/// The resource of this name, if there is one.
pub async fn find(db: &impl Reads, id: &str) -> Result<Option<Resource>, GrantError> {
    let sql = format!("SELECT {COLUMNS} FROM grants_resource WHERE resource_id = $1");
    let row: Option<ResourceRow> = db.optional(&sql, params![id]).await?;
    row.map(read).transpose()
}

/// Every resource, by name.
pub async fn list(db: &impl Reads) -> Result<Vec<Resource>, GrantError> {
    let sql = format!("SELECT {COLUMNS} FROM grants_resource ORDER BY resource_id");
    let rows: Vec<ResourceRow> = db.query(&sql, vec![]).await?;
    rows.into_iter().map(read).collect()
}

/// The table of a resource as it is now.
pub async fn table(db: &impl Reads, resource: &Resource) -> Result<Table, GrantError> {
    Ok(Lake::table(db, &resource.id).await?)
}

fn read(row: ResourceRow) -> Result<Resource, GrantError> {
    Ok(Resource {
        id: row.resource_id.parse()?,
        provider: row.provider,
        grade: row.grade.parse()?,
        description: serde_json::from_str(&row.body).map_err(store::StoreError::from)?,
        created_at: row.created_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grade_is_read_as_it_is_written_and_level_three_needs_two_persons() {
        for grade in Grade::ALL {
            assert_eq!(grade.to_string().parse::<Grade>().unwrap(), grade);
        }
        assert!("general-5".parse::<Grade>().is_err());
        let needing: Vec<Grade> = Grade::ALL.into_iter().filter(|grade| grade.needs_four_eyes()).collect();
        assert_eq!(needing, [Grade::General(3), Grade::General(4), Grade::Important, Grade::Core]);
    }
}
