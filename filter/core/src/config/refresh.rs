//! Section `refresh`: the source of new access tokens.

use std::time::Duration;

use edgeward_wire::edge_refresh;

use super::section::Section;
use super::{Secret, millis};

/// Source of new access tokens: the companion's edge refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// Envoy's name of the companion's cluster.
    pub cluster: String,
    /// Path of the edge refresh, without a query.
    pub path: String,
    /// Path of the session check, without a query: the companion reports there if a session still lives, for open
    /// streams whose access token has expired.
    pub session_path: String,
    /// Maximum time of a response, for which the request is held.
    pub timeout: Duration,
    /// Secret that the companion expects (`FEED_SECRET`), if it expects one.
    pub secret: Option<Secret>,
}

/// Reads `refresh`; `None` if the section is absent or no object.
pub(super) fn read(root: &mut Section<'_, '_>) -> Option<Refresh> {
    let mut section = root.section("refresh")?;
    let refresh = Refresh {
        cluster: section.required_text("cluster").unwrap_or_default(),
        path: section.path("path").unwrap_or_else(|| edge_refresh::PATH.to_owned()),
        session_path: section.path("session_path").unwrap_or_else(|| edge_refresh::SESSION_PATH.to_owned()),
        timeout: millis(section.integer("timeout_ms", 10..=60_000), 2000),
        secret: section.text("secret").map(Secret),
    };
    section.reject_unknown();
    Some(refresh)
}
