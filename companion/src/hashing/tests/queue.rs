//! The queue of the workers: its bound, its order of work, and its metrics.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;

use super::*;
use crate::telemetry::metrics::Gauges;

#[tokio::test]
async fn comparison_is_rejected_while_the_queue_is_full() {
    let hasher = hasher(4);
    let all = hasher.admitted.available_permits();
    let held = Arc::clone(&hasher.admitted).acquire_many_owned(u32::try_from(all).unwrap()).await;
    assert_eq!(hasher.verify(PresentedPassword::new("correct horse"), None).await, Err(HashingError::Busy));
    drop(held);
    assert_eq!(hasher.verify(PresentedPassword::new("correct horse"), None).await, Ok(Verdict::Dummy));
}

#[tokio::test]
async fn password_takes_as_many_places_as_it_has_spellings() {
    let hasher = hasher(4);
    let three_spellings = || PresentedPassword::new("caf\u{e9}\u{a0}cr\u{e8}me");
    let all_but_two = u32::try_from(hasher.admitted.available_permits() - 2).unwrap();
    let held = Arc::clone(&hasher.admitted).acquire_many_owned(all_but_two).await;
    assert_eq!(hasher.verify(three_spellings(), None).await, Err(HashingError::Busy));
    assert_eq!(hasher.verify(PresentedPassword::new("correct horse"), None).await, Ok(Verdict::Dummy));
    drop(held);
    assert_eq!(hasher.verify(three_spellings(), None).await, Ok(Verdict::Dummy));
    assert_eq!(hasher.in_flight(), 0);
}

#[tokio::test]
async fn work_of_a_client_that_has_gone_is_dropped_before_it_begins() {
    let hasher = start(4, 1, Arc::default());
    let (release, released) = mpsc::channel::<()>();
    let (has_begun, begun) = mpsc::channel();
    let first = hasher.run(1, move || {
        has_begun.send("first").unwrap();
        released.recv().unwrap();
    });
    let first = Box::pin(first);
    let second = Box::pin(hasher.run(1, || panic!("work without a client")));
    let (first, second) = (poll_once(first).await, poll_once(second).await);
    begun.recv().unwrap();
    drop((first, second));
    assert_eq!(hasher.in_flight(), 2, "a client that disconnects does not free the worker");
    release.send(()).unwrap();
    assert_eq!(hasher.run(1, || "next").await, Ok("next"));
    assert_eq!(hasher.in_flight(), 0);
}

/// Polls a future once, so that it begins, and returns it.
async fn poll_once<T>(mut future: Pin<Box<impl Future<Output = T>>>) -> Pin<Box<impl Future<Output = T>>> {
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    future
}

#[tokio::test]
async fn a_panic_fails_its_own_work_alone() {
    let hasher = start(4, 1, Arc::default());
    let panics = hasher.run::<()>(1, || panic!("in a worker")).await;
    assert_eq!(panics, Err(HashingError::Failed));
    assert_eq!(hasher.run(1, || "next").await, Ok("next"));
    assert_eq!(hasher.in_flight(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn workers_alone_have_the_lowest_priority() {
    /// Number of the field `nice`, counted from the state, which follows the name in parentheses (proc(5)).
    const NICE: usize = 16;
    let nice = || {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().nth(NICE).unwrap().parse::<i32>().unwrap()
    };
    let own = nice();
    assert_eq!(hasher(4).run(1, nice).await, Ok(19));
    assert_eq!(nice(), own);
    assert!(own < 19, "this test must not run at the lowest priority itself");
}

#[tokio::test]
async fn waits_and_times_of_hashes_are_counted() {
    let metrics = Arc::new(Metrics::new());
    let hasher = start(4, 2, Arc::clone(&metrics));
    hasher.hash(Password::parse("correct horse").unwrap()).await.unwrap();
    hasher.verify(PresentedPassword::new("correct horse"), None).await.unwrap();
    let text = metrics.write(Gauges::default()).unwrap();
    for line in ["edgeward_password_queue_seconds_count 2", "edgeward_password_hash_seconds_count 2"] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
}

#[tokio::test]
async fn estimates_of_passwords_leave_the_queue_to_logins() {
    let hasher = hasher(4);
    let estimate = || hasher.estimate("correct horse".into(), OwnWords::of_parts(None, None, None));
    let running = hasher.estimating.try_acquire().unwrap();
    assert_eq!(estimate().await, Err(HashingError::Busy));
    assert!(hasher.hash(Password::parse("correct horse").unwrap()).await.is_ok());
    drop(running);
    assert!(estimate().await.is_ok_and(|score| score > 0));
    assert!(estimate().await.is_ok(), "the permit came back");
}
