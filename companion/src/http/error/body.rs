//! Body of error responses.

use std::borrow::Cow;

use serde::Serialize;

/// Body of every error response.
#[derive(Serialize)]
pub(super) struct ErrorBody {
    pub(super) message: &'static str,
    pub(super) errors: Vec<ErrorEntry>,
}

/// One mistake: `code` is stable, `msg` is for people.
#[derive(Serialize)]
pub(super) struct ErrorEntry {
    pub(super) r#type: &'static str,
    pub(super) msg: String,
    pub(super) path: Cow<'static, str>,
    pub(super) location: &'static str,
    pub(super) code: &'static str,
}
