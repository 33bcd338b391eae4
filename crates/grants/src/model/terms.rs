//! What a grant says, as a document. It is read strictly: a term that this version does not know is refused and
//! never dropped, because a forgotten term is a permission that nobody gave.

use std::fmt;

use crypto::hash::sm3;
use kernel::actor::Actor;
use kernel::ids::{OrgCode, PostCode, SubjectId, TokenId};
use kernel::time::Timestamp;
use lake::policy::Shown as LakeShown;
use lake::{Mask, Policy, RowRule};
use serde::{Deserialize, Serialize};
use store::Purpose;

/// The form of the document that this version writes and reads.
pub const FORM: u32 = 1;
/// The most letters of a reference or a text of a duty.
pub const MAX_TEXT: usize = 500;
/// The fewest entities that a group of an aggregate must cover.
pub const LEAST_K: u32 = 3;

/// What a grant says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// [`FORM`].
    pub form: u32,
    /// Who may see.
    pub holder: Holder,
    /// On whose authority.
    pub authority: Authority,
    /// The resource, by the name of its table.
    pub resource: String,
    /// Which versions of it.
    pub versions: Versions,
    /// Which columns, and how they are shown.
    pub columns: Vec<Shown>,
    /// Which rows; without a rule, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowRule>,
    /// What for.
    pub purpose: Purpose,
    /// How often; without a number, as often as needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_uses: Option<u64>,
    /// How many rows in all; without a number, as many as needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_rows: Option<u64>,
    /// From when.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_to: Timestamp,
    /// Whether rows leave, or aggregates only.
    pub environment: Environment,
    /// What the holder has to do.
    #[serde(default)]
    pub duties: Vec<Duty>,
}

/// Who may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// One person, in whatever post.
    Person(SubjectId),
    /// Whoever holds the post.
    Post(PostCode),
    /// Whoever holds a post in the organisation.
    Org(OrgCode),
    /// A system with its token.
    System(TokenId),
}

impl Holder {
    /// The form in which the ledger looks it up, such as `org:dali-city-market`.
    pub fn key(&self) -> String {
        self.to_string()
    }

    /// Every holder that the actor is at this moment. The node itself acts for the organisation that runs it.
    pub fn of(actor: &Actor, operator: &OrgCode) -> Vec<Self> {
        let mut holders = Vec::new();
        if let Actor::Officer { subject, posts, .. } = actor {
            holders.push(Self::Person(*subject));
            for held in posts {
                for holder in [Self::Post(held.post.clone()), Self::Org(held.org.clone())] {
                    if !holders.contains(&holder) {
                        holders.push(holder);
                    }
                }
            }
        }
        match actor {
            Actor::System { token, .. } => holders.push(Self::System(*token)),
            Actor::Node => holders.push(Self::Org(operator.clone())),
            _ => {}
        }
        holders
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Post(code) => write!(f, "post:{code}"),
            Self::Org(code) => write!(f, "org:{code}"),
            Self::System(id) => write!(f, "system:{id}"),
        }
    }
}

/// On whose authority a grant stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// What kind of ground it is.
    pub kind: AuthorityKind,
    /// The article, the number of the request, letter or contract.
    pub reference: String,
}

/// What kind of ground a grant stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorityKind {
    /// A law or regulation (法定依据).
    Law,
    /// An approved request of another office.
    Request,
    /// A letter of authorisation (授权书).
    Authorisation,
    /// A contract.
    Contract,
}

impl AuthorityKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Law, Self::Request, Self::Authorisation, Self::Contract];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::Request => "request",
            Self::Authorisation => "authorisation",
            Self::Contract => "contract",
        }
    }
}

/// Which versions of a resource a grant was written for: another set of columns is another thing to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// The first.
    pub from: u32,
    /// The last; without it, this one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

impl Versions {
    /// Whether the version is one of them.
    pub fn holds(self, version: u32) -> bool {
        (self.from..=self.to.unwrap_or(self.from)).contains(&version)
    }
}

/// One column, and how it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its name in the resource.
    pub column: String,
    /// What stands in place of the value; without it, the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<ShowMask>,
    /// Whether a masked column may be looked up by its true value.
    #[serde(default, rename = "match", skip_serializing_if = "std::ops::Not::not")]
    pub matched: bool,
}

// Variants without fields have braces all the same: without them an unknown term beside `kind` would be overlooked.

