//! Walls of the filter: the core is pure, the shell holds what is unsafe, and neither has a cycle.

use super::names::Reserved;
use super::{Crate, Modules};

pub(super) const CORE: Crate = Crate {
    folder: "filter/core/src",
    with_tests: false,
    modules: Modules::WithoutCycles { known: &CORE_CYCLES },
    reserved: &[
        Reserved {
            names: &["proxy_wasm", "unsafe", "std::fs", "std::thread", "SystemTime"],
            modules: &[],
            except: &[],
            reason: "the core takes bytes and the time, and returns decisions",
        },
        Reserved {
            names: &["Rc<", "Rc::"],
            modules: &[],
            except: &CORE_WITH_RC,
            reason: "a host with threads runs the core too",
        },
    ],
};

pub(super) const SHELL: Crate = Crate {
    folder: "filter/wasm/src",
    with_tests: false,
    modules: Modules::WithoutCycles { known: &SHELL_CYCLES },
    reserved: &[Reserved {
        names: &["unsafe"],
        modules: &[],
        except: &["host"],
        reason: "only host.rs holds `unsafe`",
    }],
};

/// Maximum number of lines of the shell. Chosen: it carries bytes in and decisions out.
pub(super) const MAX_SHELL_LINES: usize = 800;

// Today's faults, which pass until the shell is rewritten. Each is to become empty, and then to be deleted.

/// Cycles between modules of the core.
const CORE_CYCLES: [&[&str]; 0] = [];
/// Modules of the core that name `Rc`.
const CORE_WITH_RC: [&str; 3] = ["claims", "rs256", "token_cache"];
/// Cycles between modules of the shell.
const SHELL_CYCLES: [&[&str]; 1] = [&[
    "answer", "calls", "cors", "follow", "host", "metrics", "refresh", "relay", "request", "root", "shared",
]];
/// Lines of the shell beyond [`MAX_SHELL_LINES`].
pub(super) const MORE_SHELL_LINES: usize = 1200;
/// Files with more lines than the filter's maximum.
pub(super) const LONG: [&str; 3] =
    ["filter/core/src/gate.rs", "filter/core/src/rules.rs", "filter/wasm/src/host.rs"];
