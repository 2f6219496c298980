//! Shannon entropy, for what a model sees of a sequence and for what the monitor's rules say of an agent.

use std::sync::LazyLock;

/// The entropy in bits of `total` things of which, for each `(count, kinds)`, `kinds` different ones occur `count` times.
///
/// Σ kinds · (count / total) · log2(total / count). Kinds that occur equally often share one logarithm, which costs more than
/// all else. One kind alone has an entropy of exactly 0.
pub(crate) fn of_counts(counts: impl IntoIterator<Item = (u64, u64)>, total: u64) -> f64 {
    let part = |(count, kinds): (u64, u64)| kinds as f64 * share(count, total);
    counts.into_iter().map(part).sum()
}

/// Most sequences are shorter than this.
const SHORT: u64 = 64;
/// What is worked out for these over and over: by total, then by count.
static SHARES: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let totals = 0..SHORT;
    totals
        .flat_map(|total| (0..SHORT).map(move |count| worked_out(count, total)))
        .collect()
});

/// What `count` of `total` things that are the same add to their entropy: (count / total) · log2(total / count).
fn share(count: u64, total: u64) -> f64 {
    if total < SHORT && count < SHORT {
        SHARES[(total * SHORT + count) as usize]
    } else {
        worked_out(count, total)
    }
}

fn worked_out(count: u64, total: u64) -> f64 {
    let (count, total) = (count as f64, total as f64);
    count / total * libm::log2(total / count)
}

/// The same from the sum of count · log(count) over all kinds, which is quickly brought up to date when one count changes:
/// log(total) − sum / total, in the unit of `log`. The difference of two close figures: off by more rounding than
/// [`of_counts`].
pub(crate) fn of_log_sum(sum: f64, total: f64, log: fn(f64) -> f64) -> f64 {
    log(total) - sum / total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_what_a_hand_works_out() {
        // Twice 3 and once 2 of 8: 2 · 3/8 · log2(8/3) + 1/4 · log2 4 = 1.5612781244591328.
        let expected = 1.561_278_124_459_132_8;
        assert!((of_counts([(3, 2), (2, 1)], 8) - expected).abs() < 1e-15);
        let sum = 6.0 * libm::log2(3.0) + 2.0;
        assert!((of_log_sum(sum, 8.0, libm::log2) - expected).abs() < 1e-14);
    }

    #[test]
    fn one_kind_has_no_entropy_and_not_less() {
        for count in 1..50 {
            assert_eq!(of_counts([(count, 1)], count).to_bits(), 0.0_f64.to_bits());
        }
    }
}
