//! The head of a request as the gate reads it: what it asks for, and what kind of client asks. It decides
//! nothing.

/// The head of a request. Names are in lower case, as HTTP/2 has them and Envoy makes them.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// All its headers in order, pseudo-headers included.
    pub headers: &'a [(&'a [u8], &'a [u8])],
    /// Whether nothing follows: neither a body nor a tunnel.
    pub ends: bool,
    /// The access token that the companion has just given for this request, in place of its own.
    pub renewed: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// What is asked for: a path and its query, in origin form.
    pub(crate) fn target(&self) -> &'a [u8] {
        self.first(b":path").unwrap_or_default()
    }

    /// Whom the request was sent to: a host, and a port where it is not the usual one.
    pub(crate) fn authority(&self) -> &'a [u8] {
        self.first(b":authority").unwrap_or_default()
    }

    /// The method.
    pub(crate) fn method(&self) -> &'a [u8] {
        self.first(b":method").unwrap_or_default()
    }

    /// The first header of this name.
    pub(crate) fn first(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Every header of this name.
    pub(crate) fn all(&self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(this, _)| *this == name).map(|(_, value)| *value)
    }

    /// Whether it asks to leave HTTP, for a WebSocket as a rule (RFC 9110 §7.8).
    pub(crate) fn is_upgrade(&self) -> bool {
        self.first(b"upgrade").is_some()
    }

    /// A CORS preflight (Fetch standard, "CORS-preflight request"): it never carries credentials, nor a body,
    /// nor does it lead to anything but its answer.
    pub(crate) fn is_preflight(&self) -> bool {
        self.method() == b"OPTIONS"
            && self.ends
            && !self.is_upgrade()
            && self.first(b"origin").is_some()
            && self.first(b"access-control-request-method").is_some()
    }

    /// A person's browser on its way to a page: it says so (Fetch Metadata), or it is too old to and asks
    /// for HTML.
    pub(crate) fn is_navigation(&self) -> bool {
        match self.first(b"sec-fetch-mode") {
            Some(mode) => mode == b"navigate",
            None => {
                self.method() == b"GET"
                    && self.all(b"accept").any(|accept| {
                        accept
                            .split(|&byte| matches!(byte, b',' | b';'))
                            .any(|part| part.trim_ascii() == b"text/html")
                    })
            }
        }
    }
}
