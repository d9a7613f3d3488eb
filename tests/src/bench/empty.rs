//! The wasm filter that does nothing, written without an SDK: what a host asks for to run it, and the callbacks that
//! any filter with a state for each request has. What it costs is what no wasm filter can go below.

use walrus::{FunctionBuilder, Module, ValType};

/// The callbacks with the number of their parameters, all of them i32, and what they return, if anything.
const CALLBACKS: [(&str, usize, Option<i32>); 6] = [
    ("proxy_abi_version_0_2_1", 0, None),
    // Nothing is ever asked of the host, so it has nothing to put anywhere.
    ("proxy_on_memory_allocate", 1, Some(0)),
    ("proxy_on_context_create", 2, None),
    ("proxy_on_configure", 2, Some(1)),
    // 0 is "continue".
    ("proxy_on_request_headers", 3, Some(0)),
    ("proxy_on_delete", 1, None),
];

pub(super) fn module() -> Vec<u8> {
    let mut module = Module::default();
    let memory = module.memories.add_local(false, false, 1, None, None);
    module.exports.add("memory", memory);
    for (name, parameters, returns) in CALLBACKS {
        let parameters = vec![ValType::I32; parameters];
        let results: Vec<ValType> = returns.map(|_| ValType::I32).into_iter().collect();
        let mut function = FunctionBuilder::new(&mut module.types, &parameters, &results);
        if let Some(value) = returns {
            function.func_body().i32_const(value);
        }
        let arguments = parameters.iter().map(|kind| module.locals.add(*kind)).collect();
        let function = function.finish(arguments, &mut module.funcs);
        module.exports.add(name, function);
    }
    module.emit_wasm()
}
