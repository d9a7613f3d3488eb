//! The doors by HTTP. A handler extracts, calls a use case and renders; the API as a table is in `routes`.

mod api;
pub mod cookies;
pub mod error;
mod extract;
mod internal;
mod layer;
pub mod pages;
pub mod routes;
pub mod server;
pub mod state;
