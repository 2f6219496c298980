//! Moments, to the nanosecond, and spans of time, in whole microseconds so that adding and comparing them is exact.

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use std::fmt;

const SECOND: i64 = 1_000_000;
/// The last microsecond of the year 9999, after which RFC 3339 has no more digits.
const LAST: i64 = 253_402_300_800 * SECOND - 1;

/// A moment from 1970 to the end of the year 9999, to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time {
    micros: i64,
    /// Nanoseconds within the microsecond, below 1000.
    nanos: u16,
}

impl Time {
    /// The moment `micros` microseconds after the start of 1970, if it is in range.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        (0..=LAST).contains(&micros).then_some(Self { micros, nanos: 0 })
    }

    /// The moment `nanos` nanoseconds after the start of 1970, if it is in range.
    #[must_use]
    pub fn from_nanos(nanos: i128) -> Option<Self> {
        let whole = Self::from_micros(i64::try_from(nanos.div_euclid(1000)).ok()?)?;
        Some(Self {
            nanos: nanos.rem_euclid(1000) as u16,
            ..whole
        })
    }

    /// Whole microseconds since the start of 1970, and the nanoseconds that are left.
    pub(super) fn parts(self) -> (i64, u16) {
        (self.micros, self.nanos)
    }

    /// The moment with these parts, if it is in range.
    pub(super) fn from_parts(micros: i64, nanos: u16) -> Option<Self> {
        Some(Self {
            nanos,
            ..Self::from_micros(micros)?
        })
    }

    /// The moment `micros` microseconds after the start of 1970, or the nearest that is in range.
    pub(crate) fn nearest(micros: i64) -> Self {
        Self {
            micros: micros.clamp(0, LAST),
            nanos: 0,
        }
    }

    /// Whole microseconds since the start of 1970.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.micros
    }

    /// The same moment without what is less than a microsecond of it.
    #[must_use]
    pub fn whole_micros(self) -> Self {
        Self { nanos: 0, ..self }
    }

    /// The moment `seconds` after the start of 1970, rounded to the microsecond, if it is in range.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let micros = (seconds * SECOND as f64).round();
        // NaN is in no range. The upper bound is a double exactly: 253402300800 seconds.
        (0.0..(LAST + 1) as f64).contains(&micros).then_some(Self {
            micros: micros as i64,
            nanos: 0,
        })
    }

    /// The moment that an RFC 3339 text like `2026-11-22T10:00:00.5+01:00` names, if it is one and in range.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        // A leap second is the one after it.
        Self::from_nanos(i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos()))
    }

    /// How much later this is than `other`; below zero if it is earlier.
    #[must_use]
    pub fn since(self, other: Self) -> Span {
        Span(self.micros - other.micros)
    }
}

/// As RFC 3339 in UTC, with as many digits of the second as it needs: none, three, six or nine.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.micros.rem_euclid(SECOND) as u32 * 1000 + u32::from(self.nanos);
        let time = DateTime::from_timestamp(self.micros.div_euclid(SECOND), nanos).unwrap_or_default();
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A length of time, to the microsecond. Read from texts like `90`, `90s`, `1.5m`, `30m`, `2h` or `7d`; written, and kept in
/// files, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "f64", into = "f64")]
#[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = 3_153_600_000_u64)))]
pub struct Span(i64);

/// The longest span that can be asked for, in seconds: 100 years of 365 days.
const LONGEST: f64 = 100.0 * 365.0 * 86_400.0;

/// A text or number is no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time from 0 to 100 years like 90, 90s, 30m, 2h or 7d")]
pub struct NoSpan;

impl Span {
    /// `seconds` whole seconds.
    #[must_use]
    pub const fn seconds(seconds: u32) -> Self {
        Self(seconds as i64 * SECOND)
    }

    /// The length in seconds.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// The length in whole microseconds.
    #[must_use]
    pub(crate) fn micros(self) -> i64 {
        self.0
    }

