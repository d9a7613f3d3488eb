//! Request head as the gate reads it: the header fields that matter, and the kind of client. It decides nothing.

use std::cell::OnceCell;
use std::net::{IpAddr, SocketAddr};

use crate::cookie::{self, Found};

/// Number of a stream, given by the host.
pub type StreamId = u32;

/// Name and value of a header field.
pub type Field<'a> = (&'a [u8], &'a [u8]);

/// Request head. Names are in lower case, as in HTTP/2 and in Envoy.
#[derive(Clone)]
pub struct Request<'a> {
    /// `true` if neither a body nor a tunnel follows.
    pub end_of_stream: bool,
    client: &'a dyn Fn() -> Option<Vec<u8>>,
    first: [Option<&'a [u8]>; Name::COUNT],
    /// Fields after the first of their name, in order.
    repeated: Vec<(Name, &'a [u8])>,
    token_cookies: OnceCell<[Found<'a>; 2]>,
}

/// Header fields that a decision depends on. A request is searched for them once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// `:method`
    Method,
    /// `:path`
    Path,
    /// `:authority`
    Authority,
    /// `accept`
    Accept,
    /// `access-control-request-headers`
    AccessControlRequestHeaders,
    /// `access-control-request-method`
    AccessControlRequestMethod,
    /// `connection`
    Connection,
    /// `cookie`
    Cookie,
    /// `origin`
    Origin,
    /// `sec-fetch-mode`
    SecFetchMode,
    /// `sec-fetch-site`
    SecFetchSite,
    /// `upgrade`
    Upgrade,
}

impl Name {
    const COUNT: usize = Self::Upgrade as usize + 1;

    fn read(name: &[u8]) -> Option<Self> {
        Some(match name {
            b":method" => Self::Method,
            b":path" => Self::Path,
            b":authority" => Self::Authority,
            b"accept" => Self::Accept,
            b"access-control-request-headers" => Self::AccessControlRequestHeaders,
            b"access-control-request-method" => Self::AccessControlRequestMethod,
            b"connection" => Self::Connection,
            b"cookie" => Self::Cookie,
            b"origin" => Self::Origin,
            b"sec-fetch-mode" => Self::SecFetchMode,
            b"sec-fetch-site" => Self::SecFetchSite,
            b"upgrade" => Self::Upgrade,
            _ => return None,
        })
    }
}

impl<'a> Request<'a> {
    /// Reads the header fields of a request, pseudo-header fields included.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = Field<'a>>, end_of_stream: bool) -> Self {
        let mut request = Self {
            end_of_stream,
            client: &|| None,
            first: [None; Name::COUNT],
            repeated: Vec::new(),
            token_cookies: OnceCell::new(),
        };
        for (name, value) in fields {
            let Some(name) = Name::read(name) else { continue };
            match request.first.get_mut(name as usize) {
                Some(first @ None) => *first = Some(value),
                _ => request.repeated.push((name, value)),
            }
        }
        request
    }

    /// Request target: path and query, in origin form (RFC 9112 §3.2.1).
    #[must_use]
    pub fn target(&self) -> &'a [u8] {
        self.first(Name::Path).unwrap_or_default()
    }

    /// Authority: a host, and its port unless that is the scheme's default (RFC 9110 §7.2).
    #[must_use]
    pub fn authority(&self) -> &'a [u8] {
        self.first(Name::Authority).unwrap_or_default()
    }

    /// Method.
    #[must_use]
    pub fn method(&self) -> &'a [u8] {
        self.first(Name::Method).unwrap_or_default()
    }

    /// Sets the source of the client's address as the host has it: `<address>:<port>`. It is read only for requests that are
    /// judged by it.
    #[must_use]
    pub fn from_client(self, client: &'a dyn Fn() -> Option<Vec<u8>>) -> Self {
        Self { client, ..self }
    }

    /// Reads the client's address.
    #[must_use]
    pub fn client_address(&self) -> Option<IpAddr> {
        client_address(&(self.client)()?)
    }

    /// First field of a name.
    #[must_use]
    pub fn first(&self, name: Name) -> Option<&'a [u8]> {
        self.first.get(name as usize).copied().flatten()
    }

    /// `true` if there are several fields of a name.
    #[must_use]
    pub fn repeats(&self, name: Name) -> bool {
        self.repeated.iter().any(|(this, _)| *this == name)
    }

    /// All fields of a name, in order.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &'a [u8]> {
        let others = self.repeated.iter().filter(move |(this, _)| *this == name).map(|(_, value)| *value);
        self.first(name).into_iter().chain(others)
    }

    /// Values of the access token's and the refresh token's cookie. They are searched for once: `names` must be the same at
    /// every call.
    pub fn token_cookies(&self, names: [&str; 2]) -> &[Found<'a>; 2] {
        self.token_cookies.get_or_init(|| cookie::find_each(self.all(Name::Cookie), names))
    }

    /// `true` if the client asks for another protocol, usually WebSocket (RFC 9110 §7.8).
    #[must_use]
    pub fn is_upgrade(&self) -> bool {
        self.first(Name::Upgrade).is_some()
    }

    /// `true` for a CORS preflight (Fetch standard, "CORS-preflight request"). It carries neither credentials nor a body.
    #[must_use]
    pub fn is_preflight(&self) -> bool {
        self.method() == b"OPTIONS"
            && self.end_of_stream
            && !self.is_upgrade()
            && self.first(Name::Origin).is_some()
            && self.first(Name::AccessControlRequestMethod).is_some_and(|method| !method.is_empty())
    }

    /// `true` for a browser's navigation to a page: by Fetch Metadata or, in a browser without it, by a GET that accepts
    /// HTML.
    #[must_use]
    pub fn is_navigation(&self) -> bool {
        match self.first(Name::SecFetchMode) {
            Some(mode) => mode == b"navigate",
            None => {
                self.method() == b"GET"
                    && self.all(Name::Accept).any(|accept| {
                        accept
                            .split(|&byte| matches!(byte, b',' | b';'))
                            .any(|part| part.trim_ascii() == b"text/html")
                    })
            }
        }
    }
}

