//! Secrets: their form, their files, and that they are never shown.

use super::*;

#[test]
fn several_refresh_secrets_are_read_newest_first() {
    let newer = "f".repeat(32);
    let config = read::<Config>(&given(&[("REFRESH_JWT_SECRET", &format!("{newer}, {SECRET}"))])).unwrap();
    let secrets: Vec<_> = config.tokens.refresh_secrets.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, [newer.as_str(), SECRET]);
    let one_is_short = format!("{newer},short");
    assert!(read::<Config>(&given(&[("REFRESH_JWT_SECRET", &one_is_short)])).is_err());
}

#[test]
fn a_feed_secret_can_travel_in_a_header_field() {
    check(&[("FEED_SECRET", &"a".repeat(32))], &[]);
    let expected = [
        "FEED_SECRET has a secret with characters other than visible ASCII, which no header field can carry",
    ];
    check(&[("FEED_SECRET", &"é".repeat(32))], &expected);
    check(&[("FEED_SECRET", &"a b".repeat(16))], &expected);
}

#[test]
fn a_secret_comes_from_its_file_but_not_from_both() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{SECRET}").unwrap();
    let path = file.path().to_str().unwrap();
    let config =
        read::<Config>(&given(&[("REFRESH_JWT_SECRET", ""), ("REFRESH_JWT_SECRET_FILE", path)])).unwrap();
    assert_eq!(config.tokens.refresh_secrets.first().unwrap().expose_secret(), SECRET);
    check(
        &[("REFRESH_JWT_SECRET_FILE", path)],
        &["REFRESH_JWT_SECRET and REFRESH_JWT_SECRET_FILE are both set"],
    );
    check(
        &[("REFRESH_JWT_SECRET", ""), ("REFRESH_JWT_SECRET_FILE", "/nonexistent")],
        &["REFRESH_JWT_SECRET_FILE names /nonexistent, which cannot be read: entity not found"],
    );
    let folder = tempfile::tempdir().unwrap();
    let mut large = tempfile::NamedTempFile::new().unwrap();
    large.write_all(&vec![b'a'; 65 * 1024]).unwrap();
    for (path, why) in [
        (folder.path(), "is a directory"),
        (large.path(), "file too large"),
        (Path::new("/dev/zero"), "unsupported"),
    ] {
        let path = path.to_str().unwrap();
        let told = format!("REFRESH_JWT_SECRET_FILE names {path}, which cannot be read: {why}");
        check(&[("REFRESH_JWT_SECRET", ""), ("REFRESH_JWT_SECRET_FILE", path)], &[&told]);
    }
}

#[test]
fn weak_or_malformed_key_encryption_keys_are_rejected_without_showing_them() {
    let random = "5a0c1e83bb6f4d2907f1a8c93e64d0275b1947ee80c2fd36a9154be07d92cf38";
    check(&[("KEY_ENCRYPTION_KEY", random)], &[]);
    let expected = "KEY_ENCRYPTION_KEY is not 64 random hexadecimal digits, or two of these, comma-separated; make one with: \
                    openssl rand -hex 32";
    for bad in [random.trim_start_matches('5'), &format!("{random},"), &"ab".repeat(32), SECRET] {
        check(&[("KEY_ENCRYPTION_KEY", bad)], &[expected]);
    }
}

#[test]
fn keys_are_in_the_database_if_there_is_a_key_encryption_key() {
    let random = "5a0c1e83bb6f4d2907f1a8c93e64d0275b1947ee80c2fd36a9154be07d92cf38";
    let store = |settings: &[(&str, &str)]| read::<Config>(&given(settings)).unwrap().keys;
    assert!(matches!(store(&[("CERTS_DIR", "x")]), KeyStore::Folder(path) if path == Path::new("x")));
    assert!(matches!(store(&[("KEY_ENCRYPTION_KEY", random)]), KeyStore::Database(_)));
    // An empty file is no reason to use a folder instead.
    let empty = tempfile::NamedTempFile::new().unwrap();
    let file = [("KEY_ENCRYPTION_KEY_FILE", empty.path().to_str().unwrap())];
    assert!(read::<Config>(&given(&file)).is_err());
}

// holds: invariant 8, promise 8
#[test]
fn the_effective_settings_hold_no_secret() {
    let (_, effective) = read_effective::<Config>(&given(&[])).unwrap();
    let text = format!("{effective:?}");
    assert!(text.contains("BCRYPT_COST") && text.contains("[secret]"));
    assert!(!text.contains(SECRET) && !text.contains("pw@"), "{text}");
}
