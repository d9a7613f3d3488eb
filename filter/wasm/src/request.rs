//! One stream: its headers out of Envoy, the decision carried out.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::types::Action;

use crate::host::HeaderMap;
use crate::refresh::{Granted, Held, Hold, Outcome};
use crate::shared::Shared;
use crate::{answer, cors, host, root};
use edgeward_filter::claims::Identity;
use edgeward_filter::cookie;
use edgeward_filter::gate::{self, Decision};
use edgeward_filter::headers::Headers;
use edgeward_filter::policy::Policy;
use edgeward_filter::rejection::Rejection;
use edgeward_filter::request::{Name, Request};

const REQUEST: host::Map = host::Map::RequestHeaders;
const RESPONSE: host::Map = host::Map::ResponseHeaders;
/// How long after they were made cookies go with a response: later, the browser may have newer ones, or another
/// user's. Those that don't go are an answer that was lost, and the companion gives the same again.
const COOKIES_GO_WITHIN: Duration = Duration::from_secs(5);

/// So many streams a host may make before the head of the first of them comes. With Envoy it comes at once.
const MAX_CREATED: usize = 64;

thread_local! {
    /// The last streams that the host has made, each with its root context. Only the head is asked about it.
    static CREATED: RefCell<[(u32, u32); MAX_CREATED]> = const { RefCell::new([(0, 0); MAX_CREATED]) };
    /// Room for the cookies that are left.
    static LEFT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// The streams that wait for the companion, or for the response that is to bring the cookies which came of that.
    static HELD: RefCell<HashMap<u32, Rc<Held>>> = RefCell::default();
}

/// The host refused a call that the decision needs; what came of the request so far is not to be trusted.
struct HostFailed;

/// The host has a new stream for the plugin of this root context.
pub(crate) fn on_create(stream: u32, root: u32) {
    CREATED.with_borrow_mut(|created| {
        if let Some(slot) = created.get_mut(slot(stream)) {
            *slot = (stream, root);
        }
    });
}

/// A context has ended. If it is a stream whose request waits, nobody waits for that any more.
pub(crate) fn on_delete(context: u32) {
    cors::on_delete(context);
    if !HELD.with_borrow(HashMap::is_empty) {
        // Dropped outside the borrow, for it may be the last of its plugin.
        let _held = HELD.with_borrow_mut(|held| held.remove(&context));
    }
}

/// Whether the request goes on.
pub(crate) fn on_request_headers(stream: u32, ends: bool) -> Action {
    let Some(shared) = shared(stream) else {
        answer::refuse(None, Rejection::HostFailed);
        return Action::Pause;
    };
    admit(stream, &shared, ends).unwrap_or_else(|HostFailed| refuse(&shared, Rejection::HostFailed))
}

/// Whether the trailers may follow their request: without what is an identity header to any of the configurations.
pub(crate) fn on_request_trailers() -> Action {
    const TRAILERS: host::Map = host::Map::RequestTrailers;
    let all_shared = root::all_shared();
    let strip_all = || {
        let trailers = host::headers(TRAILERS).ok_or(HostFailed)?;
        let trailers = trailers.read().ok_or(HostFailed)?;
        all_shared.iter().try_for_each(|shared| strip(TRAILERS, &shared.policy, trailers))
    };
    if !all_shared.is_empty() && strip_all().is_ok() {
        return Action::Continue;
    }
    if let Some(shared) = all_shared.first() {
        shared.record(Rejection::HostFailed);
    }
    // The head is long upstream; all that is left is not to let these trailers follow it.
    Action::Pause
}

/// Completes a response: CORS headers for pages of allowed origins, and new cookies where the request was held.
pub(crate) fn on_response_headers(stream: u32) {
    cors::on_response(stream);
    if !HELD.with_borrow(HashMap::is_empty) {
        bring_cookies(stream);
    }
}

#[cold]
fn bring_cookies(stream: u32) {
    let held = HELD.with_borrow_mut(|held| held.remove(&stream));
    let Some(Granted { cookies, at }) = held.and_then(|held| held.granted.take()) else { return };
    if host::now().is_some_and(|now| now.abs_diff(at) <= COOKIES_GO_WITHIN) {
        set_cookies(&cookies);
    }
}

/// What the streams of this one's root context share.
fn shared(stream: u32) -> Option<Rc<Shared>> {
    let created = CREATED.with_borrow(|created| created.get(slot(stream)).copied());
    created.filter(|(made, _)| *made == stream).and_then(|(_, root)| root::shared(root))
}

/// The place of a stream among the last ones.
fn slot(stream: u32) -> usize {
    stream as usize % MAX_CREATED
}

