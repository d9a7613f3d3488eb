//! Following the edge feed. One worker of the proxy asks, and all hear what it was answered; who has missed
//! something asks by itself until it has caught up. The last good state is kept whatever comes.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use edgeward_wire::FeedQuery;

use crate::calls::{self, Answer, Question};
use crate::host::{self, Level};
use crate::metrics::Metrics;
use crate::random::Random;
use crate::relay::{Left, Place, Relay};
use edgeward_filter::config::Feed;
use edgeward_filter::edge_state::{Applied, EdgeState};
use edgeward_filter::keys::KeySet;

/// Between polls while no key is known, at first: people are waiting.
const EAGER_POLL: Duration = Duration::from_millis(100);
/// The longest time between polls while the feed fails, unless it is polled less often anyway.
const MAX_BACK_OFF: Duration = Duration::from_secs(2);
/// How long after its own timeout a call is taken for lost.
const LOST_AFTER: Duration = Duration::from_secs(1);
/// A token under an unknown key has a worker ask at once, once in this time.
const HURRY_EVERY: Duration = Duration::from_secs(5);

/// Difference of the clocks, in seconds, from which on the log names it. Chosen: machines that keep time are well below a
/// second apart, and a response may be a second old.
const NOTABLE_CLOCK_GAP_S: u64 = 3;
/// Time without a notable gap after which the next one is logged again, or four polls. Chosen: of several companions that
/// are polled in turn, one may be apart.
const CLOCK_GAP_ENDS_AFTER: Duration = Duration::from_mins(1);

thread_local! {
    /// The feeds that this worker follows. Every listener that names the same one shares what is known of it, and so
    /// does a changed configuration with the one that it replaces.
    static FOLLOWED: RefCell<Vec<(String, Weak<RefCell<Follower>>)>> = RefCell::default();
}

/// A feed, as far as this worker has followed it.
pub(crate) struct Follower {
    feed: Feed,
    relay: Relay,
    edge_state: Rc<RefCell<EdgeState>>,
    metrics: Rc<Metrics>,
    random: Random,
    /// The last answer of the relay that was heard.
    heard: Place,
    /// Where it has to catch up by itself: from where on the relay will do again.
    catching_up: Option<Place>,
    call: Option<Call>,
    next_ask: Duration,
    /// How often in a row no good answer came.
    failures: u32,
    /// The last time that the clocks were notably apart.
    clock_gap_at: Option<Duration>,
    started_at: Duration,
    ticked_at: Duration,
    hurried_at: Duration,
    recorded_at: Duration,
}

/// A call under way.
struct Call {
    token: u32,
    /// When it is taken for lost.
    lost_at: Duration,
    /// Where it is to catch up: what to go on from after it.
    catches_up_to: Option<Place>,
}

impl Follower {
    /// Follows a feed from where this worker, or others, have come; the host's timer does the rest. `keys` are known
    /// from the start.
    pub(crate) fn start(feed: Feed, keys: KeySet, metrics: Rc<Metrics>) -> Rc<RefCell<Self>> {
        // Who lets stale edge_state count and who does not wait for different things.
        let name = format!("{} {} {}", feed.cluster, feed.path, feed.denies_stale);
        FOLLOWED.with_borrow_mut(|followed| {
            followed.retain(|(_, follower)| follower.strong_count() > 0);
            let known = followed.iter().find(|(other, _)| *other == name);
            if let Some(follower) = known.and_then(|(_, follower)| follower.upgrade()) {
                follower.borrow_mut().feed = feed;
                follower.borrow().edge_state.borrow_mut().seed_keys(keys);
                return follower;
            }
            let follower = Rc::new(RefCell::new(Self::new(feed, keys, metrics)));
            followed.push((name, Rc::downgrade(&follower)));
            follower
        })
    }

    fn new(feed: Feed, keys: KeySet, metrics: Rc<Metrics>) -> Self {
        let now = host::now().unwrap_or_default();
        let mut random = Random::new();
        let relay = Relay::new(&feed, random.number());
        let mut edge_state = EdgeState::syncing(keys, now.as_secs());
        // Without the keys that others know, everybody would be refused until the first poll.
        if let Some(Left { heard_at, body }) = relay.keys()
            && let Err(fault) = edge_state.apply_keys(&body, heard_at)
        {
            host::log(Level::Warn, &format!("edgeward: the keys that were left are not usable: {fault}"));
        }
        Self {
            feed,
            relay,
            edge_state: Rc::new(RefCell::new(edge_state)),
            metrics,
            random,
            heard: Place::default(),
            catching_up: None,
            call: None,
            next_ask: Duration::ZERO,
            failures: 0,
            clock_gap_at: None,
            started_at: now,
            ticked_at: now,
            hurried_at: Duration::ZERO,
            recorded_at: Duration::ZERO,
        }
    }

