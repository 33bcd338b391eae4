//! The states of a grant and what leads from one to the next.

use serde::{Deserialize, Serialize};

/// The state of a grant. That its term is over or its uses are used up is not a state: it is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for a second pair of eyes.
    Proposed,
    /// Counts.
    Active,
    /// Does not count until it is resumed.
    Suspended,
    /// Never counts again.
    Revoked,
    /// Never counted.
    Refused,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Proposed, Self::Active, Self::Suspended, Self::Revoked, Self::Refused];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Refused => "refused",
        }
    }

    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The state after an event, if the event may happen in this one.
    pub fn after(self, event: &GrantEvent) -> Result<Self, TransitionError> {
        match (self, event) {
            (Self::Proposed, GrantEvent::Approved { .. }) => Ok(Self::Active),
            (Self::Proposed, GrantEvent::Refused { .. }) => Ok(Self::Refused),
            (Self::Active, GrantEvent::Suspended { .. }) => Ok(Self::Suspended),
            (Self::Suspended, GrantEvent::Resumed { .. }) => Ok(Self::Active),
            (Self::Proposed | Self::Active | Self::Suspended, GrantEvent::Revoked { .. }) => Ok(Self::Revoked),
            _ => Err(TransitionError { from: self, event: event.kind() }),
        }
    }
}

/// What happens to a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum GrantEvent {
    /// Somebody proposed it. Where the grade asks for no second pair of eyes, it counts from then on.
    Issued {
        /// Whether another has to approve it first.
        four_eyes: bool,
    },
    /// A second person approved it.
    Approved {
        /// Why.
        reason: String,
    },
    /// A second person refused it.
    Refused {
        /// Why.
        reason: String,
    },
    /// It was suspended.
    Suspended {
        /// Why.
        reason: String,
    },
    /// It counts again.
    Resumed {
        /// Why.
        reason: String,
    },
    /// It was revoked.
    Revoked {
        /// Why.
        reason: String,
    },
}

impl GrantEvent {
    /// One word for texts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Issued { .. } => "issued",
            Self::Approved { .. } => "approved",
            Self::Refused { .. } => "refused",
            Self::Suspended { .. } => "suspended",
            Self::Resumed { .. } => "resumed",
            Self::Revoked { .. } => "revoked",
        }
    }

    /// Why.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Issued { .. } => None,
            Self::Approved { reason }
            | Self::Refused { reason }
            | Self::Suspended { reason }
            | Self::Resumed { reason }
            | Self::Revoked { reason } => Some(reason),
        }
    }
}

/// An event that may not happen now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a grant that is {} cannot be {event}", from.as_str())]
pub struct TransitionError {
    /// The state.
    pub from: Status,
    /// The event.
    pub event: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_revocation_or_a_refusal() {
        let reason = String::new;
        for status in [Status::Revoked, Status::Refused] {
            for event in [
                GrantEvent::Issued { four_eyes: false },
                GrantEvent::Approved { reason: reason() },
                GrantEvent::Refused { reason: reason() },
                GrantEvent::Suspended { reason: reason() },
                GrantEvent::Resumed { reason: reason() },
                GrantEvent::Revoked { reason: reason() },
            ] {
                assert!(status.after(&event).is_err(), "{status:?} {event:?}");
            }
        }
    }

    #[test]
    fn only_a_proposal_is_approved_and_only_the_suspended_is_resumed() {
        let approved = GrantEvent::Approved { reason: String::new() };
        let resumed = GrantEvent::Resumed { reason: String::new() };
        for status in Status::ALL {
            assert_eq!(status.after(&approved).is_ok(), status == Status::Proposed);
            assert_eq!(status.after(&resumed).is_ok(), status == Status::Suspended);
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
    }
}
