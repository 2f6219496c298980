//! A page for people: everything about a model and how it did, as one HTML file that needs nothing else.

mod charts;
mod check;

pub use check::CheckReport;

use crate::artifact::Artifact;
use crate::data::dataset::Dataset;
use crate::data::label::Label;
use crate::data::part::Part;
use crate::data::unit::Unit;
use crate::evaluate::evaluation::Evaluation;
use crate::evaluate::gate::Verdict;
use crate::evaluate::metrics::{
    Confusion, Interval, Metrics, ReliabilityBin, Scored, operating_points, reliability_bins, threshold_choices, wilson,
};
use crate::input::json::group_name;
use crate::model::PatternWeight;
use crate::model::kind::{Model, ModelKind};
use crate::text::{name, one_line};
use askama::Template;
use std::collections::BTreeMap;

/// What a page is made of.
#[derive(Debug)]
pub struct HtmlReport<'a> {
    /// The model.
    pub artifact: &'a Artifact,
    /// The samples that it was judged on are `part` of these.
    pub data: &'a Dataset,
    /// Which samples it was judged on.
    pub part: &'a Part,
    /// How it did.
    pub evaluation: &'a Evaluation,
    /// The verdict that these figures led to, if they led to one.
    pub verdict: Option<&'a Verdict>,
    /// What the samples are, in a few words.
    pub source: &'a str,
    /// Whether drawings, tables and mistakes are of all samples, also of those whose sequence was trained on. Without any other they are.
    pub all_samples: bool,
    /// Where sequences with a label first stand, as far as that is known: their files were read once more.
    pub places: &'a [Place],
}

/// Where a sample stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its sequence.
    pub sequence: Vec<String>,
    /// What it is.
    pub label: Label,
    /// File, line and id, in words.
    pub text: String,
}

/// A page that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HtmlReportError(String);

const TOP_FEATURES: usize = 12;
const MISTAKES: usize = 8;
const SHOWN_ACTIONS: usize = 60;
const EVIDENCE: usize = 4;
const HISTOGRAM_BINS: u32 = 20;
/// Most groups that have a row of their own.
const GROUPS: usize = 200;

