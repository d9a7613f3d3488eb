//! Calls to clusters that are under way, and who waits for their answers. An answer that nobody waits for, be it
//! late, doubled or made up, is not heard: the SDK's own dispatcher would panic on it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use crate::host::{self, Buffer, HeaderMap, Map};

/// The longest body that is taken over, in bytes; whoever waits judges by its length that it was cut.
const MAX_BODY_BYTES: usize = 1 << 20;

/// A question without a body.
pub(crate) struct Question<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// All headers besides the pseudo-headers.
    pub(crate) headers: &'a [(&'a [u8], &'a [u8])],
    pub(crate) timeout: Duration,
}

/// What came of a call.
pub(crate) struct Answer {
    /// The status in digits; absent where the call was reset, or took too long.
    pub(crate) status: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
}

type Waiter = Box<dyn FnOnce(&Answer)>;

thread_local! {
    static WAITING: RefCell<HashMap<u32, Waiter>> = RefCell::default();
}

/// Asks a cluster; None where the host did not take the call. The waiter hears the answer once, or never.
pub(crate) fn send(question: &Question<'_>, waiter: Waiter) -> Option<u32> {
    let &Question { cluster, method, path, headers, timeout } = question;
    let mut all: Vec<(&[u8], &[u8])> = vec![
        (b":method", method.as_bytes()),
        (b":path", path.as_bytes()),
        (b":authority", cluster.as_bytes()),
    ];
    all.extend_from_slice(headers);
    let token = host::http_call(cluster, &all, timeout)?;
    WAITING.with_borrow_mut(|waiting| waiting.insert(token, waiter));
    Some(token)
}

/// Waits no more.
pub(crate) fn forget(token: u32) {
    // Dropped outside the borrow: a waiter may hold what holds others.
    let _forgotten = WAITING.with_borrow_mut(|waiting| waiting.remove(&token));
}

/// Passes on what the host has for a call.
pub(crate) fn answered(token: u32) {
    let Some(waiter) = WAITING.with_borrow_mut(|waiting| waiting.remove(&token)) else { return };
    let headers = host::headers(Map::CallResponseHeaders);
    let mut headers = headers.as_ref().and_then(HeaderMap::read).unwrap_or_default().into_iter();
    let status = headers.find(|(name, _)| *name == b":status").map(|(_, value)| value.to_vec());
    let body = host::buffer(Buffer::CallResponseBody, MAX_BODY_BYTES).unwrap_or_default();
    waiter(&Answer { status, body });
}
