//! Envoy's side of the ABI, as far as the module uses it: a configuration with its main thread's events and calls, and streams
//! with their header fields. What Envoy does at once, this does when a test says so, on the thread that says it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

/// Header field.
pub(crate) type Field = (Vec<u8>, Vec<u8>);

/// Bytes, as the ABI passes them.
#[repr(C)]
#[derive(Clone, Copy)]
struct Buffer(*const u8, usize);

/// Header field, as the ABI passes it.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawField(Buffer, Buffer);

type Module = *const c_void;
// The module's hooks.
#[expect(improper_ctypes, reason = "the module passes these addresses back, and reads nothing there")]
#[rustfmt::skip]
unsafe extern "C" {
    fn envoy_dynamic_module_on_http_filter_config_new(host: *const Host, name: Buffer, text: Buffer) -> Module;
    fn envoy_dynamic_module_on_http_filter_config_destroy(plugin: Module);
    fn envoy_dynamic_module_on_http_filter_config_scheduled(host: *const Host, plugin: Module, event: u64);
    fn envoy_dynamic_module_on_http_filter_config_http_callout_done(host: *const Host, plugin: Module, call: u64, result: u32,
        fields: *const RawField, count: usize, chunks: *const Buffer, chunk_count: usize);
    fn envoy_dynamic_module_on_http_filter_new(plugin: Module, stream: *const HostStream) -> Module;
    fn envoy_dynamic_module_on_http_filter_destroy(stream: Module);
    fn envoy_dynamic_module_on_http_filter_request_headers(host: *const HostStream, stream: Module, end: bool) -> u32;
    fn envoy_dynamic_module_on_http_filter_response_headers(host: *const HostStream, stream: Module, end: bool) -> u32;
    fn envoy_dynamic_module_on_http_filter_scheduled(host: *const HostStream, stream: Module, event: u64);
    fn envoy_dynamic_module_on_http_filter_stream_complete(host: *const HostStream, stream: Module);
}

// SAFETY, for every block below: the module passes what it was given, and buffers of live values.
impl Buffer {
    fn of(bytes: &[u8]) -> Self {
        Self(bytes.as_ptr(), bytes.len())
    }

    fn to_vec(self) -> Vec<u8> {
        // SAFETY: see above.
        if self.0.is_null() {
            Vec::new()
        } else {
            unsafe { std::slice::from_raw_parts(self.0, self.1) }.to_vec()
        }
    }
}

/// Call that the module has asked for.
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) fields: Vec<Field>,
}

impl Call {
    pub(crate) fn field(&self, name: &str) -> String {
        let found = self.fields.iter().find(|(other, _)| other == name.as_bytes());
        found.map(|(_, value)| String::from_utf8(value.clone()).unwrap()).unwrap_or_default()
    }
}

/// Envoy's side of a configuration.
#[derive(Default)]
struct Host {
    events: Mutex<VecDeque<u64>>,
    calls: Mutex<VecDeque<Call>>,
    last_call: AtomicU64,
}

/// Configuration of the module, on the main thread.
pub(crate) struct Configuration {
    host: Arc<Host>,
    plugin: Module,
}

// SAFETY: the module shares its configuration among threads.
unsafe impl Send for Configuration {}
// SAFETY: the same.
unsafe impl Sync for Configuration {}

impl Configuration {
    /// Starts a configuration; none if the module refuses it.
    pub(crate) fn start(text: &str) -> Option<Self> {
        let host = Arc::new(Host::default());
        let (name, text) = (Buffer::of(b"edgeward"), Buffer::of(text.as_bytes()));
        // SAFETY: see above.
        let plugin =
            unsafe { envoy_dynamic_module_on_http_filter_config_new(Arc::as_ptr(&host), name, text) };
        (!plugin.is_null()).then(|| Self { host, plugin })
    }

    /// Carries out the events that wait, and returns the calls that the module asks for.
    pub(crate) fn run_events(&self) -> VecDeque<Call> {
        let events = std::mem::take(&mut *self.host.events.lock().unwrap());
        let host = Arc::as_ptr(&self.host);
        for event in events {
            // SAFETY: see above.
            unsafe { envoy_dynamic_module_on_http_filter_config_scheduled(host, self.plugin, event) };
        }
        std::mem::take(&mut *self.host.calls.lock().unwrap())
    }

    /// Number of events that wait for the main thread.
    pub(crate) fn waiting_events(&self) -> usize {
        self.host.events.lock().unwrap().len()
    }