/// What the template shows. Everything is escaped but the drawings, which hold numbers and fixed words only.
#[derive(Template)]
#[template(path = "page.html")]
struct View<'a> {
    source: &'a str,
    threshold: f64,
    samples: u64,
    anomalous: u64,
    verdict: Option<&'a Verdict>,
    gate: String,
    overlap: u64,
    figures: Vec<FigureRow>,
    confusion: Confusion,
    unit: Unit,
    unit_count: u64,
    /// What drawings and tables are of.
    shown: String,
    reliability: String,
    bins: Vec<ReliabilityBin>,
    by_threshold: String,
    captions: [String; 2],
    groups: Vec<GroupRow>,
    more_groups: usize,
    histogram: String,
    precision_recall: String,
    roc: String,
    thresholds: Vec<Vec<String>>,
    /// What speaks most, if weights say so.
    top_features: Vec<(&'static str, Vec<TopFeature>)>,
    /// What most normal sequences have, for a model that learned from these alone.
    usual: Vec<(String, u64)>,
    mistakes: Vec<Mistake>,
    provenance: Vec<(&'static str, String)>,
}

struct FigureRow {
    name: &'static str,
    value: String,
    interval: String,
    unseen: String,
    unseen_interval: String,
}

struct GroupRow {
    name: String,
    samples: u64,
    anomalous: u64,
    precision: String,
    recall: String,
    false_alarms: String,
}

struct Mistake {
    kind: &'static str,
    score: String,
    group: Option<String>,
    place: Option<String>,
    times: u64,
    sequence: String,
    sentences: Vec<String>,
}

struct TopFeature {
    pattern: String,
    weight: String,
    normal: u64,
    anomalous: u64,
}

impl HtmlReport<'_> {
    /// The page as HTML. It holds no script and names no other file or address.
    ///
    /// # Errors
    ///
    /// Only if formatting a value fails.
    pub fn render(&self) -> Result<String, HtmlReportError> {
        let metrics = &self.evaluation.metrics;
        let judged = self.judged();
        let scored: Vec<Scored> = judged.iter().map(|&(_, scored)| scored).collect();
        let of = self.metrics_of(&scored);
        let confusion = of.confusion;
        let model = &self.artifact.model;
        let top_features = match model {
            Model::Labelled(model) => {
                let (speak_for, speak_against) = model.top_features(TOP_FEATURES);
                let rows = |patterns: Vec<PatternWeight>| patterns.into_iter().map(TopFeature::from).collect();
                vec![
                    ("For an anomaly", rows(speak_for)),
                    ("For a normal sequence", rows(speak_against)),
                ]
            }
            Model::NormalOnly(_) => Vec::new(),
        };
        let thresholds: Vec<Vec<String>> = threshold_choices(&scored, metrics.threshold.get())
            .into_iter()
            .map(|row| {
                vec![
                    row.choice.to_owned(),
                    // With all its digits, or it would not do what its row says.
                    row.threshold
                        .map_or_else(|| "–".to_owned(), |threshold| threshold.to_string()),
                    figure(row.precision),
                    figure(row.recall),
                    figure(row.false_alarm_rate),
                ]
            })
            .collect();
        let bounds: Vec<String> = self
            .artifact
            .run
            .gate
            .bounds(metrics)
            .iter()
            .map(ToString::to_string)
            .collect();
        let (groups, more_groups) = self.groups(&judged);
        let shown = match of.samples {
            all if all == metrics.samples => "all samples".to_owned(),
            unseen => format!("the {unseen} samples whose sequence was not trained on"),
        };
        let view = View {
            source: self.source,
            threshold: metrics.threshold.get(),
            samples: metrics.samples,
            anomalous: metrics.confusion.anomalous(),
            verdict: self.verdict,
            gate: bounds.join(", "),
            overlap: metrics.overlap.unwrap_or(0),
            figures: figures(metrics),
            confusion,
            unit: metrics.unit,
            unit_count: metrics.groups,
            shown,
            reliability: reliability(&scored, metrics),
            bins: bins_of(&scored, metrics),
            by_threshold: by_threshold(&scored, metrics),
            captions: captions(of),
            groups,
            more_groups,
            histogram: histogram(&scored),
            precision_recall: precision_recall(&scored, &confusion),
            roc: roc(&scored, &confusion),
            thresholds,
            top_features,
            usual: self.usual(),
            mistakes: self.mistakes(&judged),
            provenance: self.provenance(),
        };
        view.render().map_err(|error| HtmlReportError(error.to_string()))
    }

    /// The rows that drawings and tables are of, with what the model said of them.
    fn judged(&self) -> Vec<(usize, Scored)> {
        let rows = || {
            self.part
                .rows()
                .iter()
                .map(|&row| row as usize)
                .zip(self.evaluation.scored.iter().copied())
        };
        let unseen = || {
            rows()
                .zip(&self.evaluation.seen)
                .filter(|&(_, seen)| !seen)
                .map(|(row, _)| row)
        };
        if self.all_samples || unseen().next().is_none() {
            rows().collect()
        } else {
            unseen().collect()
        }
    }

    /// The figures of what [`judged`](Self::judged) gives.
    fn metrics_of(&self, judged: &[Scored]) -> &Metrics {
        let metrics = &self.evaluation.metrics;
        let is_all = judged.len() == self.evaluation.scored.len();
        metrics.unseen.as_deref().filter(|_| !is_all).unwrap_or(metrics)
    }

    /// The sequences of the mistakes that the page shows, with what they are.
    #[must_use]
    pub fn shown_mistakes(&self) -> Vec<(Vec<&str>, Label)> {
        let judged = self.judged();
        let worst = self.worst(&judged);
        worst
            .iter()
            .map(|alike| (self.data.sequence(alike[0].1).collect(), alike[0].2.label))
            .collect()
    }

    fn place_of(&self, row: usize, label: Label) -> Option<&str> {
        let is_here = |place: &&Place| {
            place.label == label && place.sequence.iter().map(String::as_str).eq(self.data.sequence(row))
        };
        self.places.iter().find(is_here).map(|place| place.text.as_str())
    }

    /// How each group did, by name, and how many groups have no row.
    fn groups(&self, judged: &[(usize, Scored)]) -> (Vec<GroupRow>, usize) {
        let threshold = self.evaluation.metrics.threshold.get();
        let mut groups: BTreeMap<&str, Vec<Scored>> = BTreeMap::new();
        for &(row, scored) in judged {
            if let Some(group) = self.data.group(row) {
                groups.entry(group).or_default().push(scored);
            }
        }
        let row = |(group, scored): (&&str, &Vec<Scored>)| {
            let confusion = Confusion::at(scored, threshold);
            GroupRow {
                name: breakable(&name(group_name(group))),
                samples: confusion.samples(),
                anomalous: confusion.anomalous(),
                precision: figure(confusion.precision()),
                recall: figure(confusion.recall()),
                false_alarms: figure(confusion.false_alarm_rate()),
            }
        };
        let rows = groups.iter().take(GROUPS).map(row).collect();
        (rows, groups.len().saturating_sub(GROUPS))
    }

    /// The wrong decisions that were surest, each sequence once: how sure, which row, and what was said of it.
    fn worst<'s>(&self, judged: &'s [(usize, Scored)]) -> Vec<Vec<(f64, usize, &'s Scored)>> {
        let threshold = self.evaluation.metrics.threshold.get();
        let mut wrong: Vec<(f64, usize, &Scored)> = judged
            .iter()
            .filter_map(|(row, scored)| {
                let score = scored.score.get();
                let sureness = match scored.label {
                    Label::Anomalous if score < threshold => 1.0 - score,
                    Label::Normal if score >= threshold => score,
                    _ => return None,
                };
                Some((sureness, *row, scored))
            })
            .collect();
        wrong.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        // The same sequence may have been wrong in several groups; those stand side by side, as their scores are the same.
        let alike = |a: &(f64, usize, &Scored), b: &(f64, usize, &Scored)| {
            a.2.label == b.2.label && self.data.sequence_key(a.1) == self.data.sequence_key(b.1)
        };
        wrong.chunk_by(alike).take(MISTAKES).map(<[_]>::to_vec).collect()
    }

    fn mistakes(&self, judged: &[(usize, Scored)]) -> Vec<Mistake> {
        let mut scorer = self.artifact.model.scorer();
        self.worst(judged)
            .iter()
            .map(|alike| {
                let (_, row, scored) = alike[0];
                Mistake {
                    kind: match scored.label {
                        Label::Anomalous => "missed",
                        Label::Normal => "false alarm",
                    },
                    score: format!("{:.4}", scored.score),
                    group: self.data.group(row).map(|group| breakable(&name(group_name(group)))),
                    place: self
                        .place_of(row, scored.label)
                        .map(|place| breakable(&one_line(place))),
                    times: alike.iter().map(|(_, _, scored)| scored.count).sum(),
                    sequence: breakable(&shown_sequence(self.data.sequence(row))),
                    sentences: scorer.explain(self.data.sequence(row), EVIDENCE).sentences(),
                }
            })
            .collect()
    }

    /// The actions that most normal sequences have, and how many have them.
    fn usual(&self) -> Vec<(String, u64)> {
        if self.artifact.model.kind() == ModelKind::Labelled {
            return Vec::new();
        }
        let mut actions: Vec<(&str, u64)> = self.artifact.model.actions().collect();
        actions.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let shown = actions.into_iter().take(TOP_FEATURES);
        shown
            .map(|(action, samples)| (breakable(&name(action)), samples))
            .collect()
    }

    fn provenance(&self) -> Vec<(&'static str, String)> {
        let model = &self.artifact.model;
        let samples = model.training_samples();
        let (knows, options) = match model {
            Model::Labelled(labelled) => {
                let config = labelled.config();
                (
                    format!(", {} ordered pairs", labelled.pair_count()),
                    format!(
                        "n {}, seed {}, at most {} epochs, batch size {}; fitted to {}",
                        config.ngram_size,
                        config.seed,
                        config.epochs,
                        config.batch_size,
                        labelled.fitted()
                    ),
                )
            }
            Model::NormalOnly(normal) => {
                let config = normal.config();
                (
                    String::new(),
                    format!(
                        "n {}, window of {} actions, seed {}; p-values count {} samples",
                        config.ngram_size,
                        config.window,
                        config.seed,
                        normal.calibration_samples()
                    ),
                )
            }
        };
        let mut rows = vec![
            ("model digest", self.artifact.digest()),
            (
                "created",
                self.artifact
                    .created_at
                    .map_or_else(|| "unknown".to_owned(), |time| time.to_rfc3339()),
            ),
            ("page made by", format!("anomaly-train {}", env!("CARGO_PKG_VERSION"))),
            (
                "trained on",
                format!("{} normal and {} anomalous samples", samples.normal, samples.anomalous),
            ),
            (
                "knows",
                format!(
                    "{} actions, {} n-grams{knows}",
                    model.action_count(),
                    model.ngram_count()
                ),
            ),
            ("options", options),
            ("judged on", self.source.to_owned()),
            ("digest of the data judged on", self.data.digest()),
        ];
        if let Some(verdict) = &self.artifact.verdict {
            let promoted = if verdict.promoted { "yes" } else { "no" };
            rows.push(("promoted when it was trained", promoted.to_owned()));
        }
        if let Some(data) = &self.artifact.data {
            rows.push(("digest of the data of the training run", data.digest.clone()));
        }
        rows
    }
}

