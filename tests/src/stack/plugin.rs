//! The last step of building the filter: the compiled module is left with the exports that it means to have.
//! What its functions do is not touched.
//!
//! The SDK exports every callback there is, and a host enters the module for each one that is exported. It also
//! panics on an answer to a call that it does not know of; the filter's own function takes that one's place.

use anyhow::{Result, bail};
use wasm_encoder::{ExportKind, ExportSection, Module, RawSection};
use wasmparser::{ExternalKind, Parser, Payload};

/// What the host is to see, and what that is called in the module.
const EXPORTS: [(&str, &str); 12] = [
    ("memory", "memory"),
    ("_initialize", "_initialize"),
    ("proxy_abi_version_0_2_1", "proxy_abi_version_0_2_1"),
    ("proxy_on_memory_allocate", "proxy_on_memory_allocate"),
    ("proxy_on_context_create", "proxy_on_context_create"),
    ("proxy_on_configure", "proxy_on_configure"),
    ("proxy_on_tick", "proxy_on_tick"),
    ("proxy_on_http_call_response", "edgeward_on_http_call_response"),
    ("proxy_on_request_headers", "proxy_on_request_headers"),
    ("proxy_on_request_trailers", "proxy_on_request_trailers"),
    ("proxy_on_response_headers", "proxy_on_response_headers"),
    ("proxy_on_delete", "proxy_on_delete"),
];

/// The module with these exports and no others.
pub(super) fn finish(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let Payload::ExportSection(reader) = &payload {
            let found = reader.clone().into_iter().collect::<Result<Vec<_>, _>>()?;
            let mut section = ExportSection::new();
            for (shown, name) in EXPORTS {
                let Some(export) = found.iter().find(|export| export.name == name) else {
                    bail!("the compiled filter has no export `{name}`");
                };
                section.export(shown, kind(export.kind), export.index);
            }
            module.section(&section);
        } else if let Some((id, range)) = payload.as_section() {
            let data = wasm.get(range).unwrap_or_default();
            module.section(&RawSection { id, data });
        }
    }
    Ok(module.finish())
}

fn kind(kind: ExternalKind) -> ExportKind {
    match kind {
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Tag => ExportKind::Tag,
        ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::paths;

    #[test]
    fn the_plugin_exports_what_it_means_to_and_nothing_else() {
        let path = paths::filter_wasm();
        let wasm =
            std::fs::read(&path).unwrap_or_else(|_| panic!("{}: run `cargo xtask test`", path.display()));
        let exports = Parser::new(0).parse_all(&wasm).find_map(|payload| match payload.unwrap() {
            Payload::ExportSection(reader) => {
                Some(reader.into_iter().map(|export| export.unwrap().name).collect::<Vec<_>>())
            }
            _ => None,
        });
        assert_eq!(exports.unwrap(), EXPORTS.map(|(shown, _)| shown));
    }

    #[test]
    fn a_module_without_one_of_them_is_refused() {
        let mut module = Module::new();
        module.section(&ExportSection::new());
        let error = finish(&module.finish()).unwrap_err();
        assert_eq!(error.to_string(), "the compiled filter has no export `memory`");
    }
}
