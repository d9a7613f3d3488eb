//! Host calls for one stream: header fields, local reply, properties, continuation and end.

use wasmtime::Linker;

use super::super::Headers;
use super::super::memory::{Guest, deserialize, pass_bytes, read, read_text, serialize};
use super::super::world::{LocalReply, World};
use super::{BAD_ARGUMENT, NOT_FOUND, OK, fault};

/// Kinds of streams (`proxy_stream_type_t`).
const HTTP_REQUEST: u32 = 0;
const HTTP_RESPONSE: u32 = 1;
const DOWNSTREAM: u32 = 2;
const UPSTREAM: u32 = 3;

pub(super) fn define(linker: &mut Linker<World>) {
    header_maps(linker);
    replies(linker);
    flow(linker);
}

fn flow(linker: &mut Linker<World>) {
    let set_context = |mut guest: Guest<'_>, context: u32| {
        if let Some(status) = fault(&guest, "proxy_set_effective_context") {
            return status;
        }
        if !guest.data().is_open(context) {
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
    let close_stream = |mut guest: Guest<'_>, kind: u32| {
        if let Some(status) = fault(&guest, "proxy_close_stream") {
            return status;
        }
        // As Envoy: connections are no streams of HTTP, and a context without a stream has none to reset.
        match kind {
            HTTP_REQUEST | HTTP_RESPONSE => guest.data_mut().close_stream(),
            DOWNSTREAM | UPSTREAM => {}
            _ => return BAD_ARGUMENT,
        }
        OK
    };
    linker.func_wrap("env", "proxy_close_stream", close_stream).unwrap();
}

fn header_maps(linker: &mut Linker<World>) {
    let pairs = |mut guest: Guest<'_>, map: u32, data: u32, len: u32| {
        if let Some(status) = fault(&guest, "proxy_get_header_map_pairs") {
            return status;
        }
        let Some(bytes) = guest.data_mut().map(map).map(|headers| serialize(headers)) else {
            return BAD_ARGUMENT;
        };
        pass_bytes(&mut guest, &bytes, data, len);
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

fn change(mut guest: Guest<'_>, map: u32, change: impl FnOnce(&mut Headers)) -> u32 {
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
        let value = match path.as_str() {
            "response\0code_details" => details,
            "source\0address" => guest.data().client.clone(),
            _ => None,
        };
        let Some(value) = value else { return NOT_FOUND };
        pass_bytes(&mut guest, value.as_bytes(), data, len);
        OK
    };
    linker.func_wrap("env", "proxy_get_property", attribute).unwrap();
}
