//! One stream: its header fields go to the core, and the verdict is carried out.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use edgeward_filter::call::CallOutcome;
use edgeward_filter::cors::CrossOrigin;
use edgeward_filter::header_edits::{self, HeaderEdit, Scratch};
use edgeward_filter::hold::{CallId, Command, Resume};
use edgeward_filter::rejection::Rejection;
use edgeward_filter::reply::LocalReply;
use edgeward_filter::request::Request;
use edgeward_filter::verdict::{Hold, Outcome, Verdict};
use proxy_wasm::types::Action;

use crate::host::{self, HeaderMap, Map};
use crate::pairs::Pairs;
use crate::plugin::{self, Plugin};
use crate::{calls, metrics};

/// Number of streams that a host may create before the head of the first arrives. Envoy passes each head at once.
const MAX_CREATED: usize = 64;

/// What a stream leaves for its response. Most leave nothing.
#[derive(Default)]
struct Pending {
    cross_origin: Option<CrossOrigin>,
    /// Keeps the plugin of a held stream alive.
    held_by: Option<Rc<Plugin>>,
}

thread_local! {
    /// Last streams that the host has created, each with its root context.
    static CREATED: RefCell<[(u32, u32); MAX_CREATED]> = const { RefCell::new([(0, 0); MAX_CREATED]) };
    static PENDING: RefCell<HashMap<u32, Pending>> = RefCell::default();
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The host rejected a call that the verdict needs.
struct HostFailed;

/// Notes a stream of a root context.
pub(crate) fn on_create(stream: u32, root: u32) {
    CREATED.with_borrow_mut(|created| {
        if let Some(slot) = created.get_mut(stream as usize % MAX_CREATED) {
            *slot = (stream, root);
        }
    });
}

/// Returns the plugin of a stream.
fn plugin_of(stream: u32) -> Option<Rc<Plugin>> {
    let created = CREATED.with_borrow(|created| created.get(stream as usize % MAX_CREATED).copied());
    created.filter(|(this, _)| *this == stream).and_then(|(_, root)| plugin::of_root(root))
}

/// Drops a stream that has ended.
pub(crate) fn on_delete(stream: u32) {
    if let Some(plugin) = take_pending(stream).and_then(|pending| pending.held_by) {
        plugin.with_held(|held| held.on_stream_end(stream));
    }
}

fn take_pending(stream: u32) -> Option<Pending> {
    PENDING.with_borrow_mut(|pending| if pending.is_empty() { None } else { pending.remove(&stream) })
}

fn note_pending(stream: u32, note: impl FnOnce(&mut Pending)) {
    PENDING.with_borrow_mut(|pending| note(pending.entry(stream).or_default()));
}

/// Decides on a request head.
pub(crate) fn on_request_headers(stream: u32, end_of_stream: bool) -> Action {
    let plugin = plugin_of(stream);
    let action = plugin.as_ref().ok_or(HostFailed).and_then(|plugin| admit(stream, plugin, end_of_stream));
    action.unwrap_or_else(|HostFailed| reject_failed(plugin.as_deref()))
}

fn admit(stream: u32, plugin: &Rc<Plugin>, end_of_stream: bool) -> Result<Action, HostFailed> {
    let now = host::now().ok_or(HostFailed)?;
    let headers = host::headers(Map::RequestHeaders).ok_or(HostFailed)?;
    let fields = headers.read().ok_or(HostFailed)?;
    apply(Map::RequestHeaders, header_edits::forged(&plugin.policy, fields.clone()))?;
    let request = Request::new(fields.clone(), end_of_stream);
    if let Some(cross_origin) = CrossOrigin::read(&plugin.policy, &request) {
        note_pending(stream, |pending| pending.cross_origin = Some(cross_origin));
    }
    let verdict = match plugin.ask(now, |gate| gate.decide(&request)).settled() {
        Ok(verdict) => verdict,
        Err(hold) => match pause(stream, plugin, &hold, &request, fields, now) {
            Ok(()) => return Ok(Action::Pause),
            Err(outcome) => plugin.ask(now, |gate| gate.resume(&request, hold.rejection, &outcome)),
        },
    };
    carry_out(plugin, verdict, &request, now)
}

/// Holds a request; an error is the outcome to resume it with at once.
#[cold]
fn pause(
    stream: u32,
    plugin: &Rc<Plugin>,
    hold: &Hold,
    request: &Request<'_>,
    fields: Pairs<'_>,
    now: Duration,
) -> Result<(), Outcome> {
    let paused = plugin.with_held(|held| held.hold(stream, hold, request.end_of_stream, fields));
    let command = paused.unwrap_or(Err(Outcome::Unavailable))?;
    note_pending(stream, |pending| pending.held_by = Some(Rc::clone(plugin)));
    if hold.poll_early {
        plugin.poll_early(now);
    }
    run(plugin, command.into_iter().collect(), now);
    Ok(())
}

/// Gives up calls that the host has lost.
pub(crate) fn on_tick(plugin: &Rc<Plugin>, now: Duration) {
    let commands = plugin.with_held(|held| held.on_tick(now)).unwrap_or_default();
    run(plugin, commands, now);
}

fn run(plugin: &Rc<Plugin>, commands: Vec<Command>, now: Duration) {
    for command in commands {
        match command {
            Command::Call(id, call) => {
                let weak = Rc::downgrade(plugin);
                let handler = Box::new(move |outcome: &CallOutcome<'_>| {
                    if let (Some(plugin), Some(now)) = (weak.upgrade(), host::now()) {
                        on_response(&plugin, id, outcome, now);
                    }
                });
                match calls::send(&call, handler) {
                    Some(token) => plugin.note_call(id, token),
                    None => on_response(plugin, id, &CallOutcome::NotAccepted, now),
                }
            }
            Command::Cancel(id) => plugin.cancel_call(id),
            Command::Resume(stream) => resume(plugin, &stream, now),
        }
    }
}

