//! The settings by subject, but for the database's: their names, defaults and limits.

use std::net::IpAddr;
use std::path::PathBuf;

use axum::http::HeaderName;
use cookie::SameSite;
use edgeward_wire::Origin;
use secrecy::{ExposeSecret, SecretString};
use time::Duration;
use tracing_subscriber::EnvFilter;

use super::{AppEnv, Problem, Reader, Section};
use crate::domain::host_name::is_host_name;
use crate::domain::session::Lifetimes;

/// HS256 wants a key at least as long as its digest (RFC 7518 §3.2).
const MIN_SECRET_CHARS: usize = 32;

/// The longest issuer or audience: with the largest of everything else a token stays below 1 KiB.
const MAX_NAME_BYTES: usize = 56;

/// Request headers that pages of other origins may send if nothing is set. The companion reads the first three, and
/// what browsers send for languages; the others are added to every request by the libraries named, which a front end has
/// no say over. None of them changes how the companion reads a request.
const CORS_ALLOW_HEADERS: &str = "content-type, authorization, x-request-id, accept, accept-language, \
    content-language, cache-control, pragma, \
    x-requested-with, x-csrf-token, x-xsrf-token, \
    traceparent, tracestate, baggage, \
    b3, x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled, x-b3-flags, \
    sentry-trace, newrelic, elastic-apm-traceparent, \
    x-datadog-origin, x-datadog-parent-id, x-datadog-sampling-priority, x-datadog-trace-id, \
    request-id, request-context, x-amzn-trace-id";

/// Listeners, paths and origins.
pub struct Http {
    /// `BIND_ADDRESS`: where both listeners are.
    pub bind_address: IpAddr,
    /// `PORT` of the public listener; 0 is any free one.
    pub port: u16,
    /// `INTERNAL_PORT` of the internal listener; 0 is any free one.
    pub internal_port: u16,
    /// `BASE_PATH`: empty, or starts with a slash and does not end with one.
    pub base_path: String,
    /// `CLIENT_UI_DOMAIN`: whose pages may call with cookies.
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

/// What tokens say and how long they last.
pub struct Tokens {
    /// `ISSUER`.
    pub issuer: String,
    /// `AUDIENCE`.
    pub audience: String,
    /// `ACCESS_TTL_SECONDS`.
    pub access_ttl: Duration,
    /// `REFRESH_TTL_SECONDS`, `SESSION_MAX_SECONDS` and `REFRESH_GRACE_SECONDS`.
    pub lifetimes: Lifetimes,
    /// `REFRESH_JWT_SECRET`, newest first; at least one.
    pub refresh_secrets: Vec<SecretString>,
}

/// Who may ask for the edge feed and the edge refresh.
pub struct Feed {
    /// `FEED_SECRET`, newest first; empty if whoever reaches the internal listener may.
    pub secrets: Vec<SecretString>,
}

/// `CERTS_DIR`.
pub struct KeyFolder(pub PathBuf);

/// `BCRYPT_COST`: every step doubles the work.
pub struct Hashing {
    /// The cost.
    pub bcrypt_cost: u32,
}

/// How cookies are marked.
#[derive(Clone)]
pub struct Cookies {
    /// `COOKIE_PREFIX`: empty, `__Host-` or `__Secure-`.
    pub prefix: String,
    /// `COOKIE_DOMAIN`.
    pub domain: Option<String>,
    /// `COOKIE_SAME_SITE`: from which sites' pages a browser sends them.
    pub same_site: SameSite,
    /// Whether they are for HTTPS alone: outside `APP_ENV=dev`.
    pub secure: bool,
}

/// How logs are written.
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
    /// For people.
    Text,
}

impl Section for InternalListener {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let bind_address =
            reader.parsed("BIND_ADDRESS", "127.0.0.1", "an IP address", |text| text.parse().ok());
        let port = reader.number("INTERNAL_PORT", 5502_u16, 0..=u16::MAX);
        Some(Self { bind_address: bind_address?, port: port? })
    }
}

