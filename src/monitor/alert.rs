//! What a monitor says.

use super::cooldown::Wanted;
use crate::data::dataset::hex;
use crate::data::histogram::{BINS, Drift};
use crate::input::events::{Event, Span, Time};
use crate::model::explanation::Explanation;
use crate::model::normal::explanation::NormalExplanation;
use crate::text::name;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What leads to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Actions in an order that is rare among those of all agents.
    Sequence,
    /// Too many actions in a short time.
    Frequency,
    /// Hardly anything but the same actions.
    Behavioral,
    /// Risk scores of a cohort that have moved away from their baseline.
    Distributional,
    /// The trained model.
    Model,
    /// A clock that disagrees with the stream.
    Clock,
    /// New agents in such numbers that they are no agents, or that others are forgotten for them.
    Flood,
}

impl Kind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [Kind; 7] = [
        Kind::Sequence,
        Kind::Frequency,
        Kind::Behavioral,
        Kind::Distributional,
        Kind::Model,
        Kind::Clock,
        Kind::Flood,
    ];

    /// The name of the kind in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Frequency => "frequency",
            Self::Behavioral => "behavioral",
            Self::Distributional => "distributional",
            Self::Model => "model",
            Self::Clock => "clock",
            Self::Flood => "flood",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth looking at.
    Warning,
    /// Worth acting on.
    Critical,
}

impl Severity {
    /// All severities, the mildest first.
    pub const ALL: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Critical];

    /// The name of the severity in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// How many times rarer than what is just reported a session must be to be worth looking at, and worth acting on.
const RARER: f64 = 3.0;
const MUCH_RARER: f64 = 10.0;

impl Severity {
    /// That of a share of normal sessions that are as surprising, where up to `reported` is reported.
    pub(crate) fn of_rarity(p_value: f64, reported: f64) -> Self {
        if p_value * MUCH_RARER <= reported {
            Self::Critical
        } else if p_value * RARER <= reported {
            Self::Warning
        } else {
            Self::Info
        }
    }

    /// That of a score from 0 to 1.
    pub(crate) fn of_score(score: f64) -> Self {
        if score >= 0.9 {
            Self::Critical
        } else if score >= 0.75 {
            Self::Warning
        } else {
            Self::Info
        }
    }

    /// That of a drift, which is measured on scales of its own.
    pub(crate) fn of_drift(drift: &Drift) -> Self {
        if drift.psi > 0.5 || drift.kl > 0.3 || drift.js > 0.25 {
            Self::Critical
        } else if drift.psi > 0.3 || drift.kl > 0.15 || drift.js > 0.18 {
            Self::Warning
        } else {
            Self::Info
        }
    }
}

/// Something that somebody should know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// 16 hexadecimal digits that depend on type, agent, cohort, time and the number of the event.
    pub alert_id: String,
    /// When the event was that led to it.
    pub timestamp: Time,
    /// What led to it.
    pub anomaly_type: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// Whose event it was; `None` if it is about a cohort.
    pub agent_id: Option<String>,
    /// The session that it belongs to, if its log has sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// When the first event of that session was, or of the current one of the agent; `None` if it is about a cohort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Time>,
    /// The line of the event, if it stands in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The ids of the events that speak for it, as far as events have ids; none but of a model.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_ids: Vec<String>,
    /// The file of the event, for whoever knows it to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What tells the event from others, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The latest actions of the session, as many as a model that watches looks at; none if none watches, or it is about a cohort.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sequence: Vec<String>,
    /// How many alerts like it, of the same type for the same agent, were held back since the last one; none under the original rules.
    #[serde(skip_serializing_if = "is_zero")]
    pub held_back: u64,
    /// The cohort of the event.
    pub cohort: Option<String>,
    /// How anomalous it is; for all but drift from 0 to 1.
    pub anomaly_score: f64,
    /// What the score is compared with.
    pub threshold: f64,
    /// The same in a sentence.
    pub description: String,
    /// The figures behind it.
    pub evidence: AlertEvidence,
    /// Whether it is critical.
    pub auto_escalated: bool,
    /// Whether it is critical.
    pub quarantine_recommended: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a distribution is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The risk scores that events come with.
    RiskScores,
    /// The share of actions that the model does not know among the first of each session.
    UnknownActions,
    /// The score that the model gives the first actions of each session.
    ModelScores,
}

