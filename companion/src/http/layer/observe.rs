//! Request ID, log line, count and deadline of every request, and the header fields of every response.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use tracing::field::Empty;

use super::client_address::client_address;
use crate::domain::caller::{self, Caller};
use crate::http::error::ApiError;
use crate::http::pages::text;
use crate::http::state::{AppState, HttpPolicy};
use crate::telemetry::traces;

/// Header field of the request ID, which is in the logs of every service that handles the request.
pub(in crate::http) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum duration of a request, waits for hashing and for the database included. Chosen: less than Envoy's timeout of
/// 30 s, so that the client receives our response.
const TIME_LIMIT: Duration = Duration::from_secs(25);
/// Maximum number of bytes of a method and of a path in the log and in traces. Any client may send 64 KiB, and as often as
/// it likes.
const MAX_LOGGED_BYTES: usize = 256;
/// Maximum number of bytes of `x-forwarded-for` that are logged. The end is kept, because trusted proxies append.
const MAX_FORWARDED_BYTES: usize = 256;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Selection of the requests that are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Logged {
    /// All requests.
    All,
    /// Failed requests. The others are polls.
    Failures,
}

/// Assigns a request ID, counts and logs the request, and completes the response's header fields. The [`Caller`] is in
/// the request's extensions.
pub(in crate::http) async fn observe(
    State((state, logged)): State<(AppState, Logged)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let origin = describe(&state.http, &request);
    let id = origin.id.clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let is_http1 = request.version() < Version::HTTP_2;
    // Without the query, which may hold secrets.
    let path = start_of(request.uri().path()).to_owned();
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    let parent = traces::remote_parent(request.headers());
    // A poll begins no trace.
    let span = if logged == Logged::All || parent.is_some() {
        tracing::info_span!(target: traces::TARGET, "request", request_id = id.as_str(), trace_id = Empty)
    } else {
        tracing::info_span!(target: traces::POLL_TARGET, "request", request_id = id.as_str())
    };
    let caller = Caller::stranger(origin);
    let described =
        traces::Request { method: start_of(method.as_str()), route, path: &path, caller: &caller };
    let trace_id = traces::begin(&span, parent, described);
    if let Some(trace_id) = &trace_id {
        span.record("trace_id", trace_id);
    }
    request.extensions_mut().insert(caller);

    let mut response = next.run(request).instrument(span.clone()).await;

    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Nobody sends another request over a connection that is about to be closed (RFC 9112 §9.6).
    if is_http1 && state.draining.has_started() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // Responses hold personal data, so that no cache may store them. Those that may be cached have the field already.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    traces::end(&span, response.status().as_u16());
    state.metrics.observe_request(method.as_str(), route, response.status().as_u16(), started.elapsed());
    if logged == Logged::Failures && response.status().is_success() {
        return response;
    }
    tracing::info!(
        request_id = id.as_str(),
        trace_id,
        method = start_of(method.as_str()),
        path,
        status = response.status().as_u16(),
        latency_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// Returns the first [`MAX_LOGGED_BYTES`] bytes of a text.
fn start_of(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_LOGGED_BYTES)).unwrap_or_default()
}

/// Responds with 503 after 25 s.
pub(in crate::http) async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TimedOut.into_response(),
    }
}

fn describe(policy: &HttpPolicy, request: &Request) -> caller::Request {
    let (headers, extensions) = (request.headers(), request.extensions());
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    // The client's own ID, if it is valid.
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()?.parse().ok());
    caller::Request {
        id: given.unwrap_or_else(|| policy.next_request_id()),
        peer,
        forwarded_for: last_forwarded_for(headers),
        client: client_address(forwarded_for(headers), policy.trusted_hops, peer),
        language: text::preferred(headers),
    }
}

/// Returns the values of all `x-forwarded-for` fields.
fn forwarded_for(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = &[u8]> {
    headers.get_all(X_FORWARDED_FOR).iter().map(HeaderValue::as_bytes)
}

fn last_forwarded_for(headers: &HeaderMap) -> Option<String> {
    let joined = forwarded_for(headers).collect::<Vec<_>>().join(&b", "[..]);
    let kept = joined.get(joined.len().saturating_sub(MAX_FORWARDED_BYTES)..)?;
    (!kept.is_empty()).then(|| String::from_utf8_lossy(kept).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_logged_up_to_a_whole_character() {
        assert_eq!(start_of("/api"), "/api");
        assert_eq!(start_of(&"a".repeat(60_000)).len(), MAX_LOGGED_BYTES);
        assert_eq!(start_of(&format!("/{}", "é".repeat(300))).len(), MAX_LOGGED_BYTES - 1);
    }
}
