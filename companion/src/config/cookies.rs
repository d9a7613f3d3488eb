//! The cookies' attributes.

use cookie::SameSite;

use super::{AppEnv, Problem, Reader, Section, settings};
use crate::domain::host_name::is_host_name;

/// Attributes of cookies.
#[derive(Clone)]
pub struct Cookies {
    /// `COOKIE_PREFIX`: empty, `__Host-` or `__Secure-`.
    pub prefix: String,
    /// `COOKIE_DOMAIN`.
    pub domain: Option<String>,
    /// `COOKIE_SAME_SITE`: sites from whose pages a browser sends them.
    pub same_site: SameSite,
    /// `true` if they are for HTTPS alone: outside `APP_ENV=dev`.
    pub secure: bool,
}

impl Section for Cookies {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let secure = reader.app_env().map(|app_env| app_env != AppEnv::Dev);
        let domain = reader.parsed(&settings::COOKIE_DOMAIN, |text| match text {
            "" => Some(None),
            text => is_host_name(text).then(|| Some(text.to_owned())),
        });
        let same_site = reader.parsed(&settings::COOKIE_SAME_SITE, parse_same_site);
        let prefix = reader.parsed(&settings::COOKIE_PREFIX, |text| {
            matches!(text, "" | "__Host-" | "__Secure-").then(|| text.to_owned())
        });
        // RFC 6265bis §4.1.2.7.
        if same_site == Some(SameSite::None) && secure == Some(false) {
            let other = "APP_ENV=dev: a browser keeps a cookie of SameSite=None only if it is Secure";
            reader.reject::<()>(settings::COOKIE_SAME_SITE.name, Problem::NotTogetherWith(other));
        }
        // RFC 6265bis §4.1.3: a browser drops a cookie whose attributes break the promise of its name.
        if prefix.as_deref() != Some("") && secure == Some(false) {
            reader.reject::<()>(settings::COOKIE_PREFIX.name, Problem::NotTogetherWith("APP_ENV=dev"));
        }
        if prefix.as_deref() == Some("__Host-") && domain.as_ref().is_some_and(Option::is_some) {
            let other = Problem::NotTogetherWith("COOKIE_PREFIX=__Host-");
            reader.reject::<()>(settings::COOKIE_DOMAIN.name, other);
        }
        Some(Self { prefix: prefix?, domain: domain?, same_site: same_site?, secure: secure? })
    }
}

fn parse_same_site(text: &str) -> Option<SameSite> {
    match text.to_ascii_lowercase().as_str() {
        "lax" => Some(SameSite::Lax),
        "strict" => Some(SameSite::Strict),
        "none" => Some(SameSite::None),
        _ => None,
    }
}
