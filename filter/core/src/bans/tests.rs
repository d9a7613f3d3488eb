//! Addresses against bans.

use super::*;

const NOW: u64 = 1_800_000_000;
const UNTIL: u32 = 1_800_000_060;

fn ban(network: &str, scope: BanScope, until: u32) -> Ban {
    Ban(network.into(), scope, until)
}

fn check(list: &[Ban], address: &str, scope: BanScope, expected: Option<(&str, u64)>) {
    let bans = Bans::read(list);
    let judged = bans.judge(address.parse().unwrap(), scope, NOW);
    let expected = expected.map_or(Ok(()), |(network, until)| {
        Err(Rejection::NetworkBanned { network: network.parse().unwrap(), until, now: NOW })
    });
    assert_eq!(judged, expected, "{address} {scope:?}");
}

#[test]
fn ban_concerns_its_network_and_kind_of_request_alone() {
    let list = [
        ban("192.0.2.7/32", BanScope::Credentials, UNTIL),
        ban("198.51.100.0/24", BanScope::Refresh, UNTIL),
        ban("2001:db8:0:1::/64", BanScope::Credentials, UNTIL),
        ban("::/64", BanScope::Credentials, UNTIL),
    ];
    let until = UNTIL.into();
    check(&list, "192.0.2.7", BanScope::Credentials, Some(("192.0.2.7/32", until)));
    check(&list, "192.0.2.7", BanScope::Refresh, None);
    check(&list, "192.0.2.8", BanScope::Credentials, None);
    check(&list, "198.51.100.200", BanScope::Refresh, Some(("198.51.100.0/24", until)));
    check(&list, "198.51.100.200", BanScope::Credentials, None);
    check(&list, "198.51.101.1", BanScope::Refresh, None);
    check(&list, "2001:db8:0:1:ffff::1", BanScope::Credentials, Some(("2001:db8:0:1::/64", until)));
    check(&list, "2001:db8:0:2::1", BanScope::Credentials, None);
    check(&[], "192.0.2.7", BanScope::Credentials, None);
}

#[test]
fn ban_ends_and_the_longest_one_counts() {
    let now = 1_800_000_000;
    check(&[ban("192.0.2.7/32", BanScope::Credentials, now)], "192.0.2.7", BanScope::Credentials, None);
    let list = [
        ban("192.0.2.7/32", BanScope::Credentials, now + 1),
        ban("192.0.2.0/24", BanScope::Credentials, now + 9),
        ban("192.0.0.0/16", BanScope::Credentials, now - 9),
    ];
    check(&list, "192.0.2.7", BanScope::Credentials, Some(("192.0.2.0/24", NOW + 9)));
}

#[test]
fn loopback_is_never_banned() {
    let list = [ban("0.0.0.0/0", BanScope::Credentials, UNTIL), ban("::/0", BanScope::Credentials, UNTIL)];
    for address in ["127.0.0.1", "127.255.0.9", "::1"] {
        check(&list, address, BanScope::Credentials, None);
    }
    check(&list, "192.0.2.7", BanScope::Credentials, Some(("0.0.0.0/0", UNTIL.into())));
    check(&list, "2001:db8::1", BanScope::Credentials, Some(("::/0", UNTIL.into())));
}

#[test]
fn entries_beyond_the_limit_or_without_a_network_are_skipped() {
    let network = |at: usize| format!("10.{}.{}.0/24", at / 256, at % 256);
    let mut list: Vec<Ban> =
        (0..MAX_BANS).map(|at| ban(&network(at), BanScope::Credentials, UNTIL)).collect();
    let held = |list: &[Ban]| {
        let bans = Bans::read(list);
        (bans.len(), bans.skipped())
    };
    assert_eq!(held(&list), (MAX_BANS, 0));
    check(&list, "10.15.255.1", BanScope::Credentials, Some(("10.15.255.0/24", UNTIL.into())));
    check(&list, "10.16.0.1", BanScope::Credentials, None);
    list.push(ban("192.0.2.7/32", BanScope::Refresh, UNTIL));
    assert_eq!(held(&list), (MAX_BANS, 1));
    let malformed =
        [ban("192.0.2.7", BanScope::Refresh, UNTIL), ban("192.0.2.8/32", BanScope::Refresh, UNTIL)];
    assert_eq!(held(&malformed), (1, 1));
    check(&malformed, "192.0.2.8", BanScope::Refresh, Some(("192.0.2.8/32", UNTIL.into())));
    assert_eq!(held(&[ban("192.0.2.7/32", BanScope::Unknown, UNTIL)]), (0, 0));
}
