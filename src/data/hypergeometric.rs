//! How many of the marked balls are among those drawn from an urn without putting them back.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Up to this many balls are drawn one by one.
const ONE_BY_ONE: u64 = 64;

/// Draws `drawn` of `marked` + `others` balls, of which there are at most 2^63, and says how many marked ones are among them.
///
/// Few balls are drawn one by one. For many, the ratio of uniforms gives the number at once, at a cost that does not grow with
/// it. Source: E. Stadlober, "Sampling from Poisson, binomial and hypergeometric distributions: ratio of uniforms as a simple
/// and fast alternative", Math. Statist. Sektion 303, Forschungsgesellschaft Joanneum, Graz (1989), algorithm HRUA.
pub(crate) fn hypergeometric(rng: &mut ChaCha8Rng, marked: u64, others: u64, drawn: u64) -> u64 {
    let all = marked + others;
    // The balls that are drawn and those that are left differ in name alone, and so do the marked ones and the others.
    if drawn > all - drawn {
        return marked - hypergeometric(rng, marked, others, all - drawn);
    }
    if marked > others {
        return drawn - hypergeometric(rng, others, marked, drawn);
    }
    // Whether a marked ball is drawn or a drawn ball is marked is the same question, so the fewer ones are gone through.
    let (fewer, more) = (marked.min(drawn), marked.max(drawn));
    if fewer <= ONE_BY_ONE {
        let mut hits = 0;
        for gone in 0..fewer {
            hits += u64::from(rng.random_range(0..all - gone) < more - hits);
        }
        return hits;
    }
    ratio_of_uniforms(rng, marked, others, drawn)
}

/// [`hypergeometric`] for at most as many marked balls as others, of which at most half are drawn.
fn ratio_of_uniforms(rng: &mut ChaCha8Rng, marked: u64, others: u64, drawn: u64) -> u64 {
    // 2 sqrt(2 / e) and 3 - 2 sqrt(3 / e): the width of the region that uniform pairs are drawn from.
    const D1: f64 = 1.715_527_769_921_413_5;
    const D2: f64 = 0.898_916_162_058_898_8;
    let [of_marked, of_others, of_drawn] = [marked, others, drawn].map(|count| count as f64);
    let all = of_marked + of_others;
    let share = of_marked / all;
    let centre = of_drawn * share + 0.5;
    let variance = (all - of_drawn) / (all - 1.0) * of_drawn * share * (1.0 - share);
    let deviation = libm::sqrt(variance + 0.5);
    let width = D1 * deviation + D2;
    let mode = ((of_drawn + 1.0) * ((of_marked + 1.0) / (all + 2.0))).floor();
    let beyond = (of_marked.min(of_drawn) + 1.0).min((centre + 16.0 * deviation).floor());
    // The logarithm of the probability of `hits` against that of the mode.
    let log_ratio = |hits: f64| {
        let change = hits - mode;
        -log_factorial_ratio(mode, change)
            - log_factorial_ratio(of_marked - mode, -change)
            - log_factorial_ratio(of_drawn - mode, -change)
            - log_factorial_ratio(of_others - of_drawn + mode, change)
    };
    loop {
        let u = 1.0 - rng.random::<f64>();
        let v = rng.random::<f64>();
        let hits = (centre + width * (v - 0.5) / u).floor();
        if hits >= 0.0 && hits < beyond && 2.0 * libm::log(u) <= log_ratio(hits) {
            return (hits as u64).clamp(drawn.saturating_sub(others), marked.min(drawn));
        }
    }
}

/// ln((from + change)! / from!). The changes of several ratios that are added up cancel exactly, however large the factorials.
fn log_factorial_ratio(from: f64, change: f64) -> f64 {
    let to = from + change;
    if from.min(to) < 1000.0 {
        return libm::lgamma(to + 1.0) - libm::lgamma(from + 1.0);
    }
    // Stirling's series for both, with the logarithms of nearly equal numbers taken together.
    (from + 0.5) * libm::log1p(change / from) + change * libm::log(to) - change + (1.0 / to - 1.0 / from) / 12.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// The probability of each number of hits, as a product of fractions.
    fn probabilities(marked: u64, others: u64, drawn: u64) -> Vec<f64> {
        let log_choose = |n: u64, k: u64| (0..k).map(|i| ((n - i) as f64 / (k - i) as f64).ln()).sum::<f64>();
        (0..=marked.min(drawn))
            .map(|hits| match drawn - hits <= others {
                true => (log_choose(marked, hits) + log_choose(others, drawn - hits)
                    - log_choose(marked + others, drawn))
                .exp(),
                false => 0.0,
            })
            .collect()
    }

    #[test]
    fn each_number_comes_as_often_as_it_should() {
        const DRAWS: u32 = 100_000;
        for (marked, others, drawn) in [
            (5, 9, 6),
            (70, 90, 66),
            (90, 70, 100),
            (300, 100, 350),
            (1000, 9000, 80),
            (100, 5000, 2000),
        ] {
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let mut seen = vec![0_u32; marked as usize + 1];
            for _ in 0..DRAWS {
                seen[hypergeometric(&mut rng, marked, others, drawn) as usize] += 1;
            }
            for (hits, p) in probabilities(marked, others, drawn).into_iter().enumerate() {
                let expected = p * f64::from(DRAWS);
                let off = (f64::from(seen[hits]) - expected).abs();
                assert!(
                    off <= 5.0 * (expected + 1.0).sqrt(),
                    "{hits} of {marked} {others} {drawn}: {} {expected}",
                    seen[hits]
                );
            }
        }
    }

    #[test]
    fn huge_numbers_have_the_right_mean_and_spread() {
        let (marked, others, drawn) = (1 << 53, (1 << 62) + 12_345, 1 << 61);
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let share = drawn as f64 / (marked + others) as f64;
        let mean = marked as f64 * share;
        let deviation = (mean * (1.0 - share)).sqrt();
        let scores: Vec<f64> = (0..10_000)
            .map(|_| (hypergeometric(&mut rng, marked, others, drawn) as f64 - mean) / deviation)
            .collect();
        let mean = scores.iter().sum::<f64>() / 1e4;
        let variance = scores.iter().map(|score| score * score).sum::<f64>() / 1e4;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.07, "{mean} {variance}");
    }

    #[test]
    fn what_cannot_be_otherwise_is_certain() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let most = 1 << 62;
        assert_eq!(hypergeometric(&mut rng, most, most, 2 * most), most);
        assert_eq!(hypergeometric(&mut rng, most, 0, 1000), 1000);
        assert_eq!(hypergeometric(&mut rng, 0, most, 1000), 0);
        assert_eq!(hypergeometric(&mut rng, 1000, most, 0), 0);
    }
}
