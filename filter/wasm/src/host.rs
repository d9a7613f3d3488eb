//! Host calls in a form that cannot panic: a status other than Ok is none or `false`, and what the host passes is checked.
//! The SDK's own wrappers panic instead.

#![expect(unsafe_code, reason = "the ABI consists of raw pointers; no other file touches them")]

use std::cell::Cell;
use std::mem;
use std::ptr::{null, null_mut};
use std::time::Duration;

use edgeward_filter::call::HttpCall;
use edgeward_filter::header_edits::HeaderEdit;
use edgeward_filter::log::Level;
use edgeward_filter::reply::LocalReply;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType, StreamType};

use crate::pairs::{self, Pairs};

const OK: u32 = 0;
const NO_GRPC_STATUS: i32 = -1;
/// Maximum size of a buffer that is kept for the next header map, in bytes. Chosen: browsers send a few KiB.
const MAX_RECYCLED_BYTES: usize = 16 * 1024;

thread_local! {
    /// Buffer that the host was given to write to.
    static INBOUND: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// Buffer of an earlier header map, for the next one.
    static RECYCLED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

type Bytes = *const u8;
type Out<T> = *mut T;

#[link(wasm_import_module = "env")]
#[rustfmt::skip]
unsafe extern "C" {
    fn proxy_log(level: u32, text: Bytes, len: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: Out<u64>) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, max: usize, data: Out<*mut u8>, len: Out<usize>) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: Out<*mut u8>, len: Out<usize>) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: Bytes, name_len: usize) -> u32;
    fn proxy_replace_header_map_value(map: u32, name: Bytes, name_len: usize, value: Bytes, value_len: usize) -> u32;
    fn proxy_add_header_map_value(map: u32, name: Bytes, name_len: usize, value: Bytes, value_len: usize) -> u32;
    fn proxy_send_local_response(status: u32, details: Bytes, details_len: usize, body: Bytes, body_len: usize,
        headers: Bytes, headers_len: usize, grpc_status: i32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_close_stream(stream: u32) -> u32;
    fn proxy_http_call(cluster: Bytes, cluster_len: usize, headers: Bytes, headers_len: usize, body: Bytes,
        body_len: usize, trailers: Bytes, trailers_len: usize, timeout: u32, token: Out<u32>) -> u32;
    fn proxy_get_shared_data(key: Bytes, key_len: usize, data: Out<*mut u8>, len: Out<usize>, version: Out<u32>) -> u32;
    fn proxy_set_shared_data(key: Bytes, key_len: usize, value: Bytes, value_len: usize, version: u32) -> u32;
    fn proxy_get_property(path: Bytes, path_len: usize, data: Out<*mut u8>, len: Out<usize>) -> u32;
    fn proxy_set_property(path: Bytes, path_len: usize, value: Bytes, value_len: usize) -> u32;
    fn proxy_define_metric(kind: u32, name: Bytes, name_len: usize, id: Out<u32>) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_call_foreign_function(name: Bytes, name_len: usize, arguments: Bytes, arguments_len: usize,
        data: Out<*mut u8>, len: Out<usize>) -> u32;
}

/// Returns memory for the host to write `len` bytes to.
pub(crate) fn allocate(len: usize) -> *mut u8 {
    let mut buffer = RECYCLED.take();
    buffer.clear();
    buffer.reserve(len);
    let address = buffer.as_mut_ptr();
    // A host that allocates again before the last buffer was received may still write there.
    mem::forget(INBOUND.replace(buffer));
    address
}

/// Takes over what the host has written.
fn receive(call: impl FnOnce(Out<*mut u8>, Out<usize>) -> u32) -> Option<Vec<u8>> {
    let (mut data, mut len) = (null_mut(), 0);
    let status = call(&raw mut data, &raw mut len);
    let mut buffer = INBOUND.take();
    if status != OK {
        return None;
    }
    if data.is_null() || len == 0 {
        return Some(Vec::new());
    }
    if data != buffer.as_mut_ptr() || len > buffer.capacity() {
        return None;
    }
    // SAFETY: the host has written `len` bytes to the buffer, which has room for them.
    unsafe { buffer.set_len(len) };
    Some(buffer)
}

/// Header map as received from the host.
pub(crate) struct HeaderMap(Vec<u8>);

impl HeaderMap {
    /// Reads the fields; none if the bytes are malformed.
    pub(crate) fn read(&self) -> Option<Pairs<'_>> {
        Pairs::read(&self.0)
    }
}

impl Drop for HeaderMap {
    fn drop(&mut self) {
        if self.0.capacity() <= MAX_RECYCLED_BYTES {
            RECYCLED.set(mem::take(&mut self.0));
        }
    }
}

// SAFETY, for every block below: pointers and lengths are those of live slices, and the host writes to live variables only
// during the call.

/// Writes a line to the host's log.
pub(crate) fn log(level: Level, line: &str) {
    let level = match level {
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    };
    // SAFETY: see above.
    unsafe { proxy_log(level as u32, line.as_ptr(), line.len()) };
}

