//! Holding back alerts for a while after one like them.

use super::alert::{Kind, Severity};
use super::settings::{RuleSet, Settings};
use crate::input::events::{Span, Time};

/// Alerts whose cooldown is remembered; the earliest leave first.
const MAX_COOLDOWNS: usize = 64;
/// In which the most alerts of an agent are counted, and in which a wrong clock among many is told of once.
const HOUR: Span = Span::seconds(3600);

/// The latest alerts of an agent or a cohort.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cooldowns {
    pub(crate) latest: Vec<Cooldown>,
    /// When the hour began in which alerts are counted, and how many there were.
    pub(crate) hour: (Time, u32),
}

/// An alert that holds back others like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cooldown {
    pub(crate) kind: Kind,
    /// The cohort, as far as that opens a gate.
    pub(crate) cohort: u64,
    pub(crate) at: Time,
    pub(crate) severity: Severity,
    /// How many others it has held back.
    pub(crate) held_back: u64,
}

/// An alert that would like to be heard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    pub(crate) cohort: u64,
    pub(crate) severity: Severity,
    pub(crate) time: Time,
}

impl Cooldowns {
    fn place(&self, wanted: Wanted, rules: RuleSet) -> Option<usize> {
        // Whoever sends an event chooses its cohort, so under our rules that opens no gate.
        let cohort = |cooldown: &Cooldown| rules == RuleSet::Default || cooldown.cohort == wanted.cohort;
        self.latest
            .iter()
            .rposition(|cooldown| cooldown.kind == wanted.kind && cohort(cooldown))
    }

    /// Whether an alert has to be held back.
    pub(crate) fn holds_back(&self, wanted: Wanted, settings: &Settings) -> bool {
        let recent = |at: Time, period: Span| wanted.time.since(at).abs() < period;
        let before = self.place(wanted, settings.rules).map(|place| self.latest[place]);
        let period = if wanted.kind == Kind::Clock {
            HOUR
        } else {
            settings.cooldown
        };
        let cools = |before: Cooldown| recent(before.at, period);
        match settings.rules {
            RuleSet::Original => before.is_some_and(cools),
            RuleSet::Default => {
                let (since, said) = self.hour;
                let enough = said >= settings.max_alerts.get() && recent(since, HOUR);
                let worse = before.is_some_and(|before| wanted.severity > before.severity);
                !worse && (enough || before.is_some_and(cools))
            }
        }
    }

    /// Says whether an alert may speak, and if so how many like it were held back since the last one.
    pub(crate) fn ask(&mut self, wanted: Wanted, settings: &Settings) -> Option<u64> {
        let place = self.place(wanted, settings.rules);
        if self.holds_back(wanted, settings) {
            if let Some(place) = place.filter(|_| settings.rules == RuleSet::Default) {
                self.latest[place].held_back += 1;
            }
            return None;
        }
        let held_back = place.map_or(0, |place| self.latest[place].held_back);
        match settings.rules {
            RuleSet::Original => {
                let recent = |cooldown: &Cooldown| wanted.time.since(cooldown.at).abs() < settings.cooldown;
                self.latest.retain(recent);
            }
            RuleSet::Default => {
                place.map(|place| self.latest.remove(place));
                if wanted.time.since(self.hour.0).abs() >= HOUR {
                    self.hour = (wanted.time, 0);
                }
                self.hour.1 = self.hour.1.saturating_add(1);
            }
        }
        if self.latest.len() >= MAX_COOLDOWNS {
            self.latest.remove(0);
        }
        self.latest.push(Cooldown {
            kind: wanted.kind,
            cohort: wanted.cohort,
            at: wanted.time,
            severity: wanted.severity,
            held_back: 0,
        });
        Some(held_back)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.latest.clear();
        self.hour = (Time::default(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::Count;

    fn wanted(severity: Severity, second: f64) -> Wanted {
        Wanted {
            kind: Kind::Model,
            cohort: second as u64 % 2,
            severity,
            time: Time::from_seconds(1e9 + second).unwrap_or_default(),
        }
    }

    #[test]
    fn what_is_worse_speaks_at_once_and_says_how_many_were_held_back() {
        use Severity::{Critical, Info, Warning};
        let (mut cooldowns, settings) = (Cooldowns::default(), Settings::default());
        let mut ask = |severity, second| cooldowns.ask(wanted(severity, second), &settings);
        assert_eq!(ask(Info, 0.0), Some(0));
        assert_eq!((ask(Info, 1.0), ask(Info, 2.0)), (None, None));
        assert_eq!(ask(Critical, 3.0), Some(2));
        assert_eq!((ask(Warning, 4.0), ask(Critical, 302.0)), (None, None));
        assert_eq!(ask(Info, 303.0), Some(2));
    }

    #[test]
    fn so_many_alerts_an_hour_are_enough_but_for_worse_ones() {
        let settings = Settings {
            cooldown: Span::seconds(0),
            max_alerts: Count::literal(3),
            ..Settings::default()
        };
        let mut cooldowns = Cooldowns::default();
        let mut ask = |severity, second| cooldowns.ask(wanted(severity, second), &settings);
        assert!((0..3).all(|second| ask(Severity::Info, f64::from(second)).is_some()));
        assert_eq!(ask(Severity::Info, 3.0), None);
        assert_eq!(ask(Severity::Warning, 4.0), Some(1));
        assert_eq!(ask(Severity::Warning, 3599.0), None);
        assert_eq!(ask(Severity::Info, 3600.0), Some(1));
    }
}
