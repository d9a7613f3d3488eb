//! Lines of other tools, and lines that are rejected.

use super::*;

type Assignment = Result<(String, String), InvalidLine>;

fn read(text: &str) -> Vec<(usize, Assignment)> {
    let lookup = |name: &str| (name == "HOME").then(|| "/root".to_owned());
    parse(text, &lookup).into_iter().map(|line| (line.number, line.assignment)).collect()
}

#[test]
fn lines_of_other_tools_are_taken() {
    let check = |text: &str, expected: &str| {
        let expected = Ok(("A".to_owned(), expected.to_owned()));
        assert_eq!(read(text), [(1, expected)], "{text:?}");
    };
    check("A=b", "b");
    check("A=b\r\n", "b");
    check("export A=b\n", "b");
    check("\tA = b c \n", "b c");
    check("A: b\n", "b");
    check("A='http://h:1/#x'\n", "http://h:1/#x");
    check("A=b\\#c\n", "b#c");
    check("A=b # c\n", "b");
    check("A= # c\n", "");
    check("A=\n", "");
    check("A='b # \"$c\" \\ '# d\n", "b # \"$c\" \\ ");
    check("A=\"b\\n\\\"c\\\" \\$d $ # e\"\n", "b\n\"c\" $d $ # e");
    check("A='b\r\nc'\r\n", "b\nc");
    check("A=b\\ \n", "b ");
    check("A=b$\n", "b$");
    check("A=${HOME}/x$HOME\n", "/root/x/root");
    check("A=p%24=é\n", "p%24=é");
}

#[test]
fn rejected_line_is_named_by_number_and_cause() {
    let check = |text: &str, number, cause| {
        let rejected: Vec<_> = read(text).into_iter().filter(|(_, line)| line.is_err()).collect();
        assert_eq!(rejected, [(number, Err(cause))], "{text:?}");
    };
    check("# c\n\nA b\nB=c\n", 3, InvalidLine::NotAnAssignment);
    check("A\n", 1, InvalidLine::NotAnAssignment);
    check("1A=b\n", 1, InvalidLine::NotAnAssignment);
    check("=b\n", 1, InvalidLine::NotAnAssignment);
    check("A='b\nc'\nB='d\nC=e\n", 3, InvalidLine::QuoteUnclosed);
    check("A='b'c\nB=d\n", 1, InvalidLine::TextAfterQuote);
    check("A=it's\nB='d'\n", 1, InvalidLine::QuoteWithin);
    check("A=`pwd`\n", 1, InvalidLine::QuoteWithin);
    check("A=\"`pwd`\"\n", 1, InvalidLine::QuoteWithin);
    check("A=http://h:1/#x\n", 1, InvalidLine::HashWithin);
    check("A=b#c # d\n", 1, InvalidLine::HashWithin);
    check("A=#b\n", 1, InvalidLine::HashWithin);
    check("A=\"b\nc\nd\"\nB=$C\n", 4, InvalidLine::DollarUnknown);
    check("A=${HOME\n", 1, InvalidLine::DollarUnknown);
    check("A=$(pwd)\n", 1, InvalidLine::DollarUnknown);
    check("A=${HOME:-/root}\n", 1, InvalidLine::DollarUnknown);
    check("A=C:\\dir\n", 1, InvalidLine::BackslashUnknown);
}

#[test]
fn rejected_line_costs_none_of_its_neighbours() {
    let names = |text: &str| -> Vec<String> {
        read(text).into_iter().filter_map(|(_, line)| Some(line.ok()?.0)).collect()
    };
    assert_eq!(names("A=1\nB='x\nC=3\nD='4'x\nE=5"), ["A", "C", "E"]);
    assert_eq!(names("A=b\nB=$A\nC=${A}"), ["A", "B", "C"]);
}
