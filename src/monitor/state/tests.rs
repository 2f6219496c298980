use super::*;
use crate::bounds::{Capacity, Count, WindowSize};
use crate::input::events::{Event, Span};
use crate::monitor::{Alert, EventError, WatchSettings};
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
        line,
        ..Event::default()
    })
}

proptest! {
    #[test]
    fn whatever_comes_a_restart_anywhere_changes_nothing(events in prop::collection::vec(event(), 0..150), cut in 0..150_usize) {
        let cut = cut.min(events.len());
        let take = |monitor: &mut Monitor, events: &[Event]| -> Vec<Result<Alert, EventError>> {
            monitor.watch(events.to_vec()).collect()
        };
        let mut first = Monitor::new(settings());
        let mut alerts = take(&mut first, &events[..cut]);
        // What is said at the end of each part is not part of the state.
        alerts.truncate(alerts.len() - first.finish().len());
        let mut state = Vec::new();
        first.save(&mut state, None).unwrap();
        let (mut second, checkpoint) = Monitor::restore(settings(), &state[..]).unwrap();
        prop_assert_eq!(checkpoint, None);
        alerts.extend(take(&mut second, &events[cut..]));

        let mut whole = Monitor::new(settings());
        prop_assert_eq!(take(&mut whole, &events), alerts);
        prop_assert_eq!(whole.counters(), second.counters());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        whole.save(&mut a, None).unwrap();
        second.save(&mut b, None).unwrap();
        prop_assert_eq!(a, b);
    }
}
