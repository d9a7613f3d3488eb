//! Edgeward's companion: accounts, sessions and their tokens, and what the edge must know. It alone touches Postgres.
//!
//! `http`, `cli` and `jobs` call use cases in `service`, which decide by `domain` and read and write by `db`. `config`
//! holds the settings.

pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod hashing;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod mail;
pub mod random;
pub mod service;
pub mod telemetry;
