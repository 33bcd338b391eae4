//! The marks of exported files: one that everybody sees, and one that stays when the first is cut out.
//!
//! The hidden mark is the id of the use, in characters that have no width, at the end of one text of each row. It outlives
//! what people do with a file: taking columns or rows away, sorting, copying into a chat or a workbook, another format.
//! Only a text that people read carries it, one with a character that is not ASCII or with the stars of a mask: numbers
//! and codes, by which tables are joined, are never touched.
//!
//! # Form
//!
//! The mark is twenty bytes: the id (16) and the beginning of a keyed hash of it (4), by which nobody can plant the mark of
//! another. It is cut into ten pieces of two bytes. A piece is written as eleven characters of three bits: its place
//! (4 bits), a number that the pieces of one mark have in common (8), the two bytes (16), and a check (5). The first row
//! carries all pieces, so that one row is enough; every other row one of them, in turn, so that any ten rows in a row are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crypto::field::FieldCipher;
use kernel::ids::{UseId, Uuid};

/// Eight characters without width: three bits each.
const LETTERS: [char; 8] =
    ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{2061}', '\u{2062}', '\u{2063}', '\u{2064}'];
/// Characters of a piece.
const PIECE: usize = 11;
/// Pieces of a mark.
const PIECES: usize = 10;
/// Bytes of the keyed hash.
const TAG: usize = 4;
/// The name under which the ledger's key makes the hash.
const KEY: &str = "sharing_export.watermark";

/// The hidden mark of one use.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark([u8; 20]);

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark")
    }
}

/// A mark that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The use that the file came from.
    pub use_id: UseId,
    /// Texts that carried a piece of it.
    pub texts: usize,
}

impl Mark {
    /// The mark of a use.
    pub fn of(cipher: &FieldCipher, use_id: UseId) -> Self {
        let tag = cipher.blind_index(KEY, &use_id.to_string());
        let mut bytes = [0; 20];
        let parts = use_id.as_uuid().into_bytes().into_iter().chain(tag.into_iter().take(TAG));
        bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
        Self(bytes)
    }

    /// Its pieces as they are written.
    fn pieces(&self) -> Vec<String> {
        let common = u64::from(common(&self.0));
        let (pairs, _) = self.0.as_chunks::<2>();
        (0..)
            .zip(pairs)
            .map(|(place, pair)| {
                let body = place << 24 | common << 16 | u64::from(u16::from_be_bytes(*pair));
                let bits = body << 5 | check(body);
                (0..PIECE).rev().map(|at| letter(bits >> (3 * at) & 7)).collect()
            })
            .collect()
    }

    /// What puts the mark into texts, row by row.
    pub fn carrier(self) -> lake::export::Carrier {
        let pieces = self.pieces();
        let mut rows = std::iter::once(pieces.concat()).chain(pieces.into_iter().cycle());
        Box::new(move |text, must| {
            let carries = must || may_carry(text);
            carries.then(|| format!("{text}{}", rows.next().unwrap_or_default()))
        })
    }
}

/// Whether people read a text and no table is joined by it.
fn may_carry(text: &str) -> bool {
    !text.is_empty() && text.chars().any(|one| !one.is_ascii() || one == '*')
}

/// The number that the pieces of a mark have in common.
fn common(bytes: &[u8; 20]) -> u8 {
    bytes.iter().fold(0x5a, |sum: u8, byte| sum.rotate_left(3) ^ byte)
}

/// Five bits over the 28 of a piece: what is left of it modulo a prime.
fn check(body: u64) -> u64 {
    body % 31
}

fn letter(bits: u64) -> char {
    usize::try_from(bits).ok().and_then(|place| LETTERS.get(place)).copied().unwrap_or_default()
}

/// Collects pieces from texts, whatever their order.
#[derive(Default)]
pub struct Reader {
    /// By the common number and the place: the bytes, and how many texts said so.
    pieces: BTreeMap<(u8, u8), BTreeMap<[u8; 2], usize>>,
}

impl Reader {
    /// Looks at a text.
    pub fn look(&mut self, text: &str) {
        let mut run = Vec::new();
        for one in text.chars().chain([' ']) {
            match (0_u64..).zip(LETTERS).find(|(_, letter)| *letter == one) {
                Some((bits, _)) => run.push(bits),
                None => self.take(&std::mem::take(&mut run)),
            }
        }
    }

    fn take(&mut self, run: &[u64]) {
        for letters in run.chunks_exact(PIECE) {
            let bits = letters.iter().fold(0, |bits, letter| bits << 3 | letter);
            let body = bits >> 5;
            // Of a piece that passes its check each part fits its type.
            let [_, _, _, _, place, common, high, low] = body.to_be_bytes();
            if bits & 0x1f == check(body) && usize::from(place) < PIECES {
                let seen = self.pieces.entry((common, place)).or_default();
                *seen.entry([high, low]).or_default() += 1;
            }
        }
    }

