//! Call for a new access token (`POST /internal/edge-refresh`): its request, and the reading of its response.

use std::sync::Arc;

use edgeward_wire::edge_refresh::{EdgeRefresh, MAX_BYTES};

use crate::call::{CallOutcome, HttpCall};
use crate::config::{Refresh, Secret};
use crate::request::Field;
use crate::trace_context::{self, TRACE_PARENT};
use crate::verdict::{Outcome, Renewed};

/// Request fields that the companion receives for its records, and the trace context of the request.
const FORWARDED_HEADERS: [&str; 5] =
    ["user-agent", "x-forwarded-for", "x-request-id", TRACE_PARENT, TRACE_STATE];
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn call_carries_the_trace_context_of_its_request_if_it_is_valid() {
        let refresh = Refresh {
            cluster: "c".into(),
            path: "/r".into(),
            session_path: "/s".into(),
            timeout: Duration::from_secs(2),
            secret: None,
        };
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let long = "x".repeat(513);
        for (fields, expected) in [
            (&[("traceparent", parent), ("tracestate", "a=1")][..], &["traceparent", "tracestate"][..]),
            (&[("traceparent", parent)], &["traceparent"]),
            (&[("traceparent", parent), ("tracestate", &long)], &["traceparent"]),
            (&[("tracestate", "a=1")], &[]),
            (&[("traceparent", "00-1-2-01"), ("tracestate", "a=1")], &[]),
            (&[("traceparent", "00-1-2-01"), ("traceparent", parent)], &[]),
        ] {
            let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let call = request(&refresh, "refresh_token", b"r", fields);
            let names: Vec<&str> = call.headers.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [&["cookie"], expected].concat());
        }
    }
}
