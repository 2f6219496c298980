//! Figures about a run for Prometheus, in its text format, in a file that a node exporter or anything else may pick up.

use crate::cli::failure::Failure;
use anomaly_train::events::Time;
use anomaly_train::monitor::{Counters, Kind, Severity};
use anomaly_train::registry::replace;
use std::fmt::Write;
use std::path::Path;

/// What there is to say of a run.
pub(crate) struct Figures {
    pub(crate) counters: Counters,
    pub(crate) agents: usize,
    pub(crate) waiting: usize,
    /// The time of the latest event, and what time it is.
    pub(crate) latest: Option<Time>,
    pub(crate) now: Option<Time>,
    /// Kind and digest of each model that watches.
    pub(crate) models: Vec<(String, String)>,
}

/// Writes the file in one step.
pub(crate) fn write(path: &Path, figures: &Figures) -> Result<(), Failure> {
    replace(path, text(figures).as_bytes()).map_err(|error| Failure::at(path, "cannot write the metrics", &error))
}

fn text(figures: &Figures) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, f64)]| {
        // Writing to memory cannot fail.
        let _ = writeln!(
            text,
            "# HELP anomaly_train_{name} {help}\n# TYPE anomaly_train_{name} {kind}"
        );
        for (labels, value) in samples {
            let _ = writeln!(text, "anomaly_train_{name}{labels} {value}");
        }
    };
    let counters = &figures.counters;
    let one = |value: f64| vec![(String::new(), value)];
    let count = |value: u64| one(value as f64);
    let mut alerts = Vec::new();
    for (kind, counts) in Kind::ALL.iter().zip(counters.alerts) {
        for (severity, count) in Severity::ALL.iter().zip(counts) {
            let labels = format!("{{type=\"{}\",severity=\"{}\"}}", kind.name(), severity.name());
            alerts.push((labels, count as f64));
        }
    }
    family("alerts_total", "counter", "Alerts by type and severity.", &alerts);
    for (name, help, value) in [
        ("events_total", "Events that were taken.", counters.events),
        (
            "late_events_total",
            "Events that came after later ones of their agent.",
            counters.late,
        ),
        ("refused_lines_total", "Lines that were no events.", counters.malformed),
        (
            "repeated_events_total",
            "Events passed over because they had come before.",
            counters.repeated,
        ),
        (
            "held_back_alerts_total",
            "Alerts held back because of others like them.",
            counters.held_back,
        ),
        (
            "ignored_alerts_total",
            "Alerts passed over because a list says so.",
            counters.ignored,
        ),
        (
            "forgotten_agents_total",
            "Agents that left for want of room.",
            counters.evicted_agents,
        ),
        (
            "forgotten_cohorts_total",
            "Cohorts that left for want of room.",
            counters.evicted_cohorts,
        ),
    ] {
        family(name, "counter", help, &count(value));
    }
    family(
        "agents",
        "gauge",
        "Agents that are remembered.",
        &one(figures.agents as f64),
    );
    family(
        "waiting_events",
        "gauge",
        "Events that wait for older ones.",
        &one(figures.waiting as f64),
    );
    if let Some((latest, now)) = figures.latest.zip(figures.now) {
        family(
            "lag_seconds",
            "gauge",
            "How long ago the latest event was.",
            &one(now.since(latest).as_seconds()),
        );
    }
    let models = figures.models.iter();
    let models: Vec<_> = models
        .map(|(kind, digest)| (format!("{{kind=\"{kind}\",digest=\"{digest}\"}}"), 1.0))
        .collect();
    if !models.is_empty() {
        family("model_info", "gauge", "The models that watch.", &models);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_of_prometheus() {
        let mut counters = Counters {
            events: 7,
            ..Counters::default()
        };
        counters.alerts[Kind::Model as usize][Severity::Critical as usize] = 2;
        let text = text(&Figures {
            counters,
            agents: 3,
            waiting: 1,
            latest: Time::from_micros(1_500_000),
            now: Time::from_micros(4_000_000),
            models: vec![("labelled".to_owned(), "ab".to_owned())],
        });
        for line in [
            "# TYPE anomaly_train_events_total counter",
            "anomaly_train_events_total 7",
            "anomaly_train_alerts_total{type=\"model\",severity=\"critical\"} 2",
            "anomaly_train_lag_seconds 2.5",
            "anomaly_train_model_info{kind=\"labelled\",digest=\"ab\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(
            text.lines()
                .all(|line| line.starts_with("# ") || line.split(' ').count() == 2)
        );
    }
}
