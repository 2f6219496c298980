//! What to do about figures that are not as they should be, worked out from the figures themselves.

use crate::data::label::ClassCounts;
use crate::data::profile::Conflicts;
use crate::evaluate::metrics::{Metrics, OperatingPoint, Scored, operating_points};
use crate::model::kind::ModelKind;
use crate::text::quote;

/// What advice on data is based on.
#[derive(Debug, Clone, Copy)]
pub struct DataFindings<'a> {
    /// All samples, of both parts.
    pub samples: ClassCounts,
    /// Different normal sequences that are trained on.
    pub normal_sequences: u64,
    /// Sequences that occur with both labels.
    pub conflicts: Conflicts,
    /// Names of actions that are trained on.
    pub actions: u64,
    /// How many of these stand in one sample only.
    pub actions_seen_once: u64,
    /// Names of actions that differ in next to nothing, see [`confusables`](crate::confusables).
    pub confusables: &'a [[&'a str; 2]],
    /// How many names of actions there are, and how many there would be without their parameters, see
    /// [`names_without_parameters`](crate::names_without_parameters).
    pub names: [u64; 2],
    /// What a model is to learn from.
    pub kind: ModelKind,
}

/// What advice is based on.
#[derive(Debug, Clone, Copy)]
pub struct Diagnostics<'a> {
    /// What the data are like.
    pub data: DataFindings<'a>,
    /// The figures on the validation part.
    pub metrics: &'a Metrics,
    /// Score and label of each validation sample.
    pub scored: &'a [Scored],
    /// Samples of the training part as models score them that were trained without them.
    pub left_out: &'a [Scored],
}

const FEW_SAMPLES: u64 = 1000;
const FEW_PATTERNS: u64 = 5;
const FEW_NAMES: u64 = 20;
const WANTED_RECALL: f64 = 0.95;
const LOW_RECALL: f64 = 0.8;
const LOW_PRECISION: f64 = 0.8;
const LOW_ACCURACY: f64 = 0.85;
const MUCH_BETTER_F1: f64 = 0.05;

/// One sentence for each thing worth doing something about; nothing if all is well.
#[must_use]
pub fn advice(findings: &Diagnostics<'_>) -> Vec<String> {
    let mut advice = data_advice(&findings.data);
    if findings.data.kind == ModelKind::NormalOnly {
        // Its threshold is a promise, and whether that is kept is for the gate to say.
        return advice;
    }
    threshold_advice(findings, &mut advice);
    left_out_advice(findings, &mut advice);
    let metrics = findings.metrics;
    if metrics.accuracy.is_some_and(|accuracy| accuracy < LOW_ACCURACY) {
        advice.push(
            "accuracy is low; check that labels are right and not swapped, that sequences are whole sessions, and that \
             anomalous ones differ from normal ones in their actions or their order; then try more samples"
                .to_owned(),
        );
    }
    advice
}

/// One sentence for each thing about the data that is worth doing something about.
#[must_use]
pub fn data_advice(findings: &DataFindings<'_>) -> Vec<String> {
    let mut advice = Vec::new();
    let samples = findings.samples.total();
    if samples < FEW_SAMPLES {
        advice.push(format!(
            "only {samples} samples; the figures get reliable from about {FEW_SAMPLES} (--num-samples, more --data)"
        ));
    }
    if samples > 0 && findings.kind == ModelKind::Labelled {
        let percent = 100.0 * findings.samples.anomalous as f64 / samples as f64;
        if percent < 20.0 {
            advice.push(format!(
                "only {percent:.1} % of the samples are anomalous; with fewer than 20 % look at recall and average precision \
                 rather than accuracy (--promotion-min-recall), and add anomalous samples if you can"
            ));
        } else if percent > 40.0 {
            advice.push(format!(
                "{percent:.1} % of the samples are anomalous; above 40 % scores will be too high where anomalies are rarer, \
                 which --base-rate corrects where the model is used"
            ));
        }
    }
    if findings.normal_sequences < FEW_PATTERNS {
        advice.push(format!(
            "only {} to learn from; whatever else is normal will look anomalous, so add more \
             varied normal samples",
            match findings.normal_sequences {
                1 => "1 different normal sequence".to_owned(),
                count => format!("{count} different normal sequences"),
            }
        ));
    }
    let Conflicts {
        sequences,
        samples: of_both,
        lost,
    } = findings.conflicts;
    if sequences > 0 {
        let occur = match sequences {
            1 => "1 sequence occurs".to_owned(),
            count => format!("{count} sequences occur"),
        };
        advice.push(format!(
            "{occur} with both labels, in {of_both} samples; no model can get {lost} of these right, which allows an accuracy of \
             {:.4} at best, so check the labels",
            1.0 - lost as f64 / samples as f64
        ));
    }
    let [names, without_parameters] = findings.names;
    if names >= FEW_NAMES && 2 * without_parameters <= names {
        advice.push(format!(
            "{names} action names would be {without_parameters} without the numbers, addresses and UUIDs in them, and a model that has seen \
             one says nothing of the next; --normalize-names puts placeholders in their place"
        ));
    } else if findings.actions >= FEW_NAMES && 2 * findings.actions_seen_once > findings.actions {
        advice.push(format!(
            "{} of {} action names stand in one sample only; names that hold a path, a number or a time say nothing of other \
             sequences, so cut them down to what was done",
            findings.actions_seen_once, findings.actions
        ));
    }
    if let Some([first, second]) = findings.confusables.first() {
        let differ = match findings.confusables.len() {
            1 => "1 action name differs".to_owned(),
            count => format!("{count} action names differ"),
        };
        advice.push(format!(
            "{differ} from another one only in case, blanks or Unicode normalisation, such as {} and {}; they count as \
             different actions, so spell them alike if they are the same",
            quote(first),
            quote(second)
        ));
    }
    advice
}

