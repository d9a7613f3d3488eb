//! Head of a local reply as a list that edits apply to: Envoy does not pass the replies of a module to the module's own hook for
//! responses.

use edgeward_filter::header_edits::HeaderEdit;
use edgeward_filter::reply::LocalReply;

/// Status and header fields of a local reply.
pub(crate) struct ReplyHead {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
}

impl ReplyHead {
    pub(crate) fn new(reply: &LocalReply) -> Self {
        let fields =
            reply.headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        Self { status: reply.status, fields: fields.collect() }
    }

    /// Applies an edit.
    pub(crate) fn edit(&mut self, edit: HeaderEdit<'_>) {
        let (HeaderEdit::Remove(name) | HeaderEdit::Set(name, _) | HeaderEdit::Append(name, _)) = edit;
        if name == b":status" {
            if let HeaderEdit::Set(_, value) = edit {
                let status = str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                self.status = status.unwrap_or(self.status);
            }
            return;
        }
        if !matches!(edit, HeaderEdit::Append(..)) {
            self.fields.retain(|(other, _)| other != name);
        }
        if let HeaderEdit::Set(_, value) | HeaderEdit::Append(_, value) = edit {
            self.fields.push((name.to_vec(), value.to_vec()));
        }
    }

    /// Adds the status for a client of gRPC, which Envoy would otherwise tell of success.
    pub(crate) fn set_grpc_status(&mut self) {
        let status = grpc_status(self.status);
        self.edit(HeaderEdit::Set(b"grpc-status", status));
    }
}

/// Returns gRPC's status for one of HTTP (gRPC, "HTTP to gRPC Status Code Mapping").
const fn grpc_status(status: u16) -> &'static [u8] {
    match status {
        400 => b"13",
        401 => b"16",
        403 => b"7",
        429 | 502..=504 => b"14",
        _ => b"2",
    }
}
