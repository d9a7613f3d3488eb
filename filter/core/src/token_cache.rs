//! The tokens that were verified already, and who they speak for. It is bounded, only good tokens get in, and
//! whoever asks it checks again what time or the feed may have changed: expiry and revocation.

use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use quick_cache::UnitWeighter;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use siphasher::sip128::SipHasher24;

use crate::claims::Identity;

/// More roles than a service has; those beyond are kept once for every token.
const MAX_SHARED_ROLES: usize = 64;

/// As long as no more tokens are known they lie close together, which is worth more than half a microsecond to each
/// request; with the next one, room for all is taken at once.
const FEW: usize = 4096;

/// A token, in the place of its text, which is a secret: 128 bits that nobody can aim at who does not know the
/// memory's own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u128);

/// The tokens that were verified already. An entry takes 32 bytes, some 30 more for finding it, and the place of an
/// identity. What is dropped when there is no more room is what was not asked for lately (Clock-PRO, Jiang, Chen and
/// Zhang 2005): a crowd of tokens that each come once does not drive out those that come again. Of those dropped it
/// knows half as many for a while, and whoever of them comes again stays: a memory full of tokens that have expired
/// makes room for others.
pub struct TokenCache {
    hasher: SipHasher24,
    known: Cache<u128, Identity, UnitWeighter, BuildHasherDefault<Spread>>,
    /// How many it may come to know.
    entries: usize,
    /// Every role once, so that each identity need not have its own copy.
    roles: Vec<Rc<str>>,
}

impl TokenCache {
    /// A memory for so many tokens, with a key of its own that nobody else knows.
    #[must_use]
    pub fn new(entries: usize, key: [u8; 16]) -> Self {
        let known = Cache::with(
            // By this it knows how many of those that it dropped to keep in mind: half as many.
            entries,
            entries.try_into().unwrap_or(u64::MAX),
            UnitWeighter,
            BuildHasherDefault::default(),
            DefaultLifecycle::default(),
        );
        Self { hasher: SipHasher24::new_with_key(&key), known, entries, roles: Vec::new() }
    }

    /// A token's fingerprint under a generation of the key set: with other keys it is to be verified again.
    #[must_use]
    pub fn fingerprint(&self, token: &[u8], generation: u64) -> Fingerprint {
        Fingerprint(self.hasher.hash(token).as_u128() ^ u128::from(generation))
    }

    /// Who a token speaks for that was verified before.
    #[must_use]
    pub fn get(&self, Fingerprint(token): Fingerprint) -> Option<&Identity> {
        self.known.get(&token)
    }

    /// Keeps in mind who a token speaks for that has just been verified.
    pub fn insert(&mut self, Fingerprint(token): Fingerprint, identity: Identity) -> Identity {
        let identity = identity.with_shared_role(&self.roles);
        if self.roles.len() < MAX_SHARED_ROLES && !self.roles.iter().any(|role| **role == *identity.role()) {
            self.roles.push(identity.shared_role());
        }
        if self.known.len() == FEW {
            // Tables that grow by and by leave behind what is never given back.
            self.known.reserve(self.entries.saturating_sub(FEW));
        }
        self.known.insert(token, identity.clone());
        identity
    }

    /// How many tokens are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

/// A fingerprint is as good a hash as any: half of it serves as one.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write_u128(&mut self, fingerprint: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "half of it is wanted")]
        let half = fingerprint as u64;
        self.0 = half;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, &byte| sum.rotate_left(8) ^ u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Expected;
    use crate::token::Verified;

    const NOW: u64 = 1_800_000_000;

