//! Walls of the filter: the layers of its core and of its shell, a pure core, and `unsafe` in two files of the shell.

use super::names::Reserved;
use super::{Crate, Modules};

pub(super) const CORE: Crate = Crate {
    folder: "filter/core/src",
    with_tests: false,
    modules: Modules::Layered(&[
        (
            "syntax",
            &[
                "call",
                "cookie",
                "fold",
                "json",
                "log",
                "origin",
                "path",
                "random",
                "request",
                "rs256",
                "trace_context",
            ],
        ),
        (
            "policy and tokens",
            &[
                "bans",
                "claims",
                "config",
                "keys",
                "policy",
                "rejection",
                "revocation",
                "rules",
                "token",
                "token_cache",
            ],
        ),
        ("decisions", &["cors", "edge_state", "feed_response", "gate", "header_edits", "reply", "verdict"]),
        ("machines", &["feed", "hold", "streams"]),
        ("requests of a configuration", &["filter"]),
        ("tools", &["explain"]),
    ]),
    reserved: &[
        Reserved {
            names: &["proxy_wasm", "std::fs", "std::thread", "SystemTime", "Instant"],
            modules: &[],
            except: &[],
            reason: "the core takes bytes and the time, and returns decisions",
        },
        Reserved {
            names: &["Rc<", "Rc::"],
            modules: &[],
            except: &[],
            reason: "a host with threads runs the core too",
        },
        Reserved {
            names: &[UNSAFE],
            modules: &[],
            except: &[],
            reason: "only files of the shell may hold `unsafe`",
        },
    ],
};

pub(super) const SHELL: Crate = Crate {
    folder: "filter/wasm/src",
    with_tests: false,
    modules: Modules::Layered(&[
        ("host", &["host", "pairs"]),
        ("host functions in use", &["calls", "metrics", "verify_signature"]),
        ("contexts", &["feed", "plugin", "root", "stream"]),
        ("exports", &["exports"]),
    ]),
    reserved: &[Reserved {
        names: &[UNSAFE],
        modules: &[],
        except: &["exports", "host"],
        reason: "only the files of the ABI, host.rs and exports.rs, hold `unsafe`",
    }],
};

/// Lint that forbids `unsafe` in the workspace: a file with `unsafe` has to name the lint to compile.
const UNSAFE: &str = "unsafe_code";

/// Maximum number of lines of code of the shell: neither blank, nor of comments, nor of tests. Chosen: it carries bytes in and
/// decisions out.
pub(super) const MAX_SHELL_CODE: usize = 800;
