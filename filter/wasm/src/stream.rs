//! One stream: its header fields go to the core, and what the core decides is carried out.

use std::cell::RefMut;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use edgeward_filter::call::CallOutcome;
use edgeward_filter::filter::{CallId, Command, Completion, Filter};
use edgeward_filter::header_edits::{self, HeaderEdit};
use edgeward_filter::hold::Resume;
use edgeward_filter::rejection::Rejection;
use edgeward_filter::reply::LocalReply;
use edgeward_filter::request::Request;
use edgeward_filter::verdict::Verdict;
use proxy_wasm::types::{Action, MapType};

use crate::host::{self, HeaderMap};
use crate::plugin::{self, Plugin};
use crate::{calls, metrics};

/// Decides on a request head.
pub(crate) fn on_request_headers(stream: u32, end_of_stream: bool) -> Action {
    let plugin = plugin::of_new_stream(stream);
    let action = plugin.as_ref().and_then(|plugin| admit(stream, plugin, end_of_stream));
    action.unwrap_or_else(|| reject_failed(plugin.as_deref()))
}

/// Decides on a request; none if the host rejects a call that this needs.
fn admit(stream: u32, plugin: &Rc<Plugin>, end_of_stream: bool) -> Option<Action> {
    let headers = host::headers(MapType::HttpRequestHeaders)?;
    let fields = headers.read()?;
    let mut filter = plugin.filter.borrow_mut();
    apply(MapType::HttpRequestHeaders, header_edits::forged(filter.policy(), fields.clone()))?;
    let now = host::now()?;
    // As Envoy has found it by its trusted hops.
    let client = || host::property(&["source", "address"]);
    let request = Request::new(fields.clone(), end_of_stream).from_client(&client);
    let admission = filter.admit(stream, &request, fields, &plugin.state.borrow(), now);
    let held = match admission {
        Ok(verdict) => return carry_out(plugin, filter, verdict, &request, now),
        Err(held) => held,
    };
    drop(filter);
    if held.poll_early {
        plugin.poll_early(now);
    }
    run(plugin, held.commands, now);
    Some(Action::Pause)
}

/// Does what is due on the host's timer.
pub(crate) fn on_tick(plugin: &Rc<Plugin>, now: Duration) {
    let commands = plugin.filter.borrow_mut().on_tick(&plugin.state.borrow(), now);
    run(plugin, commands, now);
}

fn run(plugin: &Rc<Plugin>, commands: impl IntoIterator<Item = Command>, now: Duration) {
    for command in commands {
        match command {
            Command::Call(id, call) => {
                let weak = Rc::downgrade(plugin);
                let handler = Box::new(move |_, outcome: &CallOutcome<'_>| {
                    if let (Some(plugin), Some(now)) = (weak.upgrade(), host::now()) {
                        on_response(&plugin, id, outcome, now);
                    }
                });
                if calls::send(&call, handler).is_none() {
                    on_response(plugin, id, &CallOutcome::NotAccepted, now);
                }
            }
            Command::Resume(stream) => resume(plugin, &stream, now),
            Command::Close { stream, reason } => {
                // A stream that the host does not know has ended.
                if host::set_effective_context(stream) {
                    host::set_property("edgeward.stream_end", reason.as_bytes());
                    host::close_stream();
                }
            }
            Command::Log(level, line) => host::log(level, &line),
            Command::Count { name, reason, by } => metrics::count((name, reason), by),
        }
    }
}

fn on_response(plugin: &Rc<Plugin>, id: CallId, outcome: &CallOutcome<'_>, now: Duration) {
    let commands = plugin.filter.borrow_mut().on_response(id, outcome, now);
    run(plugin, commands, now);
}

fn resume(plugin: &Plugin, stream: &Resume, now: Duration) {
    if !host::set_effective_context(stream.stream) {
        // Calls of the host would be about another stream.
        metrics::count((metrics::REFUSED, Rejection::HostFailed.label()), 1);
        return;
    }
    let action = decide_again(plugin, stream, now).unwrap_or_else(|| reject_failed(Some(plugin)));
    if action == Action::Continue && !host::continue_request() {
        reject_failed(Some(plugin));
    }
}