impl Of {
    /// In the order in which they are kept.
    pub const ALL: [Of; 3] = [Of::RiskScores, Of::UnknownActions, Of::ModelScores];

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
    fn is_risk_scores(&self) -> bool {
        *self == Self::RiskScores
    }
}

/// The figures behind an alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum AlertEvidence {
    /// Of [`Kind::Sequence`].
    Sequence {
        /// The latest actions of the agent.
        ngram: Vec<String>,
        /// How often they stand in the window, this time included.
        count: u32,
        /// N-grams in the window.
        total: usize,
        /// Distinct n-grams in the window.
        distinct: usize,
        /// Smoothed probability of the n-gram.
        probability: f64,
        /// The smallest that a probability could be.
        smallest_probability: f64,
    },
    /// Of [`Kind::Frequency`].
    Frequency {
        /// Actions of the agent in the window; 10 times the limit stands for that many or more.
        events: usize,
        /// From how many the rule takes notice.
        limit: u32,
        /// Length of the window in seconds.
        window_seconds: Span,
    },
    /// Of [`Kind::Behavioral`].
    Behavioral {
        /// Actions of the agent.
        actions: u64,
        /// Distinct ones.
        distinct: usize,
        /// The commonest.
        most_common: String,
        /// Its share.
        concentration: f64,
        /// Entropy of the actions, as a share of the logarithm of the number of distinct ones.
        normalized_entropy: f64,
    },
    /// Of [`Kind::Distributional`].
    Distributional {
        /// What has moved; not said of risk scores.
        #[serde(skip_serializing_if = "Of::is_risk_scores")]
        of: Of,
        /// Population stability index.
        psi: f64,
        /// Kullback-Leibler divergence of the current scores from the baseline, in nats.
        kl_divergence: f64,
        /// Jensen-Shannon distance.
        js_distance: f64,
        /// What the three are compared with.
        limits: DriftLimits,
        /// The probability that scores which have not moved differ as much; not under the original rules.
        #[serde(skip_serializing_if = "Option::is_none")]
        p_value: Option<f64>,
        /// Current scores by tenths.
        current: [u64; BINS],
        /// Scores of the baseline by tenths.
        baseline: [u64; BINS],
        /// Whether the input had ended, rather than enough scores come.
        end_of_input: bool,
    },
    /// Of [`Kind::Clock`].
    Clock {
        /// How far it lies ahead of the stream, in seconds; below zero if it lies behind.
        ahead_seconds: f64,
        /// What the event said.
        #[serde(skip_serializing_if = "Option::is_none")]
        event_time: Option<Time>,
        /// Whose clock it is, if events have sources.
        #[serde(skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// Of [`Kind::Flood`].
    Flood {
        /// New agents in the window.
        new_agents: u64,
        /// How many of them did one action.
        with_one_action: u64,
        /// How many others were forgotten for them.
        agents_forgotten: u64,
        /// From how many with one action on it is a flood.
        limit: u64,
        /// Length of the window in seconds.
        window_seconds: Span,
        /// The cohort of most of them, if there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        cohort: Option<String>,
        /// The source of most of them, if there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// Of [`Kind::Model`].
    Model {
        /// How many actions of the session were scored.
        actions: usize,
        /// The score, taken apart.
        #[serde(flatten)]
        explanation: Explanation,
        /// Its evidence in words.
        sentences: Vec<String>,
    },
    /// Of [`Kind::Model`], by a normal-only model.
    Normality {
        /// How many actions of the session were judged.
        #[serde(rename = "session_actions")]
        actions: usize,
        /// The surprise, taken apart.
        #[serde(flatten)]
        explanation: NormalExplanation,
        /// Its evidence in words.
        sentences: Vec<String>,
    },
}

/// Above which values risk scores have drifted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DriftLimits {
    /// Population stability index.
    pub psi: f64,
    /// Kullback-Leibler divergence, in nats.
    pub kl_divergence: f64,
    /// Jensen-Shannon distance.
    pub js_distance: f64,
}