    /// The same length without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

impl TryFrom<f64> for Span {
    type Error = NoSpan;

    fn try_from(seconds: f64) -> Result<Self, NoSpan> {
        if (0.0..=LONGEST).contains(&seconds) {
            Ok(Self((seconds * SECOND as f64).round() as i64))
        } else {
            Err(NoSpan)
        }
    }
}

impl From<Span> for f64 {
    fn from(span: Span) -> f64 {
        span.as_seconds()
    }
}

impl std::str::FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let (number, unit) = match text.char_indices().last() {
            Some((at, 's')) => (&text[..at], 1.0),
            Some((at, 'm')) => (&text[..at], 60.0),
            Some((at, 'h')) => (&text[..at], 3_600.0),
            Some((at, 'd')) => (&text[..at], 86_400.0),
            _ => (text, 1.0),
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number: f64 = number.parse().map_err(|_| NoSpan)?;
        // Neither signs nor words like "inf".
        if digits {
            Self::try_from(number * unit)
        } else {
            Err(NoSpan)
        }
    }
}

/// As it is read: a number with the largest unit that gives a whole one, or seconds.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("d", 86_400), ("h", 3_600), ("m", 60)];
        let whole = |(_, seconds): &(&str, i64)| self.0 != 0 && self.0 % (seconds * SECOND) == 0;
        match units.into_iter().find(whole) {
            Some((unit, seconds)) => write!(f, "{}{unit}", self.0 / (seconds * SECOND)),
            None => write!(f, "{}s", self.as_seconds()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_has_one_value_however_it_is_written() {
        let expected = Time::from_seconds(1_795_348_800.25).unwrap();
        for text in ["2026-11-22T12:00:00.25Z", "2026-11-22T13:00:00.250000+01:00"] {
            assert_eq!(Time::from_rfc3339(text), Some(expected));
        }
        assert_eq!(expected.to_string(), "2026-11-22T12:00:00.250Z");
        assert_eq!(Time::from_micros(1).unwrap().to_string(), "1970-01-01T00:00:00.000001Z");
        let nanos = Time::from_nanos(1_795_348_800_250_000_001).unwrap();
        assert!(nanos > expected && nanos.whole_micros() == expected);
        assert_eq!(Time::from_rfc3339("2026-11-22T12:00:00.250000001Z"), Some(nanos));
        assert_eq!(nanos.to_string(), "2026-11-22T12:00:00.250000001Z");
    }

    #[test]
    fn a_span_is_shown_as_it_is_read() {
        for text in ["0s", "1.5s", "59s", "1m", "90m", "2h", "36h", "7d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("1800s".parse::<Span>().unwrap().to_string(), "30m");
    }

    #[test]
    fn what_lies_outside_1970_to_9999_is_no_time() {
        for seconds in [-0.001, f64::NAN, f64::INFINITY, 253_402_300_800.0, 1.8e12 * 1e3] {
            assert_eq!(Time::from_seconds(seconds), None, "{seconds}");
        }
        assert_eq!(Time::from_seconds(-0.0), Time::from_micros(0));
        for text in ["1969-12-31T23:59:59Z", "2026-11-22", "2026-13-01T00:00:00Z", "now", ""] {
            assert_eq!(Time::from_rfc3339(text), None, "{text}");
        }
        assert!(Time::from_rfc3339("9999-12-31T23:59:59.999999Z").is_some());
    }

    #[test]
    fn spans_are_read_with_and_without_a_unit() {
        for (text, seconds) in [
            ("90", 90.0),
            ("90s", 90.0),
            ("1.5m", 90.0),
            ("2h", 7200.0),
            ("1d", 86_400.0),
        ] {
            assert_eq!(text.parse::<Span>().map(Span::as_seconds), Ok(seconds));
        }
        for text in ["", "-1", "m", "1w", "inf", "NaN", "1e3", "101y", "40000d", "１s", "5é"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
