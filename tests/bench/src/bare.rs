//! Filters without an SDK, which show the minimum cost of any wasm filter and of any native module: one of each does nothing,
//! and a wasm filter only makes the host calls that Edgeward makes for a seen token.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use edgeward_stack::process;
use walrus::ir::Value;
use walrus::{ConstExpr, DataKind, FunctionBuilder, InstrSeqBuilder, MemoryId, Module, ValType};

/// Callbacks, each with the number of its parameters, all of them i32, and its result, if it has one.
const CALLBACKS: [(&str, usize, Option<i32>); 7] = [
    ("proxy_abi_version_0_2_1", 0, None),
    ("proxy_on_memory_allocate", 1, Some(ROOM)),
    ("proxy_on_context_create", 2, None),
    ("proxy_on_configure", 2, Some(1)),
    // 0 is "continue".
    ("proxy_on_request_headers", 3, Some(0)),
    ("proxy_on_response_headers", 3, Some(0)),
    ("proxy_on_delete", 1, None),
];
/// Address for the host's numbers.
const NUMBERS: i32 = 16;
/// Address for the host's data, valid until the next request.
const ROOM: i32 = 65_536;
const REQUEST_HEADERS: i32 = 0;
/// Header fields that are set, as the demo's upstream receives them.
const HEADERS: [(&str, &str); 4] = [
    ("cookie", "theme=dark; lang=en"),
    ("x-user-id", "1000"),
    ("x-user-role", "customer"),
    ("x-session-id", "1000"),
];

/// Source of the native module that does nothing.
const NATIVE_SOURCE: &str = include_str!("../idle_module.rs");

/// Compiles the native module that does nothing.
///
/// # Errors
/// With the compiler's output, if it fails.
pub(super) fn compile_native(module: &Path) -> Result<()> {
    let source = module.with_extension("rs");
    fs::write(&source, NATIVE_SOURCE)?;
    let mut command = Command::new("rustc");
    command.args(["--edition", "2024", "--crate-type", "cdylib", "-C", "opt-level=3", "-o"]);
    process::output(command.arg(module).arg(&source)).map(drop)
}

/// Returns the wasm filter that does nothing.
pub(super) fn idle() -> Vec<u8> {
    module(|_, _| Box::new(|_| {}))
}

/// Returns the filter that reads all header fields and the time, and sets four header fields.
pub(super) fn calling() -> Vec<u8> {
    module(|module, memory| {
        let mut import = |name: &str, parameters: usize| {
            let kind = module.types.add(&vec![ValType::I32; parameters], &[ValType::I32]);
            module.add_import_func("env", name, kind).0
        };
        let read = import("proxy_get_header_map_pairs", 3);
        let time = import("proxy_get_current_time_nanoseconds", 1);
        let set = import("proxy_replace_header_map_value", 5);
        let mut at = 64;
        let mut keep = |text: &str| {
            let offset = ConstExpr::Value(Value::I32(at));
            module.data.add(DataKind::Active { memory, offset }, text.as_bytes().to_vec());
            let length = i32::try_from(text.len()).unwrap_or_default();
            at += length;
            (at - length, length)
        };
        let headers = HEADERS.map(|(name, value)| (keep(name), keep(value)));
        Box::new(move |body| {
            body.i32_const(REQUEST_HEADERS).i32_const(NUMBERS).i32_const(NUMBERS + 4).call(read).drop();
            body.i32_const(NUMBERS).call(time).drop();
            for ((name, name_length), (value, value_length)) in headers {
                body.i32_const(REQUEST_HEADERS).i32_const(name).i32_const(name_length);
                body.i32_const(value).i32_const(value_length).call(set).drop();
            }
        })
    })
}

type Body = Box<dyn FnOnce(&mut InstrSeqBuilder<'_>)>;

/// Returns a filter that runs a body at every request. `prepare` adds the body's imports and data to the module.
fn module(prepare: impl FnOnce(&mut Module, MemoryId) -> Body) -> Vec<u8> {
    let mut module = Module::default();
    let memory = module.memories.add_local(false, false, 2, None, None);
    module.exports.add("memory", memory);
    let mut at_request = Some(prepare(&mut module, memory));
    for (name, parameters, returns) in CALLBACKS {
        let parameters = vec![ValType::I32; parameters];
        let results: Vec<ValType> = returns.map(|_| ValType::I32).into_iter().collect();
        let mut function = FunctionBuilder::new(&mut module.types, &parameters, &results);
        if let Some(act) = at_request.take_if(|_| name == "proxy_on_request_headers") {
            act(&mut function.func_body());
        }
        if let Some(value) = returns {
            function.func_body().i32_const(value);
        }
        let arguments = parameters.iter().map(|kind| module.locals.add(*kind)).collect();
        let function = function.finish(arguments, &mut module.funcs);
        module.exports.add(name, function);
    }
    module.emit_wasm()
}
