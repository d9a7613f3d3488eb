//! The header fields that the upstream gets, as changes of those that the client sent.

use edgeward_filter::header_edits::{self, HeaderEdit, Scratch};
use edgeward_filter::policy::Policy;
use edgeward_filter::verdict::Verdict;

use crate::cli::filter::request_head::RequestHead;

/// Describes the changes, one a line; nothing if the upstream gets no request.
pub(super) fn edits(policy: &Policy, head: &RequestHead, verdict: &Verdict) -> Vec<String> {
    if !matches!(verdict, Verdict::Pass(_)) {
        return Vec::new();
    }
    let forged = header_edits::forged(policy, head.fields());
    let mut lines: Vec<String> =
        forged.map(|edit| format!("{}, as only the filter sets it", describe(edit))).collect();
    let (request, mut scratch) = (head.request(), Scratch::default());
    lines.extend(header_edits::of_request(policy, verdict, &request, &mut scratch).map(describe));
    if lines.is_empty() {
        lines.push("the header fields as the client sent them".to_owned());
    }
    lines
}

/// Describes an edit. Of cookies, it has the names alone.
fn describe(edit: HeaderEdit<'_>) -> String {
    let (name, value) = match edit {
        HeaderEdit::Remove(name) => return format!("without {}", name.escape_ascii()),
        HeaderEdit::Set(name, value) | HeaderEdit::Append(name, value) => (name, value),
    };
    if name != b"cookie" {
        return format!("{}: {}", name.escape_ascii(), value.escape_ascii());
    }
    let names = value.split(|&byte| byte == b';').map(|cookie| {
        // Without `=` it is all value: a token perhaps, or the end of a quoted value.
        match cookie.iter().position(|&byte| byte == b'=').and_then(|end| cookie.get(..end)) {
            Some(name) => name.trim_ascii().escape_ascii().to_string(),
            None => "one without a name".to_owned(),
        }
    });
    format!("cookie: {} (ours removed)", names.collect::<Vec<_>>().join(", "))
}
