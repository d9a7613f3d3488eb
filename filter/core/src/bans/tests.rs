//! Addresses against bans.

use super::*;

const NOW: u64 = 1_800_000_000;
const UNTIL: u32 = 1_800_000_060;

fn ban(network: &str, door: Door, until: u32) -> Ban {
    Ban(network.into(), door, until)
}

fn check(list: &[Ban], address: &str, door: Door, expected: Option<(&str, u64)>) {
    let bans = Bans::read(list).unwrap();
    let judged = bans.judge(address.parse().unwrap(), door, NOW);
    let expected = expected.map_or(Ok(()), |(network, until)| {
        Err(Rejection::AddressBanned { network: network.parse().unwrap(), until, now: NOW })
    });
    assert_eq!(judged, expected, "{address} {door:?}");
}

#[test]
fn ban_concerns_its_network_and_kind_of_request_alone() {
    let list = [
        ban("192.0.2.7/32", Door::Credentials, UNTIL),
        ban("198.51.100.0/24", Door::Refresh, UNTIL),
        ban("2001:db8:0:1::/64", Door::Credentials, UNTIL),
        ban("::/64", Door::Credentials, UNTIL),
    ];
    let until = UNTIL.into();
    check(&list, "192.0.2.7", Door::Credentials, Some(("192.0.2.7/32", until)));
    check(&list, "192.0.2.7", Door::Refresh, None);
    check(&list, "192.0.2.8", Door::Credentials, None);
    check(&list, "198.51.100.200", Door::Refresh, Some(("198.51.100.0/24", until)));
    check(&list, "198.51.100.200", Door::Credentials, None);
    check(&list, "198.51.101.1", Door::Refresh, None);
    check(&list, "2001:db8:0:1:ffff::1", Door::Credentials, Some(("2001:db8:0:1::/64", until)));
    check(&list, "2001:db8:0:2::1", Door::Credentials, None);
    check(&[], "192.0.2.7", Door::Credentials, None);
}

#[test]
fn ban_ends_and_the_longest_one_counts() {
    let now = 1_800_000_000;
    check(&[ban("192.0.2.7/32", Door::Credentials, now)], "192.0.2.7", Door::Credentials, None);
    let list = [
        ban("192.0.2.7/32", Door::Credentials, now + 1),
        ban("192.0.2.0/24", Door::Credentials, now + 9),
        ban("192.0.0.0/16", Door::Credentials, now - 9),
    ];
    check(&list, "192.0.2.7", Door::Credentials, Some(("192.0.2.0/24", NOW + 9)));
}

#[test]
fn loopback_is_never_banned() {
    let list = [ban("0.0.0.0/0", Door::Credentials, UNTIL), ban("::/0", Door::Credentials, UNTIL)];
    for address in ["127.0.0.1", "127.255.0.9", "::1"] {
        check(&list, address, Door::Credentials, None);
    }
    check(&list, "192.0.2.7", Door::Credentials, Some(("0.0.0.0/0", UNTIL.into())));
    check(&list, "2001:db8::1", Door::Credentials, Some(("::/0", UNTIL.into())));
}

#[test]
fn list_is_read_whole_or_rejected() {
    let network = |at: usize| format!("10.{}.{}.0/24", at / 256, at % 256);
    let mut list: Vec<Ban> = (0..MAX_BANS).map(|at| ban(&network(at), Door::Credentials, UNTIL)).collect();
    assert_eq!(Bans::read(&list).unwrap().len(), MAX_BANS);
    check(&list, "10.15.255.1", Door::Credentials, Some(("10.15.255.0/24", UNTIL.into())));
    check(&list, "10.16.0.1", Door::Credentials, None);
    list.push(ban("192.0.2.7/32", Door::Refresh, UNTIL));
    assert_eq!(Bans::read(&list).unwrap_err(), InvalidBans::TooMany);
    let malformed = [ban("192.0.2.7/32", Door::Refresh, UNTIL), ban("192.0.2.7", Door::Refresh, UNTIL)];
    assert_eq!(Bans::read(&malformed).unwrap_err(), InvalidBans::NetworkMalformed(1));
    assert!(Bans::read(&[ban("192.0.2.7/32", Door::Unknown, UNTIL)]).unwrap().is_empty());
}