fn admit(stream: u32, shared: &Rc<Shared>, ends: bool) -> Result<Action, HostFailed> {
    let headers = host::headers(REQUEST).ok_or(HostFailed)?;
    let headers = headers.read().ok_or(HostFailed)?;
    strip(REQUEST, &shared.policy, headers)?;
    let request = &Request::new(headers, ends);
    if request.first(Name::Origin).is_some() {
        cors::on_request(stream, &shared.policy, request);
    }
    match shared.decide(request).ok_or(HostFailed)? {
        Decision::Refresh { token, rejection } => hold(stream, shared, request, &token, rejection),
        decision => carry_out(shared, request, decision),
    }
}

/// Has a request wait for the companion where that is to be had.
#[cold]
fn hold(
    stream: u32,
    shared: &Rc<Shared>,
    request: &Request<'_>,
    token: &[u8],
    rejection: Rejection,
) -> Result<Action, HostFailed> {
    let asked = shared.refresher.as_ref().map(|it| it.hold(shared, (stream, request), token, rejection));
    let rejection = match asked {
        Some(Hold::Held(held)) => {
            HELD.with_borrow_mut(|all| all.insert(stream, held));
            return Ok(Action::Pause);
        }
        Some(Hold::Unavailable) => Rejection::RefreshUnavailable,
        Some(Hold::Refused) | None => rejection,
    };
    answer(shared, gate::login_redirect_or_rejection(&shared.policy, request, rejection))
}

/// Has the response set these cookies, but those that the upstream sets itself, as it does for a logout. It does so
/// only where caches are told first not to keep for another what signs one person in (RFC 9111 §5.2.2.5).
fn set_cookies(cookies: &[String]) {
    let headers = host::headers(RESPONSE);
    let Some(headers) = headers.as_ref().and_then(HeaderMap::read) else { return };
    // `CDN-Cache-Control` (RFC 9213) and its like go before `Cache-Control`.
    let mut tells_caches = headers
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name.ends_with(b"-cache-control") || *name == b"surrogate-control");
    if !tells_caches.all(|name| host::remove_header(RESPONSE, name))
        || !host::set_header(RESPONSE, b"cache-control", b"no-store")
    {
        return;
    }
    let name =
        |cookie: &[u8]| cookie.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii().to_vec();
    let theirs: Vec<Vec<u8>> = headers
        .into_iter()
        .filter(|(name, _)| *name == b"set-cookie")
        .map(|(_, cookie)| name(cookie))
        .collect();
    for cookie in cookies.iter().filter(|cookie| !theirs.contains(&name(cookie.as_bytes()))) {
        host::add_header(RESPONSE, b"set-cookie", cookie.as_bytes());
    }
}

/// Goes on with a request that was held, by what the companion has answered.
pub(crate) fn go_on(held: &Held, outcome: &Outcome) {
    let shared = &held.shared;
    held.release();
    if !host::turn_to(held.stream) {
        // Whatever was said now would be said to another stream.
        shared.metrics.count_refusal(Rejection::HostFailed);
        return;
    }
    let action =
        decide_again(held, outcome).unwrap_or_else(|HostFailed| refuse(shared, Rejection::HostFailed));
    if action == Action::Continue && !host::continue_request() {
        refuse(shared, Rejection::HostFailed);
    }
}

fn decide_again(held: &Held, outcome: &Outcome) -> Result<Action, HostFailed> {
    let shared = &held.shared;
    let headers = host::headers(REQUEST).ok_or(HostFailed)?;
    let headers = headers.read().ok_or(HostFailed)?;
    let request = &Request::new(headers, held.ends);
    let decision = match outcome {
        Outcome::Renewed { access_token, granted } => {
            held.granted.replace(Some(granted.clone()));
            let decision = shared.decide(&request.renewed_by(access_token.as_bytes())).ok_or(HostFailed)?;
            if let Decision::Pass { forward_cookies: true, .. } = decision {
                replace_our_cookies(&shared.policy, request, &granted.cookies)?;
            }
            decision
        }
        Outcome::Over => gate::login_redirect_or_rejection(&shared.policy, request, held.rejection),
        Outcome::Unavailable => {
            gate::login_redirect_or_rejection(&shared.policy, request, Rejection::RefreshUnavailable)
        }
    };
    carry_out(shared, request, decision)
}

fn carry_out(shared: &Shared, request: &Request<'_>, decision: Decision) -> Result<Action, HostFailed> {
    match decision {
        Decision::Pass { identity, forward_cookies } => {
            let policy = &shared.policy;
            settle_connection(request)?;
            if !forward_cookies {
                replace_our_cookies(policy, request, &[])?;
            }
            if let Some(identity) = identity {
                tell(policy, &identity)?;
            }
            Ok(Action::Continue)
        }
        refused => answer(shared, refused),
    }
}

