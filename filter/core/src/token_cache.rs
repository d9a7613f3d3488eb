//! Cache of verified tokens: the fingerprint of a token leads to its identity. It is bounded and holds only tokens that
//! were accepted. Expiry and revocation change with time, so callers check both again after each hit.

use std::hash::{BuildHasherDefault, Hasher};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, UnitWeighter};
use siphasher::sip128::SipHasher24;

use crate::claims::Identity;

/// Number of tokens up to which the table grows by steps. A small table stays close together in memory, which saves
/// half a microsecond for each request; with the next token, room for all entries is reserved at once.
const SMALL: usize = 4096;

/// Hash of a token under the cache's secret key and a generation of the key set: 128 bits, for which only a
/// holder of that key can find a collision. It stands in for the token's text, which is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u128);

/// Cache of verified tokens, which the workers of a process may share. An entry takes 32 bytes, some 30 more for the index,
/// and an identity.
///
/// Evicted are the entries that were not used lately (Clock-PRO; Jiang, Chen and Zhang 2005): many tokens that come
/// once do not evict those that come again. The cache keeps the fingerprints of evicted tokens, for half as many as it
/// has entries; a token among them that comes again stays. So a cache full of expired tokens makes room for others.
///
/// It consists of shards. To look a token up takes the lock of its shard for reading, to insert one for writing, and
/// nothing is computed under either: signatures are verified outside.
pub struct TokenCache {
    hasher: SipHasher24,
    identities: Cache<u128, Identity, UnitWeighter, BuildHasherDefault<FingerprintHasher>>,
    /// Maximum number of entries.
    capacity: usize,
}

impl TokenCache {
    /// Returns an empty cache for at most `capacity` tokens (0 for none), with a random secret key. `shards` is rounded up
    /// to a power of two, and then halved until a shard has room for 32 tokens; a host with one thread needs one.
    #[must_use]
    pub fn new(capacity: usize, shards: usize, key: [u8; 16]) -> Self {
        let mut options = OptionsBuilder::new();
        // From the number of items follows the number of fingerprints that are kept of evicted tokens: half as many.
        options.shards(shards).estimated_items_capacity(capacity);
        options.weight_capacity(capacity.try_into().unwrap_or(u64::MAX));
        let options = options.build().unwrap_or_else(|_| unreachable!("the capacity is given"));
        let hasher = BuildHasherDefault::default();
        let identities = Cache::with_options(options, UnitWeighter, hasher, DefaultLifecycle::default());
        Self { hasher: SipHasher24::new_with_key(&key), identities, capacity }
    }

    /// Returns a token's fingerprint. It includes the generation of the key set: with other keys, a token is verified
    /// again.
    #[must_use]
    pub fn fingerprint(&self, token: &[u8], generation: u64) -> Fingerprint {
        Fingerprint(self.hasher.hash(token).as_u128() ^ u128::from(generation))
    }

    /// Returns the identity of a cached token. It may have expired or been revoked since.
    #[must_use]
    pub fn get(&self, Fingerprint(token): Fingerprint) -> Option<Identity> {
        self.identities.get(&token)
    }

    /// Inserts the identity of a token that was just verified.
    pub fn insert(&self, Fingerprint(token): Fingerprint, identity: Identity) {
        // The allocator of WebAssembly never returns the memory of the smaller tables. Elsewhere the number of tokens would
        // be the sum over all shards.
        if cfg!(target_family = "wasm") && self.identities.len() == SMALL {
            self.identities.reserve(self.capacity.saturating_sub(SMALL));
        }
        self.identities.insert(token, identity);
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
    use std::thread;

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
        let cache = TokenCache::new(8, 1, [7; 16]);
        let known = cache.fingerprint(b"a.b.c", 1);
        cache.insert(known, identity(42, "customer"));
        for (token, generation, expected) in [
            (&b"a.b.c"[..], 1, Some(42)),
            (b"a.b.c", 2, None),
            (b"a.b.d", 1, None),
            (b"a.b.c ", 1, None),
            (b"", 1, None),
        ] {
            let found = cache.get(cache.fingerprint(token, generation)).map(|identity| identity.user_id());
            assert_eq!(found, expected, "{} {generation}", token.escape_ascii());
        }
        assert_ne!(TokenCache::new(8, 1, [8; 16]).fingerprint(b"a.b.c", 1), known);
    }

    // holds: invariant 3, promise 6
    #[test]
    fn capacity_is_never_exceeded_and_reused_tokens_stay() {
        let cache = TokenCache::new(100, 1, [7; 16]);
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
        let cache = TokenCache::new(100, 1, [7; 16]);
        let mut numbers = 0..;
        let mut insert_new = |cache: &TokenCache| {
            let token: u32 = numbers.next().unwrap();
            cache.insert(cache.fingerprint(&token.to_le_bytes(), 0), identity(2, "customer"));
        };
        for _ in 0..1000 {
            insert_new(&cache);
        }
        let regulars: Vec<Fingerprint> = (0..20_u8).map(|at| cache.fingerprint(&[at], 0)).collect();
        let mut round = |cache: &TokenCache| {
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
        assert_eq!(round(&cache), 20);
        for _ in 0..10 {
            round(&cache);
        }
        assert_eq!(round(&cache), 0);
    }

    #[test]
    fn a_cache_that_comes_to_know_many_forgets_none_of_the_first() {
        let cache = TokenCache::new(2 * SMALL, 1, [7; 16]);
        let tokens: Vec<Fingerprint> =
            (0..2 * SMALL).map(|at| cache.fingerprint(&at.to_le_bytes(), 0)).collect();
        for &token in &tokens {
            cache.insert(token, identity(1, "customer"));
        }
        assert!(tokens.iter().all(|&token| cache.get(token).is_some()));
    }

    #[test]
    fn a_cache_of_no_entries_knows_nothing() {
        let cache = TokenCache::new(0, 1, [7; 16]);
        let token = cache.fingerprint(b"a.b.c", 0);
        cache.insert(token, identity(42, "customer"));
        assert!(cache.get(token).is_none() && cache.is_empty());
    }

    #[test]
    fn tokens_of_several_threads_are_found_by_all_of_them() {
        let cache = TokenCache::new(4096, 8, [7; 16]);
        let token = |at: u64| cache.fingerprint(&at.to_le_bytes(), 0);
        thread::scope(|scope| {
            for first in [0, 500, 1000, 1500] {
                let (cache, token) = (&cache, &token);
                scope.spawn(move || {
                    for user in first + 1..=first + 500 {
                        cache.insert(token(user), identity(user, "customer"));
                        assert_eq!(cache.get(token(user)).map(|found| found.user_id()), Some(user));
                    }
                });
            }
        });
        for user in 1..=2000 {
            assert_eq!(cache.get(token(user)).map(|found| found.user_id()), Some(user));
        }
    }
}
