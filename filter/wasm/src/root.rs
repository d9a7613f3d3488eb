//! A root context: the plugin is configured once, and then woken by the host's timer.

use std::rc::Rc;

use edgeward_filter::config;
use edgeward_filter::feed::follower::Level;
use proxy_wasm::traits::{Context, RootContext};

use crate::host::{self, Buffer};
use crate::plugin::{self, Plugin, TICK};
use crate::stream;

/// Root context.
pub(crate) struct Root {
    id: u32,
    plugin: Option<Rc<Plugin>>,
}

impl Root {
    pub(crate) fn new(id: u32) -> Self {
        Self { id, plugin: None }
    }
}

impl Context for Root {}

impl Drop for Root {
    fn drop(&mut self) {
        // The host drops the calls of a plugin that ends. Another may follow the same feed.
        if let Some(feed) = self.plugin.as_ref().and_then(|plugin| plugin.feed.as_ref()) {
            feed.cancel_call();
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let (Some(now), Some(key)) = (host::now(), host::random()) else {
            host::log(Level::Error, "edgeward: the host has no clock, or no randomness");
            return false;
        };
        let text = host::buffer(Buffer::PluginConfiguration, usize::MAX).unwrap_or_default();
        match config::compile(&text) {
            Ok(configuration) => {
                host::set_tick_period(TICK);
                let plugin = Plugin::start(configuration, now, key);
                plugin::configure_root(self.id, Rc::clone(&plugin));
                self.plugin = Some(plugin);
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
        let (Some(plugin), Some(now)) = (&self.plugin, host::now()) else { return };
        if let Some(feed) = &plugin.feed {
            feed.on_tick(now);
        }
        stream::on_tick(plugin, now);
    }
}