/// Time since 1970.
pub(crate) fn now() -> Option<Duration> {
    let mut time = 0;
    // SAFETY: see above.
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
    (status == OK).then(|| Duration::from_nanos(time))
}

/// Random bytes; none if the host has no randomness.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Sets the interval of `on_tick`.
pub(crate) fn set_tick_period(period: Duration) {
    // SAFETY: see above.
    unsafe { proxy_set_tick_period_milliseconds(millis(period)) };
}

/// The first `max` bytes of a buffer.
pub(crate) fn buffer(buffer: BufferType, max: usize) -> Option<Vec<u8>> {
    // SAFETY: see above.
    receive(|data, len| unsafe { proxy_get_buffer_bytes(buffer as u32, 0, max, data, len) })
}

/// All fields of a header map.
pub(crate) fn headers(map: MapType) -> Option<HeaderMap> {
    // SAFETY: see above.
    receive(|data, len| unsafe { proxy_get_header_map_pairs(map as u32, data, len) }).map(HeaderMap)
}

/// Edits a header map.
pub(crate) fn edit_header(map: MapType, edit: HeaderEdit<'_>) -> bool {
    let map = map as u32;
    // SAFETY: see above.
    let status = unsafe {
        match edit {
            HeaderEdit::Remove(name) => proxy_remove_header_map_value(map, name.as_ptr(), name.len()),
            HeaderEdit::Set(name, value) => {
                proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
            }
            HeaderEdit::Append(name, value) => {
                proxy_add_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
            }
        }
    };
    status == OK
}

/// Responds to the request of the current stream.
pub(crate) fn send_local_reply(reply: &LocalReply) -> bool {
    let (details, body) = (reply.details(), &reply.body);
    let headers = pairs::write(reply.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    // SAFETY: see above.
    #[rustfmt::skip]
    let status = unsafe {
        proxy_send_local_response(reply.status.into(), details.as_ptr(), details.len(), body.as_ptr(), body.len(),
            headers.as_ptr(), headers.len(), NO_GRPC_STATUS)
    };
    status == OK
}

/// Makes a stream the current one, until the host's next callback.
pub(crate) fn set_effective_context(stream: u32) -> bool {
    // SAFETY: see above.
    unsafe { proxy_set_effective_context(stream) == OK }
}

/// Resumes the request of the current stream.
pub(crate) fn continue_request() -> bool {
    // SAFETY: see above.
    unsafe { proxy_continue_stream(StreamType::HttpRequest as u32) == OK }
}

/// Resets the current stream.
pub(crate) fn close_stream() -> bool {
    // SAFETY: see above.
    unsafe { proxy_close_stream(StreamType::HttpRequest as u32) == OK }
}

/// Value of a key in the data that the workers of this proxy share, and its version.
pub(crate) fn shared_data(key: &str) -> Option<(Vec<u8>, u32)> {
    let mut version = 0;
    // SAFETY: see above.
    let data = receive(|data, len| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, len, &raw mut version)
    })?;
    Some((data, version))
}

/// Sets a value in the shared data if its version is this one, or whatever it is if that is 0.
pub(crate) fn set_shared_data(key: &str, value: &[u8], version: u32) -> bool {
    // SAFETY: see above.
    unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) == OK }
}

/// Sends a call; none if the host does not accept it.
pub(crate) fn http_call(call: &HttpCall) -> Option<u32> {
    let HttpCall { cluster, method, path, headers, timeout } = call;
    let pseudo = [(":method", *method), (":path", path), (":authority", cluster)];
    let pseudo = pseudo.into_iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let fields = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_slice()));
    let (headers, trailers, mut token) = (pairs::write(pseudo.chain(fields)), pairs::write([]), 0);
    // SAFETY: see above.
    #[rustfmt::skip]
    let status = unsafe {
        proxy_http_call(cluster.as_ptr(), cluster.len(), headers.as_ptr(), headers.len(), null(), 0,
            trailers.as_ptr(), trailers.len(), millis(*timeout), &raw mut token)
    };
    (status == OK).then_some(token)
}

/// Attribute of the current stream.
pub(crate) fn property(path: &[&str]) -> Option<Vec<u8>> {
    let path = path.join("\0");
    // SAFETY: see above.
    receive(|data, len| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, len) })
}

/// Sets a property of the current stream. Envoy stores it in the filter state as `wasm.<name>`.
pub(crate) fn set_property(name: &str, value: &[u8]) -> bool {
    // SAFETY: see above.
    unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) == OK }
}

/// Number of the metric of this name.
pub(crate) fn metric(kind: MetricType, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: see above.
    let status = unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

/// Sets a gauge.
pub(crate) fn set_gauge(gauge: u32, value: u64) {
    // SAFETY: see above.
    unsafe { proxy_record_metric(gauge, value) };
}

/// Increments a counter.
pub(crate) fn increment(counter: u32, by: u64) {
    // SAFETY: see above.
    unsafe { proxy_increment_metric(counter, by.cast_signed()) };
}

/// Calls a function that the host has beyond the ABI; none if it lacks it, or if the call fails.
pub(crate) fn call_foreign(name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: see above.
    receive(|data, len| unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), arguments.as_ptr(), arguments.len(), data, len)
    })
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
