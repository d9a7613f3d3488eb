//! `DATABASE_URL` as libpq takes it: a URI, or keywords and values (its documentation, "Connection Strings").
//! It is read here because sqlx leaves out what it does not know, and its errors can show a value.

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
    /// More than one host or port.
    #[error("of one host; several are not supported yet, so name one of them")]
    SeveralHosts,
    /// A host and its address: sqlx cannot connect to the one and verify the certificate of the other.
    #[error("of one host; host and hostaddr together are not supported yet, so name one of them")]
    HostAndAddress,
    /// A port that is no number.
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
    /// A keyword of nobody's. It is not shown: it may be a part of a password with a ? in it.
    #[error(
        "free of unknown parameters; known are host, hostaddr, port, dbname, user, password, sslmode, sslrootcert, sslcert, sslkey, connect_timeout, application_name, options and target_session_attrs"
    )]
    UnknownKeyword,
    /// A keyword of libpq's that there is no counterpart to here.
    #[error("free of {0}, which is not supported; remove it")]
    Unsupported(&'static str),
    /// A value that its keyword does not have.
    #[error("right: its {0} has a value that is not supported")]
    Value(&'static str),
}

use InvalidConnectionString as Invalid;

/// Keywords with a counterpart in sqlx, as sqlx names them.
const TAKEN: [&str; 17] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
    "options",
    "ssl-root-cert",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "statement-cache-capacity",
    "sslmode",
];

/// Keywords that change nothing here: connections are given up after 5 s, kept alive, and speak UTF-8 anyway.
const IDLE: [&str; 9] = [
    "connect_timeout",
    "client_encoding",
    "fallback_application_name",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "sslcompression",
];

/// Keywords whose one value changes nothing here, with these values.
const SETTLED: [(&str, &[&str]); 6] = [
    ("target_session_attrs", &["any", "read-write", "primary"]),
    ("channel_binding", &["disable", "prefer"]),
    ("gssencmode", &["disable", "prefer"]),
    ("load_balance_hosts", &["disable"]),
    ("sslnegotiation", &["postgres"]),
    ("sslsni", &["1"]),
];

/// Keywords of libpq's that ask for what there is none of here.
const UNSUPPORTED: [&str; 14] = [
    "passfile",
    "service",
    "servicefile",
    "sslpassword",
    "sslcrl",
    "sslcrldir",
    "sslcertmode",
    "require_auth",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "replication",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
];

