//! Accepts connections and hands their requests to a router, within limits. What is served is not known here.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::{Request, Version};
use axum::serve::Listener;
use axum::{Extension, Router};
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

/// How long a request's headers may take, from the end of the request before: a connection that says nothing
/// (slow loris), or nothing any more, is closed.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// How long the other end may take to let go of an HTTP/2 connection that is closed.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How long the other end may leave an answer where it is, and not read any more of it.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// The largest headers, in bytes, and all that is read ahead: what Envoy accepts by default (60 KiB), with room for
/// what it adds.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// How many connections one listener has at once. More wait in the system's queue.
const MAX_CONNECTIONS: u32 = 10_000;
/// How many requests an HTTP/2 connection has under way: as many as one worker of the gateway has calls
/// for its held requests. What is more, such as the feed's, has a connection of its own.
const MAX_STREAMS: u32 = 1024;
/// How many requests may be withdrawn before they were looked at: all that were under way while we hung, some times
/// over, since those are sent again. Where there are more (CVE-2023-44487), the connection is closed.
const MAX_PENDING_RESETS: u32 = 4 * MAX_STREAMS;

/// What is protocol on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/1.1, and HTTP/2 with whoever starts with it (RFC 9113 §3.3).
    Http1OrHttp2,
}

/// Serves until `stop` turns true, and then until the requests in flight are answered.
pub async fn serve(listener: TcpListener, protocol: Protocol, router: Router, stop: watch::Receiver<bool>) {
    serve_at_once(MAX_CONNECTIONS, listener, protocol, router, stop).await;
}

async fn serve_at_once(
    connections: u32,
    mut listener: TcpListener,
    protocol: Protocol,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let server = Arc::new(limited(protocol));
    let places = Arc::new(Semaphore::new(connections as usize));
    let mut accept = async || {
        // The semaphore is never closed, so there is always a place in the end.
        let place = Arc::clone(&places).acquire_owned().await.ok();
        (place, Listener::accept(&mut listener).await)
    };
    loop {
        let (place, (stream, peer)) = tokio::select! {
            accepted = accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let mut stream = Box::pin(TimeoutWriter::new(stream));
        stream.as_mut().set_timeout_pinned(Some(WRITE_LIMIT));
        // Answers of several requests are not to wait for each other's arrival. Else it is only slower.
        _ = stream.get_ref().set_nodelay(true);
        let service =
            TowerToHyperService::new(Extension(ConnectInfo::<SocketAddr>(peer)).layer(router.clone()));
        let (server, stop) = (Arc::clone(&server), stop.clone());
        tokio::spawn(async move {
            let (activity, seen) = watch::channel(Activity::Silent);
            let activity = Arc::new(activity);
            let service = service_fn(|request: Request<Incoming>| {
                let under_way = UnderWay::begin(Arc::clone(&activity), request.version());
                let answer = service.call(request);
                async move {
                    let answer = answer.await;
                    drop(under_way);
                    answer
                }
            });
            hold(server.serve_connection(TokioIo::new(stream), service), seen, stop).await;
            drop(place);
        });
    }
    drop(listener);
    // All places are free when the last connection has ended.
    _ = places.acquire_many(connections).await;
}

fn limited(protocol: Protocol) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    let mut http1 = server.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT).max_buf_size(MAX_HEADER_BYTES as usize);
    let mut http2 = server.http2();
    http2.max_header_list_size(MAX_HEADER_BYTES).max_concurrent_streams(MAX_STREAMS);
    http2.max_pending_accept_reset_streams(MAX_PENDING_RESETS as usize);
    // No request that is asked this way has a body.
    http2.initial_stream_window_size(MAX_HEADER_BYTES).initial_connection_window_size(MAX_HEADER_BYTES);
    match protocol {
        Protocol::Http1 => server.http1_only(),
        Protocol::Http1OrHttp2 => server,
    }
}

/// Serves a connection until it ends. It is closed when it is quiet for too long, or `stop` turns true.
async fn hold(
    connection: impl GracefulConnection,
    mut activity: watch::Receiver<Activity>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connection = pin!(connection);
    // How it ends is the client's business.
    tokio::select! {
        _ = &mut connection => return,
        () = await_quiet(&mut activity, HEADER_LIMIT) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = await_quiet(&mut activity, CLOSE_LIMIT) => {}
    }
}

/// What is done on a connection.
#[derive(Clone, Copy)]
enum Activity {
    /// It has not asked for anything.
    Silent,
    /// It has asked by HTTP/1.1: from there on hyper watches what it says, and [`WRITE_LIMIT`] whether it listens.
    Http1,
    /// It has asked by HTTP/2, and so many requests are not answered yet.
    Http2(u32),
}

/// Waits until there was nothing to do for so long. Bytes that are no request do not count, whatever their number:
/// half a head, a ping.
async fn await_quiet(activity: &mut watch::Receiver<Activity>, length: Duration) {
    loop {
        let now = *activity.borrow_and_update();
        match now {
            Activity::Silent | Activity::Http2(0) => {
                let Ok(Ok(())) = tokio::time::timeout(length, activity.changed()).await else { return };
            }
            Activity::Http1 => std::future::pending().await,
            Activity::Http2(_) => {
                let Ok(()) = activity.changed().await else { return };
            }
        }
    }
}

/// A request that is not answered yet.
struct UnderWay(Arc<watch::Sender<Activity>>);

impl UnderWay {
    fn begin(activity: Arc<watch::Sender<Activity>>, version: Version) -> Self {
        activity.send_modify(|activity| {
            *activity = match *activity {
                _ if version != Version::HTTP_2 => Activity::Http1,
                Activity::Http2(requests) => Activity::Http2(requests.saturating_add(1)),
                Activity::Silent | Activity::Http1 => Activity::Http2(1),
            };
        });
        Self(activity)
    }
}

impl Drop for UnderWay {
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
