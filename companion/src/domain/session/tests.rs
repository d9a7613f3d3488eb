//! What each token is worth at each moment, as a table.

use time::macros::datetime;

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
    }
}

/// A session that was refreshed so many seconds ago, the latest first.
fn refreshed(seconds: &[i64]) -> Session {
    let superseded: Vec<_> = seconds.iter().copied().map(ago).collect();
    Session { updated_at: superseded[0], superseded, ..live() }
}

fn check(session: &Session, presented: RefreshClaims, expected: Result<Step, RefreshRejection>) {
    assert_eq!(session.judge(presented, &LIFETIMES, NOW), expected, "{presented:?} in {session:?}");
}

fn check_generation(session: &Session, generation: i64, expected: Result<Step, RefreshRejection>) {
    check(session, RefreshClaims { generation, ..PRESENTED }, expected);
}

#[test]
fn the_live_token_makes_place_for_its_successor() {
    check(&live(), PRESENTED, Ok(Step::Rotate));
    let next = live().after(Step::Rotate, 5, &LIFETIMES, NOW);
    assert_eq!((next.generation, &*next.superseded), (6, &[NOW][..]));
    assert_eq!((next.updated_at, next.expires_at), (NOW, NOW + Duration::days(30)));
    assert_eq!(
        next.live_token(SessionId(7)),
        RefreshClaims { generation: 6, issued_at: NOW.unix_timestamp(), ..PRESENTED }
    );
}

#[test]
fn the_token_just_before_gets_the_same_successor_whenever_it_comes() {
    for (seconds, expected) in [(0, Step::Repeat), (4, Step::Repeat), (5, Step::Renew), (3600, Step::Renew)] {
        let session = refreshed(&[seconds]);
        check_generation(&session, 4, Ok(expected));
        assert_eq!(session.after(expected, 4, &LIFETIMES, NOW).generation, 5);
    }
}

#[test]
fn what_is_repeated_is_the_same_and_what_is_renewed_lives_on() {
    let session = refreshed(&[9, 20]);
    assert_eq!(session.clone().after(Step::Repeat, 4, &LIFETIMES, NOW), session);
    let renewed = session.clone().after(Step::Renew, 4, &LIFETIMES, NOW);
    let (superseded, expires_at) = (vec![NOW, ago(20)], NOW + Duration::days(30));
    assert_eq!(renewed, Session { superseded, updated_at: NOW, expires_at, ..session });
    // A session from before the times were kept.
    let renewed = Session { superseded: Vec::new(), ..live() }.after(Step::Renew, 4, &LIFETIMES, NOW);
    assert_eq!(renewed.superseded, [NOW]);
}

#[test]
fn the_grace_of_a_token_begins_when_it_was_last_given_its_successor() {
    let session =
        refreshed(&[60]).after(Step::Renew, 4, &LIFETIMES, NOW).after(Step::Rotate, 5, &LIFETIMES, NOW);
    check_generation(&session, 4, Ok(Step::Repeat));
    let session = refreshed(&[60]).after(Step::Rotate, 5, &LIFETIMES, NOW);
    check_generation(&session, 4, Err(RefreshRejection::TokenReused));
}

