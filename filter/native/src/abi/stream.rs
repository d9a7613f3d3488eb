//! Envoy's side of a stream: its header fields, its end, and what wakes it.

#![expect(unsafe_code, reason = "the ABI consists of raw pointers")]

use std::cell::Cell;
use std::ffi::c_void;

use edgeward_filter::header_edits::HeaderEdit;
use edgeward_filter::request::Field;

use super::{Buffer, Envoy, RawField};

#[rustfmt::skip]
unsafe extern "C" {
    fn envoy_dynamic_module_callback_http_get_headers_size(stream: Envoy, map: Map) -> usize;
    fn envoy_dynamic_module_callback_http_get_headers(stream: Envoy, map: Map, fields: *mut RawField, capacity: usize,
        count: *mut usize) -> bool;
    fn envoy_dynamic_module_callback_http_set_header(stream: Envoy, map: Map, name: Buffer, value: Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_add_header(stream: Envoy, map: Map, name: Buffer, value: Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_send_response(stream: Envoy, status: u32, fields: *const RawField, count: usize,
        body: Buffer, details: Buffer);
    fn envoy_dynamic_module_callback_http_clear_route_cache(stream: Envoy);
    fn envoy_dynamic_module_callback_http_filter_continue_decoding(stream: Envoy);
    fn envoy_dynamic_module_callback_http_filter_reset_stream(stream: Envoy, reason: u32, details: Buffer);
    fn envoy_dynamic_module_callback_http_set_filter_state_bytes(stream: Envoy, key: Buffer, value: Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_filter_get_attribute_string(stream: Envoy, attribute: Attribute,
        value: *mut Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_filter_get_worker_index(stream: Envoy) -> u32;
    fn envoy_dynamic_module_callback_http_filter_scheduler_new(stream: Envoy) -> *mut c_void;
    fn envoy_dynamic_module_callback_http_filter_scheduler_commit(scheduler: Envoy, event: u64);
    fn envoy_dynamic_module_callback_http_filter_scheduler_delete(scheduler: Envoy);
    fn envoy_dynamic_module_callback_http_get_active_span(stream: Envoy) -> *mut c_void;
    fn envoy_dynamic_module_callback_http_span_spawn_child(stream: Envoy, span: Envoy, operation: Buffer) -> *mut c_void;
    fn envoy_dynamic_module_callback_http_span_get_trace_id(span: Envoy, id: *mut Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_span_get_span_id(span: Envoy, id: *mut Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_child_span_finish(span: Envoy);
}

/// Reset of a stream by the proxy itself.
const LOCAL_RESET: u32 = 0;

/// Header map of a stream.
#[repr(u32)]
#[derive(Clone, Copy)]
pub(crate) enum Map {
    RequestHeaders = 0,
    RequestTrailers = 1,
    ResponseHeaders = 2,
}

/// Attribute of a stream.
#[repr(u32)]
#[derive(Clone, Copy)]
pub(crate) enum Attribute {
    ResponseCodeDetails = 16,
    SourceAddress = 24,
}

// SAFETY, for every block below: a handle exists only as long as its object of Envoy's, on the thread that may use it;
// buffers are those of live slices, which Envoy copies during the call; and Envoy writes to live variables only during the call.

/// Scheduler by which any thread wakes a stream on its worker; it does nothing once the stream has ended.
pub(crate) struct StreamScheduler(Envoy);

// SAFETY: as for `HostScheduler`.
unsafe impl Send for StreamScheduler {}

impl StreamScheduler {
    /// Wakes the stream.
    pub(crate) fn commit(&self) {
        // SAFETY: see above.
        unsafe { envoy_dynamic_module_callback_http_filter_scheduler_commit(self.0, 0) };
    }
}

impl Drop for StreamScheduler {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { envoy_dynamic_module_callback_http_filter_scheduler_delete(self.0) };
    }
}

thread_local! {
    /// Fields of an earlier header map, whose memory serves the next.
    static FIELDS: Cell<Vec<RawField>> = const { Cell::new(Vec::new()) };
}

/// Envoy's side of a stream, on the stream's worker.
#[derive(Clone, Copy)]
pub(crate) struct HostStream(pub(crate) Envoy);

impl HostStream {
    /// Number of the worker.
    pub(crate) fn worker(self) -> usize {
        // SAFETY: see above.
        unsafe { envoy_dynamic_module_callback_http_filter_get_worker_index(self.0) as usize }
    }

    /// Reads the fields of a header map. No field may be changed meanwhile.
    pub(crate) fn read<R>(self, map: Map, read: impl FnOnce(Fields<'_>) -> R) -> Option<R> {
        let mut fields = FIELDS.take();
        fields.clear();
        // SAFETY: see above.
        let size = unsafe { envoy_dynamic_module_callback_http_get_headers_size(self.0, map) };
        fields.reserve(size);
        let mut count = size;
        // SAFETY: there is room for this number of fields, and Envoy has written them if it returns `true`. Envoy 1.40 takes three
        // arguments; later ones have a capacity and a count, which the calling convention lets earlier ones ignore.
        let is_read = unsafe {
            let fields_at = fields.as_mut_ptr();
            let is_read =
                envoy_dynamic_module_callback_http_get_headers(self.0, map, fields_at, size, &raw mut count);
            fields.set_len(if is_read { count.min(size) } else { 0 });
            is_read
        };
        let result = is_read.then(|| read(Fields(&fields)));
        FIELDS.set(fields);
        result
    }

    /// Edits a header map. Envoy removes what is set to an empty value, and has none to append.
    pub(crate) fn edit(self, map: Map, edit: HeaderEdit<'_>) -> bool {
        // SAFETY: see above.
        unsafe {
            match edit {
                HeaderEdit::Remove(name) => {
                    // `false` says that there is none.
                    envoy_dynamic_module_callback_http_set_header(self.0, map, name.into(), Buffer::EMPTY);
                    true
                }
                HeaderEdit::Set(name, value) => {
                    envoy_dynamic_module_callback_http_set_header(self.0, map, name.into(), value.into())
                }
                HeaderEdit::Append(name, value) => {
                    envoy_dynamic_module_callback_http_add_header(self.0, map, name.into(), value.into())
                }
            }
        }
    }

    /// Chooses the route anew, by the fields as they are now.
    pub(crate) fn clear_route_cache(self) {
        // SAFETY: see above.
        unsafe { envoy_dynamic_module_callback_http_clear_route_cache(self.0) };
    }

    /// Responds to the request, with details for the access log.
    pub(crate) fn send_local_reply(
        self,
        status: u16,
        fields: &[(Vec<u8>, Vec<u8>)],
        body: &str,
        details: &str,
    ) {
        let fields: Vec<RawField> = fields.iter().map(|(name, value)| RawField::new(name, value)).collect();
        // SAFETY: see above.
        #[rustfmt::skip]
        unsafe {
            envoy_dynamic_module_callback_http_send_response(self.0, status.into(), fields.as_ptr(), fields.len(),
                body.into(), details.into());
        };
    }

    /// Resumes a request that was stopped.
    pub(crate) fn continue_request(self) {
        // SAFETY: see above.
        unsafe { envoy_dynamic_module_callback_http_filter_continue_decoding(self.0) };
    }

    /// Resets the stream, with details for the access log.
    pub(crate) fn reset(self, details: &str) {
        // SAFETY: see above.
        unsafe {
            envoy_dynamic_module_callback_http_filter_reset_stream(self.0, LOCAL_RESET, details.into());
        };
    }

    /// Attribute of the stream.
    pub(crate) fn attribute(self, attribute: Attribute) -> Option<Vec<u8>> {
        let mut value = Buffer::EMPTY;
        // SAFETY: see above, and Envoy has set the value if it returns `true`.
        unsafe {
            envoy_dynamic_module_callback_http_filter_get_attribute_string(self.0, attribute, &raw mut value)
                .then(|| value.bytes().to_vec())
        }
    }

    /// Sets bytes in the filter state, for the access log.
    pub(crate) fn set_filter_state(self, key: &str, value: &str) {
        // SAFETY: see above.
        unsafe {
            envoy_dynamic_module_callback_http_set_filter_state_bytes(self.0, key.into(), value.into())
        };
    }

    /// Starts a span in the trace of the stream; none if that is not traced.
    pub(crate) fn start_span(self, operation: &str) -> Option<Span> {
        // SAFETY: see above.
        unsafe {
            let parent = Envoy::new(envoy_dynamic_module_callback_http_get_active_span(self.0))?;
            Envoy::new(envoy_dynamic_module_callback_http_span_spawn_child(self.0, parent, operation.into()))
                .map(Span)
        }
    }

    /// Returns a scheduler that wakes the stream.
    pub(crate) fn scheduler(self) -> Option<StreamScheduler> {
        // SAFETY: see above.
        Envoy::new(unsafe { envoy_dynamic_module_callback_http_filter_scheduler_new(self.0) })
            .map(StreamScheduler)
    }
}

/// Span of a trace, on the stream's worker. It ends when it is dropped.
pub(crate) struct Span(Envoy);

impl Span {
    /// Number of the trace, in hexadecimal digits.
    pub(crate) fn trace_id(&self) -> Option<String> {
        self.id(envoy_dynamic_module_callback_http_span_get_trace_id)
    }

    /// Number of the span, in hexadecimal digits.
    pub(crate) fn span_id(&self) -> Option<String> {
        self.id(envoy_dynamic_module_callback_http_span_get_span_id)
    }

    fn id(&self, get: unsafe extern "C" fn(Envoy, *mut Buffer) -> bool) -> Option<String> {
        let mut id = Buffer::EMPTY;
        // SAFETY: see above, and Envoy has set the bytes, which are good until the next call, if it returns `true`.
        let id = unsafe { get(self.0, &raw mut id).then(|| id.bytes().to_vec()) };
        String::from_utf8(id?).ok()
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { envoy_dynamic_module_callback_http_child_span_finish(self.0) };
    }
}

/// Fields of a header map, names in lower case, as far as no field is changed.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(&'a [RawField]);

impl<'a> IntoIterator for Fields<'a> {
    type Item = Field<'a>;
    type IntoIter = FieldsIter<'a>;

    fn into_iter(self) -> FieldsIter<'a> {
        FieldsIter(self.0.iter())
    }
}

/// Iterator over [`Fields`].
#[derive(Clone)]
pub(crate) struct FieldsIter<'a>(std::slice::Iter<'a, RawField>);

impl<'a> Iterator for FieldsIter<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let field = self.0.next()?;
        // SAFETY: Envoy's fields are good as long as `HostStream::read` lends them.
        Some(unsafe { (field.name.bytes(), field.value.bytes()) })
    }
}