impl Section for Http {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let internal = InternalListener::read(reader);
        let port = reader.number("PORT", 5501_u16, 0..=u16::MAX);
        let base_path =
            reader.parsed("BASE_PATH", "/api", "a path such as /api (/ for none)", parse_base_path);
        let origins = read_origins(reader);
        let cors_allow_headers = reader.parsed(
            "CORS_ALLOW_HEADERS",
            CORS_ALLOW_HEADERS,
            "names of request headers such as content-type, sentry-trace (* is not one: browsers ignore it where \
             cookies are sent)",
            parse_header_names,
        );
        // One is the gateway. More than ten proxies in a row is a mistake.
        let trusted_hops = reader.number("TRUSTED_HOPS", 1_u8, 0..=10);
        // Two of the gateway's health checks, which come once a second.
        let drain_delay = reader.number("DRAIN_DELAY_SECONDS", 2_u32, 0..=60);
        if let (Some(port), Some(internal)) = (port, &internal)
            && port == internal.port
            && port != 0
        {
            reader.refuse::<()>("INTERNAL_PORT", Problem::NotTogetherWith("the same PORT"));
        }
        let internal = internal?;
        Some(Self {
            bind_address: internal.bind_address,
            port: port?,
            internal_port: internal.port,
            base_path: base_path?,
            origins: origins?,
            cors_allow_headers: cors_allow_headers?,
            trusted_hops: trusted_hops?,
            drain_delay: std::time::Duration::from_secs(drain_delay?.into()),
        })
    }
}

/// Names of headers, comma-separated, in any case.
fn parse_header_names(text: &str) -> Option<Vec<HeaderName>> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    // With credentials, `*` is the name of a header and no wildcard (Fetch, "CORS-preflight fetch").
    names.map(|name| name.parse().ok().filter(|name| name != "*")).collect()
}

fn parse_base_path(text: &str) -> Option<String> {
    let path = text.trim_end_matches('/');
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let well_formed = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment));
    (path.is_empty() || well_formed).then(|| path.to_owned())
}

/// Exact origins, comma-separated: with credentials, `*` would let every page act as its visitor.
fn read_origins(reader: &mut Reader<'_>) -> Option<Vec<Origin>> {
    const NAME: &str = "CLIENT_UI_DOMAIN";
    let listed = reader.text_or(NAME, "");
    let texts = listed.split(',').map(str::trim).filter(|text| !text.is_empty());
    let read: Vec<Result<Origin, _>> = texts.map(str::parse).collect();
    for (at, invalid) in read.iter().enumerate().filter_map(|(at, read)| Some((at, *read.as_ref().err()?))) {
        reader.refuse::<()>(NAME, Problem::NotAnOrigin { number: at + 1, invalid });
    }
    read.into_iter().collect::<Result<_, _>>().ok()
}

impl Section for Tokens {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        const NAME: &str = "1 to 56 bytes without control characters, quotes and backslashes";
        let parse_name = |text: &str| {
            let is_escaped = |char: char| char.is_control() || char == '"' || char == '\\';
            let fits = (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.contains(is_escaped);
            fits.then(|| text.to_owned())
        };
        let issuer = reader.parsed("ISSUER", "edgeward", NAME, parse_name);
        let audience = reader.parsed("AUDIENCE", "edgeward", NAME, parse_name);
        // The edge refuses an expiry more than a day away.
        let access_ttl = reader.number("ACCESS_TTL_SECONDS", 3600_u32, 60..=86_400);
        let refresh_ttl = reader.number("REFRESH_TTL_SECONDS", 2_592_000_u32, 60..=31_536_000);
        // Without a greatest age, whoever copies a session's tokens and keeps step with it has them for ever.
        let session_max = reader.number("SESSION_MAX_SECONDS", 15_552_000_u32, 60..=315_360_000);
        // Half of the shortest access token: a repeated one is as old as this at most, and still good for a while.
        let grace = reader.number("REFRESH_GRACE_SECONDS", 10_u32, 0..=30);
        let refresh_secrets = read_refresh_secrets(reader);
        Some(Self {
            issuer: issuer?,
            audience: audience?,
            access_ttl: Duration::seconds(access_ttl?.into()),
            lifetimes: Lifetimes {
                idle: Duration::seconds(refresh_ttl?.into()),
                absolute: Duration::seconds(session_max?.into()),
                grace: Duration::seconds(grace?.into()),
            },
            refresh_secrets: refresh_secrets?,
        })
    }
}

