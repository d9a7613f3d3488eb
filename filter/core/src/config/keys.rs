//! `keys`: a JWK set given in the configuration itself (RFC 7517 §5).

use edgeward_wire::{Jwk, JwkSet, PrivateMembers};

use super::MAX_NAMES;
use super::section::{Mistakes, Section};
use crate::keys::{Fault, KeySet};

/// Reads `keys`: the empty set where there is none, nothing where it is wrong.
pub(super) fn read(root: &mut Section<'_, '_>, mistakes: &Mistakes) -> Option<KeySet> {
    if !root.has("keys") {
        return Some(KeySet::default());
    }
    let mut section = root.section("keys")?;
    let inline = section.required_section("inline");
    section.end();
    let mut inline = inline?;
    let path = inline.path_of("keys");
    let items = if inline.has("keys") {
        inline.list("keys", 0..=usize::MAX)
    } else if inline.has("kty") {
        return inline
            .reject("", "is a single key: write {\"keys\": [ … ]} around it (a JWK set, RFC 7517 §5)");
    } else {
        inline.reject("keys", "is required")
    };
    inline.end();
    let read_jwk = |(path, item)| Section::open(item, path, mistakes).map(|section| jwk(section));
    let set = JwkSet { keys: items?.into_iter().map(read_jwk).collect::<Option<_>>()? };
    KeySet::read(&set)
        .map_err(|flaw| {
            let at = flaw.key.map(|at| format!("[{at}]")).unwrap_or_default();
            mistakes.add(&format!("{path}{at}"), flaw.fault.to_string());
        })
        .ok()
}

/// The members of a JWK that matter here; any others are allowed (RFC 7517 §4).
fn jwk(mut section: Section<'_, '_>) -> Jwk {
    for name in PrivateMembers::NAMES {
        if section.has(name) {
            section.mistake("", Fault::Private(name).to_string());
        }
    }
    Jwk {
        kty: section.required_text("kty").unwrap_or_default(),
        kid: section.text("kid"),
        alg: section.text("alg"),
        use_: section.text("use"),
        key_ops: section.texts("key_ops", MAX_NAMES, |_| true, "a string"),
        n: section.text("n"),
        e: section.text("e"),
        ..Jwk::default()
    }
}
