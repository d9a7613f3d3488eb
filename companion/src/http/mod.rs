//! The HTTP API and pages. A handler extracts, calls a use case and renders. `routes` has the API as a table.

mod api;
pub mod cookies;
pub mod error;
mod extract;
mod internal;
mod layer;
pub mod openapi;
pub mod pages;
pub mod routes;
pub mod server;
pub mod state;
