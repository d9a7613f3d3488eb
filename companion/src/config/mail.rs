//! Settings of mail: the server, the sender, the links, and which mails are sent.

use std::net::IpAddr;
use std::path::PathBuf;

use axum::http::Uri;
use edgeward_wire::Origin;
use secrecy::SecretString;

use super::{Problem, Reader, Section, Setting, settings};
use crate::domain::account::email::Email;
use crate::domain::mail::MailKinds;

/// Sending of mail.
pub struct Mail {
    /// Mails that are sent: none without `SMTP_URL`, and all but those of `MAIL_OFF` with it.
    pub kinds: MailKinds,
    /// `None` if no mail is sent.
    pub delivery: Option<MailDelivery>,
}

/// Way that mails take.
pub struct MailDelivery {
    /// `SMTP_URL`.
    pub server: SmtpServer,
    /// `SMTP_CA_PATH`; `None` for the public authorities.
    pub authorities: Option<PathBuf>,
    /// `SMTP_USERNAME` and `SMTP_PASSWORD`.
    pub credentials: Option<(String, SecretString)>,
    /// `MAIL_FROM`.
    pub sender: Sender,
    /// `PUBLIC_URL`.
    pub public_url: Origin,
}

/// Mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpServer {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `true` if TLS begins with the first byte (RFC 8314 §3.3). Without it the server is on this machine.
    pub has_tls: bool,
}

/// Sender of mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Name; `None` for the address alone.
    pub name: Option<String>,
    /// Address.
    pub address: Email,
}

impl Section for Mail {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Every setting is read before one is used: all mistakes are reported at once.
        let url = reader.given(&settings::SMTP_URL);
        let username = reader.given(&settings::SMTP_USERNAME);
        let password = reader.secret(&settings::SMTP_PASSWORD);
        let has_tls = reader.parsed(&settings::SMTP_TLS, |text| match text {
            "required" => Some(true),
            "off" => Some(false),
            _ => None,
        });
        let authorities = reader.given(&settings::SMTP_CA_PATH).map(PathBuf::from);
        let sender = reader.given(&settings::MAIL_FROM);
        let kinds = reader.parsed(&settings::MAIL_OFF, MailKinds::without);
        let public_url = reader.given(&settings::PUBLIC_URL);
        let Some(url) = url.filter(|url| !url.is_empty()) else {
            return Some(Self { kinds: MailKinds::default(), delivery: None });
        };
        let server = parse_server(&url, has_tls?)
            .or_else(|| reader.reject(settings::SMTP_URL.name, settings::SMTP_URL.form.problem()));
        let credentials = match (username, password?) {
            (Some(username), Some(password)) => Some(Some((username, password))),
            (None, None) => Some(None),
            (Some(_), None) => reader.reject(settings::SMTP_PASSWORD.name, Problem::Missing),
            (None, Some(_)) => reader.reject(settings::SMTP_USERNAME.name, Problem::Missing),
        };
        let sender = required(reader, &settings::MAIL_FROM, sender, parse_sender);
        let public_url = required(reader, &settings::PUBLIC_URL, public_url, parse_public_url);
        let delivery = MailDelivery {
            server: server?,
            authorities,
            credentials: credentials?,
            sender: sender?,
            public_url: public_url?,
        };
        Some(Self { kinds: kinds?, delivery: Some(delivery) })
    }
}

/// Parses a setting that mail cannot do without.
fn required<T>(
    reader: &mut Reader<'_>,
    setting: &Setting,
    given: Option<String>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    match given {
        Some(text) => parse(&text).or_else(|| reader.reject(setting.name, setting.form.problem())),
        None => reader.reject(setting.name, Problem::Missing),
    }
}

/// Parses the address of a mail server. `None` if it is not one, or has no TLS and is not on this machine.
fn parse_server(text: &str, has_tls: bool) -> Option<SmtpServer> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?;
    if authority.as_str().contains('@')
        || !uri.path().trim_end_matches('/').is_empty()
        || uri.query().is_some()
    {
        return None;
    }
    // No STARTTLS: lettre 0.11.23 takes what was sent before the TLS handshake for replies after it.
    let port = match (uri.scheme_str()?, has_tls) {
        ("smtps", true) => 465,
        ("smtp", false) if is_loopback(authority.host()) => 25,
        _ => return None,
    };
    let host = bare(authority.host());
    (!host.is_empty()).then(|| SmtpServer {
        host: host.to_owned(),
        port: authority.port_u16().unwrap_or(port),
        has_tls,
    })
}

/// Parses `address` or `Name <address>`.
fn parse_sender(text: &str) -> Option<Sender> {
    let (name, address) = match text.trim().strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"')), address),
        None => (None, text),
    };
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    if name.as_ref().is_some_and(|name| name.contains(char::is_control)) {
        return None;
    }
    Some(Sender { name, address: Email::parse(address).ok()? })
}

/// Parses the origin of the links.
fn parse_public_url(text: &str) -> Option<Origin> {
    let origin: Origin = text.parse().ok()?;
    let uri: Uri = origin.as_str().parse().ok()?;
    let is_private = match origin.scheme() {
        "https" => true,
        "http" => is_loopback(uri.host()?),
        _ => false,
    };
    is_private.then_some(origin)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || bare(host).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns a host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_has_tls_or_is_on_this_machine() {
        let server = |host: &str, port, has_tls| Some(SmtpServer { host: host.to_owned(), port, has_tls });
        for (text, has_tls, expected) in [
            ("smtps://mail.example.com/", true, server("mail.example.com", 465, true)),
            ("smtps://mail:4465", true, server("mail", 4465, true)),
            ("smtp://127.0.0.1:1025", false, server("127.0.0.1", 1025, false)),
            ("smtp://[::1]", false, server("::1", 25, false)),
            ("smtp://localhost", false, server("localhost", 25, false)),
            ("smtp://mail.example.com", true, None),
            ("smtp://mail.example.com", false, None),
            ("smtp://10.0.0.1", false, None),
            ("smtps://127.0.0.1", false, None),
            ("smtps://user:password@mail", true, None),
            ("smtps://mail/path", true, None),
            ("smtps://mail?tls=none", true, None),
            ("https://mail", true, None),
            ("mail.example.com", true, None),
            ("", true, None),
        ] {
            assert_eq!(parse_server(text, has_tls), expected, "{text}, {has_tls}");
        }
    }

    #[test]
    fn sender_is_an_address_with_or_without_a_name() {
        let parsed =
            |text| parse_sender(text).map(|sender| (sender.name, sender.address.as_str().to_owned()));
        let sender = |name: Option<&str>| Some((name.map(str::to_owned), "a@example.com".to_owned()));
        assert_eq!(parsed("a@example.com"), sender(None));
        assert_eq!(parsed("Ada & Co. <a@example.com>"), sender(Some("Ada & Co.")));
        assert_eq!(parsed("\"Ada\" <a@example.com>"), sender(Some("Ada")));
        for bad in ["", "Ada", "Ada <a>", "Ada\r\nBcc: b <a@example.com>", "<>"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn links_have_tls_or_lead_to_this_machine() {
        for (text, expected) in [
            ("https://app.example.com", Some("https://app.example.com")),
            ("https://app.example.com/", Some("https://app.example.com")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://localhost:8080", Some("http://localhost:8080")),
            ("http://app.example.com", None),
            ("https://app.example.com/path", None),
            ("app.example.com", None),
        ] {
            assert_eq!(parse_public_url(text).as_ref().map(Origin::as_str), expected, "{text}");
        }
    }
}