    /// Answers a call.
    pub(crate) fn respond(&self, call: u64, status: &str, body: &[u8]) {
        let fields = [RawField(Buffer::of(b":status"), Buffer::of(status.as_bytes()))];
        let (first, rest) = body.split_at(body.len() / 2);
        let chunks = [Buffer::of(first), Buffer::of(rest)];
        // SAFETY: see above.
        unsafe {
            envoy_dynamic_module_on_http_filter_config_http_callout_done(
                Arc::as_ptr(&self.host),
                self.plugin,
                call,
                0,
                fields.as_ptr(),
                1,
                chunks.as_ptr(),
                2,
            );
        }
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        // SAFETY: see above.
        unsafe { envoy_dynamic_module_on_http_filter_config_destroy(self.plugin) };
    }
}

/// Envoy's side of a stream.
pub(crate) struct HostStream {
    worker: u32,
    pub(crate) fields: RefCell<Vec<Field>>,
    woken: Arc<AtomicU64>,
    pub(crate) replied: Cell<Option<u32>>,
    pub(crate) continued: Cell<bool>,
    pub(crate) was_reset: Cell<bool>,
}

/// Stream on its worker's thread.
pub(crate) struct Stream {
    pub(crate) host: Box<HostStream>,
    stream: Module,
}

impl Stream {
    /// Opens a stream, and passes its request head. Returns `true` if the request passes at once.
    pub(crate) fn open(configuration: &Configuration, worker: u32, fields: &[(&str, &str)]) -> (Self, bool) {
        let owned = fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        let host = Box::new(HostStream {
            worker,
            fields: RefCell::new(owned.collect()),
            woken: Arc::default(),
            replied: Cell::new(None),
            continued: Cell::new(false),
            was_reset: Cell::new(false),
        });
        // SAFETY: see above.
        let stream =
            unsafe { envoy_dynamic_module_on_http_filter_new(configuration.plugin, &raw const *host) };
        // SAFETY: see above.
        let status =
            unsafe { envoy_dynamic_module_on_http_filter_request_headers(&raw const *host, stream, true) };
        (Self { host, stream }, status == 0)
    }

    /// Passes what has woken the stream.
    pub(crate) fn run_events(&self) {
        for event in 0..self.host.woken.swap(0, Ordering::AcqRel) {
            // SAFETY: see above.
            unsafe {
                envoy_dynamic_module_on_http_filter_scheduled(&raw const *self.host, self.stream, event);
            };
        }
    }

    /// Passes the head of an upstream's response.
    pub(crate) fn respond(&self) {
        // SAFETY: see above.
        unsafe {
            envoy_dynamic_module_on_http_filter_response_headers(&raw const *self.host, self.stream, true)
        };
    }

    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let fields = self.host.fields.borrow();
        let found = fields.iter().find(|(other, _)| other == name.as_bytes());
        found.map(|(_, value)| String::from_utf8(value.clone()).unwrap())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: see above.
        unsafe {
            envoy_dynamic_module_on_http_filter_stream_complete(&raw const *self.host, self.stream);
            envoy_dynamic_module_on_http_filter_destroy(self.stream);
        }
    }
}

