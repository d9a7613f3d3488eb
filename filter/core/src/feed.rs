//! Edge feed: key sets and revocations, which the companion publishes and every worker of a gateway follows.
//!
//! [`response`] reads one response. [`follower`] decides when a worker polls and what it makes of the outcome.
//! [`relay`] is what the workers share, so that one of them polls for all. The host's side (calls, shared data, the
//! clock) is passed in.

mod clock_gap;
mod command;
#[cfg(test)]
mod fake;
pub mod follower;
mod poll;
pub mod relay;
pub mod response;
mod schedule;
