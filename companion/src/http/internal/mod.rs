//! The internal listener's routes: for the edge, for health checks, for Prometheus.

pub(super) mod edge_feed;
pub(super) mod edge_refresh;
pub(super) mod health;
pub(super) mod metrics;
