//! Hooks, which Envoy calls by their names. No panic passes to Envoy: a request that panics is rejected, and whatever else
//! panics is given up.

#![expect(unsafe_code, reason = "hooks have unmangled names, and Envoy passes them addresses")]

use std::any::Any;
use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;

use edgeward_filter::call::{CallOutcome, MAX_BODY_BYTES};
use edgeward_filter::log::Level;

use crate::abi::{self, Buffer, Envoy, HeadersStatus, Host, HostStream, RawField, TrailersStatus};
use crate::plugin::Plugin;
use crate::start;
use crate::stream::Stream;
use crate::supported;

/// Version of the ABI that this module is made for. Envoy warns if its own is another.
const ABI_VERSION: &CStr = c"v0.2.0";

/// Runs a hook; an error if it panics.
fn catch<R>(hook: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(hook)).map_err(|payload| {
        abi::log(Level::Error, &format!("edgeward: a bug, please report it: {}", describe(&*payload)));
        Panicked
    })
}

/// A hook has panicked.
struct Panicked;

fn describe(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref().copied()).unwrap_or("a panic without a message")
}

// SAFETY, for every block below: Envoy passes the addresses that `config_new` and `new` gave it, each until the hook that ends
// it; a configuration outlives its streams; and a stream is used on one thread. Envoy may call a hook inside of another, so that
// none has it alone.

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    match catch(supported::check) {
        Ok(Ok(())) => ABI_VERSION.as_ptr(),
        // Without a version, Envoy does not load the module.
        Ok(Err(unsupported)) => {
            abi::log(Level::Error, &format!("edgeward: {unsupported}"));
            null()
        }
        Err(Panicked) => null(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    host: Envoy,
    name: Buffer,
    text: Buffer,
) -> *const Plugin {
    // SAFETY: Envoy's buffers are good during the call.
    let (name, text) = unsafe { (name.bytes(), text.bytes()) };
    let plugin = catch(|| start::configure(Host(host), name, text)).ok().flatten();
    plugin.map_or(null(), |plugin| Box::into_raw(Box::new(plugin)).cast_const())
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(plugin: *mut Plugin) {
    // SAFETY: see above.
    let _panicked = catch(|| drop(unsafe { Box::from_raw(plugin) }));
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_scheduled(_: Envoy, plugin: &Plugin, event: u64) {
    let _panicked = catch(|| plugin.on_event(event));
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_http_callout_done(
    _: Envoy,
    plugin: &Plugin,
    call: u64,
    _result: u32,
    fields: *const RawField,
    count: usize,
    chunks: *const Buffer,
    chunk_count: usize,
) {
    // SAFETY: Envoy's arrays are good during the call.
    let (fields, chunks) = unsafe { (slice(fields, count), slice(chunks, chunk_count)) };
    // SAFETY: and so are the buffers in them.
    let mut fields = fields.iter().map(|field| unsafe { (field.name.bytes(), field.value.bytes()) });
    let mut body = Vec::new();
    for chunk in chunks {
        // SAFETY: the same.
        let chunk = unsafe { chunk.bytes() };
        let room = MAX_BODY_BYTES - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
    }
    // A call that was reset has no fields. One that timed out has a response of Envoy's own, of status 504.
    let outcome = match fields.find(|(name, _)| *name == b":status") {
        Some((_, status)) => CallOutcome::Response { status, body: &body },
        None => CallOutcome::NoResponse,
    };
    let _panicked = catch(|| plugin.on_response(call, &outcome));
}

/// Returns an array of Envoy's.
///
/// # Safety
/// It must be there for as long as `'a`.
unsafe fn slice<'a, T>(first: *const T, len: usize) -> &'a [T] {
    if first.is_null() {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts(first, len) }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_new(plugin: &'static Plugin, host: Envoy) -> *const Stream {
    let stream = catch(|| Stream::new(plugin, HostStream(host)));
    stream.map_or(null(), |stream| Box::into_raw(Box::new(stream)).cast_const())
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_destroy(stream: *mut Stream) {
    // SAFETY: see above.
    let _panicked = catch(|| drop(unsafe { Box::from_raw(stream) }));
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_request_headers(
    _: Envoy,
    stream: &Stream,
    end_of_stream: bool,
) -> HeadersStatus {
    let status = catch(|| stream.on_request_headers(end_of_stream));
    status
        .or_else(|Panicked| catch(|| stream.reject_failed()))
        .unwrap_or(HeadersStatus::StopAllIterationAndWatermark)
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_request_trailers(
    _: Envoy,
    stream: &Stream,
) -> TrailersStatus {
    catch(|| stream.on_request_trailers()).unwrap_or(TrailersStatus::StopIteration)
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_response_headers(
    _: Envoy,
    stream: &Stream,
    _end_of_stream: bool,
) -> HeadersStatus {
    let _panicked = catch(|| stream.on_response_headers());
    HeadersStatus::Continue
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_stream_complete(_: Envoy, stream: &Stream) {
    let _panicked = catch(|| stream.on_complete());
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_scheduled(_: Envoy, stream: &Stream, _event: u64) {
    if let Err(Panicked) = catch(|| stream.on_wake()) {
        let _panicked = catch(|| stream.reject_failed());
    }
}

/// Hooks that Envoy requires and this module has no use for. Those that return a status let all pass.
macro_rules! ignore {
    ($($hook:ident($($argument:ty),*) $(-> $status:ty)?;)*) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $hook($(_: $argument),*) $(-> $status)? { $(<$status>::default())? }
    )* };
}

type Module = *const c_void;

ignore! {
    envoy_dynamic_module_on_http_filter_request_body(Envoy, Module, bool) -> u32;
    envoy_dynamic_module_on_http_filter_response_body(Envoy, Module, bool) -> u32;
    envoy_dynamic_module_on_http_filter_response_trailers(Envoy, Module) -> u32;
    envoy_dynamic_module_on_http_filter_http_callout_done(Envoy, Module, u64, u32, Module, usize, Module, usize);
    envoy_dynamic_module_on_http_filter_http_stream_headers(Envoy, Module, u64, Module, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_data(Envoy, Module, u64, Module, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_trailers(Envoy, Module, u64, Module, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(Envoy, Module, u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(Envoy, Module, u64, u32);
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(Envoy, Module);
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(Envoy, Module);
}
