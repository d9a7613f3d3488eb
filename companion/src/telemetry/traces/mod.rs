//! Traces: a span for each request, with children for its use cases, its password hashes and its SQL statements, exported by
//! OTLP if there is an endpoint.
//!
//! The span of a request is also that of its log lines. Attributes that belong to the trace alone are set on the
//! exported span, so that they are not repeated in every line.

mod collector;
mod sql;

use std::time::Duration;

use anyhow::Context as _;
use axum::http::HeaderMap;
use edgeward_wire::VERSION;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tracing::subscriber::Interest;
use tracing::{Metadata, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{dynamic_filter_fn, filter_fn};
use tracing_subscriber::{Layer, Registry};

use self::collector::Collector;
use self::sql::SqlSpans;
use crate::config;
use crate::domain::caller::Caller;

/// Target of the span of a request that is traced.
pub const TARGET: &str = "edgeward_companion::request";
/// Target of the span of a request that is not: a poll.
pub const POLL_TARGET: &str = "edgeward_companion::poll";

/// Modules whose spans are parts of a request: its use cases, and its password hashes.
const PARTS: [&str; 2] = ["edgeward_companion::service", "edgeward_companion::hashing"];

/// Maximum duration of an export. Chosen: the interval between two exports.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time that the last export may take at the end of the service.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Export of traces. Spans wait in a bounded queue for a thread that sends them every five seconds; if the queue is full,
/// they are dropped.
pub struct Traces {
    provider: SdkTracerProvider,
}

/// Layer of the subscriber.
pub(super) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

impl Traces {
    /// Starts the export; `None` if it is off. Runs in a tokio runtime.
    ///
    /// # Errors
    /// If the exporter rejects the endpoint.
    pub fn start(settings: &config::Traces) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = &settings.endpoint else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(Handle::current()))
            .with_endpoint(endpoint.to_string())
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .context("cannot export traces to OTEL_EXPORTER_OTLP_ENDPOINT")?;
        let resource = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", VERSION))
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .with_sampler(sampler)
            .build();
        Ok(Some(Self { provider }))
    }

    /// Returns the layer that makes spans of requests, of their parts and of SQL statements.
    pub(super) fn layer(&self) -> BoxedLayer {
        let tracer = self.provider.tracer("edgeward");
        let requests = tracing_opentelemetry::layer()
            .with_tracer(RequestTracer(tracer.clone()))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            // A part of a poll or of a job begins no trace.
            .with_filter(
                dynamic_filter_fn(|metadata, context| {
                    is_request(metadata) || is_part(metadata) && context.lookup_current().is_some()
                })
                // Once for each place in the code: what is neither costs nothing.
                .with_callsite_filter(|metadata| {
                    if is_part(metadata) {
                        Interest::sometimes()
                    } else if is_request(metadata) {
                        Interest::always()
                    } else {
                        Interest::never()
                    }
                }),
            );
        let statements = SqlSpans::new(tracer).with_filter(filter_fn(|metadata| {
            is_request(metadata) || is_part(metadata) || metadata.target() == sql::TARGET
        }));
        requests.and_then(statements).boxed()
    }

    /// Sends what waits, for at most 2 s, and ends the export.
    pub async fn stop(self) {
        // It blocks. What is not sent by then is lost, as it would be with a collector that is down.
        _ = spawn_blocking(move || self.provider.shutdown_with_timeout(STOP_TIMEOUT)).await;
    }
}

fn is_request(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == TARGET
}

/// Returns `true` for a span that is a part of a request. It is for traces alone: log lines have the span of the request.
pub(super) fn is_part(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && PARTS.iter().any(|module| metadata.target().starts_with(module))
}

/// Tracer of the spans of requests and of their parts. tracing's own spans have no kind but as a field, which log lines would show.
struct RequestTracer(SdkTracer);

impl opentelemetry::trace::Tracer for RequestTracer {
    type Span = opentelemetry_sdk::trace::Span;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> Self::Span {
        let parent_span = parent.span().span_context().clone();
        let is_part = parent_span.is_valid() && !parent_span.is_remote();
        let kind = if is_part { SpanKind::Internal } else { SpanKind::Server };
        self.0.build_with_context(builder.with_kind(kind), parent)
    }
}

/// Returns the caller's span, from a valid `traceparent` (W3C Trace Context §3.2).
#[must_use]
pub fn remote_parent(headers: &HeaderMap) -> Option<Context> {
    if !headers.contains_key("traceparent") {
        return None;
    }
    let parent =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    parent.has_active_span().then_some(parent)
}

/// Request of a span.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Method.
    pub method: &'a str,
    /// Row of the table of routes; empty if there is none.
    pub route: &'a str,
    /// Path. The query may hold secrets.
    pub path: &'a str,
    /// Caller, of whom the network is exported, which does not identify a person.
    pub caller: &'a Caller,
}

/// Makes a span that was just created the child of `parent`, and describes the request in it by the semantic conventions
/// for HTTP servers. Returns the trace ID: the caller's, or a new one if traces are exported.
#[must_use]
pub fn begin(span: &Span, parent: Option<Context>, request: Request<'_>) -> Option<String> {
    let remote = parent.as_ref().map(|parent| parent.span().span_context().trace_id().to_string());
    if let Some(parent) = parent {
        // It fails without an export, and then nothing depends on it.
        _ = span.set_parent(parent);
    }
    let context = span.context();
    let exported = context.span();
    let identity = exported.span_context();
    if !identity.is_valid() {
        return remote;
    }
    if identity.is_sampled() {
        let Request { method, route, path, caller } = request;
        let known = super::metrics::known_method(method);
        let name = known.unwrap_or("HTTP");
        exported.update_name(if route.is_empty() { name.to_owned() } else { format!("{name} {route}") });
        exported.set_attribute(KeyValue::new("http.request.method", known.unwrap_or("_OTHER")));
        exported.set_attribute(KeyValue::new("url.scheme", "http"));
        exported.set_attribute(KeyValue::new("url.path", path.to_owned()));
        if !route.is_empty() {
            exported.set_attribute(KeyValue::new("http.route", route.to_owned()));
        }
        if let Some(prefix) = caller.client_prefix() {
            exported.set_attribute(KeyValue::new("client.address", prefix));
        }
    }
    Some(identity.trace_id().to_string())
}

/// Adds the status of the response to the exported span. A 5xx is an error; a 4xx is the client's.
pub fn end(span: &Span, status: u16) {
    let context = span.context();
    let exported = context.span();
    if !exported.span_context().is_sampled() {
        return;
    }
    exported.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
    if status >= 500 {
        exported.set_attribute(KeyValue::new("error.type", status.to_string()));
        exported.set_status(Status::error(""));
    }
}
