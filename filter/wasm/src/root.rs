//! A root context: the plugin is configured once, and then woken by the host's timer.

use edgeward_filter::BUILD_INFO;
use edgeward_filter::config;
use edgeward_filter::filter::TICK;
use edgeward_filter::log::Level;
use proxy_wasm::traits::{Context, RootContext};
use proxy_wasm::types::BufferType;

use crate::plugin::{self, Plugin};
use crate::{host, metrics, stream};

/// Root context, by its number.
pub(crate) struct Root(pub(crate) u32);

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let (Some(now), Some(key), Some(seed)) = (host::now(), host::random(), host::random()) else {
            host::log(Level::Error, "edgeward: the host has no clock, or no randomness");
            return false;
        };
        let text = host::buffer(BufferType::PluginConfiguration, usize::MAX).unwrap_or_default();
        match config::compile(&text) {
            Ok(configuration) => {
                host::set_tick_period(TICK);
                metrics::record((BUILD_INFO.as_str(), 1));
                let plugin = Plugin::start(configuration, now, key, u64::from_le_bytes(seed));
                plugin::configure_root(self.0, plugin);
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
        let (Some(plugin), Some(now)) = (plugin::of_root(self.0), host::now()) else { return };
        plugin.feed.iter().for_each(|feed| feed.on_tick(now));
        stream::on_tick(&plugin, now);
    }
}
