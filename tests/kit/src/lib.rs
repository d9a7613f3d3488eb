//! Tools of tests and benchmarks: a proxy-wasm host, a token mint, a fault proxy, an API client.

#[cfg(feature = "system")]
pub mod api;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "system")]
pub mod command;
#[cfg(feature = "system")]
pub mod database;
#[cfg(feature = "system")]
pub mod fault_proxy;
#[cfg(feature = "system")]
pub mod feed_gateway;
#[cfg(feature = "system")]
pub mod host;
#[cfg(feature = "client")]
pub mod http2;
#[cfg(feature = "client")]
pub mod journey;
#[cfg(feature = "mint")]
pub mod mint;
#[cfg(feature = "system")]
pub mod raw;
#[cfg(feature = "system")]
pub mod service;
#[cfg(feature = "client")]
pub mod streams;
