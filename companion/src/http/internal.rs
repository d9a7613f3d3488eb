//! `GET /internal/edge-feed`: what the filter must know. On the internal listener alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use edgeward_wire::{EdgeFeed, KeysAt, Revoked};
use serde::Deserialize;

use super::error::Refusal;
use crate::app::App;

/// What the asker holds.
#[derive(Deserialize)]
pub(super) struct Held {
    keys: Option<String>,
}

pub(super) async fn edge_feed(
    State(app): State<Arc<App>>,
    held: Result<Query<Held>, QueryRejection>,
) -> Result<Json<EdgeFeed>, Refusal> {
    let Query(held) = held.map_err(|_| Refusal::QueryUnreadable)?;
    let keys = &app.access_tokens.keys;
    let known = held.keys.as_deref() == Some(keys.etag());
    let set = (!known).then(|| keys.published().clone());
    Ok(Json(EdgeFeed {
        at: app.now().unix_timestamp().unsigned_abs(),
        keys: KeysAt { etag: keys.etag().to_owned(), set },
        revoked: Revoked::default(),
        cursor: "0".to_owned(),
        more: false,
    }))
}