/// What stands in place of a value, as [`Mask`]; a token names its family, since a key has no place in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum ShowMask {
    /// Nothing.
    Empty {},
    /// Stars between the first and the last letters.
    Stars {
        /// Letters shown at the beginning.
        first: u8,
        /// Letters shown at the end.
        last: u8,
    },
    /// The first letters alone.
    Prefix {
        /// How many.
        letters: u8,
    },
    /// The first day of the year.
    Year {},
    /// The next lower multiple of a step.
    Floor {
        /// The step.
        step: u32,
    },
    /// A keyed hash. Grants of one family have the same tokens and may be joined by them.
    Token {
        /// The name of the family.
        family: String,
    },
}

/// Whether rows leave, or aggregates only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Environment {
    /// Rows, as columns, masks and row rule leave them.
    Rows {},
    /// Aggregates over at least `k` entities each.
    Aggregates {
        /// How many.
        k: u32,
    },
}

/// What the holder has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Duty {
    /// Delete what was taken within so many days after the end of the term.
    Delete {
        /// Days.
        within_days: u32,
    },
    /// Hand nothing on.
    NoOnwardSharing {},
    /// Report what the data was used for every so many days.
    Report {
        /// Days.
        every_days: u32,
    },
}

/// What is wrong with the terms of a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// The document holds what this version does not know, or lacks something.
    #[error("the terms cannot be read: {0}")]
    Unreadable(String),
    /// Another form than this version knows.
    #[error("form {0} is not known")]
    Form(u32),
    /// No reference, or one that is too long.
    #[error("the authority has no reference or one that is too long")]
    Authority,
    /// The term ends before it begins.
    #[error("the term ends before it begins")]
    Term,
    /// Aggregates over too few.
    #[error("aggregates over fewer than {LEAST_K}")]
    SmallK,
    /// A purpose for which no data is given out.
    #[error("no data is given out for this purpose")]
    Purpose,
    /// A family of tokens without a proper name.
    #[error("a family of tokens has no proper name")]
    Family,
    /// The versions end before they begin.
    #[error("the versions end before they begin")]
    Versions,
    /// Columns or rows do not fit the resource.
    #[error("the terms do not fit the resource: {0}")]
    Policy(String),
    /// Aggregates of a resource that does not say whose entity a row is.
    #[error("the resource names no entity, so nobody can tell how many a group covers")]
    NoEntity,
}

/// What data is given out for. The rest of [`Purpose`] are acts of the node and of people themselves.
pub const PURPOSES: [Purpose; 6] = [
    Purpose::CaseHandling,
    Purpose::Prefill,
    Purpose::Verification,
    Purpose::Supervision,
    Purpose::Statistics,
    Purpose::Emergency,
];

/// Whether a use for this purpose has to name the case it is for.
pub fn needs_case(purpose: Purpose) -> bool {
    purpose == Purpose::CaseHandling
}

impl Terms {
    /// Reads a document.
    pub fn parse(text: &str) -> Result<Self, TermsError> {
        let terms: Self =
            serde_json::from_str(text).map_err(|error| TermsError::Unreadable(error.to_string()))?;
        if terms.form != FORM {
            return Err(TermsError::Form(terms.form));
        }
        Ok(terms)
    }

    /// The document and its SM3.
    pub fn to_document(&self) -> Result<(String, [u8; 32]), TermsError> {
        let text = serde_json::to_string(self).map_err(|error| TermsError::Unreadable(error.to_string()))?;
        let hash = sm3(text.as_bytes());
        Ok((text, hash))
    }

    /// Whether the document makes sense by itself; whether it fits the resource, [`Self::policy`] tells.
    pub fn check(&self) -> Result<(), TermsError> {
        let reference = self.authority.reference.trim();
        if self.form != FORM {
            return Err(TermsError::Form(self.form));
        }
        if reference.is_empty() || reference.chars().count() > MAX_TEXT {
            return Err(TermsError::Authority);
        }
        if self.valid_to <= self.valid_from {
            return Err(TermsError::Term);
        }
        if !PURPOSES.contains(&self.purpose) {
            return Err(TermsError::Purpose);
        }
        if self.versions.to.is_some_and(|to| to < self.versions.from) {
            return Err(TermsError::Versions);
        }
        if matches!(self.environment, Environment::Aggregates { k } if k < LEAST_K) {
            return Err(TermsError::SmallK);
        }
        for shown in &self.columns {
            if let Some(ShowMask::Token { family }) = &shown.mask
                && OrgCode::new(family.as_str()).is_err()
            {
                return Err(TermsError::Family);
            }
        }
        Ok(())
    }

