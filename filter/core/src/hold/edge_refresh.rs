//! Call for a new access token (`POST /internal/edge-refresh`): its request, and the reading of its response.

use std::sync::Arc;

use edgeward_wire::edge_refresh::{EdgeRefresh, MAX_BYTES};

use crate::call::{CallOutcome, HttpCall};
use crate::config::{Refresh, Secret};
use crate::request::Field;
use crate::trace_context;
use crate::verdict::{Outcome, Renewed};

/// Request fields that the companion receives for its records, and the trace context of the request.
const FORWARDED_HEADERS: [&str; 5] =
    ["user-agent", "x-forwarded-for", "x-request-id", TRACE_PARENT, TRACE_STATE];
const TRACE_PARENT: &str = "traceparent";
const TRACE_STATE: &str = "tracestate";

/// Returns the call for a refresh token. `fields` are those of the head of the request that it is for.
pub(super) fn request<'a>(
    refresh: &Refresh,
    cookie_name: &str,
    token: &[u8],
    fields: impl IntoIterator<Item = Field<'a>>,
) -> HttpCall {
    let Refresh { cluster, path, timeout, secret, .. } = refresh;
    let mut headers = vec![("cookie", [cookie_name.as_bytes(), b"=", token].concat())];
    headers.extend(secret.as_ref().map(Secret::authorization));
    let mut forwarded: [Option<&[u8]>; FORWARDED_HEADERS.len()] = [None; _];
    for (name, value) in fields {
        let at = FORWARDED_HEADERS.iter().position(|forwarded| forwarded.as_bytes() == name);
        if let Some(first @ None) = at.and_then(|at| forwarded.get_mut(at)) {
            *first = Some(value);
        }
    }
    let [.., parent, state] = &mut forwarded;
    *parent = parent.filter(|value| trace_context::is_parent(value));
    *state = state.filter(|value| parent.is_some() && trace_context::is_state(value));
    let forwarded = FORWARDED_HEADERS.iter().zip(forwarded);
    headers.extend(forwarded.filter_map(|(name, value)| Some((*name, value?.to_vec()))));
    HttpCall { cluster: cluster.clone(), method: "POST", path: path.clone(), headers, timeout: *timeout }
}

/// Reads the outcome of the call.
pub(super) fn read(outcome: &CallOutcome<'_>) -> Outcome {
    match outcome {
        CallOutcome::Response { status: b"200", body } if body.len() <= MAX_BYTES => serde_json::from_slice(
            body,
        )
        .map_or(Outcome::Unavailable, |EdgeRefresh { access_token, set_cookies }| {
            Outcome::Renewed(Arc::new(Renewed { access_token, set_cookies }))
        }),
        CallOutcome::Response { status: b"401", .. } => Outcome::SessionOver,
        _ => Outcome::Unavailable,
    }
}
