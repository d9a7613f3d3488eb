//! The running stack, and what the system tests share.

#[cfg(feature = "system")]
pub mod api;
#[cfg(feature = "bench")]
pub mod bench;
#[cfg(feature = "bench")]
pub mod client;
#[cfg(feature = "system")]
pub mod command;
#[cfg(feature = "system")]
pub mod database;
#[cfg(feature = "system")]
pub mod fault_proxy;
#[cfg(feature = "system")]
pub mod host;
#[cfg(feature = "system")]
pub mod http2;
#[cfg(feature = "bench")]
pub mod journey;
#[cfg(feature = "mint")]
pub mod mint;
#[cfg(feature = "system")]
pub mod service;
pub mod stack;
