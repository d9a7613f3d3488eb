//! `bench streams`: the time from a logout to the end of the streams that it ends, through an Envoy with two workers.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::runtime::Runtime;

use super::{Effort, machine};
use edgeward_kit::journey::{gateway_before, registered};
use edgeward_kit::streams::{End, Kind, OpenStream, SAME_PROTOCOL_UPSTREAM, Upstream};
use edgeward_stack::{http, wait};

/// Maximum time that anything may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Interval of the filter's polls. A logout comes anywhere between two of them.
const POLL_MS: u64 = 1000;

/// Measures, and prints a line for each kind of stream and one for all.
pub fn streams(effort: Effort, log: &mut dyn FnMut(&str)) -> Result<()> {
    println!("{} processors: {}", machine::processors(), machine::processor_name());
    let runtime = Runtime::new()?;
    let upstream = Upstream::start();
    log("starting the stack and a gateway of two workers");
    let (_envoy, ports) = gateway_before(upstream.port(), "streams", &[SAME_PROTOCOL_UPSTREAM])?;
    wait::until("the filter's first keys", LIMIT, || {
        Ok(http::is_status_everywhere(ports.gateway, "/readyz", 200).then_some(()))
    })?;
    let mut all = Vec::new();
    for kind in Kind::ALL {
        log(&format!("ending {} streams: {kind:?}", effort.logouts));
        let times: Vec<Duration> =
            (0..effort.logouts).map(|_| time_to_end(kind, ports.gateway, &runtime)).collect::<Result<_>>()?;
        print(&format!("{kind:?}"), &times)?;
        all.extend(times);
    }
    print("all", &all)
}

/// Opens a stream, logs its user out, and returns the time from the request for that to the end of the stream.
fn time_to_end(kind: Kind, gateway: u16, runtime: &Runtime) -> Result<Duration> {
    let mut user = runtime.block_on(registered(false));
    let opened = OpenStream::open(kind, gateway, "/orders/", &user.cookie());
    let mut stream = opened.ok().context("the gateway rejects a stream")?;
    // Without it, each logout would follow a poll, by which the last stream ended.
    thread::sleep(Duration::from_millis(fastrand::u64(0..POLL_MS)));
    ensure!(stream.is_open(), "a stream has ended before its session");
    let waiting = thread::spawn(move || stream.wait_for_end(LIMIT));
    let start = Instant::now();
    let status = runtime.block_on(user.logout()).status;
    ensure!(status == 200, "the status of a logout is {status}");
    let (end, at) = waiting.join().ok().context("a stream did not end with its session")?;
    ensure!(end != End::Complete, "a stream that was ended looks complete");
    Ok(at - start)
}

fn print(what: &str, times: &[Duration]) -> Result<()> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let [median, maximum] = [times.get(times.len() / 2), times.last()].map(Option::<&Duration>::copied);
    println!(
        "{what}: {} streams ended after a logout, median {} ms, maximum {} ms",
        times.len(),
        median.context("nothing was measured")?.as_millis(),
        maximum.context("nothing was measured")?.as_millis()
    );
    Ok(())
}
