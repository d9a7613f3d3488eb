//! `keys`: a JWK set given in the configuration itself (RFC 7517 §5).

use edgeward_wire::{Jwk, JwkSet};

use super::section::{Mistakes, Section};
use crate::keys::KeySet;

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
    if section.has("d") {
        section.mistake(
            "d",
            "must not be here: it is the private half of the key, to be replaced now that it was shown",
        );
    }
    Jwk {
        kty: section.required_text("kty").unwrap_or_default(),
        kid: section.text("kid"),
        alg: section.text("alg"),
        use_: section.text("use"),
        n: section.text("n"),
        e: section.text("e"),
    }
}
