//! The request of a `curl` command, as browsers copy it ("Copy as cURL", the form for bash).
//!
//! Messages name options and never their values, which may be secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::request_head::RequestHead;

mod options;
mod words;

use options::{Meaning, Parsed};

/// Reason that a `curl` command is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum InvalidCurl {
    /// The words cannot be told apart.
    #[error("a quote is not closed, or the line ends with a backslash")]
    Unquoted,
    /// A `$'…'` has an escape that bash does not know.
    #[error("$'…' has an escape that is not understood: \\{0}")]
    EscapeUnknown(char),
    /// The command is for Windows' `cmd`.
    #[error("this is the form for Windows' cmd; copy as cURL (bash)")]
    Cmd,
    /// The first word is not `curl`.
    #[error("the command must begin with curl")]
    NotCurl,
    /// The command has an option that is not understood.
    #[error("the option {0} is not understood; leave it out if it changes neither URL, method nor headers")]
    OptionUnknown(String),
    /// The value of an option is missing.
    #[error("the option {0} needs a value")]
    ValueMissing(String),
    /// The option reads a file.
    #[error("the option {0} reads a file, which is not done here: write its content into the command")]
    ReadsFile(String),
    /// A header is not `Name: value`.
    #[error("a value of {0} is not \"Name: value\"")]
    HeaderMalformed(String),
    /// There is no URL.
    #[error("the command has no URL")]
    UrlMissing,
    /// There are several URLs.
    #[error("the command has several URLs, and one request is explained at a time")]
    UrlRepeated,
    /// The URL is not one of HTTP.
    #[error("the URL is not one of http:// or https:// with a host")]
    UrlMalformed,
}

/// Reads the request of a `curl` command.
///
/// # Errors
/// The first thing that is not understood.
pub(super) fn parse(command: &str) -> Result<RequestHead, InvalidCurl> {
    let words = words::split(command)?;
    let mut words = words.into_iter();
    if words.next().is_none_or(|word| word.rsplit('/').next() != Some("curl")) {
        return Err(InvalidCurl::NotCurl);
    }
    let mut draft = Draft::default();
    for parsed in options::read(words)? {
        draft.apply(parsed)?;
    }
    draft.finish()
}

/// Request while its options are read.
#[derive(Default)]
struct Draft {
    url: Option<String>,
    method: Option<String>,
    headers: Vec<(String, String)>,
    /// Names of the headers that curl is told not to send.
    removed: Vec<String>,
    cookies: Vec<String>,
    data: Vec<String>,
    has_body: bool,
    is_get: bool,
    is_path_as_is: bool,
}

impl Draft {
    fn apply(&mut self, Parsed { option, meaning, value }: Parsed) -> Result<(), InvalidCurl> {
        match meaning {
            Meaning::Url if self.url.is_some() => return Err(InvalidCurl::UrlRepeated),
            Meaning::Url => self.url = Some(value),
            Meaning::Method => self.method = Some(value),
            Meaning::Header => self.push_header(&option, &value)?,
            Meaning::Cookie if value.contains('=') => self.cookies.push(value),
            Meaning::Cookie => return Err(InvalidCurl::ReadsFile(option)),
            Meaning::UserAgent => self.headers.push(("user-agent".to_owned(), value)),
            Meaning::Referer => self.headers.push(("referer".to_owned(), value)),
            Meaning::Authorization => {
                let value = format!("Basic {}", STANDARD.encode(value));
                self.headers.push(("authorization".to_owned(), value));
            }
            Meaning::Data => {
                self.has_body = true;
                self.data.push(value);
            }
            Meaning::Json => {
                self.has_body = true;
                for name in ["content-type", "accept"] {
                    self.headers.push((name.to_owned(), "application/json".to_owned()));
                }
            }
            Meaning::Form => self.has_body = true,
            Meaning::Get => self.is_get = true,
            // `-X` wins, before or behind.
            Meaning::Head => {
                self.method.get_or_insert_with(|| "HEAD".to_owned());
            }
            Meaning::Compressed => {
                self.headers.push(("accept-encoding".to_owned(), "deflate, gzip".to_owned()));
            }
            Meaning::PathAsIs => self.is_path_as_is = true,
            Meaning::Nothing => {}
        }
        Ok(())
    }

