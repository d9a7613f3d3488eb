//! Threads for slow computations, at the lowest priority, and their queue.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// Running threads. They end with the job that they run once this is dropped.
pub(super) struct Workers {
    jobs: Sender<Job>,
}

impl Workers {
    /// Starts this number of threads.
    ///
    /// # Errors
    /// [`io::Error`] if the system starts no thread.
    pub(super) fn start(count: usize) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for index in 0..count {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("hash-{index}")).spawn(move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// Appends a job to the queue, which has no limit of its own.
    pub(super) fn push(&self, job: impl FnOnce() + Send + 'static) {
        // The workers end after this.
        _ = self.jobs.send(Box::new(job));
    }
}

/// Runs one job after the other, until the queue has no sender.
fn work(queue: &Mutex<Receiver<Job>>) {
    lower_priority();
    loop {
        // Only workers wait for this lock: one for the next job, the others for that one.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A panic ends the job and not the worker.
        _ = catch_unwind(AssertUnwindSafe(job));
    }
}

/// Sets the lowest priority for the calling thread: the other threads of the process come first.
///
/// It ranks no further than the scheduler's group, which is the container (cgroup) or the session (sched(7),
/// "The autogroup feature"): other containers get their share by their own weights.
#[cfg(target_os = "linux")]
fn lower_priority() {
    // From setpriority(2), "C library/kernel differences": on Linux this is an attribute of the thread.
    if let Err(cause) = rustix::process::setpriority_process(None, 19) {
        tracing::warn!(%cause, "password hashing keeps its usual priority, and may slow down other requests");
    }
}

/// Does nothing: elsewhere the priority is one of the whole process.
#[cfg(not(target_os = "linux"))]
fn lower_priority() {}
