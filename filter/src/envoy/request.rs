//! One stream: its headers out of Envoy, the decision carried out.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::refresh::{Held, Hold, Outcome};
use super::shared::Shared;
use super::{answer, host};
use crate::claims::Identity;
use crate::cookie;
use crate::gate::{self, Decision};
use crate::head::Request;
use crate::policy::Policy;
use crate::rejection::Rejection;

const REQUEST: host::Map = host::Map::RequestHeaders;
const RESPONSE: host::Map = host::Map::ResponseHeaders;

/// A request on its way. Without `shared` the plugin is not configured, and nothing passes.
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) shared: Option<Rc<Shared>>,
    /// While it waits for the companion, and until its response has the cookies that came of that.
    pub(super) held: Option<Rc<Held>>,
}

/// The host refused a call that the decision needs; what came of the request so far is not to be trusted.
struct HostFailed;

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, ends: bool) -> Action {
        let Some(shared) = self.shared.clone() else {
            answer::refuse(None, Rejection::HostFailed);
            return Action::Pause;
        };
        match self.admit(&shared, ends) {
            Ok(action) => action,
            Err(HostFailed) => refuse(&shared, Rejection::HostFailed),
        }
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let stripped = self.shared.as_ref().is_some_and(|shared| {
            let trailers = host::headers(host::Map::RequestTrailers);
            let pairs = trailers.as_ref().and_then(host::Headers::pairs);
            pairs.is_some_and(|pairs| strip(host::Map::RequestTrailers, &shared.policy, &pairs).is_ok())
        });
        if stripped {
            return Action::Continue;
        }
        if let Some(shared) = &self.shared {
            shared.record(Rejection::HostFailed);
        }
        // The head is long upstream; all that is left is not to let these trailers follow it.
        Action::Pause
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if let Some(held) = self.held.take() {
            set_cookies(&held.cookies.take());
        }
        Action::Continue
    }
}

impl Stream {
    fn admit(&mut self, shared: &Rc<Shared>, ends: bool) -> Result<Action, HostFailed> {
        let headers = host::headers(REQUEST).ok_or(HostFailed)?;
        let headers = headers.pairs().ok_or(HostFailed)?;
        strip(REQUEST, &shared.policy, &headers)?;
        let request = Request { headers: &headers, ends, renewed: None };
        match (shared.decide(request).ok_or(HostFailed)?, &shared.refresher) {
            (Decision::Refresh { token, rejection }, Some(refresher)) => {
                let rejection = match refresher.hold(shared, (self.id, request), &token, rejection) {
                    Hold::Held(held) => {
                        self.held = Some(held);
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
}

/// Has the response set these cookies, but those that the upstream sets itself, as it does for a logout.
fn set_cookies(cookies: &[String]) {
    if cookies.is_empty() {
        return;
    }
    let headers = host::headers(RESPONSE);
    let pairs = headers.as_ref().and_then(host::Headers::pairs).unwrap_or_default();
    let name =
        |cookie: &[u8]| cookie.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii().to_vec();
    let theirs: Vec<Vec<u8>> =
        pairs.iter().filter(|(name, _)| *name == b"set-cookie").map(|(_, cookie)| name(cookie)).collect();
    // What signs one person in must not be kept for another (RFC 9111 §5.2.2.5), whatever else caches are told.
    host::set_header(RESPONSE, b"cache-control", b"no-store");
    for other in [&b"cdn-cache-control"[..], b"surrogate-control"] {
        if pairs.iter().any(|(name, _)| *name == other) {
            host::remove_header(RESPONSE, other);
        }
    }
    for cookie in cookies.iter().filter(|cookie| !theirs.contains(&name(cookie.as_bytes()))) {
        host::add_header(RESPONSE, b"set-cookie", cookie.as_bytes());
    }
}

/// Goes on with a request that was held, by what the companion has answered.
pub(super) fn go_on(held: &Held, outcome: &Outcome) {
    let shared = &held.shared;
    let action =
        decide_again(held, outcome).unwrap_or_else(|HostFailed| refuse(shared, Rejection::HostFailed));
    if action == Action::Continue && !host::continue_request() {
        refuse(shared, Rejection::HostFailed);
    }
}

fn decide_again(held: &Held, outcome: &Outcome) -> Result<Action, HostFailed> {
    let shared = &held.shared;
    all([host::turn_to(held.stream)])?;
    let headers = host::headers(REQUEST).ok_or(HostFailed)?;
    let headers = headers.pairs().ok_or(HostFailed)?;
    let request = Request { headers: &headers, ends: held.ends, renewed: None };
    let decision = match outcome {
        Outcome::Granted(granted) => {
            held.cookies.replace(Rc::clone(&granted.cookies));
            let renewed = Some(granted.access_token.as_bytes());
            let decision = shared.decide(Request { renewed, ..request }).ok_or(HostFailed)?;
            if let Decision::Pass { forward_cookies: true, .. } = decision {
                return pass_with_new_cookies(shared, request, decision, &granted.cookies);
            }
            decision
        }
        Outcome::Over => gate::turn_away(&shared.policy, request, held.rejection),
        Outcome::Unavailable => gate::turn_away(&shared.policy, request, Rejection::RefreshUnavailable),
    };
    carry_out(shared, request, decision)
}

/// An upstream that is to see our cookies sees the new ones.
fn pass_with_new_cookies(
    shared: &Shared,
    request: Request<'_>,
    decision: Decision,
    cookies: &[String],
) -> Result<Action, HostFailed> {
    remove_our_cookies(&shared.policy, request.headers)?;
    let action = carry_out(shared, request, decision)?;
    let pairs: Vec<&str> = cookies.iter().filter_map(|cookie| cookie.split(';').next()).collect();
    all([host::add_header(REQUEST, b"cookie", pairs.join("; ").as_bytes())])?;
    Ok(action)
}

fn carry_out(shared: &Shared, request: Request<'_>, decision: Decision) -> Result<Action, HostFailed> {
    let (policy, headers) = (&shared.policy, request.headers);
    match decision {
        Decision::Pass { identity, forward_cookies } => {
            settle_connection(headers)?;
            if !forward_cookies {
                remove_our_cookies(policy, headers)?;
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

fn remove_our_cookies(policy: &Policy, headers: &[(&[u8], &[u8])]) -> Result<(), HostFailed> {
    let names = [policy.cookies.access.as_str(), policy.cookies.refresh.as_str()];
    let cookies: Vec<(&[u8], Option<Vec<u8>>)> = headers
        .iter()
        .filter(|(name, _)| *name == b"cookie")
        .map(|(_, value)| (*value, cookie::without(value, &names)))
        .collect();
    match &cookies[..] {
        // One header as a rule, and then one call.
        [(_, Some(left))] if !left.is_empty() => all([host::set_header(REQUEST, b"cookie", left)]),
        cookies if cookies.iter().all(|(_, left)| left.is_none()) => Ok(()),
        cookies => {
            all([host::remove_header(REQUEST, b"cookie")])?;
            let left = cookies.iter().map(|(value, left)| left.as_deref().unwrap_or(value));
            all(left
                .filter(|value| !value.is_empty())
                .map(|value| host::add_header(REQUEST, b"cookie", value)))
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
