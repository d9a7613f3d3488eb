//! Host calls that the filter imports (proxy-wasm ABI 0.2.1, and the little of WASI that Rust's standard library needs). A
//! call that is not provided traps, which a test shows as a panic.

use wasmtime::{Engine, Linker};

use super::memory::{Guest, deserialize, hand_over, read, read_text, serialize, write};
use super::protobuf;
use super::world::{Call, LocalReply, World};

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;

/// Returns all host calls, by name.
pub(super) fn linker(engine: &Engine) -> Linker<World> {
    let mut linker = Linker::new(engine);
    log_and_time(&mut linker);
    buffers(&mut linker);
    header_maps(&mut linker);
    replies(&mut linker);
    metrics(&mut linker);
    calls(&mut linker);
    shared_data(&mut linker);
    wasi(&mut linker);
    let (_, module) = super::compiled();
    linker.define_unknown_imports_as_traps(module).unwrap();
    linker
}

/// Returns the status that this call is to have in place of its effect.
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
    let set_context = |mut guest: Guest<'_>, context: u32| {
        if let Some(status) = fault(&guest, "proxy_set_effective_context") {
            return status;
        }
        if !guest.data().streams.contains_key(&context) {
            return BAD_ARGUMENT;
        }
        guest.data_mut().context = context;
        OK
    };
    linker.func_wrap("env", "proxy_set_effective_context", set_context).unwrap();
    let continue_stream = |mut guest: Guest<'_>, _stream: u32| {
        if let Some(status) = fault(&guest, "proxy_continue_stream") {
            return status;
        }
        guest.data_mut().stream().map_or(BAD_ARGUMENT, |stream| {
            stream.continues = true;
            OK
        })
    };
    linker.func_wrap("env", "proxy_continue_stream", continue_stream).unwrap();
}

fn buffers(linker: &mut Linker<World>) {
    let bytes = |mut guest: Guest<'_>, buffer: u32, start: u32, max: u32, data: u32, len: u32| {
        if let Some(status) = fault(&guest, "proxy_get_buffer_bytes") {
            return status;
        }
        let Some(bytes) = guest.data().buffer(buffer).map(<[u8]>::to_vec) else { return NOT_FOUND };
        let (start, max) = (start as usize, max as usize);
        let part = bytes.get(start..).unwrap_or_default();
        hand_over(&mut guest, &part[..part.len().min(max)], data, len);
        OK
    };
    linker.func_wrap("env", "proxy_get_buffer_bytes", bytes).unwrap();
}

fn header_maps(linker: &mut Linker<World>) {
    let pairs = |mut guest: Guest<'_>, map: u32, data: u32, len: u32| {
        if let Some(status) = fault(&guest, "proxy_get_header_map_pairs") {
            return status;
        }
        let Some(bytes) = guest.data_mut().map(map).map(|headers| serialize(headers)) else {
            return BAD_ARGUMENT;
        };
        hand_over(&mut guest, &bytes, data, len);
        OK
    };
    linker.func_wrap("env", "proxy_get_header_map_pairs", pairs).unwrap();
    let remove = |mut guest: Guest<'_>, map: u32, name: u32, name_len: u32| {
        if let Some(status) = fault(&guest, "proxy_remove_header_map_value") {
            return status;
        }
        let name = read(&mut guest, name, name_len);
        change(guest, map, |headers| headers.retain(|(this, _)| *this != name))
    };
    linker.func_wrap("env", "proxy_remove_header_map_value", remove).unwrap();
    let replace = |mut guest: Guest<'_>, map: u32, name: u32, name_len: u32, value: u32, value_len: u32| {
        if let Some(status) = fault(&guest, "proxy_replace_header_map_value") {
            return status;
        }
        let (name, value) = (read(&mut guest, name, name_len), read(&mut guest, value, value_len));
        change(guest, map, |headers| {
            headers.retain(|(this, _)| *this != name);
            headers.push((name, value));
        })
    };
    linker.func_wrap("env", "proxy_replace_header_map_value", replace).unwrap();
    let add = |mut guest: Guest<'_>, map: u32, name: u32, name_len: u32, value: u32, value_len: u32| {
        if let Some(status) = fault(&guest, "proxy_add_header_map_value") {
            return status;
        }
        let (name, value) = (read(&mut guest, name, name_len), read(&mut guest, value, value_len));
        change(guest, map, |headers| headers.push((name, value)))
    };
    linker.func_wrap("env", "proxy_add_header_map_value", add).unwrap();
}

fn change(mut guest: Guest<'_>, map: u32, change: impl FnOnce(&mut super::Headers)) -> u32 {
    guest.data_mut().map(map).map_or(BAD_ARGUMENT, |headers| {
        change(headers);
        OK
    })
}

