//! Routes that show a session at work: a stream that ends with it, and the loss of its access token.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::json;

use crate::identity::Identity;

/// Time after which a browser opens a stream anew. Every worker of the gateway has polled by then: once a second.
const RETRY: Duration = Duration::from_millis(1500);
/// Interval of the comments without which the gateway would close the silent stream. Chosen: its limit is 300 s.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Removes the access token, under its name without a prefix.
const NO_ACCESS_TOKEN: &str = "access_token=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax";

/// Begins with the identity of the request, and never ends: the gateway closes the stream when the session ends.
pub(crate) async fn stream(headers: HeaderMap) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let identity = json!(Identity::read(&headers)).to_string();
    let opened = Event::default().event("identity").retry(RETRY).data(identity);
    Sse::new(stream::once(async { Ok(opened) }).chain(stream::pending()))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// Takes the access token out of the browser, as its expiry does. The next request is held until the gateway has a new one.
pub(crate) async fn drop_access_token() -> ([(HeaderName, &'static str); 1], impl IntoResponse) {
    ([(SET_COOKIE, NO_ACCESS_TOKEN)], Redirect::to("/"))
}