/// Answers a request that goes nowhere.
#[cold]
fn answer(shared: &Shared, decision: Decision) -> Result<Action, HostFailed> {
    match decision {
        Decision::Readiness(readiness) => {
            if answer::readiness(readiness) {
                Ok(Action::Pause)
            } else {
                Err(HostFailed)
            }
        }
        Decision::Redirect { location, rejection } => {
            shared.record(rejection);
            if answer::redirect(&location, rejection) { Ok(Action::Pause) } else { Err(HostFailed) }
        }
        Decision::Refuse { rejection, identity } => {
            // It goes nowhere, but the access log shows its headers.
            if let Some(identity) = identity {
                tell(&shared.policy, &identity)?;
            }
            Ok(refuse(shared, rejection))
        }
        Decision::Refresh { rejection, .. } => Ok(refuse(shared, rejection)),
        Decision::Pass { .. } => Err(HostFailed),
    }
}

#[cold]
fn refuse(shared: &Shared, rejection: Rejection) -> Action {
    shared.record(rejection);
    answer::refuse(Some(&shared.policy), rejection);
    // Paused even where the answer failed: better a request that hangs until Envoy's timeout than one that
    // passes unjudged.
    Action::Pause
}

/// Removes whatever could pass for an identity header of ours (invariant 1).
fn strip(map: host::Map, policy: &Policy, headers: Headers<'_>) -> Result<(), HostFailed> {
    let forged = headers.into_iter().map(|(name, _)| name).filter(|name| policy.headers.could_match(name));
    all(forged.map(|name| host::remove_header(map, name)))
}

/// Envoy forwards `Connection` with an upgrade only, and then as the client wrote it: a header that it names is
/// one that the next proxy removes (RFC 9110 §7.6.1), ours among them.
fn settle_connection(request: &Request<'_>) -> Result<(), HostFailed> {
    let names_more = request.all(Name::Connection).any(|value| !value.eq_ignore_ascii_case(b"upgrade"));
    all(names_more.then(|| host::set_header(REQUEST, b"connection", b"upgrade")))
}

/// Leaves the cookies that are not ours as they are, and puts these behind them.
fn replace_our_cookies(policy: &Policy, request: &Request<'_>, by: &[String]) -> Result<(), HostFailed> {
    let names = [policy.cookies.access.as_str(), policy.cookies.refresh.as_str()];
    if !by.is_empty() || request.repeats(Name::Cookie) {
        return rearrange_cookies(request, &names, by);
    }
    let Some(header) = request.first(Name::Cookie) else { return Ok(()) };
    LEFT.with_borrow_mut(|left| {
        let done = cookie::without(header, &names, left).map(|left| match left {
            b"" => host::remove_header(REQUEST, b"cookie"),
            left => host::set_header(REQUEST, b"cookie", left),
        });
        left.shrink_to(host::MAX_SPARE_BYTES);
        all(done)
    })
}

/// The same for several headers, or with cookies to put.
#[cold]
fn rearrange_cookies(request: &Request<'_>, names: &[&str], by: &[String]) -> Result<(), HostFailed> {
    let without = |value| cookie::without(value, names, &mut Vec::new()).map(<[u8]>::to_vec);
    let cookies: Vec<(&[u8], Option<Vec<u8>>)> =
        request.all(Name::Cookie).map(|value| (value, without(value))).collect();
    if by.is_empty() && cookies.iter().all(|(_, left)| left.is_none()) {
        return Ok(());
    }
    let mut left: Vec<Cow<'_, [u8]>> = cookies
        .iter()
        .map(|(value, left)| Cow::Borrowed(left.as_deref().unwrap_or(value)))
        .filter(|value| !value.is_empty())
        .collect();
    let ours: Vec<&str> = by.iter().filter_map(|cookie| cookie.split(';').next()).collect();
    if !ours.is_empty() {
        // In one header with the last of the others: upstreams may look at one alone.
        let last = left.pop().into_iter().chain([ours.join("; ").into_bytes().into()]).collect::<Vec<_>>();
        left.push(last.join(&b"; "[..]).into());
    }
    all([host::remove_header(REQUEST, b"cookie")])?;
    all(left.iter().map(|value| host::add_header(REQUEST, b"cookie", value)))
}

/// Tells the upstream, and the access log, who is calling (invariant 2).
fn tell(policy: &Policy, identity: &Identity) -> Result<(), HostFailed> {
    let names = &policy.headers;
    let set = |name: &str, value: &str| host::set_header(REQUEST, name.as_bytes(), value.as_bytes());
    all([
        set(&names.user_id, itoa::Buffer::new().format(identity.user_id())),
        set(&names.role, identity.role()),
        set(&names.session_id, itoa::Buffer::new().format(identity.session_id())),
    ])
}

fn all(done: impl IntoIterator<Item = bool>) -> Result<(), HostFailed> {
    if done.into_iter().all(|done| done) { Ok(()) } else { Err(HostFailed) }
}
