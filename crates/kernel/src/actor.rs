//! Who acts: every use case takes an [`Actor`] and every audit entry names one.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, OrgCode, PostCode, SubjectId, TokenId};

/// A post that an officer holds. One person may hold several.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PostHolding {
    /// The post.
    pub post: PostCode,
    /// The organisation that the post belongs to.
    pub org: OrgCode,
    /// What the post may do, such as `registrar` or `decider`.
    pub role: String,
}

/// Whoever acts on the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// Nobody has signed in.
    Anonymous,
    /// A person, for themselves or for someone who gave them authority.
    Citizen {
        /// How they signed in.
        account: AccountId,
        /// Who they are.
        subject: SubjectId,
        /// For whom they act now: a child, a firm.
        on_behalf_of: Option<SubjectId>,
    },
    /// A civil servant in the posts they hold today.
    Officer {
        /// How they signed in.
        account: AccountId,
        /// Who they are.
        subject: SubjectId,
        /// Their posts; an officer without posts may do nothing.
        posts: Vec<PostHolding>,
    },
    /// Reads the audit log and changes nothing.
    Auditor {
        /// How they signed in.
        account: AccountId,
        /// Who they are.
        subject: SubjectId,
    },
    /// Runs the node: accounts, organisations, content; decides no case.
    Administrator {
        /// How they signed in.
        account: AccountId,
        /// Who they are.
        subject: SubjectId,
    },
    /// Another system with a token of the API.
    System {
        /// The token it showed.
        token: TokenId,
        /// The name it was registered under.
        name: String,
        /// What the token allows, such as `cases:read`.
        scopes: Vec<String>,
    },
    /// The platform's own work: sweepers, issuing, clean-up.
    Node,
}

impl Actor {
    /// The account that signed in.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Citizen { account, .. }
            | Self::Officer { account, .. }
            | Self::Auditor { account, .. }
            | Self::Administrator { account, .. } => Some(*account),
            Self::Anonymous | Self::System { .. } | Self::Node => None,
        }
    }

    /// The person who acts, also when they act for someone else.
    #[must_use]
    pub fn subject(&self) -> Option<SubjectId> {
        match self {
            Self::Citizen { subject, .. }
            | Self::Officer { subject, .. }
            | Self::Auditor { subject, .. }
            | Self::Administrator { subject, .. } => Some(*subject),
            Self::Anonymous | Self::System { .. } | Self::Node => None,
        }
    }

    /// Whose affairs these are: for a citizen the one they act for, or else themselves.
    #[must_use]
    pub fn acting_for(&self) -> Option<SubjectId> {
        match self {
            Self::Citizen { subject, on_behalf_of, .. } => Some(on_behalf_of.unwrap_or(*subject)),
            _ => None,
        }
    }

    /// The posts held; none for anyone but an officer.
    #[must_use]
    pub fn posts(&self) -> &[PostHolding] {
        match self {
            Self::Officer { posts, .. } => posts,
            _ => &[],
        }
    }

    /// Whether the actor holds this very post.
    #[must_use]
    pub fn holds_post(&self, post: &PostCode) -> bool {
        self.posts().iter().any(|holding| holding.post == *post)
    }

    /// Whether the actor holds a post with this role in this organisation.
    #[must_use]
    pub fn has_role(&self, org: &OrgCode, role: &str) -> bool {
        self.posts().iter().any(|holding| holding.org == *org && holding.role == role)
    }

    /// Whether a system's token allows this; scopes are compared whole, a part of one allows nothing.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        matches!(self, Self::System { scopes, .. } if scopes.iter().any(|held| held == scope))
    }

    /// One word for tables and logs: the name of the variant in lower case.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Citizen { .. } => "citizen",
            Self::Officer { .. } => "officer",
            Self::Auditor { .. } => "auditor",
            Self::Administrator { .. } => "administrator",
            Self::System { .. } => "system",
            Self::Node => "node",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Uuid;

    fn officer() -> Actor {
        let holding = PostHolding {
            post: PostCode::new("532901-amr-registrar").unwrap(),
            org: OrgCode::new("532901-amr").unwrap(),
            role: "registrar".into(),
        };
        Actor::Officer {
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            subject: SubjectId::from_uuid(Uuid::from_u128(2)),
            posts: vec![holding],
        }
    }

    #[test]
    fn a_role_counts_only_in_its_own_organisation() {
        let officer = officer();
        assert!(officer.has_role(&OrgCode::new("532901-amr").unwrap(), "registrar"));
        assert!(!officer.has_role(&OrgCode::new("532923-amr").unwrap(), "registrar"));
        assert!(officer.holds_post(&PostCode::new("532901-amr-registrar").unwrap()));
        assert!(!Actor::Node.has_scope("cases:read"));
    }

    #[test]
    fn a_proxy_acts_for_the_other_and_stays_the_person_who_acts() {
        let (own, child) =
            (SubjectId::from_uuid(Uuid::from_u128(2)), SubjectId::from_uuid(Uuid::from_u128(3)));
        let account = AccountId::from_uuid(Uuid::from_u128(1));
        let proxy = Actor::Citizen { account, subject: own, on_behalf_of: Some(child) };
        assert_eq!((proxy.subject(), proxy.acting_for()), (Some(own), Some(child)));
        assert_eq!(officer().acting_for(), None);
    }

    #[test]
    fn an_actor_is_written_with_its_kind() {
        let text = serde_json::to_string(&officer()).unwrap();
        assert!(text.starts_with(r#"{"kind":"officer","#), "{text}");
        assert_eq!(serde_json::from_str::<Actor>(&text).unwrap(), officer());
        assert_eq!(serde_json::to_string(&Actor::Node).unwrap(), r#"{"kind":"node"}"#);
        assert_eq!(officer().kind(), "officer");
    }
}
