//! Cursors as text, and scans of one and several pages.

use super::*;

fn snapshot(text: &str) -> Snapshot {
    text.parse().unwrap()
}

/// Makes a snapshot with so many open transactions, each of ten digits.
fn crowded(open: u64) -> Snapshot {
    let listed: Vec<_> = (0..open).map(|number| (1_000_000_000 + number).to_string()).collect();
    snapshot(&format!("1000000000:2000000000:{}", listed.join(",")))
}

#[test]
fn cursor_is_read_as_it_was_written() {
    for text in ["7-a.1:1:", "h.10:20:10,14", "h.10:20:~20:25:21~19-7", "h.10:20:~_20:20:~19-7"] {
        assert_eq!(text.parse::<Cursor>().map(|cursor| cursor.to_string()).as_deref(), Ok(text));
    }
}

#[test]
fn text_that_is_no_cursor_is_rejected() {
    let long = format!("{}.1:1:", "h".repeat(MAX_CURSOR_BYTES));
    for text in [
        "",
        "0",
        "h",
        "h.",
        "h.1",
        "h.1:1:~",
        "h.1:1:~2:2:",
        "h.1:1:~2:2:~",
        "h.1:1:~2:2:~1",
        "h.1:1:~2~1-1",
        "h.1:1:~2:2:~a-1",
        &long,
    ] {
        assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
    }
}

#[test]
fn cursor_belongs_to_its_history_and_not_to_an_earlier_state() {
    let check = |cursor: &str, expected: bool| {
        let cursor: Cursor = cursor.parse().unwrap();
        assert_eq!(cursor.belongs_to("h", &snapshot("10:20:")), expected, "{cursor}");
    };
    check("h.1:1:", true);
    check("h.15:20:", true);
    check("h.15:21:", false);
    check("h.1:1:~15:20:~1-1", true);
    check("h.1:1:~15:21:~1-1", false);
    check("g.1:1:", false);
}

#[test]
fn scan_ends_with_the_snapshot_of_its_first_page() {
    let key = |id| Some(RowKey { xact: 12, id });
    let (first, later) = (snapshot("10:20:13"), snapshot("30:30:"));
    let begun = Position::start().advance(&first, key(1));
    let scan = |id| Some(Scan { target: first.clone(), bounded: true, after: RowKey { xact: 12, id } });
    assert_eq!(begun, Position { from: Snapshot::empty(), scan: scan(1) });
    let further = begun.advance(&later, key(2));
    assert_eq!(further, Position { from: Snapshot::empty(), scan: scan(2) });
    assert_eq!(further.advance(&later, None), Position { from: first, scan: None });
}

#[test]
fn cursor_keeps_its_limit_with_any_number_of_open_transactions() {
    let history = "h".repeat(MAX_HISTORY_BYTES);
    let last = Some(RowKey { xact: u64::MAX, id: i64::MAX });
    for open in [1, 80, 160, 168, 170, 1000] {
        for last in [last, None] {
            let from = Position::start().advance(&crowded(open), None);
            let position = from.advance(&crowded(open), last);
            let cursor = Cursor { history: history.clone(), position };
            assert!(cursor.to_string().len() <= MAX_CURSOR_BYTES, "{open}");
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }
}

#[test]
fn too_long_a_snapshot_is_replaced_by_one_that_sees_less() {
    let short = snapshot("1000000000:1000000000:");
    let finished = Position::start().advance(&crowded(1000), None);
    assert_eq!(finished, Position { from: short.clone(), scan: None });
    let after = RowKey { xact: 1, id: 1 };
    let begun = Position::start().advance(&crowded(1000), Some(after));
    assert_eq!(begun.scan, Some(Scan { target: short.clone(), bounded: false, after }));
    let crowded_twice = Position { from: crowded(120), scan: None }.advance(&crowded(120), Some(after));
    assert_eq!(crowded_twice.from, short);
    assert_eq!(crowded_twice.scan, Some(Scan { target: crowded(120), bounded: true, after }));
}
