//! Codes of a second factor by time: RFC 6238 with SHA-1, six digits, thirty seconds, one step either way.
//!
//! A step that was used is used up, and so is every step before it: a code that somebody looked over a
//! shoulder opens nothing.

use kernel::entropy::Entropy;
use kernel::time::Timestamp;
use totp_rs::{Algorithm, Builder, Totp};

/// Bytes of a secret: 160 bits, as RFC 4226 recommends.
const SECRET_LEN: usize = 20;
/// Seconds of a step.
pub const STEP_SECONDS: u64 = 30;
/// How many steps a clock may be off, either way.
const SKEW: u64 = 1;

/// The secret that a phone and the node share.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Vec<u8>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// Why a code was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefused {
    /// It is not the code of any step that counts now.
    Wrong,
    /// Its step was used already.
    Used,
}

impl TotpSecret {
    /// A new secret.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = vec![0; SECRET_LEN];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// The secret that was stored; none when it is shorter than 128 bits.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= 16).then_some(Self(bytes))
    }

    /// The bytes to seal.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as people type it into an app, in groups of four.
    pub fn for_typing(&self) -> String {
        let plain = base32(&self.0);
        let letters: Vec<char> = plain.chars().collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }

    /// The address that an authenticator app reads from a QR code.
    pub fn address(&self, issuer: &str, login: &str) -> String {
        let part = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        format!(
            "otpauth://totp/{issuer}:{login}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_SECONDS}",
            issuer = part(issuer),
            login = part(login),
            secret = base32(&self.0),
        )
    }

    /// The step of `code` if it counts at `now` and comes after `last_step`.
    pub fn check(&self, code: &str, now: Timestamp, last_step: i64) -> Result<i64, CodeRefused> {
        let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
        if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CodeRefused::Wrong);
        }
        let current = step_of(now);
        let mut matching = None;
        // All steps are compared, whichever fits, so that the time of an answer says nothing.
        for step in current.saturating_sub(SKEW)..=current.saturating_add(SKEW) {
            let expected = self.code_of(step);
            if bool::from(subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), code.as_bytes())) {
                matching = Some(i64::try_from(step).unwrap_or(i64::MAX));
            }
        }
        match matching {
            None => Err(CodeRefused::Wrong),
            Some(step) if step <= last_step => Err(CodeRefused::Used),
            Some(step) => Ok(step),
        }
    }

    /// A code that [`Self::check`] takes now, if one is left: for the demonstration's sign-in page.
    pub fn usable_code(&self, now: Timestamp, last_step: i64) -> Option<String> {
        let current = step_of(now);
        (current..=current.saturating_add(SKEW))
            .find(|step| i64::try_from(*step).is_ok_and(|step| step > last_step))
            .map(|step| self.code_of(step))
    }

    fn code_of(&self, step: u64) -> String {
        self.totp().generate(step.saturating_mul(STEP_SECONDS)).to_string()
    }

    fn totp(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(STEP_SECONDS)
            .with_secret(self.0.clone())
            .build_noncompliant()
    }
}

fn step_of(now: Timestamp) -> u64 {
    u64::try_from(now.micros()).unwrap_or(0) / 1_000_000 / STEP_SECONDS
}

/// RFC 4648 base 32 without padding, as authenticator apps read it.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.extend(ALPHABET.get((held >> bits) as usize & 31).map(|letter| char::from(*letter)));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.extend(ALPHABET.get((held << (5 - bits)) as usize & 31).map(|letter| char::from(*letter)));
    }
    text
}

#[cfg(test)]
mod tests {
    use kernel::entropy::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// The secret of RFC 6238, appendix B, for SHA-1.
    fn published() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890".to_vec()).unwrap()
    }

    #[test]
    fn the_codes_of_rfc_6238_are_taken_at_their_times() {
        // Appendix B prints eight digits; six-digit codes are their last six.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(published().check(code, at(seconds), -1), Ok(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn the_eight_digits_of_rfc_6238_come_out_of_the_library() {
        let totp =
            Builder::new().with_digits(8).with_secret(b"12345678901234567890".to_vec()).build().unwrap();
        for (seconds, code) in [(59, "94287082"), (1_111_111_109, "07081804"), (20_000_000_000, "65353130")] {
            assert_eq!(totp.generate(seconds).to_string(), code);
        }
    }

    #[test]
    fn the_secret_is_written_as_rfc_4648_says() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(base32(b"f"), "MY");
        assert_eq!(published().for_typing(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(published().address("大理州一网通办", "zhang").starts_with("otpauth://totp/%E5%A4%A7"));
    }

    #[test]
    fn a_used_step_and_every_step_before_it_are_refused() {
        let now = at(1_111_111_111);
        let step = published().check("050471", now, -1).unwrap();
        assert_eq!(published().check("050471", now, step), Err(CodeRefused::Used));
        assert_eq!(published().check("081804", now, step), Err(CodeRefused::Used), "the step before");
        assert_eq!(published().check("05 04 71", now, -1), Ok(step), "spaces are how apps print it");
    }

    #[test]
    fn text_that_is_no_code_is_wrong() {
        for text in ["", "12345", "1234567", "+12345", "abcdef", "１２３４５６"] {
            assert_eq!(published().check(text, at(59), -1), Err(CodeRefused::Wrong), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_code_counts_for_its_own_step_and_one_either_side(seed: u64, step in 2_i64..100_000_000, off in -4_i64..=4) {
            let secret = TotpSecret::generate(&SeededEntropy::new(seed));
            let code = secret.code_of(u64::try_from(step).unwrap());
            let answer = secret.check(&code, at((step + off) * 30 + 7), -1);
            if off.abs() <= 1 {
                prop_assert_eq!(answer, Ok(step));
            } else {
                // Another step has the same code once in a million.
                prop_assert!(answer == Err(CodeRefused::Wrong) || answer != Ok(step));
            }
        }

        #[test]
        fn the_page_of_the_demonstration_shows_a_code_that_is_taken(seed: u64, seconds in 0_i64..4_000_000_000, used in -1_i64..=2) {
            let secret = TotpSecret::generate(&SeededEntropy::new(seed));
            let last = seconds / 30 + used - 1;
            match secret.usable_code(at(seconds), last) {
                Some(code) => prop_assert!(secret.check(&code, at(seconds), last).is_ok()),
                None => prop_assert!(last > seconds / 30),
            }
        }
    }
}
