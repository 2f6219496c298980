use super::*;
use crate::bounds::{Capacity, Count, WindowSize};
use crate::input::events::{Event, Span};
use crate::monitor::{Alert, EventError, RuleSet, WatchSettings};
use proptest::prelude::*;

/// Little room and short times, so that everything happens soon.
fn settings() -> Settings {
    let (capacity, count, window) = (Capacity::literal, Count::literal, WindowSize::literal);
    Settings {
        ngram_window: capacity(20),
        frequency_events: window(4),
        behavioral_actions: count(3),
        drift_first: count(5),
        drift_every: count(5),
        drift_scores: count(3),
        cooldown: Span::seconds(3),
        max_agents: capacity(3),
        max_cohorts: capacity(2),
        max_actions: capacity(4),
        watch: Some(WatchSettings {
            window: window(3),
            session_gap: Span::seconds(10),
            own_session_gap: Some(Span::seconds(20)),
        }),
        ..Settings::default()
    }
}

fn event() -> impl Strategy<Value = Event> {
    let micros = prop_oneof![
        8 => 0..60_000_000_i64,
        1 => Just(253_402_300_799_999_999),
        1 => 0..253_402_300_799_999_999_i64,
    ];
    let names = (0..5_u8, 0..7_u8, 0..4_u8, 1..u64::MAX);
    let risk = proptest::option::of(-1e300..1e300_f64);
    (names, risk, proptest::option::of(micros)).prop_map(|((agent, action, cohort, line), risk_score, micros)| Event {
        agent_id: format!("agent {agent}"),
        action_type: format!("action {action}"),
        cohort: ["", "a", "b", "a cohort with quite a long name"][usize::from(cohort)].to_owned(),
        risk_score,
        time: micros.and_then(Time::from_micros),
        session: ["", "s", "t"][usize::from(agent % 3)].to_owned(),
        event_id: if action == 0 { format!("{agent}") } else { String::new() },
        source: ["", "host", "other"][usize::from(action % 3)].to_owned(),
        line,
        ..Event::default()
    })
}

fn take(monitor: &mut Monitor, events: &[Event], alerts: &mut Vec<Alert>) -> Vec<Option<EventError>> {
    let events = events.iter().cloned();
    events
        .map(|mut event| monitor.push(&mut event, None, alerts).err())
        .collect()
}

proptest! {
    #[test]
    fn whatever_comes_a_restart_anywhere_changes_nothing(
        events in prop::collection::vec(event(), 0..150),
        cut in 0..150_usize,
        original in any::<bool>(),
        reorder in 0..4_u32,
    ) {
        let cut = cut.min(events.len());
        let settings = || Settings {
            rules: if original { RuleSet::Original } else { RuleSet::Default },
            frequency_is_fixed: original || reorder % 2 == 0,
            behavioral_is_fixed: original || reorder < 2,
            sequence_warm_up: Some(Count::literal(5)),
            reorder: Span::seconds(reorder),
            ..settings()
        };
        let mut alerts = Vec::new();
        let mut first = Monitor::new(settings());
        take(&mut first, &events[..cut], &mut alerts);
        let mut state = Vec::new();
        let aside = Aside { checkpoint: None, unsaid: vec!["{}".to_owned()] };
        first.save(&mut state, &aside).unwrap();
        let (mut second, restored) = Monitor::restore(settings(), &state[..]).unwrap();
        prop_assert_eq!(&restored, &aside);
        take(&mut second, &events[cut..], &mut alerts);
        second.flush(&mut alerts);
        alerts.extend(second.finish());

        let (mut whole, mut expected) = (Monitor::new(settings()), Vec::new());
        take(&mut whole, &events, &mut expected);
        whole.flush(&mut expected);
        expected.extend(whole.finish());
        prop_assert_eq!(expected, alerts);
        prop_assert_eq!(whole.counters(), second.counters());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        whole.save(&mut a, &aside).unwrap();
        second.save(&mut b, &aside).unwrap();
        prop_assert_eq!(a, b);
    }

    #[test]
    fn what_was_said_ahead_of_time_is_not_said_again(events in prop::collection::vec(event(), 0..80), cut in 0..80_usize) {
        let mut events: Vec<Event> = events;
        events.sort_by_key(|event| event.time);
        let cut = cut.min(events.len());
        let mut monitor = Monitor::new(settings());
        let mut alerts: Vec<Alert> = monitor.watch(events[..cut].to_vec()).collect::<Result<_, _>>().unwrap();
        alerts.retain(|alert| alert.anomaly_type != Kind::Distributional);
        alerts.extend(monitor.watch(events[cut..].to_vec()).map(Result::unwrap));
        alerts.retain(|alert| alert.anomaly_type != Kind::Distributional);
        let mut expected: Vec<Alert> = Monitor::new(settings()).watch(events).collect::<Result<_, _>>().unwrap();
        expected.retain(|alert| alert.anomaly_type != Kind::Distributional);
        let ids = |alerts: &[Alert]| alerts.iter().map(|alert| alert.alert_id.clone()).collect::<BTreeSet<_>>();
        prop_assert_eq!(ids(&alerts).len(), alerts.len());
        prop_assert!(ids(&expected).is_subset(&ids(&alerts)));
    }
}
