//! Everything that shapes what a monitor finds and keeps, as one value.

use crate::bounds::{Capacity, Count, Divergence, NgramSize, OpenUnitInterval, Smoothing, UnitInterval, WindowSize};
use crate::data::histogram::Baselines;
use crate::evaluate::session_scores::WINDOW;
use crate::input::events::{SessionRules, Span};
use serde::{Deserialize, Serialize};

/// How a monitor works. A saved state can be restored only under the same settings, but that `max_agents`, `max_cohorts` and
/// `max_actions` may be larger.
///
/// | field | default | range |
/// |---|---|---|
/// | `ngram_size` | 3 | 1 to 8 actions |
/// | `ngram_window` | 10,000 | 1 to 100 million |
/// | `smoothing` | 1 | 1e-6 to 1e6 |
/// | `sequence_threshold` | 0.8 | 0 to 1 |
/// | `frequency_events` | 30 | 1 to 10,000 |
/// | `frequency_window` | 60 s | up to 100 years |
/// | `frequency_threshold` | 0.75 | 0 to 1 |
/// | `behavioral_actions` | 10 | 1 to a million |
/// | `behavioral_concentration` | 0.8 | 0 to 1 |
/// | `behavioral_entropy` | 0.2 | 0 to 1 |
/// | `behavioral_threshold` | 0.7 | 0 to 1 |
/// | `drift_psi`, `drift_kl`, `drift_js` | 0.2, 0.1, 0.1 | 0 to 100 |
/// | `drift_scores` | 30 | 1 to a million |
/// | `drift_first`, `drift_every` | 1,000 | 1 to a million |
/// | `drift_false_alarms` | 0.0001 | above 0 and below 1 |
/// | `rules` | [`RuleSet::Default`] | |
/// | `cooldown` | 300 s | up to 100 years |
/// | `max_alerts` | 20 | 1 to a million |
/// | `reorder` | 3 s | up to 100 years |
/// | `max_agents`, `max_actions` | 100,000 | 1 to 100 million |
/// | `max_cohorts` | 1,000 | 1 to 100 million |
/// | `window`, `session_gap` | 50, 30 min | 1 to 10,000; up to 100 years |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which rules there are.
    pub rules: RuleSet,
    /// Actions in an n-gram of the sequence rule.
    pub ngram_size: NgramSize,
    /// How many of the latest n-grams of all agents the sequence rule compares with.
    pub ngram_window: Capacity,
    /// Added to the count of every n-gram.
    pub smoothing: Smoothing,
    /// After how many n-grams the sequence rule may speak; `None` for never, but under the original rules, where it always may.
    pub sequence_warm_up: Option<Count>,
    /// Score from which the sequence rule alerts.
    pub sequence_threshold: UnitInterval,
    /// Actions of an agent within the window from which the frequency rule takes notice.
    pub frequency_events: WindowSize,
    /// Whether that alone is enough, as it is under the original rules. If not it must be unusual, too.
    pub frequency_is_fixed: bool,
    /// The window of the frequency rule. An action exactly as old as the window is in it.
    pub frequency_window: Span,
    /// Score from which the frequency rule alerts.
    pub frequency_threshold: UnitInterval,
    /// Actions of an agent from which the behavioural rule takes notice.
    pub behavioral_actions: Count,
    /// Whether the behavioural rule speaks of whoever has so many that are alike, as it does under the original rules. If not that must be
    /// unusual, too.
    pub behavioral_is_fixed: bool,
    /// Share of an agent's most common action above which the behavioural rule takes notice.
    pub behavioral_concentration: UnitInterval,
    /// Normalised entropy of an agent's actions below which the behavioural rule takes notice.
    pub behavioral_entropy: UnitInterval,
    /// Score from which the behavioural rule alerts.
    pub behavioral_threshold: UnitInterval,
    /// Population stability index above which risk scores have drifted.
    pub drift_psi: Divergence,
    /// Kullback-Leibler divergence from the baseline, in nats, above which risk scores have drifted.
    pub drift_kl: Divergence,
    /// Jensen-Shannon distance above which risk scores have drifted.
    pub drift_js: Divergence,
    /// Fewest risk scores of a cohort that are compared with its baseline.
    pub drift_scores: Count,
    /// How many risk scores of a cohort become its baseline if it has none.
    pub drift_first: Count,
    /// After how many risk scores of a cohort they are compared with its baseline.
    pub drift_every: Count,
    /// In what share of cohorts distributions that do not change may ever be said to have changed, under our rules.
    pub drift_false_alarms: OpenUnitInterval,
    /// How long further alerts of the same type for the same agent are held back after one, unless they are worse; under the original
    /// rules, of the same agent and cohort, worse or not.
    pub cooldown: Span,
    /// Most alerts of an agent within an hour, but for worse ones; without a limit under the original rules.
    pub max_alerts: Count,
    /// How long events wait for others that are older.
    pub reorder: Span,
    /// Most agents that are remembered. One whose session has ended leaves first, then the one with the fewest actions.
    pub max_agents: Capacity,
    /// Most cohorts that are remembered; the one with the fewest events leaves first.
    pub max_cohorts: Capacity,
    /// Most names of actions that are remembered at once. Those that the model knows are let in even then.
    pub max_actions: Capacity,
    /// What a model looks at; `None` without a model.
    pub watch: Option<WatchSettings>,
    /// Baselines of the risk scores that were given from outside.
    pub baselines: Baselines,
}

