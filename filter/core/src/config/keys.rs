//! Section `keys`: a JWK set in the configuration itself (RFC 7517 §5).

use edgeward_wire::jwk::MAX_KEYS;
use edgeward_wire::{Jwk, JwkSet, PrivateMembers};

use super::MAX_NAMES;
use super::section::{Mistakes, Section};
use crate::keys::{InvalidKey, InvalidKeySet, KeySet};

/// Reads `keys`. Returns the empty set if the section is absent, and `None` if it is wrong.
pub(super) fn read(root: &mut Section<'_, '_>, mistakes: &Mistakes) -> Option<KeySet> {
    if !root.has("keys") {
        return Some(KeySet::default());
    }
    let mut section = root.section("keys")?;
    let inline = section.required_section("inline");
    section.reject_unknown();
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
    inline.reject_unknown();
    let open = |(path, item)| Section::open(item, path, mistakes).map(|section| read_jwk(section));
    let set = JwkSet { keys: items?.into_iter().map(open).collect::<Option<_>>()? };
    match KeySet::read(&set) {
        Ok(keys) => return Some(keys),
        Err(InvalidKeySet::TooManyKeys) => mistakes.add(&path, format!("has more than {MAX_KEYS} keys")),
        Err(InvalidKeySet::Key { index, fault }) => {
            mistakes.add(&format!("{path}[{index}]"), fault.to_string());
        }
    }
    None
}

/// Reads the members of a JWK that a verification needs. Any others are allowed (RFC 7517 §4).
fn read_jwk(mut section: Section<'_, '_>) -> Jwk {
    for name in PrivateMembers::NAMES {
        if section.has(name) {
            section.add_mistake("", InvalidKey::Private(name).to_string());
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