    /// `Name: value` sends a header, `Name;` an empty one, and `Name:` keeps curl from sending its own.
    fn push_header(&mut self, option: &str, header: &str) -> Result<(), InvalidCurl> {
        let malformed = || InvalidCurl::HeaderMalformed(option.to_owned());
        if header.starts_with('@') {
            return Err(InvalidCurl::ReadsFile(option.to_owned()));
        }
        // Of a pseudo-header, as browsers may copy it, the first colon is part of the name.
        let start = usize::from(header.starts_with(':'));
        let colon = header.get(start..).and_then(|rest| rest.find(':')).map(|at| at + start);
        match (colon, header.strip_suffix(';')) {
            (Some(at), _) => {
                let (name, value) = header.split_at_checked(at).ok_or_else(malformed)?;
                let (name, value) = (name.trim().to_ascii_lowercase(), value.trim_start_matches(':').trim());
                if value.is_empty() {
                    self.removed.push(name);
                } else if !name.starts_with(':') {
                    self.headers.push((name, value.to_owned()));
                }
            }
            (None, Some(name)) => self.headers.push((name.trim().to_ascii_lowercase(), String::new())),
            (None, None) => return Err(malformed()),
        }
        Ok(())
    }

    fn finish(self) -> Result<RequestHead, InvalidCurl> {
        let url = self.url.ok_or(InvalidCurl::UrlMissing)?;
        let (authority, mut target) = split_url(&url)?;
        if !self.is_path_as_is {
            target = without_dot_segments(&target);
        }
        if self.is_get {
            for data in &self.data {
                target.push(if target.contains('?') { '&' } else { '?' });
                target.push_str(data);
            }
        }
        let has_body = self.has_body && !self.is_get;
        let method = match &self.method {
            Some(method) => method.as_str(),
            None if has_body => "POST",
            None => "GET",
        };
        let mut head = RequestHead::new(method, &target);
        head.authority = authority;
        head.has_body = has_body;
        for (name, value) in &self.headers {
            head.push(name, value);
        }
        for (name, value) in [("accept", "*/*"), ("user-agent", "curl")] {
            let is_sent = self.headers.iter().any(|(this, _)| this == name);
            if !is_sent && !self.removed.iter().any(|removed| removed == name) {
                head.push(name, value);
            }
        }
        // A header of this name takes the place of -b, even an empty one.
        let has_header = |name| {
            self.headers.iter().any(|(this, _)| this == name) || self.removed.iter().any(|this| this == name)
        };
        if !self.cookies.is_empty() && !has_header("cookie") {
            head.push("cookie", &self.cookies.join("; "));
        }
        Ok(head)
    }
}

/// Splits a URL into its authority, and its path with the query. As in curl, the scheme is `http` by default, an empty
/// path is `/`, and the fragment stays in the client.
fn split_url(url: &str) -> Result<(String, String), InvalidCurl> {
    let url = url.split('#').next().unwrap_or_default();
    let rest = match url.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        Some((scheme, _)) if !scheme.contains(['/', '?']) => return Err(InvalidCurl::UrlMalformed),
        _ => url,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(end).ok_or(InvalidCurl::UrlMalformed)?;
    // Credentials in the URL are a header, and no part of the authority (RFC 9110 §4.2.4).
    let authority = authority.rsplit('@').next().unwrap_or_default();
    if authority.is_empty() {
        return Err(InvalidCurl::UrlMalformed);
    }
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    Ok((authority.to_owned(), target))
}

/// Removes dot segments (RFC 3986 §5.2.4) as curl 7.88 does: those that are not escaped.
fn without_dot_segments(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut segments = Vec::new();
    let mut is_folder = false;
    for segment in path.split('/').skip(1) {
        is_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    if is_folder {
        segments.push("");
    }
    format!("/{}{query}", segments.join("/"))
}

#[cfg(test)]
mod tests;
