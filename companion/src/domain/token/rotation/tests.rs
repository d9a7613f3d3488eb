//! The state machine of keys as data.

use time::macros::datetime;

use super::*;
use Phase::{Announced, Retired, Signing};

const NOW: OffsetDateTime = datetime!(2030-01-01 00:00 UTC);

/// Makes keys of these phases, IDs and ages.
fn keys(keys: &[(Phase, &str, Duration)]) -> Vec<KeyState> {
    let key = |(phase, kid, age): &(Phase, &str, Duration)| KeyState {
        phase: *phase,
        since: NOW - *age,
        kid: (*kid).to_owned(),
        bits: 2048,
    };
    keys.iter().map(key).collect()
}

/// Checks which keys are gone, which one retires and which one signs.
fn check(keys: &[KeyState], gone: &[&str], retired: Option<&str>, signing: &str) {
    let plan = plan(keys, NOW, false).unwrap();
    assert_eq!(plan.gone, gone, "{keys:?}");
    assert_eq!(plan.retired.as_deref(), retired, "{keys:?}");
    assert_eq!(plan.signing, signing, "{keys:?}");
}

#[test]
fn key_is_announced_then_signs_then_is_retired_then_gone() {
    let (day, moment) = (Duration::DAY, Duration::SECOND);
    check(&keys(&[(Signing, "a", day)]), &[], None, "a");
    check(&keys(&[(Signing, "a", day), (Announced, "b", ANNOUNCED_FOR)]), &[], Some("a"), "b");
    let with_retired = |age| keys(&[(Signing, "b", day), (Announced, "c", day), (Retired, "a", age)]);
    check(&with_retired(RETIRED_FOR - moment), &[], Some("b"), "c");
    check(&with_retired(RETIRED_FOR), &["a"], Some("b"), "c");
    check(&keys(&[(Signing, "b", day), (Retired, "a", RETIRED_FOR)]), &["a"], None, "b");
    // However old they are, keys that sign or are announced do not go.
    check(&keys(&[(Signing, "a", day * 999), (Announced, "b", day * 999)]), &[], Some("a"), "b");
}

#[test]
fn interrupted_rotation_of_a_folder_is_completed() {
    let day = Duration::DAY;
    check(&keys(&[(Signing, "b", day), (Announced, "b", day), (Retired, "a", day)]), &[], None, "b");
    let retired_early = keys(&[(Signing, "a", day), (Announced, "b", day), (Retired, "a", Duration::ZERO)]);
    check(&retired_early, &[], Some("a"), "b");
}

#[test]
fn recently_announced_key_does_not_sign_unless_forced() {
    for age in [Duration::ZERO, ANNOUNCED_FOR - Duration::SECOND, -Duration::HOUR] {
        let keys = keys(&[(Signing, "a", Duration::DAY), (Announced, "b", age)]);
        let too_soon = RotationRejection::TooSoon { kid: "b".to_owned(), announced_at: NOW - age };
        assert_eq!(plan(&keys, NOW, false), Err(too_soon));
        assert_eq!(plan(&keys, NOW, true).unwrap().signing, "b");
    }
}

#[test]
fn there_are_never_more_keys_than_gateways_accept() {
    let mut full = keys(&[(Signing, "a", Duration::DAY), (Announced, "b", Duration::DAY)]);
    full.extend(keys(&[(Retired, "c", Duration::HOUR); MAX_KEYS - 2]));
    assert_eq!(plan(&full, NOW, true), Err(RotationRejection::TooMany));
    let gone = full.last_mut().unwrap();
    gone.since = NOW - RETIRED_FOR;
    assert_eq!(plan(&full, NOW, true).unwrap().gone, ["c"]);
}

#[test]
fn without_a_signing_key_nothing_rotates() {
    for left in [keys(&[]), keys(&[(Announced, "b", Duration::DAY), (Retired, "a", Duration::DAY)])] {
        assert_eq!(plan(&left, NOW, true), Err(RotationRejection::NoSigningKey));
    }
}

#[test]
fn new_key_has_the_size_of_the_signing_one() {
    for (bits, size) in [(2048, KeySize::Rsa2048), (3072, KeySize::Rsa3072)] {
        let mut keys = keys(&[(Signing, "a", Duration::DAY)]);
        keys[0].bits = bits;
        assert_eq!(plan(&keys, NOW, false).unwrap().size, size);
    }
}
