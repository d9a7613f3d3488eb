//! Effects of responses on the edge state.

use super::*;

const NOW: u64 = 1_800_000_000;

/// Returns a response with one revocation: that of the session whose number is `at`.
fn response(at: u64, etag: &str, with_set: bool, cursor: &str, more: bool) -> Vec<u8> {
    let modulus = format!("{}w", "_".repeat(341));
    let set = if with_set {
        format!(r#","set":{{"keys":[{{"kty":"RSA","n":"{modulus}","e":"AQAB"}}]}}"#)
    } else {
        String::new()
    };
    format!(
        r#"{{"at":{at},"keys":{{"etag":"{etag}"{set}}},"revoked":{{"sessions":[[{at},4000000000]],"users":[]}},"cursor":"{cursor}","more":{more}}}"#
    )
    .into_bytes()
}

/// Compares the state, and its age at [`NOW`] + 100.
#[track_caller]
fn check(state: &EdgeState, age_s: u64, generation: u64, revocations: usize, cursor: &str) {
    assert_eq!(state.age_s(NOW + 100), age_s, "age");
    assert_eq!(state.generation(), generation, "generation");
    assert_eq!(state.revocations().len(), revocations, "revocations");
    assert_eq!(state.cursor(), cursor, "cursor");
}

#[test]
fn valid_response_changes_the_state() {
    let mut state = EdgeState::syncing(KeySet::default(), NOW);
    let applied = state.apply(&response(NOW + 20, "e1", true, "c1", true), NOW + 20).unwrap();
    assert_eq!(
        applied,
        Applied { version: None, keys_changed: true, has_more: true, bans_skipped: 0, clock_ahead_s: 0 }
    );
    check(&state, 80, 1, 1, "c1");
    assert!(state.is_syncing(), "there are more pages");
    let applied = state.apply(&response(NOW + 28, "e1", false, "c2", false), NOW + 30).unwrap();
    assert_eq!(
        applied,
        Applied { version: None, keys_changed: false, has_more: false, bans_skipped: 0, clock_ahead_s: -2 }
    );
    check(&state, 70, 1, 2, "c2");
    assert!(!state.is_syncing());
    state.apply(&response(NOW + 43, "e2", true, "c3", true), NOW + 43).unwrap();
    check(&state, 57, 2, 3, "c3");
    assert!(!state.is_syncing(), "later pages make no request wait");
    assert_eq!((state.keys().len(), state.keys_etag()), (1, "e2"));
    assert_eq!(state.age_s(0), 0);
}

#[test]
fn invalid_response_changes_nothing() {
    let mut state = EdgeState::syncing(KeySet::default(), NOW);
    state.apply(&response(NOW + 20, "e1", true, "c1", false), NOW + 20).unwrap();
    for (name, body, now) in [
        ("malformed", b"{}".to_vec(), NOW + 30),
        ("keys_unusable", response(NOW + 30, "e2", false, "c2", false), NOW + 30),
        ("backwards", response(NOW + 14, "e1", false, "c2", false), NOW + 30),
        ("clock_apart", response(NOW + 91, "e1", false, "c2", false), NOW + 30),
    ] {
        assert_eq!(state.apply(&body, now).unwrap_err().label(), name);
        check(&state, 80, 1, 1, "c1");
        assert_eq!(state.revision(), 1, "{name}");
    }
}

#[test]
fn response_of_a_clock_slightly_behind_is_applied() {
    let mut state = EdgeState::syncing(KeySet::default(), NOW);
    state.apply(&response(NOW + 30, "e1", true, "c1", false), NOW + 30).unwrap();
    state.apply(&response(NOW + 25, "e1", false, "c2", false), NOW + 31).unwrap();
    check(&state, 70, 1, 2, "c2");
}

#[test]
fn response_of_a_clock_ahead_hides_no_later_one() {
    let mut state = EdgeState::syncing(KeySet::default(), NOW);
    state.apply(&response(NOW + 100, "e1", true, "c1", false), NOW + 44).unwrap();
    state.apply(&response(NOW + 45, "e1", false, "c2", false), NOW + 45).unwrap();
    check(&state, 56, 1, 2, "c2");
    state.apply(&response(NOW + 51, "e1", false, "c3", false), NOW + 51).unwrap();
    check(&state, 49, 1, 3, "c3");
}

#[test]
fn response_that_a_cache_repeats_does_not_make_the_state_current() {
    let mut state = EdgeState::syncing(KeySet::default(), NOW);
    let cached = response(NOW + 30, "e1", true, "c1", false);
    for now in 30..60 {
        state.apply(&cached, NOW + now).unwrap();
    }
    check(&state, 70, 30, 1, "c1");
}

#[test]
fn keys_of_another_worker_leave_cursor_and_revocations() {
    let mut state = EdgeState::syncing(KeySet::default(), NOW + 50);
    state.apply_keys(&response(NOW, "e1", true, "c1", false), NOW).unwrap();
    assert_eq!((state.keys().len(), state.keys_etag()), (1, "e1"));
    check(&state, 100, 1, 0, "");
    assert_eq!(state.revision(), 0);
    assert!(state.is_syncing());
    state.serve_unsynced();
    assert!(!state.is_syncing());
}

#[test]
fn seeded_keys_replace_no_others() {
    let with_key = |etag: &str| {
        let mut state = EdgeState::default();
        state.apply(&response(NOW, etag, true, "c1", false), NOW).unwrap();
        state
    };
    let mut state = EdgeState::new(KeySet::default(), NOW);
    state.seed_keys(with_key("e1").keys);
    assert_eq!((state.keys().len(), state.generation()), (1, 1));
    state.seed_keys(KeySet::default());
    assert_eq!((state.keys().len(), state.generation()), (1, 1));
}

#[test]
fn clock_that_is_set_back_makes_the_state_no_newer() {
    let mut state = EdgeState::new(KeySet::default(), NOW);
    state.clamp_clock(NOW - 10);
    assert_eq!(state.age_s(NOW), 10);
    state.clamp_clock(NOW);
    assert_eq!(state.age_s(NOW), 10);
}

#[test]
fn revision_changes_exactly_when_revocations_are_added() {
    let mut state = EdgeState::syncing(KeySet::default(), NOW);
    let with = response(NOW, "e1", true, "c1", false);
    let without = String::from_utf8(with.clone()).unwrap().replace(&format!("[{NOW},4000000000]"), "");
    let user = without.replace(r#""users":[]"#, r#""users":[[42,1800000000,4000000000]]"#);
    for (body, expected) in [(&with[..], 1), (without.as_bytes(), 1), (user.as_bytes(), 2), (b"{}", 2)] {
        let _invalid = state.apply(body, NOW);
        assert_eq!(state.revision(), expected, "{}", body.escape_ascii());
    }
}

/// Returns a response with these bans, or without any.
fn with_bans(at: u64, bans: &str) -> Vec<u8> {
    let body = String::from_utf8(response(at, "e1", at == NOW, "c1", false)).unwrap();
    body.replace(r#""more":false"#, &format!(r#""more":false{bans}"#)).into_bytes()
}

#[test]
fn bans_are_replaced_as_a_whole_and_kept_by_their_tag() {
    let mut state = EdgeState::syncing(KeySet::default(), NOW);
    for (bans, expected) in [
        ("", Ok((0, ""))),
        (r#","bans":{"etag":"b1"}"#, Err("malformed")),
        (r#","bans":{"etag":"b1","list":[["192.0.2.0/24","credentials",4000000000]]}"#, Ok((1, "b1"))),
        (r#","bans":{"etag":"b1"}"#, Ok((1, "b1"))),
        ("", Ok((1, "b1"))),
        (r#","bans":{"etag":"b 1"}"#, Err("malformed")),
        (
            r#","bans":{"etag":"b2","list":[["192.0.2.0","refresh",4000000000],["::/64","refresh",4000000000]]}"#,
            Ok((1, "b2")),
        ),
        (r#","bans":{"etag":"b3","list":[]}"#, Ok((0, "b3"))),
    ] {
        let applied = state.apply(&with_bans(NOW, bans), NOW).map_err(|invalid| invalid.label());
        let held = applied.map(|_| (state.bans().len(), state.bans_etag()));
        assert_eq!(held, expected, "{bans}");
    }
    let mut beside = EdgeState::syncing(KeySet::default(), NOW);
    beside.apply_keys(&with_bans(NOW, r#","bans":{"etag":"b9"}"#), NOW).unwrap();
    assert_eq!((beside.keys().len(), beside.bans_etag()), (1, ""), "the keys are usable without the bans");
}
