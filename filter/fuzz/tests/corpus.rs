//! Runs each target with its seeds, and with every input that ever failed.

use std::fs;
use std::path::Path;

use edgeward_fuzz::TARGETS;

// holds: invariant 3, promise 6
#[test]
fn every_property_holds_for_every_seed() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
        let seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(seeds.len() >= 10, "{name} has only {} seeds", seeds.len());
        for seed in seeds {
            target(&fs::read(seed).unwrap());
        }
    }
}
