//! Whether intervals hold: simulated tasks whose figures are known.

use anomaly_train::metrics::{Interval, Metrics, Scored, wilson};
use anomaly_train::{Label, Unit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const FIGURES: [&str; 7] = [
    "precision",
    "recall",
    "accuracy",
    "f1",
    "roc_auc",
    "average_precision",
    "false_alarm_rate",
];

/// A normal variable, near enough: the sum of twelve uniform ones.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// Samples of tasks that differ in how hard they are, how frequent anomalies are and how large they are.
fn tasks(count: u32, rng: &mut ChaCha8Rng) -> Vec<Scored> {
    let probability = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
    let mut scored = Vec::new();
    for task in 0..count {
        let (base_rate, shift) = (probability(-1.6 + 0.8 * normal(rng)), 0.5 * normal(rng));
        let difference = 2.0 + 0.6 * normal(rng);
        for _ in 0..rng.random_range(25..75) {
            let anomalous = rng.random::<f64>() < base_rate;
            let score = probability(shift - 2.2 + difference * f64::from(u8::from(anomalous)) + normal(rng));
            let label = if anomalous { Label::Anomalous } else { Label::Normal };
            scored.push(Scored {
                group: Some(task),
                ..Scored::new(score.try_into().unwrap(), label)
            });
        }
    }
    scored
}

fn judge(scored: &[Scored]) -> Metrics {
    Metrics::compute(
        scored,
        Unit::Group,
        0.3.try_into().unwrap(),
        Some(10.try_into().unwrap()),
    )
}

#[test]
fn intervals_over_tasks_hold_the_figures_of_all_tasks_in_92_of_100_cases_and_those_over_samples_do_not() {
    const SETS: u32 = 300;
    let mut rng = ChaCha8Rng::seed_from_u64(20_261_127);
    let truth = judge(&tasks(20_000, &mut rng));
    let truth = |name: &str| {
        truth
            .named()
            .into_iter()
            .find(|(other, _)| *other == name)
            .unwrap()
            .1
            .unwrap()
    };
    for groups in [10, 20, 50] {
        let (mut held, mut over_samples) = ([0; FIGURES.len()], 0);
        for _ in 0..SETS {
            let metrics = judge(&tasks(groups, &mut rng));
            for (held, name) in held.iter_mut().zip(FIGURES) {
                let Interval(low, high) = metrics.intervals[name];
                *held += u32::from((low..=high).contains(&truth(name)));
            }
            let confusion = metrics.confusion;
            let Interval(low, high) = wilson(confusion.fp as f64, confusion.normal() as f64);
            over_samples += u32::from((low..=high).contains(&truth("false_alarm_rate")));
        }
        let percent = |held: u32| 100 * held / SETS;
        let by_name: Vec<(&str, u32)> = FIGURES.into_iter().zip(held.map(percent)).collect();
        println!(
            "{groups} tasks: {by_name:?}; over samples, false alarms: {}",
            percent(over_samples)
        );
        assert!(
            by_name.iter().all(|&(_, percent)| percent >= 92),
            "{groups} tasks: {by_name:?}"
        );
        assert!(percent(over_samples) < 75, "{groups} tasks");
    }
}
