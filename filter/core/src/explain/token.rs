//! The access token of a request, as far as it may be shown: the header members and claims that the filter reads,
//! never the signature and never the token itself (invariant 8).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::claims::Identity;
use crate::cookie;
use crate::edge_state::EdgeState;
use crate::gate::Gate;
use crate::json::Json;
use crate::rejection::Rejection;
use crate::request::{Name, Request};
use crate::token::{Unverified, Verified};

/// Header members that are shown, in this order.
const HEADER: [&str; 3] = ["alg", "typ", "kid"];
/// Claims that are shown, in this order.
const CLAIMS: [&str; 10] = ["iss", "aud", "sub", "sid", "role", "iat", "nbf", "exp", "auth_time", "amr"];
/// Claims that are times, in seconds since 1970.
const TIMES: [&str; 4] = ["iat", "nbf", "exp", "auth_time"];
/// Maximum length of a shown value, in characters. Chosen: an issuer fits.
const MAX_SHOWN: usize = 64;

/// Access token of a request.
#[derive(Debug)]
pub enum TokenReport {
    /// There is no access-token cookie, or it is empty.
    Missing,
    /// There are several, and they differ.
    Repeated,
    /// The token is longer than `max_token_bytes`, and is not read.
    Oversize {
        /// Length in bytes.
        bytes: usize,
    },
    /// There is one.
    Present(TokenDetails),
}

/// Contents of a token, and the judgement of it.
#[derive(Debug)]
pub struct TokenDetails {
    /// Header members, as the token has them.
    pub header: Vec<Member>,
    /// Claims, as the token has them.
    pub claims: Vec<Member>,
    /// `true` if the signature was checked and is of the key that the token names.
    pub is_signed: bool,
    /// The identity of the token, or the first check that it fails. It counts wherever the rule reads the token.
    pub judged: Result<Identity, Rejection>,
}

/// Member of a token's header or payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Name.
    pub name: &'static str,
    /// Value as JSON, in ASCII; shortened if it is long.
    pub value: String,
    /// The time that the value is, in seconds since 1970.
    pub time: Option<u64>,
}

impl TokenReport {
    pub(super) fn read(gate: &Gate<'_>, request: &Request<'_>) -> Self {
        let policy = gate.policy;
        match cookie::find(request.all(Name::Cookie), &policy.cookies.access) {
            Err(cookie::Repeated) => Self::Repeated,
            Ok(None | Some(b"")) => Self::Missing,
            Ok(Some(token)) if token.len() > policy.max_token_bytes => Self::Oversize { bytes: token.len() },
            Ok(Some(token)) => {
                let verified = verify(gate.state, token);
                Self::Present(TokenDetails {
                    header: show(part(token, 0), &HEADER),
                    claims: show(part(token, 1), &CLAIMS),
                    is_signed: verified.is_ok(),
                    judged: verified.and_then(|verified| judge(gate, &verified)),
                })
            }
        }
    }
}

fn verify(state: &EdgeState, token: &[u8]) -> Result<Verified, Rejection> {
    if state.keys().is_empty() {
        return Err(Rejection::KeysUnknown);
    }
    Unverified::parse(token)?.verify(state.keys())
}

fn judge(gate: &Gate<'_>, verified: &Verified) -> Result<Identity, Rejection> {
    let identity = Identity::judge(verified, &gate.policy.expected, gate.now)?;
    gate.state.revocations().judge(&identity)?;
    Ok(identity)
}

/// Returns the key ID in the header of a token that is not verified; `None` if the header has none.
#[must_use]
pub fn unverified_kid(token: &[u8]) -> Option<String> {
    let header = part(token, 0)?;
    match Json::parse(&header).ok()? {
        Json::Object(members) => members.into_iter().find_map(|(name, value)| match value {
            Json::String(kid) if name == "kid" => Some(kid.into_owned()),
            _ => None,
        }),
        _ => None,
    }
}

fn part(token: &[u8], at: usize) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(token.split(|&byte| byte == b'.').nth(at)?).ok()
}

fn show(json: Option<Vec<u8>>, names: &[&'static str]) -> Vec<Member> {
    let json = json.unwrap_or_default();
    let Ok(Json::Object(members)) = Json::parse(&json) else { return Vec::new() };
    let find = |name: &'static str| {
        let (_, value) = members.iter().find(|(this, _)| this == name)?;
        let time = match value {
            Json::Integer(seconds) if TIMES.contains(&name) => u64::try_from(*seconds).ok(),
            _ => None,
        };
        Some(Member { name, value: shorten(&render(value)), time })
    };
    names.iter().filter_map(|name| find(name)).collect()
}

fn render(value: &Json<'_>) -> String {
    match value {
        Json::Integer(value) => value.to_string(),
        Json::String(text) => format!("\"{}\"", text.escape_default()),
        Json::Bool(value) => value.to_string(),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().take(MAX_SHOWN).map(render_flat).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.kind().to_owned(),
    }
}

fn render_flat(value: &Json<'_>) -> String {
    match value {
        Json::Array(_) => value.kind().to_owned(),
        value => render(value),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => format!("{} …", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
