//! `GET /internal/edge-feed`: what the filter must know. On the internal listener alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use edgeward_wire::{EdgeFeed, KeysAt};
use serde::Deserialize;

use crate::app::App;

/// What the asker holds.
#[derive(Deserialize)]
pub(super) struct Held {
    keys: Option<String>,
}

pub(super) async fn edge_feed(State(app): State<Arc<App>>, Query(held): Query<Held>) -> Json<EdgeFeed> {
    let keys = &app.access_tokens.keys;
    let known = held.keys.as_deref() == Some(keys.etag());
    let set = (!known).then(|| keys.published().clone());
    Json(EdgeFeed { keys: KeysAt { etag: keys.etag().to_owned(), set } })
}
