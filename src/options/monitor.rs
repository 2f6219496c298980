//! The options that shape what a monitor finds and keeps.

use crate::bounds::{Capacity, Count, Divergence, NgramSize, OpenUnitInterval, Smoothing, UnitInterval, WindowSize};
use crate::input::events::{SessionRules, Span};
use crate::input::logs::Mapping;
use crate::monitor::{Baselines, RuleSet, Settings, WatchSettings};
use clap::{Args, ValueEnum};

/// What the rules of a monitor go by, and how much it keeps.
#[derive(Debug, Clone, Args)]
pub struct MonitorOptions {
    /// Latest actions of a session that the model looks at
    #[arg(long, value_name = "N", default_value_t = WatchSettings::default().window)]
    #[arg(hide_short_help = true)]
    pub window: WindowSize,

    /// Which rules there are: ours, which an innocent stream that does not change does not set off, or those of the original
    #[arg(long, value_name = "RULES", default_value = "default", help_heading = "Rules")]
    pub rules: Rules,

    /// Sequence rule: be silent until there have been so many n-grams [default: always, but under the original rules]
    #[arg(long, value_name = "N", help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub warm_up: Option<Count>,

    /// Sequence rule: actions in an n-gram, 1 to 8
    #[arg(long, value_name = "N", default_value_t = Settings::default().ngram_size, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub ngram_size: NgramSize,

    /// Sequence rule: latest n-grams of all agents to compare with
    #[arg(long, value_name = "N", default_value_t = Settings::default().ngram_window, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub ngram_window: Capacity,

    /// Sequence rule: what is added to every count
    #[arg(long, value_name = "X", default_value_t = Settings::default().smoothing, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub smoothing: Smoothing,

    /// Sequence rule: score from which it alerts
    #[arg(long, value_name = "X", default_value_t = Settings::default().sequence_threshold, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub sequence_threshold: UnitInterval,

    /// Frequency rule: actions of an agent within the window from which it alerts [default: 30, if that is unusual for this agent or for
    /// agents]
    #[arg(long, value_name = "N", help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub frequency_events: Option<WindowSize>,

    /// Frequency rule: length of the window
    #[arg(long, value_name = "TIME", default_value_t = Settings::default().frequency_window, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub frequency_window: Span,

    /// Frequency rule: score from which it alerts
    #[arg(long, value_name = "X", default_value_t = Settings::default().frequency_threshold, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub frequency_threshold: UnitInterval,

    /// Behavioural rule: actions of an agent from which it alerts [default: 10, if so many alike are unusual for agents]
    #[arg(long, value_name = "N", help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub behavioral_actions: Option<Count>,

    /// Behavioural rule: share of the commonest action above which it takes notice
    #[arg(long, value_name = "X", default_value_t = Settings::default().behavioral_concentration, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub behavioral_concentration: UnitInterval,

    /// Behavioural rule: normalised entropy below which it takes notice
    #[arg(long, value_name = "X", default_value_t = Settings::default().behavioral_entropy, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub behavioral_entropy: UnitInterval,

    /// Behavioural rule: score from which it alerts
    #[arg(long, value_name = "X", default_value_t = Settings::default().behavioral_threshold, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub behavioral_threshold: UnitInterval,

    /// Distributional rule: population stability index above which it alerts
    #[arg(long, value_name = "X", default_value_t = Settings::default().drift_psi, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub drift_psi: Divergence,

    /// Distributional rule: Kullback-Leibler divergence above which it alerts
    #[arg(long, value_name = "X", default_value_t = Settings::default().drift_kl, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub drift_kl: Divergence,

    /// Distributional rule: Jensen-Shannon distance above which it alerts
    #[arg(long, value_name = "X", default_value_t = Settings::default().drift_js, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub drift_js: Divergence,

    /// Distributional rule: fewest risk scores of a cohort to compare
    #[arg(long, value_name = "N", default_value_t = Settings::default().drift_scores, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub drift_scores: Count,

    /// Distributional rule: risk scores of a cohort between two comparisons
    #[arg(long, value_name = "N", default_value_t = Settings::default().drift_every, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub drift_every: Count,

