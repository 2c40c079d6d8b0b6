//! Values with a unit: durations, shares, and the ranges they must lie in.
//!
//! Must never guess a unit: a bare number is refused.

use std::fmt;
use std::time::Duration;

/// A part of a whole, kept in hundredths of a percent so that it compares and prints exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// The whole, in hundredths of a percent.
    const WHOLE: u32 = 10_000;

    /// So many percent; more than 100 is 100.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        if percent >= 100 { Self(Self::WHOLE) } else { Self(percent * 100) }
    }

    /// The share as a fraction of 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Self::WHOLE)
    }

    /// Whether `part` is more than this share of `whole`.
    #[must_use]
    pub fn is_exceeded_by(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(Self::WHOLE) > u128::from(whole) * u128::from(self.0)
    }

    /// Reads `5%` or `0.25%`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, rest) = {
            let number = text.strip_suffix('%')?.trim_end();
            number.split_once('.').unwrap_or((number, "0"))
        };
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(rest) || rest.len() > 2 {
            return None;
        }
        let hundredths = rest.parse::<u32>().ok()? * if rest.len() == 1 { 10 } else { 1 };
        let share = whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(hundredths)?;
        (share <= Self::WHOLE).then_some(Self(share))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, rest) if rest % 10 == 0 => write!(f, "{whole}.{}%", rest / 10),
            (whole, rest) => write!(f, "{whole}.{rest:02}%"),
        }
    }
}

/// A word that is not one of those a key takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not known; write one of: {known}")]
pub struct UnknownWord {
    /// The word.
    pub word: String,
    /// The words there are.
    pub known: String,
}

/// The shortest and the longest duration that a key takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    /// The shortest.
    pub(super) min: Duration,
    /// The longest.
    pub(super) max: Duration,
}

impl Range {
    /// From `min` to `max`, both included.
    pub(super) const fn new(min: Duration, max: Duration) -> Self {
        Self { min, max }
    }

    /// `duration`, or what is wrong with it.
    pub(super) fn check(&self, duration: Duration) -> Result<Duration, String> {
        if (self.min..=self.max).contains(&duration) {
            return Ok(duration);
        }
        let (value, min, max) = (written(duration), written(self.min), written(self.max));
        Err(format!("{value} is out of range; write a duration from \"{min}\" to \"{max}\""))
    }
}

/// Reads a duration as people write them (`60s`, `1h 30m`), or says what is wrong.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(no_unit(text));
    }
    humantime::parse_duration(text).map_err(|_| {
        let text = crate::domain::shown(text.as_bytes());
        format!("`{text}` is not a duration; write a number with a unit, like \"60s\" or \"6h\"")
    })
}

/// What is wrong with a bare number.
pub(super) fn no_unit(number: &str) -> String {
    format!("{number} has no unit; write \"{number}s\" if seconds are meant")
}

/// A duration as a person would write it, in the largest unit that gives a whole number.
pub(super) fn written(duration: Duration) -> String {
    /// The units in nanoseconds; a year is humantime's, of 365.25 days.
    const UNITS: [(u128, &str); 8] = [
        (31_557_600_000_000_000, "y"),
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let nanos = duration.as_nanos();
    for (unit, name) in UNITS {
        // One of a unit reads better as several of the next: `60s`, `24h`.
        let enough = if matches!(name, "d" | "m") { 2 } else { 1 };
        if nanos.is_multiple_of(unit) && nanos / unit >= enough {
            return format!("{}{name}", nanos / unit);
        }
    }
    "0s".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_share_is_a_percentage_up_to_a_hundred() {
        let check = |text: &str, expected: Option<&str>| {
            let share = Share::parse(text).map(|s| s.to_string());
            assert_eq!(share.as_deref(), expected, "{text:?}");
        };
        check("5%", Some("5%"));
        check("5 %", Some("5%"));
        check("0%", Some("0%"));
        check("100%", Some("100%"));
        check("0.5%", Some("0.5%"));
        check("0.05%", Some("0.05%"));
        check("12.25%", Some("12.25%"));
        for text in ["5", "", "%", "-1%", "101%", "100.01%", "1.234%", "1.%", ".5%", "9999999999%"]
        {
            check(text, None);
        }
        assert!((Share::percent(5).fraction() - 0.05).abs() < 1e-12);
    }

    #[test]
    fn a_share_is_exceeded_by_more_and_not_by_as_much() {
        assert!(!Share::percent(5).is_exceeded_by(5, 100));
        assert!(Share::percent(5).is_exceeded_by(6, 100));
        assert!(!Share::percent(100).is_exceeded_by(100, 100));
        assert!(Share::percent(0).is_exceeded_by(1, u64::MAX));
    }

    #[test]
    fn durations_are_written_in_the_unit_a_person_would_take() {
        let check = |seconds: u64, expected: &str| {
            assert_eq!(written(Duration::from_secs(seconds)), expected);
        };
        check(0, "0s");
        check(60, "60s");
        check(90, "90s");
        check(300, "5m");
        check(3600, "1h");
        check(24 * 3600, "24h");
        check(90 * 24 * 3600, "90d");
        check(315_576_000, "10y");
        assert_eq!(written(Duration::from_millis(150)), "150ms");
    }

    proptest! {
        #[test]
        fn a_written_duration_reads_back(nanos in 0..u64::MAX / 4, unit in 0..4_u32) {
            let nanos = nanos / 1000_u64.pow(unit) * 1000_u64.pow(unit);
            let value = Duration::from_nanos(nanos);
            prop_assert_eq!(duration(&written(value)), Ok(value));
        }

        #[test]
        fn a_written_share_reads_back(hundredths in 0..=Share::WHOLE) {
            let share = Share(hundredths);
            prop_assert_eq!(Share::parse(&share.to_string()), Some(share));
        }
    }
}
