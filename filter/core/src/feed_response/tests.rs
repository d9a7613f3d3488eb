//! Responses of the edge feed, valid and not.

use super::*;

const NOW: u64 = 1_800_000_000;

/// Returns a valid response without revocations, with these members changed or added, or removed if empty.
fn response(keys: &str, others: &[(&str, &str)]) -> String {
    let mut members = vec![
        ("at", "1800000000"),
        ("keys", keys),
        ("revoked", r#"{"sessions":[],"users":[]}"#),
        ("cursor", r#""c1""#),
        ("more", "false"),
    ];
    for (name, value) in others {
        members.retain(|(this, _)| this != name);
        if !value.is_empty() {
            members.push((name, value));
        }
    }
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn check(body: &str, held: &str, expected: &str) {
    let outcome = match read(body.as_bytes(), held, NOW) {
        Ok(update) => {
            let keys = update
                .keys
                .map_or("same keys".to_owned(), |(etag, keys)| format!("{} keys as {etag}", keys.len()));
            let (sessions, users) = (update.revoked.sessions.len(), update.revoked.users.len());
            format!(
                "{keys}, {sessions} sessions, {users} users, on at {}, more: {}",
                update.cursor, update.more
            )
        }
        Err(invalid) => invalid.to_string(),
    };
    assert_eq!(outcome, expected, "{body}");
}

const SAME: &str = r#"{"etag":"e1"}"#;

#[test]
fn response_has_a_page_of_revocations_and_keys_if_they_changed() {
    let modulus = format!("{}w", "_".repeat(341));
    let set = format!(r#"{{"keys":[{{"kty":"RSA","kid":"a","n":"{modulus}","e":"AQAB"}}]}}"#);
    let fresh = format!(r#"{{"etag":"e1","set":{set}}}"#);
    check(&response(&fresh, &[]), "", "1 keys as e1, 0 sessions, 0 users, on at c1, more: false");
    check(
        &response(&fresh, &[("later", "1")]),
        "e1",
        "1 keys as e1, 0 sessions, 0 users, on at c1, more: false",
    );
    check(&response(SAME, &[]), "e1", "same keys, 0 sessions, 0 users, on at c1, more: false");
    let page = ("revoked", r#"{"sessions":[[7,1800003600],[8,1]],"users":[[42,1800000001,1800003600]]}"#);
    check(
        &response(SAME, &[page, ("more", "true"), ("cursor", r#""77-1.10:20:11,12~3""#)]),
        "e1",
        "same keys, 2 sessions, 1 users, on at 77-1.10:20:11,12~3, more: true",
    );
}

#[test]
fn invalid_response_is_rejected_with_its_reason() {
    check("", "", "the response is not an edge feed: EOF while parsing a value at line 1 column 0");
    let cut = response(SAME, &[]).replace('}', "");
    assert!(matches!(read(cut.as_bytes(), "e1", NOW), Err(InvalidFeed::Malformed(_))), "{cut}");
    for missing in ["at", "keys", "revoked", "cursor", "more"] {
        let body = response(SAME, &[(missing, "")]);
        let expected = format!(
            "the response is not an edge feed: missing field `{missing}` at line 1 column {}",
            body.len()
        );
        check(&body, "e1", &expected);
    }
    check(&response(SAME, &[]), "", "keys.set is missing, though keys.etag is new");
    check(&response(r#"{"etag":"e1","set":{"keys":[]}}"#, &[]), "", "keys.set has no key");
    for etag in ["e 1", ""] {
        let keys = format!(r#"{{"etag":"{etag}"}}"#);
        check(&response(&keys, &[]), etag, "keys.etag is not 1 to 64 bytes of [0-9A-Za-z_-]");
    }
    check(
        &response(r#"{"etag":"e1","set":{"keys":[{"kty":"EC"}]}}"#, &[]),
        "",
        "keys.set: key 0 has a kty other than \"RSA\"",
    );
    let long = format!("\"{}\"", "c".repeat(MAX_CURSOR_BYTES + 1));
    for cursor in [r#""""#, r#""a b""#, r#""a&b""#, r#""é""#, &long] {
        let expected = "cursor is not 1 to 2048 bytes of [0-9A-Za-z:,.~_-]";
        check(&response(SAME, &[("cursor", cursor)]), "e1", expected);
    }
    for wrong in ["[[7]]", "[[7,1,1]]", "[[-7,1]]", "[[7,4294967296]]", "[[7,null]]", "[7]", "null"] {
        let body = response(SAME, &[("revoked", &format!(r#"{{"sessions":{wrong},"users":[]}}"#))]);
        assert!(matches!(read(body.as_bytes(), "e1", NOW), Err(InvalidFeed::Malformed(_))), "{body}");
    }
    let many = format!(r#"{{"sessions":[{}[1,1]],"users":[]}}"#, "[1,1],".repeat(MAX_PAGE));
    check(&response(SAME, &[("revoked", &many)]), "e1", "revoked has more than 8192 entries");
    check(&" ".repeat(MAX_BYTES + 1), "", "the response has more than 786432 bytes");
}

#[test]
fn page_of_the_largest_numbers_fits() {
    let one = format!("[{0},{1},{1}],", u64::MAX, u32::MAX);
    let page = format!(r#"{{"sessions":[],"users":[{}[1,1,1]]}}"#, one.repeat(MAX_PAGE - 1));
    check(
        &response(SAME, &[("revoked", &page)]),
        "e1",
        "same keys, 0 sessions, 8192 users, on at c1, more: false",
    );
}

#[test]
fn response_of_a_clock_more_than_a_minute_apart_is_rejected() {
    for (at, expected) in [
        ("1799999940", Ok(())),
        ("1800000060", Ok(())),
        (
            "1799999939",
            Err("the companion's clock is -61 s ahead of the gateway's, and at most 60 are allowed"),
        ),
        (
            "1800000061",
            Err("the companion's clock is 61 s ahead of the gateway's, and at most 60 are allowed"),
        ),
    ] {
        let body = response(SAME, &[("at", at)]);
        let read = read(body.as_bytes(), "e1", NOW).map(|_| ()).map_err(|invalid| invalid.to_string());
        assert_eq!(read, expected.map_err(str::to_owned), "{at}");
    }
    for at in ["0", "18446744073709551615"] {
        let body = response(SAME, &[("at", at)]);
        assert!(matches!(read(body.as_bytes(), "e1", NOW), Err(InvalidFeed::ClockApart { .. })), "{at}");
    }
}

#[test]
fn bans_of_another_release_are_read_as_far_as_they_are_known() {
    let list =
        r#"[["192.0.2.0/24","credentials",7],["2001:db8::/64","refresh",8],["192.0.2.0/24","mail",9]]"#;
    let body = response(SAME, &[("bans", &format!(r#"{{"etag":"b1","list":{list}}}"#))]);
    let (etag, bans) = read(body.as_bytes(), "e1", NOW).unwrap().bans.unwrap();
    assert_eq!((etag.as_str(), bans.unwrap().len()), ("b1", 2));
    assert!(read(response(SAME, &[]).as_bytes(), "e1", NOW).unwrap().bans.is_none());
}

#[test]
fn longest_bans_leave_room_for_a_page_of_revocations() {
    let network = "2001:db80:ffff:ffff:ffff:ffff:ffff:ffff/128";
    let bans =
        vec![Ban(network.into(), edgeward_wire::BanScope::Credentials, u32::MAX); edgeward_wire::MAX_BANS];
    let users = vec![edgeward_wire::RevokedUser(1 << 40, u32::MAX, u32::MAX); MAX_PAGE];
    let len = |json: serde_json::Result<Vec<u8>>| json.unwrap().len();
    let (bans, users) = (len(serde_json::to_vec(&bans)), len(serde_json::to_vec(&users)));
    assert!(bans + users < MAX_BYTES - 16 * 1024, "{bans} bytes of bans, {users} of revocations");
}
