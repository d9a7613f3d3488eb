//! Routes of the internal listener: for the edge, health checks and Prometheus.

pub(super) mod edge_feed;
pub(super) mod edge_refresh;
pub(super) mod edge_session;
pub(super) mod health;
pub(super) mod metrics;