/// Another threshold, if F1 is much better there on what was left out of training.
fn left_out_advice(findings: &Diagnostics<'_>, advice: &mut Vec<String>) {
    let in_use = findings.metrics.threshold.get();
    let points = operating_points(findings.left_out);
    let f1 = |point: &OperatingPoint| point.confusion.f1().unwrap_or(0.0);
    // Points come with falling thresholds, and the one in use need not be one of them.
    let now = points.iter().take_while(|point| point.threshold >= in_use).last();
    let Some(best) = points.iter().rev().max_by(|a, b| f1(a).total_cmp(&f1(b))) else {
        return;
    };
    let now = now.map_or(0.0, f1);
    if f1(best) - now >= MUCH_BETTER_F1 {
        advice.push(format!(
            "F1 at the threshold is {now:.3} on samples left out of training; --anomaly-threshold {} would bring it to {:.3}",
            best.short_threshold(findings.left_out),
            f1(best)
        ));
    }
}

/// Where the threshold should go, if precision or recall is low.
fn threshold_advice(findings: &Diagnostics<'_>, advice: &mut Vec<String>) {
    let Metrics { precision, recall, .. } = *findings.metrics;
    let in_use = findings.metrics.threshold.get();
    let points = operating_points(findings.scored);
    if let Some(recall) = recall.filter(|&recall| recall < LOW_RECALL) {
        // Points come with falling thresholds: the first that reaches the recall is the most precise way there.
        let better = points.iter().find(|p| p.confusion.recall() >= Some(WANTED_RECALL));
        if let Some(outcome) = better.map(|point| outcome(findings.scored, point)) {
            advice.push(format!("recall is {recall:.3}: anomalies are missed; {outcome}"));
        }
    }
    if let Some(precision) = precision.filter(|&precision| precision < LOW_PRECISION) {
        let alarms = match findings.metrics.confusion.fp {
            1 => "1 false alarm".to_owned(),
            count => format!("{count} false alarms"),
        };
        let better = points
            .iter()
            .take_while(|p| p.threshold > in_use)
            .filter(|p| p.confusion.precision() >= Some(LOW_PRECISION))
            .last();
        let remedy = match better {
            Some(point) => outcome(findings.scored, point),
            None => format!("no higher threshold brings it to {LOW_PRECISION} on this validation part"),
        };
        advice.push(format!("precision is {precision:.3}: {alarms}; {remedy}"));
    }
}

