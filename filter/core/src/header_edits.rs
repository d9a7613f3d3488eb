//! Edits of header fields that follow from a verdict. The shell carries them out in order, and stops at the first that the
//! host does not accept.

use std::iter;

use edgeward_wire::cookie::OF_COMPANION;

use crate::claims::Identity;
use crate::cookie;
use crate::cors::{self, CrossOrigin};
use crate::policy::Policy;
use crate::request::{Field, Name, Request};
use crate::verdict::{OurCookies, Pass, Renewed, Verdict};

/// Edit of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderEdit<'a> {
    /// Removes all fields of a name.
    Remove(&'a [u8]),
    /// Sets the value of a field, in place of all fields of its name.
    Set(&'a [u8], &'a [u8]),
    /// Adds a field after those of its name.
    Append(&'a [u8], &'a [u8]),
}

/// Memory that edits refer to. It is reused from one request to the next.
#[derive(Default)]
pub struct Scratch {
    cookie: Vec<u8>,
    cookies: Vec<Vec<u8>>,
    user_id: itoa::Buffer,
    session_id: itoa::Buffer,
    auth_time: itoa::Buffer,
}

/// Maximum number of bytes that [`Scratch`] keeps for the next request. Chosen: browsers send a few KiB of cookies.
const MAX_SCRATCH_BYTES: usize = 16 * 1024;

impl Scratch {
    /// Prepares for the next request. What an unusually large one took is released.
    pub fn reset(&mut self) {
        self.cookie.shrink_to(MAX_SCRATCH_BYTES);
        self.cookies = Vec::new();
    }
}

/// Removes every field that an upstream could take for an identity header of ours (invariant 1). These come before
/// anything is decided, and apply to trailers too.
pub fn forged<'a>(
    policy: &Policy,
    fields: impl IntoIterator<Item = Field<'a>>,
) -> impl Iterator<Item = HeaderEdit<'a>> {
    let names = fields.into_iter().map(|(name, _)| name);
    names.filter(|name| policy.headers.could_match(name)).map(HeaderEdit::Remove)
}

/// Edits of a request that follow from its verdict. Those of a reply are for the access log.
pub fn of_request<'a, H>(
    policy: &'a Policy,
    verdict: &'a Verdict<H>,
    request: &'a Request<'_>,
    scratch: &'a mut Scratch,
) -> impl Iterator<Item = HeaderEdit<'a>> {
    let Scratch { cookie, cookies, user_id, session_id, auth_time } = scratch;
    let (pass, identity) = match verdict {
        Verdict::Pass(pass) => (Some(pass), pass.identity.as_ref()),
        Verdict::Reply(reply) => (None, reply.identity.as_ref()),
        Verdict::Hold(_) => (None, None),
    };
    let connection = pass.and_then(|_| normalize_connection(request));
    let cookies = pass.map(|pass| our_cookies(policy, pass, request, cookie, cookies));
    let identity =
        identity.map(|identity| append_identity_headers(policy, identity, [user_id, session_id, auth_time]));
    connection.into_iter().chain(cookies.into_iter().flatten()).chain(identity.into_iter().flatten())
}

/// Sets `Connection` to `upgrade` if it names anything else. Envoy forwards it with upgrades alone, as the client sent it,
/// and the next proxy removes the fields that it names (RFC 9110 §7.6.1), ours among them.
fn normalize_connection(request: &Request<'_>) -> Option<HeaderEdit<'static>> {
    let names_more = request.all(Name::Connection).any(|value| !value.eq_ignore_ascii_case(b"upgrade"));
    names_more.then_some(HeaderEdit::Set(b"connection", b"upgrade"))
}

/// Tells the upstream and the access log the user and the session (invariant 2). No field has one of these names any more
/// ([`forged`]), and a host appends a field for less than it sets one.
fn append_identity_headers<'a>(
    policy: &'a Policy,
    identity: &'a Identity,
    [user_id, session_id, auth_time]: [&'a mut itoa::Buffer; 3],
) -> impl Iterator<Item = HeaderEdit<'a>> {
    let names = &policy.headers;
    let append = |name: &'a str, value: &'a str| HeaderEdit::Append(name.as_bytes(), value.as_bytes());
    let always = [
        append(&names.user_id, user_id.format(identity.user_id())),
        append(&names.role, identity.role()),
        append(&names.session_id, session_id.format(identity.session_id())),
    ];
    let authenticated_at = names.auth_time.as_deref().zip(identity.authenticated_at());
    let methods = names.amr.as_deref().zip(Some(identity.methods()).filter(|methods| !methods.is_empty()));
    let configured = [
        authenticated_at.map(|(name, at)| append(name, auth_time.format(at))),
        methods.map(|(name, methods)| append(name, methods)),
    ];
    always.into_iter().chain(configured.into_iter().flatten())
}

