//! The host's calls, in a form that cannot panic: any status but Ok is an absent value or `false`, and
//! what the host hands over is checked before it is believed. The SDK's own wrappers panic instead.
//!
//! Also what the host calls. The build gives these functions the names that the host looks for, in place of the SDK's:
//! its dispatcher panics on what it does not know, and takes a stream through several maps and a box of its own. Root
//! contexts stay with the SDK.

#![expect(unsafe_code, reason = "the proxy-wasm ABI is made of raw pointers; no other file touches them")]

use std::cell::Cell;
use std::mem;
use std::ptr::{null, null_mut};
use std::time::Duration;

use proxy_wasm::types::Action;

use crate::{calls, request, root};
use edgeward_filter::headers::{self, Header, Headers};

/// A map of headers (ABI 0.2.1, `proxy_map_type_t`).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Map {
    RequestHeaders = 0,
    RequestTrailers = 1,
    ResponseHeaders = 2,
    CallResponseHeaders = 6,
}

/// A buffer of bytes (ABI 0.2.1, `proxy_buffer_type_t`).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Buffer {
    CallResponseBody = 4,
    PluginConfiguration = 7,
}

/// How loud a line of the log is (ABI 0.2.1, `proxy_log_level_t`).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Level {
    Info = 2,
    Warn = 3,
    Error = 4,
}

/// A number that is counted (ABI 0.2.1, `proxy_metric_type_t`).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Metric {
    Counter = 0,
    Gauge = 1,
}

const OK: u32 = 0;
const NO_GRPC_STATUS: i32 = -1;
/// The most room that is kept for the headers to come, in bytes.
pub(crate) const MAX_SPARE_BYTES: usize = 16 * 1024;

thread_local! {
    /// Room that the host was given to hand something over in.
    static LENT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// Room that headers were in, for those to come.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, text: *const u8, len: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max: usize,
        data: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, len: *mut usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_len: usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_len: usize,
        body: *const u8,
        body_len: usize,
        headers: *const u8,
        headers_len: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_len: usize,
        headers: *const u8,
        headers_len: usize,
        body: *const u8,
        body_len: usize,
        trailers: *const u8,
        trailers_len: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_len: usize,
        data: *mut *mut u8,
        len: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_len: usize,
        value: *const u8,
        value_len: usize,
        version: u32,
    ) -> u32;
    fn proxy_get_property(path: *const u8, path_len: usize, data: *mut *mut u8, len: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_len: usize, value: *const u8, value_len: usize) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_len: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_len: usize,
        arguments: *const u8,
        arguments_len: usize,
        data: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
}

// The SDK's, for root contexts.
unsafe extern "C" {
    fn proxy_on_context_create(context: u32, parent: u32);
    fn proxy_on_delete(context: u32);
}

#[unsafe(export_name = "edgeward_on_memory_allocate")]
extern "C" fn on_memory_allocate(len: usize) -> *mut u8 {
    let mut room = SPARE.take();
    room.clear();
    room.reserve(len);
    let address = room.as_mut_ptr();
    // A host that wants more before the last was taken over may still write there.
    mem::forget(LENT.replace(room));
    address
}

#[unsafe(export_name = "edgeward_on_context_create")]
extern "C" fn on_context_create(context: u32, parent: u32) {
    if parent != 0 {
        request::on_create(context, parent);
    } else if root::on_create(context) {
        // SAFETY: only numbers are passed, and the SDK has not seen this context.
        unsafe { proxy_on_context_create(context, parent) };
    }
}

#[unsafe(export_name = "edgeward_on_request_headers")]
extern "C" fn on_request_headers(stream: u32, _headers: u32, ends: u32) -> Action {
    request::on_request_headers(stream, ends != 0)
}

#[unsafe(export_name = "edgeward_on_request_trailers")]
extern "C" fn on_request_trailers(_stream: u32, _trailers: u32) -> Action {
    request::on_request_trailers()
}

#[unsafe(export_name = "edgeward_on_response_headers")]
extern "C" fn on_response_headers(stream: u32, _headers: u32, _ends: u32) -> Action {
    request::on_response_headers(stream);
    Action::Continue
}

#[unsafe(export_name = "edgeward_on_delete")]
extern "C" fn on_delete(context: u32) {
    request::on_delete(context);
    if root::on_delete(context) {
        // SAFETY: only a number is passed, and the SDK knows this context.
        unsafe { proxy_on_delete(context) };
    }
}

#[unsafe(export_name = "edgeward_on_http_call_response")]
extern "C" fn on_http_call_response(_root: u32, token: u32, _headers: u32, _body: u32, _trailers: u32) {
    calls::answered(token);
}

/// Writes a line to the host's log.
pub(crate) fn log(level: Level, text: &str) {
    // SAFETY: the pointer and the length are one live string's.
    unsafe { proxy_log(level as u32, text.as_ptr(), text.len()) };
}

/// The time since 1970.
pub(crate) fn now() -> Option<Duration> {
    let mut time = 0;
    // SAFETY: the host writes eight bytes to a live u64.
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
    (status == OK).then(|| Duration::from_nanos(time))
}

/// Has the host call `on_tick` in this rhythm.
pub(crate) fn set_tick_period(period: Duration) -> bool {
    let millis = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    // SAFETY: only a number is passed.
    unsafe { proxy_set_tick_period_milliseconds(millis) == OK }
}

/// The first `max` bytes of a buffer.
pub(crate) fn buffer(buffer: Buffer, max: usize) -> Option<Vec<u8>> {
    // SAFETY: the host writes to the live pointer and length that it is given.
    receive(|data, len| unsafe { proxy_get_buffer_bytes(buffer as u32, 0, max, data, len) })
}

