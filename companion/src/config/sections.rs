//! The settings by subject, but for the database's: their names, defaults and limits.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

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
    pub origins: Vec<String>,
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
        let origins = reader.parsed(
            "CLIENT_UI_DOMAIN",
            "",
            "one or several origins such as https://app.example.com, without the scheme's own port",
            |text| {
                text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(parse_origin).collect()
            },
        );
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
        })
    }
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

/// An origin as a browser sends it (RFC 6454 §7.1), without `*`, which credentials must not be sent to.
fn parse_origin(text: &str) -> Option<String> {
    let origin = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    let (scheme, authority) = origin.split_once("://")?;
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    // The colons of an IPv6 address are within its brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_address = |text: &str| text.parse().is_ok_and(|address: Ipv6Addr| address.to_string() == text);
    let is_host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').is_some_and(is_address),
        None => is_host_name(host),
    };
    // Spelled as a browser spells it, or no `Origin` header would ever equal it.
    let is_port = |text: &str| {
        text.parse().is_ok_and(|port: u16| port != 0 && port != default_port && port.to_string() == text)
    };
    (is_host && port.is_none_or(is_port)).then_some(origin)
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
        Some(Self { prefix, domain: domain?, secure: secure? })
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