    fn identity(user: u64, role: &str) -> Identity {
        let (exp, expected) =
            (NOW + 60, Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 0 });
        let claims = format!(
            r#"{{"iss":"i","aud":"a","exp":{exp},"iat":{NOW},"sub":"{user}","sid":1,"role":"{role}"}}"#
        );
        Identity::judge(&Verified::for_test(&claims), &expected, NOW).unwrap()
    }

    #[test]
    fn a_token_is_known_by_every_byte_of_it_and_the_generation_of_the_keys() {
        let mut memory = TokenCache::new(8, [7; 16]);
        let known = memory.fingerprint(b"a.b.c", 1);
        memory.insert(known, identity(42, "customer"));
        for (token, generation, expected) in [
            (&b"a.b.c"[..], 1, Some(42)),
            (b"a.b.c", 2, None),
            (b"a.b.d", 1, None),
            (b"a.b.c ", 1, None),
            (b"", 1, None),
        ] {
            let found = memory.get(memory.fingerprint(token, generation)).map(Identity::user_id);
            assert_eq!(found, expected, "{} {generation}", token.escape_ascii());
        }
        assert_ne!(TokenCache::new(8, [8; 16]).fingerprint(b"a.b.c", 1), known);
    }

    #[test]
    fn it_holds_no_more_than_it_may_and_what_comes_again_stays() {
        let mut memory = TokenCache::new(100, [7; 16]);
        let regulars: Vec<Fingerprint> = (0..20_u8).map(|at| memory.fingerprint(&[at], 0)).collect();
        for at in 0..10_000_u32 {
            for &regular in &regulars {
                if memory.get(regular).is_none() {
                    memory.insert(regular, identity(1, "customer"));
                }
            }
            memory.insert(memory.fingerprint(&at.to_le_bytes(), 0), identity(2, "customer"));
            assert!(memory.len() <= 100);
        }
        assert!(regulars.iter().all(|&regular| memory.get(regular).is_some()));
    }

    #[test]
    fn what_comes_again_finds_room_in_a_memory_full_of_what_does_not() {
        let mut memory = TokenCache::new(100, [7; 16]);
        let mut strangers = 0..;
        let mut stranger = |memory: &mut TokenCache| {
            let token: u32 = strangers.next().unwrap();
            memory.insert(memory.fingerprint(&token.to_le_bytes(), 0), identity(2, "customer"));
        };
        for _ in 0..1000 {
            stranger(&mut memory);
        }
        let regulars: Vec<Fingerprint> = (0..20_u8).map(|at| memory.fingerprint(&[at], 0)).collect();
        let mut round = |memory: &mut TokenCache| {
            let verified = regulars.iter().filter(|&&regular| {
                let is_new = memory.get(regular).is_none();
                if is_new {
                    memory.insert(regular, identity(1, "customer"));
                }
                stranger(memory);
                is_new
            });
            verified.count()
        };
        assert_eq!(round(&mut memory), 20);
        for _ in 0..10 {
            round(&mut memory);
        }
        assert_eq!(round(&mut memory), 0);
    }

    #[test]
    fn a_memory_that_comes_to_know_many_forgets_none_of_the_first() {
        let mut memory = TokenCache::new(2 * FEW, [7; 16]);
        let tokens: Vec<Fingerprint> =
            (0..2 * FEW).map(|at| memory.fingerprint(&at.to_le_bytes(), 0)).collect();
        for &token in &tokens {
            memory.insert(token, identity(1, "customer"));
        }
        assert!(tokens.iter().all(|&token| memory.get(token).is_some()));
    }

    #[test]
    fn a_memory_of_no_entries_knows_nothing() {
        let mut memory = TokenCache::new(0, [7; 16]);
        let token = memory.fingerprint(b"a.b.c", 0);
        assert_eq!(memory.insert(token, identity(42, "customer")).user_id(), 42);
        assert!(memory.get(token).is_none() && memory.is_empty());
    }

    #[test]
    fn identities_share_their_role_and_the_roles_shared_are_bounded() {
        let mut memory = TokenCache::new(1000, [7; 16]);
        for at in 0..200_u64 {
            let token = memory.fingerprint(&at.to_le_bytes(), 0);
            memory.insert(token, identity(at + 1, &format!("role-{}", at % 100)));
        }
        assert_eq!(memory.roles.len(), MAX_SHARED_ROLES);
        let role = |at: u64| {
            memory.get(memory.fingerprint(&at.to_le_bytes(), 0)).map(Identity::shared_role).unwrap()
        };
        assert!(Rc::ptr_eq(&role(3), &role(103)));
        assert!(!Rc::ptr_eq(&role(80), &role(180)) && role(80) == role(180));
    }
}
