//! Rows as data: what is read of each, and every mistake of those that cannot be imported.

use super::*;

/// Salt and digest of a hash.
const ENCODED: &str = "abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";

fn row(fields: &[(&str, &str)]) -> Row {
    let mut row = Row::default();
    for (name, text) in [("firstName", "Ada"), ("lastName", "Lovelace"), ("email", "ada@example.com")] {
        if !fields.iter().any(|(other, _)| Column::parse(other) == Column::parse(name)) {
            row.set(Column::parse(name).unwrap(), text.to_owned()).unwrap();
        }
    }
    for (name, text) in fields {
        row.set(Column::parse(name).unwrap(), (*text).to_owned()).unwrap();
    }
    row
}

fn read(fields: &[(&str, &str)]) -> ImportedUser {
    let origin = Origin { keep_ids: true, own_hashes: false };
    let fields = [&[("id", "7")], fields].concat();
    row(&fields).read(origin).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn mistakes(fields: &[(&str, &str)]) -> Vec<String> {
    let origin = Origin { keep_ids: true, own_hashes: false };
    let mistakes = row(fields).read(origin).err().unwrap_or_default();
    mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_row_is_read_by_the_rules_of_accounts() {
    let user = read(&[("firstName", " Zoe\u{308} "), ("email", "Ada@Example.com"), ("role", "admin")]);
    assert_eq!(user.id, Some(UserId(7)));
    assert_eq!(user.user.first_name.as_str(), "Zoë");
    assert_eq!(user.user.email.as_str(), "ada@example.com");
    assert_eq!(user.user.role.as_str(), "admin");
    let plain = read(&[("role", ""), ("password", "")]);
    assert_eq!(plain.user.role.as_str(), "customer");
    assert!(plain.hash.is_none() && !plain.is_disabled && plain.created_at.is_none());
}

#[test]
fn ids_are_read_only_if_they_are_kept() {
    let fields = row(&[("id", "0e5f7c1a")]);
    assert_eq!(fields.read(Origin::default()).ok().unwrap().id, None);
    assert_eq!(mistakes(&[]), ["id: is required"]);
    assert_eq!(mistakes(&[("id", "0e5f7c1a")]), ["id: a user ID is a positive decimal number"]);
    assert_eq!(mistakes(&[("id", "9007199254740992")]), ["id: a user ID is at most 9007199254740991"]);
}

#[test]
fn every_mistake_of_a_row_is_named() {
    let fields = [
        ("id", "1"),
        ("first_name", " "),
        ("last_name", ""),
        ("email", "ada"),
        ("role", "Admin"),
        ("password", "correct horse"),
        ("disabled", "no"),
        ("created_at", "yesterday"),
    ];
    assert_eq!(
        mistakes(&fields),
        [
            "first_name: A name is required",
            "last_name: is required",
            "email: E-mail is not an e-mail address",
            "role: a role is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit",
            "password_hash: is not a bcrypt hash of 60 characters that begins with $2a$, $2b$ or $2y$",
            "disabled: is neither true nor false",
            "created_at: is not a time like 2026-01-31T12:00:00Z",
        ]
    );
}

#[test]
fn bcrypt_hashes_of_other_systems_are_marked_as_such() {
    let check = |prefix: &str, own_hashes, expected: &str| {
        let text = format!("{prefix}{ENCODED}");
        let origin = Origin { keep_ids: false, own_hashes };
        let hash = row(&[("password_hash", &text)]).read(origin).ok().unwrap().hash.unwrap();
        assert_eq!(hash.expose(), format!("{expected}{ENCODED}"));
    };
    check("$2a$10$", false, "$2a$10$");
    check("$2b$10$", false, "$2y$10$");
    check("$2b$10$", true, "$2b$10$");
    check("$2y$04$", false, "$2y$04$");
    check("$2y$16$", true, "$2y$16$");
}

#[test]
fn texts_that_no_password_can_match_are_no_hashes() {
    let check = |text: &str, expected| assert_eq!(hash::parse(text, false).err(), Some(expected), "{text}");
    let after = |start| ENCODED.get(start..).unwrap();
    for prefix in ["$2x$10$", "$2$10$", "$1$10$", "$2a$+9$", "$2a$1$0", "$2c$10$"] {
        check(&format!("{prefix}{ENCODED}"), InvalidHash::NotBcrypt);
    }
    check(&format!("$2a$10${}", after(1)), InvalidHash::NotBcrypt);
    check(&format!("$2a$10${ENCODED}."), InvalidHash::NotBcrypt);
    check(&format!("$2a$10$é{}", after(2)), InvalidHash::NotBcrypt);
    for cost in ["00", "03", "17", "31", "99"] {
        check(&format!("$2a${cost}${ENCODED}"), InvalidHash::Cost);
    }
    check(&format!("$2a$10${}=", after(1)), InvalidHash::Encoding);
    check(&format!("$2a$10$!{}", after(1)), InvalidHash::Encoding);
    check(&format!("$2a$10$abcdefghijklmnopqrstuv{}", after(22)), InvalidHash::Encoding);
    check(&format!("$2a$10${}T", ENCODED.strip_suffix('S').unwrap()), InvalidHash::Encoding);
}

#[test]
fn a_user_is_disabled_by_a_word_or_a_time() {
    let time = "2026-01-31T12:00:00Z";
    for (fields, expected) in [
        (vec![], (false, false)),
        (vec![("disabled", "false")], (false, false)),
        (vec![("disabled", "true")], (true, false)),
        (vec![("disabledAt", time)], (true, true)),
        (vec![("disabled", "true"), ("disabled_at", time)], (true, true)),
    ] {
        let user = read(&fields);
        assert_eq!((user.is_disabled, user.disabled_at.is_some()), expected, "{fields:?}");
    }
    let contradiction = [("id", "1"), ("disabled", "false"), ("disabled_at", time)];
    assert_eq!(mistakes(&contradiction), ["disabled: is false, but disabled_at is set"]);
}

#[test]
fn names_of_columns_have_two_spellings_and_no_others() {
    let check = |names: &str, ignore, expected: Result<Vec<Option<Column>>, InvalidColumns>| {
        let names: Vec<_> = names.split(',').map(str::to_owned).collect();
        assert_eq!(map_columns(&names, ignore), expected, "{names:?}");
    };
    let names = [Column::FirstName, Column::LastName, Column::Email].map(Some);
    check("firstName,last_name,email", false, Ok(names.to_vec()));
    check("firstName,last_name,email,tenantId", true, Ok([&names[..], &[None]].concat()));
    let unknown = vec!["tenantId".to_owned(), "E-Mail".to_owned()];
    check("firstName,tenantId,E-Mail", false, Err(InvalidColumns::Unknown(unknown)));
    check("first_name,last_name", false, Err(InvalidColumns::Missing(Column::Email)));
    check("first_name,firstName,email", false, Err(InvalidColumns::Repeated(Column::FirstName)));
}
