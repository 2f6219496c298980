//! Everything that shapes what a monitor finds and keeps, as one value.

use super::drift::Baselines;
use crate::bounds::{Divergence, Limit, NgramSize, Smoothing};
use crate::input::events::Span;
use serde::{Deserialize, Serialize};
use std::num::{NonZeroU32, NonZeroU64};

/// How a monitor works. A saved state can be restored only under the same settings, but that `max_agents`, `max_cohorts` and
/// `max_actions` may be larger.
///
/// | field | default | range |
/// |---|---|---|
/// | `ngram_size` | 3 | 1 to 8 actions |
/// | `ngram_window` | 10,000 | from 1 |
/// | `smoothing` | 1 | 1e-6 to 1e6 |
/// | `sequence_threshold` | 0.8 | 0 to 1 |
/// | `frequency_events` | 30 | from 1 |
/// | `frequency_window` | 60 s | up to 100 years |
/// | `frequency_threshold` | 0.75 | 0 to 1 |
/// | `behavioral_actions` | 10 | from 1 |
/// | `behavioral_concentration` | 0.8 | 0 to 1 |
/// | `behavioral_entropy` | 0.2 | 0 to 1 |
/// | `behavioral_threshold` | 0.7 | 0 to 1 |
/// | `drift_psi`, `drift_kl`, `drift_js` | 0.2, 0.1, 0.1 | 0 to 100 |
/// | `drift_scores` | 30 | from 1 |
/// | `drift_first`, `drift_every` | 1,000 | from 1 |
/// | `quiet_period` | 300 s | up to 100 years |
/// | `max_lateness` | 300 s | up to 100 years |
/// | `max_agents`, `max_actions` | 100,000 | from 1 |
/// | `max_cohorts` | 1,000 | from 1 |
/// | `window`, `session_gap` | 50, 30 min | from 1 |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Actions in an n-gram of the sequence rule.
    pub ngram_size: NgramSize,
    /// How many of the latest n-grams of all agents the sequence rule compares with.
    pub ngram_window: NonZeroU32,
    /// Added to the count of every n-gram.
    pub smoothing: Smoothing,
    /// Score from which the sequence rule alerts.
    pub sequence_threshold: Limit,
    /// Actions of an agent within the window from which the frequency rule takes notice.
    pub frequency_events: NonZeroU32,
    /// The window of the frequency rule. An action exactly as old as the window is in it.
    pub frequency_window: Span,
    /// Score from which the frequency rule alerts.
    pub frequency_threshold: Limit,
    /// Actions of an agent from which the behavioural rule takes notice.
    pub behavioral_actions: NonZeroU32,
    /// Share of an agent's most common action above which the behavioural rule takes notice.
    pub behavioral_concentration: Limit,
    /// Normalised entropy of an agent's actions below which the behavioural rule takes notice.
    pub behavioral_entropy: Limit,
    /// Score from which the behavioural rule alerts.
    pub behavioral_threshold: Limit,
    /// Population stability index above which risk scores have drifted.
    pub drift_psi: Divergence,
    /// Kullback-Leibler divergence from the baseline, in nats, above which risk scores have drifted.
    pub drift_kl: Divergence,
    /// Jensen-Shannon distance above which risk scores have drifted.
    pub drift_js: Divergence,
    /// Fewest risk scores of a cohort that are compared with its baseline.
    pub drift_scores: NonZeroU32,
    /// How many risk scores of a cohort become its baseline if it has none.
    pub drift_first: NonZeroU64,
    /// After how many risk scores of a cohort they are compared with its baseline.
    pub drift_every: NonZeroU64,
    /// How long the same type of alert for the same agent and cohort stays quiet.
    pub quiet_period: Span,
    /// How much older than the latest event of its agent an event may be.
    pub max_lateness: Span,
    /// Most agents that are remembered; the one not seen for longest leaves first.
    pub max_agents: NonZeroU32,
    /// Most cohorts that are remembered; the one not seen for longest leaves first.
    pub max_cohorts: NonZeroU32,
    /// Most names of actions that are remembered at once. Those that the model knows are let in even then.
    pub max_actions: NonZeroU32,
    /// What a model looks at; `None` without a model.
    pub watch: Option<WatchSettings>,
    /// Baselines of the risk scores that were given from outside.
    pub baselines: Baselines,
}

/// Which actions of an agent a model scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchSettings {
    /// Most actions of the agent's current session, the latest ones.
    pub window: NonZeroU32,
    /// A pause longer than this starts a new session.
    pub session_gap: Span,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            window: NonZeroU32::MIN.saturating_add(49),
            session_gap: Span::seconds(1800),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let whole = |value: u32| NonZeroU32::MIN.saturating_add(value - 1);
        // The literals are in range; should one be edited out of it, the first test says so.
        #[allow(clippy::expect_used)]
        let limit = |value: f64| Limit::try_from(value).expect("in range");
        #[allow(clippy::expect_used)]
        let divergence = |value: f64| Divergence::try_from(value).expect("in range");
        #[allow(clippy::expect_used)]
        Self {
            ngram_size: NgramSize::try_from(3).expect("in range"),
            ngram_window: whole(10_000),
            smoothing: Smoothing::try_from(1.0).expect("in range"),
            sequence_threshold: limit(0.8),
            frequency_events: whole(30),
            frequency_window: Span::seconds(60),
            frequency_threshold: limit(0.75),
            behavioral_actions: whole(10),
            behavioral_concentration: limit(0.8),
            behavioral_entropy: limit(0.2),
            behavioral_threshold: limit(0.7),
            drift_psi: divergence(0.2),
            drift_kl: divergence(0.1),
            drift_js: divergence(0.1),
            drift_scores: whole(30),
            drift_first: whole(1000).into(),
            drift_every: whole(1000).into(),
            quiet_period: Span::seconds(300),
            max_lateness: Span::seconds(300),
            max_agents: whole(100_000),
            max_cohorts: whole(1000),
            max_actions: whole(100_000),
            watch: None,
            baselines: Baselines::default(),
        }
    }
}
