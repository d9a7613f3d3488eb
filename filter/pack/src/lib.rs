//! Last step of building the plugin: removes exports and unused functions from the compiled module.
//!
//! The SDK exports every callback of the ABI, and a host enters the module for each one that is exported. For streams,
//! for call responses and for memory, functions of the shell (`filter/wasm/src/host.rs`) replace those of the SDK. A host
//! compiles every function of a module, so those that nothing calls any more are removed.

use anyhow::{Context as _, Result};
use walrus::{ExportItem, Module};

/// Exports of the plugin, each with its name in the compiled module.
const EXPORTS: [(&str, &str); 12] = [
    ("memory", "memory"),
    ("_initialize", "_initialize"),
    ("proxy_abi_version_0_2_1", "proxy_abi_version_0_2_1"),
    ("proxy_on_memory_allocate", "edgeward_on_memory_allocate"),
    ("proxy_on_context_create", "edgeward_on_context_create"),
    ("proxy_on_configure", "proxy_on_configure"),
    ("proxy_on_tick", "proxy_on_tick"),
    ("proxy_on_http_call_response", "edgeward_on_http_call_response"),
    ("proxy_on_request_headers", "edgeward_on_request_headers"),
    ("proxy_on_request_trailers", "edgeward_on_request_trailers"),
    ("proxy_on_response_headers", "edgeward_on_response_headers"),
    ("proxy_on_delete", "edgeward_on_delete"),
];

/// Returns the plugin: the compiled module with only the exports of `EXPORTS`, and without unused functions.
///
/// # Errors
/// If `wasm` is not a module, or lacks an export.
pub fn pack(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(wasm)?;
    let compiled: Vec<_> =
        module.exports.iter().map(|export| (export.id(), export.name.clone(), export.item)).collect();
    let find = |name: &str| {
        let found = compiled.iter().find(|(_, this, _)| this == name).map(|(_, _, item)| *item);
        found.with_context(|| format!("the compiled filter has no export `{name}`"))
    };
    let shown: Vec<(&str, ExportItem)> =
        EXPORTS.iter().map(|(shown, name)| Ok((*shown, find(name)?))).collect::<Result<_>>()?;
    for (export, _, _) in &compiled {
        module.exports.delete(*export);
    }
    for (name, item) in shown {
        module.exports.add(name, item);
    }
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

#[cfg(test)]
mod tests {
    use edgeward_stack::paths;

    use super::*;

    #[test]
    fn plugin_has_exactly_the_listed_exports() {
        let path = paths::filter_wasm();
        let module =
            Module::from_file(&path).unwrap_or_else(|_| panic!("{}: run `cargo xtask test`", path.display()));
        let exports: Vec<&str> = module.exports.iter().map(|export| export.name.as_str()).collect();
        assert_eq!(exports, EXPORTS.map(|(shown, _)| shown));
    }

    #[test]
    fn module_that_lacks_an_export_is_rejected() {
        let error = pack(&Module::default().emit_wasm()).unwrap_err();
        assert_eq!(error.to_string(), "the compiled filter has no export `memory`");
    }
}
