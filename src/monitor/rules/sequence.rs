//! The sequence rule: how rare the latest actions of an agent are among those of all agents.

use crate::monitor::alert::{AlertEvidence, Finding, Kind};
use crate::monitor::settings::Settings;
use foldhash::fast::RandomState;
use std::collections::{HashMap, VecDeque};

/// The latest n-grams of all agents, by fingerprint. Two n-grams share one with probability 2^-64.
#[derive(Debug, Clone)]
pub(crate) struct NgramWindow {
    /// How many n-grams there have been.
    pub(crate) pushed: u64,
    order: VecDeque<u64>,
    counts: HashMap<u64, u32, RandomState>,
    most: usize,
}

/// What the rule finds of an n-gram that stands in the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rarity {
    /// How often the n-gram stands in the window.
    pub(crate) count: u32,
    /// N-grams in the window.
    pub(crate) total: usize,
    /// Distinct n-grams in the window.
    pub(crate) distinct: usize,
    /// Smoothed probability of the n-gram.
    pub(crate) probability: f64,
    /// The smallest that a probability could be.
    pub(crate) smallest: f64,
    /// 0..1.
    pub(crate) score: f64,
}

impl NgramWindow {
    /// A window over the latest `most` n-grams.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            order: VecDeque::new(),
            counts: HashMap::default(),
            pushed: 0,
            most: most as usize,
        }
    }

    /// Adds an n-gram; if the window is full the oldest leaves first.
    pub(crate) fn push(&mut self, ngram: u64) {
        self.pushed += 1;
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
            && let Some(count) = self.counts.get_mut(&oldest)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&oldest);
            }
        }
        self.order.push_back(ngram);
        *self.counts.entry(ngram).or_insert(0) += 1;
    }

    /// How rare an n-gram is, with `smoothing` added to the count of each.
    pub(crate) fn rarity(&self, ngram: u64, smoothing: f64) -> Rarity {
        let count = self.counts.get(&ngram).copied().unwrap_or(0);
        let (total, distinct) = (self.order.len(), self.counts.len());
        let (n, v) = (total as f64, distinct.max(1) as f64);
        let probability = (f64::from(count) + smoothing) / (n + smoothing * v);
        // That of an n-gram that is not in the window, if there were one more.
        let smallest = smoothing / (n + smoothing * (v + 1.0));
        let least = libm::log(smallest);
        let share = if least == 0.0 {
            0.0
        } else {
            (libm::log(probability) / least).min(1.0)
        };
        let score = if count < 2 { (share + 0.1).min(1.0) } else { share };
        Rarity {
            count,
            total,
            distinct,
            probability,
            smallest,
            score,
        }
    }

    /// The n-grams, oldest first.
    pub(crate) fn ngrams(&self) -> impl ExactSizeIterator<Item = u64> {
        self.order.iter().copied()
    }
}

/// Whether an n-gram, which stands in the window already, is rare in it. `actions` names its actions.
pub(crate) fn check(
    window: &NgramWindow,
    ngram: u64,
    actions: impl Fn() -> Vec<String>,
    settings: &Settings,
) -> Option<Finding> {
    let rarity = window.rarity(ngram, settings.smoothing.get());
    let threshold = settings.sequence_threshold.get();
    (rarity.score >= threshold).then(|| Finding {
        kind: Kind::Sequence,
        score: rarity.score,
        threshold,
        evidence: AlertEvidence::Sequence {
            ngram: actions(),
            count: rarity.count,
            total: rarity.total,
            distinct: rarity.distinct,
            probability: rarity.probability,
            smallest_probability: rarity.smallest,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rarity_is_what_a_hand_works_out() {
        let mut window = NgramWindow::new(4);
        for ngram in [9, 1, 1, 1, 2] {
            window.push(ngram);
        }
        // The 9 has left: 1 three times, 2 once; N = 4, V = 2. p = (1+1)/(4+2) = 1/3, smallest = 1/(4+3) = 1/7,
        // ln 3 / ln 7 = 0.564575034...; 2 was seen once, so 0.1 more.
        let rarity = window.rarity(2, 1.0);
        assert_eq!((rarity.count, rarity.total, rarity.distinct), (1, 4, 2));
        assert!((rarity.score - 0.664_575_034_053_579_7).abs() < 1e-12, "{rarity:?}");
        // p = 4/6: ln 1.5 / ln 7 = 0.208367846...
        assert!((window.rarity(1, 1.0).score - 0.208_367_846_945_557_4).abs() < 1e-12);
    }
}
