//! Metrics of HTTP requests.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Metrics;

/// Upper bounds of the buckets of a request's duration, in seconds. Chosen: from a poll of the edge to a login with a
/// high `BCRYPT_COST`.
const DURATIONS: [f64; 10] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Methods that are label values (RFC 9110 §9, RFC 5789). A client can invent others.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

pub(super) struct Http {
    requests: Family<Request, Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u32,
}

impl Http {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let http = Self { requests: Family::new_with_constructor(|| Histogram::new(DURATIONS)) };
        registry.register_with_unit(
            "http_request_duration",
            "Requests by method, route and status; polls of the edge are those of /internal/edge-feed",
            Unit::Seconds,
            http.requests.clone(),
        );
        http
    }
}

/// Returns a method that an RFC defines.
pub(in crate::telemetry) fn known_method(method: &str) -> Option<&'static str> {
    METHODS.into_iter().find(|known| *known == method)
}

impl Metrics {
    /// Counts a response, with its method, route, status and duration. A method that no RFC defines is `other`.
    pub fn observe_request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let method = known_method(method).unwrap_or("other");
        let labels = Request { method, route: route.to_owned(), status: status.into() };
        self.http.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }
}
