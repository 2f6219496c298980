//! What figures are made of: sums over samples, from which those of some groups can be taken away.

use super::calibration::reliability_bins;
use super::{Confusion, FIGURES, Scored};
use crate::bounds::Bins;
use crate::data::label::{ClassCounts, Label};

/// Most blocks of groups that are left out one after the other. More would tell hardly more: Student's quantile is within 1 % of
/// its limit from here on.
pub(crate) const BLOCKS: usize = 100;

/// Sums over samples.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub(super) confusion: Confusion,
    squares: f64,
    losses: f64,
    /// For each bin of the calibration error, the sum of scores less the number of anomalous samples.
    gaps: Vec<f64>,
}

impl Sums {
    pub(super) fn of(scored: &[Scored], threshold: f64, bins: Bins) -> Self {
        let (mut squares, mut losses) = (0.0, 0.0);
        for sample in scored {
            let (score, count) = (sample.score.get(), sample.count as f64);
            let off = score - f64::from(u8::from(sample.label));
            squares += count * off * off;
            losses += count * loss(score, sample.label);
        }
        Self {
            confusion: Confusion::at(scored, threshold),
            squares,
            losses,
            gaps: reliability_bins(scored, bins).iter().map(|bin| bin.gap()).collect(),
        }
    }

    /// What is left without samples of which `other` are the sums.
    fn without(&self, other: &Self) -> Self {
        Self {
            confusion: self.confusion.without(&other.confusion),
            squares: (self.squares - other.squares).max(0.0),
            losses: (self.losses - other.losses).max(0.0),
            gaps: self
                .gaps
                .iter()
                .zip(&other.gaps)
                .map(|(all, other)| all - other)
                .collect(),
        }
    }

    /// The figures, in the order of [`NAMES`](super::NAMES).
    pub(super) fn figures(&self, areas: Areas) -> [Option<f64>; FIGURES] {
        let confusion = &self.confusion;
        let mean = |sum: f64| (confusion.samples() > 0).then(|| sum / confusion.samples() as f64);
        [
            confusion.precision(),
            confusion.recall(),
            confusion.accuracy(),
            confusion.f1(),
            // |mean score - share| times the share of samples in the bin is |score sum - anomalous| / all samples.
            mean(self.gaps.iter().map(|gap| gap.abs()).sum()),
            areas.roc_auc(),
            areas.average_precision(),
            mean(self.squares),
            mean(self.losses),
            confusion.false_alarm_rate(),
        ]
    }

    /// Their log loss as a multiple of that of giving all samples the score `share`; undefined without samples.
    pub(super) fn ratio_to(&self, share: f64) -> Option<f64> {
        let samples = self.confusion.samples() as f64;
        loss_of(share, &self.confusion).map(|loss| self.losses / samples / loss)
    }
}

/// The log loss of giving all samples the score `share`, above 0 and below 1; undefined without samples.
pub(super) fn loss_of(share: f64, confusion: &Confusion) -> Option<f64> {
    let [normal, anomalous, all] =
        [confusion.normal(), confusion.anomalous(), confusion.samples()].map(|count| count as f64);
    (all > 0.0).then(|| -(normal * libm::log1p(-share) + anomalous * libm::log(share)) / all)
}

/// The negative natural logarithm of the probability given to what a sample is, which is taken to be at least 2.2e-16.
pub(crate) fn loss(score: f64, label: Label) -> f64 {
    let given = match label {
        Label::Anomalous => score,
        Label::Normal => 1.0 - score,
    };
    -libm::log(given.clamp(f64::EPSILON, 1.0))
}

/// The two figures that need samples in the order of their scores.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Areas {
    seen: ClassCounts,
    /// Twice the pairs of an anomalous and a normal sample in which the anomalous one scores higher, ties counting half. A sum of
    /// integers is exact, up to 2^127 pairs.
    twice_won: u128,
    /// The sum over scores of precision times the anomalous samples gained. Divided at the end, so that a perfect ranking gives
    /// exactly 1.
    precision_sum: f64,
}

