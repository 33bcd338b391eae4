//! What the gateway signed: a plan or a scan, for one query and a short time.
//!
//! A seal is an asymmetric signature, so that those who check it cannot make one. The algorithm is that of the
//! cluster's key ([`super::members`]), never the message's word.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crypto::signature::{SIGNATURE_LEN, SigningKey, VerifyingKey};
use jiff::SignedDuration;
use kernel::time::{Clock, Timestamp};

/// How a sealed message begins; the version of the form is in it.
pub(crate) const MAGIC: [u8; 8] = *b"YWSEAL1\n";
/// Magic, kind, query, issued, expires, signature.
const HEAD: usize = 8 + 1 + 16 + 8 + 8 + SIGNATURE_LEN;
/// How far the clocks of two members may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// The longest life of a seal.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// What is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole plan, for the scheduler.
    Query,
    /// A governed scan, for executors.
    Scan,
}

/// For which query, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) query: [u8; 16],
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the plan is not sealed by the gateway")]
    NotSealed,
    #[error("the seal is broken")]
    Broken,
    #[error("the seal is of another time")]
    OutOfTime,
    #[error("the plan was sent before")]
    Replayed,
}

fn signed(kind: Kind, ticket: &Ticket, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(64 + body.len());
    message.extend_from_slice(&MAGIC);
    message.push(kind as u8);
    message.extend_from_slice(&ticket.query);
    message.extend_from_slice(&ticket.issued.micros().to_be_bytes());
    message.extend_from_slice(&ticket.expires.micros().to_be_bytes());
    message.extend_from_slice(body);
    message
}

/// `body` under the seal of `key`.
pub(crate) fn seal(
    key: &SigningKey,
    kind: Kind,
    ticket: &Ticket,
    body: &[u8],
) -> Result<Vec<u8>, crypto::signature::SignatureError> {
    let mut sealed = signed(kind, ticket, body);
    let signature = key.sign(&sealed)?;
    let place = HEAD - SIGNATURE_LEN;
    sealed.splice(place..place, signature);
    Ok(sealed)
}

/// Checks seals.
#[derive(Clone)]
pub(crate) struct Opener {
    pub(crate) key: Arc<VerifyingKey>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opener({})", self.key.kid())
    }
}

impl Opener {
    /// The content of a sealed message, if the gateway sealed it and its time is now.
    pub(crate) fn open<'a>(&self, kind: Kind, sealed: &'a [u8]) -> Result<(Ticket, &'a [u8]), SealError> {
        let (ticket, signature, body) = parts(kind, sealed).ok_or(SealError::NotSealed)?;
        self.key.verify(&signed(kind, &ticket, body), signature).map_err(|_| SealError::Broken)?;
        let now = self.clock.now();
        let in_time = now < ticket.expires
            && ticket.issued < now.plus(SKEW)
            && ticket.expires.since(ticket.issued) <= LONGEST;
        if !in_time {
            return Err(SealError::OutOfTime);
        }
        Ok((ticket, body))
    }
}

fn parts(kind: Kind, sealed: &[u8]) -> Option<(Ticket, &[u8], &[u8])> {
    let rest = sealed.strip_prefix(&MAGIC)?;
    let (found, rest) = rest.split_first()?;
    if *found != kind as u8 {
        return None;
    }
    let (query, rest) = rest.split_first_chunk::<16>()?;
    let (issued, rest) = rest.split_first_chunk::<8>()?;
    let (expires, rest) = rest.split_first_chunk::<8>()?;
    let (signature, body) = rest.split_at_checked(SIGNATURE_LEN)?;
    let at = |bytes: &[u8; 8]| Timestamp::from_micros(i64::from_be_bytes(*bytes));
    Some((Ticket { query: *query, issued: at(issued), expires: at(expires) }, signature, body))
}

/// The queries that were taken, as long as their seals are in time: each is taken once.
pub(crate) struct Taken {
    /// Seals from before this moment may have been taken by a scheduler that ran before this one.
    since: Timestamp,
    queries: Mutex<BTreeMap<[u8; 16], Timestamp>>,
}

