//! Host calls that the filter imports (proxy-wasm ABI 0.2.1, and the little of WASI that Rust's standard library needs). A
//! call that is not provided traps, which a test shows as a panic.

mod proxy;
mod stream;

use wasmtime::{Engine, Linker, Module};

use super::memory::{Guest, pass_bytes, read, read_text, write};
use super::world::World;

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;

/// Host calls that can be given a fault.
pub const CALLS: [&str; 21] = [
    "proxy_log",
    "proxy_get_current_time_nanoseconds",
    "proxy_set_tick_period_milliseconds",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_add_header_map_value",
    "proxy_send_local_response",
    "proxy_get_property",
    "proxy_set_property",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_record_metric",
    "proxy_http_call",
    "proxy_set_effective_context",
    "proxy_continue_stream",
    "proxy_close_stream",
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_call_foreign_function",
];

/// Returns all host calls, by name.
pub(super) fn linker(engine: &Engine, module: &Module) -> Linker<World> {
    let mut linker = Linker::new(engine);
    log_and_time(&mut linker);
    buffers(&mut linker);
    stream::define(&mut linker);
    proxy::define(&mut linker);
    wasi(&mut linker);
    linker.define_unknown_imports_as_traps(module).unwrap();
    linker
}

/// Returns the status that a host call returns in place of its effect, if it has a fault.
fn fault(guest: &Guest<'_>, call: &str) -> Option<u32> {
    guest.data().traits.fault.filter(|(name, _)| *name == call).map(|(_, status)| status)
}

fn log_and_time(linker: &mut Linker<World>) {
    let log = |mut guest: Guest<'_>, _level: u32, text: u32, len: u32| {
        if let Some(status) = fault(&guest, "proxy_log") {
            return status;
        }
        let line = read_text(&mut guest, text, len);
        guest.data_mut().log.push(line);
        OK
    };
    linker.func_wrap("env", "proxy_log", log).unwrap();
    let now = |mut guest: Guest<'_>, time: u32| {
        if let Some(status) = fault(&guest, "proxy_get_current_time_nanoseconds") {
            return status;
        }
        let now = guest.data().now_ns;
        write(&mut guest, time, &now.to_le_bytes());
        OK
    };
    linker.func_wrap("env", "proxy_get_current_time_nanoseconds", now).unwrap();
    let tick =
        |guest: Guest<'_>, _period: u32| fault(&guest, "proxy_set_tick_period_milliseconds").unwrap_or(OK);
    linker.func_wrap("env", "proxy_set_tick_period_milliseconds", tick).unwrap();
}

fn buffers(linker: &mut Linker<World>) {
    let bytes = |mut guest: Guest<'_>, buffer: u32, start: u32, max: u32, data: u32, len: u32| {
        if let Some(status) = fault(&guest, "proxy_get_buffer_bytes") {
            return status;
        }
        let Some(bytes) = guest.data().buffer(buffer).map(<[u8]>::to_vec) else { return NOT_FOUND };
        let (start, max) = (start as usize, max as usize);
        let part = bytes.get(start..).unwrap_or_default();
        pass_bytes(&mut guest, &part[..part.len().min(max)], data, len);
        OK
    };
    linker.func_wrap("env", "proxy_get_buffer_bytes", bytes).unwrap();
}

fn wasi(linker: &mut Linker<World>) {
    const WASI: &str = "wasi_snapshot_preview1";
    // The same bytes at every start, so that a failing test fails again, and others for each worker.
    let random = |mut guest: Guest<'_>, address: u32, len: u32| {
        let byte = 0x5a ^ guest.data().worker;
        write(&mut guest, address, &vec![byte; len as usize]);
        OK
    };
    linker.func_wrap(WASI, "random_get", random).unwrap();
    let sizes = |mut guest: Guest<'_>, count: u32, size: u32| {
        write(&mut guest, count, &[0; 4]);
        write(&mut guest, size, &[0; 4]);
        OK
    };
    linker.func_wrap(WASI, "environ_sizes_get", sizes).unwrap();
    linker.func_wrap(WASI, "environ_get", |_names: u32, _bytes: u32| OK).unwrap();
    let fd_write = |mut guest: Guest<'_>, _file: u32, vectors: u32, count: u32, written: u32| {
        let mut text = Vec::new();
        for at in 0..count {
            let vector = read(&mut guest, vectors + 8 * at, 8);
            let number = |part: &[u8]| u32::from_le_bytes(part.try_into().unwrap());
            text.extend(read(&mut guest, number(&vector[..4]), number(&vector[4..])));
        }
        let len = u32::try_from(text.len()).unwrap();
        guest.data_mut().log.push(String::from_utf8_lossy(&text).into_owned());
        write(&mut guest, written, &len.to_le_bytes());
        OK
    };
    linker.func_wrap(WASI, "fd_write", fd_write).unwrap();
}
