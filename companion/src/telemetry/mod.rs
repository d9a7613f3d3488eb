//! Observability of the service: its log and its metrics.

pub mod audit;
pub mod log;
pub mod metrics;
