//! Paths that are read, and paths that are rejected as ambiguous.

use super::*;

fn check(target: &[u8], expected: Result<&str, Ambiguity>) {
    let read = CanonicalPath::read(target);
    let read = read.as_ref().map(CanonicalPath::as_str);
    assert_eq!(read, expected.as_ref().copied(), "{:?}", target.escape_ascii().to_string());
}

#[test]
fn an_unambiguous_path_has_one_spelling() {
    for (target, expected) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("/a?x=/../;#", "/a"),
        ("/%61dmin/%7Euser", "/admin/~user"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/a|b", "/a%7Cb"),
        ("/a%7cb", "/a%7Cb"),
        ("/100%25", "/100%25"),
        ("/100%25%EF%BC%9F", "/100%25%EF%BC%9F"),
        ("/a/%3F..", "/a/%3F.."),
        ("/%21$&'()*+,=:@", "/!$&'()*+,=:@"),
        ("/%3Fquery%23", "/%3Fquery%23"),
        ("/...", "/..."),
        ("/a/.../b%20c", "/a/.../b%20c"),
        ("/%20a/b%20", "/%20a/b%20"),
        ("/..a%20", "/..a%20"),
        ("/%E3%80%80a", "/%E3%80%80a"),
        ("/%E9%96%8B%E3%80%82/", "/%E9%96%8B%E3%80%82/"),
        ("/%EF%BC%9F", "/%EF%BC%9F"),
        ("/.well-known/x", "/.well-known/x"),
    ] {
        check(target.as_bytes(), Ok(expected));
    }
}

// holds: invariant 4, promise 2
#[test]
fn path_with_two_readings_is_rejected() {
    for (target, expected) in [
        (&b""[..], Ambiguity::NotAbsolute),
        (b"*", Ambiguity::NotAbsolute),
        (b"*;", Ambiguity::NotAbsolute),
        (b"%2Fa", Ambiguity::NotAbsolute),
        (b"http://a/b", Ambiguity::NotAbsolute),
        (b"?/a", Ambiguity::NotAbsolute),
        (b"//a", Ambiguity::EmptySegment),
        (b"/a//b", Ambiguity::EmptySegment),
        (b"//", Ambiguity::EmptySegment),
        (b"/a/../b", Ambiguity::DotSegment),
        (b"/a/..", Ambiguity::DotSegment),
        (b"/./a", Ambiguity::DotSegment),
        (b"/%2e%2E/a", Ambiguity::DotSegment),
        (b"/a/.%2e", Ambiguity::DotSegment),
        (b"/a%2fb", Ambiguity::EscapedSlash),
        (b"/a%5Cb", Ambiguity::Backslash),
        (b"/a\\b", Ambiguity::Backslash),
        (b"/a;b", Ambiguity::Parameter),
        (b"/a%3bb", Ambiguity::Parameter),
        (b"/a#b", Ambiguity::ForbiddenByte),
        (b"/a b", Ambiguity::ForbiddenByte),
        (b"/a\0b", Ambiguity::ForbiddenByte),
        (b"/caf\xc3\xa9", Ambiguity::ForbiddenByte),
        (b"/a%00b", Ambiguity::EscapedControl),
        (b"/a%7f", Ambiguity::EscapedControl),
        (b"/a%2", Ambiguity::BrokenEscape),
        (b"/a%zz", Ambiguity::BrokenEscape),
        (b"/a%", Ambiguity::BrokenEscape),
        (b"/a%252fb", Ambiguity::DoubleEscape),
        (b"/a%2561", Ambiguity::DoubleEscape),
        (b"/a%25%32fb", Ambiguity::DoubleEscape),
        (b"/a%252%66b", Ambiguity::DoubleEscape),
        (b"/a%25%32%66b", Ambiguity::DoubleEscape),
        (b"/public/..%20/admin", Ambiguity::DotSegment),
        (b"/a/%20../b", Ambiguity::DotSegment),
        (b"/a/.%20./b", Ambiguity::DotSegment),
        (b"/a/.%20", Ambiguity::DotSegment),
        (b"/a/...%20/b", Ambiguity::DotSegment),
        (b"/a/..%C2%A0/b", Ambiguity::DotSegment),
        (b"/a/..%E3%80%80/b", Ambiguity::DotSegment),
        (b"/a/.%E2%80%8B./b", Ambiguity::DotSegment),
        (b"/a/..%EF%BB%BF/b", Ambiguity::DotSegment),
        (b"/a/.%C2%AD/b", Ambiguity::DotSegment),
        (b"/a/%EF%BC%8E%EF%BC%8E/b", Ambiguity::DotSegment),
        (b"/a/%E2%80%A5/b", Ambiguity::DotSegment),
        (b"/a/%E2%80%A4./b", Ambiguity::DotSegment),
        (b"/a/%20/b", Ambiguity::EmptySegment),
        (b"/a/%E2%80%8B/b", Ambiguity::EmptySegment),
        (b"/a%EF%BC%8Fb", Ambiguity::EscapedSlash),
        (b"/a/..%E2%88%95b", Ambiguity::EscapedSlash),
        (b"/a%E2%81%84b", Ambiguity::EscapedSlash),
        (b"/a%EF%BC%BCb", Ambiguity::Backslash),
        (b"/a/..%C2%A5b", Ambiguity::Backslash),
        (b"/a/..%EF%BF%A6b", Ambiguity::Backslash),
        (b"/a/..%3Fb", Ambiguity::DotSegment),
        (b"/a/..%23", Ambiguity::DotSegment),
        (b"/a/.%3Fb/c", Ambiguity::DotSegment),
        (b"/a/..%20%3Fb", Ambiguity::DotSegment),
        (b"/a/..%EF%BC%9Fb", Ambiguity::DotSegment),
        (b"/a/%20%3Fb", Ambiguity::EmptySegment),
        (b"/a/..%EF%BC%9B/b", Ambiguity::Parameter),
        (b"/a/..%CD%BE/b", Ambiguity::Parameter),
        (b"/a/%EF%BC%852e%EF%BC%852e/b", Ambiguity::DoubleEscape),
        (b"/a/%25%EF%BC%92%EF%BD%86b", Ambiguity::DoubleEscape),
        (b"/a%c0%af", Ambiguity::NotUtf8),
        (b"/a%ed%a0%80", Ambiguity::NotUtf8),
        (b"/a%ff", Ambiguity::NotUtf8),
    ] {
        check(target, Err(expected));
    }
}

#[test]
fn reading_the_canonical_spelling_again_changes_nothing() {
    for target in ["/", "/%61/caf%c3%a9/a|b/100%25", "/a%20b?c"] {
        let once = CanonicalPath::read(target.as_bytes()).unwrap();
        assert_eq!(CanonicalPath::read(once.as_str().as_bytes()).unwrap(), once);
    }
}