    /// Distributional rule: first risk scores of a cohort that become its baseline
    #[arg(long, value_name = "N", default_value_t = Settings::default().drift_first, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub drift_first: Count,

    /// Distributional rule: share of cohorts in which it may ever alert though nothing has changed; not under the original rules
    #[arg(long, value_name = "R", default_value_t = Settings::default().drift_false_alarms, help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub drift_false_alarms: OpenUnitInterval,

    /// How long further alerts of the same type for the same agent are held back after one, unless they are more severe
    #[arg(long, value_name = "TIME", default_value_t = Settings::default().cooldown, help_heading = "Alerts")]
    pub cooldown: Span,

    /// Most alerts of an agent within an hour, but for more severe ones
    #[arg(long, value_name = "N", default_value_t = Settings::default().max_alerts, help_heading = "Alerts")]
    #[arg(hide_short_help = true)]
    pub max_alerts: Count,

    /// How long events wait for others that are older, to be put in order; 0 for not at all
    #[arg(long, value_name = "TIME", default_value_t = Settings::default().reorder, help_heading = "Limits")]
    #[arg(hide_short_help = true)]
    pub reorder: Span,

    /// Most agents to remember; one whose session has ended leaves first, then the one with the fewest actions
    #[arg(long, value_name = "N", default_value_t = Settings::default().max_agents, help_heading = "Limits")]
    #[arg(hide_short_help = true)]
    pub max_agents: Capacity,

    /// Most cohorts to remember; the one with the fewest events leaves first
    #[arg(long, value_name = "N", default_value_t = Settings::default().max_cohorts, help_heading = "Limits")]
    #[arg(hide_short_help = true)]
    pub max_cohorts: Capacity,

    /// Most names of actions to remember at once; further ones are taken for one, but for those that the model knows
    #[arg(long, value_name = "N", default_value_t = Settings::default().max_actions, help_heading = "Limits")]
    #[arg(hide_short_help = true)]
    pub max_actions: Capacity,
}

/// Which rules there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rules {
    /// Ours
    Default,
    /// Those of the original, to the last alert
    Original,
}

impl MonitorOptions {
    /// What the options mean, for sessions that are told apart as `mapping` says. A monitor that `watches` with a model keeps sessions.
    #[must_use]
    pub fn settings(&self, mapping: &Mapping, baselines: Baselines, watches: bool) -> Settings {
        let SessionRules {
            session_gap,
            own_session_gap,
        } = SessionRules::from(mapping);
        let usual = Settings::default();
        Settings {
            rules: match self.rules {
                Rules::Default => RuleSet::Default,
                Rules::Original => RuleSet::Original,
            },
            sequence_warm_up: self.warm_up,
            frequency_is_fixed: self.frequency_events.is_some(),
            behavioral_is_fixed: self.behavioral_actions.is_some(),
            drift_false_alarms: self.drift_false_alarms,
            max_alerts: self.max_alerts,
            reorder: self.reorder,
            ngram_size: self.ngram_size,
            ngram_window: self.ngram_window,
            smoothing: self.smoothing,
            sequence_threshold: self.sequence_threshold,
            frequency_events: self.frequency_events.unwrap_or(usual.frequency_events),
            frequency_window: self.frequency_window,
            frequency_threshold: self.frequency_threshold,
            behavioral_actions: self.behavioral_actions.unwrap_or(usual.behavioral_actions),
            behavioral_concentration: self.behavioral_concentration,
            behavioral_entropy: self.behavioral_entropy,
            behavioral_threshold: self.behavioral_threshold,
            drift_psi: self.drift_psi,
            drift_kl: self.drift_kl,
            drift_js: self.drift_js,
            drift_scores: self.drift_scores,
            drift_first: self.drift_first,
            drift_every: self.drift_every,
            cooldown: self.cooldown,
            max_agents: self.max_agents,
            max_cohorts: self.max_cohorts,
            max_actions: self.max_actions,
            watch: watches.then_some(WatchSettings {
                window: self.window,
                session_gap,
                own_session_gap,
            }),
            baselines,
        }
    }
}
