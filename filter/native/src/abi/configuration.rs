//! Envoy's side of a configuration: calls, metrics, and events for the main thread.

#![expect(unsafe_code, reason = "the ABI consists of raw pointers")]

use std::ffi::c_void;

use edgeward_filter::call::HttpCall;

use super::{Buffer, Envoy, RawField, SUCCESS};

#[rustfmt::skip]
unsafe extern "C" {
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_new(config: Envoy) -> *mut c_void;
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_commit(scheduler: Envoy, event: u64);
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_delete(scheduler: Envoy);
    fn envoy_dynamic_module_callback_http_filter_config_http_callout(config: Envoy, call: *mut u64, cluster: Buffer,
        fields: *const RawField, count: usize, body: Buffer, timeout_ms: u64) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_define_counter(config: Envoy, name: Buffer, labels: *const Buffer,
        count: usize, metric: *mut usize) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_define_gauge(config: Envoy, name: Buffer, labels: *const Buffer,
        count: usize, metric: *mut usize) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_increment_counter(config: Envoy, metric: usize, values: *const Buffer,
        count: usize, by: u64) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_set_gauge(config: Envoy, metric: usize, values: *const Buffer,
        count: usize, value: u64) -> u32;
}

// SAFETY, for every block below: a handle exists only as long as its object of Envoy's, on the thread that may use it;
// buffers are those of live slices, which Envoy copies during the call; and Envoy writes to live variables only during the call.

/// Callback that defines a metric.
type Define = unsafe extern "C" fn(Envoy, Buffer, *const Buffer, usize, *mut usize) -> u32;

/// Envoy's side of a configuration.
#[derive(Clone, Copy)]
pub(crate) struct Host(pub(crate) Envoy);

// SAFETY: workers use it for metrics only, which Envoy lets every thread change.
unsafe impl Send for Host {}
// SAFETY: the same.
unsafe impl Sync for Host {}

/// Counter of a configuration.
pub(crate) struct Counter(usize);

/// Gauge of a configuration.
pub(crate) struct Gauge(usize);

impl Host {
    /// Returns a scheduler of events for the main thread.
    pub(crate) fn scheduler(self) -> HostScheduler {
        // SAFETY: see above.
        HostScheduler(Envoy::new(unsafe {
            envoy_dynamic_module_callback_http_filter_config_scheduler_new(self.0)
        }))
    }

    /// Sends a call on the main thread, and returns its number; none if Envoy does not accept it.
    pub(crate) fn send(self, call: &HttpCall) -> Option<u64> {
        let HttpCall { cluster, method, path, headers, timeout } = call;
        let pseudo = [(":method", *method), (":path", path), (":authority", cluster)];
        let pseudo = pseudo.into_iter().map(|(name, value)| RawField::new(name.as_bytes(), value.as_bytes()));
        let fields = headers.iter().map(|(name, value)| RawField::new(name.as_bytes(), value));
        let (fields, mut number): (Vec<RawField>, _) = (pseudo.chain(fields).collect(), 0);
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: see above.
        #[rustfmt::skip]
        let result = unsafe {
            envoy_dynamic_module_callback_http_filter_config_http_callout(self.0, &raw mut number, cluster.as_str().into(),
                fields.as_ptr(), fields.len(), Buffer::EMPTY, timeout_ms)
        };
        (result == SUCCESS).then_some(number)
    }

    /// Defines a counter, divided by a label or not. Envoy allows it while a configuration starts.
    pub(crate) fn define_counter(self, name: &str, label: Option<&str>) -> Option<Counter> {
        self.define(envoy_dynamic_module_callback_http_filter_config_define_counter, name, label).map(Counter)
    }

    /// Defines a gauge, as [`Self::define_counter`] does a counter.
    pub(crate) fn define_gauge(self, name: &str, label: Option<&str>) -> Option<Gauge> {
        self.define(envoy_dynamic_module_callback_http_filter_config_define_gauge, name, label).map(Gauge)
    }

    fn define(self, define: Define, name: &str, label: Option<&str>) -> Option<usize> {
        let (label, mut metric) = (label.map(Buffer::from), 0);
        let labels = label.as_slice();
        // SAFETY: see above.
        let result = unsafe { define(self.0, name.into(), labels.as_ptr(), labels.len(), &raw mut metric) };
        (result == SUCCESS).then_some(metric)
    }

    /// Increments a counter, for a value of its label if it has one.
    pub(crate) fn increment(self, counter: &Counter, value: Option<&str>, by: u64) {
        let value = value.map(Buffer::from);
        let values = value.as_slice();
        // SAFETY: see above.
        #[rustfmt::skip]
        unsafe {
            envoy_dynamic_module_callback_http_filter_config_increment_counter(self.0, counter.0, values.as_ptr(), values.len(), by)
        };
    }

    /// Sets a gauge, for a value of its label if it has one.
    pub(crate) fn set_gauge(self, gauge: &Gauge, value: Option<&str>, to: u64) {
        let value = value.map(Buffer::from);
        let values = value.as_slice();
        // SAFETY: see above.
        #[rustfmt::skip]
        unsafe {
            envoy_dynamic_module_callback_http_filter_config_set_gauge(self.0, gauge.0, values.as_ptr(), values.len(), to)
        };
    }
}

/// Scheduler of events for the main thread; it does nothing once its configuration has ended.
pub(crate) struct HostScheduler(Option<Envoy>);

// SAFETY: Envoy's scheduler is made for other threads: it posts to the main thread, where the configuration is looked up.
unsafe impl Send for HostScheduler {}
// SAFETY: the same.
unsafe impl Sync for HostScheduler {}

impl HostScheduler {
    /// Sends an event.
    pub(crate) fn commit(&self, event: u64) {
        // SAFETY: see above.
        self.0.iter().for_each(|it| unsafe {
            envoy_dynamic_module_callback_http_filter_config_scheduler_commit(*it, event);
        });
    }
}

impl Drop for HostScheduler {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        self.0
            .iter()
            .for_each(|it| unsafe { envoy_dynamic_module_callback_http_filter_config_scheduler_delete(*it) });
    }
}
