//! Failovers of a real Patroni cluster, seen by clients who count at real Envoys, each with two companions: by `HAProxy` and by
//! the list of nodes. The companions go on without a restart, and a live token always passes. Nobody is logged out, and in
//! synchronous mode nothing that was acknowledged is lost.
//!
//! `cargo xtask test --test postgres_failover -- --ignored --nocapture`. The tests need etcd, `HAProxy` and root
//! (`tests/kit/src/patroni.rs`). Without them they print that and pass.

mod lost;
mod people;
mod scene;
mod tally;
mod witness;
mod writer;

use std::time::{Duration, Instant};

use edgeward_kit::command::run;
use edgeward_kit::patroni::Cluster;
use sqlx::{Connection as _, PgConnection};
use tokio::task::block_in_place;
use tokio::time::sleep;

use self::lost::Lost;
use self::scene::Scene;
use self::witness::Witness;
use self::writer::Writer;

/// Maximum time until a request is acknowledged: the loss of a node takes 20 s.
const LIMIT: Duration = Duration::from_mins(2);
/// Maximum time for which server processes go on acknowledging after their postmaster was killed.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// Starts the cluster with our schema, and a writer.
async fn prepare(is_synchronous: bool) -> Option<(Cluster, Writer)> {
    let cluster = block_in_place(|| Cluster::start(is_synchronous))?;
    let url = cluster.url_of_nodes("edgeward");
    for command in [&["db", "create"][..], &["migrate", "run"]] {
        let output = block_in_place(|| run(&url, command, ""));
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let writer = Writer::start(cluster.url("edgeward")).await;
    Some((cluster, writer))
}

/// Waits until everybody has made progress for a while, and prints the figures since the last time.
async fn settle(event: &str, scenes: &[Scene], writer: &Writer) {
    let start = Instant::now() + LAST_WRITES;
    let tallies = || scenes.iter().map(|scene| &scene.tally).chain([&writer.tally]);
    for tally in tallies() {
        while !tally.has_written_since(start) {
            assert!(start.elapsed() < LIMIT, "no progress after: {event}");
            sleep(Duration::from_millis(20)).await;
        }
    }
    sleep(Duration::from_secs(3)).await;
    println!("longest time without an acknowledged write, {event}: writer {}", writer.tally.take().gap());
    for scene in scenes {
        let since = scene.tally.take();
        println!("    gateway by the {}: {}; {}", scene.name, since.gap(), since.rest());
    }
}

/// Fails if a companion is connected to a standby.
async fn assert_no_standby_is_used(cluster: &Cluster) {
    for port in cluster.ports() {
        let mut connection = PgConnection::connect(&url_of_node(port)).await.expect("a node");
        let count = "select count(*) from pg_stat_activity
                     where application_name = 'edgeward' and pg_is_in_recovery()";
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.expect("a count");
        assert_eq!(count, 0, "connections to a standby");
    }
}

fn url_of_node(port: u16) -> String {
    format!("postgres://postgres:super@127.0.0.1:{port}/edgeward")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes: three failovers of a Patroni cluster"]
async fn failovers_in_synchronous_mode_lose_nothing() {
    let Some((mut cluster, writer)) = prepare(true).await else { return };
    let scenes = [
        Scene::start("proxy", cluster.url("edgeward"), true).await,
        Scene::start("nodes", cluster.url_of_nodes("edgeward"), true).await,
    ];
    settle("start of the load", &scenes, &writer).await;
    block_in_place(|| cluster.switch_over());
    settle("switchover", &scenes, &writer).await;
    block_in_place(|| cluster.wait_until_complete());
    block_in_place(|| cluster.kill_primary());
    settle("kill -9 of the primary", &scenes, &writer).await;
    block_in_place(|| cluster.wait_until_complete());
    let lost = block_in_place(|| cluster.lose_node());
    settle("loss of a node", &scenes, &writer).await;
    block_in_place(|| cluster.start_node(lost));
    block_in_place(|| cluster.wait_until_complete());
    assert_no_standby_is_used(&cluster).await;
    for scene in scenes {
        scene.finish(true).await;
    }
    assert_eq!(writer.finish(&cluster.url("edgeward")).await, 0, "acknowledged rows are lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a minute: a failover of a Patroni cluster"]
async fn failover_that_loses_refreshes_logs_nobody_out() {
    let Some((mut cluster, writer)) = prepare(false).await else { return };
    // Their sessions are older than the freeze: a login that is lost is another matter.
    let scenes = [
        Scene::start("proxy", cluster.url("edgeward"), false).await,
        Scene::start("nodes", cluster.url_of_nodes("edgeward"), false).await,
    ];
    let mut witnesses = Vec::new();
    for scene in &scenes {
        witnesses.extend(Witness::both(scene).await.map(|witness| (scene, witness)));
    }
    settle("start of the load", &scenes, &writer).await;
    let nodes = cluster.ports().into_iter().map(url_of_node).collect::<Vec<_>>();
    for (_, witness) in &witnesses {
        witness.wait_for_nodes(&nodes).await;
    }
    cluster.freeze_replication();
    for (_, witness) in &mut witnesses {
        witness.refresh().await;
    }
    let lost_users = Lost::register(&scenes[0]).await;
    sleep(Duration::from_secs(1)).await;
    block_in_place(|| cluster.lose_node());
    settle("loss of a node with its last second", &scenes, &writer).await;
    for (scene, witness) in witnesses {
        witness.go_on(scene, &cluster.url("edgeward")).await;
    }
    lost_users.are_not_succeeded(&scenes[0]).await;
    for scene in scenes {
        scene.finish(false).await;
    }
    let lost = writer.finish(&cluster.url("edgeward")).await;
    println!("{lost} acknowledged rows of the writer are lost");
    assert!(lost > 0, "the failover was to lose something");
}
