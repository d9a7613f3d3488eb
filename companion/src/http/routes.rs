//! The whole API as two tables of routes, with their layers.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use edgeward_wire::{edge_feed, edge_refresh};
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::cookies::CookiePolicy;
use super::layer::observe::{self, Logged};
use super::layer::{admin, cors, edge_secret, recent, signed_in};
use super::state::{AppState, HttpPolicy};
use super::{api, error, internal, openapi, pages};

/// Handlers of a path, with their operations in the OpenAPI document.
type Handlers = UtoipaMethodRouter<AppState>;

/// Routes of the public listener, to which the gateway forwards: the API, the public keys, the pages.
pub fn public(state: AppState) -> Router {
    let signed_in = from_fn_with_state(state.clone(), signed_in::require);
    // Around handlers only: a wrong method is 405 without a token, too.
    let for_users = |handlers: Handlers| handlers.map(|methods| methods.route_layer(signed_in.clone()));
    let recent = from_fn_with_state(state.clone(), recent::require);
    let for_recent =
        |handlers: Handlers| for_users(handlers.map(|methods| methods.route_layer(recent.clone())));
    let addition = from_fn_with_state(state.clone(), recent::require_for_addition);
    let for_additions =
        |handlers: Handlers| for_users(handlers.map(|methods| methods.route_layer(addition.clone())));
    let for_admins = |handlers: Handlers| {
        let admin = from_fn(admin::require);
        for_users(handlers.map(|methods| methods.route_layer(recent.clone()).route_layer(admin)))
    };
    let HttpPolicy { base_path, has_docs, .. } = &*state.http;
    let layers = (for_users, for_recent, for_additions, for_admins);
    let (routes, _) = described(base_path, *has_docs, layers).split_for_parts();
    let routes = routes
        .route("/.well-known/change-password", get(api::well_known::change_password))
        .route("/.well-known/security.txt", get(api::well_known::security_txt))
        .route("/.well-known/webauthn", get(api::well_known::webauthn));
    let api = guard(routes.fallback(error::fallback::not_found)).layer(cors::layer(&state.http));
    let frame = from_fn_with_state(state.clone(), pages::frame::surround);
    // No page of another origin reads ours.
    let pages = guard(pages::routes(&state)).layer(frame);
    surround(api.merge(pages), state, Logged::All)
}

/// Returns the OpenAPI document of a running service.
pub(super) fn shared_document<'a>(policy: &'a HttpPolicy, cookies: &CookiePolicy) -> &'a Value {
    policy.openapi.get_or_init(|| document(&policy.base_path, policy.has_docs, cookies))
}

/// Makes the OpenAPI document of the public listener; `has_docs` is `true` if it serves the document.
#[must_use]
pub fn document(base_path: &str, has_docs: bool, cookies: &CookiePolicy) -> Value {
    openapi::complete(&collected(base_path, has_docs), cookies)
}

/// Collects the document from the annotations of the handlers.
pub(super) fn collected(base_path: &str, has_docs: bool) -> OpenApi {
    let none = |handlers| handlers;
    described(base_path, has_docs, (none, none, none, none)).into_openapi()
}

/// Routes of the OpenAPI document. `for_users` surrounds handlers that need a signed-in user, `for_recent` those that need
/// a user who has authenticated recently, `for_additions` those that begin to add a factor, and `for_admins` those that need an
/// administrator who has authenticated recently.
fn described(
    base_path: &str,
    has_docs: bool,
    (for_users, for_recent, for_additions, for_admins): (
        impl Fn(Handlers) -> Handlers,
        impl Fn(Handlers) -> Handlers,
        impl Fn(Handlers) -> Handlers,
        impl Fn(Handlers) -> Handlers,
    ),
) -> OpenApiRouter<AppState> {
    let api = OpenApiRouter::default()
        .routes(routes!(api::register::register))
        .routes(routes!(api::login::login))
        .routes(routes!(api::password_reset::request))
        .routes(routes!(api::password_reset::confirm))
        .routes(routes!(api::email::confirm))
        .routes(for_recent(routes!(api::email::request_change)))
        .routes(for_users(routes!(api::email::request_verification)))
        .routes(for_users(routes!(api::current_user::show)))
        .routes(routes!(api::refresh::refresh))
        .routes(for_users(routes!(api::confirm::confirm)))
        .routes(routes!(api::logout::logout))
        .routes(for_recent(routes!(api::logout::logout_all)))
        .routes(for_users(routes!(api::sessions::list)))
        .routes(for_recent(routes!(api::sessions::end_others)))
        .routes(for_users(routes!(api::sessions::end)))
        .routes(routes!(api::login_factor::complete))
        .routes(routes!(api::login_factor::ask))
        .routes(routes!(api::login_passkey::ask))
        .routes(routes!(api::login_passkey::login))
        .routes(for_users(routes!(api::confirm_passkey::ask)))
        .routes(for_users(routes!(api::confirm_passkey::confirm)))
        .routes(for_users(routes!(api::factors::list)))
        .routes(for_recent(routes!(api::factors::rename, api::factors::remove)))
        .routes(for_additions(routes!(api::factors::totp::begin)))
        .routes(for_users(routes!(api::factors::totp::confirm)))
        .routes(for_additions(routes!(api::factors::passkeys::begin)))
        .routes(for_users(routes!(api::factors::passkeys::confirm)))
        .routes(for_recent(routes!(api::factors::recovery_codes::create)))
        .routes(for_admins(routes!(api::admin::users::list)))
        .routes(for_admins(routes!(
            api::admin::users::show,
            api::admin::users::change,
            api::admin::users::delete
        )))
        .routes(for_admins(routes!(api::admin::sessions::list)))
        .routes(for_admins(routes!(api::admin::sessions::end)))
        .routes(for_admins(routes!(api::admin::sessions::end_one)))
        .routes(for_admins(routes!(api::admin::factors::list, api::admin::factors::reset)))
        .routes(for_admins(routes!(api::admin::audit::list)));
    let docs = OpenApiRouter::default()
        .routes(routes!(api::openapi::show))
        .routes(routes!(pages::docs::show))
        .route(pages::docs::STYLE_PATH, get(pages::docs::style));
    let api = if has_docs { api.merge(docs) } else { api };
    let keys = OpenApiRouter::default().routes(routes!(api::jwks::show));
    if base_path.is_empty() { keys.merge(api) } else { keys.nest(base_path, api) }
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
    surround(guard(routes.fallback(error::fallback::not_found)), state, Logged::Failures)
}

/// Turns wrong methods, timeouts and panics into error responses.
fn guard<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .method_not_allowed_fallback(error::fallback::method_not_allowed)
        .layer(from_fn(observe::limit_time))
        .layer(CatchPanicLayer::custom(error::fallback::on_panic))
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
        let routes = guard(
            Router::new()
                .route("/panic", get(panicking))
                .route("/hang", get(hanging))
                .fallback(error::fallback::not_found),
        );
        let routes = routes.layer(cors::for_origins(&[ORIGIN.parse().unwrap()], &[]));
        let request = Request::get(path).header("origin", ORIGIN).body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["access-control-allow-origin"], ORIGIN, "a page can read it");
        let body = to_bytes(response.into_body(), 4096).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["message"], message);
        assert_eq!(body["errors"][0]["msg"], message);
    }

    // holds: invariant 8, promise 8
    #[tokio::test]
    async fn response_to_a_panic_hides_its_message() {
        check("/panic", 500, "Internal error").await;
    }

    #[tokio::test(start_paused = true)]
    async fn request_that_takes_too_long_gets_a_response() {
        check("/hang", 503, "It took too long, please try again").await;
    }
}
