//! One stream: its header fields go to the core, and what the core decides is carried out on the stream's worker.

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Mutex;

use edgeward_filter::filter::{Completion, Held};
use edgeward_filter::header_edits;
use edgeward_filter::hold::Resume;
use edgeward_filter::rejection::Rejection;
use edgeward_filter::reply::LocalReply;
use edgeward_filter::request::{Field, Request, StreamId};
use edgeward_filter::verdict::Verdict;

use crate::abi::{Attribute, HeadersStatus, HostStream, Map, Span, TrailersStatus};
use crate::clock;
use crate::edit_list::HostFailed;
use crate::local_reply::ReplyHead;
use crate::lock::lock;
use crate::plugin::Plugin;
use crate::trace;
use crate::worker::{Wake, Worker};

/// Stream, from the creation of its filter to its end. A hook may end it inside of another, so that nothing here is borrowed
/// for longer than a step.
pub(crate) struct Stream {
    plugin: &'static Plugin,
    host: HostStream,
    /// Number of the worker.
    worker: usize,
    /// Number of the stream on its worker, from the head of the request to the end.
    id: Cell<Option<StreamId>>,
    /// Span of the time for which the request is held.
    held: Cell<Option<Span>>,
    /// `true` if the response may lack something. Most do not, and take no lock.
    awaits_response: Cell<bool>,
}

impl Stream {
    pub(crate) fn new(plugin: &'static Plugin, host: HostStream) -> Self {
        Self {
            plugin,
            host,
            worker: host.worker(),
            id: Cell::new(None),
            held: Cell::new(None),
            awaits_response: Cell::new(false),
        }
    }

