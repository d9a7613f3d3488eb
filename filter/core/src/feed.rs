//! Edge feed: what the companion tells the filter, and how the filter follows it.

pub mod response;
