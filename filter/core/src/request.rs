//! The head of a request as the gate reads it: what it asks for, and what kind of client asks. It decides
//! nothing.

use crate::headers::{Headers, Iter};

/// The head of a request. Names are in lower case, as HTTP/2 has them and Envoy makes them.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// All its headers in order, pseudo-headers included.
    pub headers: Headers<'a>,
    /// Whether nothing follows: neither a body nor a tunnel.
    pub ends: bool,
    /// The access token that the companion has just given for this request, in place of its own.
    pub renewed: Option<&'a [u8]>,
    first: [Option<&'a [u8]>; Name::COUNT],
    /// The names that stand more than once, one bit for each.
    repeated: u32,
}

/// The headers that matter here. They are looked for once, all together.
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
    /// How long names are that are worth a look, one bit for each length.
    const LENGTHS: u32 = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 14 | 1 << 29 | 1 << 30;

    #[inline]
    fn read(name: &[u8]) -> Option<Self> {
        let may_be = name.len() < 32 && Self::LENGTHS >> name.len() & 1 == 1;
        if may_be { Self::find(name) } else { None }
    }

    #[inline(never)]
    fn find(name: &[u8]) -> Option<Self> {
        let alike: &[(&str, Self)] = match name.len() {
            5 => &[(":path", Self::Path)],
            6 => &[("cookie", Self::Cookie), ("accept", Self::Accept), ("origin", Self::Origin)],
            7 => &[(":method", Self::Method), ("upgrade", Self::Upgrade)],
            10 => &[(":authority", Self::Authority), ("connection", Self::Connection)],
            14 => &[("sec-fetch-site", Self::SecFetchSite), ("sec-fetch-mode", Self::SecFetchMode)],
            29 => &[("access-control-request-method", Self::AccessControlRequestMethod)],
            30 => &[("access-control-request-headers", Self::AccessControlRequestHeaders)],
            _ => &[],
        };
        alike.iter().find(|(this, _)| this.as_bytes() == name).map(|(_, name)| *name)
    }
}

impl<'a> Request<'a> {
    /// Looks through the headers of a request; `ends` where neither a body nor a tunnel follows.
    #[must_use]
    pub fn new(headers: Headers<'a>, ends: bool) -> Self {
        let mut request = Self { headers, ends, renewed: None, first: [None; Name::COUNT], repeated: 0 };
        for (name, value) in headers {
            let Some(name) = Name::read(name) else { continue };
            match request.first.get_mut(name as usize) {
                Some(first @ None) => *first = Some(value),
                _ => request.repeated |= 1 << name as u32,
            }
        }
        request
    }

    /// The same request with the access token that the companion has just given for it.
    #[must_use]
    pub fn renewed_by(self, token: &'a [u8]) -> Self {
        Self { renewed: Some(token), ..self }
    }

    /// What is asked for: a path and its query, in origin form.
    #[must_use]
    pub fn target(&self) -> &'a [u8] {
        self.first(Name::Path).unwrap_or_default()
    }

    /// Whom the request was sent to: a host, and a port where it is not the usual one.
    #[must_use]
    pub fn authority(&self) -> &'a [u8] {
        self.first(Name::Authority).unwrap_or_default()
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'a [u8] {
        self.first(Name::Method).unwrap_or_default()
    }

    /// The first header of this name.
    #[must_use]
    pub fn first(&self, name: Name) -> Option<&'a [u8]> {
        self.first.get(name as usize).copied().flatten()
    }

    /// Whether there are several headers of this name.
    #[must_use]
    pub fn repeats(&self, name: Name) -> bool {
        self.repeated >> name as u32 & 1 == 1
    }

    /// Every header of this name.
    #[must_use]
    pub fn all(&self, name: Name) -> All<'a> {
        if self.repeats(name) {
            All { name, first: None, others: self.headers.into_iter() }
        } else {
            All { name, first: self.first(name), others: Iter::default() }
        }
    }

    /// Whether it asks to leave HTTP, for a WebSocket as a rule (RFC 9110 §7.8).
    #[must_use]
    pub fn is_upgrade(&self) -> bool {
        self.first(Name::Upgrade).is_some()
    }

    /// A CORS preflight (Fetch standard, "CORS-preflight request"): it never carries credentials, nor a body,
    /// nor does it lead to anything but its answer.
    #[must_use]
    pub fn is_preflight(&self) -> bool {
        self.method() == b"OPTIONS"
            && self.ends
            && !self.is_upgrade()
            && self.first(Name::Origin).is_some()
            && self.first(Name::AccessControlRequestMethod).is_some()
    }

    /// A person's browser on its way to a page: it says so (Fetch Metadata), or it is too old to and asks
    /// for HTML.
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

/// The headers of one name.
pub struct All<'a> {
    name: Name,
    /// The only one.
    first: Option<&'a [u8]>,
    /// Where there are several, those of all names that have yet to come.
    others: Iter<'a>,
}

impl<'a> Iterator for All<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let Self { name, first, others } = self;
        first
            .take()
            .or_else(|| others.find(|(this, _)| Name::read(this) == Some(*name)).map(|(_, value)| value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers;

    #[test]
    fn every_name_is_found_and_every_header_of_it() {
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
                let map = headers::write(&lines[..count]);
                let request = Request::new(Headers::read(&map).unwrap(), true);
                let expected: Vec<&[u8]> = expected.iter().map(|value| value.as_bytes()).collect();
                assert_eq!(request.all(name).collect::<Vec<_>>(), expected, "{text} {count}");
                assert_eq!(request.first(name), expected.first().copied(), "{text} {count}");
            }
        }
    }
}
