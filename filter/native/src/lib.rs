//! Shell of the filter: the native module for Envoy. It reads bytes from Envoy and carries out what `edgeward_filter` decides;
//! it decides nothing itself.
//!
//! Envoy's main thread starts a configuration (`start`, `plugin`), follows the edge `feed` and sends all calls. Each worker
//! thread decides on its own streams (`stream`, `worker`), by the state that the main thread publishes and a token cache that
//! all share.

#![deny(
    clippy::significant_drop_in_scrutinee,
    reason = "a lock that is held longer than it looks has stopped Envoy before"
)]

mod abi;
mod calls;
mod clock;
mod edit_list;
mod feed;
mod hooks;
mod local_reply;
mod lock;
mod metrics;
mod plugin;
mod rsa;
mod start;
mod stream;
mod supported;
mod ticker;
mod trace;
mod worker;
