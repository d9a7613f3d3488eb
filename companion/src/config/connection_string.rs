//! `DATABASE_URL` as libpq takes it: a URI, or keywords and values (its documentation, "Connection Strings").
//! It is parsed here because sqlx knows one host alone, ignores keywords that it does not know, and its errors can show a
//! value.

mod hosts;
mod keywords;

use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sqlx::postgres::PgConnectOptions;
use thiserror::Error;

/// Fault of a connection string. It never holds a part of the string, which has a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidConnectionString {
    /// Neither of the two forms.
    #[error("of the form postgres://user:password@host:port/database")]
    Form,
    /// The whole string is in quotes, which its writer meant for a shell.
    #[error("free of the quotes around it; remove them")]
    Quoted,
    /// An empty host among several.
    #[error("of hosts alone; one of those between the commas is empty")]
    EmptyHost,
    /// Another number of ports than of hosts.
    #[error("of one port for all hosts, or one for each: there are {hosts} hosts and {ports} ports")]
    PortCount {
        /// Number of hosts.
        hosts: usize,
        /// Number of ports.
        ports: usize,
    },
    /// More hosts than are searched.
    #[error("of at most {MAX_HOSTS} hosts")]
    TooManyHosts,
    /// A host and its address: sqlx cannot connect to the one and verify the certificate of the other.
    #[error(
        "of hosts that have one name each; host and hostaddr together are not supported yet, so remove one"
    )]
    HostAndAddress,
    /// A port that is not a number from 1 to 65535.
    #[error(
        "of a port from 1 to 65535; in a user or password, write / as %2F, : as %3A, @ as %40 and % as %25"
    )]
    Port,
    /// A percent sign without two hexadecimal digits, or escapes that are not UTF-8.
    #[error("escaped correctly; write % as %25, and other characters as the % escapes of their UTF-8")]
    Escape,
    /// No database is named.
    #[error("complete: it names no database")]
    NoDatabase,
    /// An unknown keyword. It is not shown: it may be a part of a password with a ? in it.
    #[error(
        "free of unknown parameters; known are host, hostaddr, port, dbname, user, password, sslmode, sslrootcert, sslcert, sslkey, connect_timeout, application_name, options and target_session_attrs"
    )]
    UnknownKeyword,
    /// A keyword of libpq that is not supported here.
    #[error("free of {0}, which is not supported; remove it")]
    Unsupported(&'static str),
    /// A value that is not supported for its keyword.
    #[error("right: its {0} has a value that is not supported")]
    Value(&'static str),
}

pub use self::hosts::{MAX_HOSTS, TargetSessionAttrs, pair};

use self::keywords::{FIXED, IGNORED, SSL_MODES, SUPPORTED, UNSUPPORTED};
use InvalidConnectionString as Invalid;

/// Content of a connection string. It has no `Debug`: the options hold the password.
pub struct ConnectionString {
    /// Servers in their order, of which there is at least one. They differ by host and port alone.
    pub servers: Vec<PgConnectOptions>,
    /// Server that is asked for.
    pub target: Option<TargetSessionAttrs>,
}

/// Parses a connection string.
///
/// # Errors
/// [`InvalidConnectionString`], in words that follow "is not".
pub fn parse(text: &str) -> Result<ConnectionString, Invalid> {
    let text = text.trim();
    if text.starts_with(['"', '\'']) {
        return Err(Invalid::Quoted);
    }
    let after_scheme = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let pairs = match after_scheme {
        Some(rest) => read_uri(rest)?,
        None => read_keywords(text)?,
    };
    build(pairs)
}

type Pairs = Vec<(String, String)>;

fn read_uri(text: &str) -> Result<Pairs, Invalid> {
    let mut pairs = Pairs::new();
    let mut add = |keyword: &str, value: &str| -> Result<(), Invalid> {
        if !value.is_empty() {
            pairs.push((keyword.to_owned(), decode(value)?));
        }
        Ok(())
    };
    // As in libpq, a ? belongs to the user or the password if an @ comes before the next slash.
    let until_slash = text.split('/').next().unwrap_or_default();
    let (credentials, rest) = match until_slash.rsplit_once('@') {
        Some((credentials, _)) => (credentials, text.get(credentials.len() + 1..).unwrap_or_default()),
        None => ("", text),
    };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    add("user", user)?;
    add("password", password)?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    let (host, port) = hosts::split_authority(authority)?;
    add("host", &host)?;
    add("port", &port)?;
    add("dbname", database)?;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (keyword, value) = parameter.split_once('=').ok_or(Invalid::UnknownKeyword)?;
        pairs.push((decode(keyword)?, decode(value)?));
    }
    Ok(pairs)
}