#[test]
fn an_older_token_is_good_for_the_grace_since_it_was_itself_replaced() {
    for (replaced, generation, expected) in [
        (&[0, 9][..], 3, Ok(Step::Repeat)),
        (&[0, 10], 3, Err(RefreshRejection::TokenReused)),
        (&[0, 1, 2, 3], 1, Ok(Step::Repeat)),
        (&[0, 1, 2, 3], 2, Ok(Step::Repeat)),
        (&[0, 1, 2, 10], 1, Err(RefreshRejection::TokenReused)),
        // The last refresh was just now, but this one's successor came long ago.
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

/// A session that was replaced as often as is remembered, all within the grace.
fn full() -> Session {
    let mut session = Session { generation: 1, superseded: Vec::new(), updated_at: NOW, ..live() };
    for generation in 1..=i64::try_from(MAX_SUPERSEDED).unwrap() {
        assert!(session.has_room(&LIFETIMES, NOW));
        session = session.after(Step::Rotate, generation, &LIFETIMES, NOW);
    }
    session
}

#[test]
fn no_replacement_within_the_grace_is_forgotten_for_the_live_token_is_given_again_until_there_is_room() {
    let session = full();
    assert_eq!((session.generation, session.superseded.len()), (17, MAX_SUPERSEDED));
    for generation in [17, 16, 1] {
        check_generation(&session, generation, Ok(Step::Repeat));
    }
    let check_later = |generation, seconds, expected| {
        let presented = RefreshClaims { generation, ..PRESENTED };
        assert_eq!(session.judge(presented, &LIFETIMES, NOW + Duration::seconds(seconds)), expected);
    };
    check_later(17, 9, Ok(Step::Repeat));
    check_later(1, 9, Ok(Step::Repeat));
    check_later(17, 10, Ok(Step::Rotate));
    check_later(1, 10, Err(RefreshRejection::TokenReused));
    let later = NOW + LIFETIMES.grace;
    assert_eq!(session.after(Step::Rotate, 17, &LIFETIMES, later).superseded, [later]);
}

#[test]
fn a_token_newer_than_the_live_one_goes_on_for_we_have_signed_it_and_the_database_has_lost_it() {
    for generation in [6, 7, i64::MAX] {
        check_generation(&live(), generation, Ok(Step::Rotate));
    }
    let next = refreshed(&[3]).after(Step::Rotate, 7, &LIFETIMES, NOW);
    assert_eq!((next.generation, &*next.superseded), (8, &[NOW, NOW, NOW, ago(3)][..]));
    for (generation, expected) in [
        (8, Ok(Step::Rotate)),
        (7, Ok(Step::Repeat)),
        (4, Ok(Step::Repeat)),
        (3, Err(RefreshRejection::TokenReused)),
    ] {
        check_generation(&next, generation, expected);
    }
    let far = live().after(Step::Rotate, 1_000_000, &LIFETIMES, NOW);
    assert_eq!((far.generation, far.superseded), (1_000_001, vec![NOW; MAX_SUPERSEDED]));
}

#[test]
fn a_clock_that_is_behind_has_the_session_begin_earlier_so_that_its_tokens_count() {
    let begun = Session { created_at: NOW + Duration::milliseconds(200), updated_at: ago(60), ..live() };
    let next = begun.after(Step::Rotate, 5, &LIFETIMES, NOW - Duration::SECOND);
    assert_eq!(next.created_at, NOW - Duration::SECOND);
    check(&next, next.live_token(SessionId(7)), Ok(Step::Rotate));
}

#[test]
fn what_was_replaced_in_a_time_to_come_is_renewed_with_tokens_of_now() {
    for (seconds, expected) in [(5, Step::Repeat), (6, Step::Renew), (3600, Step::Renew)] {
        let session = refreshed(&[-seconds, -seconds]);
        check_generation(&session, 4, Ok(expected));
        check_generation(&session, 3, Ok(expected));
        check_generation(&session, 2, Err(RefreshRejection::TokenReused));
    }
    // However long the grace: the edge's allowance for clocks does not grow with it.
    let generous = Lifetimes { grace: Duration::seconds(60), ..LIFETIMES };
    assert_eq!(
        refreshed(&[-5, -5]).judge(RefreshClaims { generation: 4, ..PRESENTED }, &generous, NOW),
        Ok(Step::Repeat)
    );
    assert_eq!(
        refreshed(&[-6, -6]).judge(RefreshClaims { generation: 4, ..PRESENTED }, &generous, NOW),
        Ok(Step::Renew)
    );
    // Of what is far ahead all is taken for now, of what is a little ahead nothing.
    let check_after = |seconds: &[i64], expected: &[i64]| {
        let after = refreshed(seconds).after(Step::Renew, 4, &LIFETIMES, NOW);
        let expected: Vec<_> = expected.iter().copied().map(ago).collect();
        assert_eq!((after.updated_at, after.superseded), (NOW, expected));
    };
    check_after(&[-11, -2, 3], &[0, 0, 3]);
    check_after(&[-10, -2, 3], &[-10, -2, 3]);
}

#[test]
fn what_is_replaced_is_never_noted_as_earlier_than_what_was_replaced_before() {
    let next = refreshed(&[-3, 9]).after(Step::Rotate, 5, &LIFETIMES, NOW);
    assert_eq!((next.updated_at, next.superseded), (NOW, vec![ago(-3), ago(-3), ago(9)]));
}

#[test]
fn another_persons_session_is_refused() {
    check(&live(), RefreshClaims { user_id: UserId(4), ..PRESENTED }, Err(RefreshRejection::UserMismatch));
}

#[test]
fn a_token_from_before_the_session_is_refused() {
    let earlier = RefreshClaims { issued_at: PRESENTED.issued_at - 1, ..PRESENTED };
    check(&live(), earlier, Err(RefreshRejection::TokenTooOld));
}

#[test]
fn a_session_is_dead_from_the_very_moment_it_expires() {
    check(&Session { expires_at: NOW, ..live() }, PRESENTED, Err(RefreshRejection::SessionExpired));
}

#[test]
fn a_session_does_not_outlive_its_greatest_age_however_it_is_used() {
    let created_at = NOW - LIFETIMES.absolute;
    let presented = PRESENTED;
    check(&Session { created_at, ..live() }, presented, Err(RefreshRejection::SessionExpired));
    let created_at = created_at + Duration::days(1);
    let last = Session { created_at, ..live() }.after(Step::Rotate, 5, &LIFETIMES, NOW);
    assert_eq!(last.expires_at, NOW + Duration::days(1));
}

#[test]
fn a_disabled_user_does_not_refresh() {
    check(&Session { user_disabled: true, ..live() }, PRESENTED, Err(RefreshRejection::UserDisabled));
}

#[test]
fn what_ends_a_session_comes_before_what_a_generation_is_worth() {
    let reused = RefreshClaims { generation: 1, ..PRESENTED };
    check(&Session { user_disabled: true, ..live() }, reused, Err(RefreshRejection::UserDisabled));
    check(&Session { expires_at: NOW, ..live() }, reused, Err(RefreshRejection::SessionExpired));
    check(&live(), RefreshClaims { user_id: UserId(4), ..reused }, Err(RefreshRejection::UserMismatch));
}
