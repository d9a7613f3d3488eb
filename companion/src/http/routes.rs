//! The whole API as two tables of routes, with their layers.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use edgeward_wire::{edge_feed, edge_refresh};
use tower_http::catch_panic::CatchPanicLayer;

use super::layer::observe::{self, Logged};
use super::layer::{cors, edge_secret, signed_in};
use super::state::AppState;
use super::{api, error, internal, pages};

/// Routes of the public listener, to which the gateway forwards: the API, the public keys, the pages.
pub fn public(state: AppState) -> Router {
    let at = |path: &str| format!("{}{path}", state.http.base_path);
    // Around handlers only: a wrong method is 405 without a token, too.
    let signed_in = || from_fn_with_state(state.clone(), signed_in::require);
    let routes = Router::new()
        .route(&at("/auth/register"), post(api::register::register))
        .route(&at("/auth/login"), post(api::login::login))
        .route(&at("/auth/self"), get(api::current_user::show).route_layer(signed_in()))
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

/// Routes of the internal listener, to which the gateway must never forward.
pub fn internal(state: AppState) -> Router {
    let routes = Router::new()
        .route(edge_feed::PATH, get(internal::edge_feed::show))
        .route(edge_refresh::PATH, post(internal::edge_refresh::refresh))
        .route(edge_refresh::SESSION_PATH, post(internal::edge_session::check))
        // Applies to the routes above only.
        .route_layer(from_fn_with_state(state.clone(), edge_secret::require))
        .route("/metrics", get(internal::metrics::show))
        .route("/healthz", get(internal::health::alive))
        .route("/readyz", get(internal::health::ready));
    surround(guard(routes), state, Logged::Failures)
}

/// Turns unknown routes, wrong methods, timeouts and panics into error responses.
fn guard<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(from_fn(observe::limit_time))
        .layer(CatchPanicLayer::custom(error::on_panic))
}

/// Adds the outermost layer, which observes every request and every response.
fn surround(routes: Router<AppState>, state: AppState, logged: Logged) -> Router {
    routes.layer(from_fn_with_state((state.clone(), logged), observe::observe)).with_state(state)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn panicking() -> &'static str {
        panic!("hunter2")
    }

    async fn hanging() -> &'static str {
        std::future::pending().await
    }

    async fn check(path: &str, status: u16, message: &str) {
        const ORIGIN: &str = "https://app.example";
        let routes = guard(Router::new().route("/panic", get(panicking)).route("/hang", get(hanging)));
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
    async fn response_to_a_panic_hides_its_message() {
        check("/panic", 500, "Internal error").await;
    }

    #[tokio::test(start_paused = true)]
    async fn request_that_takes_too_long_gets_a_response() {
        check("/hang", 503, "It took too long, please try again").await;
    }
}
