//! Metrics of the process, under the names on which Prometheus' client libraries agree
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>). They are read from `/proc` at the
//! time of a scrape. A value that cannot be read is left out.

use std::fmt;

use procfs::process::{LimitValue, Process};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

pub(super) fn register(registry: &mut Registry) {
    let booted_at = procfs::boot_time_secs().ok();
    registry.register_collector(Box::new(ProcessCollector { booted_at }));
}

#[derive(Debug)]
struct ProcessCollector {
    /// Start of the system, in seconds since 1970.
    booted_at: Option<u64>,
}

impl Collector for ProcessCollector {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let Ok(process) = Process::myself() else { return Ok(()) };
        let mut writer = Writer(encoder);
        if let Ok(stat) = process.stat() {
            let cpu = ConstCounter::new(seconds(stat.utime + stat.stime));
            writer.write("process_cpu", "User and system time", Some(&Unit::Seconds), &cpu)?;
            let resident = ConstGauge::new(stat.rss * procfs::page_size());
            writer.write("process_resident_memory", "Resident memory", Some(&Unit::Bytes), &resident)?;
            writer.write("process_threads", "Threads", None, &ConstGauge::new(stat.num_threads))?;
            if let Some(booted_at) = self.booted_at {
                let started_at = ConstGauge::new(booted_at + stat.starttime / procfs::ticks_per_second());
                writer.write(
                    "process_start_time",
                    "Start of the process",
                    Some(&Unit::Seconds),
                    &started_at,
                )?;
            }
        }
        if let Ok(open) = process.fd_count() {
            writer.write("process_open_fds", "Open file descriptors", None, &ConstGauge::new(open))?;
        }
        if let Ok(LimitValue::Value(max)) = process.limits().map(|limits| limits.max_open_files.soft_limit) {
            writer.write("process_max_fds", "Limit of open file descriptors", None, &ConstGauge::new(max))?;
        }
        Ok(())
    }
}

struct Writer<'a>(DescriptorEncoder<'a>);

impl Writer<'_> {
    fn write(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        metric: &impl EncodeMetric,
    ) -> fmt::Result {
        metric.encode(self.0.encode_descriptor(name, help, unit, metric.metric_type())?)
    }
}

/// Converts clock ticks to seconds.
#[expect(clippy::cast_precision_loss, reason = "exact for 2^53 ticks, which are millions of years")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}
