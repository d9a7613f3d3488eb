//! Properties that hold in whatever order ticks, responses, failures and takeovers come.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::feed::fake::count;

const WORKERS: usize = 3;

/// Time after which every worker knows all revocations once the feed responds again: two seconds for a lost call, 2.2
/// for the back-off, and up to two for another worker's lease, if the clock was set back. (Measured with 10,000 cases:
/// 5.2 s suffice, 4.5 s do not.)
const BOUND_MS: u64 = 6200;

/// Event in the life of a proxy.
#[derive(Clone, Debug)]
enum Event {
    Pass(u64),
    SetBack(u64),
    Revoke,
    Tick(usize),
    /// The companion responds. The response is delivered later.
    Respond(usize),
    Deliver(usize),
    Fail(usize),
    PollEarly(usize),
    Cancel(usize),
    Restart(usize),
    AcceptCalls(usize, bool),
}

fn event() -> impl Strategy<Value = Event> {
    let worker = 0..WORKERS;
    prop_oneof![
        6 => (0_u64..1500).prop_map(Event::Pass),
        1 => (0_u64..100_000).prop_map(Event::SetBack),
        4 => Just(Event::Revoke),
        12 => worker.clone().prop_map(Event::Tick),
        8 => worker.clone().prop_map(Event::Respond),
        8 => worker.clone().prop_map(Event::Deliver),
        2 => worker.clone().prop_map(Event::Fail),
        1 => worker.clone().prop_map(Event::PollEarly),
        1 => worker.clone().prop_map(Event::Cancel),
        1 => worker.clone().prop_map(Event::Restart),
        1 => (worker, any::<bool>()).prop_map(|(worker, accepts)| Event::AcceptCalls(worker, accepts)),
    ]
}

/// Proxy, and the responses that are on their way to its workers.
struct Scene {
    proxy: Proxy,
    responses: [Option<Vec<u8>>; WORKERS],
    restarts: u64,
}

impl Scene {
    fn new() -> Self {
        let mut proxy = Proxy::with_workers(WORKERS);
        proxy.companion.page = 2;
        Self { proxy, responses: Default::default(), restarts: 0 }
    }

    fn apply(&mut self, event: &Event) {
        let proxy = &mut self.proxy;
        match *event {
            Event::Pass(millis) => proxy.now += Duration::from_millis(millis),
            Event::SetBack(millis) => proxy.now = proxy.now.saturating_sub(Duration::from_millis(millis)),
            Event::Revoke => proxy.companion.revoked.push(proxy.companion.revoked.len() as u64 + 1),
            Event::Tick(number) => proxy.tick(number),
            Event::Respond(number) if proxy.workers[number].call.is_some() => {
                self.responses[number] = Some(proxy.response(number));
            }
            Event::Deliver(number) => {
                if let Some(response) = self.responses[number].take() {
                    proxy.deliver(number, &response);
                }
            }
            Event::Fail(number) if proxy.workers[number].call.is_some() => {
                proxy.respond(number, &CallOutcome::NoResponse);
            }
            Event::PollEarly(number) => proxy.poll_early(number),
            Event::Cancel(number) => {
                proxy.workers[number].cancel_call();
            }
            Event::Restart(number) => {
                self.restarts += 1;
                proxy.workers[number] = proxy.new_worker(1000 + self.restarts);
            }
            Event::AcceptCalls(number, accepts) => proxy.workers[number].accepts_calls = accepts,
            Event::Respond(_) | Event::Fail(_) => {}
        }
        // The host drops the responses of calls that were cancelled.
        for (worker, response) in self.proxy.workers.iter().zip(&mut self.responses) {
            if worker.call.is_none() {
                *response = None;
            }
        }
    }

    /// Checks that each worker has applied all revocations before its cursors: it will not ask for them again.
    fn check(&self) {
        for (number, worker) in self.proxy.workers.iter().enumerate() {
            let known = worker.state.revocations().len();
            let cursors = [worker.state.cursor(), &worker.follower.applied.cursor];
            let skipped = cursors.iter().any(|cursor| count(cursor) > known);
            assert!(!skipped, "worker {number} has {known} revocations, and its cursors are {cursors:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    // holds: promise 9
    #[test]
    fn no_worker_skips_a_revocation_or_lacks_one_for_long(events in vec(event(), 0..80)) {
        let mut scene = Scene::new();
        for event in &events {
            scene.apply(event);
            scene.check();
        }
        let mut proxy = scene.proxy;
        proxy.workers.iter_mut().for_each(|worker| worker.accepts_calls = true);
        proxy.companion.revoked.push(1000);
        // Calls in flight stay without a response, and are lost.
        let mut lost: Vec<bool> = proxy.workers.iter().map(|worker| worker.call.is_some()).collect();
        for _ in 0..BOUND_MS / 100 {
            proxy.now += TICK;
            for (number, is_lost) in lost.iter_mut().enumerate() {
                proxy.tick(number);
                *is_lost &= proxy.workers[number].failures.last() != Some(&"lost");
                if !*is_lost {
                    proxy.serve_calls(number);
                }
            }
        }
        for (number, worker) in proxy.workers.iter().enumerate() {
            let missing = proxy.companion.revoked.iter().find(|session| !worker.has_revoked(**session));
            prop_assert_eq!(missing, None, "worker {}: {:?}", number, worker.follower);
            prop_assert!(worker.admits(2000), "worker {number} admits other sessions");
        }
    }
}
