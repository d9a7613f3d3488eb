//! The whole API as two tables, and what surrounds every request. No handler lives here.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::layer::observe::{self, Logged};
use super::layer::{cors, edge_secret, signed_in};
use super::state::AppState;
use super::{api, error, internal, pages};

/// What the gateway routes to: the API, the public keys, the pages.
pub fn public(state: AppState) -> Router {
    let at = |path: &str| format!("{}{path}", state.http.base_path);
    // Around handlers alone: a wrong method is 405 for everybody.
    let signed_in = || from_fn_with_state(state.clone(), signed_in::require);
    let routes = Router::new()
        .route(&at("/auth/register"), post(api::register::register))
        .route(&at("/auth/login"), post(api::login::login))
        .route(&at("/auth/self"), get(api::self_::show).route_layer(signed_in()))
        .route(&at("/auth/refresh"), post(api::refresh::refresh))
        .route(&at("/auth/logout"), post(api::logout::logout))
        .route(&at("/auth/logout-all"), post(api::logout::logout_all).route_layer(signed_in()))
        .route(
            &at("/auth/sessions"),
            get(api::sessions::list).delete(api::sessions::end_others).route_layer(signed_in()),
        )
        .route(&at("/auth/sessions/{id}"), delete(api::sessions::end).route_layer(signed_in()))
        .route("/.well-known/jwks.json", get(api::jwks::show))
        .route(pages::login::PATH, get(pages::login::login))
        .route("/login/", get(pages::login::login_with_slash))
        .route("/login.js", get(pages::login::login_script))
        .route("/login.css", get(pages::login::login_style));
    let cors = cors::layer(&state.http);
    surround(guard(routes).layer(cors), state, Logged::All)
}

/// What the gateway must never route to.
pub fn internal(state: AppState) -> Router {
    let routes = Router::new()
        .route("/internal/edge-feed", get(internal::edge_feed::show))
        .route("/internal/edge-refresh", post(internal::edge_refresh::refresh))
        // Of the routes above.
        .route_layer(from_fn_with_state(state.clone(), edge_secret::require))
        .route("/metrics", get(internal::metrics::show))
        .route("/healthz", get(internal::health::alive))
        .route("/readyz", get(internal::health::ready));
    surround(guard(routes), state, Logged::Failures)
}

/// Whatever happens within, a response in our shape comes out.
fn guard<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(from_fn(observe::limit_time))
        .layer(CatchPanicLayer::custom(error::on_panic))
}

/// The outermost layer: it sees every request and every response.
fn surround(routes: Router<AppState>, state: AppState, logged: Logged) -> Router {
    routes.layer(from_fn_with_state((state.clone(), logged), observe::observe)).with_state(state)
}

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
        let routes = routes.layer(cors::for_origins(&[ORIGIN.parse().unwrap()], &[]));
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
