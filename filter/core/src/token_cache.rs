//! Cache of verified tokens: the fingerprint of a token leads to its identity. It is bounded and holds only tokens that
//! were accepted. Expiry and revocation change with time, so callers check both again after each hit.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use quick_cache::UnitWeighter;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use siphasher::sip128::SipHasher24;

use crate::claims::Identity;

/// Maximum number of roles that identities share. Chosen: more than a service has. Each identity with another role has
/// its own copy.
const MAX_SHARED_ROLES: usize = 64;

/// Number of tokens up to which the table grows by steps. A small table stays close together in memory, which saves
/// half a microsecond for each request; with the next token, room for all entries is reserved at once.
const SMALL: usize = 4096;

/// Hash of a token under the cache's secret key and a generation of the key set: 128 bits, for which only a
/// holder of that key can find a collision. It stands in for the token's text, which is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u128);

/// Cache of verified tokens. An entry takes 32 bytes, some 30 more for the index, and an identity.
///
/// Evicted are the entries that were not used lately (Clock-PRO; Jiang, Chen and Zhang 2005): many tokens that come
/// once do not evict those that come again. The cache keeps the fingerprints of evicted tokens, for half as many as it
/// has entries; a token among them that comes again stays. So a cache full of expired tokens makes room for others.
pub struct TokenCache {
    hasher: SipHasher24,
    identities: Cache<u128, Identity, UnitWeighter, BuildHasherDefault<FingerprintHasher>>,
    /// Maximum number of entries.
    capacity: usize,
    /// Roles that identities share.
    roles: Vec<Arc<str>>,
}

impl TokenCache {
    /// Returns an empty cache for at most `capacity` tokens (0 for none), with a random secret key.
    #[must_use]
    pub fn new(capacity: usize, key: [u8; 16]) -> Self {
        let identities = Cache::with(
            // From this number follows the number of fingerprints that are kept of evicted tokens: half as many.
            capacity,
            capacity.try_into().unwrap_or(u64::MAX),
            UnitWeighter,
            BuildHasherDefault::default(),
            DefaultLifecycle::default(),
        );
        Self { hasher: SipHasher24::new_with_key(&key), identities, capacity, roles: Vec::new() }
    }

    /// Returns a token's fingerprint. It includes the generation of the key set: with other keys, a token is verified
    /// again.
    #[must_use]
    pub fn fingerprint(&self, token: &[u8], generation: u64) -> Fingerprint {
        Fingerprint(self.hasher.hash(token).as_u128() ^ u128::from(generation))
    }

    /// Returns the identity of a cached token. It may have expired or been revoked since.
    #[must_use]
    pub fn get(&self, Fingerprint(token): Fingerprint) -> Option<&Identity> {
        self.identities.get(&token)
    }

    /// Inserts the identity of a token that was just verified, and returns it with a shared role.
    pub fn insert(&mut self, Fingerprint(token): Fingerprint, identity: Identity) -> Identity {
        let identity = identity.with_shared_role(&self.roles);
        if self.roles.len() < MAX_SHARED_ROLES && !self.roles.iter().any(|role| **role == *identity.role()) {
            self.roles.push(identity.shared_role());
        }
        if self.identities.len() == SMALL {
            // The allocator of WebAssembly never returns the memory of the smaller tables.
            self.identities.reserve(self.capacity.saturating_sub(SMALL));
        }
        self.identities.insert(token, identity.clone());
        identity
    }

    /// Returns the number of cached tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.identities.len()
    }

    /// `true` if no token is cached.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }
}

/// Hasher that returns half of a fingerprint, which is a hash already.
#[derive(Default)]
struct FingerprintHasher(u64);

