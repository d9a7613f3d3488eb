//! The site that the pages belong to: where they are, how they look, and the keys of their forms.

use std::fmt::Write as _;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::HeaderValue;
use axum::http::header::InvalidHeaderValue;
use edgeward_wire::Origin;
use edgeward_wire::cookie::FORM_KEY;

use crate::config::{self, Image, Link, PageSet};
use crate::domain::language::Language;
use crate::domain::mail::MailKinds;
use crate::domain::token::form_token::FormTokens;
use crate::random::Random;

/// Number of bytes of a hash in the address of a file. Chosen: versions of a file do not meet by chance.
const HASH_BYTES: usize = 6;

/// Site, as the settings describe it.
pub struct Site {
    /// Path of the pages.
    pub path: String,
    /// Pages that are served.
    pub served: PageSet,
    /// Mails that are sent: without them, what begins with one is not offered.
    pub mails: MailKinds,
    /// Language; `None` is the visitor's.
    pub language: Option<Language>,
    /// Name.
    pub name: String,
    /// Links at the end of every page.
    pub links: Vec<Link>,
    /// Logo.
    pub logo: Option<Image>,
    /// Contact for `security.txt`.
    pub security_contact: Option<String>,
    /// Style sheet.
    pub style: Asset,
    /// Script.
    pub script: Asset,
    /// Icon in the browser's tab, for a site without a logo.
    pub icon: Asset,
    /// Content security policy of the pages.
    pub(super) content_policy: HeaderValue,
    /// Tokens of the forms.
    pub forms: FormTokens,
    /// Base path of the API.
    pub(super) api: String,
    /// Domain that passkeys are bound to; `None` if there are none.
    pub(super) rp_id: Option<String>,
    /// Address that refreshes the tokens of a session.
    pub refresh_address: String,
    /// Name of the cookie with the form key.
    pub form_cookie: String,
    /// `true` if the pages are served over HTTPS.
    pub is_secure: bool,
    /// Source of form keys.
    pub(super) random: Random,
}

/// File of the pages, whose address changes with its content.
pub struct Asset {
    /// Address.
    pub address: String,
    /// Content.
    pub content: String,
}

#[derive(Template)]
#[template(path = "style.css", escape = "none")]
struct Style<'a> {
    color: &'a str,
}

impl Site {
    /// Returns the address of the page that a signed-in user begins at.
    pub(super) fn home(&self) -> String {
        let Self { path, served, .. } = self;
        match served {
            PageSet { account: true, .. } => format!("{path}/account"),
            PageSet { admin: true, .. } => format!("{path}/admin/users"),
            _ => "/".to_owned(),
        }
    }

    /// Returns the `autocomplete` of the address on the page that signs in: the browser offers passkeys there (WebAuthn Level 3,
    /// §5.1.4).
    pub(super) fn username_autocomplete(&self) -> &'static str {
        if self.rp_id.is_some() { "username webauthn" } else { "username" }
    }

    /// Makes the site of these settings.
    ///
    /// # Errors
    /// [`askama::Error`] if the style sheet cannot be written, or an origin is no text of a header field.
    pub fn new(
        (pages, site, mails): (&config::Pages, &config::Site, MailKinds),
        cookies: &config::Cookies,
        http: &config::Http,
        (forms, rp_id): (FormTokens, Option<String>),
        random: Random,
    ) -> Result<Self, askama::Error> {
        let style = Style { color: &site.color }.render()?;
        let path = pages.path.clone();
        let script = include_str!("../../../pages/pages.js").to_owned();
        let content_policy = content_policy(&http.origins).map_err(|_| askama::Error::Fmt)?;
        Ok(Self {
            content_policy,
            style: Asset::new(&path, "css", style),
            script: Asset::new(&path, "js", script),
            icon: Asset::new(
                &path,
                "svg",
                include_str!("../../../pages/icon.svg").replace("COLOR", &site.color),
            ),
            api: http.base_path.clone(),
            rp_id,
            refresh_address: format!("{}/auth/refresh", http.base_path),
            form_cookie: format!("{}{FORM_KEY}", cookies.prefix),
            is_secure: cookies.secure,
            path,
            served: pages.served,
            mails,
            language: pages.language,
            name: site.name.clone(),
            links: site.links.clone(),
            logo: site.logo.clone(),
            security_contact: site.security_contact.clone(),
            forms,
            random,
        })
    }
}

/// Makes the content security policy of the pages: our own files, and nothing inline. A form may lead on to our front ends:
/// browsers hold the redirect after the sign-in, and each after that one, to `form-action`.
fn content_policy(origins: &[Origin]) -> Result<HeaderValue, InvalidHeaderValue> {
    let origins: String = origins.iter().flat_map(|origin| [" ", origin.as_str()]).collect();
    HeaderValue::try_from(format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'{origins}; base-uri 'none'; frame-ancestors 'none'"
    ))
}

impl Asset {
    fn new(path: &str, kind: &str, content: String) -> Self {
        let mut address = format!("{path}/");
        for byte in digest(&SHA256, content.as_bytes()).as_ref().iter().take(HASH_BYTES) {
            // A `String` takes everything.
            _ = write!(address, "{byte:02x}");
        }
        Self { address: format!("{address}.{kind}"), content }
    }
}
