//! Responses from the log, and what is left to the database.

use super::*;

/// Makes the cut of a second, which sees every transaction below `xmax` but those in `open`.
fn cut(second: i64, xmax: u64, open: &str) -> KnownCut {
    let name = Cut { second, tag: format!("{second:08}-0000-4000-8000-000000000000") };
    KnownCut { id: second, name, snapshot: format!("1:{xmax}:{open}").parse().unwrap() }
}

/// Makes a row for each transaction, which ends the session of the same number.
fn rows(xacts: impl IntoIterator<Item = u64>) -> Vec<Row> {
    let row = |xact| Row {
        key: RowKey { xact, id: xact.cast_signed() },
        entry: Entry::Session(RevokedSession(xact, 0)),
    };
    xacts.into_iter().map(row).collect()
}

fn sessions(plan: Plan) -> (Vec<u64>, i64) {
    let Plan::Known { revoked, cut } = plan else { panic!("{plan:?}") };
    (revoked.sessions.iter().map(|session| session.0).collect(), cut.second)
}

fn plan(log: &mut FeedLog, from: &KnownCut) -> Plan {
    log.plan(Some(Cursor::at(from.name.clone())), 0)
}

#[test]
fn gateway_gets_what_its_cut_does_not_see() {
    let cuts = [cut(1, 10, ""), cut(2, 20, "12"), cut(3, 30, "")];
    let mut log = FeedLog::starting_at(cuts[0].clone());
    let mut left = Some(rows([11, 12, 13, 25]));
    log.append(cuts[1].clone(), &mut left);
    assert_eq!(left, Some(rows([12, 25])));
    log.append(cuts[2].clone(), &mut left);
    assert_eq!(left, Some(rows([])));
    for (from, expected) in [(0, vec![11, 13, 12, 25]), (1, vec![12, 25]), (2, vec![])] {
        assert_eq!(sessions(plan(&mut log, &cuts[from])), (expected, 3), "from cut {from}");
    }
}

#[test]
fn response_ends_at_a_cut_before_the_page_is_full() {
    let page = MAX_PAGE as u64;
    let cuts = [cut(1, 1, ""), cut(2, page, ""), cut(3, page + 2, ""), cut(4, page + 9, "")];
    let mut log = FeedLog::starting_at(cuts[0].clone());
    let mut left = Some(rows(1..page + 2));
    for cut in &cuts[1..3] {
        log.append(cut.clone(), &mut left);
    }
    let (first, second) = sessions(plan(&mut log, &cuts[0]));
    assert_eq!((first.len(), second), (MAX_PAGE - 1, 2));
    assert_eq!(sessions(plan(&mut log, &cuts[1])), (vec![page, page + 1], 3));

    log.append(cuts[3].clone(), &mut None);
    assert_eq!(sessions(plan(&mut log, &cuts[1])).1, 3, "what is known comes first");
    let pages = Cursor {
        from: Some(cuts[2].name.clone()),
        scan: Some(Scan { to: cuts[3].name.clone(), after: None }),
    };
    assert_eq!(plan(&mut log, &cuts[2]), Plan::Page(pages), "more than a page in one second");
}

#[test]
fn gateways_that_start_within_a_minute_are_led_to_the_same_cut() {
    let mut log = FeedLog::starting_at(cut(100, 10, ""));
    for (now, expected) in [(119, 100), (150, 100), (178, 100), (179, 179), (200, 179), (99, 201)] {
        let Plan::Page(Cursor { from: None, scan: Some(Scan { to, after: None }) }) = log.plan(None, now)
        else {
            panic!("at {now}")
        };
        assert_eq!(to.second, expected, "at {now}");
        log.append(cut(now + 1, 10, ""), &mut Some(rows([])));
    }
}

#[test]
fn cut_that_is_not_in_the_log_and_pages_are_left_to_the_database() {
    let mut log = FeedLog::starting_at(cut(5, 10, ""));
    let old = cut(4, 5, "").name;
    let to = log.latest().name.clone();
    let expected = Cursor { from: Some(old.clone()), scan: Some(Scan { to, after: None }) };
    assert_eq!(log.plan(Some(Cursor::at(old.clone())), 0), Plan::Page(expected));
    let scan = Scan { to: old, after: Some(RowKey { xact: 7, id: 7 }) };
    let pages = Cursor { from: None, scan: Some(scan) };
    assert_eq!(log.plan(Some(pages.clone()), 0), Plan::Page(pages));
}

#[test]
fn log_is_bounded() {
    let mut log = FeedLog::starting_at(cut(0, 1, ""));
    for second in 1..2000 {
        log.append(cut(second, u64::MAX, ""), &mut Some(rows(1..1000)));
    }
    assert_eq!(log.steps.iter().map(Step::len).sum::<usize>(), 180 * 999);
    for second in 2000..4000 {
        log.append(cut(second, u64::MAX, ""), &mut Some(rows([])));
    }
    assert_eq!(log.steps.len(), MAX_STEPS);
}