/// What a rule found, at or above its threshold.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) score: f64,
    pub(crate) threshold: f64,
    pub(crate) evidence: AlertEvidence,
}

impl Finding {
    pub(crate) fn severity(&self) -> Severity {
        match self.evidence {
            AlertEvidence::Distributional {
                psi,
                kl_divergence: kl,
                js_distance: js,
                ..
            } => Severity::of_drift(&Drift { psi, kl, js }),
            AlertEvidence::Normality { ref explanation, .. } => {
                Severity::of_rarity(explanation.p_value, 1.0 - self.threshold)
            }
            AlertEvidence::Clock { .. } => Severity::Info,
            AlertEvidence::Flood { .. } => Severity::Warning,
            _ => Severity::of_score(self.score),
        }
    }
}

/// What an alert is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Empty if it is about a cohort.
    pub(crate) agent: &'a str,
    /// Empty for none.
    pub(crate) session: &'a str,
    /// When the session began.
    pub(crate) started: Option<Time>,
    /// What led to it, if it is about an agent.
    pub(crate) event: Option<&'a Event>,
    /// Empty for none.
    pub(crate) cohort: &'a str,
    pub(crate) time: Time,
    /// The number of the event, from 1.
    pub(crate) number: u64,
}

impl<'a> Subject<'a> {
    /// A cohort at a time, when so many events had been looked at.
    pub(crate) fn of_cohort(cohort: &'a str, time: Time, number: u64) -> Self {
        Self {
            agent: "",
            session: "",
            started: None,
            event: None,
            cohort,
            time,
            number,
        }
    }

    /// An alert about it that would like to be heard.
    pub(crate) fn wanted(&self, kind: Kind, cohort: u64, severity: Severity) -> Wanted {
        Wanted {
            kind,
            cohort,
            severity,
            time: self.time,
        }
    }

    pub(crate) fn alert(self, finding: Finding, held_back: u64) -> Alert {
        let severity = finding.severity();
        let Finding {
            kind,
            score,
            threshold,
            evidence,
        } = finding;
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Alert {
            alert_id: self.id(match evidence {
                AlertEvidence::Normality { .. } => "normal_only",
                AlertEvidence::Distributional {
                    of: Of::UnknownActions, ..
                } => "unknown_actions",
                AlertEvidence::Distributional {
                    of: Of::ModelScores, ..
                } => "model_scores",
                _ => kind.name(),
            }),
            held_back,
            timestamp: self.time,
            anomaly_type: kind,
            severity,
            agent_id: given(self.agent),
            session: given(self.session),
            first: self.started,
            line: self.event.map(|event| event.line).filter(|&line| line > 0),
            event_id: self.event.and_then(|event| given(&event.event_id)),
            sequence: Vec::new(),
            event_ids: Vec::new(),
            file: None,
            cohort: given(self.cohort),
            anomaly_score: score,
            threshold,
            description: self.describe(score, &evidence),
            evidence,
            auto_escalated: severity == Severity::Critical,
            quarantine_recommended: severity == Severity::Critical,
        }
    }

    /// SHA-256 over what speaks, agent and cohort, each with its length before it, and time and number; the first 8 bytes.
    fn id(&self, speaker: &str) -> String {
        let mut hash = Sha256::new();
        for text in [speaker, self.agent, self.cohort] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.update(self.time.micros().to_le_bytes());
        hash.update(self.number.to_le_bytes());
        hex(&hash.finalize()[..8])
    }

