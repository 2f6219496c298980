//! Times as logs write them.

use super::fields::Scalar;
use super::mapping::TimeUnit;
use crate::input::events::Time;
use crate::text::quote;
use chrono::NaiveDateTime;

/// Reads times, and remembers what it took the numbers of a log for.
#[derive(Debug, Default)]
pub(super) struct Clock(Option<TimeUnit>);

impl Clock {
    pub(super) fn guessed(&self) -> Option<TimeUnit> {
        self.0
    }

    /// The moment that `value` stands for: a text like `2026-11-22T10:00:00.5+01:00`, in UTC if it names no zone, or a number of
    /// `unit` since 1970, or the problem with the member `path`.
    pub(super) fn read(&mut self, value: &Scalar<'_>, unit: TimeUnit, path: &str) -> Result<Time, String> {
        let text = value.name().trim();
        let is_number = text.parse::<f64>().is_ok();
        let time = if matches!(value, Scalar::Bool(_)) {
            None
        } else if is_number {
            self.number(text, unit)
        } else {
            Time::from_rfc3339(text)
                .or_else(|| without_zone(text))
                .or_else(|| json_date(text))
        };
        time.ok_or_else(|| {
            let expected = match (unit, self.0) {
                (TimeUnit::Auto, None) => "a number since 1970".to_owned(),
                (TimeUnit::Auto, Some(unit)) => format!("a number of {unit} since 1970, as before"),
                (unit, _) => format!("a number of {unit} since 1970"),
            };
            format!(
                "{} is {}; expected a time like 2026-11-22T10:00:00Z, or {expected}, from 1970 to 9999 (see --time-unit)",
                quote(path),
                quote(text)
            )
        })
    }

    fn number(&mut self, text: &str, unit: TimeUnit) -> Option<Time> {
        let unit = match unit {
            TimeUnit::Auto => match self.0 {
                Some(unit) => unit,
                None => {
                    let unit = guess(text.parse().ok()?);
                    self.0 = Some(unit);
                    unit
                }
            },
            unit => unit,
        };
        nanos(text, unit.nanos()).and_then(Time::from_nanos)
    }
}

/// What a number is a count of, so that it lies between 1973 and 5138.
fn guess(number: f64) -> TimeUnit {
    if number < 1e11 {
        TimeUnit::S
    } else if number < 1e14 {
        TimeUnit::Ms
    } else if number < 1e17 {
        TimeUnit::Us
    } else {
        TimeUnit::Ns
    }
}

/// A decimal number times `unit`, exactly but for what is less than one.
fn nanos(text: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.is_empty() || whole.len() > 20 {
        // An exponent or a sign. More than microseconds such a number does not tell.
        let micros = (text.parse::<f64>().ok()? * (unit as f64 / 1000.0)).round();
        return (0.0..1e18).contains(&micros).then(|| micros as i128 * 1000);
    }
    let mut nanos = whole.parse::<i128>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.checked_add(place * i128::from(digit - b'0'))?;
    }
    Some(nanos)
}

fn without_zone(text: &str) -> Option<Time> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let time = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?
        .and_utc();
    Time::from_nanos(i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos()))
}

/// `/Date(1795341600000)/`, as PowerShell writes times into JSON.
fn json_date(text: &str) -> Option<Time> {
    let millis = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    nanos(millis, TimeUnit::Ms.nanos()).and_then(Time::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn one_moment_is_read_however_it_is_written() {
        let expected = Time::from_nanos(1_795_341_600_250_000_000).unwrap();
        for (text, unit) in [
            ("1795341600.25", TimeUnit::Auto),
            ("1795341600250", TimeUnit::Auto),
            ("1795341600250000", TimeUnit::Auto),
            ("1795341600250000000", TimeUnit::Auto),
            ("1795341600250.0", TimeUnit::Ms),
            ("1.79534160025e9", TimeUnit::S),
            ("2026-11-22T10:00:00.25Z", TimeUnit::Ns),
            ("2026-11-22 10:00:00.250", TimeUnit::Auto),
            ("2026-11-22T11:00:00.25+01:00", TimeUnit::Auto),
            ("/Date(1795341600250)/", TimeUnit::Auto),
        ] {
            let value = Scalar::Text(Cow::Borrowed(text));
            assert_eq!(Clock::default().read(&value, unit, "t"), Ok(expected), "{text}");
        }
        let exact = Clock::default().read(&Scalar::Number("1795341600.250000001"), TimeUnit::S, "t");
        assert!(exact.unwrap() > expected);
    }

    #[test]
    fn the_first_number_decides_for_the_others() {
        let mut clock = Clock::default();
        assert!(
            clock
                .read(&Scalar::Number("1795341600250"), TimeUnit::Auto, "t")
                .is_ok()
        );
        assert_eq!(clock.guessed(), Some(TimeUnit::Ms));
        assert_eq!(
            clock.read(&Scalar::Number("5"), TimeUnit::Auto, "t"),
            Ok(Time::from_micros(5000).unwrap())
        );
        for wrong in ["", "yesterday", "-1", "1e99", "2026-13-01T00:00:00Z", "2026-11-22"] {
            let value = Scalar::Text(Cow::Borrowed(wrong));
            assert!(clock.read(&value, TimeUnit::Auto, "t").is_err(), "{wrong}");
        }
    }
}
