//! Measurement: each round runs every scenario once, in another order each time, so that disturbances of the machine affect
//! all of them alike. Several starts of Envoy even out its memory layout.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::TcpStream;

use super::configuration;
use super::edge::Bench;
use super::load::{Pace, Work, connect};
use super::machine;
use super::request::{PATH, Template};
use super::sample;
use super::scenario::{Scenario, Tokens};
use edgeward_stack::envoy::Envoy;
use edgeward_stack::ports;

/// Number of ports: the admin interface of one Envoy, and more listeners than scenarios.
const PORTS: usize = 48;
/// Number of connections for each worker. Chosen: enough to keep it busy.
pub(super) const CONNECTIONS: usize = 16;

/// Result of one round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// Envoy's processor time for a request, in microseconds.
    pub(super) cpu: f64,
    /// Requests a second.
    pub(super) rate: f64,
    /// Median and 99th percentile of the response time, in microseconds.
    pub(super) latency: [f64; 2],
}

/// Scenario with all its rounds.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) scenario: Scenario,
    pub(super) rounds: Vec<Round>,
}

/// Scenario with its listener.
struct Lane {
    port: u16,
    work: Arc<Work>,
    /// Connections, opened by the warm-up: their cost is not that of a filter.
    connections: Vec<TcpStream>,
    measured: Measured,
}

/// Measures these scenarios with this many workers, at every start of Envoy.
pub(super) fn run(
    bench: &Bench,
    scenarios: &[Scenario],
    workers: u32,
    log: &mut dyn FnMut(&str),
) -> Result<Vec<Measured>> {
    let mut all = run_once(bench, scenarios, workers, log)?;
    for _ in 1..bench.effort.starts {
        for (one, more) in all.iter_mut().zip(run_once(bench, scenarios, workers, log)?) {
            one.rounds.extend(more.rounds);
        }
    }
    Ok(all)
}

/// Measures them with one start of Envoy.
fn run_once(
    bench: &Bench,
    scenarios: &[Scenario],
    workers: u32,
    log: &mut dyn FnMut(&str),
) -> Result<Vec<Measured>> {
    let [admin, listening @ ..] = ports::free::<PORTS>()?;
    let mut lanes = lanes(bench, scenarios, &listening);
    let listeners: Vec<_> = lanes.iter().map(|lane| (lane.port, lane.measured.scenario.filter)).collect();
    let configuration = configuration::render(admin, bench.servers, &listeners, &bench.parts);
    let envoy = Envoy::start(&bench.program, &configuration, admin, workers, &bench.directory)?;
    for lane in &lanes {
        sample::check(bench, &lane.measured.scenario, lane.port)?;
    }
    let processors = machine::processors();
    let is_pinned = machine::pin(envoy.pid(), workers)?;
    log(if is_pinned {
        "  Envoy and the load have processors of their own"
    } else {
        "  Envoy and the load share the processors"
    });
    log("  warming up");
    for lane in &mut lanes {
        lane.warm_up(bench, workers)?;
    }
    let mut order: Vec<usize> = (0..lanes.len()).collect();
    log(&format!("  {} rounds", bench.effort.rounds));
    for _ in 0..bench.effort.rounds {
        fastrand::shuffle(&mut order);
        for at in &order {
            lanes[*at].measure(bench, &envoy)?;
        }
    }
    machine::unpin(processors)?;
    Ok(lanes.into_iter().map(|lane| lane.measured).collect())
}

fn lanes(bench: &Bench, scenarios: &[Scenario], ports: &[u16]) -> Vec<Lane> {
    let lane = |(scenario, &port): (Scenario, &u16)| {
        let distinct = match scenario.tokens {
            Tokens::Seen(count) => count,
            Tokens::New => bench.signed.tokens.len(),
        };
        let template = Template::new(scenario.shape, PATH, "");
        let work = Arc::new(Work::new(template, Arc::clone(&bench.signed.tokens), distinct));
        Lane { port, work, connections: Vec::new(), measured: Measured { scenario, rounds: Vec::new() } }
    };
    assert!(scenarios.len() <= ports.len(), "there are not enough ports for every scenario");
    scenarios.iter().cloned().zip(ports).map(lane).collect()
}

impl Lane {
    /// Sends every token of a scenario with seen tokens, in all likelihood to every worker, and lets V8 compile hot code.
    fn warm_up(&mut self, bench: &Bench, workers: u32) -> Result<()> {
        let scenario = &self.measured.scenario;
        let requests = match scenario.tokens {
            Tokens::Seen(count) if workers == 1 => count.max(scenario.requests),
            Tokens::Seen(count) => (8 * count).max(scenario.requests),
            Tokens::New => scenario.requests,
        };
        for _ in 0..CONNECTIONS * usize::try_from(workers)? {
            self.connections.push(bench.runtime.block_on(connect(self.port))?);
        }
        self.send(bench, requests).map(drop)
    }

    fn measure(&mut self, bench: &Bench, envoy: &Envoy) -> Result<()> {
        let requests = self.measured.scenario.requests;
        let before = machine::cpu_time(envoy.pid())?;
        let pace = self.send(bench, requests)?;
        let taken = machine::cpu_time(envoy.pid())?.saturating_sub(before);
        let count = f64::from(u32::try_from(requests)?);
        let at = |share: usize| pace.latencies.get((pace.latencies.len() * share / 100).min(requests - 1));
        let latency = |share| at(share).copied().map_or(f64::NAN, micros);
        self.measured.rounds.push(Round {
            cpu: micros(taken) / count,
            rate: count / pace.elapsed.as_secs_f64(),
            latency: [latency(50), latency(99)],
        });
        Ok(())
    }

    fn send(&mut self, bench: &Bench, requests: usize) -> Result<Pace> {
        bench
            .runtime
            .block_on(self.work.send(&mut self.connections, requests))
            .with_context(|| format!("the listener for `{}`", self.measured.scenario.name()))
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
