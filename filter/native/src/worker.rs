//! One of Envoy's worker threads, to one configuration. The lock around it is the worker's own: nobody else takes it but the
//! main thread, ten times a second and for the outcomes of calls.

use edgeward_filter::filter::{Completion, Filter};
use edgeward_filter::hold::Resume;
use edgeward_filter::request::StreamId;
use slab::Slab;

use crate::abi::StreamScheduler;
use crate::edit_list::EditList;

/// Requests of a worker.
pub(crate) struct Worker {
    pub(crate) filter: Filter,
    pub(crate) edits: EditList,
    pub(crate) streams: OpenStreams,
}

/// Open streams, by their numbers. The number of one that has ended is given to another: what concerns a stream is done under
/// the lock under which it was decided.
#[derive(Default)]
pub(crate) struct OpenStreams(Slab<OpenStream>);

#[derive(Default)]
struct OpenStream {
    /// For a stream that may have to be woken.
    scheduler: Option<StreamScheduler>,
    wake: Option<Wake>,
}

/// Reason to wake a stream on its worker.
pub(crate) enum Wake {
    /// Decides again on a request that was held.
    Resume(Resume),
    /// Resets the stream, for this reason in one word.
    Close(&'static str),
}

impl Worker {
    pub(crate) fn new(filter: Filter) -> Self {
        Self { filter, edits: EditList::default(), streams: OpenStreams::default() }
    }

    /// Returns what the response of a stream lacks. A stream that gets a response is not resumed any more.
    pub(crate) fn on_response_headers(&mut self, stream: StreamId) -> Completion {
        self.streams.forget_resume(stream);
        self.filter.on_response_headers(stream)
    }
}

impl OpenStreams {
    /// Gives a new stream its number; none if there are too many.
    pub(crate) fn open(&mut self) -> Option<StreamId> {
        let entry = self.0.vacant_entry();
        let stream = StreamId::try_from(entry.key()).ok()?;
        entry.insert(OpenStream::default());
        Some(stream)
    }

    /// Lets a stream be woken.
    pub(crate) fn set_scheduler(&mut self, stream: StreamId, scheduler: Option<StreamScheduler>) {
        if let Some(open) = self.0.get_mut(stream as usize) {
            open.scheduler = scheduler;
        }
    }

    /// Wakes a stream.
    pub(crate) fn wake(&mut self, stream: StreamId, reason: Wake) {
        if let Some(OpenStream { scheduler: Some(scheduler), wake }) = self.0.get_mut(stream as usize) {
            *wake = Some(reason);
            scheduler.commit();
        }
    }

    fn forget_resume(&mut self, stream: StreamId) {
        if let Some(open) = self.0.get_mut(stream as usize) {
            open.wake.take_if(|wake| matches!(wake, Wake::Resume(_)));
        }
    }

    /// Takes the reason for which a stream was woken.
    pub(crate) fn take_wake(&mut self, stream: StreamId) -> Option<Wake> {
        self.0.get_mut(stream as usize)?.wake.take()
    }

    /// Drops a stream that has ended.
    pub(crate) fn remove(&mut self, stream: StreamId) {
        self.0.try_remove(stream as usize);
    }
}
