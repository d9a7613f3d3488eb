//! New passwords that the policy accepts and rejects.

use super::*;

const DEFAULT: PasswordPolicy = PasswordPolicy { min_chars: 8, min_score: 1 };

fn own_words() -> OwnWords {
    let name = |text| Name::parse(text).unwrap();
    let email = Email::parse("countess.ada@analytical-engine.example").unwrap();
    OwnWords::of_user(&name("Ada"), &name("Lovelace"), &email)
}

fn check_strength(policy: PasswordPolicy, typed: &str) -> Result<(), WeakPasswordRejection> {
    policy.check_strength(&policy.parse(typed).unwrap(), &own_words())
}

#[test]
fn most_used_passwords_are_too_common() {
    for typed in [
        "password",
        "Password",
        "password1",
        "Password123",
        "12345678",
        "qwertyuiop",
        "iloveyou",
        "1q2w3e4r",
        "trustno1",
        "sunshine",
        "baseball",
        "qwerty123",
        "football1",
        "whatever",
    ] {
        let rejection = check_strength(DEFAULT, typed).unwrap_err();
        assert!(matches!(rejection, WeakPasswordRejection::TooCommon(_)), "{typed}: {rejection:?}");
    }
}

#[test]
fn variants_of_most_used_passwords_are_too_weak() {
    for typed in
        ["P@ssw0rd", "Password1!", "drowssap", "aaaaaaaa", "abcdefgh", "12341234", "Qwerty123!", "87654321"]
    {
        let rejection = check_strength(DEFAULT, typed).unwrap_err();
        assert!(matches!(rejection, WeakPasswordRejection::TooWeak(_)), "{typed}: {rejection:?}");
    }
}

#[test]
fn name_or_address_with_little_else_is_too_weak() {
    for typed in [
        "lovelace",
        "Lovelace!",
        "L0velace",
        "AdaLovelace",
        "LovelaceAda1",
        "countess",
        "countess.ada",
        "countess.ada@analytical-engine.example",
        "analytical-engine.example",
    ] {
        let rejection = check_strength(DEFAULT, typed).unwrap_err();
        assert!(matches!(rejection, WeakPasswordRejection::OwnWords(_)), "{typed}: {rejection:?}");
    }
    let another = OwnWords::of_email(&Email::parse("bob@example.com").unwrap());
    assert_eq!(DEFAULT.check_strength(&Password::parse("LovelaceAda1").unwrap(), &another), Ok(()));
}

#[test]
fn passwords_of_several_words_or_odd_characters_pass() {
    for typed in [
        "correct horse",
        "correct horse 1",
        "battery staple",
        "Passw0rd!23",
        "Tr0ub4dor&3",
        "xK9#mQ2$vL",
        "  spaces count  ",
        "Ada reads on the train",
        "p\u{e4}ssw\u{f6}rter",
        "\u{5bc6}\u{7801}\u{5f88}\u{957f}\u{5f88}\u{96be}\u{731c}\u{6d4b}",
    ] {
        assert_eq!(check_strength(DEFAULT, typed), Ok(()), "{typed}");
    }
}

#[test]
fn a_higher_score_asks_for_more_guesses() {
    for (typed, highest) in
        [("Passw0rd!23", 1), ("S3cret!pass", 2), ("correct horse", 3), ("correct horse battery", 4)]
    {
        for min_score in 1..=4 {
            let accepted = check_strength(PasswordPolicy { min_score, ..DEFAULT }, typed).is_ok();
            assert_eq!(accepted, min_score <= highest, "{typed}: {min_score}");
        }
    }
}

#[test]
fn minimum_length_is_that_of_the_policy() {
    let policy = PasswordPolicy { min_chars: 15, ..DEFAULT };
    let parse = |typed: &str| policy.parse(typed).map(|_| ());
    assert_eq!(parse("fourteen chars"), Err(InvalidPassword::TooShort { min: 15 }));
    assert_eq!(parse("short"), Err(InvalidPassword::TooShort { min: 15 }));
    assert_eq!(parse("fifteen letters"), Ok(()));
    assert_eq!(parse(&"a".repeat(73)), Err(InvalidPassword::TooLong));
}

#[test]
fn rejections_advise_and_echo_nothing() {
    let check = |typed: &str, expected: &str| {
        assert_eq!(check_strength(DEFAULT, typed).unwrap_err().to_string(), expected);
    };
    check(
        "baseball",
        "This is one of the most used passwords. Add another word or two. Uncommon words are better.",
    );
    check(
        "L0velace",
        "A password that is made of your name or e-mail address is easy to guess. Add another word or two. Uncommon words \
         are better. Capitalization doesn't help very much. Predictable substitutions like '@' instead of 'a' don't help \
         very much.",
    );
    check(
        "abcdefgh",
        "This password is too easy to guess. Sequences like abc or 6543 are easy to guess. Add another word or two. \
         Uncommon words are better. Avoid sequences.",
    );
    let strict = PasswordPolicy { min_score: 4, ..DEFAULT };
    let rejection = check_strength(strict, "correct horse").unwrap_err();
    assert_eq!(
        rejection.to_string(),
        "This password is too easy to guess. Add another word or two. Uncommon words are better."
    );
}
