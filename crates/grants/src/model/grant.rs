//! A grant as it stands now.

use kernel::ids::{AccountId, GrantId, SubjectId};
use kernel::time::Timestamp;

use super::state::{GrantEvent, Status};
use super::terms::Terms;

/// A grant as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// What it says.
    pub terms: Terms,
    /// SM3 of its document.
    pub terms_hash: [u8; 32],
    /// Its state.
    pub status: Status,
    /// How many events its history has.
    pub seq: i64,
    /// How often it was used.
    pub uses: u64,
    /// How many rows were given out on it.
    pub rows: u64,
    /// Since when it is there.
    pub created_at: Timestamp,
}

/// Whether a grant counts, for people: its state with the clock and the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As the state says.
    Of(Status),
    /// Its term has not begun.
    NotYet,
    /// Its term is over.
    Expired,
    /// Its uses or rows are used up.
    UsedUp,
}

impl Standing {
    /// One word for texts and styles.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Of(status) => status.as_str(),
            Self::NotYet => "not-yet",
            Self::Expired => "expired",
            Self::UsedUp => "used-up",
        }
    }
}

impl Grant {
    /// Whether it counts at `now`.
    pub fn standing(&self, now: Timestamp) -> Standing {
        match self.status {
            Status::Active if now < self.terms.valid_from => Standing::NotYet,
            Status::Active | Status::Suspended | Status::Proposed if now >= self.terms.valid_to => {
                Standing::Expired
            }
            Status::Active if self.is_used_up() => Standing::UsedUp,
            status => Standing::Of(status),
        }
    }

    /// Whether no use or no row is left.
    pub fn is_used_up(&self) -> bool {
        let reached = |most: Option<u64>, had: u64| most.is_some_and(|most| had >= most);
        reached(self.terms.most_uses, self.uses) || reached(self.terms.most_rows, self.rows)
    }

    /// How many rows may still be given out; none where there is no limit.
    pub fn rows_left(&self) -> Option<u64> {
        self.terms.most_rows.map(|most| most.saturating_sub(self.rows))
    }
}

/// An event of a grant's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// With which account; none for the node itself.
    pub account: Option<AccountId>,
    /// Which person.
    pub subject: Option<SubjectId>,
    /// In which posts.
    pub label: String,
    /// What.
    pub event: GrantEvent,
}
