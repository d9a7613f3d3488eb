//! Walls of the companion: its modules from the foundation up, and the names that are reserved to some of them.

use super::names::Reserved;
use super::{Crate, Modules};

pub(super) const COMPANION: Crate = Crate {
    folder: "companion/src",
    with_tests: true,
    modules: Modules::Ordered(&MODULES),
    reserved: &RESERVED,
};

/// Modules of companion/src, from the foundation up, and the modules that each may use. `lib` and `main` are above all.
const MODULES: [(&str, &[&str]); 13] = [
    ("random", &[]),
    ("clock", &[]),
    ("domain", &[]),
    ("config", &["domain"]),
    ("keys", &["clock", "domain"]),
    ("db", &["config", "domain"]),
    ("telemetry", &["config", "domain"]),
    ("hashing", &["domain", "random", "telemetry"]),
    ("mail", &["config", "domain"]),
    ("service", &["clock", "db", "domain", "hashing", "keys", "mail", "random", "telemetry"]),
    ("jobs", &["clock", "domain", "keys", "mail", "random", "service", "telemetry"]),
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
            "mail",
            "random",
            "service",
            "telemetry",
        ],
    ),
];

const RESERVED: [Reserved; 9] = [
    Reserved {
        names: &IMPURE,
        modules: &["domain"],
        except: &[],
        reason: "domain/ decides, and neither reads nor writes",
    },
    Reserved {
        names: &ERROR_STATUSES,
        modules: &["http"],
        except: &["http/error.rs"],
        reason: "http/error.rs alone chooses the status of an error",
    },
    Reserved {
        names: &[".begin()", "begin_with(", "try_begin(", "Acquire::", "Transaction<", "\"begin"],
        modules: &[],
        except: &["service", "db/connection.rs"],
        reason: "a transaction begins and ends in service/ alone",
    },
    Reserved {
        names: &[
            "sqlx::query",
            "sqlx::{query",
            "query!(",
            "query_as!(",
            "query_scalar!(",
            "raw_sql(",
            "QueryBuilder",
            "sqlx::Executor",
        ],
        modules: &[],
        // The target of sqlx's events has the same text.
        except: &["db", "telemetry/traces/sql.rs"],
        reason: "only db/ holds SQL",
    },
    Reserved {
        names: &["PooledConnection::acquire("],
        modules: &["service"],
        except: &["service/mod.rs"],
        reason: "`Context::connection` counts the waits for connections",
    },
    Reserved {
        names: &["crate::{", "super::super"],
        modules: &[],
        except: &[],
        reason: "a path names one module",
    },
    Reserved {
        names: &["edgeward_filter"],
        modules: &[],
        except: &["cli"],
        reason: "only cli/ runs the filter's core, offline",
    },
    Reserved {
        names: &["StatusCode::"],
        modules: &[],
        except: &["http", "cli"],
        reason: "only http/ and cli/ have statuses",
    },
    Reserved {
        names: &["Entry::new(", "audit::report(", "audit::log("],
        modules: &[],
        except: &["domain", "service"],
        reason: "an audit event is written in service/ alone",
    },
];

/// Names that domain/ must not have.
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

/// Statuses of errors.
const ERROR_STATUSES: [&str; 6] = [
    "StatusCode::BAD_REQUEST",
    "StatusCode::FORBIDDEN",
    "StatusCode::NOT_FOUND",
    "StatusCode::CONFLICT",
    "StatusCode::INTERNAL_SERVER_ERROR",
    "StatusCode::SERVICE_UNAVAILABLE",
];

#[cfg(test)]
mod tests {
    use super::super::graph::Graph;
    use super::super::names::find_reserved;
    use super::super::source::Source;
    use super::*;

    #[test]
    fn a_module_uses_those_below_it_alone() {
        for (path, code, faults) in [
            ("http/a.rs", "use crate::service::session;", 0),
            ("service/a.rs", "use crate::http::error;", 1),
            ("domain/a.rs", "let x = crate::db::users::list();", 1),
            ("domain/a.rs", "// crate::db is another module", 0),
            ("jobs/a.rs", "use crate::http::routes;", 1),
            ("http/a.rs", "use crate::jobs::Runner;", 1),
            ("http/a.rs", "use crate::db::users;", 1),
            ("db/a.rs", "use crate::db::users;", 0),
            ("db/a.rs", "use crate::keys::folder;", 1),
            ("lib.rs", "use crate::cli;", 0),
        ] {
            let mut sources: Vec<Source> = MODULES
                .iter()
                .map(|(module, _)| Source::from_text(&format!("{module}/mod.rs"), ""))
                .collect();
            sources.push(Source::from_text(path, code));
            assert_eq!(Graph::read(&sources).arrows_up(&COMPANION.modules).len(), faults, "{path}: {code}");
        }
    }

    #[test]
    fn what_is_reserved_for_a_module_is_named_there_alone() {
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
            ("service/a.rs", "PooledConnection::acquire(&context.db).await?", 1),
            ("service/a.rs", "sqlx::query!(\"select 1\")", 2),
            ("db/a.rs", "sqlx::query!(\"select 1\")", 0),
            ("http/a.rs", "use sqlx::{query_as, Row};", 1),
            ("service/a.rs", "use sqlx::Executor;", 1),
            ("http/a.rs", "Acquire::begin(&pool)", 1),
            ("db/a.rs", "connection.execute(\"begin\")", 1),
            ("http/a.rs", "use crate::{db::users, service};", 1),
            ("http/api/a.rs", "use super::super::super::db;", 1),
            ("service/a.rs", "StatusCode::CONFLICT", 1),
            ("service/a.rs", "use edgeward_filter::policy::Policy;", 1),
            ("cli/filter/a.rs", "use edgeward_filter::policy::Policy;", 0),
        ] {
            let found = find_reserved(&[Source::from_text(path, code)], &RESERVED);
            assert_eq!(found.len(), faults, "{path}: {code}: {found:?}");
        }
    }
}
