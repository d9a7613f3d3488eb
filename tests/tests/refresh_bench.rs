//! How many refreshes a second there are on this machine, with a Postgres as durable as it comes.

use std::time::Duration;

use edgeward_tests::refresh_bench::refresh;
use edgeward_tests::stack::{paths, variable};

#[test]
#[ignore = "measures: cargo build --release -p edgeward-companion first; BENCH_SECONDS says how long instead of 10"]
fn refreshes_a_second() {
    let seconds = variable("BENCH_SECONDS").map_or(10, |text| text.parse().expect("a number"));
    let companion = paths::target().join("release/edgeward");
    for (name, options) in [
        ("as durable as it comes", &[][..]),
        ("without waiting for the disk", &["-c", "synchronous_commit=off"]),
    ] {
        let measured = refresh(&companion, Duration::from_secs(seconds), options).expect("a measurement");
        println!("{name}: {measured}");
    }
}
