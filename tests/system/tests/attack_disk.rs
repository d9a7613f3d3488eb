//! Postgres on a disk that is really full: requests get the 503 that is meant for them, and once there is space again
//! everybody is still signed in.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use edgeward_companion::db::schema;
use edgeward_kit::api::Api;
use edgeward_kit::database;
use edgeward_kit::fault_proxy::FaultProxy;
use edgeward_stack::{Postgres, process, wait};
use tokio::task::block_in_place;

/// Maximum time of a response, and of the recovery.
const LIMIT: Duration = Duration::from_secs(26);
/// Number of registrations that surely need more space: each writes more than a hundred bytes.
const REGISTRATIONS: usize = 2000;

/// File system of 160 MB in memory. It is unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts it in the folder for temporary files, which the account of the server can reach. `None` if that is not
    /// permitted: only root may.
    fn mount() -> Option<Self> {
        let path = std::env::temp_dir().join(format!("edgeward-disk-{}", std::process::id()));
        fs::create_dir(&path).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs"]).arg(&path);
        let disk = Self(path);
        process::run(&mut mount).expect("mount").success().then_some(disk)
    }

    /// Fills it to the last byte. Dropping the filling makes space again.
    fn fill(&self) -> Filling {
        let filling = Filling(self.0.join("filling"));
        let mut file = File::create(&filling.0).expect("a file");
        for size in [1 << 20, 1 << 12, 1] {
            let block = vec![0; size];
            while file.write_all(&block).is_ok() {}
        }
        assert_eq!(file.write(&[0]).expect_err("no space").kind(), ErrorKind::StorageFull);
        filling
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        _ = process::run(Command::new("umount").arg("--lazy").arg(&self.0));
        _ = fs::remove_dir(&self.0);
    }
}

/// File that takes all space.
struct Filling(PathBuf);

impl Drop for Filling {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "mounts a file system, which only root may"]
async fn disk_that_is_really_full_ends_no_session() {
    let Some(disk) = SmallDisk::mount() else {
        // On standard error, which the test harness does not capture.
        writeln!(io::stderr(), "not tested: only root mounts the file system of a full disk").ok();
        return;
    };
    let start = || Postgres::start(&disk.0, &mut |_| {});
    let mut postgres = block_in_place(start).expect("Postgres");
    let (proxy, url) = FaultProxy::start_before(&postgres.url("postgres")).await;
    schema::run(&mut database::open(&url).await).await.expect("a schema");
    let api = Api::start_with(&[("DATABASE_URL", &url), ("LIMIT_ACCOUNT", "10000/1s")]).await;
    let mut ada = api.registered("ada@example.com").await;

    let filling = disk.fill();
    let mut rejected = 0;
    for number in 0..REGISTRATIONS {
        let started = Instant::now();
        let response = api.client().register(&format!("user.{number}@example.com")).await;
        assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
        if response.status != 201 {
            response.assert_rejected(503, "database_unavailable");
            rejected += 1;
        }
        if rejected == 20 {
            break;
        }
    }
    assert_eq!(rejected, 20, "the disk is not full");
    api.clock.advance(time::Duration::minutes(10));
    let response = ada.refresh().await;
    if response.status != 200 {
        response.assert_rejected(503, "database_unavailable");
    }

    drop(filling);
    // Without space for its log, Postgres ends.
    if postgres.check_alive().is_err() {
        postgres = block_in_place(|| wait::until("Postgres", LIMIT, || Ok(start().ok()))).expect("Postgres");
        proxy.set_server(postgres.port());
    }
    let recovered = async { while ada.refresh().await.status == 503 {} };
    tokio::time::timeout(LIMIT, recovered).await.expect("a recovery");
    assert_eq!(ada.refresh().await.status, 200, "the session is lost");
    assert_eq!(api.client().register("grace@example.com").await.status, 201);
    assert_eq!(ada.logout().await.status, 200);
    block_in_place(|| drop(postgres));
}
