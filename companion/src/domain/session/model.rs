//! A session, its owner's browser and a thief, in every order of events that proptest generates. Requests and
//! responses are delayed, duplicated and lost, the service crashes before or after it has written, time passes, and
//! clocks go wrong.
//!
//! Two companions serve the session. The clock of one is ahead by up to a second, which also stands for a time that was
//! read before a wait. At any time both clocks may be set back.
//!
//! A browser that has just received tokens does not refresh. Then a refresh and its response may together take as
//! long as the grace period, less the difference of the clocks, and the database may fail over to a standby that
//! lacks the last writes. Some browsers do refresh at once, but only once in a grace period (a role changed, somebody
//! reloaded the page). Then a refresh may take a quarter of that, and the database keeps its writes.

mod world;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use time::Duration;

use self::world::{CALM, Event, HURRIED, Habits, World};

fn calm() -> impl Strategy<Value = Event> {
    prop_oneof![30 => usual(), 1 => (1..4_usize).prop_map(Event::FailOver)]
}

fn with_thief() -> impl Strategy<Value = Event> {
    prop_oneof![
        30 => usual(),
        2 => Just(Event::Steal),
        4 => any::<Index>().prop_map(Event::PresentStolen),
        1 => (1..20_u8).prop_map(Event::PresentNewest),
    ]
}

fn usual() -> impl Strategy<Value = Event> {
    prop_oneof![9 => time_and_clocks(), 21 => browser_and_network()]
}

fn time_and_clocks() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..4_000_i64).prop_map(Event::Pass),
        2 => prop_oneof![Just(9_999_i64), Just(10_000), Just(3_600_000), 0..2_000_000_000_i64].prop_map(Event::Pass),
        1 => prop_oneof![1..1_000_i64, Just(9_999), Just(10_001), 0..100_000_000_i64].prop_map(Event::SetBack),
        2 => Just(Event::Switch),
    ]
}

fn browser_and_network() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Refresh),
        1 => Just(Event::Confirm),
        6 => any::<Index>().prop_map(Event::Arrive),
        1 => any::<Index>().prop_map(Event::ArriveTwice),
        1 => any::<Index>().prop_map(Event::CrashBefore),
        1 => any::<Index>().prop_map(Event::CrashAfter),
        6 => any::<Index>().prop_map(Event::Respond),
    ]
}

/// Generates the difference of the companions' clocks.
fn apart() -> impl Strategy<Value = Duration> {
    (0..=1_000_i64).prop_map(Duration::milliseconds)
}

/// Lets events happen, and returns the world after them.
fn run(habits: Habits, apart: Duration, events: &[Event]) -> World {
    let mut world = World::new(habits, apart);
    for event in events {
        world.happen(*event);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // holds: invariant 10, promise 10
    #[test]
    fn an_honest_client_is_never_logged_out(apart in apart(), events in vec(calm(), 1..200)) {
        prop_assert!(run(CALM, apart, &events).session_lives());
    }

    #[test]
    fn honest_client_that_refreshes_at_once_is_never_logged_out(
        apart in apart(),
        events in vec(usual(), 1..200),
    ) {
        prop_assert!(run(HURRIED, apart, &events).session_lives());
    }

    #[test]
    fn a_stolen_token_never_outlives_the_grace_once_its_successor_was_used(
        apart in apart(),
        events in vec(with_thief(), 1..200),
    ) {
        run(HURRIED, apart, &events);
    }
}