    fn worker(&self) -> &'static Mutex<Worker> {
        self.plugin.worker(self.worker)
    }

    /// Decides on a request head.
    pub(crate) fn on_request_headers(&self, end_of_stream: bool) -> HeadersStatus {
        self.admit(end_of_stream).unwrap_or_else(|HostFailed| self.reject_failed())
    }

    fn admit(&self, end_of_stream: bool) -> Result<HeadersStatus, HostFailed> {
        let (now, state) = (clock::now(), self.plugin.state.load());
        let mut guard = lock(self.worker());
        let Worker { filter, edits, streams } = &mut *guard;
        let id = streams.open().ok_or(HostFailed)?;
        self.id.set(Some(id));
        // As Envoy has found it by its trusted hops.
        let client = || self.host.attribute(Attribute::SourceAddress);
        let admission = self.host.read(Map::RequestHeaders, |fields| {
            let request = Request::new(fields, end_of_stream).from_client(&client);
            let admission = filter.admit(id, &request, fields, &state, now);
            let forged = header_edits::forged(&self.plugin.policy, fields);
            match &admission {
                Ok(verdict) => edits.copy(forged.chain(filter.edits(verdict, &request))),
                Err(_held) => edits.copy(forged),
            }
            admission
        });
        let admission = admission.ok_or(HostFailed)?;
        self.awaits_response.set(filter.awaits_response(id));
        let may_be_woken = match &admission {
            Ok(verdict) => matches!(verdict, Verdict::Pass(pass) if pass.ends_with_session),
            Err(_held) => true,
        };
        if may_be_woken {
            streams.set_scheduler(id, self.host.scheduler());
        }
        match admission {
            Ok(verdict) => {
                edits.apply(self.host, Map::RequestHeaders)?;
                drop(guard);
                Ok(self.carry_out(verdict))
            }
            Err(held) => {
                // The call first: requests that come may wait for it, whatever becomes of this one.
                let poll_early = held.poll_early;
                self.hold(&mut guard, held);
                guard.edits.apply(self.host, Map::RequestHeaders)?;
                drop(guard);
                if poll_early {
                    self.plugin.poll_early(now);
                }
                Ok(HeadersStatus::StopAllIterationAndWatermark)
            }
        }
    }

    fn hold(&self, worker: &mut Worker, mut held: Held) {
        if let Some(span) = self.host.start_span(trace::HELD) {
            held.commands.iter_mut().for_each(|command| trace::join(command, &span));
            self.held.set(Some(span));
        }
        self.plugin.run(self.worker, worker, held.commands);
    }

    /// Does what the stream was woken for.
    pub(crate) fn on_wake(&self) {
        let Some(id) = self.id.get() else { return };
        let wake = lock(self.worker()).streams.take_wake(id);
        match wake {
            Some(Wake::Resume(resume)) => {
                drop(self.held.take());
                let status = self.decide_again(&resume).unwrap_or_else(|HostFailed| self.reject_failed());
                if let HeadersStatus::Continue = status {
                    self.host.continue_request();
                }
            }
            Some(Wake::Close(reason)) => {
                self.host.set_filter_state("edgeward.stream_end", reason);
                self.host.reset(reason);
            }
            None => {}
        }
    }

    fn decide_again(&self, resume: &Resume) -> Result<HeadersStatus, HostFailed> {
        let (now, state) = (clock::now(), self.plugin.state.load());
        let mut guard = lock(self.worker());
        let Worker { filter, edits, .. } = &mut *guard;
        let verdict = self.host.read(Map::RequestHeaders, |fields| {
            let request = Request::new(fields, resume.end_of_stream);
            let verdict = filter.resume(resume, &request, &state, now);
            edits.copy(filter.edits(&verdict, &request));
            verdict
        });
        let verdict = verdict.ok_or(HostFailed)?;
        edits.apply(self.host, Map::RequestHeaders)?;
        drop(guard);
        Ok(self.carry_out(verdict))
    }

    fn carry_out(&self, verdict: Verdict<Infallible>) -> HeadersStatus {
        match verdict {
            Verdict::Pass(_) => HeadersStatus::Continue,
            Verdict::Reply(reply) => self.respond(&reply),
        }
    }

    #[cold]
    fn respond(&self, reply: &LocalReply) -> HeadersStatus {
        if let Some(rejection) = reply.rejection {
            self.record_rejection(rejection);
        }
        if reply.poll_early {
            self.plugin.poll_early(clock::now());
        }
        self.reply(reply);
        HeadersStatus::StopAllIterationAndWatermark
    }

    /// Rejects a request with which Envoy, or a bug of this module, has failed us.
    #[cold]
    pub(crate) fn reject_failed(&self) -> HeadersStatus {
        self.record_rejection(Rejection::HostFailed);
        self.reply(&LocalReply::reject(Some(&self.plugin.policy), Rejection::HostFailed));
        HeadersStatus::StopAllIterationAndWatermark
    }

    /// Responds, with what Envoy would otherwise pass to [`Self::on_response_headers`] completed.
    fn reply(&self, reply: &LocalReply) {
        let completion = self.id.get().map(|id| lock(self.worker()).on_response_headers(id));
        let Completion { cross_origin, renewed } = completion.unwrap_or_default();
        let mut head = ReplyHead::new(reply);
        if let Some(cross_origin) = cross_origin {
            let added = cross_origin.headers();
            header_edits::complete_cors(&cross_origin, &added).for_each(|edit| head.edit(edit));
        }
        if let Some(renewed) = renewed {
            header_edits::append_renewed_cookies(&renewed, []).for_each(|edit| head.edit(edit));
        }
        if self.is_grpc() {
            head.set_grpc_status();
        }
        self.host.send_local_reply(head.status, &head.fields, &reply.body, &reply.details());
    }

    fn is_grpc(&self) -> bool {
        let is_grpc =
            |(name, value): Field<'_>| name == b"content-type" && value.starts_with(b"application/grpc");
        self.host.read(Map::RequestHeaders, |fields| fields.into_iter().any(is_grpc)).unwrap_or(false)
    }

    /// Counts a rejection, and gives the access log its label and its evidence.
    fn record_rejection(&self, rejection: Rejection) {
        self.host.set_filter_state("edgeward.rejection", rejection.label());
        self.host.set_filter_state("edgeward.rejection_details", &rejection.to_string());
        self.plugin.metrics.count_rejection(rejection);
    }

    /// Removes identity headers from request trailers.
    pub(crate) fn on_request_trailers(&self) -> TrailersStatus {
        let mut guard = lock(self.worker());
        let edits = &mut guard.edits;
        let trailers = self.host.read(Map::RequestTrailers, |fields| {
            edits.copy(header_edits::forged(&self.plugin.policy, fields));
        });
        if trailers.is_some() && edits.apply(self.host, Map::RequestTrailers).is_ok() {
            return TrailersStatus::Continue;
        }
        self.record_rejection(Rejection::HostFailed);
        // The request head is upstream already. All that is left is to withhold the trailers.
        TrailersStatus::StopIteration
    }

    /// Completes a response that is not the filter's own: CORS headers for pages of allowed origins, and renewed cookies if the request was held.
    pub(crate) fn on_response_headers(&self) {
        let Some(id) = self.id.get().filter(|_| self.awaits_response.get()) else { return };
        let mut guard = lock(self.worker());
        let Completion { cross_origin, renewed } = guard.on_response_headers(id);
        let edits = &mut guard.edits;
        let code_details = || self.host.attribute(Attribute::ResponseCodeDetails);
        if let Some(cross_origin) = cross_origin {
            let added = cross_origin.headers();
            let read = self.host.read(Map::ResponseHeaders, |fields| {
                let is_missing = cross_origin.is_missing_from(fields, code_details);
                let completed = is_missing.then(|| header_edits::complete_cors(&cross_origin, &added));
                edits.copy(completed.into_iter().flatten());
            });
            let _incomplete = read.map(|()| edits.apply(self.host, Map::ResponseHeaders));
        }
        if let Some(renewed) = renewed {
            let read = self.host.read(Map::ResponseHeaders, |fields| {
                edits.copy(header_edits::append_renewed_cookies(&renewed, fields));
            });
            // Stops at the first failure, so that no cookie is set in a response that caches may store.
            let _incomplete = read.map(|()| edits.apply(self.host, Map::ResponseHeaders));
        }
    }

    /// Ends the stream, whose filter Envoy drops later.
    pub(crate) fn on_complete(&self) {
        drop(self.held.take());
        if let Some(id) = self.id.take() {
            let mut worker = lock(self.worker());
            worker.filter.on_stream_end(id);
            worker.streams.remove(id);
        }
    }
}
