//! ISO 7064 MOD 37,36: one check character for a text of digits and letters.
//!
//! It catches every change of a single character, and of the swaps of two neighbours all but one pair for each
//! value that the characters before it can lead to: 36 of 22,680, which a test counts.

/// The value of a digit or an upper-case letter, 0 to 35.
fn value(byte: u8) -> Option<u32> {
    match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A') + 10),
        _ => None,
    }
}

/// The check character of a text; none when it holds anything but digits and upper-case letters.
#[must_use]
pub fn mod_37_36(text: &str) -> Option<char> {
    let mut product = 36;
    for byte in text.bytes() {
        let sum = (product + value(byte)?) % 36;
        product = if sum == 0 { 36 } else { sum } * 2 % 37;
    }
    char::from_digit((37 - product) % 36, 36).map(|check| check.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    fn step(product: u32, value: u32) -> u32 {
        let sum = (product + value) % 36;
        (if sum == 0 { 36 } else { sum }) * 2 % 37
    }

    #[test]
    fn the_published_identifiers_of_licences_verify() {
        let first = "11100000000013338W01111110000000021135M20230329701003";
        let second = "11100000000013338W00911330105002500287C2025052201002";
        assert_eq!(mod_37_36(first), Some('Y'));
        assert_eq!(mod_37_36(second), Some('0'));
        assert_eq!(mod_37_36("a"), None);
        assert_eq!(mod_37_36("1.2"), None);
    }

    #[test]
    fn of_all_swaps_of_neighbours_one_in_630_goes_unseen() {
        let (mut unseen, mut all) = (0, 0);
        for product in 1..=36 {
            for a in 0..36 {
                for b in 0..a {
                    all += 1;
                    unseen += u32::from(step(step(product, a), b) == step(step(product, b), a));
                }
            }
        }
        assert_eq!((unseen, all), (36, 36 * 36 * 35 / 2));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_change_of_one_character_is_caught(
            text in "[0-9A-Z]{1,60}", at in any::<prop::sample::Index>(), other in 0_usize..36,
        ) {
            let at = at.index(text.len());
            let mut changed = text.clone().into_bytes();
            changed[at] = ALPHABET[other];
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(changed == text, mod_37_36(&changed) == mod_37_36(&text));
        }

        #[test]
        fn a_swap_of_neighbours_is_missed_exactly_when_the_theory_says(
            text in "[0-9A-Z]{2,60}", at in any::<prop::sample::Index>(),
        ) {
            let at = at.index(text.len() - 1);
            let mut swapped = text.clone().into_bytes();
            swapped.swap(at, at + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            let value_at = |index: usize| value(text.as_bytes()[index]).unwrap();
            let before = (0..at).fold(36, |product, index| step(product, value_at(index)));
            let (a, b) = (value_at(at), value_at(at + 1));
            let same = step(step(before, a), b) == step(step(before, b), a);
            prop_assert_eq!(same, mod_37_36(&swapped) == mod_37_36(&text));
        }
    }
}
