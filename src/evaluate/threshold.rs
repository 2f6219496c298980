//! Thresholds that are chosen for what they do, on scores of models that had not seen the samples.
//!
//! A threshold that does what it should on the groups at hand does it on others in about half of the cases. So what it does is taken
//! at the unfavourable end of how it varies between groups, and what it did on groups that it was not chosen on is said beside it.

use crate::bounds::OpenUnitInterval;
use crate::data::label::ClassCounts;
use crate::data::scored::Scored;
use crate::evaluate::metrics::{Spread, blocks, t_quantile, upper_share};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Certainty with which a wish is to hold for the mean over other groups.
const CERTAINTY: f64 = 0.9;
/// Bins for a unit of log odds: a threshold is off by .005 of probability at most.
const BINS: f64 = 50.0;
/// Scores are at most this far from even odds, in bins.
const LAST_BIN: i32 = 1850;

/// What a threshold is chosen for. Written as on the command line: `f1`, `recall=0.95`, `precision=0.9`, `false-alarms=0.01`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Wish {
    /// The highest F1.
    F1,
    /// The highest threshold that finds this share of the anomalous samples.
    Recall(OpenUnitInterval),
    /// The lowest threshold at which this share of the reported samples is anomalous.
    Precision(OpenUnitInterval),
    /// The lowest threshold that reports no more than this share of the normal samples.
    FalseAlarms(OpenUnitInterval),
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WISHES: &str = "f1, recall=R, precision=R or false-alarms=R";
        let (name, share) = text.split_once('=').unwrap_or((text, ""));
        let share = || share.parse().map_err(|error| format!("{name}: {error}"));
        match name {
            "f1" if text == name => Ok(Self::F1),
            "recall" => share().map(Self::Recall),
            "precision" => share().map(Self::Precision),
            "false-alarms" => share().map(Self::FalseAlarms),
            _ => Err(format!(
                "expected a number above 0 and below 1, or what it is to do: {WISHES}"
            )),
        }
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F1 => f.write_str("f1"),
            Self::Recall(share) => write!(f, "recall={share}"),
            Self::Precision(share) => write!(f, "precision={share}"),
            Self::FalseAlarms(share) => write!(f, "false-alarms={share}"),
        }
    }
}

impl TryFrom<String> for Wish {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Wish> for String {
    fn from(wish: Wish) -> Self {
        wish.to_string()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Wish {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Wish".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(f1|(recall|precision|false-alarms)=.+)$" })
    }
}

/// A threshold, or what it is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// The threshold itself.
    Fixed(OpenUnitInterval),
    /// What it is chosen for.
    Wish(Wish),
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(_) => text
                .parse()
                .map(Self::Fixed)
                .map_err(|error: crate::bounds::OutOfBounds| error.to_string()),
            Err(_) => text.parse().map(Self::Wish),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(threshold) => threshold.fmt(f),
            Self::Wish(wish) => wish.fmt(f),
        }
    }
}

/// Why no threshold does what it is to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WishError {
    /// There is nothing that it could be chosen on.
    #[error(
        "a threshold for {0} is chosen on samples left out of training, of two groups at least and of both classes; there are none"
    )]
    NothingLeftOut(Wish),
    /// The model knows no anomalous samples.
    #[error(
        "a normal-only model knows no anomalies, so nothing but false-alarms=R can be asked of it, or 1 - R as its threshold; not {0}"
    )]
    NoLabels(Wish),
    /// There are too few normal samples to promise so small a share of false alarms.
    #[error(
        "a promise of {promise} false alarms needs {needed} normal samples at least; the model counts on {samples}"
    )]
    TooFewToPromise {
        /// The share that was to be promised.
        promise: OpenUnitInterval,
        /// How many samples there are to count on.
        samples: u64,
        /// How many there would have to be.
        needed: u64,
    },
    /// None does it with enough certainty.
    #[error(
        "no threshold for {wish}: on the {samples} samples left out of training of {groups} groups it cannot be relied on at any"
    )]
    OutOfReach {
        /// What it is to do.
        wish: Wish,
        /// How many groups there are to choose on.
        groups: usize,
        /// How many samples.
        samples: u64,
    },
}

/// Scores of samples by models that were trained without them: for each group, how many samples of either class lie in which bin of
/// log odds. In a model file, a list of `[bin, normal, anomalous]` for each group, with fifty bins for a unit of log odds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct LeftOutScores {
    groups: Vec<Vec<(i32, u64, u64)>>,
}