    /// What was heard so far.
    pub(crate) fn edge_state(&self) -> Rc<RefCell<EdgeState>> {
        Rc::clone(&self.edge_state)
    }

    /// Does what is due: hears what others were told, and asks where that is on us.
    pub(crate) fn tick(this: &Rc<RefCell<Self>>, now: Duration) {
        let mut follower = this.borrow_mut();
        if now < follower.ticked_at {
            follower.clamp_clock(now);
        }
        follower.ticked_at = now;
        follower.record(now);
        let is_due = now >= follower.next_ask;
        // Who fails again and again leaves its turn to others between its tries.
        let leads = (follower.failures < 2 || is_due) && follower.relay.leads(now);
        match &follower.call {
            Some(call) if now < call.lost_at => return,
            Some(_) => {
                follower.abandon();
                follower.failed("lost", "no answer came", now);
            }
            None => {}
        }
        if follower.catching_up.is_none() {
            follower.listen();
        }
        if (leads || follower.catching_up.is_some()) && now >= follower.next_ask {
            Self::ask(this, &mut follower, now);
        }
    }

    /// A token came under a key that is not known: it may be new.
    pub(crate) fn hurry(&mut self, now: Duration) {
        if now.saturating_sub(self.hurried_at) < HURRY_EVERY {
            return;
        }
        self.hurried_at = now;
        self.next_ask = Duration::ZERO;
        if self.catching_up.is_none() {
            self.catching_up = Some(self.relay.last());
        }
    }

    /// Waits no more for a call, which the host may have dropped with the plugin that made it.
    pub(crate) fn abandon(&mut self) {
        if let Some(call) = self.call.take() {
            calls::forget(call.token);
            self.catching_up = call.catches_up_to.or(self.catching_up.take());
            self.next_ask = Duration::ZERO;
        }
    }

    /// The clock went back to `now`: what was to be done at a later time is due.
    fn clamp_clock(&mut self, now: Duration) {
        self.edge_state.borrow_mut().clamp_clock(now.as_secs());
        (self.next_ask, self.hurried_at, self.recorded_at) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        self.started_at = self.started_at.min(now);
        if let Some(call) = &mut self.call {
            call.lost_at = now + self.feed.timeout + LOST_AFTER;
        }
    }

    /// Hears what was left since. What was missed, or can't be used, is asked for.
    fn listen(&mut self) {
        let last = self.relay.last();
        while self.heard.number != last.number {
            let heard = self.relay.read(&self.heard).map(|Left { heard_at, body }| {
                let mut edge_state = self.edge_state.borrow_mut();
                edge_state.apply(&body, heard_at).map(|_| edge_state.cursor().to_owned())
            });
            let Some(Ok(cursor)) = heard else {
                self.catching_up = Some(last);
                return;
            };
            self.heard = Place { number: self.heard.number.wrapping_add(1), cursor };
        }
    }

    fn ask(this: &Rc<RefCell<Self>>, follower: &mut Self, now: Duration) {
        let catches_up_to = follower.catching_up.take();
        let edge_state = follower.edge_state.borrow();
        // The others have heard what the relay had, and perhaps not what we have caught up with by ourselves.
        let cursor = if catches_up_to.is_some() { edge_state.cursor() } else { &follower.heard.cursor };
        let query = FeedQuery { after: cursor.into(), keys: edge_state.etag().into() };
        let path = format!("{}?{query}", follower.feed.path);
        drop(edge_state);
        let asker = Rc::downgrade(this);
        let waiter = Box::new(move |answer: &Answer| {
            if let Some(this) = asker.upgrade() {
                Self::answered(&this, answer);
            }
        });
        let secret = follower.feed.secret.as_ref().map(|secret| format!("Bearer {}", secret.expose()));
        let authorization = secret.as_ref().map(|secret| (&b"authorization"[..], secret.as_bytes()));
        follower.metrics.count_poll();
        let Feed { cluster, timeout, .. } = &follower.feed;
        let headers = authorization.as_slice();
        let question = Question { cluster, method: "GET", path: &path, headers, timeout: *timeout };
        let lost_at = now + *timeout + LOST_AFTER;
        if let Some(token) = calls::send(&question, waiter) {
            follower.call = Some(Call { token, lost_at, catches_up_to });
        } else {
            follower.catching_up = catches_up_to;
            follower.failed("not_taken", "the host did not take the call: is there such a cluster?", now);
        }
    }

