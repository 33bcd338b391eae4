//! The node itself: whose it is, and the themes under which its items stand.

use serde::{Deserialize, Serialize};

use super::Words;

/// One jurisdiction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeDoc {
    /// The node's id.
    pub id: String,
    /// The name of the portal.
    pub name: Words,
    /// The place it serves.
    pub place: Words,
    /// The division it serves: 6 digits.
    pub division: String,
    /// The organisation that runs it.
    pub operator: String,
    /// The organisation that audits it.
    pub auditor: String,
    /// The organisation that handles bad reviews.
    pub rating_office: String,
    /// The organisation that decides on data grants of every provider (数据主管机构).
    pub data_authority: String,
    /// The help line.
    pub phone: String,
    /// Themes and life events.
    pub themes: Vec<Theme>,
}

/// A theme or a life event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// Which of the two it is.
    pub kind: ThemeKind,
}

/// A theme by subject, or an event of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeKind {
    /// 主题.
    Subject,
    /// 人生事件.
    LifeEvent,
}
