//! What happens around every request: its ID, its log line, its deadline, and headers that every response has.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::domain::caller::{self, Caller};
use crate::http::error::ApiError;
use crate::http::extract::client_address::client_address;
use crate::http::state::{AppState, HttpPolicy};

/// Identifier of a request, in the logs of everything that it passes through.
pub(in crate::http) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum time that a request may take: less than Envoy waits for a response (30 s), so that ours is the one given.
/// Waiting for a password's turn and for the database are within it.
const TIME_LIMIT: Duration = Duration::from_secs(25);
/// Number of bytes of `x-forwarded-for` that are kept, from its end: each proxy appends what it saw itself.
const MAX_FORWARDED_BYTES: usize = 256;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Which requests are worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Logged {
    /// All of them.
    All,
    /// Those that failed: the others are machines that poll.
    Failures,
}

/// Identifies the request, counts it, logs one line about it, and completes the response's headers. Handlers find the
/// [`Caller`] in the request's extensions.
pub(in crate::http) async fn observe(
    State((state, logged)): State<(AppState, Logged)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let caller = Caller::stranger(describe(&state.http, &request));
    let id = caller.request.as_ref().map(|request| request.id.clone());
    let id = id.as_ref().map_or("", |id| id.as_str());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    // Without the query, which may hold anything.
    let path = request.uri().path().to_owned();
    let span = tracing::info_span!("request", request_id = id);
    request.extensions_mut().insert(caller);

    let mut response = next.run(request).instrument(span).await;

    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Responses about people are nobody's to keep; what may be kept says so itself.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    state.metrics.observe_request(route, response.status().as_u16(), started.elapsed());
    if logged == Logged::Failures && response.status().is_success() {
        return response;
    }
    tracing::info!(
        request_id = id,
        %method,
        path,
        status = response.status().as_u16(),
        latency_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// Responds with 503 when the time is up.
pub(in crate::http) async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TimedOut.into_response(),
    }
}

fn describe(policy: &HttpPolicy, request: &Request) -> caller::Request {
    let (headers, extensions) = (request.headers(), request.extensions());
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    // The ID that the client gave, if it is short and plain.
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()?.parse().ok());
    caller::Request {
        id: given.unwrap_or_else(|| policy.next_request_id()),
        peer,
        forwarded_for: last_forwarded_for(headers),
        client: client_address(forwarded_for(headers), policy.trusted_hops, peer),
    }
}

/// The values of all `x-forwarded-for` fields.
fn forwarded_for(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = &[u8]> {
    headers.get_all(X_FORWARDED_FOR).iter().map(HeaderValue::as_bytes)
}

fn last_forwarded_for(headers: &HeaderMap) -> Option<String> {
    let joined = forwarded_for(headers).collect::<Vec<_>>().join(&b", "[..]);
    let kept = joined.get(joined.len().saturating_sub(MAX_FORWARDED_BYTES)..)?;
    (!kept.is_empty()).then(|| String::from_utf8_lossy(kept).into_owned())
}
