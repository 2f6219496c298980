//! How often each action occurs in a sequence: which actions a normal sequence has, and how many times.
//!
//! For each action, samples are counted by how often they have it: not at all, 1, 2, 3, 4 times, and beyond that in steps of half a
//! doubling. With n samples, n(a, k) of them in class k, T(a) classes that occur for the action, and b(k) the share of the class over
//! all actions, P(a, k) = (n(a, k) + T(a) b(k)) / (n + T(a)).

/// Classes that can be told apart: up to 100,000 times.
pub(crate) const CLASSES: usize = 35;

/// Of so many classes, the commonest, surprises are kept.
const FEW: usize = 4;

/// The class of an action that occurs `times` times: 4 · 2^(k/2) times is the most of class 4 + k.
pub(crate) fn class(times: u64) -> usize {
    if times <= 4 {
        return times as usize;
    }
    // The smallest k with times² ≤ 16 · 2^k.
    let squared = u128::from(times) * u128::from(times);
    let doublings = squared.div_ceil(16).next_power_of_two().trailing_zeros() as usize;
    (4 + doublings).min(CLASSES - 1)
}

/// The fewest times that are in `class`.
pub(crate) fn least_times(class: usize) -> u64 {
    match class {
        ..=4 => class as u64,
        _ => (16_u64 << (class - 5)).isqrt() + 1,
    }
}

/// How often each action occurs in samples.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActionCounts {
    /// How many samples there are.
    samples: u64,
    /// How many times each of them counts.
    scale: f64,
    /// For each action, the classes other than 0 in which there are samples, ascending, and how many.
    classes: Vec<Vec<(u8, u64)>>,
    /// The share of the classes from each one on, over all actions.
    from_class: Vec<f64>,
    /// For each action, the surprise in bits of a sequence without it.
    absent: Vec<f64>,
    /// The sum of these.
    all_absent: f64,
    /// For each action, the surprise in bits of a sequence that has it as often as each of the first classes says, or more often.
    few_times: Vec<[f64; FEW]>,
}

impl ActionCounts {
    /// For each of the actions, samples by class, the absent ones left out.
    pub(crate) fn new(samples: u64, classes: Vec<Vec<(u8, u64)>>) -> Self {
        Self::scaled(samples, 1.0, classes)
    }

    /// The same where each sample counts `scale` times.
    fn scaled(samples: u64, scale: f64, classes: Vec<Vec<(u8, u64)>>) -> Self {
        let mut counts = Self {
            samples,
            scale,
            classes,
            ..Self::default()
        };
        let mut pooled = [0_u128; CLASSES];
        // What no sample has is no known action.
        for action in (0..counts.classes.len()).filter(|&action| !counts.classes[action].is_empty()) {
            pooled[0] += u128::from(counts.without(action));
            for &(class, count) in &counts.classes[action] {
                pooled[usize::from(class)] += u128::from(count);
            }
        }
        let total = pooled.iter().sum::<u128>() as f64 * scale;
        let kinds = pooled.iter().filter(|&&count| count > 0).count() as f64;
        let mut from_class = vec![0.0; CLASSES + 1];
        for class in (0..CLASSES).rev() {
            let share = (pooled[class] as f64 * scale + kinds / CLASSES as f64) / (total + kinds);
            from_class[class] = from_class[class + 1] + share;
        }
        counts.from_class = from_class;
        counts.absent = (0..counts.classes.len())
            .map(|action| match counts.classes[action].is_empty() {
                true => 0.0,
                false => -libm::log2(counts.probability_absent(action)),
            })
            .collect();
        counts.all_absent = counts.absent.iter().sum();
        let few = |action: u32| std::array::from_fn(|class| -libm::log2(counts.probability_of(action, class + 1)));
        let few_times = (0..counts.classes.len() as u32).map(few).collect();
        counts.few_times = few_times;
        counts
    }

    /// As how many so many samples count.
    fn often(&self, samples: u64) -> f64 {
        samples as f64 * self.scale
    }

    /// How many samples are without an action.
    fn without(&self, action: usize) -> u64 {
        self.samples - self.with(action as u32)
    }

    /// How many samples have an action.
    pub(crate) fn with(&self, action: u32) -> u64 {
        self.classes[action as usize].iter().map(|&(_, count)| count).sum()
    }

    /// For each action, samples by class.
    pub(crate) fn classes(&self) -> &[Vec<(u8, u64)>] {
        &self.classes
    }

    /// How many classes occur for an action.
    fn kinds(&self, action: usize) -> f64 {
        (self.classes[action].len() + usize::from(self.without(action) > 0)) as f64
    }

    fn probability_absent(&self, action: usize) -> f64 {
        let kinds = self.kinds(action);
        let share = self.from_class[0] - self.from_class[1];
        (self.often(self.without(action)) + kinds * share) / (self.often(self.samples) + kinds)
    }

    /// The probability that a normal sequence has the action, known or not, as often as `class` says or more often.
    fn probability_of(&self, action: u32, class: usize) -> f64 {
        let pooled = self.from_class[class];
        match self.classes.get(action as usize) {
            None => pooled / (self.often(self.samples) + 1.0),
            Some(classes) => {
                let beyond = classes.iter().filter(|&&(other, _)| usize::from(other) >= class);
                let count: u64 = beyond.map(|&(_, count)| count).sum();
                let kinds = self.kinds(action as usize);
                (self.often(count) + kinds * pooled) / (self.often(self.samples) + kinds)
            }
        }
    }

