//! The wasm filter that does nothing, written without an SDK: what a host asks for to run it, and the callbacks that
//! any filter with a state for each request has. What it costs is what no wasm filter can go below.

use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, MemorySection, MemoryType, Module,
    TypeSection, ValType,
};

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
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    exports.export("memory", ExportKind::Memory, 0);
    for (index, (name, parameters, returns)) in (0..).zip(CALLBACKS) {
        let parameters = vec![ValType::I32; parameters];
        types.ty().function(parameters, returns.map(|_| ValType::I32));
        functions.function(index);
        exports.export(name, ExportKind::Func, index);
        let mut body = Function::new([]);
        if let Some(value) = returns {
            body.instructions().i32_const(value);
        }
        body.instructions().end();
        code.function(&body);
    }
    let mut memory = MemorySection::new();
    memory.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memory).section(&exports).section(&code);
    module.finish()
}
