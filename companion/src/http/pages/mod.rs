//! Pages for people, below one path. Each works without JavaScript.

mod account;
mod admin;
mod assets;
mod confirm;
pub(super) mod docs;
mod done;
mod factor;
mod forgot_password;
pub(super) mod form;
pub(super) mod frame;
mod login;
mod mail_link;
mod qr;
mod register;
mod return_to;
mod sign_in;
mod sign_out;
pub(super) mod site;
mod strength;
pub(super) mod text;
mod view;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};

use self::site::Site;
use super::error;
use super::layer::{self, recent, signed_in};
use super::state::AppState;
use crate::domain::mail::MailKinds;

/// Routes of the pages, which [`frame::surround`] surrounds.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let Site { path, served, mails, style, script, icon, .. } = &*state.site;
    let page = |name: &str| format!("{path}/{name}");
    let mut routes = Router::new()
        .route(&style.address, get(assets::style))
        .route(&script.address, get(assets::script))
        .route(&icon.address, get(assets::icon))
        .route(&page("logo"), get(assets::logo));
    if served.sign_in {
        routes = routes
            .route("/login", get(login::redirect))
            .route("/login/", get(login::redirect))
            .route(&page("sign-in"), get(sign_in::show).post(sign_in::submit))
            .route(&page("factor"), get(factor::show).post(factor::submit));
    }
    if served.sign_in || served.account || served.admin {
        routes = routes
            .route(&page("sign-out"), get(sign_out::ask).post(sign_out::submit))
            .route(&page("signed-out"), get(sign_out::show));
    }
    let signed_in = from_fn_with_state(state.clone(), signed_in::require);
    let addition = from_fn_with_state(state.clone(), recent::require_for_addition);
    let recent = from_fn_with_state(state.clone(), recent::require);
    if served.sign_in || served.account || served.admin {
        let confirm = get(confirm::show).post(confirm::submit);
        routes = routes.route(&page("confirm"), confirm.route_layer(signed_in.clone()));
    }
    if served.register {
        routes = routes.route(&page("register"), get(register::show).post(register::submit));
    }
    if mails.password_reset {
        routes = routes
            .route(&page("forgot-password"), get(forgot_password::show).post(forgot_password::submit))
            .route(&page("reset-password"), get(forgot_password::show_link).post(forgot_password::reset));
    }
    if *mails != MailKinds::default() {
        routes = routes.route(&page("mail/{purpose}"), get(mail_link::show).post(mail_link::submit));
    }
    if served.register || served.account || mails.password_reset {
        routes = routes.route(&page("password-strength"), post(strength::estimate));
    }
    if served.account {
        let change_password = post(account::change_password).route_layer(recent.clone());
        let change_email = post(account::email::change).route_layer(recent.clone());
        let end_sessions = post(account::end_sessions).route_layer(recent.clone());
        let change_factor = post(account::factors::change).route_layer(recent.clone());
        let begin_totp = post(account::factors::begin_totp).route_layer(addition.clone());
        let add_passkey = get(account::passkeys::show).route_layer(addition).post(account::passkeys::add);
        let create_codes = post(account::factors::create_codes).route_layer(recent.clone());
        let account = Router::new()
            .route(&page("account"), get(account::show))
            .route(&page("account/name"), get(account::redirect).post(account::rename))
            .route(&page("account/email"), change_email.get(account::redirect))
            .route(&page("account/email-verification"), get(account::redirect).post(account::email::verify))
            .route(&page("account/password"), change_password.get(account::redirect))
            .route(&page("account/sessions"), end_sessions.get(account::redirect))
            .route(&page("account/factors"), change_factor.get(account::redirect))
            .route(&page("account/factors/totp"), begin_totp.get(account::redirect))
            .route(
                &page("account/factors/totp/confirm"),
                get(account::redirect).post(account::factors::confirm_totp),
            )
            .route(&page("account/factors/passkeys"), add_passkey)
            .route(&page("account/factors/recovery-codes"), create_codes.get(account::redirect))
            .route_layer(signed_in.clone());
        routes = routes.merge(account);
    }
    if served.admin {
        let admin = Router::new()
            .route(&page("admin/users"), get(admin::users::list))
            .route(&page("admin/users/{id}"), get(admin::user::show).post(admin::user::change))
            .route(&page("admin/audit"), get(admin::audit::list))
            .route_layer(recent)
            .route_layer(from_fn(layer::admin::require))
            .route_layer(signed_in);
        routes = routes.merge(admin);
    }
    for start in [path.clone(), format!("{path}/")] {
        routes = routes.route(&start, get(account::redirect));
    }
    // Unknown addresses below the path of the pages get an error page, not the JSON of the API.
    routes.route(&page("{*rest}"), any(error::fallback::not_found))
}
