//! Connection to the collector of traces: one request of HTTP/1.1 for each batch.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::Uri;
use axum::http::header::HOST;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::EXPORT_TIMEOUT;

/// Maximum length of a response, in bytes. It is empty, or the reason of a rejection.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Client of the collector. Its caller is a thread of the exporter, which waits for tasks of the service's runtime.
pub(super) struct Collector {
    runtime: Handle,
    /// `true` if the last export failed, so that of several failures in a row one is logged.
    is_failing: AtomicBool,
}

impl Collector {
    pub(super) fn new(runtime: Handle) -> Self {
        Self { runtime, is_failing: AtomicBool::new(false) }
    }

    async fn export(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let endpoint = request.uri().clone();
        let task = self.runtime.spawn(async { timeout(EXPORT_TIMEOUT, send(request)).await });
        let sent = match task.await {
            Ok(Ok(sent)) => sent,
            Ok(Err(late)) => Err(late.into()),
            Err(cancelled) => Err(cancelled.into()),
        };
        self.report(&endpoint, &sent);
        sent
    }

    fn report(&self, endpoint: &Uri, sent: &Result<Response<Bytes>, HttpError>) {
        let cause: &dyn fmt::Display = match sent {
            Ok(response) if response.status().is_success() => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(%endpoint, "traces are exported again");
                }
                return;
            }
            Ok(response) => &response.status(),
            Err(error) => error,
        };
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(%endpoint, %cause, "cannot export traces, which are dropped until the collector responds");
        }
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

impl HttpClient for Collector {
    // As `async_trait` writes it.
    fn send_bytes<'this, 'future>(
        &'this self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'this: 'future,
        Self: 'future,
    {
        Box::pin(self.export(request))
    }
}

/// Sends a request over a connection of its own.
async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or("the endpoint has no host")?.clone();
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    head.headers.insert(HOST, authority.as_str().parse()?);
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    head.uri = path.parse::<Uri>()?;
    let response = sender.send_request(Request::from_parts(head, Body::from(body))).await?;
    let (head, body) = response.into_parts();
    let body =
        to_bytes(Body::new(body), MAX_RESPONSE_BYTES).await.map_err(Box::<dyn Error + Send + Sync>::from)?;
    connection.abort();
    Ok(Response::from_parts(head, body))
}