fn read_refresh_secrets(reader: &mut Reader<'_>) -> Option<Vec<SecretString>> {
    const NAME: &str = "REFRESH_JWT_SECRET";
    match reader.secret(NAME)? {
        Some(all) => split_secrets(reader, NAME, &all),
        None => reader.refuse(NAME, Problem::Missing),
    }
}

/// Several secrets, comma-separated, newest first.
fn split_secrets(reader: &mut Reader<'_>, name: &str, all: &SecretString) -> Option<Vec<SecretString>> {
    let secrets: Vec<_> = all.expose_secret().split(',').map(str::trim).collect();
    if secrets.iter().any(|secret| secret.chars().count() < MIN_SECRET_CHARS) {
        return reader.refuse(name, Problem::SecretTooShort { min: MIN_SECRET_CHARS });
    }
    Some(secrets.into_iter().map(SecretString::from).collect())
}

impl Section for Feed {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        const NAME: &str = "FEED_SECRET";
        let secrets = match reader.secret(NAME)? {
            Some(all) => split_secrets(reader, NAME, &all)?,
            None => Vec::new(),
        };
        Some(Self { secrets })
    }
}

impl Section for KeyFolder {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(reader.text_or("CERTS_DIR", "certs").into()))
    }
}

impl Section for Hashing {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Below 10 a stolen table is guessed quickly; at 16 one login takes some four seconds.
        let app_env = reader.app_env();
        let least = if app_env == Some(AppEnv::Prod) { 10 } else { 4 };
        let bcrypt_cost = reader.number("BCRYPT_COST", 12_u32, least..=16);
        app_env.and(bcrypt_cost).map(|bcrypt_cost| Self { bcrypt_cost })
    }
}

impl Section for Cookies {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let secure = reader.app_env().map(|app_env| app_env != AppEnv::Dev);
        let prefix = reader.text_or("COOKIE_PREFIX", "");
        let domain = reader.parsed("COOKIE_DOMAIN", "", "a domain such as example.com", |text| match text {
            "" => Some(None),
            text => is_host_name(text).then(|| Some(text.to_owned())),
        });
        let same_site = match reader.text_or("COOKIE_SAME_SITE", "lax").to_ascii_lowercase().as_str() {
            "lax" => Some(SameSite::Lax),
            "strict" => Some(SameSite::Strict),
            "none" => Some(SameSite::None),
            _ => reader.refuse("COOKIE_SAME_SITE", Problem::NotOneOf(&["lax", "strict", "none"])),
        };
        // RFC 6265bis §4.1.2.7.
        if same_site == Some(SameSite::None) && secure == Some(false) {
            let other = "APP_ENV=dev: a browser keeps a cookie of SameSite=None only if it is Secure";
            reader.refuse::<()>("COOKIE_SAME_SITE", Problem::NotTogetherWith(other));
        }
        if !matches!(prefix.as_str(), "" | "__Host-" | "__Secure-") {
            reader.refuse::<()>("COOKIE_PREFIX", Problem::NotOneOf(&["__Host-", "__Secure-", "(empty)"]));
        }
        // RFC 6265bis §4.1.3: a browser drops a cookie whose attributes break the promise of its name.
        if !prefix.is_empty() && secure == Some(false) {
            reader.refuse::<()>("COOKIE_PREFIX", Problem::NotTogetherWith("APP_ENV=dev"));
        }
        if prefix == "__Host-" && domain.as_ref().is_some_and(Option::is_some) {
            reader.refuse::<()>("COOKIE_DOMAIN", Problem::NotTogetherWith("COOKIE_PREFIX=__Host-"));
        }
        Some(Self { prefix, domain: domain?, same_site: same_site?, secure: secure? })
    }
}

impl Section for Log {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let default = if reader.app_env() == Some(AppEnv::Dev) { "text" } else { "json" };
        let format = match reader.text_or("LOG_FORMAT", default).as_str() {
            "json" => Some(LogFormat::Json),
            "text" => Some(LogFormat::Text),
            _ => reader.refuse("LOG_FORMAT", Problem::NotOneOf(&["json", "text"])),
        };
        let filter = reader.parsed("RUST_LOG", "info", "a log filter such as info,sqlx=warn", |text| {
            EnvFilter::try_new(text).ok().map(|_| text.to_owned())
        });
        Some(Self { format: format?, filter: filter? })
    }
}
