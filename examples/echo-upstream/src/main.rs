//! Upstream of the gateway in the demo and in tests: it responds with the request that it received.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: echo-upstream [--bind ADDRESS] [--port PORT] [--health]";

/// Arguments of the command line.
struct Arguments {
    address: SocketAddr,
    /// `true` to check a running instance, as a container's health check does.
    health: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<()> {
    let Arguments { address, health } = arguments(std::env::args().skip(1))?;
    if health {
        return TcpStream::connect(address)
            .await
            .map(drop)
            .with_context(|| format!("no server listens on {address}"));
    }
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    println!("listening on http://{address}");
    // No request takes long, so it does not wait for connections that are kept open.
    tokio::select! {
        result = axum::serve(listener, Router::new().fallback(echo)) => result.context("cannot serve"),
        _ = terminated.recv() => Ok(()),
        _ = interrupted.recv() => Ok(()),
    }
}

fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<Arguments> {
    let mut bind = "127.0.0.1".to_owned();
    let mut port = "8081".to_owned();
    let mut health = false;
    while let Some(flag) = arguments.next() {
        let value = match flag.as_str() {
            "--bind" => &mut bind,
            "--port" => &mut port,
            "--health" => {
                health = true;
                continue;
            }
            _ => bail!("`{flag}` is not known\n{USAGE}"),
        };
        *value = arguments.next().with_context(|| format!("{flag} lacks its value\n{USAGE}"))?;
    }
    let ip: IpAddr = bind.parse().with_context(|| format!("`{bind}` is not an IP address"))?;
    let port: u16 = port.parse().with_context(|| format!("`{port}` is not a port"))?;
    Ok(Arguments { address: SocketAddr::new(ip, port), health })
}

async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    match drain(body).await {
        Ok((body_bytes, trailers)) => Json(json!({
            "method": parts.method.as_str(),
            "path": path,
            "headers": readable(&parts.headers),
            "body_bytes": body_bytes,
            "trailers": readable(&trailers),
        }))
        .into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    }
}

/// Reads a body of any size without storing it. Returns its length and the trailers after it.
async fn drain(mut body: Body) -> Result<(u64, HeaderMap), axum::Error> {
    let (mut bytes, mut trailers) = (0, HeaderMap::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        match frame?.into_data() {
            Ok(data) => bytes += data.len() as u64,
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    Ok((bytes, trailers))
}

fn readable(headers: &HeaderMap) -> BTreeMap<&str, Vec<String>> {
    let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        by_name
            .entry(name.as_str())
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    by_name
}