fn decide_again(plugin: &Plugin, stream: &Resume, now: Duration) -> Option<Action> {
    let headers = host::headers(MapType::HttpRequestHeaders)?;
    let request = Request::new(headers.read()?, stream.end_of_stream);
    let mut filter = plugin.filter.borrow_mut();
    let verdict = filter.resume(stream, &request, &plugin.state.borrow(), now);
    carry_out(plugin, filter, verdict, &request, now)
}

fn carry_out(
    plugin: &Plugin,
    mut filter: RefMut<'_, Filter>,
    verdict: Verdict<Infallible>,
    request: &Request<'_>,
    now: Duration,
) -> Option<Action> {
    apply(MapType::HttpRequestHeaders, filter.edits(&verdict, request))?;
    drop(filter);
    match verdict {
        Verdict::Pass(_) => Some(Action::Continue),
        Verdict::Reply(reply) => respond(plugin, &reply, now),
    }
}

#[cold]
fn respond(plugin: &Plugin, reply: &LocalReply, now: Duration) -> Option<Action> {
    reply.rejection.into_iter().for_each(metrics::record_rejection);
    if reply.poll_early {
        plugin.poll_early(now);
    }
    host::send_local_reply(reply).then_some(Action::Pause)
}

/// Rejects a request with which the host has failed us. It stays paused even if the reply fails: a request that waits for
/// Envoy's timeout is better than one that passes without a verdict.
#[cold]
fn reject_failed(plugin: Option<&Plugin>) -> Action {
    metrics::record_rejection(Rejection::HostFailed);
    let reply = {
        let filter = plugin.map(|plugin| plugin.filter.borrow());
        LocalReply::reject(filter.as_deref().map(Filter::policy), Rejection::HostFailed)
    };
    host::send_local_reply(&reply);
    Action::Pause
}

/// Removes from request trailers what is an identity header to any configuration.
pub(crate) fn on_request_trailers() -> Action {
    let trailers = host::headers(MapType::HttpRequestTrailers);
    let removed = trailers.as_ref().and_then(HeaderMap::read).is_some_and(|fields| {
        let mut is_done = true;
        let plugins = plugin::for_each(|plugin| {
            let filter = plugin.filter.borrow();
            let forged = header_edits::forged(filter.policy(), fields.clone());
            is_done &= apply(MapType::HttpRequestTrailers, forged).is_some();
        });
        is_done && plugins > 0
    });
    if removed {
        return Action::Continue;
    }
    metrics::record_rejection(Rejection::HostFailed);
    // The request head is upstream already. All that is left is to withhold the trailers.
    Action::Pause
}

/// Completes a response: CORS headers for pages of allowed origins, and renewed cookies if the request was held.
pub(crate) fn on_response_headers(stream: u32) {
    plugin::for_each(|plugin| complete(plugin.filter.borrow_mut().on_response_headers(stream)));
}

fn complete(Completion { cross_origin, renewed }: Completion) {
    if cross_origin.is_none() && renewed.is_none() {
        return;
    }
    let headers = host::headers(MapType::HttpResponseHeaders);
    let Some(fields) = headers.as_ref().and_then(HeaderMap::read) else { return };
    let code_details = || host::property(&["response", "code_details"]);
    if let Some(cross_origin) = cross_origin.filter(|it| it.is_missing_from(fields.clone(), code_details)) {
        let added = cross_origin.headers();
        let _incomplete =
            apply(MapType::HttpResponseHeaders, header_edits::complete_cors(&cross_origin, &added));
    }
    if let Some(renewed) = renewed {
        // Stops at the first failure, so that no cookie is set in a response that caches may store.
        let edits = header_edits::append_renewed_cookies(&renewed, fields);
        let _incomplete = apply(MapType::HttpResponseHeaders, edits);
    }
}

/// Drops a stream that has ended.
pub(crate) fn on_delete(stream: u32) {
    plugin::for_each(|plugin| plugin.filter.borrow_mut().on_stream_end(stream));
}

fn apply<'a>(map: MapType, edits: impl IntoIterator<Item = HeaderEdit<'a>>) -> Option<()> {
    let mut edits = edits.into_iter();
    edits.all(|edit| host::edit_header(map, edit)).then_some(())
}