impl Taken {
    pub(crate) fn since(since: Timestamp) -> Self {
        Self { since, queries: Mutex::new(BTreeMap::new()) }
    }

    /// Marks the query as taken.
    pub(crate) fn take(&self, ticket: &Ticket, now: Timestamp) -> Result<(), SealError> {
        if ticket.issued < self.since {
            return Err(SealError::OutOfTime);
        }
        let mut queries = self.queries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        queries.retain(|_, expires| *expires > now);
        match queries.insert(ticket.query, ticket.expires) {
            None => Ok(()),
            Some(_) => Err(SealError::Replayed),
        }
    }
}

#[cfg(test)]
mod tests {
    use crypto::suite::Algorithm;
    use kernel::entropy::SeededEntropy;
    use kernel::time::ManualClock;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn made(algorithm: Algorithm) -> (SigningKey, Opener, Arc<ManualClock>) {
        let key = SigningKey::generate(algorithm, &SeededEntropy::new(1)).unwrap();
        let clock = Arc::new(ManualClock::new(at(1_000)));
        let opener = Opener { key: Arc::new(key.verifying_key()), clock: clock.clone() };
        (key, opener, clock)
    }

    const TICKET: fn() -> Ticket = || Ticket { query: [7; 16], issued: at(1_000), expires: at(1_030) };

    #[test]
    fn a_seal_opens_for_its_kind_and_its_time_only() {
        for algorithm in [Algorithm::Ed25519, Algorithm::Sm2Sm3] {
            let (key, opener, clock) = made(algorithm);
            let sealed = seal(&key, Kind::Query, &TICKET(), b"plan").unwrap();
            assert_eq!(opener.open(Kind::Query, &sealed), Ok((TICKET(), b"plan".as_slice())));
            assert_eq!(opener.open(Kind::Scan, &sealed), Err(SealError::NotSealed));
            clock.set(at(1_030));
            assert_eq!(opener.open(Kind::Query, &sealed), Err(SealError::OutOfTime));
            clock.set(at(900));
            assert_eq!(opener.open(Kind::Query, &sealed), Err(SealError::OutOfTime), "from the future");
        }
    }

    #[test]
    fn no_byte_of_a_sealed_message_can_be_changed() {
        let (key, opener, _) = made(Algorithm::Ed25519);
        let sealed = seal(&key, Kind::Scan, &TICKET(), b"plan").unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(opener.open(Kind::Scan, &changed).is_err(), "byte {place}");
            assert!(opener.open(Kind::Scan, &sealed[..place]).is_err(), "cut at {place}");
        }
        let (_, stranger, _) = {
            let key = SigningKey::generate(Algorithm::Ed25519, &SeededEntropy::new(2)).unwrap();
            let opener = Opener { key: Arc::new(key.verifying_key()), clock: opener.clock.clone() };
            (key, opener, ())
        };
        assert_eq!(stranger.open(Kind::Scan, &sealed), Err(SealError::Broken));
    }

    #[test]
    fn a_seal_for_ever_is_none() {
        let (key, opener, _) = made(Algorithm::Ed25519);
        let ticket = Ticket { expires: at(1_000_000), ..TICKET() };
        let sealed = seal(&key, Kind::Query, &ticket, b"plan").unwrap();
        assert_eq!(opener.open(Kind::Query, &sealed), Err(SealError::OutOfTime));
    }

    #[test]
    fn a_query_is_taken_once_also_across_a_restart() {
        let taken = Taken::since(at(990));
        assert_eq!(taken.take(&TICKET(), at(1_001)), Ok(()));
        assert_eq!(taken.take(&TICKET(), at(1_029)), Err(SealError::Replayed));
        let started_again = Taken::since(at(1_010));
        assert_eq!(started_again.take(&TICKET(), at(1_011)), Err(SealError::OutOfTime));
    }
}
