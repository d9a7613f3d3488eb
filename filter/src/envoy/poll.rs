//! Following the edge feed: one call at a time, its answer heard by the core, the last good state kept.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::calls::{self, Answer};
use super::host::{self, Level};
use super::shared::Shared;
use crate::config::Feed;

/// Between polls while no key is known: people are waiting.
const EAGER_POLL: Duration = Duration::from_millis(100);
/// How long after its own timeout a call is taken for lost.
const LOST_AFTER: Duration = Duration::from_secs(1);

/// The edge feed, as far as it was followed.
pub(super) struct Poll {
    feed: Feed,
    shared: Rc<Shared>,
    /// The call under way, and when it is lost.
    call: Option<(u32, Duration)>,
    /// The last answer that brought keys, for whoever starts after us.
    told: Vec<u8>,
    /// Whether the last answer could be used; only changes are logged.
    healthy: bool,
}

impl Poll {
    /// Starts to follow a feed from where others have come; the host's timer does the rest.
    pub(super) fn start(feed: Feed, shared: Rc<Shared>) -> Rc<RefCell<Self>> {
        let mut poll = Self { feed, shared, call: None, told: Vec::new(), healthy: true };
        let inherited = poll.inherit();
        host::set_tick_period(if inherited.is_some() {
            poll.feed.poll
        } else {
            EAGER_POLL.min(poll.feed.poll)
        });
        Rc::new(RefCell::new(poll))
    }

    /// Hears what another worker, or the plugin before a change of configuration, was told. Without it every
    /// change of configuration would refuse everybody until the first poll.
    fn inherit(&mut self) -> Option<()> {
        let left = host::shared_data(&self.key())?;
        let (heard_at, told) = left.split_first_chunk()?;
        self.shared.knowledge.borrow_mut().hear(told, u64::from_le_bytes(*heard_at)).ok()?;
        self.told = told.to_vec();
        Some(())
    }

    fn bequeath(&self, now: u64) {
        host::set_shared_data(&self.key(), &[&now.to_le_bytes()[..], &self.told].concat());
    }

    /// Another feed's keys are not ours.
    fn key(&self) -> String {
        format!("edgeward.feed {} {}", self.feed.cluster, self.feed.path)
    }

    /// Asks, unless a call is under way.
    pub(super) fn ask(this: &Rc<RefCell<Self>>, now: Duration) {
        let mut poll = this.borrow_mut();
        match poll.call {
            Some((_, lost)) if now < lost => return,
            Some((token, _)) => calls::forget(token),
            None => {}
        }
        let path = format!("{}?keys={}", poll.feed.path, poll.shared.knowledge.borrow().etag());
        let asker = Rc::downgrade(this);
        let waiter = Box::new(move |answer: &Answer| {
            if let Some(poll) = asker.upgrade() {
                poll.borrow_mut().answered(answer);
            }
        });
        let call = calls::get(&poll.feed.cluster, &path, poll.feed.timeout, waiter);
        poll.call = call.map(|token| (token, now + poll.feed.timeout + LOST_AFTER));
        if call.is_none() {
            poll.failed("the host did not take the call: is there such a cluster?");
        }
    }

    fn answered(&mut self, answer: &Answer) {
        self.call = None;
        match answer.status.as_deref() {
            Some(b"200") => {}
            Some(status) => return self.failed(&format!("the answer has status {}", status.escape_ascii())),
            None => return self.failed("no answer came"),
        }
        let Some(now) = host::now() else { return self.failed("the host has no time") };
        let heard = self.shared.knowledge.borrow_mut().hear(&answer.body, now.as_secs());
        match heard {
            Ok(changed) => {
                if changed {
                    self.told.clone_from(&answer.body);
                    host::log(
                        Level::Info,
                        &format!("edgeward: keys {:?}", self.shared.knowledge.borrow().keys()),
                    );
                    host::set_tick_period(self.feed.poll);
                }
                self.bequeath(now.as_secs());
                self.succeeded();
            }
            Err(fault) => self.failed(&fault.to_string()),
        }
    }

    fn succeeded(&mut self) {
        if !self.healthy {
            host::log(Level::Info, "edgeward: the edge feed answers again");
        }
        self.healthy = true;
    }

    fn failed(&mut self, why: &str) {
        if self.healthy {
            let cluster = &self.feed.cluster;
            let line =
                format!("edgeward: the edge feed of cluster {cluster} failed, what is known stays: {why}");
            host::log(Level::Warn, &line);
        }
        self.healthy = false;
    }
}