/// A threshold that was chosen, and what it did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub struct Chosen {
    /// What it was chosen for.
    pub wish: Wish,
    /// The threshold.
    pub threshold: OpenUnitInterval,
    /// Share of the normal samples of a group that is reported by the threshold chosen on all other groups.
    pub false_alarms: Option<Spread>,
    /// Share of the anomalous samples of a group that it finds.
    pub recall: Option<Spread>,
    /// Share of all these reported samples that is anomalous.
    pub precision: Option<f64>,
}

/// Part and whole of a share, made of what is reported and all of a group.
type Share = fn(ClassCounts, ClassCounts) -> (u64, u64);

/// The normal samples that are reported.
const FALSE_ALARMS: Share = |reported, all| (reported.normal, all.normal);
/// The anomalous samples that are missed.
const MISSED: Share = |reported, all| (all.anomalous - reported.anomalous, all.anomalous);
/// All samples.
const SAMPLES: Share = |reported, all| (reported.total(), all.total());

/// Samples of each group with a score from a threshold on, beside all of them.
struct Reported<'t> {
    reported: &'t [ClassCounts],
    all: &'t [ClassCounts],
    /// A group that is passed over.
    without: Option<usize>,
}

impl Reported<'_> {
    fn groups(&self) -> impl Iterator<Item = (ClassCounts, ClassCounts)> {
        let rows = self.reported.iter().copied().zip(self.all.iter().copied()).enumerate();
        rows.filter(|&(group, _)| Some(group) != self.without)
            .map(|(_, counts)| counts)
    }

    fn sum(&self) -> (ClassCounts, ClassCounts) {
        self.groups()
            .fold(Default::default(), |sum: (ClassCounts, ClassCounts), group| {
                (sum.0.plus(group.0), sum.1.plus(group.1))
            })
    }

    /// The highest mean over groups of a share that these groups leave room for: their mean and `t` of the standard error of it, or what
    /// chance leaves room for if all groups agree. `share` makes part and whole of what is reported and all of a group.
    fn at_most(&self, share: Share, t: f64) -> f64 {
        let counts = || {
            self.groups()
                .map(|(reported, all)| share(reported, all))
                .filter(|&(_, whole)| whole > 0)
                .map(|(part, whole)| (part as f64, whole as f64))
        };
        let groups = counts().count() as f64;
        let mean = counts().map(|(part, whole)| part / whole).sum::<f64>() / groups;
        let squares: f64 = counts()
            .map(|(part, whole)| (part / whole - mean) * (part / whole - mean))
            .sum();
        let error = libm::sqrt(squares / (groups - 1.0) / groups);
        let (part, whole) = counts().fold((0.0, 0.0), |sum, (part, whole)| (sum.0 + part, sum.1 + whole));
        (mean + t * error).max(upper_share(part, whole))
    }

    fn f1(&self, weight: f64) -> f64 {
        let (reported, all) = self.sum();
        let found = 2.0 * weight * reported.anomalous as f64;
        let whole = weight * (reported.anomalous + all.anomalous) as f64 + reported.normal as f64;
        if whole > 0.0 { found / whole } else { 0.0 }
    }

    /// The lowest precision that these groups leave room for, by the jackknife on the logarithm of its odds.
    fn precision_at_least(&self, weight: f64, t: f64) -> Option<f64> {
        let (reported, _) = self.sum();
        // Half a sample of either class keeps the odds finite where a group has none.
        let log_odds = |counts: ClassCounts| {
            libm::log(weight * (counts.anomalous as f64 + 0.5)) - libm::log(counts.normal as f64 + 0.5)
        };
        let without: Vec<f64> = self
            .groups()
            .map(|(own, _)| {
                log_odds(ClassCounts {
                    normal: reported.normal - own.normal,
                    anomalous: reported.anomalous - own.anomalous,
                })
            })
            .collect();
        let groups = without.len() as f64;
        if reported.total() == 0 {
            return None;
        }
        let mean = without.iter().sum::<f64>() / groups;
        let squares: f64 = without.iter().map(|figure| (figure - mean) * (figure - mean)).sum();
        let error = libm::sqrt((groups - 1.0) / groups * squares);
        let low = log_odds(reported) - t * error;
        let by_chance = 1.0
            - upper_share(
                reported.normal as f64,
                weight * reported.anomalous as f64 + reported.normal as f64,
            );
        Some((1.0 / (1.0 + libm::exp(-low))).min(by_chance))
    }
}

