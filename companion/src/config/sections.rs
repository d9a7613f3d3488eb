//! The settings by subject, except the database's, as the types that the service uses.

use std::net::IpAddr;

use axum::http::HeaderName;
use edgeward_wire::Origin;
use secrecy::{ExposeSecret as _, SecretString};
use time::Duration;
use tracing_subscriber::EnvFilter;

use super::{Problem, Reader, Section, settings};
use crate::domain::session::Lifetimes;

/// Listeners, paths and origins.
pub struct Http {
    /// `BIND_ADDRESS` of both listeners.
    pub bind_address: IpAddr,
    /// `PORT` of the public listener; 0 is any free one.
    pub port: u16,
    /// `INTERNAL_PORT` of the internal listener; 0 is any free one.
    pub internal_port: u16,
    /// `BASE_PATH`: empty, or starts with a slash and does not end with one.
    pub base_path: String,
    /// `API_DOCS`: `true` if the service describes its API.
    pub has_docs: bool,
    /// `REGISTRATION_HIDES_EMAILS`: `true` if a registration does not tell if the address was known.
    pub registration_hides_emails: bool,
    /// `CLIENT_UI_DOMAIN`: origins whose pages may call with cookies.
    pub origins: Vec<Origin>,
    /// `CORS_ALLOW_HEADERS`: request headers that those pages may send.
    pub cors_allow_headers: Vec<HeaderName>,
    /// `TRUSTED_HOPS`: number of proxies in front, the gateway included, that append to `x-forwarded-for`.
    pub trusted_hops: u8,
    /// `DRAIN_DELAY_SECONDS`: time between `/readyz` failing and the listeners closing.
    pub drain_delay: std::time::Duration,
}

/// Address of the internal listener.
pub struct InternalListener {
    /// `BIND_ADDRESS`.
    pub bind_address: IpAddr,
    /// `INTERNAL_PORT`.
    pub port: u16,
}

/// Contents and lifetimes of tokens.
pub struct Tokens {
    /// `ISSUER`.
    pub issuer: String,
    /// `AUDIENCE`.
    pub audience: String,
    /// `ACCESS_TTL_SECONDS`.
    pub access_ttl: Duration,
    /// `REFRESH_TTL_SECONDS`, `SESSION_MAX_SECONDS` and `REFRESH_GRACE_SECONDS`.
    pub lifetimes: Lifetimes,
    /// `AUTHENTICATION_MAX_AGE_SECONDS`.
    pub authentication_max_age: Duration,
    /// `REFRESH_JWT_SECRET`, newest first; at least one.
    pub refresh_secrets: Vec<SecretString>,
}

/// `SESSION_MAX_SECONDS`: maximum age of a session.
pub struct SessionAge(pub Duration);

/// Access to the edge feed and the edge refresh.
pub struct Feed {
    /// `FEED_SECRET`, newest first; empty if all who reach the internal listener have access.
    pub secrets: Vec<SecretString>,
}

/// `AUDIT_RETENTION_DAYS`; `None` if entries are kept for ever.
pub struct AuditRetention(pub Option<Duration>);

/// Form and level of the log.
pub struct Log {
    /// `LOG_FORMAT`.
    pub format: LogFormat,
    /// `RUST_LOG`, as tracing-subscriber's `EnvFilter` reads it.
    pub filter: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object.
    Json,
    /// A line for people.
    Text,
}

impl Section for InternalListener {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let bind_address = reader.parsed(&settings::BIND_ADDRESS, |text| text.parse().ok());
        let port = reader.number(&settings::INTERNAL_PORT);
        Some(Self { bind_address: bind_address?, port: port? })
    }
}

