//! Traces: the call for a held request is a part of the request's trace.

use edgeward_filter::filter::Command;
use edgeward_filter::trace_context::{self, TRACE_PARENT};

use crate::abi::Span;

/// Name of the span of a held request.
pub(crate) const HELD: &str = "edgeward refresh";

/// Makes the call for a held request a part of its trace, below the span.
pub(crate) fn join(command: &mut Command, span: &Span) {
    let (Command::Call(_, call), Some(trace), Some(id)) = (command, span.trace_id(), span.span_id()) else {
        return;
    };
    let of_client = call.headers.iter().find(|(name, _)| *name == TRACE_PARENT);
    let flags = of_client.and_then(|(_, value)| value.rsplit(|&byte| byte == b'-').next()).unwrap_or(b"01");
    let parent = [b"00-", trace.as_bytes(), b"-", id.as_bytes(), b"-", flags].concat();
    // A span of another format than the W3C's leaves the call as it is.
    if trace_context::is_parent(&parent) {
        call.headers.retain(|(name, _)| *name != TRACE_PARENT);
        call.headers.push((TRACE_PARENT, parent));
    }
}