impl Areas {
    /// Of samples that are sorted by falling scores. Those with the same score are always decided together, so ties earn nothing.
    pub(super) fn of(sorted: &[Scored]) -> Self {
        let mut areas = Self::default();
        for ties in sorted.chunk_by(|a, b| a.score == b.score) {
            areas.add(class_counts(ties));
        }
        areas
    }

    /// Adds samples with the same score, below all before.
    fn add(&mut self, ties: ClassCounts) {
        // Normal samples lose against each anomalous one before them, and by half against one beside them.
        self.twice_won += u128::from(ties.normal) * (2 * u128::from(self.seen.anomalous) + u128::from(ties.anomalous));
        self.seen = self.seen.plus(ties);
        if ties.anomalous > 0 {
            let precision = self.seen.anomalous as f64 / self.seen.total() as f64;
            self.precision_sum += ties.anomalous as f64 * precision;
        }
    }

    /// The probability that a random anomalous sample scores higher than a random normal one, ties counting half; undefined
    /// without both classes.
    fn roc_auc(self) -> Option<f64> {
        let pairs = 2 * u128::from(self.seen.anomalous) * u128::from(self.seen.normal);
        (pairs > 0).then(|| self.twice_won as f64 / pairs as f64)
    }

    /// The sum over thresholds of precision times the recall gained; undefined without an anomalous sample.
    ///
    /// Unlike the area under an interpolated curve it does not flatter. Source: M. Zhu, "Recall, precision and average
    /// precision", University of Waterloo (2004); the same as scikit-learn's `average_precision_score`.
    fn average_precision(self) -> Option<f64> {
        (self.seen.anomalous > 0).then(|| self.precision_sum / self.seen.anomalous as f64)
    }
}

/// How many samples there are of each class.
fn class_counts(scored: &[Scored]) -> ClassCounts {
    let mut counts = ClassCounts::default();
    scored.iter().for_each(|sample| counts.add(sample.label, sample.count));
    counts
}

/// What is left of the samples without each block of their groups.
pub(super) struct LeaveOneOut {
    /// How many groups there are.
    pub(super) groups: u64,
    /// The sums and areas without one block after the other.
    pub(super) without: Vec<(Sums, Areas)>,
}

impl LeaveOneOut {
    /// `all` are the sums over all of the samples, `sorted` the samples by falling scores.
    pub(super) fn of(all: &Sums, sorted: &[Scored], threshold: f64, bins: Bins) -> Self {
        let (block_of, groups, count) = blocks(sorted);
        let mut blocks = vec![Vec::new(); count];
        for (sample, &block) in sorted.iter().zip(&block_of) {
            blocks[usize::from(block)].push(*sample);
        }
        let sums = blocks
            .iter()
            .map(|samples| all.without(&Sums::of(samples, threshold, bins)));
        Self {
            groups: groups as u64,
            without: sums.zip(areas_without(sorted, &block_of, count)).collect(),
        }
    }
}

