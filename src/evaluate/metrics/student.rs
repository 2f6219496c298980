//! Student's t distribution, which says how far a mean of few values may be off.

/// The t of which a share of `level` of Student's distribution with `freedom` degrees of freedom lies below; `level` is in
/// 0.5..1, `freedom` above 0 and need not be whole.
///
/// With x = freedom / (freedom + t²), the share above t is half of the regularised incomplete beta function of x for
/// freedom / 2 and 1/2. Source: M. Abramowitz and I. A. Stegun, "Handbook of mathematical functions", 26.7.1.
pub(crate) fn t_quantile(level: f64, freedom: f64) -> f64 {
    let above = 2.0 * (1.0 - level);
    let (mut low, mut high) = (0.0, 1.0);
    // As many halvings as a number in 0..1 has digits.
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if incomplete_beta(middle, freedom / 2.0, 0.5) < above {
            low = middle;
        } else {
            high = middle;
        }
    }
    libm::sqrt(freedom * (1.0 - high) / high)
}

/// The regularised incomplete beta function.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let scale = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let front = libm::exp(scale + a * libm::log(x) + b * libm::log1p(-x));
    // The fraction converges fast on this side of the mean, and the function is symmetric about it.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// The continued fraction of the incomplete beta function, 26.5.8 in the same book, by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..500 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = value;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            value *= c * d;
        }
        if (value - before).abs() <= 1e-16 * value.abs() {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From SciPy 1.17, `scipy.stats.t.ppf`.
    #[test]
    fn quantiles_are_those_of_tables() {
        let known = [
            (0.975, 1.0, 12.706_204_736_174_694),
            (0.975, 1.5, 6.016_663_104_427_929),
            (0.975, 6.3, 2.418_942_809_942_905),
            (0.975, 19.0, 2.093_024_054_408_308_7),
            (0.90, 11.0, 1.363_430_318_020_540_7),
            (0.975, 99.0, 1.984_216_951_586_417_4),
        ];
        for (level, freedom, t) in known {
            let found = t_quantile(level, freedom);
            assert!((found - t).abs() < 1e-9 * t, "{level} {freedom}: {found}, not {t}");
        }
    }
}