/// Reads the address of a client as Envoy writes it: with a port, and in brackets if it is one of IPv6. An IPv6 address that
/// maps an IPv4 one counts as that (RFC 4291 §2.5.5.2).
fn client_address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let with_port = text.parse().map(|address: SocketAddr| address.ip());
    with_port.or_else(|_| text.parse()).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_every_name_is_found() {
        for (text, name) in [
            (":method", Name::Method),
            (":path", Name::Path),
            (":authority", Name::Authority),
            ("accept", Name::Accept),
            ("access-control-request-headers", Name::AccessControlRequestHeaders),
            ("access-control-request-method", Name::AccessControlRequestMethod),
            ("connection", Name::Connection),
            ("cookie", Name::Cookie),
            ("origin", Name::Origin),
            ("sec-fetch-mode", Name::SecFetchMode),
            ("sec-fetch-site", Name::SecFetchSite),
            ("upgrade", Name::Upgrade),
        ] {
            let longer = format!("{text}s");
            let lines = [(text, "1"), (&longer, "2"), ("x", "3"), (text, "4"), (text, "")];
            let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            for (count, expected) in
                [(0, &[][..]), (1, &["1"]), (3, &["1"]), (4, &["1", "4"]), (5, &["1", "4", ""])]
            {
                let request = Request::new(lines[..count].iter().copied(), true);
                let expected: Vec<&[u8]> = expected.iter().map(|value| value.as_bytes()).collect();
                assert_eq!(request.all(name).collect::<Vec<_>>(), expected, "{text} {count}");
                assert_eq!(request.first(name), expected.first().copied(), "{text} {count}");
            }
        }
    }

    #[test]
    fn client_address_has_a_port_or_none() {
        for (text, expected) in [
            ("192.0.2.7:443", Some("192.0.2.7")),
            ("192.0.2.7:0", Some("192.0.2.7")),
            ("192.0.2.7", Some("192.0.2.7")),
            ("[2001:db8::1]:0", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[::ffff:192.0.2.7]:1", Some("192.0.2.7")),
            ("", None),
            ("/var/run/socket", None),
            ("example.com:80", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(client_address(text.as_bytes()), expected.map(|text| text.parse().unwrap()), "{text}");
        }
        assert_eq!(client_address(&[0xff]), None);
    }
}
