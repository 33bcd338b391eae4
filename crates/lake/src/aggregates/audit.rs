//! Whether one more question, beside those that were answered, would tell of fewer than k entities.
//!
//! Every answered group is a set of units (rows, or entities), and what was answered of it is a sum over them: of
//! ones, or of a column. Whoever has the answers has every linear combination of them, and nothing else about
//! values that they do not know. Units that lie in the same answered sets cannot be told apart: they make an
//! atom. A combination gives an atom one coefficient; it isolates fewer than k entities only if it vanishes on
//! every atom that holds k or more.
//!
//! So the answered sets, as vectors over the atoms of k or more entities, have to be linearly independent: then no
//! combination but the empty one vanishes there. This asks for more than that nothing is isolated, on purpose.
//! The verdict does not depend on whether a small atom holds one entity or none: otherwise a refusal would tell
//! whether somebody is in it, and the asker could choose the question so that it is one person.
//!
//! Two dependencies follow from the questions and not from the data, and are no matter: the groups of a question
//! add up to all that its filter admits ([`Layout::whole`]), and a question whose groups are made of another's
//! adds nothing (the caller leaves it out).
//!
//! The rank is taken modulo a prime, after the columns were mixed. Both can only lower it, so that independent here is
//! independent over the rationals; the other way round a question is refused that need not be, about once in 2^50.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use roaring::RoaringBitmap;

/// The most independent sets of one history.
pub(crate) const MAX_SETS: usize = 600;
/// The most atoms.
const MAX_ATOMS: usize = 200_000;
/// 2^61 - 1.
const PRIME: u64 = (1 << 61) - 1;

/// One answered question, as the audit sees it: the sets of its groups.
#[derive(Clone, Debug)]
pub(crate) struct Layout<'a> {
    /// The sets of its groups.
    pub(crate) sets: Vec<Cow<'a, RoaringBitmap>>,
    /// The number of what the sets add up to, if they share no unit: questions with the same filter over the same
    /// data have the same number.
    pub(crate) whole: Option<usize>,
}

/// What the audit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No combination isolates fewer than k entities.
    Safe,
    /// Some combination might.
    Isolates,
    /// There are too many sets or atoms to tell.
    TooMany,
}

