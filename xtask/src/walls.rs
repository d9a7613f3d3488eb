//! Check of the companion's rooms: the rooms that each may use, and the names reserved to some.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use edgeward_stack::paths;

use crate::progress;

/// Rooms of companion/src, from the foundation up, and the rooms that each may use. `lib` and `main` are above all.
const ROOMS: [(&str, &[&str]); 12] = [
    ("random", &[]),
    ("clock", &[]),
    ("domain", &[]),
    ("config", &["domain"]),
    ("hashing", &["domain", "random"]),
    ("keys", &["clock", "domain"]),
    ("db", &["config", "domain"]),
    ("telemetry", &["config", "domain"]),
    ("service", &["clock", "db", "domain", "hashing", "keys", "telemetry"]),
    ("jobs", &["domain", "keys", "random", "service"]),
    ("http", &["clock", "config", "domain", "hashing", "keys", "random", "service", "telemetry"]),
    (
        "cli",
        &[
            "clock",
            "config",
            "db",
            "domain",
            "hashing",
            "http",
            "jobs",
            "keys",
            "random",
            "service",
            "telemetry",
        ],
    ),
];

/// Names that domain/ must not have: it decides, and neither reads nor writes.
const IMPURE: [&str; 11] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::{",
    "RwLock",
    "Mutex",
    "tokio",
    "sqlx",
    "axum",
    "hyper",
];

/// Names that only some rooms may have, and why.
const RESERVED: [(&[&str], &[&str], &str); 6] = [
    (
        &[".begin()", "begin_with(", "try_begin(", "Acquire::", "Transaction<", "\"begin"],
        &["service"],
        "a transaction begins and ends in service/ alone",
    ),
    (
        &[
            "sqlx::query",
            "sqlx::{query",
            "query!(",
            "query_as!(",
            "query_scalar!(",
            "raw_sql(",
            "QueryBuilder",
            "sqlx::Executor",
        ],
        &["db"],
        "only db/ holds SQL",
    ),
    (&["crate::{", "super::super"], &[], "a path names one room, so that this check can read it"),
    (
        &["edgeward_filter"],
        &["cli"],
        "only cli/ runs the filter's core, offline; the halves share wire/ alone",
    ),
    (&["StatusCode::"], &["http", "cli"], "only http/ speaks of statuses"),
    (
        &["Entry::new(", "audit::report(", "audit::log("],
        &["domain", "service"],
        "an audit event is written in service/ alone",
    ),
];

/// Statuses of errors, which http/error.rs alone chooses.
const ERROR_STATUSES: [&str; 6] = [
    "StatusCode::BAD_REQUEST",
    "StatusCode::FORBIDDEN",
    "StatusCode::NOT_FOUND",
    "StatusCode::CONFLICT",
    "StatusCode::INTERNAL_SERVER_ERROR",
    "StatusCode::SERVICE_UNAVAILABLE",
];

/// Maximum number of lines of a file of companion/ and wire/, tests included.
const MAX_LINES: usize = 250;

/// Files that are longer, and why they are better in one piece.
const LONG: [(&str, &str); 2] = [
    (
        "companion/src/config/settings.rs",
        "one table of data: what all documents about settings are made from",
    ),
    (
        "companion/src/domain/session/model/world.rs",
        "one world: a session, its clients, a thief and two clocks",
    ),
];

/// A source file: its path below the root, its room, its text without comments.
struct Source {
    path: String,
    room: String,
    code: String,
    lines: usize,
}

/// Checks every wall, and prints what it has found.
pub(crate) fn check() -> Result<()> {
    let companion = read_sources("companion/src")?;
    let arrows = find_arrows(&companion);
    let mut faults = arrows_up(&arrows);
    let up = faults.len();
    let circles = find_circles(&arrows);
    faults.extend(circles.iter().map(|[one, other]| format!("{one} and {other} name each other")));
    faults.extend(unknown_rooms(&companion));
    faults.extend(reserved_names(&companion));
    let mut all = companion;
    all.extend(read_sources("wire/src")?);
    faults.extend(long_files(&all));
    progress::say(&format!(
        "  {} rooms, {} arrows between them: {} circles, {up} arrows up; {} files over {MAX_LINES} lines, each with its reason",
        ROOMS.len(),
        arrows.len(),
        circles.len(),
        LONG.len(),
    ));
    for (path, reason) in LONG {
        progress::say(&format!("  {path}: {reason}"));
    }
    if faults.is_empty() { Ok(()) } else { bail!("\n    {}", faults.join("\n    ")) }
}

