//! Rolling upgrade from the former release and rollback to it, with real Envoys, a real Postgres and two companions, under a
//! load that counts. Every pair of a filter and a companion of the two releases serves for a while.
//!
//! `cargo xtask test --test upgrade -- --ignored --nocapture`. It builds the former release below `target/former` the first time,
//! which takes minutes. Without that commit in the clone, or without `git`, it says so and passes.

mod load;
mod release;

use edgeward_kit::database;
use edgeward_stack::former::{self, Release};
use edgeward_stack::ports::Ports;
use edgeward_stack::{envoy, paths};

use self::load::Load;
use self::release::Fleet;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask test --test upgrade -- --ignored --nocapture"]
async fn upgrade_and_rollback_fail_no_request_and_log_nobody_out() {
    let former = match former::build(&mut |line| eprintln!("{line}")) {
        Ok(former) => former,
        Err(reason) => {
            eprintln!("not tested: {reason:#}");
            return;
        }
    };
    let new = Release { edgeward: paths::edgeward(), filter: paths::filter_wasm() };
    let database = database::bare().await;
    let envoy = envoy::find_or_install(&mut |line| eprintln!("{line}")).expect("Envoy");
    let upstream = Ports::free().expect("ports").upstream;
    let mut fleet = Fleet::new(database.url.clone(), envoy, upstream);

    fleet.run(&former, &["keys", "generate"]);
    fleet.run(&former, &["migrate", "run"]);
    for companion in 0..2 {
        fleet.start_companion(&former, companion);
    }
    fleet.replace_gateway(&former).await;
    let load = Load::start(fleet.gateway.clone()).await;
    load.step("former release alone").await;

    fleet.run(&new, &["migrate", "run"]);
    load.step("migrated while the former companions run").await;
    for (companion, what) in ["one companion is new", "both companions are new"].into_iter().enumerate() {
        fleet.replace_companion(&new, companion).await;
        load.step(what).await;
    }
    fleet.replace_gateway(&new).await;
    load.step("the filter is new").await;

    fleet.replace_gateway(&former).await;
    load.step("the filter is the former again").await;
    fleet.replace_companion(&former, 0).await;
    load.step("one companion is the former again").await;
    // The pair that the order of an upgrade leaves out.
    fleet.replace_companion(&former, 1).await;
    fleet.replace_gateway(&new).await;
    load.step("new filter before former companions").await;
    fleet.replace_gateway(&former).await;
    load.step("all but the schema are the former again").await;
    for reverted in fleet.revert_to(&former, &new) {
        println!("{reverted}");
    }
    load.step("the schema is the former again").await;
    println!("{}", load.end().await);
}
