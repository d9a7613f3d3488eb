//! Web origins (RFC 6454; "origin" in the URL standard): the grammar of the companion's `CLIENT_UI_DOMAIN` and the
//! filter's `allowed_origins`. Which origins are allowed is not decided here.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

/// Maximum length of a host name, in bytes (RFC 1035 §2.3.4, without the dots at the ends).
pub const MAX_HOST_BYTES: usize = 253;
/// Maximum length of a label of a host name, in bytes (RFC 1035 §2.3.4).
pub const MAX_LABEL_BYTES: usize = 63;
/// Maximum length of a scheme, in bytes. Chosen: the longest in use is `safari-web-extension`.
const MAX_SCHEME_BYTES: usize = 32;
/// Schemes whose pages have the opaque origin `null`, or that no page has (URL standard, "origin").
const OPAQUE_SCHEMES: [&str; 8] = ["about", "blob", "data", "file", "ftp", "javascript", "ws", "wss"];

/// Origin in the one serialization that browsers send: scheme, host, and the port unless it is the scheme's own.
///
/// Besides `http` and `https` it may have the scheme of an app shell or a browser extension, such as
/// `capacitor://localhost` or `chrome-extension://<id>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    serialization: String,
    scheme_len: usize,
}

/// Fault of a text that is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidOrigin {
    /// No scheme before `://`, or one whose pages have no origin of their own.
    #[error("it does not start with a scheme that pages have, such as https:// or capacitor://")]
    Scheme,
    /// The host is missing, not ASCII, or neither a name nor an address.
    #[error("its host is not a name or an address in ASCII (write other letters in Punycode, xn--…)")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// The text has a path, a query, a fragment or user information besides.
    #[error("something other than a port follows the host, or user information stands before it")]
    NotAlone,
}

impl Origin {
    /// Returns the serialization, as browsers send it in `Origin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.serialization
    }

    /// Returns the scheme, in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.serialization.get(..self.scheme_len).unwrap_or_default()
    }

    /// Returns `true` if the scheme is `http` or `https`, so that a web server is behind the origin.
    #[must_use]
    pub fn is_web(&self) -> bool {
        matches!(self.scheme(), "http" | "https")
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    /// Reads an origin as people and browsers write it: case, the scheme's default port, the spelling of an IPv6
    /// address and a slash at the end make no difference.
    ///
    /// # Errors
    /// - [`InvalidOrigin::Scheme`] if the scheme is missing, too long or opaque
    /// - [`InvalidOrigin::NotAlone`] if the text has more than scheme, host, port and a slash
    /// - [`InvalidOrigin::Host`] if the host is neither a name nor an address
    /// - [`InvalidOrigin::Port`] if the port is not a number from 1 to 65535
    ///
    /// The first that applies is returned.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let text = text.to_ascii_lowercase();
        let (scheme, rest) =
            text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).ok_or(InvalidOrigin::Scheme)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@', '\\']) {
            return Err(InvalidOrigin::NotAlone);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let host = read_host(host).ok_or(InvalidOrigin::Host)?;
        let port = port.map(|port| read_port(port).ok_or(InvalidOrigin::Port)).transpose()?;
        let serialization = match (scheme, port) {
            (_, None) | ("http", Some(80)) | ("https", Some(443)) => format!("{scheme}://{host}"),
            (_, Some(port)) => format!("{scheme}://{host}:{port}"),
        };
        Ok(Self { serialization, scheme_len: scheme.len() })
    }
}

/// Returns `true` for a scheme (RFC 3986 §3.1) in lower case whose pages have an origin.
fn is_scheme(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    text.len() <= MAX_SCHEME_BYTES
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(plain)
        && !OPAQUE_SCHEMES.contains(&text)
}

/// Returns a host, which is a name or an address, in its serialization (URL standard, "host serializer").
fn read_host(host: &str) -> Option<String> {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']')?.parse().ok().map(|address| format!("[{}]", write_ipv6(address)));
    }
    // The final dot of an absolute name is part of its serialization; that of an address is not.
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        // A last label of digits makes it an address (URL standard, "ends in a number checker").
        return name.parse::<Ipv4Addr>().ok().map(|address| address.to_string());
    }
    let is_name = name.len() <= MAX_HOST_BYTES && name.split('.').all(is_label);
    is_name.then(|| host.to_owned())
}

