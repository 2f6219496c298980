//! The behavioural rule: an agent that does hardly anything but the same.

use crate::entropy;
use crate::monitor::alert::{AlertEvidence, Finding, Kind};
use crate::monitor::names::{Names, OTHER};
use crate::monitor::settings::Settings;

/// Distinct actions of an agent that are counted one by one; further ones are counted together.
const MAX_COUNTS: usize = 1024;

/// How often an agent did what.
#[derive(Debug, Clone, Default)]
pub(crate) struct BehaviorProfile {
    pub(crate) counts: Vec<Count>,
    total: u64,
    largest: u64,
    /// The sum of [`weight`] over all counts.
    weight: u128,
}

/// How often an agent did something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) action: u32,
    pub(crate) count: u64,
}

/// c ln c in units of 2^-20, rounded. Sums of it are exact, so they do not depend on the way there.
fn weight(count: u64) -> u128 {
    let count = count as f64;
    (count * libm::log(count) * f64::from(1 << 20)) as u128
}

impl BehaviorProfile {
    /// Forgets everything, and lets go of the names. Keeps room for at most `kept` counts.
    pub(crate) fn clear(&mut self, names: &mut Names, kept: usize) {
        self.counts.iter().for_each(|count| names.release(count.action));
        self.counts.clear();
        self.counts.shrink_to(kept);
        (self.total, self.largest, self.weight) = (0, 0, 0);
    }

    /// Counts an action.
    pub(crate) fn count(&mut self, action: u32, names: &mut Names) {
        let find = |counts: &[Count], action| counts.iter().position(|count| count.action == action);
        let (action, found) = match find(&self.counts, action) {
            None if self.counts.len() >= MAX_COUNTS && action != OTHER => (OTHER, find(&self.counts, OTHER)),
            found => (action, found),
        };
        let place = found.unwrap_or_else(|| {
            names.retain(action);
            if self.counts.len() == MAX_COUNTS {
                // The last one; no room for as many more is needed.
                self.counts.reserve_exact(1);
            }
            self.counts.push(Count { action, count: 0 });
            self.counts.len() - 1
        });
        let count = self.counts[place].count;
        self.set_count(place, count + 1);
    }

    /// Sets the count at `place`, which may only grow.
    fn set_count(&mut self, place: usize, count: u64) {
        let old = std::mem::replace(&mut self.counts[place].count, count);
        self.weight += weight(count);
        self.weight -= if old > 0 { weight(old) } else { 0 };
        self.total += count - old;
        self.largest = self.largest.max(count);
    }

    /// Takes a count from a saved state. Takes over one reference to the name.
    pub(crate) fn restore(&mut self, action: u32, count: u64) {
        self.counts.push(Count { action, count: 0 });
        self.set_count(self.counts.len() - 1, count);
    }

    /// How many actions there were.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The normalised entropy but for an error far below 1e-3.
    fn rough_entropy(&self) -> f64 {
        if self.counts.len() < 2 {
            return 0.0;
        }
        let log_sum = self.weight as f64 / f64::from(1 << 20);
        entropy::of_log_sum(log_sum, self.total as f64, libm::log) / libm::log(self.counts.len() as f64)
    }

    /// The entropy of the actions as a share of that of as many distinct ones that occur equally often.
    fn entropy(&self) -> f64 {
        if self.counts.len() < 2 {
            return 0.0;
        }
        let counts = self.counts.iter().map(|count| (count.count, 1));
        entropy::of_counts(counts, self.total) / libm::log2(self.counts.len() as f64)
    }
}

/// How many actions of an agent that has done enough are hardly anything but the same: all of them or, roughly, none.
pub(crate) fn alike(profile: &BehaviorProfile, settings: &Settings) -> Option<u64> {
    if profile.total < u64::from(settings.behavioral_actions.get()) {
        return None;
    }
    let concentration = profile.largest as f64 / profile.total as f64;
    // With p the largest share of k actions the normalised entropy is ln(1/p) / ln k at least: no logarithm is needed to see most.
    let limit = settings.behavioral_entropy.get();
    if concentration <= 0.5
        && concentration <= settings.behavioral_concentration.get()
        && limit <= 0.2
        && profile.counts.len() <= 32
    {
        return Some(0);
    }
    let is_alike = concentration > settings.behavioral_concentration.get()
        || profile.rough_entropy() < settings.behavioral_entropy.get();
    Some(if is_alike { profile.total } else { 0 })
}

/// Whether the agent has shown hardly anything but the same, in enough actions.
pub(crate) fn check(profile: &BehaviorProfile, names: &Names, settings: &Settings) -> Option<Finding> {
    if profile.total < u64::from(settings.behavioral_actions.get()) {
        return None;
    }
    let concentration = profile.largest as f64 / profile.total as f64;
    let concentrated = concentration > settings.behavioral_concentration.get();
    let limit = settings.behavioral_entropy.get();
    if !concentrated && profile.rough_entropy() > limit + 1e-3 {
        return None;
    }
    let entropy = profile.entropy();
    if !concentrated && entropy >= limit {
        return None;
    }
    // Of several that are commonest, the one that was first seen.
    let commonest = profile.counts.iter().find(|count| count.count == profile.largest)?;
    let (score, threshold) = (concentration.max(1.0 - entropy), settings.behavioral_threshold.get());
    (score >= threshold).then(|| Finding {
        kind: Kind::Behavioral,
        score,
        threshold,
        evidence: AlertEvidence::Behavioral {
            actions: profile.total,
            distinct: profile.counts.len(),
            most_common: names.text(commonest.action).to_owned(),
            concentration,
            normalized_entropy: entropy,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rough_entropy_is_close_to_the_exact_one_whatever_the_counts() {
        let mut profile = BehaviorProfile::default();
        let mut number: u64 = 3;
        for action in 0..1024 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            profile.restore(action, 1 + (number >> (20 + number % 40)));
            let (rough, exact) = (profile.rough_entropy(), profile.entropy());
            assert!((rough - exact).abs() < 1e-5, "{action}: {rough} {exact}");
        }
    }
}
