//! The errors against the page that documents them, in both directions.

use std::collections::BTreeSet;

use super::every::{every_admin_mistake, every_error, every_mistake};
use super::*;

const PAGE: &str = include_str!("../../../../docs/reference/errors.md");

/// Rows of a table of the page, below a heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let section = PAGE.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
    section.lines().filter(|line| line.starts_with('|')).skip(2).map(str::to_owned).collect()
}

#[test]
fn every_error_is_documented_and_no_other() {
    let rows = every_error().into_iter().map(|error| {
        let (status, code, message) = error.public();
        let code =
            if code.is_empty() { "(one for each field, below)".to_owned() } else { format!("`{code}`") };
        format!("| {} | {code} | {message} |", status.as_u16())
    });
    assert_eq!(rows.collect::<BTreeSet<_>>(), documented("## Codes of requests"));
}

#[test]
fn every_mistake_in_a_field_is_documented() {
    let rows = every_mistake().into_iter().map(|FieldError { field, code, message, .. }| match &*field {
        _ if matches!(code, "required" | "not_text") => {
            format!("| any field | `{code}` | {} |", message.replace("email", "…"))
        }
        "firstName" => format!("| `firstName`, `lastName` | `{code}` | {message} |"),
        _ => format!("| `{field}` | `{code}` | {message} |"),
    });
    assert_eq!(rows.collect::<BTreeSet<_>>(), documented("## Codes of fields"));
}

#[test]
fn every_mistake_in_the_admin_api_is_documented() {
    let rows = every_admin_mistake().into_iter().map(|FieldError { field, code, message, .. }| {
        // The names come from the code.
        let message = message.split("; there are").next().unwrap();
        let field = if code == "unknown" { "any other".to_owned() } else { format!("`{field}`") };
        format!("| {field} | `{code}` | {message} |")
    });
    assert_eq!(rows.collect::<BTreeSet<_>>(), documented("## Codes of the admin API"));
}
