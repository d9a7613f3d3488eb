//! What happens around every request: its ID, its log line, its deadline, and headers that every answer has.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, USER_AGENT, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::REQUEST_ID;
use super::error::Refusal;
use crate::app::App;
use crate::domain::client_address::client_address;
use crate::domain::device::Device;
use crate::metrics::METRICS;

/// The longest that a request may take: less than Envoy waits for an answer (30 s), so that ours is the one given.
/// Waiting for a password's turn and for the database are within it.
const TIME_LIMIT: Duration = Duration::from_secs(25);
/// The longest request ID that is taken over from a client.
const MAX_REQUEST_ID_BYTES: usize = 64;
/// How much of `x-forwarded-for` is kept, from its end: each proxy appends what it saw itself.
const MAX_FORWARDED_BYTES: usize = 256;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who asks, for the logs: [`observe`] puts it into every request's extensions.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The request's name.
    pub request_id: HeaderValue,
    /// The other end of the connection: a proxy's address, where there is one.
    pub peer: Option<IpAddr>,
    /// The end of `x-forwarded-for`, all of its fields joined. Only what proxies of our own wrote is to be believed.
    pub forwarded_for: Option<String>,
    /// The client's address, as far as the proxies in front of us are counted.
    pub address: Option<IpAddr>,
    /// What the client says that it is.
    pub user_agent: Option<HeaderValue>,
}

impl Caller {
    /// The request's name as text.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// The client's device, and the network that it is in.
    #[must_use]
    pub fn device(&self) -> Device {
        Device::new(self.user_agent.as_ref().map(HeaderValue::as_bytes), self.address)
    }
}

/// Which requests are worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logged {
    /// All of them.
    All,
    /// Those that failed: the others are machines asking again and again.
    Failures,
}

/// Names the request, counts it, logs one line about it, and completes the answer's headers.
pub async fn observe(
    State((app, logged)): State<(Arc<App>, Logged)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let caller = Caller {
        request_id: name(&app, request.headers()),
        peer,
        forwarded_for: read_forwarded_for(request.headers()),
        address: client_address(forwarded_for(request.headers()), app.trusted_hops, peer),
        user_agent: request.headers().get(USER_AGENT).cloned(),
    };
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    // Without the query, which may hold anything.
    let path = request.uri().path().to_owned();
    let span = tracing::info_span!("request", request_id = caller.request_id());
    request.extensions_mut().insert(caller.clone());

    let mut response = next.run(request).instrument(span).await;

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, caller.request_id.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Answers about people are nobody's to keep; what may be kept says so itself.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    METRICS.observe_request(route, response.status().as_u16(), started.elapsed());
    if logged == Logged::Failures && response.status().is_success() {
        return response;
    }
    tracing::info!(
        request_id = caller.request_id(),
        %method,
        path,
        status = response.status().as_u16(),
        latency_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// Answers 503 when the time is up.
pub async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::TimedOut.into_response(),
    }
}

/// The ID the client gave, if it is short and sane; else one of our own.
fn name(app: &App, headers: &HeaderMap) -> HeaderValue {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let is_sane = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=MAX_REQUEST_ID_BYTES).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    headers.get(REQUEST_ID).filter(is_sane).cloned().unwrap_or_else(|| {
        let (run, number) = (u64::from_be_bytes(app.run_id), NEXT.fetch_add(1, Ordering::Relaxed));
        HeaderValue::try_from(format!("{run:016x}-{number}")).unwrap_or(HeaderValue::from_static("unnamed"))
    })
}

/// The values of all `x-forwarded-for` fields.
fn forwarded_for(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = &[u8]> {
    headers.get_all(X_FORWARDED_FOR).iter().map(HeaderValue::as_bytes)
}

fn read_forwarded_for(headers: &HeaderMap) -> Option<String> {
    let joined = forwarded_for(headers).collect::<Vec<_>>().join(&b", "[..]);
    let kept = joined.get(joined.len().saturating_sub(MAX_FORWARDED_BYTES)..)?;
    (!kept.is_empty()).then(|| String::from_utf8_lossy(kept).into_owned())
}
