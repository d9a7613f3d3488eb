//! Collector of traces, as OTLP sends them over HTTP.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Collector. It runs until the runtime ends.
#[derive(Clone, Default)]
pub struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// Starts a collector on a free port, and returns its address.
    pub async fn start() -> (Self, String) {
        async fn receive(State(collector): State<Collector>, body: Bytes) {
            let request = ExportTraceServiceRequest::decode(body).expect("protobuf");
            collector.0.lock().expect("requests").push(request);
        }
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/v1/traces", post(receive)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, endpoint)
    }

    /// Returns all spans of a service.
    #[must_use]
    pub fn spans(&self, service: &str) -> Vec<Span> {
        let requests = self.0.lock().expect("requests");
        let mut spans = Vec::new();
        for resource in requests.iter().flat_map(|request| &request.resource_spans) {
            let attributes = &resource.resource.as_ref().expect("a resource").attributes;
            if attribute(attributes, "service.name") == service {
                spans.extend(resource.scope_spans.iter().flat_map(|scope| scope.spans.clone()));
            }
        }
        spans
    }
}

/// Returns an attribute; null if there is none.
#[must_use]
pub fn attribute(attributes: &[KeyValue], key: &str) -> Value {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.clone()?.value) {
        Some(any_value::Value::StringValue(text)) => json!(text),
        Some(any_value::Value::IntValue(number)) => json!(number),
        other => json!(other.map(|other| format!("{other:?}"))),
    }
}

/// Returns the number of a trace or a span in hexadecimal digits.
#[must_use]
pub fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
