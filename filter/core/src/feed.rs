//! Edge feed: key sets and revocations, which the companion publishes and every worker of a gateway follows.
//!
//! [`follower`] decides when a worker polls, and applies the responses to the edge state. [`relay`] is the state that the
//! workers share, so that one of them polls for all. The host's side (calls, shared data, the clock) is passed in.

mod clock_gap;
mod command;
#[cfg(test)]
mod fake;
pub mod follower;
mod poll;
pub mod relay;
mod schedule;