impl Section for Http {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let internal = InternalListener::read(reader);
        let port = reader.number(&settings::PORT);
        let base_path = reader.parsed(&settings::BASE_PATH, parse_base_path);
        let has_docs = reader.parsed(&settings::API_DOCS, parse_switch);
        let registration_hides_emails = reader.parsed(&settings::REGISTRATION_HIDES_EMAILS, parse_switch);
        let origins = read_origins(reader);
        let cors_allow_headers = reader.parsed(&settings::CORS_ALLOW_HEADERS, parse_header_names);
        let trusted_hops = reader.number(&settings::TRUSTED_HOPS);
        let drain_delay = reader.number(&settings::DRAIN_DELAY_SECONDS);
        if let (Some(port), Some(internal)) = (port, &internal)
            && port == internal.port
            && port != 0
        {
            reader.reject::<()>(settings::INTERNAL_PORT.name, Problem::NotTogetherWith("the same PORT"));
        }
        let internal = internal?;
        Some(Self {
            bind_address: internal.bind_address,
            port: port?,
            internal_port: internal.port,
            base_path: base_path?,
            has_docs: has_docs?,
            registration_hides_emails: registration_hides_emails?,
            origins: origins?,
            cors_allow_headers: cors_allow_headers?,
            trusted_hops: trusted_hops?,
            drain_delay: std::time::Duration::from_secs(drain_delay?),
        })
    }
}

/// Parses names of headers, comma-separated, in any case.
fn parse_header_names(text: &str) -> Option<Vec<HeaderName>> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    // With credentials, `*` is the name of a header and no wildcard (Fetch, "CORS-preflight fetch").
    names.map(|name| name.parse().ok().filter(|name| name != "*")).collect()
}

fn parse_switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

pub(super) fn parse_base_path(text: &str) -> Option<String> {
    let path = text.trim_end_matches('/');
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let well_formed = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment));
    (path.is_empty() || well_formed).then(|| path.to_owned())
}

/// Reads exact origins, comma-separated: with credentials, `*` would let every page act as its visitor.
fn read_origins(reader: &mut Reader<'_>) -> Option<Vec<Origin>> {
    let listed = reader.text(&settings::CLIENT_UI_DOMAIN);
    let texts = listed.split(',').map(str::trim).filter(|text| !text.is_empty());
    let origins = texts.enumerate().map(|(at, text)| {
        text.parse().map_err(|invalid| {
            let subject = format!("{}: number {}", settings::CLIENT_UI_DOMAIN.name, at + 1);
            reader.reject::<()>(&subject, Problem::NotAnOrigin(invalid));
        })
    });
    // Collected twice, so that every mistake is reported.
    origins.collect::<Vec<_>>().into_iter().collect::<Result<_, ()>>().ok()
}

impl Section for Tokens {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let own = |text: &str| Some(text.to_owned());
        let issuer = reader.parsed(&settings::ISSUER, own);
        let audience = reader.parsed(&settings::AUDIENCE, own);
        let access_ttl = reader.number(&settings::ACCESS_TTL_SECONDS);
        let idle = reader.number(&settings::REFRESH_TTL_SECONDS);
        let absolute = SessionAge::read(reader);
        let grace = reader.number(&settings::REFRESH_GRACE_SECONDS);
        let authentication_max_age = reader.number(&settings::AUTHENTICATION_MAX_AGE_SECONDS);
        let refresh_secrets = reader.secrets(&settings::REFRESH_JWT_SECRET);
        Some(Self {
            issuer: issuer?,
            audience: audience?,
            access_ttl: Duration::seconds(access_ttl?),
            lifetimes: Lifetimes {
                idle: Duration::seconds(idle?),
                absolute: absolute?.0,
                grace: Duration::seconds(grace?),
            },
            authentication_max_age: Duration::seconds(authentication_max_age?),
            refresh_secrets: refresh_secrets?,
        })
    }
}

impl Section for SessionAge {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.number(&settings::SESSION_MAX_SECONDS).map(|seconds| Self(Duration::seconds(seconds)))
    }
}

impl Section for Feed {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let secrets = reader.secrets(&settings::FEED_SECRET)?;
        let is_visible =
            |secret: &SecretString| secret.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
        if !secrets.iter().all(is_visible) {
            return reader.reject(settings::FEED_SECRET.name, Problem::SecretNotVisible);
        }
        Some(Self { secrets })
    }
}

impl Section for AuditRetention {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let days = reader.optional_number(&settings::AUDIT_RETENTION_DAYS)?;
        Some(Self(days.map(Duration::days)))
    }
}

impl Section for Log {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let format = reader.parsed(&settings::LOG_FORMAT, |text| match text {
            "json" => Some(LogFormat::Json),
            "text" => Some(LogFormat::Text),
            _ => None,
        });
        let filter =
            reader.parsed(&settings::RUST_LOG, |text| EnvFilter::try_new(text).ok().map(|_| text.to_owned()));
        Some(Self { format: format?, filter: filter? })
    }
}