impl From<PatternWeight> for TopFeature {
    fn from(PatternWeight { pattern, weight, seen }: PatternWeight) -> Self {
        Self {
            pattern: breakable(&pattern.to_string()),
            weight: format!("{weight:+.4}"),
            normal: seen.normal,
            anomalous: seen.anomalous,
        }
    }
}

/// A figure with four digits.
fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

/// What a figure is called for people.
fn title(name: &'static str) -> &'static str {
    match name {
        "precision" => "Precision",
        "recall" => "Recall",
        "accuracy" => "Accuracy",
        "f1" => "F1",
        "ece" => "Calibration error (ECE)",
        "roc_auc" => "ROC AUC",
        "average_precision" => "Average precision",
        "brier" => "Brier score",
        "log_loss" => "Log loss",
        "false_alarm_rate" => "False alarms",
        other => other,
    }
}

/// Text as HTML that may break after signs between the words of a name.
fn breakable(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&#34;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
        if matches!(character, '_' | '-' | '.' | ':' | '/') {
            html.push_str("<wbr>");
        }
    }
    html
}

/// The figures with intervals, and the same on unseen sequences.
fn figures(metrics: &Metrics) -> Vec<FigureRow> {
    let interval = |metrics: &Metrics, name: &str, interval: Option<Interval>| match (interval, metrics.ece_at_most) {
        (Some(Interval(low, high)), _) => format!("{low:.4}–{high:.4}"),
        (None, Some(most)) if name == "ece" => format!("at most {most:.4}"),
        (None, _) => String::new(),
    };
    let unseen = metrics.unseen.as_ref().filter(|unseen| unseen.samples > 0);
    (0..)
        .zip(metrics.figures())
        .map(|(place, figure)| {
            let of_unseen = unseen.map(|unseen| (unseen, unseen.figures()[place]));
            FigureRow {
                name: title(figure.name),
                value: figure.to_string(),
                interval: interval(metrics, figure.name, figure.interval),
                unseen: of_unseen.map_or_else(String::new, |(_, figure)| figure.to_string()),
                unseen_interval: of_unseen.map_or_else(String::new, |(unseen, figure)| {
                    interval(unseen, figure.name, figure.interval)
                }),
            }
        })
        .collect()
}

