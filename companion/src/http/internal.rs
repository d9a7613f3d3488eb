//! `GET /internal/edge-feed`: what the filter must know. On the internal listener alone, and if a secret is set, for
//! those who know it.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use edgeward_wire::{EdgeFeed, KeysAt, MAX_PAGE};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::error::Refusal;
use super::signed_in::read_bearer;
use crate::app::App;
use crate::db::edge_feed;
use crate::domain::feed_cursor::{Cursor, Position};

/// What the asker holds.
#[derive(Deserialize)]
pub(super) struct Held {
    after: Option<String>,
    keys: Option<String>,
}

pub(super) async fn edge_feed(
    State(app): State<Arc<App>>,
    held: Result<Query<Held>, QueryRejection>,
) -> Result<Json<EdgeFeed>, Refusal> {
    let Query(held) = held.map_err(|_| Refusal::QueryUnreadable)?;
    let keys = app.access_tokens.keys.current();
    let known = held.keys.as_deref() == Some(keys.etag());
    let set = (!known).then(|| keys.published().clone());

    let mut connection = app.pool.acquire().await?;
    let now = app.now();
    let asked: Option<Cursor> = held.after.and_then(|after| after.parse().ok());
    let mut position = asked.as_ref().map_or_else(Position::of_nothing, |cursor| cursor.position.clone());
    let mut page = edge_feed::read(&mut connection, &position, now, MAX_PAGE).await?;
    if page.history.is_none() {
        edge_feed::begin_history(&mut connection).await?;
        page = edge_feed::read(&mut connection, &position, now, MAX_PAGE).await?;
    }
    let history = page.history.ok_or(Refusal::NotReady)?;
    // From a cursor that means nothing here, everything is told: to hear something twice is harmless.
    if asked.is_some_and(|cursor| !cursor.is_of(&history, &page.present)) {
        position = Position::of_nothing();
        page = edge_feed::read(&mut connection, &position, now, MAX_PAGE).await?;
    }
    Ok(Json(EdgeFeed {
        at: now.unix_timestamp().unsigned_abs(),
        keys: KeysAt { etag: keys.etag().to_owned(), set },
        revoked: page.revoked,
        more: page.last.is_some(),
        cursor: Cursor { history, position: position.advance(&page.present, page.last) }.to_string(),
    }))
}

/// Refuses whoever does not know one of the secrets, if there are any.
pub(super) async fn require_secret(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let told = read_bearer(request.headers()).unwrap_or_default();
    let is_known = |secret: &str| verify_slices_are_equal(secret.as_bytes(), told.as_bytes()).is_ok();
    if app.feed_secrets.is_empty() || app.feed_secrets.iter().any(|secret| is_known(secret.expose_secret())) {
        Ok(next.run(request).await)
    } else {
        Err(Refusal::EdgeUnknown)
    }
}