/// The areas without each of `count` blocks, of samples by falling scores.
///
/// Pairs are counted once for all blocks: those without a block are all pairs but those with a sample of it on either side, of which
/// pairs within it were taken away twice. Precisions have to be worked out for each block, at all scores that anomalous samples have.
fn areas_without(sorted: &[Scored], block_of: &[u8], count: usize) -> Vec<Areas> {
    let all = class_counts(sorted);
    let mut seen = Areas::default();
    // By block: its own pairs, and those of its samples with any.
    let mut own = vec![Areas::default(); count];
    let mut with_any = vec![0_u128; count];
    // By block: how many samples of other blocks have been seen, and how many anomalous ones; how many of these have the score in hand.
    let (mut others, mut anomalous, mut gained) = (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
    let mut precision_sums = vec![0.0; count];
    let mut of_block = vec![ClassCounts::default(); count];
    let mut start = 0;
    for ties in sorted.chunk_by(|a, b| a.score == b.score) {
        let block_of = || {
            block_of[start..start + ties.len()]
                .iter()
                .map(|&block| usize::from(block))
        };
        for (sample, block) in ties.iter().zip(block_of()) {
            of_block[block].add(sample.label, sample.count);
        }
        let tied = class_counts(ties);
        let before = seen.seen;
        seen.add(tied);
        let lower = all.normal - seen.seen.normal;
        let gain = tied.anomalous as f64;
        others.iter_mut().for_each(|others| *others += tied.total() as f64);
        anomalous.iter_mut().for_each(|anomalous| *anomalous += gain);
        gained.fill(gain);
        for block in block_of() {
            let ties = std::mem::take(&mut of_block[block]);
            own[block].add(ties);
            let [normal, higher] = [ties.normal, ties.anomalous].map(u128::from);
            with_any[block] += normal * (2 * u128::from(before.anomalous) + u128::from(tied.anomalous))
                + higher * (2 * u128::from(lower) + u128::from(tied.normal));
            others[block] -= ties.total() as f64;
            anomalous[block] -= ties.anomalous as f64;
            gained[block] -= ties.anomalous as f64;
        }
        if tied.anomalous > 0 {
            let precisions = anomalous
                .iter()
                .zip(&others)
                .map(|(anomalous, others)| anomalous / f64::max(*others, 1.0));
            for ((sum, gained), precision) in precision_sums.iter_mut().zip(&gained).zip(precisions) {
                *sum += gained * precision;
            }
        }
        start += ties.len();
    }
    let without = own.into_iter().zip(with_any).zip(precision_sums);
    without
        .map(|((own, with_any), precision_sum)| Areas {
            seen: ClassCounts {
                normal: all.normal - own.seen.normal,
                anomalous: all.anomalous - own.seen.anomalous,
            },
            twice_won: seen.twice_won + own.twice_won - with_any,
            precision_sum,
        })
        .collect()
}

/// The block of each sample, the number of groups, and that of blocks. A group is a block, or part of one if there are too many
/// groups; what else there is beside these samples makes no difference.
pub(crate) fn blocks(scored: &[Scored]) -> (Vec<u8>, usize, usize) {
    let key = |(index, sample): (u64, &Scored)| sample.group.map_or(index | 1 << 32, u64::from);
    let keys: Vec<u64> = (0..).zip(scored).map(key).collect();
    let mut groups = keys.clone();
    groups.sort_unstable();
    groups.dedup();
    let mut dealt: Vec<(u64, usize)> = (0..groups.len()).map(|group| (scatter(group as u64), group)).collect();
    dealt.sort_unstable();
    let mut block_of = vec![0; groups.len()];
    for (place, (_, group)) in dealt.into_iter().enumerate() {
        block_of[group] = (place % BLOCKS) as u8;
    }
    let of_key = |key| block_of[groups.partition_point(|&group| group < key)];
    (
        keys.iter().map(|&key| of_key(key)).collect(),
        groups.len(),
        groups.len().min(BLOCKS),
    )
}

/// A number that is different for each `value`, and shows nothing of their order. Neighbours may be alike, and would make the
/// blocks more alike than chance does if they were dealt to them in turn.
///
/// Source: the finaliser of SplitMix64; G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014.
fn scatter(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::UnitInterval;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn areas_without_a_block_are_those_of_all_other_samples(
            samples in proptest::collection::vec((0..6_u8, any::<bool>(), 0..4_u8, 1..5_u64), 1..40),
        ) {
            let mut samples = samples;
            samples.sort_by_key(|&(score, ..)| std::cmp::Reverse(score));
            let scored = |&(score, anomalous, _, count): &(u8, bool, u8, u64)| Scored {
                score: UnitInterval::probability(f64::from(score) / 5.0),
                label: if anomalous { Label::Anomalous } else { Label::Normal },
                count,
                group: None,
            };
            let sorted: Vec<Scored> = samples.iter().map(scored).collect();
            let block_of: Vec<u8> = samples.iter().map(|&(_, _, block, _)| block).collect();
            for (block, found) in (0..).zip(areas_without(&sorted, &block_of, 4)) {
                let others = samples.iter().filter(|&&(_, _, own, _)| own != block).map(scored);
                let expected = Areas::of(&others.collect::<Vec<_>>());
                prop_assert_eq!((found.seen, found.twice_won), (expected.seen, expected.twice_won));
                prop_assert!((found.precision_sum - expected.precision_sum).abs() < 1e-9);
            }
        }
    }
}
