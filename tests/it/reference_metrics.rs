//! The metrics against scikit-learn, torchmetrics and statsmodels; `reference/metrics.py` says how the values were made.

use anomaly_train::metrics::{Interval, Metrics, Scored, wilson};
use anomaly_train::{Label, Unit};
use serde::Deserialize;
use std::collections::BTreeMap;

fn scored(score: f64, label: Label) -> Scored {
    Scored::new(score.try_into().unwrap(), label)
}

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scores: Vec<f64>,
    labels: Vec<u8>,
    bins: u64,
    threshold: f64,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    ece: f64,
    roc_auc: Option<f64>,
    average_precision: Option<f64>,
    brier: f64,
    log_loss: f64,
    f1: Option<f64>,
    precision: Option<[f64; 2]>,
    recall: Option<[f64; 2]>,
    accuracy: Option<[f64; 2]>,
}

fn assert_close(case: &str, figure: &str, got: Option<f64>, expected: Option<f64>) {
    let close = match (got, expected) {
        (Some(got), Some(expected)) => (got - expected).abs() <= 1e-12 * expected.abs().max(1.0),
        (got, expected) => got == expected,
    };
    assert!(close, "{case}: {figure} is {got:?}, expected {expected:?}");
}

#[test]
fn every_figure_equals_that_of_the_independent_libraries() {
    let reference: Reference = serde_json::from_str(include_str!("../reference/metrics.json")).unwrap();
    assert_eq!(reference.cases.len(), 20);
    for case in reference.cases {
        let labels = case
            .labels
            .iter()
            .map(|&label| if label == 1 { Label::Anomalous } else { Label::Normal });
        let scored: Vec<_> = case
            .scores
            .iter()
            .zip(labels)
            .map(|(&score, label)| scored(score, label))
            .collect();
        let metrics = Metrics::compute(
            &scored,
            Unit::Sequence,
            case.threshold.try_into().unwrap(),
            Some(case.bins.try_into().unwrap()),
        );
        let expected = &case.expected;
        for (figure, got, expected) in [
            ("ece", metrics.ece, Some(expected.ece)),
            ("roc_auc", metrics.roc_auc, expected.roc_auc),
            (
                "average_precision",
                metrics.average_precision,
                expected.average_precision,
            ),
            ("brier", metrics.brier, Some(expected.brier)),
            ("log_loss", metrics.log_loss, Some(expected.log_loss)),
            ("f1", metrics.f1, expected.f1),
        ] {
            assert_close(&case.name, figure, got, expected);
        }
        let confusion = metrics.confusion;
        let wilson = |part: u64, whole: u64| (whole > 0).then(|| wilson(part as f64, whole as f64));
        for (figure, got, expected) in [
            (
                "precision",
                wilson(confusion.tp, confusion.tp + confusion.fp),
                expected.precision,
            ),
            ("recall", wilson(confusion.tp, confusion.anomalous()), expected.recall),
            (
                "accuracy",
                wilson(confusion.tp + confusion.tn, confusion.samples()),
                expected.accuracy,
            ),
        ] {
            assert_close(
                &case.name,
                figure,
                got.map(|Interval(low, _)| low),
                expected.map(|ends| ends[0]),
            );
            assert_close(
                &case.name,
                figure,
                got.map(|Interval(_, high)| high),
                expected.map(|ends| ends[1]),
            );
        }
        for (name, value) in metrics.named() {
            assert_eq!(
                value.is_none(),
                metrics.undefined.contains_key(name),
                "{}: {name}",
                case.name
            );
        }
    }
}

#[derive(Deserialize)]
struct Intervals {
    cases: Vec<Grouped>,
}

#[derive(Deserialize)]
struct Grouped {
    name: String,
    rows: Vec<(f64, u8, u32)>,
    expected: BTreeMap<String, Uncertainty>,
}

#[derive(Deserialize)]
struct Uncertainty {
    interval: [f64; 2],
    effective_groups: f64,
}

#[test]
fn every_interval_equals_that_of_the_independent_libraries() {
    let reference: Intervals = serde_json::from_str(include_str!("../reference/intervals.json")).unwrap();
    assert_eq!(reference.cases.len(), 6);
    for Grouped { name, rows, expected } in &reference.cases {
        let said = |&(score, label, group): &(f64, u8, u32)| {
            let label = if label == 1 { Label::Anomalous } else { Label::Normal };
            Scored {
                group: Some(group),
                ..scored(score, label)
            }
        };
        let scored: Vec<Scored> = rows.iter().map(said).collect();
        let metrics = Metrics::compute(
            &scored,
            Unit::Group,
            0.3.try_into().unwrap(),
            Some(10.try_into().unwrap()),
        );
        assert!(
            metrics.intervals.keys().eq(expected.keys()),
            "{name}: {:?}",
            metrics.intervals
        );
        for (figure, expected) in expected {
            let Interval(low, high) = metrics.intervals[figure];
            let got = [low, high, metrics.effective_groups[figure]];
            let wanted = [expected.interval[0], expected.interval[1], expected.effective_groups];
            let close = got
                .iter()
                .zip(wanted)
                .all(|(got, wanted)| (got - wanted).abs() < 1e-9 * wanted.max(1.0));
            assert!(close, "{name}: {figure} {got:?}, expected {wanted:?}");
        }
    }
}

#[test]
fn samples_of_one_group_tell_nothing_of_others() {
    let said = |score, label| Scored {
        group: Some(7),
        ..scored(score, label)
    };
    let samples = [said(0.9, Label::Anomalous), said(0.1, Label::Normal)];
    let metrics = Metrics::compute(
        &samples,
        Unit::Group,
        0.5.try_into().unwrap(),
        Some(10.try_into().unwrap()),
    );
    assert_eq!(metrics.groups, 1);
    assert_eq!(metrics.intervals["accuracy"], Interval(0.0, 1.0));
    assert_eq!(metrics.ece_at_most, Some(1.0));
}

#[test]
fn precision_and_recall_are_not_swapped() {
    use Label::{Anomalous, Normal};
    // Three of four reported are anomalous; three of five anomalous are reported.
    let samples = [
        scored(0.9, Anomalous),
        scored(0.8, Anomalous),
        scored(0.7, Anomalous),
        scored(0.6, Normal),
        scored(0.2, Anomalous),
        scored(0.1, Anomalous),
        scored(0.1, Normal),
    ];
    let metrics = Metrics::compute(
        &samples,
        Unit::Sequence,
        0.5.try_into().unwrap(),
        Some(10.try_into().unwrap()),
    );
    assert_eq!((metrics.precision, metrics.recall), (Some(0.75), Some(0.6)));
    let confusion = metrics.confusion;
    assert_eq!((confusion.tp, confusion.fp, confusion.fn_, confusion.tn), (3, 1, 2, 1));
}

#[test]
fn without_samples_every_figure_is_undefined_and_says_why() {
    let metrics = Metrics::compute(
        &[],
        Unit::Sequence,
        0.5.try_into().unwrap(),
        Some(10.try_into().unwrap()),
    );
    assert!(metrics.named().iter().all(|(_, value)| value.is_none()));
    assert!(metrics.undefined.values().all(|reason| reason == "there is no sample"));
    let json = serde_json::to_value(&metrics).unwrap();
    assert!(json["ece"].is_null() && json["intervals"]["accuracy"].is_null());
}