const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Reads a connection string.
///
/// # Errors
/// [`InvalidConnectionString`] says what is wrong, in words that follow "is not".
pub fn parse(text: &str) -> Result<PgConnectOptions, Invalid> {
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
    if authority.contains(',') {
        return Err(Invalid::SeveralHosts);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(address) => {
            let (address, port) = address.split_once(']').ok_or(Invalid::Form)?;
            (address, if port.is_empty() { "" } else { port.strip_prefix(':').ok_or(Invalid::Form)? })
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    add("host", host)?;
    add("port", port)?;
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

/// `host=… dbname='…'`: a backslash goes before a quote or a backslash.
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

/// Has sqlx read what was understood, in its own form.
fn build(pairs: Pairs) -> Result<PgConnectOptions, Invalid> {
    let default = PgConnectOptions::new_without_pgpass();
    let mut query = String::new();
    let is_set = |name: &str| pairs.iter().any(|(keyword, value)| keyword == name && !value.is_empty());
    match (is_set("host"), is_set("hostaddr")) {
        (true, true) => return Err(Invalid::HostAndAddress),
        (false, false) => query = format!("host={}", encode(default.get_host())),
        _ => {}
    }
    let mut database = default.get_database().map(str::to_owned);
    for (keyword, value) in pairs {
        let known = |known: &&str| *known == keyword.as_str();
        if TAKEN.contains(&keyword.as_str()) || keyword == "ssl-mode" {
            check_value(&keyword, &value)?;
            if keyword == "dbname" {
                database = Some(value.clone()).filter(|name| !name.is_empty());
            }
            if !value.is_empty() {
                query.extend(["&", &keyword, "=", &encode(&value)]);
            }
        } else if keyword == "ssl" && value == "true" {
            // libpq takes it from JDBC's URLs.
            query.push_str("&sslmode=require");
        } else if let Some((keyword, values)) = SETTLED.iter().find(|(settled, _)| known(settled)) {
            if !values.contains(&value.as_str()) {
                return Err(Invalid::Value(keyword));
            }
        } else if let Some(keyword) = UNSUPPORTED.iter().find(|unsupported| known(unsupported)) {
            return Err(Invalid::Unsupported(keyword));
        } else if !IDLE.contains(&keyword.as_str()) {
            return Err(Invalid::UnknownKeyword);
        }
    }
    if database.is_none() {
        return Err(Invalid::NoDatabase);
    }
    PgConnectOptions::from_str(&format!("postgres://localhost/?{query}")).map_err(|_| Invalid::Form)
}

fn check_value(keyword: &str, value: &str) -> Result<(), Invalid> {
    match keyword {
        "host" | "hostaddr" | "port" if value.contains(',') => Err(Invalid::SeveralHosts),
        "port" if !value.is_empty() && !value.parse().is_ok_and(|port: u16| port != 0) => Err(Invalid::Port),
        "hostaddr" if value.parse::<std::net::IpAddr>().is_err() => Err(Invalid::Value("hostaddr")),
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
mod tests {
    use super::*;

    #[test]
    fn connection_strings_of_libpq_are_taken() {
        let check = |text: &str, place: &str, port: u16, user: &str, database: &str| {
            let options = parse(text).unwrap_or_else(|invalid| panic!("{text}: {invalid}"));
            let socket = options.get_socket().map(|path| path.display().to_string());
            let told = socket.unwrap_or_else(|| options.get_host().to_owned());
            assert_eq!((told.as_str(), options.get_port()), (place, port), "{text}");
            assert_eq!((options.get_username(), options.get_database()), (user, Some(database)), "{text}");
        };
        check("postgres://ada:pw@db.example:5433/edgeward", "db.example", 5433, "ada", "edgeward");
        check("postgresql://ada@[::1]/d?sslmode=disable", "::1", 5432, "ada", "d");
        check("postgres:///d?host=/var/run/postgresql&user=ada", "/var/run/postgresql", 5432, "ada", "d");
        check("postgres://ada@%2Fvar%2Frun/d", "/var/run", 5432, "ada", "d");
        check(
            "postgres://a%40b:p%2F%25@h/d%20e?connect_timeout=3&target_session_attrs=read-write",
            "h",
            5432,
            "a@b",
            "d e",
        );
        check("postgres://ada:p?#@x@h/d", "h", 5432, "ada", "d");
        check("postgres://h?dbname=d&user=ada&port=6543&ssl=true", "h", 6543, "ada", "d");
        check("host=h port=1 dbname=d user=ada password='it\\'s a = \\\\'", "h", 1, "ada", "d");
        check(" host = /tmp dbname = 'd e' user=ada\n", "/tmp", 5432, "ada", "d e");
        check("hostaddr=127.0.0.1 dbname=d user=ada", "127.0.0.1", 5432, "ada", "d");
        check("postgres://ada@/d?hostaddr=127.0.0.1", "127.0.0.1", 5432, "ada", "d");
    }

    #[test]
    fn invalid_connection_string_is_named_without_its_parts() {
        let check = |text: &str, expected| {
            let found = parse(text).err();
            assert_eq!(found, Some(expected), "{text}");
            assert!(!expected.to_string().contains("hunter2"));
        };
        check("mysql://a:hunter2@h/d", Invalid::Form);
        check("postgresql+psycopg2://a:hunter2@h/d", Invalid::Form);
        check("jdbc:postgresql://h/d?user=a&password=hunter2", Invalid::Form);
        check("", Invalid::NoDatabase);
        check("hunter2", Invalid::Form);
        check("host=h dbname='d", Invalid::Form);
        check("\"postgres://a:hunter2@h/d\"", Invalid::Quoted);
        check("postgres://a:hunter2@h,i/d", Invalid::SeveralHosts);
        check("postgres://a:hunter2@h:1,i:2/d", Invalid::SeveralHosts);
        check("host=h,i dbname=d", Invalid::SeveralHosts);
        check("host=h hostaddr=10.0.0.1 dbname=d", Invalid::HostAndAddress);
        check("postgres://a:hunter2@h/d?hostaddr=10.0.0.1", Invalid::HostAndAddress);
        check("postgres://10.0.0.1/d?hostaddr=10.0.0.1", Invalid::HostAndAddress);
        check("postgres://a:hunter2/x@h/d", Invalid::Port);
        check("postgres://h:0/d", Invalid::Port);
        check("postgres://a:hunter2%@h/d", Invalid::Escape);
        check("postgres://a:%ff@h/d", Invalid::Escape);
        check("postgres://a:hunter2@h", Invalid::NoDatabase);
        check("postgres://h/d?hunter2=x", Invalid::UnknownKeyword);
        check("postgres://h/d?hunter2", Invalid::UnknownKeyword);
        check("postgres://h/d?sslmode=hunter2", Invalid::Value("sslmode"));
        check("postgres://h/d?target_session_attrs=standby", Invalid::Value("target_session_attrs"));
        check("postgres://h/d?channel_binding=require", Invalid::Value("channel_binding"));
        check("service=hunter2 dbname=d", Invalid::Unsupported("service"));
    }
}
