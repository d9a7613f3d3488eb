//! Envoy's ABI of dynamic modules for HTTP filters (`source/extensions/dynamic_modules/abi/abi.h`, v0.2.0), bound by hand: there
//! is no SDK in the registry of crates. All `unsafe` code of the module is in this room, and in `hooks` for
//! what Envoy calls.

#![expect(
    unsafe_code,
    reason = "the ABI consists of raw pointers; no other files but those of abi/ and hooks.rs touch them"
)]

mod configuration;
mod stream;

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use edgeward_filter::log::Level;

pub(crate) use configuration::{Counter, Gauge, Host, HostScheduler};
pub(crate) use stream::{Attribute, Fields, HostStream, Map, Span, StreamScheduler};

/// Address of an object of Envoy's.
pub(crate) type Envoy = NonNull<c_void>;

/// Bytes of Envoy's or of ours.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Buffer {
    data: *const u8,
    len: usize,
}

/// Header field of Envoy's or of ours.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct RawField {
    pub(crate) name: Buffer,
    pub(crate) value: Buffer,
}

#[rustfmt::skip]
unsafe extern "C" {
    fn envoy_dynamic_module_callback_log(level: u32, line: Buffer);
}

/// Result of a callback that has succeeded.
const SUCCESS: u32 = 0;

/// Answer to a head that has arrived.
#[repr(u32)]
#[derive(Clone, Copy)]
pub(crate) enum HeadersStatus {
    Continue = 0,
    /// Nothing more of the stream passes before it is continued, and Envoy reads no more of it than its buffer holds.
    StopAllIterationAndWatermark = 4,
}

/// Answer to trailers that have arrived.
#[repr(u32)]
#[derive(Clone, Copy)]
pub(crate) enum TrailersStatus {
    Continue = 0,
    StopIteration = 1,
}

impl From<&[u8]> for Buffer {
    fn from(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), len: bytes.len() }
    }
}

impl From<&str> for Buffer {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl RawField {
    fn new(name: &[u8], value: &[u8]) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Buffer {
    const EMPTY: Self = Self { data: ptr::null(), len: 0 };

    /// Returns the bytes.
    ///
    /// # Safety
    /// They must be there for as long as `'a`, and not change.
    pub(crate) unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.data.is_null() {
            return &[];
        }
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

// SAFETY, for every block below: a handle exists only as long as its object of Envoy's, on the thread that may use it;
// buffers are those of live slices, which Envoy copies during the call; and Envoy writes to live variables only during the call.

/// Writes a line to Envoy's log.
pub(crate) fn log(level: Level, line: &str) {
    let level = match level {
        Level::Info => 2,
        Level::Warn => 3,
        Level::Error => 4,
    };
    // SAFETY: see above.
    unsafe { envoy_dynamic_module_callback_log(level, line.into()) };
}