impl Hasher for FingerprintHasher {
    fn write_u128(&mut self, fingerprint: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "a table needs half of the bits")]
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
    fn fingerprint_depends_on_every_byte_and_on_the_key_generation() {
        let mut cache = TokenCache::new(8, [7; 16]);
        let known = cache.fingerprint(b"a.b.c", 1);
        cache.insert(known, identity(42, "customer"));
        for (token, generation, expected) in [
            (&b"a.b.c"[..], 1, Some(42)),
            (b"a.b.c", 2, None),
            (b"a.b.d", 1, None),
            (b"a.b.c ", 1, None),
            (b"", 1, None),
        ] {
            let found = cache.get(cache.fingerprint(token, generation)).map(Identity::user_id);
            assert_eq!(found, expected, "{} {generation}", token.escape_ascii());
        }
        assert_ne!(TokenCache::new(8, [8; 16]).fingerprint(b"a.b.c", 1), known);
    }

    #[test]
    fn capacity_is_never_exceeded_and_reused_tokens_stay() {
        let mut cache = TokenCache::new(100, [7; 16]);
        let regulars: Vec<Fingerprint> = (0..20_u8).map(|at| cache.fingerprint(&[at], 0)).collect();
        for at in 0..10_000_u32 {
            for &regular in &regulars {
                if cache.get(regular).is_none() {
                    cache.insert(regular, identity(1, "customer"));
                }
            }
            cache.insert(cache.fingerprint(&at.to_le_bytes(), 0), identity(2, "customer"));
            assert!(cache.len() <= 100);
        }
        assert!(regulars.iter().all(|&regular| cache.get(regular).is_some()));
    }

    #[test]
    fn what_comes_again_finds_room_in_a_cache_full_of_what_does_not() {
        let mut cache = TokenCache::new(100, [7; 16]);
        let mut numbers = 0..;
        let mut insert_new = |cache: &mut TokenCache| {
            let token: u32 = numbers.next().unwrap();
            cache.insert(cache.fingerprint(&token.to_le_bytes(), 0), identity(2, "customer"));
        };
        for _ in 0..1000 {
            insert_new(&mut cache);
        }
        let regulars: Vec<Fingerprint> = (0..20_u8).map(|at| cache.fingerprint(&[at], 0)).collect();
        let mut round = |cache: &mut TokenCache| {
            let verified = regulars.iter().filter(|&&regular| {
                let is_new = cache.get(regular).is_none();
                if is_new {
                    cache.insert(regular, identity(1, "customer"));
                }
                insert_new(cache);
                is_new
            });
            verified.count()
        };
        assert_eq!(round(&mut cache), 20);
        for _ in 0..10 {
            round(&mut cache);
        }
        assert_eq!(round(&mut cache), 0);
    }

    #[test]
    fn a_cache_that_comes_to_know_many_forgets_none_of_the_first() {
        let mut cache = TokenCache::new(2 * SMALL, [7; 16]);
        let tokens: Vec<Fingerprint> =
            (0..2 * SMALL).map(|at| cache.fingerprint(&at.to_le_bytes(), 0)).collect();
        for &token in &tokens {
            cache.insert(token, identity(1, "customer"));
        }
        assert!(tokens.iter().all(|&token| cache.get(token).is_some()));
    }

    #[test]
    fn a_cache_of_no_entries_knows_nothing() {
        let mut cache = TokenCache::new(0, [7; 16]);
        let token = cache.fingerprint(b"a.b.c", 0);
        assert_eq!(cache.insert(token, identity(42, "customer")).user_id(), 42);
        assert!(cache.get(token).is_none() && cache.is_empty());
    }

    #[test]
    fn identities_share_a_bounded_number_of_roles() {
        let mut cache = TokenCache::new(1000, [7; 16]);
        for at in 0..200_u64 {
            let token = cache.fingerprint(&at.to_le_bytes(), 0);
            cache.insert(token, identity(at + 1, &format!("role-{}", at % 100)));
        }
        assert_eq!(cache.roles.len(), MAX_SHARED_ROLES);
        let role =
            |at: u64| cache.get(cache.fingerprint(&at.to_le_bytes(), 0)).map(Identity::shared_role).unwrap();
        assert!(Arc::ptr_eq(&role(3), &role(103)));
        assert!(!Arc::ptr_eq(&role(80), &role(180)) && role(80) == role(180));
    }
}