/// What a threshold at `point` would do, with as few digits of it as do the same.
fn outcome(scored: &[Scored], point: &OperatingPoint) -> String {
    format!(
        "--anomaly-threshold {} would reach recall {:.3} at precision {:.3} on this validation part",
        point.short_threshold(scored),
        point.confusion.recall().unwrap_or(0.0),
        point.confusion.precision().unwrap_or(0.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::label::Label::{Anomalous, Normal};
    use crate::data::scored::one;
    use crate::data::unit::Unit;
    use crate::evaluate::metrics::Confusion;

    fn of(samples: ClassCounts) -> DataFindings<'static> {
        DataFindings {
            samples,
            normal_sequences: 100,
            conflicts: Conflicts::default(),
            actions: 20,
            actions_seen_once: 10,
            confusables: &[],
            names: [20, 11],
            kind: ModelKind::Labelled,
        }
    }

    #[test]
    fn names_that_are_half_as_many_without_parameters_are_worth_a_word() {
        let advise = |names| data_advice(&DataFindings { names, ..of(BALANCED) });
        assert_eq!(advise([19, 1]), [""; 0]);
        assert!(advise([20, 10])[0].starts_with("20 action names would be 10 without"));
    }

    #[test]
    fn what_stands_against_the_labels_and_the_names_is_counted() {
        let advise = |conflicts, actions_seen_once| {
            data_advice(&DataFindings {
                conflicts,
                actions_seen_once,
                ..of(BALANCED)
            })
        };
        assert_eq!(advise(Conflicts::default(), 10), [""; 0]);
        let conflicts = Conflicts {
            sequences: 3,
            samples: 500,
            lost: 100,
        };
        let advice = advise(conflicts, 11);
        let expected = "3 sequences occur with both labels, in 500 samples; no model can get 100 of these right, \
                        which allows an accuracy of 0.9900 at best";
        assert!(advice[0].starts_with(expected), "{advice:?}");
        assert!(
            advice[1].starts_with("11 of 20 action names stand in one sample only"),
            "{advice:?}"
        );
    }

    fn advise(samples: ClassCounts, scored: &[Scored]) -> String {
        let metrics = Metrics::compute(
            scored,
            Unit::Sequence,
            0.3.try_into().unwrap(),
            Some(10.try_into().unwrap()),
        );
        advice(&Diagnostics {
            data: of(samples),
            metrics: &metrics,
            scored,
            left_out: &[],
        })
        .join("\n")
    }

    #[test]
    fn a_threshold_with_a_much_better_f1_on_what_was_left_out_is_named() {
        let scored = [one(0.1, Normal), one(0.9, Anomalous)];
        let metrics = Metrics::compute(
            &scored,
            Unit::Sequence,
            0.3.try_into().unwrap(),
            Some(10.try_into().unwrap()),
        );
        let advise = |left_out: &[Scored]| {
            advice(&Diagnostics {
                data: of(BALANCED),
                metrics: &metrics,
                scored: &scored,
                left_out,
            })
            .join("\n")
        };
        // At 0.3 one of two anomalous samples is found: F1 2/3. At 0.2 both are, with no false alarm.
        let better = advise(&[one(0.1, Normal), one(0.2, Anomalous), one(0.5, Anomalous)]);
        let expected = "F1 at the threshold is 0.667 on samples left out of training; --anomaly-threshold 0.2 would bring it to 1.000";
        assert_eq!(better, expected);
        assert_eq!(
            advise(&[one(0.1, Normal), one(0.4, Anomalous), one(0.5, Anomalous)]),
            ""
        );
        assert_eq!(advise(&[]), "");
    }

    const BALANCED: ClassCounts = ClassCounts {
        normal: 7000,
        anomalous: 3000,
    };

    #[test]
    fn all_well_needs_no_advice() {
        assert_eq!(advise(BALANCED, &[one(0.1, Normal), one(0.9, Anomalous)]), "");
    }

    #[test]
    fn the_advised_threshold_does_what_the_advice_says() {
        // Nothing reaches 0.3. At 0.15004 both anomalous samples are found, and one of two normal ones.
        let scored = [
            one(0.05, Normal),
            one(0.2, Normal),
            one(0.15004, Anomalous),
            one(0.25, Anomalous),
        ];
        let advice = advise(BALANCED, &scored);
        let expected = "--anomaly-threshold 0.15 would reach recall 1.000 at precision 0.667";
        assert!(advice.contains(expected), "{advice}");
        let metrics = Metrics::compute(
            &scored,
            Unit::Sequence,
            0.15.try_into().unwrap(),
            Some(10.try_into().unwrap()),
        );
        assert_eq!(metrics.recall, Some(1.0));
        assert!((metrics.precision.unwrap() - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn false_alarms_call_for_a_higher_threshold() {
        let scored = [
            one(0.5, Normal),
            one(0.4, Normal),
            one(0.8, Anomalous),
            one(0.6, Anomalous),
        ];
        let advice = advise(BALANCED, &scored);
        let expected = "2 false alarms; --anomaly-threshold 0.6 would reach recall 1.000 at precision 1.000";
        assert!(advice.contains(expected), "{advice}");
    }

    #[test]
    fn a_threshold_between_scores_that_nearly_agree_gets_the_digits_that_it_needs() {
        let mut scored: Vec<Scored> = (0..40).map(|i| one(0.60001 + f64::from(i) * 1e-7, Normal)).collect();
        scored.extend([one(0.60009, Anomalous); 40]);
        let advice = advise(BALANCED, &scored);
        let expected = "--anomaly-threshold 0.600013 would reach recall 1.000 at precision 0.800";
        assert!(advice.contains(expected), "{advice}");
        assert_eq!(Confusion::at(&scored, 0.600013).precision(), Some(0.8));
    }

    #[test]
    fn no_lower_threshold_is_advised_against_false_alarms() {
        let mut scored: Vec<Scored> = vec![one(0.5, Normal); 10];
        scored.extend([one(0.1, Anomalous); 90]);
        let advice = advise(BALANCED, &scored);
        assert!(advice.contains("no higher threshold"), "{advice}");
    }

    #[test]
    fn shares_and_sizes_outside_the_usual_are_named() {
        let counts = |normal, anomalous| ClassCounts { normal, anomalous };
        assert!(advise(counts(500, 200), &[]).contains("only 700 samples"));
        assert!(advise(counts(9000, 1000), &[]).contains("only 10.0 %"));
        assert!(advise(counts(5000, 5000), &[]).contains("50.0 %"));
    }
}
