//! One stream: its headers out of Envoy, the decision carried out.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::shared::Shared;
use super::{answer, host};
use crate::claims::Identity;
use crate::cookie;
use crate::gate::Decision;
use crate::head::Request;
use crate::policy::Policy;
use crate::rejection::Rejection;

const REQUEST: host::Map = host::Map::RequestHeaders;

/// A request on its way. Without `shared` the plugin is not configured, and nothing passes.
pub(super) struct Stream {
    pub(super) shared: Option<Rc<Shared>>,
}

/// The host refused a call that the decision needs; what came of the request so far is not to be trusted.
struct HostFailed;

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, ends: bool) -> Action {
        let Some(shared) = &self.shared else {
            answer::refuse(None, Rejection::HostFailed);
            return Action::Pause;
        };
        match admit(shared, ends) {
            Ok(action) => action,
            Err(HostFailed) => refuse(shared, Rejection::HostFailed),
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
}

fn admit(shared: &Shared, ends: bool) -> Result<Action, HostFailed> {
    let policy = &shared.policy;
    let headers = host::headers(REQUEST).ok_or(HostFailed)?;
    let headers = headers.pairs().ok_or(HostFailed)?;
    strip(REQUEST, policy, &headers)?;
    match shared.decide(Request { headers: &headers, ends }).ok_or(HostFailed)? {
        Decision::Pass { identity, forward_cookies } => {
            settle_connection(&headers)?;
            if !forward_cookies {
                remove_our_cookies(policy, &headers)?;
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
            if let Some(identity) = identity {
                note_user(&identity);
            }
            Ok(refuse(shared, rejection))
        }
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
    if cookies.iter().all(|(_, left)| left.is_none()) {
        return Ok(());
    }
    all([host::remove_header(REQUEST, b"cookie")])?;
    let left = cookies.iter().map(|(value, left)| left.as_deref().unwrap_or(value));
    all(left.filter(|value| !value.is_empty()).map(|value| host::add_header(REQUEST, b"cookie", value)))
}

/// Tells the upstream, and the access log, who is calling (invariant 2).
fn tell(policy: &Policy, identity: &Identity) -> Result<(), HostFailed> {
    let names = &policy.headers;
    let set = |name: &str, value: &str| host::set_header(REQUEST, name.as_bytes(), value.as_bytes());
    note_user(identity);
    all([
        set(&names.user_id, itoa::Buffer::new().format(identity.user_id())),
        set(&names.role, identity.role()),
        set(&names.session_id, itoa::Buffer::new().format(identity.session_id())),
    ])
}

/// For the access log: `%FILTER_STATE(wasm.edgeward.user_id:PLAIN)%`. A log that lacks it stops nothing.
fn note_user(identity: &Identity) {
    host::set_property("edgeward.user_id", itoa::Buffer::new().format(identity.user_id()).as_bytes());
}

fn all(done: impl IntoIterator<Item = bool>) -> Result<(), HostFailed> {
    if done.into_iter().all(|done| done) { Ok(()) } else { Err(HostFailed) }
}
