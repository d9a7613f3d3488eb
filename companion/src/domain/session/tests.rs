//! The outcome of each generation at each time, as tables.

mod authentication;

use time::Duration;
use time::macros::datetime;

use super::authentication::Proof;
use super::*;

const NOW: OffsetDateTime = datetime!(2030-01-01 00:00 UTC);
const LIFETIMES: Lifetimes =
    Lifetimes { idle: Duration::days(30), absolute: Duration::days(180), grace: Duration::seconds(10) };

const PRESENTED: RefreshClaims = RefreshClaims {
    user_id: UserId(3),
    session_id: SessionId(7),
    generation: 5,
    issued_at: NOW.unix_timestamp() - 3600,
};

fn ago(seconds: i64) -> OffsetDateTime {
    NOW - Duration::seconds(seconds)
}

fn live() -> Session {
    Session {
        user_id: UserId(3),
        generation: 5,
        superseded: vec![ago(60)],
        created_at: NOW - Duration::milliseconds(3_599_001),
        updated_at: ago(60),
        expires_at: NOW + Duration::seconds(1),
        user_disabled: false,
        role: Role::parse("customer").unwrap(),
        tokens_not_before: None,
        authentication: Authentication::new(ago(3600), Proof::PasswordAndCode),
    }
}

/// Makes a session that was refreshed so many seconds ago, the latest first.
fn refreshed(seconds: &[i64]) -> Session {
    let superseded: Vec<_> = seconds.iter().copied().map(ago).collect();
    Session { updated_at: superseded[0], superseded, ..live() }
}

fn check(session: &Session, presented: RefreshClaims, expected: Result<Step, RefreshRejection>) {
    assert_eq!(session.decide_refresh(presented, &LIFETIMES, NOW), expected, "{presented:?} in {session:?}");
}

fn check_generation(session: &Session, generation: i64, expected: Result<Step, RefreshRejection>) {
    check(session, RefreshClaims { generation, ..PRESENTED }, expected);
}

#[test]
fn live_token_is_rotated() {
    check(&live(), PRESENTED, Ok(Step::Rotate));
    let next = live().apply(Step::Rotate, 5, &LIFETIMES, NOW);
    assert_eq!((next.generation, &*next.superseded), (6, &[NOW][..]));
    assert_eq!((next.updated_at, next.expires_at), (NOW, NOW + Duration::days(30)));
    assert_eq!(
        next.live_token(SessionId(7)),
        RefreshClaims { generation: 6, issued_at: NOW.unix_timestamp(), ..PRESENTED }
    );
}

#[test]
fn token_just_before_the_live_one_gets_it_again_at_any_time() {
    for (seconds, expected) in [(0, Step::Repeat), (4, Step::Repeat), (5, Step::Renew), (3600, Step::Renew)] {
        let session = refreshed(&[seconds]);
        check_generation(&session, 4, Ok(expected));
        assert_eq!(session.apply(expected, 4, &LIFETIMES, NOW).generation, 5);
    }
}

#[test]
fn repeated_session_is_unchanged_and_renewed_one_lives_longer() {
    let session = refreshed(&[9, 20]);
    assert_eq!(session.clone().apply(Step::Repeat, 4, &LIFETIMES, NOW), session);
    let renewed = session.clone().apply(Step::Renew, 4, &LIFETIMES, NOW);
    let (superseded, expires_at) = (vec![NOW, ago(20)], NOW + Duration::days(30));
    assert_eq!(renewed, Session { superseded, updated_at: NOW, expires_at, ..session });
    // Sessions of an older release have no times.
    let renewed = Session { superseded: Vec::new(), ..live() }.apply(Step::Renew, 4, &LIFETIMES, NOW);
    assert_eq!(renewed.superseded, [NOW]);
}