/// What is reported from each bin on that a score lies in, from the highest down.
struct Steps {
    /// The bins, falling; the first one is above all scores.
    edges: Vec<i32>,
    /// For each of them, the samples of each group from there on.
    reported: Vec<Vec<ClassCounts>>,
}

impl LeftOutScores {
    /// The scores of these samples. Too many groups are taken together.
    #[must_use]
    pub fn of(scored: &[Scored]) -> Self {
        let (block_of, _, count) = blocks(scored);
        let mut groups = vec![BTreeMap::<i32, ClassCounts>::new(); count];
        for (sample, block) in scored.iter().zip(block_of) {
            let bin = bin_of(sample.score.get());
            groups[usize::from(block)]
                .entry(bin)
                .or_default()
                .add(sample.label, sample.count);
        }
        let listed = |bins: BTreeMap<i32, ClassCounts>| {
            bins.into_iter()
                .map(|(bin, counts)| (bin, counts.normal, counts.anomalous))
                .collect()
        };
        Self {
            groups: groups.into_iter().map(listed).collect(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether they can have come out of [`of`](Self::of).
    pub(crate) fn is_possible(&self) -> bool {
        let samples =
            |&(_, normal, anomalous): &(i32, u64, u64)| normal.checked_add(anomalous).filter(|&count| count > 0);
        let total = self
            .groups
            .iter()
            .flatten()
            .try_fold(0_u64, |sum, bin| sum.checked_add(samples(bin)?));
        total.is_some_and(|total| total <= crate::data::label::MAX_SAMPLES)
            && self.groups.len() <= crate::evaluate::metrics::BLOCKS
            && self.groups.iter().all(|bins| {
                !bins.is_empty()
                    && bins.is_sorted_by(|a, b| a.0 < b.0)
                    && bins.iter().all(|&(bin, ..)| (-LAST_BIN..=LAST_BIN).contains(&bin))
            })
    }

    fn totals(&self) -> Vec<ClassCounts> {
        let sum = |bins: &Vec<(i32, u64, u64)>| {
            bins.iter()
                .fold(ClassCounts::default(), |sum, &(_, normal, anomalous)| {
                    sum.plus(ClassCounts { normal, anomalous })
                })
        };
        self.groups.iter().map(sum).collect()
    }

    fn steps(&self) -> Steps {
        let mut bins: Vec<(i32, usize, ClassCounts)> = Vec::new();
        for (group, of_group) in self.groups.iter().enumerate() {
            bins.extend(
                of_group
                    .iter()
                    .map(|&(bin, normal, anomalous)| (bin, group, ClassCounts { normal, anomalous })),
            );
        }
        bins.sort_unstable_by_key(|&(bin, group, _)| (std::cmp::Reverse(bin), group));
        let mut reached = vec![ClassCounts::default(); self.groups.len()];
        let above = bins.first().map_or(0, |&(bin, ..)| bin + 1);
        let mut steps = Steps {
            edges: vec![above],
            reported: vec![reached.clone()],
        };
        for same in bins.chunk_by(|a, b| a.0 == b.0) {
            for &(_, group, counts) in same {
                reached[group] = reached[group].plus(counts);
            }
            steps.edges.push(same[0].0);
            steps.reported.push(reached.clone());
        }
        steps
    }

    /// The threshold that does what is wished for. Where anomalous samples are rarer or more frequent than among these by the factor
    /// `weight` of their odds, precision and F1 are those there.
    ///
    /// # Errors
    ///
    /// If there is nothing to choose on, or no threshold does it with enough certainty.
    pub fn threshold(&self, wish: Wish, weight: f64) -> Result<OpenUnitInterval, WishError> {
        let (all, steps) = (self.totals(), self.steps());
        steps.place(&all, wish, weight).map(|place| steps.threshold(place))
    }

    /// The same with what it does on groups that it was not chosen on, which takes as many choices as there are groups.
    ///
    /// # Errors
    ///
    /// As for [`threshold`](Self::threshold).
    pub fn choose(&self, wish: Wish, weight: f64) -> Result<Chosen, WishError> {
        let (all, steps) = (self.totals(), self.steps());
        let place = steps.place(&all, wish, weight)?;
        // Without a threshold for the others, the group is judged by that for all: the next best thing to say.
        let nested: Vec<(ClassCounts, ClassCounts)> = (0..all.len())
            .map(|group| {
                let place = steps.choose(&all, wish, weight, Some(group)).unwrap_or(place);
                (steps.reported[place][group], all[group])
            })
            .collect();
        let spread = |of: &dyn Fn(ClassCounts) -> u64| {
            let shares = nested.iter().filter(|(_, all)| of(*all) > 0);
            Spread::of(
                shares
                    .map(|(reported, all)| of(*reported) as f64 / of(*all) as f64)
                    .collect(),
            )
        };
        let reported = nested
            .iter()
            .fold(ClassCounts::default(), |sum, (reported, _)| sum.plus(*reported));
        let found = weight * reported.anomalous as f64;
        Ok(Chosen {
            wish,
            threshold: steps.threshold(place),
            false_alarms: spread(&|counts| counts.normal),
            recall: spread(&|counts| counts.anomalous),
            precision: (reported.total() > 0).then(|| found / (found + reported.normal as f64)),
        })
    }
}

impl Steps {
    /// The place of the edge that does what is wished for on all groups.
    fn place(&self, all: &[ClassCounts], wish: Wish, weight: f64) -> Result<usize, WishError> {
        let sum = all.iter().fold(ClassCounts::default(), |sum, &group| sum.plus(group));
        if all.len() < 2 || sum.normal == 0 || sum.anomalous == 0 {
            return Err(WishError::NothingLeftOut(wish));
        }
        self.choose(all, wish, weight, None).ok_or(WishError::OutOfReach {
            wish,
            groups: all.len(),
            samples: sum.total(),
        })
    }

    /// The place of the edge that does what is wished for on all groups but `without`.
    fn choose(&self, all: &[ClassCounts], wish: Wish, weight: f64, without: Option<usize>) -> Option<usize> {
        let at = |place: usize| Reported {
            reported: &self.reported[place],
            all,
            without,
        };
        // Student's t is the same for all thresholds, as the groups are; two of these are the least to tell anything.
        let t = |share: Share| {
            let groups = at(0)
                .groups()
                .filter(|&(reported, all)| share(reported, all).1 > 0)
                .count();
            (groups > 1).then(|| t_quantile(CERTAINTY, groups as f64 - 1.0))
        };
        let mut places = 0..self.edges.len();
        match wish {
            Wish::F1 => {
                let f1: Vec<f64> = places.map(|place| at(place).f1(weight)).collect();
                // Of several, the highest.
                (0..f1.len()).rev().max_by(|&one, &other| f1[one].total_cmp(&f1[other]))
            }
            Wish::FalseAlarms(share) => {
                let t = t(FALSE_ALARMS)?;
                places
                    .take_while(|&place| at(place).at_most(FALSE_ALARMS, t) <= share.get())
                    .last()
            }
            Wish::Recall(share) => {
                let t = t(MISSED)?;
                places.find(|&place| at(place).at_most(MISSED, t) <= 1.0 - share.get())
            }
            Wish::Precision(share) => {
                let t = t(SAMPLES)?;
                let keeps = |least: f64| least >= share.get();
                places
                    .rev()
                    .find(|&place| at(place).precision_at_least(weight, t).is_some_and(keeps))
            }
        }
    }

    /// The threshold at an edge.
    fn threshold(&self, place: usize) -> OpenUnitInterval {
        edge_between(self.edges.get(place + 1).copied(), self.edges[place])
    }
}

/// The threshold from which on scores in the bin `edge` are reported and those in `below`, the next one that holds any, are not; with as few digits as lie
/// between them.
pub(crate) fn edge_between(below: Option<i32>, edge: i32) -> OpenUnitInterval {
    let share = |bin: i32| 1.0 / (1.0 + libm::exp(-f64::from(bin) / BINS));
    let high = share(edge);
    let low = below.map_or(0.0, |below| share(below + 1));
    let with = |digits: i32| {
        let scale = libm::pow(10.0, f64::from(digits));
        OpenUnitInterval::try_from((high * scale).floor() / scale)
            .ok()
            .filter(|at| low <= at.get())
    };
    let shortest = (2..17).find_map(with).or_else(|| OpenUnitInterval::try_from(high).ok());
    shortest.unwrap_or(OpenUnitInterval::literal(1.0 - f64::EPSILON))
}

/// The bin of a score.
pub(crate) fn bin_of(score: f64) -> i32 {
    let log_odds = libm::log(score) - libm::log1p(-score);
    let bin = (log_odds * BINS)
        .floor()
        .clamp(f64::from(-LAST_BIN), f64::from(LAST_BIN - 1));
    bin as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::UnitInterval;
    use crate::data::label::Label;

    fn said(score: f64, label: Label, count: u64, group: u32) -> Scored {
        Scored {
            score: UnitInterval::try_from(score).unwrap(),
            label,
            count,
            group: Some(group),
        }
    }

    /// Ten groups of 1,000 normal samples at .1 and 20 anomalous ones at .9; in group g, 2 g normal ones score .6.
    fn ten_groups() -> Vec<Scored> {
        let group = |group: u32| {
            [
                said(0.1, Label::Normal, 1000 - 2 * u64::from(group), group),
                said(0.6, Label::Normal, 2 * u64::from(group), group),
                said(0.9, Label::Anomalous, 15, group),
                said(0.4, Label::Anomalous, 5, group),
            ]
        };
        (0..10).flat_map(group).filter(|said| said.count > 0).collect()
    }

    fn choose(wish: &str) -> Result<Chosen, WishError> {
        LeftOutScores::of(&ten_groups()).choose(wish.parse().unwrap(), 1.0)
    }

    #[test]
    fn false_alarms_are_kept_with_room_for_how_groups_vary() {
        // At .6 the rates are 0, .002, ... .018: mean .009, and t(.9, 9) = 1.3830 times .00606 / sqrt 10 more: .01165.
        let reports_60 = |chosen: &Chosen| chosen.threshold.get() <= 0.6;
        assert!(!reports_60(&choose("false-alarms=0.0116").unwrap()));
        let chosen = choose("false-alarms=0.0117").unwrap();
        assert!(reports_60(&chosen) && chosen.threshold.get() > 0.11, "{chosen:?}");
        // Without group 0 the others have more, so it is judged by the threshold above .6; so are the next ones.
        assert!(chosen.false_alarms.unwrap().mean <= 0.009, "{chosen:?}");
        let recall = chosen.recall.unwrap();
        assert_eq!((recall.groups, recall.least, recall.most), (10, 0.75, 1.0));
    }

    #[test]
    fn recall_precision_and_f1_are_wished_for_too() {
        let all_alike = choose("recall=0.7").unwrap();
        assert!((0.6..=0.9).contains(&all_alike.threshold.get()), "{all_alike:?}");
        // Chance leaves room for missing 28.6 % of 200.
        assert!(choose("recall=0.72").unwrap().threshold.get() < 0.4);
        let precise = choose("precision=0.9").unwrap();
        assert!((0.6..=0.9).contains(&precise.threshold.get()), "{precise:?}");
        // F1: 300 / (300 + 50) above .6, 300 / 440 at .6, 400 / 490 from .4 on.
        let best = choose("f1").unwrap();
        assert!(
            (0.6..=0.9).contains(&best.threshold.get()) && best.precision == Some(1.0),
            "{best:?}"
        );
    }

    #[test]
    fn what_cannot_be_relied_on_is_not_promised() {
        assert!(matches!(
            choose("recall=0.999"),
            Err(WishError::OutOfReach { groups: 10, .. })
        ));
        let few = LeftOutScores::of(&[
            said(0.1, Label::Normal, 30, 0),
            said(0.9, Label::Anomalous, 30, 1),
            said(0.1, Label::Normal, 1, 1),
        ]);
        assert!(matches!(
            few.choose("false-alarms=0.01".parse().unwrap(), 1.0),
            Err(WishError::OutOfReach { .. })
        ));
        let none = LeftOutScores::default();
        assert!(matches!(none.choose(Wish::F1, 1.0), Err(WishError::NothingLeftOut(_))));
    }

    #[test]
    fn a_threshold_has_as_few_digits_as_do_what_it_does() {
        assert_eq!(choose("recall=0.7").unwrap().threshold.get(), 0.89);
    }

    #[test]
    fn wishes_are_read_as_they_are_written() {
        for text in ["f1", "recall=0.95", "precision=0.9", "false-alarms=0.01"] {
            assert_eq!(text.parse::<Wish>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "f1=0.5",
            "recall",
            "recall=0",
            "recall=1.5",
            "precision=NaN",
            "alarms=0.1",
            "half",
        ] {
            assert!(text.parse::<Threshold>().is_err(), "{text}");
        }
        assert!("1.5".parse::<Threshold>().unwrap_err().contains("got 1.5"));
    }
}
