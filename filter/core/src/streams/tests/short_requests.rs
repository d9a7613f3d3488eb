//! Requests that a logout or an expiry overtakes: they end by themselves.

use super::*;

#[test]
fn request_that_is_shorter_than_half_a_second_is_not_cut_by_a_logout() {
    let mut world = world();
    world.tick();
    for stream in [1, 2] {
        world.open(stream, 7);
    }
    world.end_session(7);
    for _ in 0..4 {
        assert!(world.next_tick().is_empty());
    }
    world.streams.ended(1);
    assert_eq!(world.next_tick(), [close(2, EndReason::SessionEnded)]);
    assert!(world.next_tick().is_empty());
}

#[test]
fn request_that_is_shorter_than_half_a_second_is_not_cut_by_the_expiry_of_its_token() {
    let mut world = world();
    world.now = EXPIRED;
    world.tick();
    for (stream, token) in [(1, None), (2, Some(&b"token 7"[..]))] {
        world.streams.opened(stream, &identity(1, 7), token);
    }
    for _ in 0..5 {
        assert!(world.next_tick().is_empty());
    }
    world.now += 1;
    let commands = world.next_tick();
    let [Command::Close { stream: 1, reason: EndReason::Expired }, Command::Check(check)] = &commands[..]
    else {
        panic!("{commands:?}")
    };
    assert_eq!(check.refresh_token(), b"token 7");
}

#[test]
fn young_stream_that_left_its_slot_is_not_cut_either() {
    let mut world = world();
    world.tick();
    for stream in 1..=300 {
        world.open(stream, 7);
    }
    world.end_session(7);
    for _ in 0..4 {
        assert!(world.next_tick().is_empty());
    }
    assert_eq!(world.next_tick().len(), 300);
}
