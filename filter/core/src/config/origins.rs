//! Setting `allowed_origins`: the other origins whose pages may send unsafe requests and read local replies.

use super::MAX_NAMES;
use super::section::{Mistakes, Section};
use crate::json::Json;
use crate::origin::Origins;

/// Reads `allowed_origins`; none if it is absent.
pub(super) fn read(root: &mut Section<'_, '_>, mistakes: &Mistakes) -> Origins {
    let listed = root.list("allowed_origins", 1..=MAX_NAMES).unwrap_or_default();
    let read = |(path, item): (String, Json<'_>)| match item {
        Json::String(text) => text
            .parse()
            .map_err(|invalid| {
                mistakes.add(&path, format!("is not an origin such as \"https://app.example\": {invalid}"));
            })
            .ok(),
        other => {
            mistakes.add(&path, format!("must be a string, not {}", other.kind()));
            None
        }
    };
    Origins::new(listed.into_iter().filter_map(read).collect())
}
