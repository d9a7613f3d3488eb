//! The plugin on one worker: configured once, and kept up to date by the edge feed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::host::{self, Buffer, Level};
use super::request::Stream;
use crate::config::{self, Configuration, Feed};
use crate::feed::{self, Update};
use crate::gate::Policy;
use crate::keys::KeySet;
use crate::rejection::Rejection;

/// Between polls while no key is known: people are waiting.
const EAGER_POLL: Duration = Duration::from_millis(100);
/// How long after its own timeout a call is taken for lost.
const LOST_AFTER: Duration = Duration::from_secs(1);

/// What all streams of a worker share.
pub(super) struct Shared {
    pub(super) policy: Policy,
    pub(super) keys: RefCell<KeySet>,
    /// The counters of refusals, by label; as many as there are labels at most.
    counters: RefCell<HashMap<&'static str, Option<u32>>>,
}

impl Shared {
    /// Counts a refusal, and leaves its reason for the access log.
    pub(super) fn record(&self, rejection: Rejection) {
        let label = rejection.label();
        host::set_property("edgeward.rejection", label.as_bytes());
        let define = || host::counter(&format!("edgeward_refused.reason.{label}"));
        if let Some(counter) = *self.counters.borrow_mut().entry(label).or_insert_with(define) {
            host::increment(counter);
        }
    }
}

/// The root context.
#[derive(Default)]
pub(super) struct Root {
    shared: Option<Rc<Shared>>,
    poll: Option<Poll>,
}

/// The edge feed, as far as it was followed.
struct Poll {
    feed: Feed,
    /// The name of the key set held, empty for none.
    etag: String,
    /// The call under way, and when it is lost.
    call: Option<(u32, Duration)>,
    /// Whether the last answer could be used; only changes are logged.
    healthy: bool,
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, _: usize, _: usize, _: usize) {
        let (Some(shared), Some(poll)) = (&self.shared, &mut self.poll) else { return };
        // Any other answer is one that was given up.
        if poll.call.take_if(|(call, _)| *call == token).is_some() {
            poll.answered(shared);
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let text = host::buffer(Buffer::PluginConfiguration, usize::MAX).unwrap_or_default();
        match config::compile(&text) {
            Ok(configuration) => {
                self.configure(configuration);
                true
            }
            Err(mistakes) => {
                for mistake in mistakes {
                    host::log(Level::Error, &format!("edgeward: {mistake}"));
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let (Some(poll), Some(now)) = (&mut self.poll, host::now()) {
            poll.ask(now);
        }
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { shared: self.shared.clone() }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Root {
    fn configure(&mut self, configuration: Configuration) {
        for setting in configuration.idle {
            host::log(Level::Warn, &format!("edgeward: {setting} is understood, but nothing acts on it yet"));
        }
        if let Some(feed) = &configuration.feed {
            host::set_tick_period(EAGER_POLL.min(feed.poll));
        }
        self.poll =
            configuration.feed.map(|feed| Poll { feed, etag: String::new(), call: None, healthy: true });
        self.shared = Some(Rc::new(Shared {
            policy: configuration.policy,
            keys: RefCell::new(configuration.keys),
            counters: RefCell::default(),
        }));
    }
}

impl Poll {
    fn ask(&mut self, now: Duration) {
        if self.call.is_some_and(|(_, lost)| now < lost) {
            return;
        }
        let path = format!("{}?keys={}", self.feed.path, self.etag);
        let headers = vec![(":method", "GET"), (":path", &*path), (":authority", &*self.feed.cluster)];
        // The SDK's own call: it alone can tell the SDK's dispatcher of the answer to come. Of its statuses
        // Envoy gives only those that it does not panic on.
        let call =
            hostcalls::dispatch_http_call(&self.feed.cluster, headers, None, Vec::new(), self.feed.timeout);
        match call {
            Ok(token) => self.call = Some((token, now + self.feed.timeout + LOST_AFTER)),
            Err(status) => self.failed(&format!("the call could not be made: {status:?}")),
        }
    }

    fn answered(&mut self, shared: &Shared) {
        let headers = host::headers(host::Map::CallResponseHeaders);
        let pairs = headers.as_ref().and_then(host::Headers::pairs).unwrap_or_default();
        let status = pairs.iter().find(|(name, _)| *name == b":status").map(|(_, value)| *value);
        match status {
            Some(b"200") => {}
            Some(status) => return self.failed(&format!("the answer has status {}", status.escape_ascii())),
            None => return self.failed("no answer came"),
        }
        let body = host::buffer(Buffer::CallResponseBody, feed::MAX_BYTES + 1).unwrap_or_default();
        match feed::read(&body, &self.etag) {
            Ok(Update::Unchanged) => self.succeeded(),
            Ok(Update::Keys { etag, keys }) => {
                host::log(Level::Info, &format!("edgeward: keys {keys:?}"));
                shared.keys.replace(keys);
                self.etag = etag;
                host::set_tick_period(self.feed.poll);
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
            host::log(
                Level::Warn,
                &format!("edgeward: the edge feed of cluster {cluster} failed, what is known stays: {why}"),
            );
        }
        self.healthy = false;
    }
}
