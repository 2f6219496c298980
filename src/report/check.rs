//! A page about data: what is in them, what stands against them, and how they differ from what a model was trained on.

use super::{HtmlReportError, breakable, figure};
use crate::data::profile::{Groups, Profile};
use crate::evaluate::drift::Drift;
use crate::text::name;
use askama::Template;

/// What a page about data is made of.
#[derive(Debug)]
pub struct CheckReport<'a> {
    /// Where the data come from, in a few words.
    pub source: &'a str,
    /// What is in them.
    pub data: &'a Profile,
    /// What stands against them, in sentences.
    pub advice: &'a [String],
    /// How they differ from the training part of a model.
    pub drift: Option<&'a Drift>,
}

/// What the template shows. Everything is escaped but names, which are made safe before.
#[derive(Template)]
#[template(path = "check.html")]
struct View<'a> {
    source: &'a str,
    data: &'a Profile,
    advice: &'a [String],
    facts: Vec<(&'static str, String)>,
    frequent: Vec<(String, u64)>,
    drift: Option<DriftView>,
}

struct DriftView {
    stability: String,
    divergence: String,
    new: String,
    log_odds: Option<String>,
    mean_score: String,
    trained_share: String,
    reported: String,
    changes: Vec<ChangeRow>,
}

struct ChangeRow {
    action: String,
    before: String,
    now: String,
    weight: String,
}

impl CheckReport<'_> {
    /// The page as HTML. It holds no script and names no other file or address.
    ///
    /// # Errors
    ///
    /// Only if formatting a value fails.
    pub fn render(&self) -> Result<String, HtmlReportError> {
        let named = |(action, count): &(String, u64)| (breakable(&name(action)), *count);
        let view = View {
            source: self.source,
            data: self.data,
            advice: self.advice,
            facts: facts(self.data),
            frequent: self.data.most_frequent.iter().map(named).collect(),
            drift: self.drift.map(DriftView::from),
        };
        view.render().map_err(|error| HtmlReportError(error.to_string()))
    }
}

/// What is there, one thing a row.
fn facts(data: &Profile) -> Vec<(&'static str, String)> {
    let all = data.samples.total();
    let share = |part: u64| figure(Some(part as f64 / all as f64));
    let mut facts = vec![
        ("share of anomalous samples", share(data.samples.anomalous)),
        ("samples without an action, left out", data.skipped_empty.to_string()),
        ("different sequences", data.sequences.to_string()),
        ("share of samples that repeat one", share(all - data.sequences)),
        (
            "actions of the shortest and the longest",
            format!("{} and {}", data.lengths.least, data.lengths.most),
        ),
        (
            "half of the samples have up to",
            format!("{} actions", data.lengths.median),
        ),
        ("nine in ten have up to", format!("{} actions", data.lengths.ninetieth)),
        ("names of actions", data.actions.to_string()),
        (
            "names that stand in one sample only",
            data.actions_seen_once.to_string(),
        ),
        ("sequences with both labels", data.conflicts.sequences.to_string()),
        ("best accuracy that the labels allow", share(all - data.conflicts.lost)),
    ];
    if let Some(Groups {
        count,
        smallest,
        largest,
        of_one_class,
        shared_samples,
    }) = data.groups
    {
        facts.extend([
            ("groups", count.to_string()),
            (
                "samples of the smallest and the largest group",
                format!("{smallest} and {largest}"),
            ),
            ("groups of one class only", of_one_class.to_string()),
            (
                "share of samples whose sequence stands in another group too",
                share(shared_samples),
            ),
        ]);
    }
    facts
}

impl From<&Drift> for DriftView {
    fn from(drift: &Drift) -> Self {
        let shown = |value: f64| figure(Some(value));
        Self {
            stability: shown(drift.population_stability),
            divergence: shown(drift.jensen_shannon),
            new: shown(drift.samples_with_new_actions),
            log_odds: drift.log_odds.map(|log_odds| format!("{log_odds:+.4}")),
            mean_score: shown(drift.mean_score),
            trained_share: shown(drift.trained_share),
            reported: shown(drift.reported),
            changes: drift
                .changes
                .iter()
                .map(|change| ChangeRow {
                    action: breakable(&name(&change.action)),
                    before: shown(change.before),
                    now: shown(change.now),
                    weight: change
                        .weight
                        .map(|weight| format!("{weight:+.4}"))
                        .unwrap_or_else(|| if change.before > 0.0 { "–" } else { "new" }.to_owned()),
                })
                .collect(),
        }
    }
}