/// Edits of the `Cookie` fields: at most one replaces or removes, and others add.
fn our_cookies<'a>(
    policy: &Policy,
    pass: &Pass,
    request: &Request<'_>,
    cookie: &'a mut Vec<u8>,
    cookies: &'a mut Vec<Vec<u8>>,
) -> impl Iterator<Item = HeaderEdit<'a>> + use<'a> {
    let tokens = [policy.cookies.access.as_str(), policy.cookies.refresh.as_str()];
    let ([access, refresh], [device, device_secure, form, form_secure, form_host]) = (tokens, OF_COMPANION);
    let all = [access, refresh, device, device_secure, form, form_secure, form_host];
    let first = match &pass.our_cookies {
        OurCookies::Kept => None,
        OurCookies::Removed if !request.repeats(Name::Cookie) => request
            .first(Name::Cookie)
            .and_then(|header| cookie::without(header, &all, cookie))
            .map(|left| match left {
                b"" => HeaderEdit::Remove(b"cookie"),
                left => HeaderEdit::Set(b"cookie", left),
            }),
        OurCookies::Removed => rearrange(request, &all, &[], cookies),
        OurCookies::Renewed(renewed) => rearrange(request, &tokens, &renewed.set_cookies, cookies),
    };
    let appended = cookies.iter().map(|value| HeaderEdit::Append(b"cookie", value));
    first.into_iter().chain(appended)
}

/// Writes the values of the `Cookie` fields without the cookies of these names, with `renewed` in the last of them, since
/// upstreams may read one field alone. Returns the edit that removes the fields of the request, if anything changes.
#[cold]
fn rearrange<'a>(
    request: &Request<'_>,
    names: &[&str],
    renewed: &[String],
    values: &mut Vec<Vec<u8>>,
) -> Option<HeaderEdit<'a>> {
    let mut is_changed = !renewed.is_empty();
    for value in request.all(Name::Cookie) {
        let left = cookie::without(value, names, &mut Vec::new()).map(<[u8]>::to_vec);
        is_changed |= left.is_some();
        values.push(left.unwrap_or_else(|| value.to_vec()));
    }
    if !is_changed {
        values.clear();
        return None;
    }
    values.retain(|value| !value.is_empty());
    let renewed: Vec<&str> = renewed.iter().filter_map(|cookie| cookie.split(';').next()).collect();
    if !renewed.is_empty() {
        let last = values.pop().into_iter().chain(iter::once(renewed.join("; ").into_bytes()));
        values.push(last.collect::<Vec<_>>().join(&b"; "[..]));
    }
    Some(HeaderEdit::Remove(b"cookie"))
}

/// Edits that add renewed cookies to a response, but those that the upstream sets itself, as it does for a logout. Caches
/// are told first not to store for others what signs one user in (RFC 9111 §5.2.2.5).
pub fn append_renewed_cookies<'a>(
    renewed: &'a Renewed,
    fields: impl IntoIterator<Item = Field<'a>> + Clone,
) -> impl Iterator<Item = HeaderEdit<'a>> {
    // `CDN-Cache-Control` (RFC 9213) and its like take precedence over `Cache-Control`.
    let is_cache_control = |name: &[u8]| name.ends_with(b"-cache-control") || name == b"surrogate-control";
    let targeted =
        fields.clone().into_iter().map(|(name, _)| name).filter(move |name| is_cache_control(name));
    let set_by_upstream: Vec<&[u8]> = fields
        .into_iter()
        .filter(|(name, _)| *name == b"set-cookie")
        .map(|(_, cookie)| cookie_name(cookie))
        .collect();
    let ours = renewed.set_cookies.iter().map(String::as_bytes);
    let added = ours.filter(move |cookie| !set_by_upstream.contains(&cookie_name(cookie)));
    targeted
        .map(HeaderEdit::Remove)
        .chain([HeaderEdit::Set(b"cache-control", b"no-store")])
        .chain(added.map(|cookie| HeaderEdit::Append(b"set-cookie", cookie)))
}

/// Edits that add CORS headers to a response. A preflight succeeds with status 200 (Fetch standard §4.8).
pub fn complete_cors<'a>(
    cross_origin: &CrossOrigin,
    headers: &'a [cors::Header],
) -> impl Iterator<Item = HeaderEdit<'a>> {
    let status = cross_origin.is_preflight().then_some(HeaderEdit::Set(b":status", b"200"));
    headers.iter().map(|(name, value)| HeaderEdit::Append(name.as_bytes(), value)).chain(status)
}

fn cookie_name(set_cookie: &[u8]) -> &[u8] {
    set_cookie.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii()
}

#[cfg(test)]
mod tests;