/// The bins of the calibration error; none if scores are no probabilities.
fn bins_of(scored: &[Scored], metrics: &Metrics) -> Vec<ReliabilityBin> {
    metrics
        .ece_bins
        .map(|bins| reliability_bins(scored, bins))
        .unwrap_or_default()
}

fn reliability(scored: &[Scored], metrics: &Metrics) -> String {
    let point = |bin: ReliabilityBin| {
        let Interval(low, high) = wilson(bin.anomalous as f64, bin.samples as f64);
        Some(charts::ReliabilityPoint {
            score: bin.mean_score?,
            share: bin.anomalous_share?,
            interval: (low, high),
        })
    };
    let bins = bins_of(scored, metrics).into_iter().filter(|bin| bin.samples > 0);
    charts::reliability(&bins.filter_map(point).collect::<Vec<_>>())
}

fn by_threshold(scored: &[Scored], metrics: &Metrics) -> String {
    let points = operating_points(scored);
    let of = |figure: fn(&Confusion) -> Option<f64>| -> Vec<(f64, f64)> {
        let none = std::iter::once((1.0, 0.0));
        let all = points.last().and_then(|point| Some((0.0, figure(&point.confusion)?)));
        let each = points
            .iter()
            .filter_map(|point| Some((point.threshold, figure(&point.confusion)?)));
        none.chain(each).chain(all).collect()
    };
    charts::by_threshold(
        &of(Confusion::recall),
        &of(Confusion::false_alarm_rate),
        metrics.threshold.get(),
    )
}