/// Returns `true` for a label of a host name in lower case. Underscores are no part of host names (RFC 1123 §2.1),
/// but browsers load pages from such hosts.
fn is_label(label: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=MAX_LABEL_BYTES).contains(&label.len()) && label.bytes().all(plain) && !label.starts_with('-')
}

/// Writes an IPv6 address as browsers do: unlike Rust, without an IPv4 address in it.
fn write_ipv6(address: Ipv6Addr) -> String {
    match (address.to_ipv4_mapped(), address.segments()) {
        (Some(_), [.., high, low]) => format!("::ffff:{high:x}:{low:x}"),
        (None, _) => address.to_string(),
    }
}

fn read_port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, InvalidOrigin>) {
        let origin = text.parse::<Origin>();
        assert_eq!(origin.as_ref().map(Origin::as_str).map_err(|invalid| *invalid), expected, "{text}");
    }

    #[test]
    fn an_origin_in_any_spelling_has_the_serialization_of_browsers() {
        for (text, expected) in [
            ("https://app.example", "https://app.example"),
            ("https://App.Example/", "https://app.example"),
            ("HTTPS://app.example:443", "https://app.example"),
            ("https://app.example:80", "https://app.example:80"),
            ("http://app.example:80/", "http://app.example"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://my_app.test", "http://my_app.test"),
            ("https://app.example.", "https://app.example."),
            ("http://127.0.0.1.:8080", "http://127.0.0.1:8080"),
            ("http://127.0.0.1:65535", "http://127.0.0.1:65535"),
            ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
            ("http://[2001:DB8::]:8080", "http://[2001:db8::]:8080"),
            ("http://[::ffff:192.0.2.1]", "http://[::ffff:c000:201]"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("ionic://localhost", "ionic://localhost"),
            ("tauri://localhost", "tauri://localhost"),
            (
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            ),
            (
                "moz-extension://0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
                "moz-extension://0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            ),
        ] {
            check(text, Ok(expected));
            check(expected, Ok(expected));
        }
    }

    #[test]
    fn text_that_no_browser_sends_is_rejected_for_its_first_wrong_part() {
        for (text, expected) in [
            ("", InvalidOrigin::Scheme),
            ("*", InvalidOrigin::Scheme),
            ("null", InvalidOrigin::Scheme),
            ("app.example", InvalidOrigin::Scheme),
            ("//app.example", InvalidOrigin::Scheme),
            ("1a://app.example", InvalidOrigin::Scheme),
            ("file://localhost", InvalidOrigin::Scheme),
            ("ftp://app.example", InvalidOrigin::Scheme),
            ("wss://app.example", InvalidOrigin::Scheme),
            ("javascript://app.example", InvalidOrigin::Scheme),
            ("https://", InvalidOrigin::Host),
            ("https:///", InvalidOrigin::Host),
            ("https://:443", InvalidOrigin::Host),
            ("https://-", InvalidOrigin::Host),
            ("https://*.example", InvalidOrigin::Host),
            ("https://a..b", InvalidOrigin::Host),
            ("https://.", InvalidOrigin::Host),
            ("https://app.example..", InvalidOrigin::Host),
            ("https://a b", InvalidOrigin::Host),
            ("https://bücher.example", InvalidOrigin::Host),
            ("http://[::1", InvalidOrigin::Host),
            ("http://a:b:c", InvalidOrigin::Host),
            ("http://127.1", InvalidOrigin::Host),
            ("http://1.2.3.256", InvalidOrigin::Host),
            ("http://app.example:", InvalidOrigin::Port),
            ("http://app.example:0", InvalidOrigin::Port),
            ("http://app.example:065", InvalidOrigin::Port),
            ("http://app.example:+65", InvalidOrigin::Port),
            ("http://app.example:65536", InvalidOrigin::Port),
            ("https://app.example/x", InvalidOrigin::NotAlone),
            ("https://app.example//", InvalidOrigin::NotAlone),
            ("https://app.example?x", InvalidOrigin::NotAlone),
            ("https://u@app.example", InvalidOrigin::NotAlone),
        ] {
            check(text, Err(expected));
        }
        check(&format!("https://{}.example", "a".repeat(64)), Err(InvalidOrigin::Host));
    }

    #[test]
    fn only_http_and_https_have_a_web_server_behind_them() {
        for (text, expected) in [("https://a", true), ("http://a", true), ("capacitor://a", false)] {
            assert_eq!(text.parse::<Origin>().unwrap().is_web(), expected, "{text}");
        }
    }
}
