//! What time it is, unless `SOURCE_DATE_EPOCH` says otherwise.

use super::failure::Failure;
use anomaly_train::events::Time;
use chrono::{DateTime, SubsecRound, Utc};

/// The time in whole seconds: that of `SOURCE_DATE_EPOCH` (seconds since 1970, see
/// <https://reproducible-builds.org/specs/source-date-epoch/>) if it is set, else now.
pub(crate) fn now() -> Result<DateTime<Utc>, Failure> {
    Ok(fixed()?.unwrap_or_else(|| Utc::now().trunc_subsecs(0)))
}

/// The time at this moment, to the microsecond.
pub(crate) fn micros() -> Option<Time> {
    Time::from_micros(Utc::now().timestamp_micros())
}

/// The time of `SOURCE_DATE_EPOCH`, if it is set.
pub(crate) fn fixed() -> Result<Option<DateTime<Utc>>, Failure> {
    let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    // The year 9999 is the last that the name of a model file has room for.
    const LAST: u64 = 253_402_300_799;
    value
        .to_str()
        .and_then(|text| text.parse::<u64>().ok())
        .filter(|&seconds| seconds <= LAST)
        .and_then(|seconds| DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0))
        .map(Some)
        .ok_or_else(|| {
            Failure::Usage(format!(
                "SOURCE_DATE_EPOCH must be a whole number of seconds from 0 to {LAST}"
            ))
        })
}
