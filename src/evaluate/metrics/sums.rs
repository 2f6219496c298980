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
    pub(super) fn of<'s>(sorted: impl Iterator<Item = &'s Scored>) -> Self {
        let mut areas = Self::default();
        let mut sorted = sorted.peekable();
        while let Some(first) = sorted.next() {
            let mut ties = ClassCounts::default();
            ties.add(first.label, first.count);
            while let Some(tie) = sorted.next_if(|next| next.score == first.score) {
                ties.add(tie.label, tie.count);
            }
            // Normal samples lose against each anomalous one before them, and by half against one beside them.
            areas.twice_won +=
                u128::from(ties.normal) * (2 * u128::from(areas.seen.anomalous) + u128::from(ties.anomalous));
            areas.seen = areas.seen.plus(ties);
            let precision = areas.seen.anomalous as f64 / areas.seen.total() as f64;
            areas.precision_sum += ties.anomalous as f64 * precision;
        }
        areas
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
        let others = |block: u8| {
            sorted
                .iter()
                .zip(&block_of)
                .filter(move |&(_, &own)| own != block)
                .map(|(sample, _)| sample)
        };
        let without = (0..)
            .zip(&blocks)
            .map(|(block, samples)| {
                (
                    all.without(&Sums::of(samples, threshold, bins)),
                    Areas::of(others(block)),
                )
            })
            .collect();
        Self {
            groups: groups as u64,
            without,
        }
    }
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
