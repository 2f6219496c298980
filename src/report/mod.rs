//! A page for people: everything about a model and how it did, as one HTML file that needs nothing else.

mod charts;

use crate::artifact::Artifact;
use crate::data::dataset::Dataset;
use crate::data::label::Label;
use crate::data::part::Part;
use crate::evaluate::evaluation::Evaluation;
use crate::evaluate::gate::Verdict;
use crate::evaluate::metrics::{
    Confusion, Interval, Metrics, ReliabilityBin, Scored, operating_points, reliability_bins, threshold_choices,
};
use crate::model::PatternWeight;
use crate::text::name;
use askama::Template;

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
    reliability: String,
    bins: Vec<ReliabilityBin>,
    histogram: String,
    precision_recall: String,
    roc: String,
    thresholds: Vec<Vec<String>>,
    top_features: [(&'static str, Vec<TopFeature>); 2],
    mistakes: Vec<Mistake>,
    provenance: Vec<(&'static str, String)>,
}

struct FigureRow {
    name: &'static str,
    value: String,
    interval: String,
    unseen: String,
}

struct Mistake {
    kind: &'static str,
    score: String,
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
        let scored = &self.evaluation.scored;
        let model = &self.artifact.model;
        let (speak_for, speak_against) = model.top_features(TOP_FEATURES);
        let top_features =
            |patterns: Vec<PatternWeight>| patterns.into_iter().map(TopFeature::from).collect::<Vec<_>>();
        let thresholds: Vec<Vec<String>> = threshold_choices(scored, metrics.threshold.get())
            .into_iter()
            .map(|row| {
                let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
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
        let view = View {
            source: self.source,
            threshold: metrics.threshold.get(),
            samples: metrics.samples,
            anomalous: metrics.confusion.anomalous(),
            verdict: self.verdict,
            gate: bounds.join(", "),
            overlap: metrics.overlap.unwrap_or(0),
            figures: figures(metrics),
            confusion: metrics.confusion,
            reliability: self.reliability(),
            bins: reliability_bins(scored, metrics.ece_bins),
            histogram: histogram(scored),
            precision_recall: precision_recall(scored),
            roc: roc(scored),
            thresholds,
            top_features: [
                ("For an anomaly", top_features(speak_for)),
                ("For a normal sequence", top_features(speak_against)),
            ],
            mistakes: self.mistakes(),
            provenance: self.provenance(),
        };
        view.render().map_err(|error| HtmlReportError(error.to_string()))
    }

    fn reliability(&self) -> String {
        let bins = reliability_bins(&self.evaluation.scored, self.evaluation.metrics.ece_bins);
        let points: Vec<(f64, f64)> = bins
            .into_iter()
            .filter_map(|bin| Some((bin.mean_score?, bin.anomalous_share?)))
            .collect();
        charts::reliability(&points)
    }

    /// The wrong decisions that were surest, each sequence once.
    fn mistakes(&self) -> Vec<Mistake> {
        let threshold = self.evaluation.metrics.threshold.get();
        let mut wrong: Vec<(f64, usize, &Scored)> = self
            .part
            .rows()
            .iter()
            .zip(&self.evaluation.scored)
            .filter_map(|(&row, scored)| {
                let score = scored.score.get();
                let sureness = match scored.label {
                    Label::Anomalous if score < threshold => 1.0 - score,
                    Label::Normal if score >= threshold => score,
                    _ => return None,
                };
                Some((sureness, row as usize, scored))
            })
            .collect();
        wrong.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut scorer = self.artifact.model.scorer();
        // The same sequence may have been wrong in several groups; those stand side by side, as their scores are the same.
        let alike = |a: &(f64, usize, &Scored), b: &(f64, usize, &Scored)| {
            a.2.label == b.2.label && self.data.sequence_key(a.1) == self.data.sequence_key(b.1)
        };
        wrong
            .chunk_by(alike)
            .take(MISTAKES)
            .map(|alike| {
                let (_, row, scored) = alike[0];
                Mistake {
                    kind: match scored.label {
                        Label::Anomalous => "missed",
                        Label::Normal => "false alarm",
                    },
                    score: format!("{:.4}", scored.score),
                    times: alike.iter().map(|(_, _, scored)| scored.count).sum(),
                    sequence: shown_sequence(self.data.sequence(row)),
                    sentences: scorer.explain(self.data.sequence(row), EVIDENCE).sentences(),
                }
            })
            .collect()
    }

    fn provenance(&self) -> Vec<(&'static str, String)> {
        let model = &self.artifact.model;
        let config = model.config();
        let samples = model.training_samples();
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
                    "{} actions, {} n-grams, {} ordered pairs",
                    model.action_count(),
                    model.ngram_count(),
                    model.pair_count()
                ),
            ),
            (
                "options",
                format!(
                    "n {}, seed {}, at most {} epochs, batch size {}; fitted to {}",
                    config.ngram_size,
                    config.seed,
                    config.epochs,
                    config.batch_size,
                    model.fitted()
                ),
            ),
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
            pattern: pattern.to_string(),
            weight: format!("{weight:+.3}"),
            normal: seen.normal,
            anomalous: seen.anomalous,
        }
    }
}

/// The figures with intervals, and the same on unseen sequences.
fn figures(metrics: &Metrics) -> Vec<FigureRow> {
    let unseen = metrics.unseen.as_ref().map(|unseen| unseen.figures());
    (0..)
        .zip(metrics.figures())
        .map(|(place, figure)| FigureRow {
            name: figure.name,
            value: figure.to_string(),
            interval: figure
                .interval
                .map_or_else(String::new, |Interval(low, high)| format!("{low:.4}–{high:.4}")),
            unseen: unseen.map_or_else(String::new, |unseen| unseen[place].to_string()),
        })
        .collect()
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

fn precision_recall(scored: &[Scored]) -> String {
    let points: Vec<(f64, f64)> = operating_points(scored)
        .iter()
        .filter_map(|point| Some((point.confusion.recall()?, point.confusion.precision()?)))
        .collect();
    charts::curve("Precision-recall curve", ("recall", "precision"), &points, false)
}

fn roc(scored: &[Scored]) -> String {
    let points = operating_points(scored);
    let rest = points
        .iter()
        .filter_map(|point| Some((point.confusion.false_alarm_rate()?, point.confusion.recall()?)));
    let points: Vec<(f64, f64)> = std::iter::once((0.0, 0.0)).chain(rest).collect();
    charts::curve("ROC curve", ("false-alarm rate", "recall"), &points, true)
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
