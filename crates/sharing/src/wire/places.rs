//! How many are inside at once, in all and of each user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Limits;

/// The places of a door.
pub(super) struct Places {
    all: Arc<Semaphore>,
    per_user: usize,
    users: Arc<Mutex<HashMap<String, usize>>>,
}

/// The place of one connection; given back when it is dropped.
pub(super) struct Place(
    #[expect(dead_code, reason = "held for as long as the connection is there")] OwnedSemaphorePermit,
);

/// The place of one connection among those of its user.
pub(super) struct UserPlace {
    user: String,
    users: Arc<Mutex<HashMap<String, usize>>>,
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.connections)),
            per_user: limits.per_user,
            users: Arc::default(),
        }
    }

    /// A place, if one is free.
    pub(super) fn take(&self) -> Option<Place> {
        self.all.clone().try_acquire_owned().ok().map(Place)
    }

    /// A place among those of a user, if one is free.
    pub(super) fn take_of(&self, user: &str) -> Option<UserPlace> {
        let mut users = lock(&self.users);
        let taken = users.entry(user.to_owned()).or_default();
        if *taken >= self.per_user {
            return None;
        }
        *taken += 1;
        Some(UserPlace { user: user.to_owned(), users: self.users.clone() })
    }
}

impl Drop for UserPlace {
    fn drop(&mut self) {
        let mut users = lock(&self.users);
        if let Some(taken) = users.get_mut(&self.user) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                users.remove(&self.user);
            }
        }
    }
}

fn lock(users: &Mutex<HashMap<String, usize>>) -> MutexGuard<'_, HashMap<String, usize>> {
    users.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_holder_has_gone() {
        let places = Places::new(&Limits { connections: 3, per_user: 2, ..Limits::default() });
        let first = places.take_of("a").unwrap();
        let _second = places.take_of("a").unwrap();
        assert!(places.take_of("a").is_none());
        assert!(places.take_of("b").is_some());
        drop(first);
        assert!(places.take_of("a").is_some());
        let all: Vec<_> = std::iter::from_fn(|| places.take()).collect();
        assert_eq!(all.len(), 3);
        drop(all);
        assert!(places.take().is_some());
    }
}
