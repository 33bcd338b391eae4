//! How often somebody may try to sign in: per account and per address.
//!
//! Ten wrong passwords for one login, then one more a minute; a success gives all ten back. An address gets
//! sixty tries at once and one more a second, because a whole service hall may share one. The limits live in
//! the process; they slow guessing down, they are no record.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{NotUntil, Quota, RateLimiter};
use kernel::time::Clock;

/// Tries for one login before the pace is one a minute.
pub const TRIES_PER_LOGIN: u32 = 10;
/// Tries from one address before the pace is one a second.
pub const TRIES_PER_ADDRESS: u32 = 60;
/// Old entries are swept away after so many tries.
const SWEEP_EVERY: u32 = 1_024;

/// Too many tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Seconds until the next try is looked at.
    pub seconds: u32,
}

/// The node's clock, as the limiter reads it.
#[derive(Clone)]
struct NodeClock(Arc<dyn Clock>);

impl governor::clock::Clock for NodeClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().micros()).unwrap_or(0))
    }
}

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, NodeClock, NoOpMiddleware<Duration>>;

/// The limits of one node. Cheap to clone; clones share their counts.
#[derive(Clone, Default)]
pub struct Limits(Arc<OnceLock<Counts>>);

struct Counts {
    by_login: Limiter<(String, u32)>,
    by_address: Limiter<IpAddr>,
    /// How often each login succeeded: a new number begins a new count.
    successes: Mutex<HashMap<String, u32>>,
    tries: std::sync::atomic::AtomicU32,
    clock: NodeClock,
}

impl Limits {
    /// Counts a try for `login` (folded) from `address`, or says how long to wait.
    pub fn take(&self, clock: &Arc<dyn Clock>, login: &str, address: Option<IpAddr>) -> Result<(), TooMany> {
        let counts = self.0.get_or_init(|| Counts::new(NodeClock(clock.clone())));
        counts.sweep_now_and_then();
        if let Some(address) = address {
            counts.by_address.check_key(&address).map_err(|until| counts.wait(&until))?;
        }
        let generation = counts.successes().get(login).copied().unwrap_or(0);
        counts.by_login.check_key(&(login.to_owned(), generation)).map_err(|until| counts.wait(&until))
    }

    /// Gives a login its tries back: whoever signed in knows the password.
    pub fn succeeded(&self, login: &str) {
        if let Some(counts) = self.0.get() {
            let mut successes = counts.successes();
            let generation = successes.entry(login.to_owned()).or_default();
            *generation = generation.wrapping_add(1);
        }
    }
}

impl Counts {
    fn new(clock: NodeClock) -> Self {
        let tries = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let by_login = Quota::per_minute(NonZeroU32::MIN).allow_burst(tries(TRIES_PER_LOGIN));
        let by_address = Quota::per_second(NonZeroU32::MIN).allow_burst(tries(TRIES_PER_ADDRESS));
        Self {
            by_login: RateLimiter::new(by_login, HashMapStateStore::default(), clock.clone()),
            by_address: RateLimiter::new(by_address, HashMapStateStore::default(), clock.clone()),
            successes: Mutex::default(),
            tries: 0.into(),
            clock,
        }
    }

    fn wait(&self, until: &NotUntil<Duration>) -> TooMany {
        let wait = until.wait_time_from(self.clock.now());
        // Rounded up, so that whoever waits that long is let in.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        TooMany { seconds: u32::try_from(seconds).unwrap_or(u32::MAX) }
    }

    fn sweep_now_and_then(&self) {
        let before = self.tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if before % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.by_login.retain_recent();
            self.by_address.retain_recent();
        }
    }

    fn successes(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.successes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use kernel::time::{ManualClock, Timestamp};

    use super::*;

    fn clock() -> (Arc<ManualClock>, Arc<dyn Clock>) {
        let manual = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_482_000_000_000)));
        (manual.clone(), manual)
    }

    #[test]
    fn ten_wrong_passwords_then_one_a_minute() {
        let (manual, clock) = clock();
        let limits = Limits::default();
        for _ in 0..TRIES_PER_LOGIN {
            assert_eq!(limits.take(&clock, "zhang", None), Ok(()));
        }
        assert_eq!(limits.take(&clock, "zhang", None), Err(TooMany { seconds: 60 }));
        assert_eq!(limits.take(&clock, "li", None), Ok(()), "another account is not touched");
        manual.advance(SignedDuration::from_secs(59));
        assert_eq!(limits.take(&clock, "zhang", None), Err(TooMany { seconds: 1 }));
        manual.advance(SignedDuration::from_secs(1));
        assert_eq!(limits.take(&clock, "zhang", None), Ok(()));
        assert!(limits.take(&clock, "zhang", None).is_err());
    }

    #[test]
    fn a_success_gives_the_tries_back() {
        let (_, clock) = clock();
        let limits = Limits::default();
        for _ in 0..TRIES_PER_LOGIN * 3 {
            assert_eq!(limits.take(&clock, "zhang", None), Ok(()));
            limits.succeeded("zhang");
        }
    }

    #[test]
    fn an_address_that_tries_many_logins_is_slowed_down() {
        let (manual, clock) = clock();
        let limits = Limits::default();
        let address: IpAddr = "203.0.113.7".parse().unwrap();
        let other: IpAddr = "203.0.113.8".parse().unwrap();
        for number in 0..TRIES_PER_ADDRESS {
            assert_eq!(limits.take(&clock, &format!("login{number}"), Some(address)), Ok(()));
        }
        assert_eq!(limits.take(&clock, "one-more", Some(address)), Err(TooMany { seconds: 1 }));
        assert_eq!(limits.take(&clock, "one-more", Some(other)), Ok(()));
        manual.advance(SignedDuration::from_secs(1));
        assert_eq!(limits.take(&clock, "one-more", Some(address)), Ok(()));
    }

    #[test]
    fn sweeping_forgets_nobody_who_must_wait() {
        let (_, clock) = clock();
        let limits = Limits::default();
        for _ in 0..TRIES_PER_LOGIN {
            limits.take(&clock, "zhang", None).unwrap();
        }
        for number in 0..SWEEP_EVERY + 5 {
            limits.take(&clock, &format!("other{number}"), None).unwrap();
        }
        assert!(limits.take(&clock, "zhang", None).is_err());
    }
}
