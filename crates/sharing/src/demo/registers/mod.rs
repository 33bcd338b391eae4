//! The resources, each made from a round.

mod economy;
mod people;
mod social;
mod water;

use super::model::{Bilingual, DemoColumn, Grade, Row, UpdateCycle};
use super::round::Round;

/// One resource of the demonstration.
#[derive(Clone, Debug)]
pub struct DemoResource {
    /// Its table in the lake.
    pub id: &'static str,
    /// 名称.
    pub title: Bilingual,
    /// 摘要: what it is.
    pub what: Bilingual,
    /// 提供方: the code of an organisation.
    pub provider: &'static str,
    /// 信息项.
    pub columns: Vec<DemoColumn>,
    /// The columns that together name a row.
    pub key: &'static [&'static str],
    /// 数据级别.
    pub grade: Grade,
    /// The column that tells whom a row is about: a citizen number or a credit code. None where it is about neither.
    pub entity: Option<&'static str>,
    /// 更新周期.
    pub cycle: UpdateCycle,
    /// How many rows it has at the default scale.
    pub rows: usize,
    pub(super) make: fn(&Round) -> Vec<Row>,
}

impl DemoResource {
    /// Where a column stands.
    #[must_use]
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|one| one.column.name == column)
    }

    /// The key of a row as a file has it, its columns with a space between.
    #[must_use]
    pub fn key_of(&self, row: &Row) -> String {
        let cells = self.key.iter().filter_map(|name| {
            let place = self.place(name)?;
            Some(row.get(place)?.written(self.columns.get(place)?.column.kind))
        });
        cells.collect::<Vec<_>>().join(" ")
    }
}

/// All resources of the demonstration.
#[must_use]
pub fn resources() -> Vec<DemoResource> {
    vec![
        people::population(),
        people::households(),
        economy::firms(),
        social::social_insurance(),
        people::property(),
        people::vehicles(),
        social::education(),
        social::medical_insurance(),
        economy::permits(),
        economy::penalties(),
        economy::credit(),
        water::water_quality(),
    ]
}

const fn said(zh: &'static str, en: &'static str) -> Bilingual {
    Bilingual { zh, en }
}
