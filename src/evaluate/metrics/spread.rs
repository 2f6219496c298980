//! How figures vary from one group to the next.

use super::{Confusion, Scored};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a share varies over groups.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// How many groups have the share.
    pub groups: u64,
    /// The mean over groups.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub mean: f64,
    /// That of the group with the least.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub least: f64,
    /// One in ten groups has at most this.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub tenth: f64,
    /// Half of the groups have at most this.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub median: f64,
    /// Nine in ten groups have at most this.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub ninetieth: f64,
    /// That of the group with the most.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub most: f64,
}

impl Spread {
    /// Of the shares of groups; `None` without any.
    pub(crate) fn of(mut shares: Vec<f64>) -> Option<Self> {
        shares.sort_unstable_by(f64::total_cmp);
        let count = shares.len();
        let (&least, &most) = (shares.first()?, shares.last()?);
        // The smallest share that so many groups do not exceed.
        let quantile = |part: f64| shares[((part * count as f64).ceil() as usize).clamp(1, count) - 1];
        Some(Self {
            groups: count as u64,
            mean: (shares.iter().sum::<f64>() / count as f64).clamp(least, most),
            least,
            tenth: quantile(0.1),
            median: quantile(0.5),
            ninetieth: quantile(0.9),
            most,
        })
    }

    /// Whether it can be that of shares.
    pub(super) fn is_possible(&self) -> bool {
        let ascending = [0.0, self.least, self.tenth, self.median, self.ninetieth, self.most, 1.0];
        self.groups > 0 && ascending.is_sorted() && (self.least..=self.most).contains(&self.mean)
    }
}

/// The decisions `score >= threshold` in each group, by the number of the group.
fn group_confusions(scored: &[Scored], threshold: f64) -> BTreeMap<u32, Confusion> {
    let mut groups: BTreeMap<u32, Vec<Scored>> = BTreeMap::new();
    for sample in scored {
        if let Some(group) = sample.group {
            groups.entry(group).or_default().push(*sample);
        }
    }
    groups
        .into_iter()
        .map(|(group, scored)| (group, Confusion::at(&scored, threshold)))
        .collect()
}

/// The figures whose spread is told.
pub(super) const SPREAD: [&str; 4] = ["precision", "recall", "accuracy", "false_alarm_rate"];

/// How these vary over groups, by name.
pub(super) fn spreads(scored: &[Scored], threshold: f64) -> BTreeMap<String, Spread> {
    let groups = group_confusions(scored, threshold);
    let figures = [
        Confusion::precision,
        Confusion::recall,
        Confusion::accuracy,
        Confusion::false_alarm_rate,
    ];
    let spread = |figure: fn(&Confusion) -> Option<f64>| Spread::of(groups.values().filter_map(figure).collect());
    let named = SPREAD.into_iter().zip(figures);
    named
        .filter_map(|(name, figure)| Some((name.to_owned(), spread(figure)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_says_what_so_many_groups_do_not_exceed() {
        let spread = Spread::of((1..=20).rev().map(|share| f64::from(share) / 20.0).collect()).unwrap();
        assert_eq!((spread.groups, spread.least, spread.most), (20, 0.05, 1.0));
        assert!((spread.mean - 0.525).abs() < 1e-12);
        assert_eq!((spread.tenth, spread.median, spread.ninetieth), (0.1, 0.5, 0.9));
        assert_eq!(Spread::of(Vec::new()), None);
        assert!(spread.is_possible() && !Spread { tenth: 0.6, ..spread }.is_possible());
    }
}
