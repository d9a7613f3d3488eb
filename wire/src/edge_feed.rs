//! The edge feed: `GET` [`PATH`], which the filter polls for public keys, revocations and bans.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::JwkSet;

/// Path on the companion's internal listener, and default of the filter's `feed.path`.
pub const PATH: &str = "/internal/edge-feed";

/// Maximum length of a response, in bytes: a page of [`MAX_PAGE`] revocations takes half of it, [`MAX_BANS`] bans of IPv6
/// networks a third, and [`MAX_KEYS`](crate::jwk::MAX_KEYS) keys of 8,192 bits a tenth.
pub const MAX_BYTES: usize = 768 * 1024;

/// Maximum number of revocations in a response, of both kinds together: a page of them.
pub const MAX_PAGE: usize = 8192;

/// Maximum number of bans in a response. Chosen: a flood from more networks is not one that a list can stop.
pub const MAX_BANS: usize = 4096;

/// Maximum length of a cursor, in bytes. Chosen: room for two snapshots (`pg_snapshot`) with some dozens of open
/// transactions each.
pub const MAX_CURSOR_BYTES: usize = 2048;

/// Maximum length of an `etag`, in bytes. Chosen: a SHA-256 in base64url has 43.
pub const MAX_ETAG_BYTES: usize = 64;

/// Default of the filter's `feed.max_staleness_seconds`. A new key must be announced for longer than this before it
/// signs.
pub const DEFAULT_MAX_STALENESS_S: u32 = 300;

/// Query of a request. No value needs an escape, so that `Display` writes the query as it is sent.
///
/// All are empty at first. Applying the same response twice changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct FeedQuery<'a> {
    /// Cursor of the last response that was applied.
    #[serde(default)]
    pub after: Cow<'a, str>,
    /// [`KeysAt::etag`] of the key set that the filter holds.
    #[serde(default)]
    pub keys: Cow<'a, str>,
    /// [`BansAt::etag`] of the bans that the filter holds; absent from filters that know no bans.
    #[serde(default)]
    pub bans: Option<Cow<'a, str>>,
}

/// Body of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeFeed {
    /// Time of the response by the companion's clock, in seconds since 1970.
    pub at: u64,
    /// Version of the companion; absent from older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'static, str>>,
    /// Keys that access tokens may be signed with.
    pub keys: KeysAt,
    /// Revocations after the query's cursor, at most [`MAX_PAGE`] of both kinds together.
    pub revoked: Revoked,
    /// Cursor of the next request, opaque to the filter; [`is_cursor`] is its grammar.
    pub cursor: String,
    /// `true` if the next page is ready now.
    pub more: bool,
    /// Bans; absent if the query has no `bans`, and from companions that know none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bans: Option<BansAt>,
}

/// Key set at one moment. The set itself is left out if the filter holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysAt {
    /// Tag of this exact set: equal sets have equal tags. [`is_etag`] is its grammar.
    pub etag: String,
    /// Set; absent if the query's `keys` is its tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<JwkSet>,
}

/// Bans at one moment. The list itself is left out if the filter holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BansAt {
    /// Tag of this exact list: equal lists have equal tags. [`is_etag`] is its grammar.
    pub etag: String,
    /// All bans, at most [`MAX_BANS`]; absent if the query's `bans` is their tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<Ban>>,
}

/// `[network, scope, until]`: requests of this kind are rejected from addresses of this network, `<address>/<bits>`, until
/// that time, in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban(pub String, pub BanScope, pub u32);

/// Requests that a ban rejects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BanScope {
    /// Attempts with credentials: login and registration.
    Credentials,
    /// Requests that would be held for a refresh.
    Refresh,
    /// Requests that this release does not know.
    #[serde(other)]
    Unknown,
}

impl BanScope {
    /// Every scope of this release.
    pub const ALL: [Self; 2] = [Self::Credentials, Self::Refresh];

    /// Returns the name in the feed, in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Refresh => "refresh",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the scope of a name.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name).unwrap_or(Self::Unknown)
    }
}

/// Access tokens that are rejected though they have not expired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Sessions that ended.
    pub sessions: Vec<RevokedSession>,
    /// Users whose earlier tokens no longer count.
    pub users: Vec<RevokedUser>,
}

/// `[session, until]`: rejects every token of this session. After `until`, in seconds since 1970, all of them have
/// expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedSession(pub u64, pub u32);

/// `[user, not_before, until]`: rejects every token of this user with an `iat` before `not_before`. After `until`,
/// all of them have expired. Both are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedUser(pub u64, pub u32, pub u32);

/// Returns `true` if `text` is a cursor: 1 to [`MAX_CURSOR_BYTES`] bytes of `[0-9A-Za-z:,.~_-]`, which need no escape
/// in a query.
#[must_use]
pub fn is_cursor(text: &str) -> bool {
    is_word(text, MAX_CURSOR_BYTES, b":,.~_-")
}

/// Returns `true` if `text` is an `etag`: 1 to [`MAX_ETAG_BYTES`] bytes of `[0-9A-Za-z_-]`.
#[must_use]
pub fn is_etag(text: &str) -> bool {
    is_word(text, MAX_ETAG_BYTES, b"_-")
}

/// Returns `true` for 1 to `max` ASCII letters, digits and bytes of `others`.
fn is_word(text: &str, max: usize, others: &[u8]) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

impl fmt::Display for FeedQuery<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "after={}&keys={}", self.after, self.keys)?;
        self.bans.iter().try_for_each(|bans| write!(formatter, "&bans={bans}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_and_etags_need_no_escape_in_a_query() {
        for cursor in ["c", "77-1.10:20:11,12~3", "a_Z", &"~".repeat(MAX_CURSOR_BYTES)] {
            assert!(is_cursor(cursor), "{cursor}");
        }
        for text in ["", "a b", "a&b", "a=b", "a+b", "a%20", "a#", "é", &"~".repeat(MAX_CURSOR_BYTES + 1)] {
            assert!(!is_cursor(text), "{text}");
        }
        for etag in ["e1", "a_Z-0", &"e".repeat(MAX_ETAG_BYTES)] {
            assert!(is_etag(etag), "{etag}");
        }
        for text in ["", "e 1", "a.b", "a~", "\"e\"", &"e".repeat(MAX_ETAG_BYTES + 1)] {
            assert!(!is_etag(text), "{text}");
        }
    }

    #[test]
    fn query_is_written_as_the_companion_reads_it() {
        let query = FeedQuery { after: "7.1:1:".into(), keys: "e1".into(), bans: Some("b1".into()) };
        assert_eq!(query.to_string(), "after=7.1:1:&keys=e1&bans=b1");
        let query = FeedQuery { bans: Some("".into()), ..FeedQuery::default() };
        assert_eq!(query.to_string(), "after=&keys=&bans=");
        assert_eq!(FeedQuery::default().to_string(), "after=&keys=", "from a filter that knows no bans");
    }
}
