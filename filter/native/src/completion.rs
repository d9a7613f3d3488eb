//! Completion of responses: CORS headers for pages of allowed origins, and renewed cookies if the request was held.

use edgeward_filter::filter::Completion;
use edgeward_filter::header_edits;

use crate::abi::{Attribute, HostStream, Map};
use crate::edit_list::{EditList, HostFailed};
use crate::local_reply::ReplyHead;

/// Completes a reply of the filter's own, which Envoy does not pass to the filter again.
pub(crate) fn complete_reply(head: &mut ReplyHead, Completion { cross_origin, renewed }: Completion) {
    if let Some(cross_origin) = cross_origin {
        let added = cross_origin.headers();
        header_edits::complete_cors(&cross_origin, &added).for_each(|edit| head.edit(edit));
    }
    if let Some(renewed) = renewed {
        header_edits::append_renewed_cookies(&renewed, []).for_each(|edit| head.edit(edit));
    }
}

/// Completes any other response. It stops at the first failure, so that no cookie is set in a response that caches may store.
///
/// # Errors
/// [`HostFailed`] if Envoy does not accept an edit.
pub(crate) fn complete_response(
    host: HostStream,
    edits: &mut EditList,
    Completion { cross_origin, renewed }: Completion,
) -> Result<(), HostFailed> {
    if let Some(cross_origin) = cross_origin {
        let added = cross_origin.headers();
        let code_details = || host.attribute(Attribute::ResponseCodeDetails);
        edits.edit(host, Map::ResponseHeaders, |fields, edits| {
            let is_missing = cross_origin.is_missing_from(fields, code_details);
            let completed = is_missing.then(|| header_edits::complete_cors(&cross_origin, &added));
            edits.copy(completed.into_iter().flatten());
        })?;
    }
    if let Some(renewed) = renewed {
        edits.edit(host, Map::ResponseHeaders, |fields, edits| {
            edits.copy(header_edits::append_renewed_cookies(&renewed, fields));
        })?;
    }
    Ok(())
}