fn on_response(plugin: &Rc<Plugin>, id: CallId, outcome: &CallOutcome<'_>, now: Duration) {
    plugin.forget_call(id);
    let commands = plugin.with_held(|held| held.on_response(id, outcome, now)).unwrap_or_default();
    run(plugin, commands, now);
}

fn resume(plugin: &Rc<Plugin>, stream: &Resume, now: Duration) {
    if !host::set_effective_context(stream.stream) {
        // Calls of the host would be about another stream.
        metrics::count("edgeward_refused", Rejection::HostFailed.label());
        return;
    }
    let action = decide_again(plugin, stream, now).unwrap_or_else(|HostFailed| reject_failed(Some(plugin)));
    if action == Action::Continue && !host::continue_request() {
        reject_failed(Some(plugin));
    }
}

fn decide_again(plugin: &Plugin, stream: &Resume, now: Duration) -> Result<Action, HostFailed> {
    let headers = host::headers(Map::RequestHeaders).ok_or(HostFailed)?;
    let request = Request::new(headers.read().ok_or(HostFailed)?, stream.end_of_stream);
    let verdict = plugin.ask(now, |gate| gate.resume(&request, stream.rejection, &stream.outcome));
    carry_out(plugin, verdict, &request, now)
}

fn carry_out(
    plugin: &Plugin,
    verdict: Verdict<Infallible>,
    request: &Request<'_>,
    now: Duration,
) -> Result<Action, HostFailed> {
    SCRATCH.with_borrow_mut(|scratch| {
        let edits = header_edits::of_request(&plugin.policy, &verdict, request, scratch);
        let applied = apply(Map::RequestHeaders, edits);
        scratch.shrink();
        applied
    })?;
    match verdict {
        Verdict::Pass(_) => Ok(Action::Continue),
        Verdict::Reply(reply) => respond(plugin, &reply, now),
    }
}

#[cold]
fn respond(plugin: &Plugin, reply: &LocalReply, now: Duration) -> Result<Action, HostFailed> {
    if let Some(rejection) = reply.rejection {
        metrics::record_rejection(rejection);
    }
    if reply.poll_early {
        plugin.poll_early(now);
    }
    if host::send_local_reply(reply) { Ok(Action::Pause) } else { Err(HostFailed) }
}

/// Rejects a request with which the host has failed us. It stays paused even if the reply fails: a request that waits for
/// Envoy's timeout is better than one that passes without a verdict.
#[cold]
fn reject_failed(plugin: Option<&Plugin>) -> Action {
    metrics::record_rejection(Rejection::HostFailed);
    host::send_local_reply(&LocalReply::reject(plugin.map(|plugin| &plugin.policy), Rejection::HostFailed));
    Action::Pause
}

/// Removes from request trailers what is an identity header to any configuration.
pub(crate) fn on_request_trailers() -> Action {
    let plugins = plugin::all();
    let strip = || {
        let trailers = host::headers(Map::RequestTrailers).ok_or(HostFailed)?;
        let fields = trailers.read().ok_or(HostFailed)?;
        let strip = |plugin: &Rc<Plugin>| {
            apply(Map::RequestTrailers, header_edits::forged(&plugin.policy, fields.clone()))
        };
        plugins.iter().try_for_each(strip)
    };
    if !plugins.is_empty() && strip().is_ok() {
        return Action::Continue;
    }
    metrics::record_rejection(Rejection::HostFailed);
    // The request head is upstream already. All that is left is to withhold the trailers.
    Action::Pause
}

/// Completes a response: CORS headers for pages of allowed origins, and renewed cookies if the request was held.
pub(crate) fn on_response_headers(stream: u32) {
    let Some(Pending { cross_origin, held_by }) = take_pending(stream) else { return };
    let renewed = held_by.and_then(|plugin| {
        plugin.with_held(|held| held.on_response_headers(stream, host::now().unwrap_or_default())).flatten()
    });
    let headers = host::headers(Map::ResponseHeaders);
    let Some(fields) = headers.as_ref().and_then(HeaderMap::read) else { return };
    let code_details = || host::property(&["response", "code_details"]);
    if let Some(cross_origin) = cross_origin.filter(|it| it.is_missing_from(fields.clone(), code_details)) {
        let added = cross_origin.headers();
        let _incomplete = apply(Map::ResponseHeaders, header_edits::complete_cors(&cross_origin, &added));
    }
    if let Some(renewed) = renewed {
        // Stops at the first failure, so that no cookie is set in a response that caches may store.
        let _incomplete = apply(Map::ResponseHeaders, header_edits::append_renewed_cookies(&renewed, fields));
    }
}

fn apply<'a>(map: Map, edits: impl IntoIterator<Item = HeaderEdit<'a>>) -> Result<(), HostFailed> {
    let mut edits = edits.into_iter();
    if edits.all(|edit| host::edit_header(map, edit)) { Ok(()) } else { Err(HostFailed) }
}