fn read_sources(folder: &str) -> Result<Vec<Source>> {
    let (mut sources, mut folders) = (Vec::new(), vec![paths::root().join(folder)]);
    while let Some(current) = folders.pop() {
        let entries = fs::read_dir(&current).with_context(|| format!("cannot read {}", current.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                sources.push(Source::read(&path, folder)?);
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

impl Source {
    fn read(path: &Path, folder: &str) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let below =
            path.strip_prefix(paths::root().join(folder)).unwrap_or(path).to_string_lossy().into_owned();
        let room = below.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        Ok(Self {
            path: format!("{folder}/{below}"),
            room,
            code: without_comments(&text),
            lines: text.lines().count(),
        })
    }
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_room(name: &str) -> bool {
    ROOMS.iter().any(|(room, _)| *room == name)
}

/// Lists the rooms that each room names, with the files.
fn find_arrows(sources: &[Source]) -> BTreeMap<(String, String), Vec<String>> {
    let mut arrows: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for source in sources {
        for after in source.code.split("crate::").skip(1) {
            let named: String =
                after.chars().take_while(|char| char.is_ascii_alphanumeric() || *char == '_').collect();
            if named != source.room && is_room(&named) {
                arrows.entry((source.room.clone(), named)).or_default().push(source.path.clone());
            }
        }
    }
    arrows
}

fn arrows_up(arrows: &BTreeMap<(String, String), Vec<String>>) -> Vec<String> {
    let may_use = |from: &str, to: &str| {
        ROOMS.iter().find(|(room, _)| *room == from).is_none_or(|(_, used)| used.contains(&to))
    };
    let up = arrows.iter().filter(|((from, to), _)| !may_use(from, to));
    up.map(|((from, to), files)| format!("{from} may not use {to}: {}", files.join(", "))).collect()
}

/// Rooms that name each other. Longer circles have an arrow up.
fn find_circles(arrows: &BTreeMap<(String, String), Vec<String>>) -> Vec<[String; 2]> {
    let back = |(from, to): &(String, String)| (to.clone(), from.clone());
    let pairs = arrows.keys().filter(|arrow| arrow.0 < arrow.1 && arrows.contains_key(&back(arrow)));
    pairs.map(|(from, to)| [from.clone(), to.clone()]).collect()
}

/// Lists files in rooms that [`ROOMS`] does not have.
fn unknown_rooms(sources: &[Source]) -> Vec<String> {
    let is_known = |room: &str| is_room(room) || ["lib", "main"].contains(&room);
    let unknown = sources.iter().filter(|source| !is_known(&source.room));
    unknown.map(|source| format!("{} is in a room without a place in ROOMS", source.path)).collect()
}

fn reserved_names(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut find = |source: &Source, names: &[&str], reason: &str| {
        let found = names.iter().filter(|name| source.code.contains(**name));
        faults.extend(found.map(|name| format!("{} names {name}: {reason}", source.path)));
    };
    for source in sources {
        if source.room == "domain" {
            find(source, &IMPURE, "domain/ decides, and neither reads nor writes");
        }
        if source.room == "http" && !source.path.ends_with("http/error.rs") {
            find(source, &ERROR_STATUSES, "http/error.rs alone chooses the status of an error");
        }
        for (names, _, reason) in
            RESERVED.iter().filter(|(_, rooms, _)| !rooms.contains(&source.room.as_str()))
        {
            find(source, names, reason);
        }
    }
    faults
}

fn long_files(sources: &[Source]) -> Vec<String> {
    let is_known = |path: &str| LONG.iter().any(|(known, _)| *known == path);
    let long = |source: &&Source| source.lines > MAX_LINES;
    let mut faults: Vec<_> = sources
        .iter()
        .filter(long)
        .filter(|source| !is_known(&source.path))
        .map(|source| format!("{} has {} lines, more than {MAX_LINES}", source.path, source.lines))
        .collect();
    let stale =
        LONG.iter().filter(|(path, _)| !sources.iter().filter(long).any(|source| source.path == *path));
    faults.extend(stale.map(|(path, _)| format!("{path} is not longer than {MAX_LINES} lines any more")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, code: &str) -> Source {
        let room = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        Source { path: path.to_owned(), room, code: without_comments(code), lines: code.lines().count() }
    }

    #[test]
    fn a_room_names_those_below_it_alone() {
        for (path, code, faults) in [
            ("http/a.rs", "use crate::service::session;", 0),
            ("service/a.rs", "use crate::http::error;", 1),
            ("domain/a.rs", "let x = crate::db::users::list();", 1),
            ("domain/a.rs", "// crate::db is another room", 0),
            ("jobs/a.rs", "use crate::http::routes;", 1),
            ("http/a.rs", "use crate::jobs::Runner;", 1),
            ("http/a.rs", "use crate::db::users;", 1),
            ("db/a.rs", "use crate::db::users;", 0),
            ("db/a.rs", "use crate::keys::folder;", 1),
            ("lib.rs", "use crate::cli;", 0),
        ] {
            assert_eq!(arrows_up(&find_arrows(&[source(path, code)])).len(), faults, "{path}: {code}");
        }
    }

    #[test]
    fn two_rooms_that_name_each_other_are_a_circle() {
        let arrows = find_arrows(&[source("db/a.rs", "crate::keys::x"), source("keys/a.rs", "crate::db::x")]);
        assert_eq!(find_circles(&arrows), [["db", "keys"]]);
        assert_eq!(arrows_up(&arrows).len(), 2);
    }

    #[test]
    fn a_room_without_a_place_is_a_fault() {
        for (path, faults) in [("helpers.rs", 1), ("utils/a.rs", 1), ("lib.rs", 0), ("db/a.rs", 0)] {
            assert_eq!(unknown_rooms(&[source(path, "")]).len(), faults, "{path}");
        }
    }

    #[test]
    fn what_is_reserved_for_a_room_is_named_there_alone() {
        for (path, code, faults) in [
            ("domain/a.rs", "use std::fs;", 1),
            ("domain/a.rs", "async fn f() { tokio::time::sleep(x) }", 1),
            ("keys/folder.rs", "use std::fs;", 0),
            ("http/a.rs", "let t = pool.begin().await?;", 1),
            ("http/a.rs", "(StatusCode::CONFLICT, body)", 1),
            ("http/error.rs", "(StatusCode::CONFLICT, body)", 0),
            ("jobs/a.rs", "audit::report(metrics, entry, caller)", 1),
            ("cli/a.rs", "fn f(t: Transaction<'_, Postgres>)", 1),
            ("service/change.rs", "self.db.begin().await?", 0),
            ("service/a.rs", "sqlx::query!(\"select 1\")", 2),
            ("db/a.rs", "sqlx::query!(\"select 1\")", 0),
            ("http/a.rs", "use sqlx::{query_as, Row};", 1),
            ("service/a.rs", "use sqlx::Executor;", 1),
            ("http/a.rs", "Acquire::begin(&pool)", 1),
            ("db/a.rs", "connection.execute(\"begin\")", 1),
            ("http/a.rs", "use crate::{db::users, service};", 1),
            ("http/api/a.rs", "use super::super::super::db;", 1),
            ("service/a.rs", "StatusCode::CONFLICT", 1),
            ("http/a.rs", "use edgeward_filter::claims::Identity;", 1),
            ("cli/filter/a.rs", "use edgeward_filter::config;", 0),
        ] {
            assert_eq!(reserved_names(&[source(path, code)]).len(), faults, "{path}: {code}");
        }
    }
}
