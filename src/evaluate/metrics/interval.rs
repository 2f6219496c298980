//! How sure one can be of a share that was seen on few samples.

use serde::{Deserialize, Serialize};

/// The ends of an interval, `[low, high]`, both in 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interval(
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))] pub f64,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))] pub f64,
);

/// The two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % Wilson score interval of a share of which `part` out of `whole` were seen; `whole` must not be 0.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
#[must_use]
pub fn wilson(part: u64, whole: u64) -> Interval {
    let n = whole as f64;
    let p = part as f64 / n;
    let denominator = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / denominator;
    let half = Z / denominator * libm::sqrt(p * (1.0 - p) / n + Z * Z / (4.0 * n * n));
    // At the edges rounding would leave 1e-17 where the formula gives exactly 0 or 1.
    let low = if part == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if part == whole { 1.0 } else { (centre + half).min(1.0) };
    Interval(low, high)
}
