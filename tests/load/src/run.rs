//! What one load measured.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::suite::{Cpu, Suite};

/// Latencies are kept in microseconds up to two minutes, to three digits.
const LONGEST_US: u64 = 120_000_000;

/// What one load measured.
pub(crate) struct Run {
    pub(crate) done: u64,
    pub(crate) per_second: f64,
    pub(crate) latency_us: Histogram<u64>,
    /// CPU per operation.
    pub(crate) services_cpu: Duration,
    pub(crate) postgres_cpu: Duration,
}

impl Run {
    /// Sums up a load that began at `started`, when `before` had been used.
    pub(crate) fn of(
        suite: &Suite,
        before: Cpu,
        started: Instant,
        latencies: Vec<Histogram<u64>>,
    ) -> Result<Self> {
        let length = started.elapsed();
        let after = suite.cpu()?;
        let mut latency_us = histogram()?;
        for latency in latencies {
            latency_us.add(latency)?;
        }
        let done = latency_us.len();
        let count = approximate(done);
        let each = |used: Duration| used.div_f64(count.max(1.0));
        Ok(Self {
            done,
            per_second: count / length.as_secs_f64(),
            latency_us,
            services_cpu: each(after.services.saturating_sub(before.services)),
            postgres_cpu: each(after.postgres.saturating_sub(before.postgres)),
        })
    }
}

/// An empty histogram.
pub(crate) fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LONGEST_US, 3)?)
}

/// A latency as histograms keep it.
pub(crate) fn micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)
}

/// A count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
pub(crate) fn approximate(count: u64) -> f64 {
    count as f64
}
