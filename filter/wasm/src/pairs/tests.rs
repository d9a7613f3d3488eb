//! Serialised header maps.

use super::*;

#[test]
fn fields_that_were_written_are_read_again() {
    for fields in [&[][..], &[(&b""[..], &b""[..])], &[(b":path", b"/"), (b"x", b"\xff\0"), (b"x", b"")]] {
        let bytes = write(fields.iter().copied());
        assert_eq!(Pairs::read(&bytes).unwrap().collect::<Vec<_>>(), fields);
    }
    assert_eq!(Pairs::read(b"").unwrap().count(), 0);
}

#[test]
fn map_of_another_length_than_it_states_is_rejected() {
    let bytes = write([(&b":path"[..], &b"/"[..]), (b"cookie", b"a=1")]);
    for end in 1..bytes.len() {
        assert!(Pairs::read(&bytes[..end]).is_none(), "{end}");
    }
    assert!(Pairs::read(&[&bytes[..], b"x"].concat()).is_none());
    let (count, lengths) = ([0xff; 4], [0xff; 8]);
    assert!(Pairs::read(&count).is_none());
    assert!(Pairs::read(&[&1_u32.to_le_bytes()[..], &lengths].concat()).is_none());
}
