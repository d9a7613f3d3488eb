//! Edits of header fields, copied: Envoy's fields, of which edits hold parts, are good until the first of them is changed.

use edgeward_filter::header_edits::HeaderEdit;

use crate::abi::{Fields, HostStream, Map};

/// Envoy has no header map, or did not accept an edit.
pub(crate) struct HostFailed;

/// Maximum size of the text that is kept for the next request, in bytes. Chosen: browsers send a few KiB.
const MAX_KEPT_BYTES: usize = 16 * 1024;

/// List of edits, whose memory serves one request after the other.
#[derive(Default)]
pub(crate) struct EditList {
    text: Vec<u8>,
    edits: Vec<Edit>,
}

struct Edit {
    kind: Kind,
    name: usize,
    value: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Remove,
    Set,
    Append,
}

impl EditList {
    /// Replaces the list by these edits.
    pub(crate) fn copy<'a>(&mut self, edits: impl IntoIterator<Item = HeaderEdit<'a>>) {
        self.text.clear();
        self.text.shrink_to(MAX_KEPT_BYTES);
        self.edits.clear();
        for edit in edits {
            let (kind, name, value) = match edit {
                HeaderEdit::Remove(name) => (Kind::Remove, name, &[][..]),
                HeaderEdit::Set(name, value) => (Kind::Set, name, value),
                HeaderEdit::Append(name, value) => (Kind::Append, name, value),
            };
            self.text.extend_from_slice(name);
            self.text.extend_from_slice(value);
            self.edits.push(Edit { kind, name: name.len(), value: value.len() });
        }
    }

    /// Edits a header map of Envoy's by what `list` copies from its fields.
    pub(crate) fn edit(
        &mut self,
        stream: HostStream,
        map: Map,
        list: impl FnOnce(Fields<'_>, &mut Self),
    ) -> Result<(), HostFailed> {
        stream.read(map, |fields| list(fields, self)).ok_or(HostFailed)?;
        self.apply(stream, map)
    }

    /// Carries out the edits, in order, up to the first that Envoy does not accept.
    pub(crate) fn apply(&self, stream: HostStream, map: Map) -> Result<(), HostFailed> {
        if !self.iter().all(|edit| stream.edit(map, edit)) {
            return Err(HostFailed);
        }
        if matches!(map, Map::RequestHeaders) && !self.edits.is_empty() {
            // Envoy has chosen the route by what the client sent.
            stream.clear_route_cache();
        }
        Ok(())
    }

    fn iter(&self) -> impl Iterator<Item = HeaderEdit<'_>> {
        let mut text = self.text.as_slice();
        self.edits.iter().map_while(move |edit| {
            let (name, rest) = text.split_at_checked(edit.name)?;
            let (value, rest) = rest.split_at_checked(edit.value)?;
            text = rest;
            Some(match edit.kind {
                Kind::Remove => HeaderEdit::Remove(name),
                Kind::Set => HeaderEdit::Set(name, value),
                Kind::Append => HeaderEdit::Append(name, value),
            })
        })
    }
}
