//! Edgeward's companion: registers, logs in, refreshes and logs out, signs the tokens, and tells the edge what it
//! must know. It alone touches Postgres.
//!
//! A request's way: `http` parses it into `domain` types, `domain` decides, `db` keeps, `http` answers. `config`
//! says how, `cli` starts it all, and `app` is what the handlers share.

pub mod app;
pub mod auditing;
pub mod cleaning;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod following;
pub mod http;
pub mod metrics;
