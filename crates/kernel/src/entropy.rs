//! Randomness as a parameter.

use std::sync::{Mutex, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Where random bytes come from.
pub trait Entropy: Send + Sync {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);

    /// A random number of 64 bits.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// An even choice from `0..bound`; zero when `bound` is zero.
    fn below(&self, bound: u64) -> u64 {
        // Multiply and shift (Lemire): the bias is below bound / 2^64, which no reader of a test sees.
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        (wide >> 64) as u64
    }
}

/// The operating system's source; only the binary makes one.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where randomness enters")]
    #[expect(clippy::panic, reason = "without randomness no key and no id may be made, so nothing can go on")]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no random bytes: {error}");
        }
    }
}

/// A ChaCha20 stream from a seed: the same seed gives the same bytes, for tests and demo data.
///
/// Never for keys of a real node: who knows the seed knows every byte.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<ChaCha20Rng>);

impl SeededEntropy {
    /// The stream of this seed, from its start.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // A poisoned lock still holds a sound generator: filling cannot leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (mut first, mut second, mut other) = ([0; 40], [0; 40], [0; 40]);
        SeededEntropy::new(7).fill(&mut first);
        SeededEntropy::new(7).fill(&mut second);
        SeededEntropy::new(8).fill(&mut other);
        assert_eq!(first, second);
        assert_ne!(first, other);
    }

    #[test]
    fn choices_stay_below_their_bound_and_reach_every_value() {
        let entropy = SeededEntropy::new(1);
        let mut seen = [0; 5];
        for _ in 0..500 {
            seen[usize::try_from(entropy.below(5)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&times| times > 50), "{seen:?}");
        assert_eq!(entropy.below(0), 0);
    }

    #[test]
    fn the_operating_system_gives_changing_bytes() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        OsEntropy.fill(&mut first);
        OsEntropy.fill(&mut second);
        assert_ne!(first, second);
    }
}
