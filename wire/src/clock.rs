//! Differences between the clocks of the companion and of the gateway that are tolerated. The filter judges the times
//! in tokens by its own clock; the companion keeps revocations long enough for every clock within these limits.

/// Maximum of the filter's setting `clock_skew_seconds`: how long after its `exp` a token may still be accepted.
/// Chosen: machines that keep time are less than a second apart, and every revocation is kept for twice as long beyond
/// the lifetime of its tokens.
pub const MAX_SKEW_S: u32 = 300;

/// Default of the filter's setting `clock_skew_seconds`. Chosen: some times the difference of machines that keep time.
pub const DEFAULT_SKEW_S: u32 = 5;

/// Maximum difference between the companion's clock and the gateway's, in seconds, at which the filter applies a
/// response of the edge feed. A token may be dated ahead by as much, whatever `clock_skew_seconds` says, so that new
/// tokens pass wherever their companion's feed is applied. Chosen: with a greater difference, good tokens look
/// expired.
pub const MAX_GAP_S: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_token::MAX_LIFETIME_S;

    const _: () = assert!(DEFAULT_SKEW_S <= MAX_SKEW_S);

    #[test]
    fn database_revokes_deleted_users_for_as_long_as_their_tokens_may_live() {
        let migration = include_str!("../../migrations/0005_deleted_users.up.sql");
        let latest = format!("clock_timestamp() + interval '{} seconds'", 2 * MAX_SKEW_S + 1);
        assert!(migration.contains(&latest), "{latest}");
        assert_eq!(MAX_LIFETIME_S, 24 * 60 * 60);
        assert!(migration.contains("latest + interval '1 day'"));
    }
}