/// The areas under the two curves, beside what knowing nothing would bring.
fn captions(of: &Metrics) -> [String; 2] {
    let share = of.confusion.anomalous() as f64 / of.samples.max(1) as f64;
    [
        format!(
            "Area {} (average precision); the dashed line is the base rate, {share:.4}.",
            figure(of.average_precision)
        ),
        format!(
            "Area {}; on the dashed diagonal scores tell nothing.",
            figure(of.roc_auc)
        ),
    ]
}

fn histogram(scored: &[Scored]) -> String {
    let mut normal = vec![0; HISTOGRAM_BINS as usize];
    let mut anomalous = normal.clone();
    for sample in scored {
        let bin = ((sample.score.get() * f64::from(HISTOGRAM_BINS)) as usize).min(HISTOGRAM_BINS as usize - 1);
        match sample.label {
            Label::Normal => normal[bin] += sample.count,
            Label::Anomalous => anomalous[bin] += sample.count,
        }
    }
    charts::histogram(&normal, &anomalous)
}

fn precision_recall(scored: &[Scored], in_use: &Confusion) -> String {
    let of = |confusion: &Confusion| Some((confusion.recall()?, confusion.precision()?));
    let points: Vec<(f64, f64)> = operating_points(scored)
        .iter()
        .filter_map(|point| of(&point.confusion))
        .collect();
    let share = in_use.anomalous() as f64 / in_use.samples().max(1) as f64;
    let nothing = [(0.0, share), (1.0, share)];
    charts::curve(
        "Precision-recall curve",
        ("recall", "precision"),
        &points,
        nothing,
        of(in_use),
    )
}

fn roc(scored: &[Scored], in_use: &Confusion) -> String {
    let of = |confusion: &Confusion| Some((confusion.false_alarm_rate()?, confusion.recall()?));
    let points = operating_points(scored);
    let rest = points.iter().filter_map(|point| of(&point.confusion));
    let points: Vec<(f64, f64)> = std::iter::once((0.0, 0.0)).chain(rest).collect();
    let nothing = [(0.0, 0.0), (1.0, 1.0)];
    charts::curve("ROC curve", ("false alarms", "recall"), &points, nothing, of(in_use))
}

fn shown_sequence<'a>(mut actions: impl Iterator<Item = &'a str>) -> String {
    let shown = actions.by_ref().take(SHOWN_ACTIONS).map(name);
    let mut shown = shown.collect::<Vec<_>>().join(" → ");
    let more = actions.count();
    if more > 0 {
        shown.push_str(&format!(" → … {more} more"));
    }
    shown
}
