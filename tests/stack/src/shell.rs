//! The two shells of the filter, the wasm plugin and the native module, and the gateway's configuration for each.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::paths;
use super::wheels::{self, Wheel};

/// Variable of the environment that chooses the shell of tests: `wasm`, which is the default, or `native`.
pub const VARIABLE: &str = "EDGEWARD_FILTER";

/// Shell of the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// Plugin in the sandbox of proxy-wasm.
    Wasm,
    /// Dynamic module of Envoy.
    Native,
}

/// Texts of `envoy/envoy.yaml` that name the plugin, and their counterparts for the module.
const OF_MODULE: [(&str, &str); 4] = [
    (
        r#"                      "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                      config:
                        name: edgeward
                        root_id: edgeward
                        # A filter that fails is started again, and never left out.
                        failure_policy: FAIL_RELOAD
                        vm_config:
                          vm_id: edgeward
                          runtime: envoy.wasm.runtime.v8
                          code:
                            local: { filename: /etc/envoy/edgeward.wasm }
                        configuration:
"#,
        r#"                      "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter
                      dynamic_module_config:
                        module: { local: { filename: /etc/envoy/libedgeward.so } }
                        # A thread of the module may run a moment longer than its last configuration.
                        do_not_close: true
                      filter_name: edgeward
                      filter_config:
"#,
    ),
    (
        r"# The filter counts each rejection as edgeward_refused.reason.<reason>, each poll of the feed that failed as
# edgeward_feed_failed.reason.<reason>, and each stream that it closed as edgeward_streams_closed.reason.<reason>; this makes
# the reason a label.
stats_config:
  stats_tags:
    - tag_name: reason
      regex: '^wasmcustom\.edgeward_(?:refused|feed_failed|streams_closed)(\.reason\.([a-z0-9_]+))$'
    # The version of the filter's build is a part of the name of edgeward_build_info.
    - tag_name: version
      regex: '^wasmcustom\.edgeward_build_info(\.version\.([0-9A-Za-z.+-]+))$'

",
        "",
    ),
    (
        "\
      static_layer: { re2.max_program_size.error_level: 3000 }
",
        "\
      static_layer:
        re2.max_program_size.error_level: 3000
        # The metrics of the module have the names that those of the plugin have.
        envoy.reloadable_features.dynamic_modules_strip_custom_stat_prefix: true
",
    ),
    ("%FILTER_STATE(wasm.edgeward.", "%FILTER_STATE(edgeward."),
];

/// First line of the configuration for the module.
const GENERATED: &str =
    "# Written by `cargo xtask native-gateway` from envoy.yaml, which is the one to change.\n";

impl Shell {
    /// Returns the shell that [`VARIABLE`] chooses, the plugin if it chooses none.
    ///
    /// # Errors
    /// If it names none.
    pub fn chosen() -> Result<Self> {
        Ok(Self::named()?.unwrap_or(Self::Wasm))
    }

    /// Returns the shell that [`VARIABLE`] chooses, if it is set.
    ///
    /// # Errors
    /// If it names none.
    pub fn named() -> Result<Option<Self>> {
        let Some(name) = super::variable(VARIABLE) else { return Ok(None) };
        let shell = [Self::Wasm, Self::Native].into_iter().find(|shell| shell.name() == name);
        shell.map(Some).with_context(|| format!("{VARIABLE} is `{name}`, and must be `wasm` or `native`"))
    }

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Native => "native",
        }
    }

    /// Returns the minor versions of Envoy that it runs in, the oldest first.
    #[must_use]
    pub fn envoys(self) -> &'static [Wheel] {
        match self {
            Self::Wasm => &wheels::ENVOYS,
            // Until 1.38, a configuration of a module had no metrics.
            Self::Native => wheels::ENVOYS.split_at(2).1,
        }
    }

    /// Returns the path of the file that Envoy loads.
    #[must_use]
    pub fn file(self) -> PathBuf {
        match self {
            Self::Wasm => paths::filter_wasm(),
            Self::Native => paths::filter_native(),
        }
    }

    /// Returns the path of that file in a container.
    #[must_use]
    pub const fn file_in_container(self) -> &'static str {
        match self {
            Self::Wasm => "/etc/envoy/edgeward.wasm",
            Self::Native => "/etc/envoy/libedgeward.so",
        }
    }

    /// Returns the gateway's configuration of the checkout.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn configuration(self) -> Result<String> {
        read(&paths::root().join(match self {
            Self::Wasm => "envoy/envoy.yaml",
            Self::Native => NATIVE_FILE,
        }))
    }
}

/// Path of the configuration for the module, in the checkout.
pub const NATIVE_FILE: &str = "envoy/envoy-native.yaml";

/// Returns the gateway's configuration for the module, made from the one for the plugin.
///
/// # Errors
/// If that has no longer what is to be replaced.
pub fn native_configuration() -> Result<String> {
    let mut text = Shell::Wasm.configuration()?;
    for (plugin, module) in OF_MODULE {
        if !text.contains(plugin) {
            bail!("envoy/envoy.yaml no longer has this, which the native module replaces:\n{plugin}");
        }
        text = text.replace(plugin, module);
    }
    Ok(format!("{GENERATED}{text}"))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_module_runs_in_envoy_1_39_and_newer() {
        let versions: Vec<_> = Shell::Native.envoys().iter().map(Wheel::version).collect();
        assert!(versions.first().is_some_and(|oldest| oldest.starts_with("1.39.")), "{versions:?}");
    }

    #[test]
    fn both_shells_have_the_same_gateway() {
        let hint = "run `cargo xtask native-gateway`";
        assert!(Shell::Native.configuration().unwrap() == native_configuration().unwrap(), "{hint}");
    }
}
