//! One stream: its headers out of Envoy, the decision carried out.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::types::Action;

use super::refresh::{Granted, Held, Hold, Outcome};
use super::shared::Shared;
use super::{answer, host, root};
use crate::claims::Identity;
use crate::cookie;
use crate::gate::{self, Decision};
use crate::head::Request;
use crate::policy::Policy;
use crate::rejection::Rejection;

const REQUEST: host::Map = host::Map::RequestHeaders;
const RESPONSE: host::Map = host::Map::ResponseHeaders;
/// How long after they were made cookies go with a response: later, the browser may have newer ones, or another
/// user's. Those that don't go are an answer that was lost, and the companion gives the same again.
const COOKIES_GO_WITHIN: Duration = Duration::from_secs(5);

thread_local! {
    static STREAMS: RefCell<BTreeMap<u32, Stream>> = const { RefCell::new(BTreeMap::new()) };
}

/// A request on its way. Without `shared` the plugin is not configured, and nothing passes.
struct Stream {
    shared: Option<Rc<Shared>>,
    /// While it waits for the companion, and until its response has the cookies that came of that.
    held: Option<Rc<Held>>,
}

/// The host refused a call that the decision needs; what came of the request so far is not to be trusted.
struct HostFailed;

/// The host has a new stream for the plugin of this root context.
pub(super) fn on_create(stream: u32, root: u32) {
    let stream_of_root = Stream { shared: root::shared(root), held: None };
    STREAMS.with_borrow_mut(|streams| streams.insert(stream, stream_of_root));
}

/// The stream is over; if its request waits still, nobody waits for that. False where the context is no stream's.
pub(super) fn on_delete(stream: u32) -> bool {
    // Dropped outside the borrow, for it may be the last of its plugin.
    STREAMS.with_borrow_mut(|streams| streams.remove(&stream)).is_some()
}

/// Whether the request goes on.
pub(super) fn on_request_headers(stream: u32, ends: bool) -> Action {
    let Some(shared) = shared(stream) else {
        answer::refuse(None, Rejection::HostFailed);
        return Action::Pause;
    };
    admit(stream, &shared, ends).unwrap_or_else(|HostFailed| refuse(&shared, Rejection::HostFailed))
}

/// Whether the trailers may follow their request.
pub(super) fn on_request_trailers(stream: u32) -> Action {
    let shared = shared(stream);
    let stripped = shared.as_ref().is_some_and(|shared| {
        let trailers = host::headers(host::Map::RequestTrailers);
        let pairs = trailers.as_ref().and_then(host::Headers::pairs);
        pairs.is_some_and(|pairs| strip(host::Map::RequestTrailers, &shared.policy, &pairs).is_ok())
    });
    if stripped {
        return Action::Continue;
    }
    if let Some(shared) = &shared {
        shared.record(Rejection::HostFailed);
    }
    // The head is long upstream; all that is left is not to let these trailers follow it.
    Action::Pause
}

/// Has the response to a request that was held bring the new cookies.
pub(super) fn on_response_headers(stream: u32) {
    let held = STREAMS.with_borrow_mut(|streams| streams.get_mut(&stream)?.held.take());
    let Some(Granted { cookies, at }) = held.and_then(|held| held.granted.take()) else { return };
    if host::now().is_some_and(|now| now.abs_diff(at) <= COOKIES_GO_WITHIN) {
        set_cookies(&cookies);
    }
}

fn shared(stream: u32) -> Option<Rc<Shared>> {
    STREAMS.with_borrow(|streams| streams.get(&stream)?.shared.clone())
}

fn admit(stream: u32, shared: &Rc<Shared>, ends: bool) -> Result<Action, HostFailed> {
    let headers = host::headers(REQUEST).ok_or(HostFailed)?;
    let headers = headers.pairs().ok_or(HostFailed)?;
    strip(REQUEST, &shared.policy, &headers)?;
    let request = Request { headers: &headers, ends, renewed: None };
    match (shared.decide(request).ok_or(HostFailed)?, &shared.refresher) {
        (Decision::Refresh { token, rejection }, Some(refresher)) => {
            let rejection = match refresher.hold(shared, (stream, request), &token, rejection) {
                Hold::Held(held) => {
                    STREAMS
                        .with_borrow_mut(|streams| streams.get_mut(&stream).map(|it| it.held = Some(held)));
                    return Ok(Action::Pause);
                }
                Hold::Refused => rejection,
                Hold::Unavailable => Rejection::RefreshUnavailable,
            };
            carry_out(shared, request, gate::turn_away(&shared.policy, request, rejection))
        }
        (decision, _) => carry_out(shared, request, decision),
    }
}