fn replies(linker: &mut Linker<World>) {
    let respond = |mut guest: Guest<'_>,
                   status: u32,
                   details: u32,
                   details_len: u32,
                   body: u32,
                   body_len: u32,
                   headers: u32,
                   headers_len: u32,
                   _grpc_status: i32| {
        if let Some(status) = fault(&guest, "proxy_send_local_response") {
            return status;
        }
        let reply = LocalReply {
            status,
            details: read_text(&mut guest, details, details_len),
            headers: deserialize(&read(&mut guest, headers, headers_len)),
            body: read_text(&mut guest, body, body_len),
        };
        guest.data_mut().stream().map_or(BAD_ARGUMENT, |stream| {
            stream.local_reply = Some(reply);
            OK
        })
    };
    linker.func_wrap("env", "proxy_send_local_response", respond).unwrap();
    let property = |mut guest: Guest<'_>, path: u32, path_len: u32, value: u32, value_len: u32| {
        if let Some(status) = fault(&guest, "proxy_set_property") {
            return status;
        }
        let property = (read_text(&mut guest, path, path_len), read_text(&mut guest, value, value_len));
        guest.data_mut().stream().map_or(BAD_ARGUMENT, |stream| {
            stream.properties.push(property);
            OK
        })
    };
    linker.func_wrap("env", "proxy_set_property", property).unwrap();
    let attribute = |mut guest: Guest<'_>, path: u32, path_len: u32, data: u32, len: u32| {
        if let Some(status) = fault(&guest, "proxy_get_property") {
            return status;
        }
        let path = read_text(&mut guest, path, path_len);
        let details = guest.data_mut().stream().map(|stream| stream.response_details.clone());
        let Some(details) = details.filter(|_| path == "response\0code_details") else { return NOT_FOUND };
        hand_over(&mut guest, details.as_bytes(), data, len);
        OK
    };
    linker.func_wrap("env", "proxy_get_property", attribute).unwrap();
}

fn metrics(linker: &mut Linker<World>) {
    let define = |mut guest: Guest<'_>, _kind: u32, name: u32, name_len: u32, id: u32| {
        if let Some(status) = fault(&guest, "proxy_define_metric") {
            return status;
        }
        let name = read_text(&mut guest, name, name_len);
        let metrics = &mut guest.data_mut().metrics;
        let at = metrics.iter().position(|(this, _)| *this == name).unwrap_or_else(|| {
            metrics.push((name, 0));
            metrics.len() - 1
        });
        write(&mut guest, id, &u32::try_from(at).unwrap().to_le_bytes());
        OK
    };
    linker.func_wrap("env", "proxy_define_metric", define).unwrap();
    let increment = |mut guest: Guest<'_>, id: u32, offset: i64| {
        if let Some(status) = fault(&guest, "proxy_increment_metric") {
            return status;
        }
        guest.data_mut().metrics.get_mut(id as usize).map_or(BAD_ARGUMENT, |(_, value)| {
            *value += offset;
            OK
        })
    };
    linker.func_wrap("env", "proxy_increment_metric", increment).unwrap();
    let record = |mut guest: Guest<'_>, id: u32, recorded: u64| {
        if let Some(status) = fault(&guest, "proxy_record_metric") {
            return status;
        }
        guest.data_mut().metrics.get_mut(id as usize).map_or(BAD_ARGUMENT, |(_, value)| {
            *value = recorded.cast_signed();
            OK
        })
    };
    linker.func_wrap("env", "proxy_record_metric", record).unwrap();
}

fn calls(linker: &mut Linker<World>) {
    let call = |mut guest: Guest<'_>,
                cluster: u32,
                cluster_len: u32,
                headers: u32,
                headers_len: u32,
                _body: u32,
                _body_len: u32,
                _trailers: u32,
                _trailers_len: u32,
                _timeout: u32,
                token: u32| {
        if let Some(status) = fault(&guest, "proxy_http_call") {
            return status;
        }
        let cluster = read_text(&mut guest, cluster, cluster_len);
        let headers = deserialize(&read(&mut guest, headers, headers_len));
        let world = guest.data_mut();
        world.tokens += 1;
        let call = Call { token: world.tokens, cluster, headers };
        world.calls.push(call.clone());
        write(&mut guest, token, &call.token.to_le_bytes());
        OK
    };
    linker.func_wrap("env", "proxy_http_call", call).unwrap();
    let foreign = |mut guest: Guest<'_>,
                   name: u32,
                   name_len: u32,
                   arguments: u32,
                   arguments_len: u32,
                   data: u32,
                   len: u32| {
        if let Some(status) = fault(&guest, "proxy_call_foreign_function") {
            return status;
        }
        let name = read_text(&mut guest, name, name_len);
        if name != "verify_signature" || !guest.data().traits.verify_signature {
            return NOT_FOUND;
        }
        guest.data_mut().verifications += 1;
        let request = read(&mut guest, arguments, arguments_len);
        let Some(response) = protobuf::verify_signature(&request) else { return BAD_ARGUMENT };
        hand_over(&mut guest, &response, data, len);
        OK
    };
    linker.func_wrap("env", "proxy_call_foreign_function", foreign).unwrap();
}

fn shared_data(linker: &mut Linker<World>) {
    let get = |mut guest: Guest<'_>, key: u32, key_len: u32, data: u32, len: u32, version: u32| {
        if let Some(status) = fault(&guest, "proxy_get_shared_data") {
            return status;
        }
        let key = read(&mut guest, key, key_len);
        let found = guest.data().shared_data.lock().unwrap().get(&key).cloned();
        let Some((value, number)) = found else { return NOT_FOUND };
        hand_over(&mut guest, &value, data, len);
        write(&mut guest, version, &number.to_le_bytes());
        OK
    };
    linker.func_wrap("env", "proxy_get_shared_data", get).unwrap();
    let set = |mut guest: Guest<'_>, key: u32, key_len: u32, value: u32, value_len: u32, version: u32| {
        if let Some(status) = fault(&guest, "proxy_set_shared_data") {
            return status;
        }
        let (key, value) = (read(&mut guest, key, key_len), read(&mut guest, value, value_len));
        let mut shared = guest.data().shared_data.lock().unwrap();
        let held = shared.get(&key).map_or(0, |(_, number)| *number);
        if version != 0 && version != held {
            return CAS_MISMATCH;
        }
        shared.insert(key, (value, held + 1));
        OK
    };
    linker.func_wrap("env", "proxy_set_shared_data", set).unwrap();
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
