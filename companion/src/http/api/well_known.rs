//! `/.well-known/change-password`, `/.well-known/security.txt` and `/.well-known/webauthn`: addresses that programs know of every
//! site (RFC 8615).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use axum::response::Redirect;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::http::error::ApiError;
use crate::http::pages::site::Site;
use crate::http::state::AppState;
use crate::service::factor::Factors;

/// Time for which a contact counts. Less than a year is recommended (RFC 9116 §2.5.5). Chosen: a copy of a site that is
/// gone is outdated after half a year.
const CONTACT_LIFETIME: Duration = Duration::days(180);
/// Time for which programs may store the contact. Chosen: a new one is known within a day.
const CACHE: &str = "public, max-age=86400";

/// Redirects to the form that changes a password (W3C, "A Well-Known URL for Changing Passwords", §3).
pub(in crate::http) async fn change_password(State(site): State<Arc<Site>>) -> Result<Redirect, ApiError> {
    if !site.served.account {
        return Err(ApiError::NotFound);
    }
    Ok(Redirect::to(&format!("{}/account#change-password", site.path)))
}

/// Lists the origins whose pages use the passkeys of this domain (WebAuthn Level 3, §5.11).
pub(in crate::http) async fn webauthn(
    State(factors): State<Arc<Factors>>,
) -> Result<([(HeaderName, &'static str); 1], Json<Value>), ApiError> {
    Ok(([(CACHE_CONTROL, CACHE)], Json(json!({ "origins": factors.party()?.origins() }))))
}

/// Shows where to report a vulnerability (RFC 9116).
pub(in crate::http) async fn security_txt(
    State(AppState { clock, site, .. }): State<AppState>,
) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    let contact = site.security_contact.as_deref().ok_or(ApiError::NotFound)?;
    Ok(([(CACHE_CONTROL, CACHE)], contact_file(contact, clock.now())))
}

/// Returns the content of `security.txt`. It counts to the beginning of a day, so it changes once a day.
fn contact_file(contact: &str, now: OffsetDateTime) -> String {
    let date = (now + CONTACT_LIFETIME).date();
    format!("Contact: {contact}\nExpires: {date}T00:00:00Z\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contact_counts_for_half_a_year() {
        let now = time::macros::datetime!(2030-07-05 23:59 UTC);
        assert_eq!(
            contact_file("mailto:security@example.com", now),
            "Contact: mailto:security@example.com\nExpires: 2031-01-01T00:00:00Z\n"
        );
    }
}
