//! Accepts connections and hands their requests to a router, within limits. What is served is not known here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::serve::Listener;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::Layer;

/// How long a request's headers may take, from the end of the request before: a connection that says nothing
/// (slow loris), or nothing any more, is closed.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// The largest headers, in bytes, and all that is read ahead: what Envoy accepts by default (60 KiB), with room for
/// what it adds.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// How many connections one listener has at once. More wait in the system's queue.
const MAX_CONNECTIONS: usize = 10_000;

/// Serves until `stop` turns true, and then until the requests in flight are answered.
pub async fn serve(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    serve_at_once(MAX_CONNECTIONS, listener, router, stop).await;
}

async fn serve_at_once(
    connections: usize,
    mut listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT).max_buf_size(MAX_HEADER_BYTES);
    let places = Arc::new(Semaphore::new(connections));
    let open = GracefulShutdown::new();
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
        let service =
            TowerToHyperService::new(Extension(ConnectInfo::<SocketAddr>(peer)).layer(router.clone()));
        let connection = open.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // How it ends is the client's business.
            _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::Instant;

    use super::*;

    const REQUEST: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    async fn start(connections: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "here"));
        tokio::spawn(async move {
            let (_stop, stopped) = watch::channel(false);
            serve_at_once(connections, listener, router, stopped).await;
        });
        address
    }

    /// Says something and nothing more; gives what was answered until the connection was closed.
    async fn say(address: SocketAddr, said: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        _ = stream.write_all(said.as_bytes()).await;
        let mut answer = String::new();
        // What was said in vain may end it with a reset.
        _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_no_more_is_closed() {
        for (said, answered) in [
            (String::new(), false),
            ("GET / HTTP/1.1\r\nhost: a\r\nx-slow: ".to_owned(), false),
            (REQUEST.to_owned(), true),
            (format!("{REQUEST}GET"), true),
        ] {
            let started = Instant::now();
            assert_eq!(say(start(1).await, &said).await.ends_with("here"), answered, "{said}");
            assert!(started.elapsed() >= HEADER_LIMIT, "{said}");
            assert!(started.elapsed() < HEADER_LIMIT * 2, "{said}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_connection_too_many_waits_for_a_place() {
        let address = start(1).await;
        let started = Instant::now();
        let silent = TcpStream::connect(address).await.unwrap();
        assert!(say(address, REQUEST).await.ends_with("here"));
        assert!(started.elapsed() >= HEADER_LIMIT * 2, "one limit for each, one after the other");
        drop(silent);
    }

    #[tokio::test]
    async fn headers_have_a_limit() {
        let answer = say(
            start(1).await,
            &format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(4 * MAX_HEADER_BYTES)),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}
