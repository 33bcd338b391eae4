//! The organisations of a node in six levels, their posts and the posts' roles.

use serde::{Deserialize, Serialize};

use super::Words;

/// Organisations and roles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgDirectory {
    /// The directory's id.
    pub id: String,
    /// The roles that posts may carry and steps may ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// The organisations.
    pub orgs: Vec<Org>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its id, for example `registrar`.
    pub id: String,
    /// Its name.
    pub name: Words,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Org {
    /// Its short code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// 统一社会信用代码, synthetic in demo content.
    pub uscc: String,
    /// The division it serves: 6, 9 or 12 digits.
    pub division: String,
    /// Its level.
    pub level: OrgLevel,
    /// The organisation above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Its posts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<Post>,
}

/// The six levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrgLevel {
    /// 省.
    Province,
    /// 市、州.
    Prefecture,
    /// 县、市、区.
    County,
    /// 乡、镇、街道.
    Township,
    /// 村、社区.
    Village,
    /// 网格、小组.
    Grid,
}

/// A post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    /// Its code, unique in the node.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// What its holder may do.
    pub roles: Vec<String>,
}

impl Org {
    /// The posts that carry a role.
    pub fn posts_with(&self, role: &str) -> impl Iterator<Item = &Post> {
        self.posts.iter().filter(move |p| p.roles.iter().any(|r| r == role))
    }
}
