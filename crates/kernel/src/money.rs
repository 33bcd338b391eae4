//! Money in whole 分.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Coded;

/// An amount in 分, the hundredth of a yuan. No part of the platform counts money in floating point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(pub i64);

/// A text that is no amount in yuan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an amount in yuan like 50 or 1200.50")]
pub struct FenError {
    text: String,
}

impl Coded for FenError {
    fn code(&self) -> &'static str {
        "money.malformed"
    }
}

impl Fen {
    /// Nothing to pay.
    pub const ZERO: Self = Self(0);

    /// So many whole yuan; none when the amount does not fit.
    #[must_use]
    pub fn from_yuan(yuan: i64) -> Option<Self> {
        yuan.checked_mul(100).map(Self)
    }

    /// The sum; none when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference; none when it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The amount so many times; none when it does not fit.
    #[must_use]
    pub fn checked_mul(self, times: i64) -> Option<Self> {
        self.0.checked_mul(times).map(Self)
    }

    /// Whether there is nothing to pay.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", whole / 100, whole % 100)
    }
}

impl FromStr for Fen {
    type Err = FenError;

    /// Reads yuan with at most two digits after the point: `50`, `1200.5`, `-3.07`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_yuan(text.trim()).ok_or_else(|| FenError { text: text.chars().take(40).collect() })
    }
}

impl Sum for Fen {
    /// Adds up and stays at the end of the range rather than wrapping.
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, amount| Self(sum.0.saturating_add(amount.0)))
    }
}

fn parse_yuan(text: &str) -> Option<Fen> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(part) || part.len() > 2 {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    let fen = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)?;
    Some(Fen(if negative { -fen } else { fen }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_are_read_and_written_to_the_fen() {
        for (text, fen) in [("50", 5000), ("1200.5", 120_050), ("0.07", 7), ("-3.07", -307), (" 8.10 ", 810)]
        {
            assert_eq!(text.parse(), Ok(Fen(fen)), "{text}");
        }
        assert_eq!(Fen(-307).to_string(), "-3.07");
        assert_eq!(Fen(5).to_string(), "0.05");
        assert_eq!(Fen(i64::MIN).to_string(), "-92233720368547758.08");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "-", ".5", "5.", "1.234", "1,000", "１２", "1e3", "99999999999999999999"] {
            let error = text.parse::<Fen>().unwrap_err();
            assert_eq!(error.code(), "money.malformed", "{text}");
        }
    }

    #[test]
    fn sums_never_wrap() {
        assert_eq!(Fen(i64::MAX).checked_add(Fen(1)), None);
        assert_eq!([Fen(i64::MAX), Fen(1)].into_iter().sum::<Fen>(), Fen(i64::MAX));
        assert_eq!([Fen(250), Fen(-50)].into_iter().sum::<Fen>(), Fen(200));
        assert_eq!(Fen::from_yuan(3).and_then(|fee| fee.checked_mul(2)), Some(Fen(600)));
    }
}