fn decode(text: &str) -> Result<String, Invalid> {
    let is_escape = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !text.split('%').skip(1).all(is_escape) {
        return Err(Invalid::Escape);
    }
    Ok(percent_decode_str(text).decode_utf8().map_err(|_| Invalid::Escape)?.into_owned())
}

/// Reads `host=… dbname='…'`, where a backslash escapes a quote or a backslash.
fn read_keywords(text: &str) -> Result<Pairs, Invalid> {
    let mut pairs = Pairs::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (keyword, after) = rest.split_once('=').ok_or(Invalid::Form)?;
        let keyword = keyword.trim_end();
        if keyword.is_empty()
            || !keyword.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        {
            return Err(Invalid::Form);
        }
        let mut chars = after.trim_start().chars().peekable();
        let quoted = chars.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        let closed = loop {
            match chars.next() {
                None => break !quoted,
                Some('\'') if quoted => break true,
                Some(char) if !quoted && char.is_whitespace() => break true,
                Some('\\') => value.extend(chars.next()),
                Some(char) => value.push(char),
            }
        };
        if !closed {
            return Err(Invalid::Form);
        }
        pairs.push((keyword.to_owned(), value));
        let unread: usize = chars.map(char::len_utf8).sum();
        rest = after.get(after.len() - unread..).unwrap_or_default().trim_start();
    }
    Ok(pairs)
}

/// Converts the pairs into sqlx's options for each host, by a URL as sqlx reads it.
fn build(pairs: Pairs) -> Result<ConnectionString, Invalid> {
    let default = PgConnectOptions::new_without_pgpass();
    let (mut query, mut target) = (String::new(), None);
    // As in libpq, the last one counts.
    let last = |name: &str| {
        pairs
            .iter()
            .rev()
            .find(|(keyword, value)| keyword == name && !value.is_empty())
            .map(|(_, value)| value)
    };
    let (keyword, hosts) = match (last("host"), last("hostaddr")) {
        (Some(_), Some(_)) => return Err(Invalid::HostAndAddress),
        (None, Some(addresses)) => ("hostaddr", addresses.clone()),
        (host, None) => ("host", host.map_or_else(|| default.get_host().to_owned(), Clone::clone)),
    };
    let hosts = pair(&hosts, last("port").map_or("", String::as_str))?;
    let mut database = default.get_database().map(str::to_owned);
    for (keyword, value) in pairs {
        let known = |known: &&str| *known == keyword.as_str();
        if ["host", "hostaddr", "port"].contains(&keyword.as_str()) {
            // Above.
        } else if SUPPORTED.contains(&keyword.as_str()) || keyword == "ssl-mode" {
            check_value(&keyword, &value)?;
            if keyword == "dbname" {
                database = Some(value.clone()).filter(|name| !name.is_empty());
            }
            if !value.is_empty() {
                query.extend(["&", &keyword, "=", &encode(&value)]);
            }
        } else if keyword == "target_session_attrs" {
            target = Some(TargetSessionAttrs::parse(&value).ok_or(Invalid::Value("target_session_attrs"))?);
        } else if keyword == "ssl" && value == "true" {
            // libpq takes it from JDBC's URLs.
            query.push_str("&sslmode=require");
        } else if let Some((keyword, values)) = FIXED.iter().find(|(fixed, _)| known(fixed)) {
            if !values.contains(&value.as_str()) {
                return Err(Invalid::Value(keyword));
            }
        } else if let Some(keyword) = UNSUPPORTED.iter().find(|unsupported| known(unsupported)) {
            return Err(Invalid::Unsupported(keyword));
        } else if !IGNORED.contains(&keyword.as_str()) {
            return Err(Invalid::UnknownKeyword);
        }
    }
    if database.is_none() {
        return Err(Invalid::NoDatabase);
    }
    let server = |(host, port): (String, Option<u16>)| {
        if keyword == "hostaddr" && host.parse::<std::net::IpAddr>().is_err() {
            return Err(Invalid::Value("hostaddr"));
        }
        let port = port.map_or_else(String::new, |port| format!("&port={port}"));
        let url = format!("postgres://localhost/?{keyword}={}{port}{query}", encode(&host));
        PgConnectOptions::from_str(&url).map_err(|_| Invalid::Form)
    };
    let servers = hosts.into_iter().map(server).collect::<Result<_, _>>()?;
    Ok(ConnectionString { servers, target })
}

fn check_value(keyword: &str, value: &str) -> Result<(), Invalid> {
    match keyword {
        "sslmode" | "ssl-mode" if !SSL_MODES.contains(&value) => Err(Invalid::Value("sslmode")),
        "statement-cache-capacity" if value.parse::<usize>().is_err() => {
            Err(Invalid::Value("statement-cache-capacity"))
        }
        _ => Ok(()),
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests;