    /// The surprise, in bits, that a sequence has the action, known or not, that often or more often; `times` is at least 1.
    pub(crate) fn surprise(&self, action: u32, times: u64) -> f64 {
        let class = class(times);
        match self.few_times.get(action as usize) {
            Some(few) if class <= FEW => few[class - 1],
            _ => -libm::log2(self.probability_of(action, class)),
        }
    }

    /// The surprise, in bits, that a sequence is without a known action.
    pub(crate) fn surprise_of_absence(&self, action: u32) -> f64 {
        self.absent[action as usize]
    }

    /// The surprise, in bits, that a sequence is without any known action.
    pub(crate) fn surprise_of_nothing(&self) -> f64 {
        self.all_absent
    }

    /// Without the samples `own`, which are among these, by action and class; the others count for as many as there were.
    pub(crate) fn without_samples(&self, samples: u64, own: &[Vec<(u8, u64)>]) -> Self {
        let left = |all: &Vec<(u8, u64)>, own: &Vec<(u8, u64)>| {
            all.iter()
                .map(|&(class, count)| {
                    let own = own.iter().find(|&&(other, _)| other == class);
                    (class, count - own.map_or(0, |&(_, count)| count))
                })
                .filter(|&(_, count)| count > 0)
                .collect()
        };
        let classes = self.classes.iter().zip(own).map(|(all, own)| left(all, own)).collect();
        let left = self.samples - samples;
        Self::scaled(left, self.samples as f64 / left as f64, classes)
    }
}

/// Counts samples by action and class.
#[derive(Debug, Clone)]
pub(crate) struct ClassCounter {
    samples: u64,
    classes: Vec<Vec<(u8, u64)>>,
}

impl ClassCounter {
    /// Over this many actions.
    pub(crate) fn new(actions: usize) -> Self {
        Self {
            samples: 0,
            classes: vec![Vec::new(); actions],
        }
    }

    /// Counts `count` samples that have each of these actions so often.
    pub(crate) fn add(&mut self, actions: impl IntoIterator<Item = (u32, u64)>, count: u64) {
        self.samples += count;
        for (action, times) in actions {
            let class = class(times) as u8;
            let classes = &mut self.classes[action as usize];
            match classes.binary_search_by_key(&class, |&(class, _)| class) {
                Ok(place) => classes[place].1 += count,
                Err(place) => classes.insert(place, (class, count)),
            }
        }
    }

    /// What was counted.
    pub(crate) fn finish(self) -> ActionCounts {
        ActionCounts::new(self.samples, self.classes)
    }

    /// All samples of `all` but those that were counted here.
    pub(crate) fn left_of(self, all: &ActionCounts) -> ActionCounts {
        all.without_samples(self.samples, &self.classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_single_counts_and_then_steps_of_half_a_doubling() {
        let classes: Vec<usize> = [0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 16, 17, 100_000]
            .into_iter()
            .map(class)
            .collect();
        assert_eq!(classes, [0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 34]);
        assert_eq!(class(u64::MAX), CLASSES - 1);
        for of in 1..CLASSES {
            assert_eq!((class(least_times(of)), class(least_times(of) - 1)), (of, of - 1));
        }
    }

    #[test]
    fn probabilities_are_those_that_a_hand_works_out() {
        // Ten samples: action 0 once in eight of them and three times in two; action 1 once in five.
        let mut counter = ClassCounter::new(2);
        counter.add([(0, 1)], 4);
        counter.add([(0, 1), (1, 1)], 4);
        counter.add([(0, 3), (1, 1)], 1);
        counter.add([(0, 3)], 1);
        let counts = counter.finish();
        // Pooled over 20: absent 5, once 13, three times 2: three kinds.
        let share = |count: f64| (count + 3.0 / CLASSES as f64) / 23.0;
        let rest = 3.0 / CLASSES as f64 / 23.0;
        let three_or_more = share(2.0) + (CLASSES - 4) as f64 * rest;
        let once_or_more = share(13.0) + rest + three_or_more;
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a} {b}");
        // Action 0 has two kinds, action 1 too.
        close(counts.probability_of(0, 3), (2.0 + 2.0 * three_or_more) / 12.0);
        close(counts.probability_of(0, 1), (10.0 + 2.0 * once_or_more) / 12.0);
        close(counts.probability_of(1, 1), (5.0 + 2.0 * once_or_more) / 12.0);
        close(counts.probability_of(7, 3), three_or_more / 11.0);
        close(counts.surprise_of_absence(1), -((5.0 + 2.0 * share(5.0)) / 12.0).log2());
        close(counts.surprise_of_absence(0), -(2.0 * share(5.0) / 12.0).log2());
        close(
            counts.surprise_of_nothing(),
            counts.surprise_of_absence(0) + counts.surprise_of_absence(1),
        );
    }

    #[test]
    fn leaving_samples_out_is_as_if_the_others_had_come_more_often() {
        let mut all = ClassCounter::new(3);
        all.add([(0, 1)], 4);
        all.add([(0, 5), (2, 1)], 4);
        let mut own = ClassCounter::new(3);
        own.add([(0, 5), (2, 1)], 4);
        let left = own.left_of(&all.finish());
        let mut twice = ClassCounter::new(3);
        twice.add([(0, 1)], 8);
        let twice = twice.finish();
        for (action, times) in [(0, 1), (0, 3), (2, 1), (7, 2)] {
            assert_eq!(left.surprise(action, times), twice.surprise(action, times));
        }
        assert_eq!(left.surprise_of_nothing(), twice.surprise_of_nothing());
    }
}