#[test]
fn grace_period_begins_when_a_token_last_got_its_successor() {
    let session =
        refreshed(&[60]).apply(Step::Renew, 4, &LIFETIMES, NOW).apply(Step::Rotate, 5, &LIFETIMES, NOW);
    check_generation(&session, 4, Ok(Step::Repeat));
    let session = refreshed(&[60]).apply(Step::Rotate, 5, &LIFETIMES, NOW);
    check_generation(&session, 4, Err(RefreshRejection::TokenReused));
}

#[test]
fn older_token_is_accepted_until_its_own_grace_period_is_over() {
    for (replaced, generation, expected) in [
        (&[0, 9][..], 3, Ok(Step::Repeat)),
        (&[0, 10], 3, Err(RefreshRejection::TokenReused)),
        (&[0, 1, 2, 3], 1, Ok(Step::Repeat)),
        (&[0, 1, 2, 3], 2, Ok(Step::Repeat)),
        (&[0, 1, 2, 10], 1, Err(RefreshRejection::TokenReused)),
        // The last refresh was just now, but this generation got its successor long ago.
        (&[0], 3, Err(RefreshRejection::TokenReused)),
        (&[3600], 3, Err(RefreshRejection::TokenReused)),
        (&[0, 1], 2, Err(RefreshRejection::TokenReused)),
        (&[0], 0, Err(RefreshRejection::TokenReused)),
        (&[0], -5, Err(RefreshRejection::TokenReused)),
        (&[0], i64::MIN, Err(RefreshRejection::TokenReused)),
    ] {
        check_generation(&refreshed(replaced), generation, expected);
    }
}

/// Makes a session with as many replacements as are stored, all within the grace period.
fn full() -> Session {
    let mut session = Session { generation: 1, superseded: Vec::new(), updated_at: NOW, ..live() };
    for generation in 1..=i64::try_from(MAX_SUPERSEDED).unwrap() {
        assert!(session.has_room(&LIFETIMES, NOW));
        session = session.apply(Step::Rotate, generation, &LIFETIMES, NOW);
    }
    session
}

#[test]
fn live_token_is_repeated_until_there_is_room_for_a_replacement() {
    let session = full();
    assert_eq!((session.generation, session.superseded.len()), (17, MAX_SUPERSEDED));
    for generation in [17, 16, 1] {
        check_generation(&session, generation, Ok(Step::Repeat));
    }
    let check_later = |generation, seconds, expected| {
        let presented = RefreshClaims { generation, ..PRESENTED };
        assert_eq!(session.decide_refresh(presented, &LIFETIMES, NOW + Duration::seconds(seconds)), expected);
    };
    check_later(17, 9, Ok(Step::Repeat));
    check_later(1, 9, Ok(Step::Repeat));
    check_later(17, 10, Ok(Step::Rotate));
    check_later(1, 10, Err(RefreshRejection::TokenReused));
    let later = NOW + LIFETIMES.grace;
    assert_eq!(session.apply(Step::Rotate, 17, &LIFETIMES, later).superseded, [later]);
}

#[test]
fn token_newer_than_the_live_one_is_rotated_after_lost_writes() {
    for generation in [6, 7, i64::MAX] {
        check_generation(&live(), generation, Ok(Step::Rotate));
    }
    let next = refreshed(&[3]).apply(Step::Rotate, 7, &LIFETIMES, NOW);
    assert_eq!((next.generation, &*next.superseded), (8, &[NOW, NOW, NOW, ago(3)][..]));
    for (generation, expected) in [
        (8, Ok(Step::Rotate)),
        (7, Ok(Step::Repeat)),
        (4, Ok(Step::Repeat)),
        (3, Err(RefreshRejection::TokenReused)),
    ] {
        check_generation(&next, generation, expected);
    }
    let far = live().apply(Step::Rotate, 1_000_000, &LIFETIMES, NOW);
    assert_eq!((far.generation, far.superseded), (1_000_001, vec![NOW; MAX_SUPERSEDED]));
}