/// Has the response set these cookies, but those that the upstream sets itself, as it does for a logout. It does so
/// only where caches are told first not to keep for another what signs one person in (RFC 9111 §5.2.2.5).
fn set_cookies(cookies: &[String]) {
    let headers = host::headers(RESPONSE);
    let Some(pairs) = headers.as_ref().and_then(host::Headers::pairs) else { return };
    // `CDN-Cache-Control` (RFC 9213) and its like go before `Cache-Control`.
    let mut tells_caches = pairs
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| name.ends_with(b"-cache-control") || *name == b"surrogate-control");
    if !tells_caches.all(|name| host::remove_header(RESPONSE, name))
        || !host::set_header(RESPONSE, b"cache-control", b"no-store")
    {
        return;
    }
    let name =
        |cookie: &[u8]| cookie.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii().to_vec();
    let theirs: Vec<Vec<u8>> =
        pairs.iter().filter(|(name, _)| *name == b"set-cookie").map(|(_, cookie)| name(cookie)).collect();
    for cookie in cookies.iter().filter(|cookie| !theirs.contains(&name(cookie.as_bytes()))) {
        host::add_header(RESPONSE, b"set-cookie", cookie.as_bytes());
    }
}

/// Goes on with a request that was held, by what the companion has answered.
pub(super) fn go_on(held: &Held, outcome: &Outcome) {
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
    let headers = headers.pairs().ok_or(HostFailed)?;
    let request = Request { headers: &headers, ends: held.ends, renewed: None };
    let decision = match outcome {
        Outcome::Renewed { access_token, granted } => {
            held.granted.replace(Some(granted.clone()));
            let renewed = Some(access_token.as_bytes());
            let decision = shared.decide(Request { renewed, ..request }).ok_or(HostFailed)?;
            if let Decision::Pass { forward_cookies: true, .. } = decision {
                replace_our_cookies(&shared.policy, request.headers, &granted.cookies)?;
            }
            decision
        }
        Outcome::Over => gate::turn_away(&shared.policy, request, held.rejection),
        Outcome::Unavailable => gate::turn_away(&shared.policy, request, Rejection::RefreshUnavailable),
    };
    carry_out(shared, request, decision)
}

fn carry_out(shared: &Shared, request: Request<'_>, decision: Decision) -> Result<Action, HostFailed> {
    let (policy, headers) = (&shared.policy, request.headers);
    match decision {
        Decision::Pass { identity, forward_cookies } => {
            settle_connection(headers)?;
            if !forward_cookies {
                replace_our_cookies(policy, headers, &[])?;
            }
            if let Some(identity) = identity {
                tell(policy, &identity)?;
            }
            Ok(Action::Continue)
        }
        Decision::Redirect { location, rejection } => {
            shared.record(rejection);
            if answer::redirect(&location, rejection) { Ok(Action::Pause) } else { Err(HostFailed) }
        }
        Decision::Refuse { rejection, identity } => {
            // It goes nowhere, but the access log shows its headers.
            if let Some(identity) = identity {
                tell(policy, &identity)?;
            }
            Ok(refuse(shared, rejection))
        }
        Decision::Refresh { rejection, .. } => Ok(refuse(shared, rejection)),
    }
}

fn refuse(shared: &Shared, rejection: Rejection) -> Action {
    shared.record(rejection);
    answer::refuse(Some(&shared.policy), rejection);
    // Paused even where the answer failed: better a request that hangs until Envoy's timeout than one that
    // passes unjudged.
    Action::Pause
}

/// Removes whatever could pass for an identity header of ours (invariant 1).
fn strip(map: host::Map, policy: &Policy, pairs: &[(&[u8], &[u8])]) -> Result<(), HostFailed> {
    let forged = pairs.iter().map(|(name, _)| name).filter(|name| policy.headers.are_meant_by(name));
    all(forged.map(|name| host::remove_header(map, name)))
}

/// Envoy forwards `Connection` with an upgrade only, and then as the client wrote it: a header that it names is
/// one that the next proxy removes (RFC 9110 §7.6.1), ours among them.
fn settle_connection(headers: &[(&[u8], &[u8])]) -> Result<(), HostFailed> {
    let names_more =
        |(name, value): &(&[u8], &[u8])| *name == b"connection" && !value.eq_ignore_ascii_case(b"upgrade");
    all(headers.iter().any(names_more).then(|| host::set_header(REQUEST, b"connection", b"upgrade")))
}

/// Leaves the cookies that are not ours as they are, and puts these behind them.
fn replace_our_cookies(policy: &Policy, headers: &[(&[u8], &[u8])], by: &[String]) -> Result<(), HostFailed> {
    let names = [policy.cookies.access.as_str(), policy.cookies.refresh.as_str()];
    let cookies: Vec<(&[u8], Option<Vec<u8>>)> = headers
        .iter()
        .filter(|(name, _)| *name == b"cookie")
        .map(|(_, value)| (*value, cookie::without(value, &names)))
        .collect();
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
    match &left[..] {
        // One header as a rule, and then one call.
        [value] if cookies.len() == 1 => all([host::set_header(REQUEST, b"cookie", value)]),
        values => {
            all([host::remove_header(REQUEST, b"cookie")])?;
            all(values.iter().map(|value| host::add_header(REQUEST, b"cookie", value)))
        }
    }
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
