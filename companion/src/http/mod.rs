//! The whole API as one table, and what surrounds every request. No handler lives here.

use std::sync::Arc;

use axum::Router;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use edgeward_wire::Origin;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use self::observe::Logged;
use crate::app::App;

pub mod audit;
pub mod cookies;
pub mod error;
mod form;
mod health;
mod internal;
mod jwks;
mod login;
mod logout;
pub mod observe;
pub mod pages;
mod refresh;
mod register;
mod self_;
pub mod server;
mod sessions;
mod sign_in;
mod signed_in;
mod time_format;

/// What the gateway routes to: the API, the public keys, the pages.
pub fn public(app: Arc<App>) -> Router {
    let at = |path: &str| format!("{}{path}", app.base_path);
    // Around handlers alone: a wrong method is 405 for everybody.
    let signed_in = || from_fn_with_state(Arc::clone(&app), signed_in::require);
    let routes = Router::new()
        .route(&at("/auth/register"), post(register::register))
        .route(&at("/auth/login"), post(login::login))
        .route(&at("/auth/self"), get(self_::show).route_layer(signed_in()))
        .route(&at("/auth/refresh"), post(refresh::refresh))
        .route(&at("/auth/logout"), post(logout::logout))
        .route(&at("/auth/logout-all"), post(logout::logout_all).route_layer(signed_in()))
        .route(
            &at("/auth/sessions"),
            get(sessions::list).delete(sessions::end_others).route_layer(signed_in()),
        )
        .route(&at("/auth/sessions/{id}"), delete(sessions::end).route_layer(signed_in()))
        .route("/.well-known/jwks.json", get(jwks::show))
        .route(pages::PATH, get(pages::login))
        .route("/login/", get(pages::login_with_slash))
        .route("/login.js", get(pages::login_script))
        .route("/login.css", get(pages::login_style));
    let cors = cors(&app.origins, &app.cors_allow_headers);
    surround(guard(routes).layer(cors), app, Logged::All)
}

/// What the gateway must never route to.
pub fn internal(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/internal/edge-feed", get(internal::edge_feed))
        .route("/internal/edge-refresh", post(refresh::edge_refresh))
        // Of the routes above.
        .route_layer(from_fn_with_state(Arc::clone(&app), internal::require_secret))
        .route("/metrics", get(health::metrics))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready));
    surround(guard(routes), app, Logged::Failures)
}

/// Whatever happens within, an answer in our shape comes out.
fn guard<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(from_fn(observe::limit_time))
        .layer(CatchPanicLayer::custom(error::answer_panic))
}

/// The outermost layer: it sees every request and every answer.
fn surround(routes: Router<Arc<App>>, app: Arc<App>, logged: Logged) -> Router {
    routes.layer(from_fn_with_state((Arc::clone(&app), logged), observe::observe)).with_state(app)
}

/// CORS for exact origins: with credentials, `*` would let every page act as its visitor. It goes around [`guard`], so
/// that a page can read every response: without these headers a browser tells it of a network error alone.
fn cors(origins: &[Origin], allow_headers: &[HeaderName]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::list(allow_headers.iter().cloned()))
        .expose_headers([REQUEST_ID, RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(Duration::from_hours(1))
}

/// Names a request in the logs of everything that it passes through.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    /// A handler that breaks as no handler should.
    async fn break_down() -> &'static str {
        panic!("hunter2")
    }

    async fn hang() -> &'static str {
        std::future::pending().await
    }

    async fn check(path: &str, status: u16, message: &str) {
        const ORIGIN: &str = "https://app.example";
        let routes = guard(Router::new().route("/break", get(break_down)).route("/hang", get(hang)));
        let routes = routes.layer(cors(&[ORIGIN.parse().unwrap()], &[]));
        let request = Request::get(path).header("origin", ORIGIN).body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["access-control-allow-origin"], ORIGIN, "a page can read it");
        let body = to_bytes(response.into_body(), 4096).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["message"], message);
        assert_eq!(body["errors"][0]["msg"], message);
    }

    #[tokio::test]
    async fn a_panic_is_answered_without_its_words_and_readable() {
        check("/break", 500, "Internal error").await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_answered() {
        check("/hang", 503, "It took too long, please try again").await;
    }
}
