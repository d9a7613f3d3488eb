//! Streams of pages of allowed origins until their responses come, which get the headers of `crate::cors`.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::host::{self, HeaderMap, Map};
use edgeward_filter::cors::CrossOrigin;
use edgeward_filter::policy::Policy;
use edgeward_filter::request::Request;

/// Envoy's details of a response that came from the upstream, and is not one of its own.
const VIA_UPSTREAM: &[u8] = b"via_upstream";

thread_local! {
    /// The streams that await their responses.
    static AWAITING: RefCell<HashMap<u32, CrossOrigin>> = RefCell::default();
}

/// Stores a request until its response comes, if it is from an allowed origin.
pub(crate) fn on_request(stream: u32, policy: &Policy, request: &Request<'_>) {
    if let Some(cross_origin) = CrossOrigin::read(policy, request) {
        AWAITING.with_borrow_mut(|awaiting| awaiting.insert(stream, cross_origin));
    }
}

/// Completes a response without CORS headers: a local reply, the filter's own among them, or any to a preflight. In
/// doubt it is the upstream's.
pub(crate) fn on_response(stream: u32) {
    let Some(cross_origin) = take(stream) else { return };
    let headers = host::headers(Map::ResponseHeaders);
    let Some(headers) = headers.as_ref().and_then(HeaderMap::read) else { return };
    let is_complete = headers.into_iter().any(|(name, _)| name.starts_with(b"access-control-"));
    let is_from_upstream =
        || host::property(&["response", "code_details"]).is_none_or(|details| details == VIA_UPSTREAM);
    if is_complete || !cross_origin.is_preflight() && is_from_upstream() {
        return;
    }
    let mut headers = cross_origin.headers().into_iter();
    let all_added =
        headers.all(|(name, value)| host::add_header(Map::ResponseHeaders, name.as_bytes(), &value));
    if all_added && cross_origin.is_preflight() {
        host::set_header(Map::ResponseHeaders, b":status", b"200");
    }
}

/// Drops a stream that has ended.
pub(crate) fn on_delete(stream: u32) {
    take(stream);
}

fn take(stream: u32) -> Option<CrossOrigin> {
    AWAITING.with_borrow_mut(|awaiting| if awaiting.is_empty() { None } else { awaiting.remove(&stream) })
}