    /// The marks that are whole and genuine. `genuine` gives the keyed hashes of a text, under the key of today and those
    /// before it.
    pub fn found(&self, genuine: impl Fn(&str) -> Vec<[u8; 16]>) -> Vec<Found> {
        let groups: BTreeSet<u8> = self.pieces.keys().map(|(common, _)| *common).collect();
        groups.into_iter().filter_map(|group| self.whole(group, &genuine)).collect()
    }

    /// Texts with a piece, whole mark or not.
    pub fn pieces(&self) -> usize {
        self.pieces.values().flat_map(BTreeMap::values).sum()
    }

    fn whole(&self, group: u8, genuine: &impl Fn(&str) -> Vec<[u8; 16]>) -> Option<Found> {
        let mut bytes = [0; 20];
        let mut texts = 0;
        for (place, pair) in (0..).zip(bytes.as_chunks_mut::<2>().0) {
            // A damaged piece that passes its check is outvoted.
            let (data, votes) = self.pieces.get(&(group, place))?.iter().max_by_key(|(_, votes)| **votes)?;
            *pair = *data;
            texts += votes;
        }
        let (id, tag) = bytes.split_first_chunk::<16>()?;
        let use_id = UseId::from_uuid(Uuid::from_bytes(*id));
        let genuine = genuine(&use_id.to_string()).iter().any(|whole| whole.starts_with(tag));
        (genuine && common(&bytes) == group).then_some(Found { use_id, texts })
    }
}

/// The keyed hashes of an id under the key of today and those before it.
pub fn hashes(cipher: &FieldCipher, id: &str) -> Vec<[u8; 16]> {
    cipher.blind_indexes(KEY, id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(text: &str) -> Vec<[u8; 16]> {
        let mut tag = [0; 16];
        tag.copy_from_slice(&crypto::hash::sm3(text.as_bytes())[..16]);
        vec![tag]
    }

    fn mark(id: u128) -> (UseId, Mark) {
        let use_id = UseId::from_uuid(Uuid::from_u128(id));
        let mut bytes = [0; 20];
        bytes[..16].copy_from_slice(&id.to_be_bytes());
        bytes[16..].copy_from_slice(&tags(&use_id.to_string())[0][..TAG]);
        (use_id, Mark(bytes))
    }

    fn read(texts: &[String]) -> Vec<Found> {
        let mut reader = Reader::default();
        texts.iter().for_each(|text| reader.look(text));
        reader.found(tags)
    }

    proptest! {
        /// Any ten rows in a row tell, in whatever order they are, and so does the first alone.
        #[test]
        fn a_part_is_enough(id: u128, from in 1_usize..200, turned in 0_usize..10) {
            let (use_id, mark) = mark(id);
            let mut carrier = mark.carrier();
            let rows: Vec<String> = (0..220).map(|_| carrier("段*慧", false).unwrap()).collect();
            let mut part = rows[from..from + PIECES].to_vec();
            part.rotate_left(turned);
            prop_assert_eq!(read(&part), vec![Found { use_id, texts: PIECES }]);
            prop_assert_eq!(read(&rows[..1]), vec![Found { use_id, texts: PIECES }]);
        }

        /// Two files that were put together tell both.
        #[test]
        fn two_marks_are_told_apart(one: u128, other: u128) {
            let ((first, one), (second, other)) = (mark(one), mark(other));
            prop_assume!(common(&one.0) != common(&other.0));
            let (mut one, mut other) = (one.carrier(), other.carrier());
            let rows: Vec<String> =
                (0..60).flat_map(|_| [one("古城", false).unwrap(), other("下关", false).unwrap()]).collect();
            let found: BTreeSet<UseId> = read(&rows).into_iter().map(|found| found.use_id).collect();
            prop_assert_eq!(found, BTreeSet::from([first, second]));
        }

        /// Whatever else has characters without width is no mark, and a mark with another's id is none.
        #[test]
        fn noise_is_no_mark(text in "[\u{200b}-\u{200d}\u{2060}-\u{2064}a-z]{0,400}", id: u128) {
            prop_assert!(read(&[text]).is_empty());
            let (_, mut forged) = mark(id);
            forged.0[0] ^= 1;
            let text = forged.carrier()("古城", false).unwrap();
            prop_assert!(read(&[text]).is_empty());
        }
    }

    #[test]
    fn codes_and_numbers_stay_as_they_are() {
        let (_, mark) = mark(7);
        let mut carrier = mark.carrier();
        for text in ["", "532901199003070017", "91532901MA6K4RTX3P", "abc", "2026-11-24"] {
            assert_eq!(carrier(text, false), None);
        }
        assert!(carrier("5329**********0017", false).unwrap().starts_with("5329**********0017"));
    }
}
