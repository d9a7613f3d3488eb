//! The buckets of each kind of attempt.

use time::Duration;

use std::collections::HashSet;

use super::*;

fn buckets() -> Buckets {
    let limit = |burst| Limit::new(burst, Duration::MINUTE);
    let limits = Limits { account: limit(5), address: limit(7), registration: limit(3), mail: limit(2) };
    Buckets::new(&"a secret of the tests".into(), limits)
}

fn check(buckets: &[Bucket], expected: &[(&str, u32, Option<&str>)]) {
    let networks: Vec<_> =
        buckets.iter().map(|bucket| bucket.network.map(|network| network.to_string())).collect();
    let found: Vec<_> = buckets
        .iter()
        .zip(&networks)
        .map(|(bucket, network)| (bucket.kind.label(), bucket.limit.burst(), network.as_deref()))
        .collect();
    assert_eq!(found, expected);
}

fn login(client: &str, email: &str, device: Option<i64>) -> Vec<Bucket> {
    let email = Email::parse(email).unwrap();
    buckets().of_login(Authenticator::Password, client.parse().ok(), &email, device.map(SessionId))
}

const ADA: &str = "ada@example.com";

#[test]
fn unknown_device_is_charged_for_address_network_and_account() {
    let account = ("account", 5, None);
    check(
        &login("203.0.113.7", ADA, None),
        &[("address", 7, Some("203.0.113.7/32")), ("network", 70, None), account],
    );
    check(
        &login("2001:db8:1:2:3::4", ADA, None),
        &[("address", 7, Some("2001:db8:1:2::/64")), ("network", 70, None), account],
    );
    check(&login("unknown", ADA, None), &[("network", 70, None), account]);
    for loopback in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        check(&login(loopback, ADA, None), &[account]);
    }
}

#[test]
fn known_device_is_charged_for_itself_alone() {
    check(&login("203.0.113.7", ADA, Some(1)), &[("device", 5, None), ("device_logins", 50, None)]);
    assert_ne!(login("::1", ADA, Some(1)), login("::1", ADA, Some(2)));
    assert_ne!(login("::1", ADA, Some(1)), login("::1", "bob@example.com", Some(1)));
}

#[test]
fn request_for_a_passkey_has_buckets_of_its_own() {
    let client = "192.0.2.1".parse().ok();
    let request = buckets().of_passkey_request(client, None);
    check(&request, &[("address", 70, None), ("network", 700, None)]);
    let others = [buckets().of_registration(client), login("192.0.2.1", ADA, None)].concat();
    assert!(request.iter().all(|bucket| others.iter().all(|other| other.key != bucket.key)));
}

#[test]
fn known_device_and_pending_login_ask_for_passkeys_from_their_own_buckets() {
    let client = "192.0.2.1".parse().ok();
    let of_device =
        |account, session| buckets().of_passkey_request(client, Some((account, SessionId(session))));
    check(&of_device("a", 1), &[("device_logins", 50, None)]);
    check(&[buckets().of_pending_login(&[1; 32])], &[("device_logins", 5, None)]);
    let devices = [of_device("a", 1), of_device("a", 2), of_device("b", 1)].concat();
    let logins = [1, 2].map(|login| buckets().of_pending_login(&[login; 32]));
    let keys: HashSet<_> = devices.iter().chain(&logins).map(|bucket| bucket.key).collect();
    assert_eq!(keys.len(), 5);
    assert_eq!(of_device("a", 1), of_device("a", 17), "sixteen devices of an account");
}

#[test]
fn registration_has_buckets_of_its_own() {
    let client = "203.0.113.7".parse().ok();
    let registration = buckets().of_registration(client);
    check(&registration, &[("address", 3, None), ("network", 30, None)]);
    let login = login("203.0.113.7", ADA, None);
    assert!(registration.iter().all(|bucket| login.iter().all(|other| other.key != bucket.key)));
    check(&buckets().of_registration("::1".parse().ok()), &[]);
}

#[test]
fn addresses_of_one_ipv6_host_share_their_buckets() {
    assert_eq!(login("2001:db8:1:2::a", ADA, None), login("2001:db8:1:2:ffff::b", ADA, None));
    assert_ne!(login("2001:db8:1:2::a", ADA, None), login("2001:db8:1:3::a", ADA, None));
    assert_eq!(login("::ffff:203.0.113.7", ADA, None), login("203.0.113.7", ADA, None));
}

#[test]
fn devices_of_an_account_share_sixteen_buckets() {
    let keys: HashSet<_> =
        (1..=1000).map(|session| login("203.0.113.7", ADA, Some(session))[0].key).collect();
    assert_eq!(keys.len(), 16);
    assert_ne!(login("203.0.113.7", ADA, Some(1))[0].key, login("203.0.113.7", ADA, Some(2))[0].key);
}

#[test]
fn factor_and_password_have_counts_of_their_own() {
    let (client, email) = ("203.0.113.7".parse().ok(), Email::parse(ADA).unwrap());
    let keys = |authenticator: Authenticator| {
        let buckets = buckets();
        let logins =
            [None, Some(SessionId(1))].map(|device| buckets.of_login(authenticator, client, &email, device));
        let proofs = buckets.of_reauthentication(authenticator, &email, SessionId(1));
        logins.into_iter().flatten().chain(proofs).map(|bucket| bucket.key).collect::<HashSet<_>>()
    };
    let [password, factor] = Authenticator::ALL.map(keys);
    assert_eq!((password.len(), factor.len()), (7, 7));
    assert!(password.is_disjoint(&factor));
    for (keys, authenticator) in [(password, Authenticator::Password), (factor, Authenticator::Factor)] {
        let own = keys.iter().filter(|key| authenticator.key_prefixes().contains(&key[0].into()));
        assert_eq!(own.count(), 5, "all but those of addresses");
    }
}

#[test]
fn session_that_proves_a_password_takes_nothing_from_logins() {
    let email = Email::parse(ADA).unwrap();
    let of_session =
        |session| buckets().of_reauthentication(Authenticator::Password, &email, SessionId(session));
    check(&of_session(1), &[("device", 5, None), ("device_logins", 50, None)]);
    let keys = |buckets: Vec<Bucket>| buckets.into_iter().map(|bucket| bucket.key);
    let all = keys(of_session(1)).chain(keys(of_session(17))).chain(keys(login("", ADA, Some(1))));
    assert_eq!(all.collect::<HashSet<_>>().len(), 6);
}
