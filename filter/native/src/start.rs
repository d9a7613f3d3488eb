//! Start of a configuration: its text is compiled, or its mistakes go to Envoy's log.

use edgeward_filter::config;
use edgeward_filter::log::Level;
use edgeward_filter::rs256;

use crate::abi::{self, Host};
use crate::clock;
use crate::plugin::Plugin;
use crate::rsa::AwsLc;

/// Name of the only filter of this module.
const FILTER_NAME: &[u8] = b"edgeward";

/// Starts a configuration: the JSON that the plugin has too. None if it has mistakes; Envoy refuses it then, and continues with
/// the one that it has.
pub(crate) fn configure(host: Host, name: &[u8], text: &[u8]) -> Option<Plugin> {
    let fail = |mistake: &dyn std::fmt::Display| abi::log(Level::Error, &format!("edgeward: {mistake}"));
    if name != FILTER_NAME {
        let (name, expected) = (name.escape_ascii(), FILTER_NAME.escape_ascii());
        fail(&format_args!("`filter_name` is \"{name}\", and this module has \"{expected}\" alone"));
        return None;
    }
    rs256::install::<AwsLc>();
    let configuration =
        config::compile(text).map_err(|mistakes| mistakes.iter().for_each(|it| fail(it))).ok()?;
    let plugin = Plugin::start(configuration, host, clock::now());
    plugin.map_err(|error| fail(&error)).ok()
}
