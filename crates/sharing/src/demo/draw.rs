//! Chance that is the same on every machine.
//!
//! Each thing that is made draws from a stream of its own, named by what it is and its number, so that one resource can
//! be made without the others and still agrees with them. Only additions and multiplications of floating point numbers
//! are used: those are exact by their standard, while `exp` and `ln` differ between libraries.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Everything of the demonstration hangs on this number.
const SEED: u64 = 0x5329_0020_2610_31DA;

/// What a stream is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Households = 1,
    Firms = 2,
    Work = 3,
    Property = 4,
    Vehicles = 5,
    Education = 6,
    Medical = 7,
    Permits = 8,
    Penalties = 9,
    Credit = 10,
    Water = 11,
}

/// A stream of chance.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of one thing.
    pub(super) fn of(stream: Stream, number: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        rng.set_stream(((stream as u64) << 48) | number);
        Self(rng)
    }

    /// An even choice from `0..bound`; zero when `bound` is zero.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// An even choice of both ends and what lies between.
    pub(super) fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(1);
        from.saturating_add(i64::try_from(self.below(width)).unwrap_or(0))
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(super) fn chance(&mut self, in_a_thousand: u64) -> bool {
        self.below(1000) < in_a_thousand
    }

    /// One of these, evenly.
    pub(super) fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let place = self.below(u64::try_from(from.len()).unwrap_or(0));
        usize::try_from(place).ok().and_then(|place| from.get(place)).copied().unwrap_or_default()
    }

    /// One of these by its weight.
    pub(super) fn weighted<T: Copy + Default>(&mut self, from: &[(T, u32)]) -> T {
        let mut left = self.below(from.iter().map(|(_, weight)| u64::from(*weight)).sum());
        for (one, weight) in from {
            match left.checked_sub(u64::from(*weight)) {
                Some(less) => left = less,
                None => return *one,
            }
        }
        T::default()
    }

    /// From 0 to 1.
    pub(super) fn unit(&mut self) -> f64 {
        self.below(1 << 53) as f64 / (1_u64 << 53) as f64
    }

    /// Normally distributed, as closely as the sum of twelve even draws is.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Log-normally distributed around this median.
    pub(super) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * exp(self.normal() * spread)
    }
}

/// The exponential function by squaring, to about one part in a thousand where demo data need it.
fn exp(x: f64) -> f64 {
    let mut power = 1.0 + x / 4096.0;
    for _ in 0..12 {
        power *= power;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_the_same_again_and_another_is_another() {
        let three = |stream, number| {
            let mut draw = Draw::of(stream, number);
            [draw.below(1_000_000), draw.below(1_000_000), draw.below(1_000_000)]
        };
        assert_eq!(three(Stream::Firms, 7), three(Stream::Firms, 7));
        assert_ne!(three(Stream::Firms, 7), three(Stream::Firms, 8));
        assert_ne!(three(Stream::Firms, 7), three(Stream::Water, 7));
    }

    #[test]
    fn draws_keep_their_bounds_and_weights() {
        let mut draw = Draw::of(Stream::Work, 0);
        let mut seen = [0_u32; 3];
        for _ in 0..10_000 {
            assert!((-2..=5).contains(&draw.between(-2, 5)));
            seen[draw.weighted(&[(0_usize, 1), (1, 0), (2, 3)])] += 1;
        }
        assert!(seen[1] == 0 && (2_300..2_700).contains(&seen[0]), "{seen:?}");
        assert_eq!(draw.below(0), 0);
        assert_eq!(draw.pick::<u8>(&[]), 0);
    }

    #[test]
    fn the_exponential_function_is_near_enough() {
        for x in [-3.0_f64, -1.0, 0.0, 0.5, 2.0, 3.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 2e-3, "{x}");
        }
    }
}