impl Settings {
    /// Whether the frequency rule has the same limit for everybody.
    pub(crate) fn has_fixed_frequency(&self) -> bool {
        self.rules == RuleSet::Original || self.frequency_is_fixed
    }

    /// Whether the behavioural rule has the same limit for everybody.
    pub(crate) fn has_fixed_behavior(&self) -> bool {
        self.rules == RuleSet::Original || self.behavioral_is_fixed
    }

    /// Whether the sequence rule may ever speak.
    pub(crate) fn has_sequence_rule(&self) -> bool {
        self.rules == RuleSet::Original || self.sequence_warm_up.is_some()
    }
}

/// Which rules a monitor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleSet {
    /// Ours: what an innocent stream that does not change does not set off.
    #[default]
    Default,
    /// Those of the original, with limits that are the same for everybody.
    Original,
}

/// Which actions of an agent a model scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchSettings {
    /// Most actions of the agent's current session, the latest ones.
    pub window: WindowSize,
    /// A pause longer than this starts a new session, where the log has none.
    pub session_gap: Span,
    /// The same in a session that the log has; `None` if it ends nowhere but at its end.
    pub own_session_gap: Option<Span>,
}

impl Default for WatchSettings {
    fn default() -> Self {
        let SessionRules {
            session_gap,
            own_session_gap,
        } = SessionRules::default();
        Self {
            window: WINDOW,
            session_gap,
            own_session_gap,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ngram_size: const { NgramSize::literal(3) },
            ngram_window: const { Capacity::literal(10_000) },
            rules: RuleSet::Default,
            smoothing: const { Smoothing::literal(1.0) },
            sequence_warm_up: None,
            sequence_threshold: const { UnitInterval::literal(0.8) },
            frequency_events: const { WindowSize::literal(30) },
            frequency_is_fixed: false,
            frequency_window: Span::seconds(60),
            frequency_threshold: const { UnitInterval::literal(0.75) },
            behavioral_actions: const { Count::literal(10) },
            behavioral_is_fixed: false,
            behavioral_concentration: const { UnitInterval::literal(0.8) },
            behavioral_entropy: const { UnitInterval::literal(0.2) },
            behavioral_threshold: const { UnitInterval::literal(0.7) },
            drift_psi: const { Divergence::literal(0.2) },
            drift_kl: const { Divergence::literal(0.1) },
            drift_js: const { Divergence::literal(0.1) },
            drift_scores: const { Count::literal(30) },
            drift_first: const { Count::literal(1000) },
            drift_every: const { Count::literal(1000) },
            drift_false_alarms: const { OpenUnitInterval::literal(0.0001) },
            cooldown: Span::seconds(300),
            max_alerts: const { Count::literal(20) },
            reorder: Span::seconds(3),
            max_agents: const { Capacity::literal(100_000) },
            max_cohorts: const { Capacity::literal(1000) },
            max_actions: const { Capacity::literal(100_000) },
            watch: None,
            baselines: Baselines::default(),
        }
    }
}
