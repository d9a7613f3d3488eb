//! Calls to clusters that are under way. A response without a call is ignored: it is late, repeated or made up.

use std::cell::RefCell;
use std::collections::BTreeMap;

use edgeward_filter::call::{CallOutcome, HttpCall, MAX_BODY_BYTES};
use proxy_wasm::types::{BufferType, MapType};

use crate::host::{self, HeaderMap};

/// Number of a call, given by the host.
pub(crate) type CallToken = u32;

type ResponseHandler = Box<dyn FnOnce(CallToken, &CallOutcome<'_>)>;

/// Maximum number of calls whose response is awaited. Chosen: many times what all plugins of a worker send at once; beyond
/// it, the host has lost the oldest.
const MAX_AWAITED: usize = 1 << 16;

thread_local! {
    static AWAITED: RefCell<BTreeMap<CallToken, ResponseHandler>> = const { RefCell::new(BTreeMap::new()) };
}

/// Sends a call; none if the host does not accept it. The handler runs once, or never.
pub(crate) fn send(call: &HttpCall, handler: ResponseHandler) -> Option<CallToken> {
    let token = host::http_call(call)?;
    AWAITED.with_borrow_mut(|awaited| {
        if awaited.len() >= MAX_AWAITED {
            awaited.pop_first();
        }
        awaited.insert(token, handler);
    });
    Some(token)
}

/// Passes the host's response to its handler.
pub(crate) fn on_response(token: CallToken) {
    let Some(handler) = AWAITED.with_borrow_mut(|awaited| awaited.remove(&token)) else { return };
    let headers = host::headers(MapType::HttpCallResponseHeaders);
    let mut fields = headers.as_ref().and_then(HeaderMap::read).unwrap_or_default();
    let body = host::buffer(BufferType::HttpCallResponseBody, MAX_BODY_BYTES).unwrap_or_default();
    let outcome = match fields.find(|(name, _)| *name == b":status") {
        Some((_, status)) => CallOutcome::Response { status, body: &body },
        None => CallOutcome::NoResponse,
    };
    handler(token, &outcome);
}
