//! Tests of processes: their ends, their children and their starters.

use std::io::{BufRead as _, BufReader};

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

fn sleeper(folder: &Path, script: &str) -> Process {
    Process::spawn("a sleeper", Command::new("/bin/sh").args(["-c", script]), &folder.join("log")).unwrap()
}

#[test]
fn a_dropped_process_is_stopped_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let process = sleeper(folder.path(), "sleep 1000 & echo $!; wait");
    let written = || Ok(process.log().trim().parse::<u32>().ok());
    let child = wait::until("the child's ID", LIMIT, written).unwrap();
    let parent = process.pid();
    drop(process);
    assert!(!is_alive(parent));
    assert!(wait::patiently(LIMIT, || !is_alive(child)), "the child has outlived its parent");
}

#[test]
fn a_process_that_ends_by_itself_is_reported_with_the_end_of_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = sleeper(folder.path(), "echo the reason; exit 3");
    let error = wait::until("the end", LIMIT, || Ok(process.check_alive().err())).unwrap().to_string();
    assert!(error.contains("a sleeper ended by itself") && error.contains("the reason"), "{error}");
}

#[test]
fn a_process_does_not_outlive_a_starter_that_was_killed() {
    let mut starter = Command::new(std::env::current_exe().unwrap())
        .args(["starter_that_waits_to_be_killed", "--ignored", "--nocapture"])
        .env("EDGEWARD_STARTER", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(starter.stdout.take().unwrap()).lines();
    let child = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("child ")?.parse::<u32>().ok())
        .unwrap();
    assert!(is_alive(child));
    starter.kill().unwrap();
    starter.wait().unwrap();
    assert!(wait::patiently(LIMIT, || !is_alive(child)), "the child has outlived its starter");
}

#[test]
#[ignore = "the starter in the test above"]
fn starter_that_waits_to_be_killed() {
    if crate::variable("EDGEWARD_STARTER").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let process = sleeper(folder.path(), "exec sleep 1000");
    println!("\nchild {}", process.pid());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
