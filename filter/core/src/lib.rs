//! Core of Edgeward's filter, which verifies the access-token cookie at the edge and passes the user's ID, role and session
//! to the upstream.
//!
//! Everything here is pure: bytes and the time go in, decisions and commands come out. A host such as the proxy-wasm
//! plugin (`filter/wasm`) carries them out.
//!
//! # A request
//! [`filter`] receives its head. The [`gate`] finds the rule for its [`path`] in [`rules`] and its token among the
//! [`cookie`]s, which is in the [`token_cache`], or is verified ([`token`]) by one of the [`keys`] and judged by its
//! [`claims`] and the [`revocation`]s. The [`verdict`] lets it pass, holds it ([`hold`]), or is a [`reply`];
//! [`header_edits`] follow from that. [`streams`] ends the stream with its session.
//!
//! # The state of the edge
//! [`feed`] follows the companion's edge feed, and applies its responses to the [`edge_state`]: keys and revocations.

use std::sync::LazyLock;

pub use edgeward_wire::VERSION;

pub mod bans;
pub mod call;
pub mod claims;
pub mod config;
pub mod cookie;
pub mod cors;
pub mod edge_state;
pub mod explain;
pub mod feed;
pub mod feed_response;
pub mod filter;
mod fold;
pub mod gate;
pub mod header_edits;
pub mod hold;
pub mod json;
pub mod keys;
pub mod log;
pub mod origin;
pub mod path;
pub mod policy;
pub mod random;
pub mod rejection;
pub mod reply;
pub mod request;
pub mod revocation;
pub mod rs256;
pub mod rules;
pub mod streams;
pub mod token;
pub mod token_cache;
pub mod trace_context;
pub mod verdict;

/// Name of the gauge of the build, which is 1. The [`VERSION`] is a part of it, of which Envoy's `stats_tags` make a label.
pub static BUILD_INFO: LazyLock<String> = LazyLock::new(|| format!("edgeward_build_info.version.{VERSION}"));
