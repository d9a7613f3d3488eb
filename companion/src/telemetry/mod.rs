//! Observability of the service: its log, its metrics and its traces.

pub mod audit;
pub mod log;
pub mod metrics;
pub mod traces;