    /// What the lake enforces. `token_key` gives the key of a family.
    pub fn policy(&self, token_key: impl Fn(&str) -> [u8; 32]) -> Policy {
        let columns = self.columns.iter().map(|shown| LakeShown {
            column: shown.column.clone(),
            mask: shown.mask.as_ref().map(|mask| match mask {
                ShowMask::Empty {} => Mask::Empty {},
                ShowMask::Stars { first, last } => Mask::Stars { first: *first, last: *last },
                ShowMask::Prefix { letters } => Mask::Prefix { letters: *letters },
                ShowMask::Year {} => Mask::Year {},
                ShowMask::Floor { step } => Mask::Floor { step: *step },
                ShowMask::Token { family } => Mask::Token { key: hex::encode(token_key(family)) },
            }),
            matched: shown.matched,
        });
        Policy { columns: columns.collect(), rows: self.rows.clone() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn terms() -> Terms {
        Terms {
            form: FORM,
            holder: Holder::Org(OrgCode::new("dali-city-civil-affairs").unwrap()),
            authority: Authority {
                kind: AuthorityKind::Law,
                reference: "政务数据共享条例第二十三条".to_owned(),
            },
            resource: "population".to_owned(),
            versions: Versions { from: 1, to: None },
            columns: vec![
                Shown {
                    column: "citizen_id".to_owned(),
                    mask: Some(ShowMask::Stars { first: 6, last: 4 }),
                    matched: true,
                },
                Shown { column: "town".to_owned(), mask: None, matched: false },
            ],
            rows: None,
            purpose: Purpose::CaseHandling,
            most_uses: Some(100),
            most_rows: None,
            valid_from: Timestamp::parse("2026-11-01T00:00:00Z").unwrap(),
            valid_to: Timestamp::parse("2027-11-01T00:00:00Z").unwrap(),
            environment: Environment::Rows {},
            duties: vec![Duty::Delete { within_days: 30 }, Duty::NoOnwardSharing {}],
        }
    }

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let (text, hash) = terms().to_document().unwrap();
        let read = Terms::parse(&text).unwrap();
        assert_eq!(read, terms());
        assert_eq!(read.to_document().unwrap(), (text, hash));
    }

    #[test]
    fn an_unknown_term_is_refused_wherever_it_stands() {
        let (text, _) = terms().to_document().unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        for place in
            ["", "/authority", "/versions", "/environment", "/columns/0", "/columns/0/mask", "/duties/0"]
        {
            let mut changed = document.clone();
            changed
                .pointer_mut(place)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .insert("price".to_owned(), serde_json::json!(1));
            assert!(matches!(Terms::parse(&changed.to_string()), Err(TermsError::Unreadable(_))), "{place}");
        }
        let other = text.replace("\"form\":1", "\"form\":2");
        assert_eq!(Terms::parse(&other), Err(TermsError::Form(2)));
    }

    #[test]
    fn terms_that_make_no_sense_are_named() {
        type Change = fn(&mut Terms);
        let cases: [(Change, TermsError); 6] = [
            (|terms| terms.authority.reference = "  ".to_owned(), TermsError::Authority),
            (|terms| terms.valid_to = terms.valid_from, TermsError::Term),
            (|terms| terms.purpose = Purpose::OwnUse, TermsError::Purpose),
            (|terms| terms.versions = Versions { from: 2, to: Some(1) }, TermsError::Versions),
            (|terms| terms.environment = Environment::Aggregates { k: 2 }, TermsError::SmallK),
            (
                |terms| {
                    terms.columns = vec![Shown {
                        column: "citizen_id".to_owned(),
                        mask: Some(ShowMask::Token { family: "A B".to_owned() }),
                        matched: false,
                    }];
                },
                TermsError::Family,
            ),
        ];
        terms().check().unwrap();
        for (change, error) in cases {
            let mut changed = terms();
            change(&mut changed);
            assert_eq!(changed.check(), Err(error));
        }
    }

    #[test]
    fn a_range_of_versions_holds_its_ends_and_one_alone_holds_itself() {
        let (one, three) = (Versions { from: 2, to: None }, Versions { from: 2, to: Some(4) });
        let held =
            |versions: Versions| (1..=5).filter(|version| versions.holds(*version)).collect::<Vec<_>>();
        assert_eq!((held(one), held(three)), (vec![2], vec![2, 3, 4]));
    }
}
