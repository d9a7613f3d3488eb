//! Upstream of the gateway in the demo and in tests: it responds with the request that it received, as JSON, or as a page to
//! browsers.

mod arguments;
mod echo;
mod identity;
mod negotiation;
mod page;
mod session;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::VARY;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

use arguments::Arguments;
use echo::Echo;

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
    let Arguments { address, health } = Arguments::parse(std::env::args().skip(1))?;
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
    // A stream lasts as long as its session, so it does not wait for open connections.
    tokio::select! {
        result = axum::serve(listener, routes()) => result.context("cannot serve"),
        _ = terminated.recv() => Ok(()),
        _ = interrupted.recv() => Ok(()),
    }
}

fn routes() -> Router {
    Router::new()
        .route("/public/demo.css", get(page::style))
        .route("/public/demo.js", get(page::script))
        .route("/public/demo.svg", get(page::icon))
        .route("/demo/stream", get(session::stream))
        .route("/demo/drop-token", post(session::drop_access_token))
        .fallback(respond)
}

async fn respond(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let echo = match Echo::read(&parts, body).await {
        Ok(echo) => echo,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let response = if negotiation::prefers_html(&parts.headers) {
        page::show(&echo, &parts.headers)
    } else {
        axum::Json(echo).into_response()
    };
    ([(VARY, "accept")], response).into_response()
}
