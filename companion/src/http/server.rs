//! Listener of HTTP connections: it serves a router within limits on time, size and number.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::{Request, Version};
use axum::serve::Listener;
use axum::{Extension, Router};
use edgeward_wire::edge_refresh::MAX_CALLS;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutWriter;
use tower::Layer;

/// Maximum time for the header section of a request, from the end of the request before. It closes connections that
/// send slowly (Slowloris) and idle ones.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time that the client may take to close an HTTP/2 connection after GOAWAY.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum time that a client may leave a response unread.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum length of a header section, and of the read buffer, in bytes. Chosen: Envoy's default limit of 60 KiB, and
/// room for the fields that Envoy adds.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// Maximum number of connections of one listener. More wait in the system's queue.
const MAX_CONNECTIONS: u32 = 10_000;
/// Maximum number of concurrent streams on an HTTP/2 connection.
const MAX_STREAMS: u32 = MAX_CALLS;
/// Maximum number of streams that the client resets before they are accepted; beyond it, the connection is closed
/// (CVE-2023-44487). Chosen: during a stall of the companion, a gateway resets every stream, and those of its retries.
const MAX_PENDING_RESETS: u32 = 4 * MAX_STREAMS;

/// HTTP versions of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/1.1, and HTTP/2 for clients that begin with it (RFC 9113 §3.3).
    Http1OrHttp2,
}

/// Serves connections until `stop` becomes `true`, and then until the requests in flight have their responses.
pub async fn serve(listener: TcpListener, protocol: Protocol, router: Router, stop: watch::Receiver<bool>) {
    serve_limited(MAX_CONNECTIONS, listener, protocol, router, stop).await;
}

async fn serve_limited(
    max_connections: u32,
    mut listener: TcpListener,
    protocol: Protocol,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let server = Arc::new(builder(protocol));
    let permits = Arc::new(Semaphore::new(max_connections as usize));
    let mut accept = async || {
        // The semaphore is never closed, so this never fails.
        let permit = Arc::clone(&permits).acquire_owned().await.ok();
        (permit, Listener::accept(&mut listener).await)
    };
    loop {
        let (permit, (stream, peer)) = tokio::select! {
            accepted = accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let mut stream = Box::pin(TimeoutWriter::new(stream));
        stream.as_mut().set_timeout_pinned(Some(WRITE_TIMEOUT));
        // Responses of several requests do not wait for each other's acknowledgement. A failure only costs time.
        _ = stream.get_ref().set_nodelay(true);
        let service =
            TowerToHyperService::new(Extension(ConnectInfo::<SocketAddr>(peer)).layer(router.clone()));
        let (server, stop) = (Arc::clone(&server), stop.clone());
        tokio::spawn(async move {
            let (activity, observed) = watch::channel(Activity::NoRequest);
            let activity = Arc::new(activity);
            let service = service_fn(|request: Request<Incoming>| {
                let in_flight = InFlight::begin(Arc::clone(&activity), request.version());
                let response = service.call(request);
                async move {
                    let response = response.await;
                    drop(in_flight);
                    response
                }
            });
            drive(server.serve_connection(TokioIo::new(stream), service), observed, stop).await;
            drop(permit);
        });
    }
    drop(listener);
    // All permits are free when the last connection has ended.
    _ = permits.acquire_many(max_connections).await;
}

fn builder(protocol: Protocol) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    let mut http1 = server.http1();
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES as usize);
    let mut http2 = server.http2();
    http2.max_header_list_size(MAX_HEADER_BYTES).max_concurrent_streams(MAX_STREAMS);
    http2.max_pending_accept_reset_streams(MAX_PENDING_RESETS as usize);
    // Small windows: no request to the internal listener has a body.
    http2.initial_stream_window_size(MAX_HEADER_BYTES).initial_connection_window_size(MAX_HEADER_BYTES);
    match protocol {
        Protocol::Http1 => server.http1_only(),
        Protocol::Http1OrHttp2 => server,
    }
}

/// Drives a connection until it ends. It is shut down after [`HEADER_TIMEOUT`] without a request, and when `stop`
/// becomes `true`.
async fn drive(
    connection: impl GracefulConnection,
    mut activity: watch::Receiver<Activity>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connection = pin!(connection);
    // Errors of the connection are the client's, and not logged.
    tokio::select! {
        _ = &mut connection => return,
        () = wait_until_idle(&mut activity, HEADER_TIMEOUT) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = wait_until_idle(&mut activity, CLOSE_TIMEOUT) => {}
    }
}

/// Requests of a connection.
#[derive(Clone, Copy)]
enum Activity {
    /// There was no request yet.
    NoRequest,
    /// There was an HTTP/1.1 request: from then on hyper's own timeout covers reads, and [`WRITE_TIMEOUT`] writes.
    Http1,
    /// There were HTTP/2 requests, and this number of them is in flight.
    Http2(u32),
}

/// Waits until a connection had no request in flight for `timeout`. Bytes that are no request do not count: half a
/// header section, a PING.
async fn wait_until_idle(activity: &mut watch::Receiver<Activity>, timeout: Duration) {
    loop {
        let now = *activity.borrow_and_update();
        match now {
            Activity::NoRequest | Activity::Http2(0) => {
                let Ok(Ok(())) = tokio::time::timeout(timeout, activity.changed()).await else { return };
            }
            Activity::Http1 => std::future::pending().await,
            Activity::Http2(_) => {
                let Ok(()) = activity.changed().await else { return };
            }
        }
    }
}

/// Request without a response so far.
struct InFlight(Arc<watch::Sender<Activity>>);

impl InFlight {
    fn begin(activity: Arc<watch::Sender<Activity>>, version: Version) -> Self {
        activity.send_modify(|activity| {
            *activity = match *activity {
                _ if version != Version::HTTP_2 => Activity::Http1,
                Activity::Http2(requests) => Activity::Http2(requests.saturating_add(1)),
                Activity::NoRequest | Activity::Http1 => Activity::Http2(1),
            };
        });
        Self(activity)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.send_modify(|activity| {
            if let Activity::Http2(requests) = activity {
                *requests = requests.saturating_sub(1);
            }
        });
    }
}

#[cfg(test)]
mod tests;
