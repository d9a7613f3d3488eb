//! Service behind Edgeward, in axum: the gateway's header fields say who calls.

use std::convert::Infallible;
use std::env;

use anyhow::{Context as _, Result, bail};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;

/// Caller of a request: a handler that takes one responds with 401 to anybody else.
#[derive(Serialize)]
struct Identity {
    user: String,
    role: String,
    session: String,
}

impl Identity {
    fn read(parts: &Parts) -> Option<Self> {
        let field = |name| parts.headers.get(name)?.to_str().ok().map(str::to_owned);
        Some(Self { user: field("x-user-id")?, role: field("x-user-role")?, session: field("x-session-id")? })
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = (StatusCode, Json<Option<Self>>);

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Self::read(parts).ok_or((StatusCode::UNAUTHORIZED, Json(None)))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Identity {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::read(parts))
    }
}

async fn anybody(identity: Option<Identity>) -> Json<Option<Identity>> {
    Json(identity)
}

async fn signed_in(identity: Identity) -> Json<Identity> {
    Json(identity)
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads settings")]
#[tokio::main]
async fn main() -> Result<()> {
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let (host, port) = (setting("HOST", "127.0.0.1"), setting("PORT", "3000"));
    // Past the gateway, a client can claim any identity, and no request shows which way it came. So the service starts
    // only on 127.0.0.1, or where BEHIND_GATEWAY=yes states that the network lets only the gateway reach it.
    if host != "127.0.0.1" && setting("BEHIND_GATEWAY", "no") != "yes" {
        bail!("HOST={host} is open to others: let only the gateway reach it, then set BEHIND_GATEWAY=yes");
    }
    let listener = TcpListener::bind(format!("{host}:{port}")).await.context("cannot listen")?;
    println!("listening on http://{host}:{port}");
    let routes = Router::new().route("/public/{*path}", get(anybody)).fallback(signed_in);
    axum::serve(listener, routes).await.context("cannot serve")
}