/// Whether the answers to all of these questions together are safe. `entity` says whose unit a unit is.
pub(crate) fn audit(questions: &[Layout<'_>], k: usize, entity: impl Fn(u32) -> u32) -> Verdict {
    let atoms = match Atoms::of(questions) {
        Some(atoms) => atoms,
        None => return Verdict::TooMany,
    };
    let large = atoms.with_entities(k, entity);
    // What generates the span of all sets: the whole of each family, and of each question all sets but one, since
    // the last is the whole less the others.
    let mut places: Vec<Vec<usize>> = Vec::new();
    let mut wholes: HashMap<usize, usize> = HashMap::new();
    let mut rows = 0;
    for question in questions {
        match question.whole {
            Some(whole) => {
                let (first, fresh) = match wholes.get(&whole) {
                    Some(row) => (*row, false),
                    None => (next(&mut rows), true),
                };
                wholes.insert(whole, first);
                for (number, _) in question.sets.iter().enumerate() {
                    let mut row = Vec::new();
                    if fresh {
                        row.push(first);
                    }
                    if number > 0 {
                        row.push(next(&mut rows));
                    }
                    places.push(row);
                }
            }
            None => places.extend(question.sets.iter().map(|_| vec![next(&mut rows)])),
        }
    }
    if rows > MAX_SETS {
        return Verdict::TooMany;
    }
    let mut matrix = vec![vec![0_u64; rows]; rows];
    for (column, signature) in large.iter().enumerate() {
        let mixed: Vec<u64> = (0..rows).map(|place| mix(column, place)).collect();
        for set in *signature {
            let wanted = usize::try_from(*set).ok().and_then(|set| places.get(set));
            for row in wanted.into_iter().flatten() {
                let Some(line) = matrix.get_mut(*row) else { continue };
                for (cell, mixed) in line.iter_mut().zip(&mixed) {
                    *cell = add(*cell, *mixed);
                }
            }
        }
    }
    if is_independent(matrix) { Verdict::Safe } else { Verdict::Isolates }
}

fn next(rows: &mut usize) -> usize {
    *rows += 1;
    *rows - 1
}

/// The partition of the units by the sets that they lie in.
struct Atoms {
    /// Of each unit, its atom; 0 is outside of every set.
    of: Vec<u32>,
    /// Of each atom, the numbers of its sets.
    signatures: Vec<Vec<u32>>,
}

impl Atoms {
    fn of(questions: &[Layout<'_>]) -> Option<Self> {
        let sets = || questions.iter().flat_map(|question| &question.sets);
        let units = sets().filter_map(|set| set.max()).max().map_or(0, |last| last as usize + 1);
        let mut of = vec![0_u32; units];
        let mut signatures: Vec<Vec<u32>> = vec![Vec::new()];
        let mut inside: HashMap<u32, u32> = HashMap::new();
        for (number, set) in sets().enumerate() {
            let number = u32::try_from(number).ok()?;
            inside.clear();
            // Neighbours are mostly alike.
            let mut last = (u32::MAX, 0);
            for unit in set.iter() {
                let atom = of.get_mut(unit as usize)?;
                if last.0 != *atom {
                    let split = match inside.get(atom) {
                        Some(split) => *split,
                        None => {
                            let mut signature = signatures.get(*atom as usize)?.clone();
                            signature.push(number);
                            let split = u32::try_from(signatures.len()).ok()?;
                            signatures.push(signature);
                            inside.insert(*atom, split);
                            split
                        }
                    };
                    last = (*atom, split);
                }
                *atom = last.1;
            }
            if signatures.len() > MAX_ATOMS {
                return None;
            }
        }
        Some(Self { of, signatures })
    }

    /// The signatures of the atoms with `k` entities or more.
    fn with_entities(&self, k: usize, entity: impl Fn(u32) -> u32) -> Vec<&Vec<u32>> {
        let mut seen: Vec<HashSet<u32>> = vec![HashSet::new(); self.signatures.len()];
        for (unit, atom) in (0_u32..).zip(&self.of) {
            if *atom != 0
                && let Some(seen) = seen.get_mut(*atom as usize)
                && seen.len() < k
            {
                seen.insert(entity(unit));
            }
        }
        let large = seen.iter().zip(&self.signatures).filter(|(seen, _)| seen.len() >= k);
        large.map(|(_, signature)| signature).collect()
    }
}

/// Whether the lines are linearly independent modulo the prime.
fn is_independent(mut matrix: Vec<Vec<u64>>) -> bool {
    let mut done: Vec<(usize, Vec<u64>)> = Vec::new();
    while let Some(mut line) = matrix.pop() {
        for (pivot, earlier) in &done {
            let factor = line.get(*pivot).copied().unwrap_or(0);
            if factor != 0 {
                for (cell, other) in line.iter_mut().zip(earlier) {
                    *cell = sub(*cell, multiply(factor, *other));
                }
            }
        }
        let Some(pivot) = line.iter().position(|cell| *cell != 0) else { return false };
        let scale = inverse(line.get(pivot).copied().unwrap_or(1));
        line.iter_mut().for_each(|cell| *cell = multiply(*cell, scale));
        done.push((pivot, line));
    }
    true
}

fn add(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

fn sub(a: u64, b: u64) -> u64 {
    if a >= b { a - b } else { a + PRIME - b }
}

fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are below 2^61")]
    let (low, high) = ((product & u128::from(PRIME)) as u64, (product >> 61) as u64);
    add(low, high)
}

fn inverse(a: u64) -> u64 {
    let (mut base, mut left, mut result) = (a, PRIME - 2, 1);
    while left > 0 {
        if left & 1 == 1 {
            result = multiply(result, base);
        }
        base = multiply(base, base);
        left >>= 1;
    }
    result
}

/// Numbers without a pattern, the same on every run: the rank of a matrix times these is that of the matrix, or
/// lower.
fn mix(column: usize, place: usize) -> u64 {
    let mut z = (column as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (place as u64).rotate_left(32);
    z = (z ^ (z >> 30)).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) % PRIME
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a set may be one run of numbers")]
mod tests {
    use super::*;

    fn alone(sets: &[std::ops::Range<u32>]) -> Layout<'static> {
        Layout { sets: sets.iter().cloned().map(|set| Cow::Owned(set.collect())).collect(), whole: None }
    }

    fn whole(number: usize, sets: &[std::ops::Range<u32>]) -> Layout<'static> {
        Layout { whole: Some(number), ..alone(sets) }
    }

    fn check(questions: &[Layout<'_>], k: usize) -> Verdict {
        audit(questions, k, |unit| unit)
    }

    #[test]
    fn two_sets_that_differ_by_less_than_k_are_refused() {
        assert_eq!(check(&[alone(&[0..10]), alone(&[0..5])], 5), Verdict::Safe);
        assert_eq!(check(&[alone(&[0..10]), alone(&[0..6])], 5), Verdict::Isolates);
        assert_eq!(check(&[alone(&[0..10]), alone(&[0..9])], 5), Verdict::Isolates);
        // Whether nobody or somebody is in the difference, the verdict is the same.
        assert_eq!(check(&[alone(&[0..10]), alone(&[0..10])], 5), Verdict::Isolates);
    }

    #[test]
    fn three_sets_whose_combination_is_small_are_refused() {
        // A + B - (A or B) is what both have.
        let (a, b, either) = (alone(&[0..10]), alone(&[8..20]), alone(&[0..20]));
        assert_eq!(check(&[a.clone(), b.clone()], 5), Verdict::Safe);
        assert_eq!(check(&[a.clone(), either.clone()], 5), Verdict::Safe);
        assert_eq!(check(&[a, b, either], 5), Verdict::Isolates);
        let (a, b, either) = (alone(&[0..10]), alone(&[5..20]), alone(&[0..20]));
        assert_eq!(check(&[a, b, either], 5), Verdict::Safe);
    }

    #[test]
    fn groups_and_their_whole_and_two_ways_to_group_are_answered() {
        let towns = whole(0, &[0..50, 50..100]);
        let total = whole(0, &[0..100]);
        let ages = Layout {
            sets: [0, 1].map(|rest| Cow::Owned((0..100).filter(|n| n % 2 == rest).collect())).into(),
            whole: Some(0),
        };
        assert_eq!(check(&[towns.clone(), total.clone()], 5), Verdict::Safe);
        assert_eq!(check(&[towns.clone(), ages.clone(), total], 5), Verdict::Safe);
        // Of the second kind, one is in the first town.
        let uneven = whole(0, &[0..49, 49..100]);
        assert_eq!(check(&[towns, uneven], 5), Verdict::Isolates);
    }

    #[test]
    fn entities_are_counted_and_not_units() {
        let questions = [alone(&[0..100]), alone(&[0..50])];
        assert_eq!(audit(&questions, 5, |unit| unit / 25), Verdict::Isolates);
        assert_eq!(audit(&questions, 5, |unit| unit / 10), Verdict::Safe);
    }

    #[test]
    fn too_many_sets_are_refused() {
        let many: Vec<Layout<'_>> =
            (0..=MAX_SETS as u32).map(|n| alone(std::slice::from_ref(&(n * 10..n * 10 + 10)))).collect();
        assert_eq!(check(&many, 5), Verdict::TooMany);
        assert_eq!(check(&many[1..], 5), Verdict::Safe);
    }
}
