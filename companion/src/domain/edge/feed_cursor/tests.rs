//! Cursors as text.

use super::*;

const A: &str = "1893456000.00000000-0000-4000-8000-00000000000a";
const B: &str = "1893456001.00000000-0000-4000-8000-00000000000b";

#[test]
fn cursor_is_read_as_it_was_written() {
    for text in [A.to_owned(), format!("{A}~{B}~19-7"), format!("0~{B}~19-7")] {
        assert!(edgeward_wire::edge_feed::is_cursor(&text), "{text}");
        assert_eq!(text.parse::<Cursor>().map(|cursor| cursor.to_string()), Ok(text));
    }
}

#[test]
fn text_that_is_no_cursor_is_rejected() {
    let (second, tag) = A.split_once('.').unwrap();
    for text in [
        String::new(),
        "0".to_owned(),
        second.to_owned(),
        format!("{second}."),
        format!(".{tag}"),
        format!("-1.{tag}"),
        format!("+1.{tag}"),
        format!("18446744073709551616.{tag}"),
        format!("{second}.{}", tag.to_uppercase()),
        format!("{second}.{}", tag.replace('-', "0")),
        format!("{A}~"),
        format!("{A}~{B}"),
        format!("{A}~{B}~"),
        format!("{A}~{B}~19"),
        format!("{A}~{B}~-7"),
        format!("{A}~{B}~18446744073709551616-7"),
        format!("{A}~0~19-7"),
        format!("{A}~{B}~19-7~"),
        "7-a.1:1:".to_owned(),
    ] {
        assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
    }
}
