//! What may become of a licence: its events, and the state that they add up to.
//!
//! | state | suspend | restore | revoke | amend | expire |
//! |---|---|---|---|---|---|
//! | valid | suspended | – | revoked | valid, next version | expired |
//! | suspended | – | valid | revoked | – | expired |
//! | expired, revoked | – | – | – | – | – |

use kernel::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where a licence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It holds.
    Valid,
    /// It does not hold for the time being.
    Suspended,
    /// Its term is over.
    Expired,
    /// It holds no more.
    Revoked,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Valid, Self::Suspended, Self::Expired, Self::Revoked];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// The status of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Why something was done to a licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// What happened, in the officer's words.
    pub reason: String,
    /// The law and the article that allow it.
    pub legal_basis: String,
}

impl Grounds {
    /// Nothing said yet: a form before it is filled in.
    pub fn blank() -> Self {
        Self { reason: String::new(), legal_basis: String::new() }
    }
}

/// One step in the life of a licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LicenceEvent {
    /// It was issued.
    Issued {
        /// Number of the case that it came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case_no: Option<String>,
    },
    /// It says something else now; the version before holds no more.
    Amended {
        /// The new version, from 2.
        version: u16,
        /// Why.
        grounds: Grounds,
    },
    /// It does not hold for the time being.
    Suspended {
        /// Why.
        grounds: Grounds,
    },
    /// It holds again.
    Restored {
        /// Why.
        grounds: Grounds,
    },
    /// It holds no more.
    Revoked {
        /// Why.
        grounds: Grounds,
    },
    /// Its term ended.
    Expired {
        /// Its last day.
        on: Date,
    },
}

impl LicenceEvent {
    /// The word that is stored beside the event.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Issued { .. } => "issued",
            Self::Amended { .. } => "amended",
            Self::Suspended { .. } => "suspended",
            Self::Restored { .. } => "restored",
            Self::Revoked { .. } => "revoked",
            Self::Expired { .. } => "expired",
        }
    }

    /// Why, where somebody had to say so.
    pub fn grounds(&self) -> Option<&Grounds> {
        match self {
            Self::Amended { grounds, .. }
            | Self::Suspended { grounds }
            | Self::Restored { grounds }
            | Self::Revoked { grounds } => Some(grounds),
            Self::Issued { .. } | Self::Expired { .. } => None,
        }
    }
}

/// An event in the history of a licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its place, from 1.
    pub seq: u32,
    /// When.
    pub at: Timestamp,
    /// Who: a post or a kind of actor, never a name.
    pub by: String,
    /// What.
    pub event: LicenceEvent,
}

/// Where a licence stands after its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LicenceState {
    /// Its status.
    pub status: Status,
    /// Its version, from 1.
    pub version: u16,
    /// How many events there were.
    pub seq: u32,
}

/// Why an event cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TransitionError {
    /// The status does not allow it.
    #[error("a licence that is {} cannot be {what}", from.as_str())]
    NotFrom {
        /// The status.
        from: Status,
        /// What was to happen.
        what: &'static str,
    },
    /// A history begins with the issue, and only begins with it.
    #[error("a licence is issued once and first")]
    NotIssued,
    /// Versions are counted one by one.
    #[error("version {found} does not follow")]
    Version {
        /// The version of the event.
        found: u16,
    },
}

impl LicenceState {
    /// The state after all events.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a LicenceEvent>) -> Result<Self, TransitionError> {
        let mut state: Option<Self> = None;
        for event in events {
            state = Some(match state {
                None => Self::first(event)?,
                Some(state) => state.after(event)?,
            });
        }
        state.ok_or(TransitionError::NotIssued)
    }

    /// The state after the issue.
    pub fn first(event: &LicenceEvent) -> Result<Self, TransitionError> {
        match event {
            LicenceEvent::Issued { .. } => Ok(Self { status: Status::Valid, version: 1, seq: 1 }),
            _ => Err(TransitionError::NotIssued),
        }
    }

    /// The state after one more event.
    pub fn after(self, event: &LicenceEvent) -> Result<Self, TransitionError> {
        let refused = Err(TransitionError::NotFrom { from: self.status, what: event.kind() });
        let status = match (event, self.status) {
            (LicenceEvent::Issued { .. }, _) => return Err(TransitionError::NotIssued),
            (LicenceEvent::Amended { version, .. }, Status::Valid) => {
                if *version != self.version + 1 {
                    return Err(TransitionError::Version { found: *version });
                }
                return Ok(Self { version: *version, seq: self.seq + 1, ..self });
            }
            (LicenceEvent::Suspended { .. }, Status::Valid) => Status::Suspended,
            (LicenceEvent::Restored { .. }, Status::Suspended) => Status::Valid,
            (LicenceEvent::Revoked { .. }, Status::Valid | Status::Suspended) => Status::Revoked,
            (LicenceEvent::Expired { .. }, Status::Valid | Status::Suspended) => Status::Expired,
            _ => return refused,
        };
        Ok(Self { status, seq: self.seq + 1, ..self })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grounds() -> Grounds {
        Grounds {
            reason: "经营场所不符".to_owned(), legal_basis: "国务院令第746号第四十条".to_owned()
        }
    }

    fn event() -> impl Strategy<Value = LicenceEvent> {
        prop_oneof![
            (2_u16..5).prop_map(|version| LicenceEvent::Amended { version, grounds: grounds() }),
            Just(LicenceEvent::Suspended { grounds: grounds() }),
            Just(LicenceEvent::Restored { grounds: grounds() }),
            Just(LicenceEvent::Revoked { grounds: grounds() }),
            Just(LicenceEvent::Expired { on: jiff::civil::date(2027, 1, 1) }),
            Just(LicenceEvent::Issued { case_no: None }),
        ]
    }

    #[test]
    fn nothing_follows_a_revocation() {
        let revoked = LicenceState { status: Status::Revoked, version: 1, seq: 2 };
        for event in [
            LicenceEvent::Restored { grounds: grounds() },
            LicenceEvent::Suspended { grounds: grounds() },
            LicenceEvent::Revoked { grounds: grounds() },
            LicenceEvent::Expired { on: jiff::civil::date(2027, 1, 1) },
            LicenceEvent::Amended { version: 2, grounds: grounds() },
        ] {
            assert!(revoked.after(&event).is_err(), "{event:?}");
        }
        assert_eq!(LicenceState::fold([]), Err(TransitionError::NotIssued));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_history_of_accepted_events_folds_to_the_state_that_was_kept(
            wishes in prop::collection::vec(event(), 0..12),
        ) {
            let issued = LicenceEvent::Issued { case_no: None };
            let mut state = LicenceState::first(&issued).unwrap();
            let mut history = vec![issued];
            for wish in wishes {
                if let Ok(next) = state.after(&wish) {
                    prop_assert!(!matches!(state.status, Status::Revoked | Status::Expired));
                    state = next;
                    history.push(wish);
                }
            }
            prop_assert_eq!(LicenceState::fold(&history), Ok(state));
            prop_assert_eq!(state.seq as usize, history.len());
        }
    }
}