    fn answered(this: &Rc<RefCell<Self>>, answer: &Answer) {
        let mut follower = this.borrow_mut();
        let Some(Call { catches_up_to, .. }) = follower.call.take() else { return };
        let now = host::now().unwrap_or_default();
        let heard = match answer.status.as_deref() {
            Some(b"200") => {
                let heard = follower.edge_state.borrow_mut().apply(&answer.body, now.as_secs());
                heard.map_err(|fault| (fault.label(), fault.to_string()))
            }
            Some(status) => Err(("status", format!("the answer has status {}", status.escape_ascii()))),
            None => Err(("no_answer", "no answer came".to_owned())),
        };
        match heard {
            Ok(heard) => {
                follower.pass_on(heard, catches_up_to, &answer.body, now);
                if heard.more {
                    Self::ask(this, &mut follower, now);
                }
            }
            Err((label, why)) => {
                follower.catching_up = catches_up_to.or(follower.catching_up.take());
                follower.failed(label, &why, now);
            }
        }
    }

    /// Leaves a good answer to the others, where they can make use of it.
    fn pass_on(&mut self, heard: Applied, catches_up_to: Option<Place>, body: &[u8], now: Duration) {
        let edge_state = self.edge_state.borrow();
        if heard.keys {
            host::log(Level::Info, &format!("edgeward: keys {:?}", edge_state.keys()));
            self.relay.leave_keys(now.as_secs(), body);
        }
        match catches_up_to {
            Some(place) if heard.more => self.catching_up = Some(place),
            Some(place) => self.heard = place,
            None => match self.relay.leave(&self.heard, edge_state.cursor(), now.as_secs(), body) {
                Some(place) => self.heard = place,
                // Another worker was told something meanwhile.
                None => self.catching_up = Some(self.relay.last()),
            },
        }
        drop(edge_state);
        if self.failures > 0 {
            host::log(Level::Info, "edgeward: the edge feed answers again");
        }
        self.failures = 0;
        self.log_clock_gap(heard.ahead_s, now);
        self.next_ask = match self.catching_up {
            Some(_) => Duration::ZERO,
            None => now + self.random.around(self.feed.poll),
        };
    }

    /// Names a difference of the clocks in the log, once for as long as it lasts.
    fn log_clock_gap(&mut self, ahead_s: i64, now: Duration) {
        if ahead_s.unsigned_abs() < NOTABLE_CLOCK_GAP_S {
            return;
        }
        let last = self.clock_gap_at.replace(now);
        let ends_after = CLOCK_GAP_ENDS_AFTER.max(self.feed.poll * 4);
        if last.is_none_or(|at| now.saturating_sub(at) > ends_after) {
            let direction = if ahead_s > 0 { "ahead of" } else { "behind" };
            let gap_s = ahead_s.unsigned_abs();
            host::log(
                Level::Warn,
                &format!(
                    "edgeward: the companion's clock is {gap_s} s {direction} this machine's: have both follow a time server"
                ),
            );
        }
    }

    /// What is known stays; of a row of failures the first is logged.
    fn failed(&mut self, label: &'static str, why: &str, now: Duration) {
        self.metrics.count_failed_poll(label);
        if self.failures == 0 {
            let cluster = &self.feed.cluster;
            let line =
                format!("edgeward: the edge feed of cluster {cluster} failed, what is known stays: {why}");
            host::log(Level::Warn, &line);
        }
        let mut edge_state = self.edge_state.borrow_mut();
        // Where others have heard the feed, they know what was revoked, and this worker must not know less.
        let waited_s = now.saturating_sub(self.started_at).as_secs();
        let may_go_on = self.relay.last().number == 0 || waited_s > self.feed.max_staleness_s;
        if !self.feed.denies_stale && may_go_on {
            edge_state.serve_unsynced();
        }
        let first = if edge_state.keys().is_empty() { EAGER_POLL } else { self.feed.poll };
        drop(edge_state);
        let back_off = first.saturating_mul(1 << self.failures.min(10)).min(MAX_BACK_OFF.max(self.feed.poll));
        self.next_ask = now + self.random.around(back_off);
        self.failures = self.failures.saturating_add(1);
    }

    /// Tells the host's metrics how things stand, once a second.
    fn record(&mut self, now: Duration) {
        if now.saturating_sub(self.recorded_at) >= Duration::from_secs(1) {
            self.recorded_at = now;
            self.metrics.record(&self.edge_state.borrow(), self.heard.number, now.as_secs());
        }
    }
}
