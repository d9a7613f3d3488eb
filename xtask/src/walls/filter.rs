//! Walls of the filter: the layers of its core and of its shells, a pure core, and `unsafe` in the files of an ABI alone.

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
            reason: "only files of the shells may hold `unsafe`",
        },
    ],
};

pub(super) const WASM: Crate = Crate {
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

pub(super) const NATIVE: Crate = Crate {
    folder: "filter/native/src",
    with_tests: false,
    modules: Modules::Layered(&[
        ("values", &["clock", "local_reply", "lock", "rsa", "supported"]),
        ("host", &["abi"]),
        ("host functions in use", &["calls", "completion", "edit_list", "metrics", "ticker", "trace"]),
        ("state", &["feed", "worker"]),
        ("configurations and streams", &["plugin", "start", "stream"]),
        ("hooks", &["hooks"]),
    ]),
    reserved: &[Reserved {
        names: &[UNSAFE],
        modules: &[],
        except: &["abi", "hooks"],
        reason: "only the files of the ABI, abi.rs with those below abi/ and hooks.rs, hold `unsafe`",
    }],
};

/// Lint that forbids `unsafe` in the workspace: a file with `unsafe` has to name the lint to compile.
const UNSAFE: &str = "unsafe_code";

/// Maximum number of lines of code of the plugin's shell: neither blank, nor of comments, nor of tests. Chosen: it carries bytes in
/// and decisions out.
pub(super) const MAX_WASM_CODE: usize = 800;
/// The same of the native module. Chosen: it binds the ABI by hand, and has its own timer and metrics.
pub(super) const MAX_NATIVE_CODE: usize = 1500;