    fn describe(&self, score: f64, evidence: &AlertEvidence) -> String {
        let agent = name(self.agent);
        match evidence {
            AlertEvidence::Sequence {
                ngram, count, total, ..
            } => {
                let ngram = ngram.iter().map(|action| name(action)).collect::<Vec<_>>().join(" -> ");
                let times = if *count == 1 {
                    "for the first time".to_owned()
                } else {
                    format!("{count} times")
                };
                format!("agent {agent} did `{ngram}`, seen {times} among the latest {total} n-grams of all agents")
            }
            AlertEvidence::Frequency {
                events, window_seconds, ..
            } => {
                format!("agent {agent} did {events} actions within {window_seconds}")
            }
            AlertEvidence::Behavioral {
                actions,
                distinct,
                most_common,
                concentration,
                normalized_entropy,
            } => format!(
                "agent {agent} does hardly anything but `{}`: {:.0} % of {actions} actions, {distinct} of them different; normalised \
                 entropy {normalized_entropy:.2}",
                name(most_common),
                (100.0 * concentration).floor(),
            ),
            AlertEvidence::Clock {
                ahead_seconds, source, ..
            } => {
                let whose = match source {
                    Some(source) => format!("source {}", name(source)),
                    None => format!("agent {agent}"),
                };
                let by = Span::try_from(ahead_seconds.abs())
                    .map_or_else(|_| "more than 100 years".to_owned(), |span| span.to_string());
                let side = if *ahead_seconds > 0.0 { "ahead of" } else { "behind" };
                format!("the clock of {whose} is {by} {side} the stream; its events count as they come")
            }
            AlertEvidence::Flood {
                new_agents,
                with_one_action,
                agents_forgotten,
                window_seconds,
                cohort,
                source,
                ..
            } => {
                let from = |what: &str, of: &Option<String>| {
                    of.as_ref()
                        .map_or(String::new(), |of| format!(", most of them of {what} {}", name(of)))
                };
                format!(
                    "{new_agents} new agents within {window_seconds}, {with_one_action} of them with one action{}{}; {agents_forgotten} others were forgotten for them",
                    from("cohort", cohort),
                    from("source", source)
                )
            }
            AlertEvidence::Distributional {
                of,
                psi,
                kl_divergence,
                js_distance,
                current,
                ..
            } => {
                let scores: u64 = current.iter().sum();
                let what = match of {
                    Of::RiskScores => "risk scores",
                    Of::UnknownActions => "shares of unknown actions",
                    Of::ModelScores => "scores of the model",
                };
                let whose = match self.cohort {
                    "" => "events without a cohort".to_owned(),
                    cohort => format!("cohort {}", name(cohort)),
                };
                format!(
                    "the latest {scores} {what} of {whose} differ from their baseline: PSI {psi:.3}, KL {kl_divergence:.3}, JS distance \
                     {js_distance:.3}"
                )
            }
            AlertEvidence::Model {
                actions, explanation, ..
            } => format!(
                "the latest {actions} actions of agent {agent} are anomalous with probability {score:.4}: {}",
                explanation.main_reason()
            ),
            AlertEvidence::Normality {
                actions, explanation, ..
            } => format!(
                "the latest {actions} actions of agent {agent} are as surprising as {:.2} % of normal sessions: {}",
                100.0 * explanation.p_value,
                explanation.main_reason()
            ),
        }
    }
}

impl AlertEvidence {
    /// An explanation with its evidence in words.
    pub(crate) fn model(actions: usize, explanation: Explanation) -> Self {
        Self::Model {
            actions,
            sentences: explanation.sentences(),
            explanation,
        }
    }

    /// The surprise of a session with its evidence in words.
    pub(crate) fn normality(actions: usize, explanation: NormalExplanation) -> Self {
        Self::Normality {
            actions,
            sentences: explanation.sentences(),
            explanation,
        }
    }

    /// Where among the actions of the session stands what speaks for the alert, counted from 1; nothing but of a model.
    pub(crate) fn positions<'a>(&self, actions: impl Iterator<Item = &'a str>) -> Vec<usize> {
        match self {
            Self::Model { explanation, .. } => explanation.positions(actions),
            Self::Normality { explanation, .. } => explanation.positions(),
            _ => Vec::new(),
        }
    }

    /// Keeps only the `most` important pieces of an explanation.
    pub(crate) fn shorten(&mut self, most: usize) {
        match self {
            Self::Model {
                explanation, sentences, ..
            } => {
                explanation.evidence.truncate(most);
                *sentences = explanation.sentences();
            }
            Self::Normality {
                explanation, sentences, ..
            } => {
                explanation.times.truncate(most);
                *sentences = explanation.sentences();
            }
            _ => {}
        }
    }
}
