//! The last step of building the filter: the compiled module is left with the exports that it means to have.
//! What its functions do is not touched. Those that nothing calls any more are left out, for a host compiles them all,
//! and those that every request goes through stand together.
//!
//! The SDK exports every callback there is, and a host enters the module for each one that is exported. For streams,
//! for responses to calls and for memory the filter's own functions take the place of the SDK's.

use anyhow::{Context as _, Result};
use walrus::{ExportItem, Module};

use super::order;

/// Exports that the host is to see, each with its name in the module.
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

/// Functions that a request with a cached token runs, in this order.
const PATH_OF_A_REQUEST: [&str; 28] = [
    "edgeward_on_context_create",
    "edgeward_on_request_headers",
    "edgeward_on_memory_allocate",
    "edgeward_filter::envoy::request::strip",
    "edgeward_filter::policy::is_same",
    "edgeward_filter::head::Request::new",
    "edgeward_filter::head::Name::find",
    "memcmp",
    "edgeward_filter::envoy::shared::Shared::decide",
    "edgeward_filter::gate::decide",
    "edgeward_filter::path::CanonicalPath::read",
    "edgeward_filter::rules::Rules::find",
    "edgeward_filter::rules::Index::first",
    "edgeward_filter::rules::Index::sooner",
    "edgeward_filter::rules::Rule::takes",
    "edgeward_wire::cookie::find",
    "<edgeward_wire::cookie::Pairs as core::iter::traits::iterator::Iterator>::next",
    "edgeward_wire::cookie::value",
    "edgeward_filter::memory::Memory::fingerprint",
    "edgeward_filter::memory::Memory::recall",
    "edgeward_filter::revocation::Revocations::judge",
    "edgeward_filter::envoy::request::carry_out",
    "edgeward_filter::envoy::request::replace_our_cookies",
    "edgeward_filter::cookie::without",
    "edgeward_filter::envoy::request::tell",
    "<u64 as itoa::Unsigned>::fmt",
    "edgeward_on_response_headers",
    "edgeward_on_delete",
];

/// The module with these exports and no others, and without what nothing that is left refers to.
pub(super) fn finish(wasm: &[u8]) -> Result<Vec<u8>> {
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
    order::bring_forward(&module.emit_wasm(), &PATH_OF_A_REQUEST)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::stack::paths;

    #[test]
    fn the_plugin_exports_what_it_means_to_and_nothing_else() {
        let path = paths::filter_wasm();
        let module =
            Module::from_file(&path).unwrap_or_else(|_| panic!("{}: run `cargo xtask test`", path.display()));
        let exports: Vec<&str> = module.exports.iter().map(|export| export.name.as_str()).collect();
        assert_eq!(exports, EXPORTS.map(|(shown, _)| shown));
    }

    #[test]
    fn what_every_request_goes_through_stands_first() {
        let wasm = fs::read(paths::filter_wasm()).expect("run `cargo xtask test`");
        assert!(order::names(&wasm).unwrap().starts_with(&PATH_OF_A_REQUEST.map(str::to_owned)));
    }

    #[test]
    fn a_module_without_one_of_them_is_refused() {
        let error = finish(&Module::default().emit_wasm()).unwrap_err();
        assert_eq!(error.to_string(), "the compiled filter has no export `memory`");
    }
}
