//! Envoys that this module runs in: those whose set of callbacks was tested. Envoy tells a module no version, and a callback
//! whose arguments differ from the bound ones is undefined behaviour.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::hash::Hasher as _;
use std::io;

use object::{Object as _, ObjectSymbol as _, ReadCache};
use siphasher::sip::SipHasher13;
use thiserror::Error;

/// Program of this process.
const PROGRAM: &str = "/proc/self/exe";
const PREFIX: &[u8] = b"envoy_dynamic_module_callback_";

/// Sets of callbacks in which `cargo xtask matrix` has tested this module.
const TESTED: [Callbacks; 2] = [
    // Envoy 1.39.
    Callbacks { count: 607, digest: 0xc9cd_111a_d766_9ed8 },
    // Envoy 1.40.
    Callbacks { count: 781, digest: 0x1798_5e0e_db61_de13 },
];

/// Set of the callbacks that a program exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Callbacks {
    count: usize,
    /// SipHash-1-3 of the names in order, each with a line feed.
    digest: u64,
}

/// Reason that the module does not load.
#[derive(Debug, Error)]
pub(crate) enum UnsupportedEnvoy {
    #[error("cannot read the callbacks of {PROGRAM}: {0}")]
    Program(#[from] io::Error),
    #[error("cannot read the callbacks of {PROGRAM}: {0}")]
    Symbols(#[from] object::Error),
    #[error(
        "this module was not tested in this Envoy, which has {0}: take Envoy 1.39 or 1.40, or a build of Edgeward for \
         this one, or the wasm plugin"
    )]
    Untested(Callbacks),
}

/// Checks the program of this process.
///
/// # Errors
/// [`UnsupportedEnvoy`] if its callbacks are unreadable, or not among those that were tested.
pub(crate) fn check() -> Result<(), UnsupportedEnvoy> {
    let program = ReadCache::new(File::open(PROGRAM)?);
    let program = object::File::parse(&program)?;
    let names = program.dynamic_symbols().filter(|symbol| symbol.is_definition());
    let names: BTreeSet<&[u8]> =
        names.filter_map(|symbol| symbol.name_bytes().ok()).filter(|name| name.starts_with(PREFIX)).collect();
    let callbacks = Callbacks::of(&names);
    if TESTED.contains(&callbacks) { Ok(()) } else { Err(UnsupportedEnvoy::Untested(callbacks)) }
}

impl Callbacks {
    fn of(names: &BTreeSet<&[u8]>) -> Self {
        let mut hasher = SipHasher13::new();
        for name in names {
            hasher.write(name);
            hasher.write(b"\n");
        }
        Self { count: names.len(), digest: hasher.finish() }
    }
}

impl Display for Callbacks {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} callbacks with the digest {:#018x}", self.count, self.digest)
    }
}
