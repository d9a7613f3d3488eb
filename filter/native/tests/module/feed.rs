//! The feed of a configuration on Envoy's main thread: where it continues, and what waits while the thread is busy.

use std::thread;
use std::time::Instant;

use edgeward_kit::mint::{self, Key};
use serde_json::json;

use crate::envoy::{Call, Configuration};
use crate::{PATIENCE, feed_response};

/// A configuration that polls this cluster. Those of one cluster share their feed, so each test has its own.
fn following(cluster: &str) -> Configuration {
    let text = json!({"issuer": mint::NAME, "feed": {"cluster": cluster, "poll_ms": 100}, "rules": []});
    Configuration::start(&text.to_string()).unwrap()
}

/// The next poll.
fn poll(configuration: &Configuration) -> Call {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(call) = configuration.run_events().pop_front() {
            return call;
        }
        assert!(Instant::now() < deadline, "no poll within a minute");
        thread::yield_now();
    }
}

#[test]
fn feed_continues_at_a_cursor_of_any_length_a_companion_may_send() {
    let (configuration, key) = (following("long-cursors"), Key::generate("k1"));
    let mut asked = poll(&configuration);
    for length in [1, 252, 253, 2048] {
        let cursor = "c".repeat(length);
        configuration.respond(asked.id, "200", &feed_response(&key, &[], &cursor));
        asked = poll(&configuration);
        let path = asked.field(":path");
        assert!(path.contains(&format!("after={cursor}&")), "{path}");
    }
}

#[test]
fn busy_main_thread_gets_one_tick_and_not_all_it_has_missed() {
    let (busy, other) = (following("busy"), following("other"));
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = 0;
    // The other configuration, whose events are carried out, tells the time.
    while ticks < 3 || busy.waiting_events() == 0 {
        assert!(Instant::now() < deadline, "{ticks} ticks within a minute");
        ticks += other.waiting_events();
        other.run_events();
        thread::yield_now();
    }
    assert_eq!(busy.waiting_events(), 1);
}
