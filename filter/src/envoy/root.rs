//! The plugin on one worker: configured once, and woken by the host's timer.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::host::{self, Buffer, Level};
use super::poll::Poll;
use super::request::Stream;
use super::shared::Shared;
use crate::config::{self, Configuration};
use crate::knowledge::Knowledge;

/// The root context.
#[derive(Default)]
pub(super) struct Root {
    shared: Option<Rc<Shared>>,
    poll: Option<Rc<RefCell<Poll>>>,
}

impl Context for Root {}

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
        if let (Some(poll), Some(now)) = (&self.poll, host::now()) {
            Poll::ask(poll, now);
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
        let now = host::now().map_or(0, |now| now.as_secs());
        let shared = Rc::new(Shared::new(configuration.policy, Knowledge::new(configuration.keys, now)));
        self.poll = configuration.feed.map(|feed| Poll::start(feed, Rc::clone(&shared)));
        self.shared = Some(shared);
    }
}