/// All headers of a map.
pub(crate) fn headers(map: Map) -> Option<HeaderMap> {
    // SAFETY: the host writes to the live pointer and length that it is given.
    receive(|data, len| unsafe { proxy_get_header_map_pairs(map as u32, data, len) }).map(HeaderMap)
}

/// Removes every header of this name.
pub(crate) fn remove_header(map: Map, name: &[u8]) -> bool {
    // SAFETY: the pointer and the length are one live slice's.
    unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) == OK }
}

/// Sets a header in place of whatever has its name.
pub(crate) fn set_header(map: Map, name: &[u8], value: &[u8]) -> bool {
    // SAFETY: the pointers and the lengths are those of live slices.
    unsafe {
        proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
            == OK
    }
}

/// Adds a header beside whatever has its name.
pub(crate) fn add_header(map: Map, name: &[u8], value: &[u8]) -> bool {
    // SAFETY: the pointers and the lengths are those of live slices.
    unsafe {
        proxy_add_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) == OK
    }
}

/// Answers the request of this stream. `details` is for the access log.
pub(crate) fn respond(status: u16, details: &str, headers: &[Header<'_>], body: &[u8]) -> bool {
    let headers = headers::write(headers);
    // SAFETY: the pointers and the lengths are those of live slices.
    let status = unsafe {
        proxy_send_local_response(
            status.into(),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    };
    status == OK
}

/// Has the calls that follow be about this stream, until the host calls again.
pub(crate) fn turn_to(stream: u32) -> bool {
    // SAFETY: only a number is passed.
    unsafe { proxy_set_effective_context(stream) == OK }
}

/// Lets the request of this stream go on that was paused.
pub(crate) fn continue_request() -> bool {
    const REQUEST: u32 = 0;
    // SAFETY: only a number is passed.
    unsafe { proxy_continue_stream(REQUEST) == OK }
}

/// What a worker of this proxy has left under a key, and which version that is.
pub(crate) fn shared_data(key: &str) -> Option<(Vec<u8>, u32)> {
    let mut version = 0;
    // SAFETY: the pointer and the length are one live string's, and the host writes to live variables.
    let data = receive(|data, len| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, len, &raw mut version)
    })?;
    Some((data, version))
}

/// Leaves something for all workers of this proxy, those to come included, in place of this version of what was
/// there, or of any where the version is 0. False where another worker was faster.
pub(crate) fn set_shared_data(key: &str, value: &[u8], version: u32) -> bool {
    // SAFETY: the pointers and the lengths are those of live slices.
    unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) == OK }
}

/// Calls a cluster, with headers alone. The token is that of the answer to come.
pub(crate) fn http_call(cluster: &str, headers: &[(&[u8], &[u8])], timeout: Duration) -> Option<u32> {
    let (headers, trailers) = (headers::write(headers), headers::write(&[]));
    let timeout = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let mut token = 0;
    // SAFETY: the pointers and the lengths are those of live slices, and the host writes to a live u32.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            null(),
            0,
            trailers.as_ptr(),
            trailers.len(),
            timeout,
            &raw mut token,
        )
    };
    (status == OK).then_some(token)
}

/// An attribute of the stream, by its path.
pub(crate) fn property(path: &[&str]) -> Option<Vec<u8>> {
    let path = path.join("\0");
    // SAFETY: the pointer and the length are one live string's, and the host writes to live variables.
    receive(|data, len| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, len) })
}

/// Sets a property of the stream; Envoy keeps it in the filter state as `wasm.<name>`.
pub(crate) fn set_property(name: &str, value: &[u8]) -> bool {
    // SAFETY: the pointers and the lengths are those of live slices.
    unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) == OK }
}

/// A metric's number, by its name; the same name has the same number.
pub(crate) fn metric(kind: Metric, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the pointer and the length are one live string's, and the host writes to a live u32.
    let status = unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

/// Sets a gauge.
pub(crate) fn set_gauge(gauge: u32, value: u64) {
    // SAFETY: only numbers are passed.
    unsafe { proxy_record_metric(gauge, value) };
}

/// Adds one to a counter.
pub(crate) fn increment(counter: u32) {
    // SAFETY: only numbers are passed.
    unsafe { proxy_increment_metric(counter, 1) };
}

/// Calls a function that the host has beyond the ABI; None where it has not, or where the call failed.
pub(crate) fn call_foreign(name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the pointers and the lengths are those of live slices, and the host writes to live variables.
    receive(|data, len| unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), arguments.as_ptr(), arguments.len(), data, len)
    })
}

/// Takes over what the host hands over.
fn receive(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let (mut data, mut len) = (null_mut(), 0);
    let status = call(&raw mut data, &raw mut len);
    let mut room = LENT.take();
    if status != OK {
        return None;
    }
    if data.is_null() || len == 0 {
        return Some(Vec::new());
    }
    if data != room.as_mut_ptr() || len > room.capacity() {
        return None;
    }
    // SAFETY: the host has filled as much of the room as it says, and no more than there is.
    unsafe { room.set_len(len) };
    Some(room)
}

/// A map of headers, as the host has handed it over.
pub(crate) struct HeaderMap(Vec<u8>);

impl HeaderMap {
    /// The headers; None where the bytes are none.
    pub(crate) fn read(&self) -> Option<Headers<'_>> {
        Headers::read(&self.0)
    }
}

impl Drop for HeaderMap {
    fn drop(&mut self) {
        if self.0.capacity() <= MAX_SPARE_BYTES {
            SPARE.set(mem::take(&mut self.0));
        }
    }
}