#[test]
fn clock_that_is_behind_dates_the_start_back_to_its_tokens() {
    let begun = Session { created_at: NOW + Duration::milliseconds(200), updated_at: ago(60), ..live() };
    let next = begun.apply(Step::Rotate, 5, &LIFETIMES, NOW - Duration::SECOND);
    assert_eq!(next.created_at, NOW - Duration::SECOND);
    check(&next, next.live_token(SessionId(7)), Ok(Step::Rotate));
}

#[test]
fn replacement_dated_too_far_ahead_is_renewed() {
    for (seconds, expected) in [(5, Step::Repeat), (6, Step::Renew), (3600, Step::Renew)] {
        let session = refreshed(&[-seconds, -seconds]);
        check_generation(&session, 4, Ok(expected));
        check_generation(&session, 3, Ok(expected));
        check_generation(&session, 2, Err(RefreshRejection::TokenReused));
    }
    // However long the grace period: the filter's `clock_skew_seconds` does not grow with it.
    let generous = Lifetimes { grace: Duration::seconds(60), ..LIFETIMES };
    assert_eq!(
        refreshed(&[-5, -5]).decide_refresh(RefreshClaims { generation: 4, ..PRESENTED }, &generous, NOW),
        Ok(Step::Repeat)
    );
    assert_eq!(
        refreshed(&[-6, -6]).decide_refresh(RefreshClaims { generation: 4, ..PRESENTED }, &generous, NOW),
        Ok(Step::Renew)
    );
    // Times far ahead are replaced by now, times a little ahead stay.
    let check_renewed = |seconds: &[i64], expected: &[i64]| {
        let renewed = refreshed(seconds).apply(Step::Renew, 4, &LIFETIMES, NOW);
        let expected: Vec<_> = expected.iter().copied().map(ago).collect();
        assert_eq!((renewed.updated_at, renewed.superseded), (NOW, expected));
    };
    check_renewed(&[-11, -2, 3], &[0, 0, 3]);
    check_renewed(&[-10, -2, 3], &[-10, -2, 3]);
}

#[test]
fn times_of_replacement_stay_sorted() {
    let next = refreshed(&[-3, 9]).apply(Step::Rotate, 5, &LIFETIMES, NOW);
    assert_eq!((next.updated_at, next.superseded), (NOW, vec![ago(-3), ago(-3), ago(9)]));
}

#[test]
fn token_of_another_user_is_rejected() {
    check(&live(), RefreshClaims { user_id: UserId(4), ..PRESENTED }, Err(RefreshRejection::UserMismatch));
}

#[test]
fn token_older_than_its_session_is_rejected() {
    let earlier = RefreshClaims { issued_at: PRESENTED.issued_at - 1, ..PRESENTED };
    check(&live(), earlier, Err(RefreshRejection::TokenTooOld));
}

#[test]
fn session_has_expired_from_its_expiration_time_on() {
    check(&Session { expires_at: NOW, ..live() }, PRESENTED, Err(RefreshRejection::SessionExpired));
}

#[test]
fn session_ends_at_its_maximum_lifetime_however_it_is_used() {
    let created_at = NOW - LIFETIMES.absolute;
    let presented = PRESENTED;
    check(&Session { created_at, ..live() }, presented, Err(RefreshRejection::SessionExpired));
    let created_at = created_at + Duration::days(1);
    let last = Session { created_at, ..live() }.apply(Step::Rotate, 5, &LIFETIMES, NOW);
    assert_eq!(last.expires_at, NOW + Duration::days(1));
}

#[test]
fn disabled_user_is_rejected() {
    check(&Session { user_disabled: true, ..live() }, PRESENTED, Err(RefreshRejection::UserDisabled));
}

#[test]
fn expiry_user_and_disabling_are_checked_before_the_generation() {
    let reused = RefreshClaims { generation: 1, ..PRESENTED };
    check(&Session { user_disabled: true, ..live() }, reused, Err(RefreshRejection::UserDisabled));
    check(&Session { expires_at: NOW, ..live() }, reused, Err(RefreshRejection::SessionExpired));
    check(&live(), RefreshClaims { user_id: UserId(4), ..reused }, Err(RefreshRejection::UserMismatch));
}
