//! Edgeward's filter: a proxy-wasm plugin that verifies the access-token cookie inside Envoy and tells the
//! upstream who is calling.
//!
//! # The path of a request
//! `envoy::request` reads the headers, removes those that only we may set, and asks [`gate`]. The gate
//! finds the rule for the [`path`] in [`rules`], the token among the [`cookie`]s, and either in its [`token_cache`] or
//! has the [`token`] verified by one of the [`keys`] and its [`claims`] judged: a [`claims::Identity`], unless that is
//! a matter of [`revocation`], or a [`rejection`]. `envoy::request` carries the decision out.
//!
//! # The rooms
//! Everything here is pure: bytes and the time go in, a decision comes out. Only `envoy` knows a host, and
//! it alone may name `proxy_wasm`; it is built for wasm32 only.

pub mod call;
pub mod claims;
pub mod config;
pub mod cookie;
pub mod cors;
pub mod edge_state;
pub mod feed;
pub mod feed_response;
mod fold;
pub mod gate;
pub mod header_edits;
pub mod hold;
pub mod json;
pub mod keys;
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
pub mod verdict;
