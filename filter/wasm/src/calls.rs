//! Calls to clusters that are under way, and the handlers of their responses. A response without a handler is ignored: it
//! is late, repeated or made up.

use std::cell::RefCell;
use std::collections::HashMap;

use edgeward_filter::call::{CallOutcome, HttpCall, MAX_BODY_BYTES};

use crate::host::{self, Buffer, Map};

/// Number of a call, given by the host.
pub(crate) type CallToken = u32;

type ResponseHandler = Box<dyn FnOnce(&CallOutcome<'_>)>;

thread_local! {
    static HANDLERS: RefCell<HashMap<CallToken, ResponseHandler>> = RefCell::default();
}

/// Sends a call; none if the host does not accept it. The handler runs once, or never.
pub(crate) fn send(call: &HttpCall, handler: ResponseHandler) -> Option<CallToken> {
    let HttpCall { cluster, method, path, headers, timeout } = call;
    let pseudo =
        [(":method", method.as_bytes()), (":path", path.as_bytes()), (":authority", cluster.as_bytes())];
    let fields = pseudo.into_iter().chain(headers.iter().map(|(name, value)| (*name, value.as_slice())));
    let token = host::http_call(cluster, fields.map(|(name, value)| (name.as_bytes(), value)), *timeout)?;
    HANDLERS.with_borrow_mut(|handlers| handlers.insert(token, handler));
    Some(token)
}

/// Drops the handler of a call.
pub(crate) fn cancel(token: CallToken) {
    // Dropped outside the borrow: a handler may own what cancels others.
    let _handler = HANDLERS.with_borrow_mut(|handlers| handlers.remove(&token));
}

/// Passes the host's response to its handler.
pub(crate) fn on_response(token: CallToken) {
    let Some(handler) = HANDLERS.with_borrow_mut(|handlers| handlers.remove(&token)) else { return };
    let headers = host::headers(Map::CallResponseHeaders);
    let mut fields = headers.as_ref().and_then(host::HeaderMap::read).unwrap_or_default();
    let status = fields.find(|(name, _)| *name == b":status").map(|(_, value)| value);
    let body = host::buffer(Buffer::CallResponseBody, MAX_BODY_BYTES).unwrap_or_default();
    match status {
        Some(status) => handler(&CallOutcome::Response { status, body: &body }),
        None => handler(&CallOutcome::NoResponse),
    }
}
