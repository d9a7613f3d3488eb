//! Host calls for the whole proxy: metrics, calls to clusters, foreign functions, and data that the workers share.

use wasmtime::Linker;

use super::super::memory::{Guest, deserialize, pass_bytes, read, read_text, write};
use super::super::protobuf;
use super::super::world::{Call, World};
use super::{BAD_ARGUMENT, CAS_MISMATCH, NOT_FOUND, OK, fault};

pub(super) fn define(linker: &mut Linker<World>) {
    metrics(linker);
    calls(linker);
    shared_data(linker);
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
        pass_bytes(&mut guest, &response, data, len);
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
        pass_bytes(&mut guest, &value, data, len);
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