/// Defines callbacks by their names in the ABI.
macro_rules! callbacks {
    ($($(#[$attribute:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block)*) => { $(
        #[unsafe(no_mangle)]
        $(#[$attribute])*
        extern "C" fn $name($($argument: $type),*) $(-> $result)? $body
    )* };
}

callbacks! {
    fn envoy_dynamic_module_callback_log(level: u32, line: Buffer) {
        println!("{level} {}", String::from_utf8_lossy(&line.to_vec()));
    }
    fn envoy_dynamic_module_callback_http_get_headers_size(stream: &HostStream, _map: u32) -> usize {
        stream.fields.borrow().len()
    }
    fn envoy_dynamic_module_callback_http_get_headers(
        stream: &HostStream, _map: u32, out: *mut RawField, _capacity: usize, _count: *mut usize,
    ) -> bool {
        for (at, (name, value)) in stream.fields.borrow().iter().enumerate() {
            // SAFETY: see above.
            unsafe { out.add(at).write(RawField(Buffer::of(name), Buffer::of(value))) };
        }
        true
    }
    fn envoy_dynamic_module_callback_http_set_header(stream: &HostStream, _map: u32, name: Buffer, value: Buffer) -> bool {
        let (name, text) = (name.to_vec(), value.to_vec());
        let mut fields = stream.fields.borrow_mut();
        fields.retain(|(other, _)| *other != name);
        if !value.0.is_null() {
            fields.push((name, text));
        }
        true
    }
    fn envoy_dynamic_module_callback_http_add_header(stream: &HostStream, _map: u32, name: Buffer, value: Buffer) -> bool {
        let field = (name.to_vec(), value.to_vec());
        stream.fields.borrow_mut().push(field);
        true
    }
    fn envoy_dynamic_module_callback_http_send_response(
        stream: &HostStream, status: u32, _fields: *const RawField, _count: usize, _body: Buffer, _details: Buffer,
    ) {
        stream.replied.set(Some(status));
    }
    fn envoy_dynamic_module_callback_http_clear_route_cache(_stream: &HostStream) {}
    fn envoy_dynamic_module_callback_http_filter_continue_decoding(stream: &HostStream) {
        stream.continued.set(true);
    }
    fn envoy_dynamic_module_callback_http_filter_reset_stream(stream: &HostStream, _reason: u32, _details: Buffer) {
        stream.was_reset.set(true);
    }
    fn envoy_dynamic_module_callback_http_set_filter_state_bytes(_stream: &HostStream, _key: Buffer, _value: Buffer) -> bool {
        true
    }
    fn envoy_dynamic_module_callback_http_filter_get_attribute_string(
        _stream: &HostStream, _attribute: u32, _value: *mut Buffer,
    ) -> bool {
        false
    }
    fn envoy_dynamic_module_callback_http_filter_get_worker_index(stream: &HostStream) -> u32 {
        stream.worker
    }
    fn envoy_dynamic_module_callback_http_filter_scheduler_new(stream: &HostStream) -> *mut Weak<AtomicU64> {
        Box::into_raw(Box::new(Arc::downgrade(&stream.woken)))
    }
    fn envoy_dynamic_module_callback_http_filter_scheduler_commit(scheduler: &Weak<AtomicU64>, _event: u64) {
        scheduler.upgrade().iter().for_each(|woken| { woken.fetch_add(1, Ordering::AcqRel); });
    }
    fn envoy_dynamic_module_callback_http_filter_scheduler_delete(scheduler: *mut Weak<AtomicU64>) {
        // SAFETY: see above.
        drop(unsafe { Box::from_raw(scheduler) });
    }
    fn envoy_dynamic_module_callback_http_get_active_span(_stream: &HostStream) -> *mut c_void {
        ptr::null_mut()
    }
    fn envoy_dynamic_module_callback_http_span_spawn_child(
        _stream: &HostStream, _span: *mut c_void, _operation: Buffer,
    ) -> *mut c_void {
        ptr::null_mut()
    }
    fn envoy_dynamic_module_callback_http_span_get_trace_id(_span: *mut c_void, _id: *mut Buffer) -> bool {
        false
    }
    fn envoy_dynamic_module_callback_http_span_get_span_id(_span: *mut c_void, _id: *mut Buffer) -> bool {
        false
    }
    fn envoy_dynamic_module_callback_http_child_span_finish(_span: *mut c_void) {}
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_new(host: *const Host) -> *mut Weak<Host> {
        // SAFETY: see above; the count is that of the new reference.
        let host = unsafe { Arc::increment_strong_count(host); Arc::from_raw(host) };
        Box::into_raw(Box::new(Arc::downgrade(&host)))
    }
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_commit(scheduler: &Weak<Host>, event: u64) {
        scheduler.upgrade().iter().for_each(|host| host.events.lock().unwrap().push_back(event));
    }
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_delete(scheduler: *mut Weak<Host>) {
        // SAFETY: see above.
        drop(unsafe { Box::from_raw(scheduler) });
    }
    fn envoy_dynamic_module_callback_http_filter_config_http_callout(
        host: &Host, call: *mut u64, _cluster: Buffer, fields: *const RawField, count: usize, _body: Buffer, _timeout: u64,
    ) -> u32 {
        let id = host.last_call.fetch_add(1, Ordering::Relaxed) + 1;
        if id <= 3 || id.is_multiple_of(3) {
            // No such cluster: before one is warm, and at times later.
            return 2;
        }
        // SAFETY: see above.
        let fields = unsafe { call.write(id); std::slice::from_raw_parts(fields, count) };
        let fields = fields.iter().map(|RawField(name, value)| (name.to_vec(), value.to_vec())).collect();
        host.calls.lock().unwrap().push_back(Call { id, fields });
        0
    }
    fn envoy_dynamic_module_callback_http_filter_config_define_counter(
        _host: &Host, _name: Buffer, _labels: *const Buffer, _count: usize, metric: *mut usize,
    ) -> u32 {
        // SAFETY: see above.
        unsafe { metric.write(1) };
        0
    }
    fn envoy_dynamic_module_callback_http_filter_config_define_gauge(
        _host: &Host, _name: Buffer, _labels: *const Buffer, _count: usize, metric: *mut usize,
    ) -> u32 {
        // SAFETY: see above.
        unsafe { metric.write(1) };
        0
    }
    fn envoy_dynamic_module_callback_http_filter_config_increment_counter(
        _host: &Host, _metric: usize, _values: *const Buffer, _count: usize, _by: u64,
    ) -> u32 { 0 }
    fn envoy_dynamic_module_callback_http_filter_config_set_gauge(
        _host: &Host, _metric: usize, _values: *const Buffer, _count: usize, _value: u64,
    ) -> u32 { 0 }
}
