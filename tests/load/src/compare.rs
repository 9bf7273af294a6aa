//! Today's build against another, in turns: on a machine that drifts, only rounds that
//! alternate say which of two builds is faster.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::run::Run;
use crate::suite::{Base, Suite};
use crate::{lifecycle, submit};

/// Most rounds: every way to draw them anew is gone through, which are 7⁷ then.
pub(crate) const MAX_ROUNDS: u32 = 7;
/// Share of the ways that lie below an interval, and above it.
const TAIL: f64 = 0.025;

/// What is compared, and for how long.
pub(crate) struct Loads {
    pub(crate) rounds: u32,
    pub(crate) warm: Duration,
    pub(crate) length: Duration,
    pub(crate) in_flight: usize,
    pub(crate) lifecycles: usize,
}

/// One figure of both builds, a value a round.
struct Figure {
    name: &'static str,
    baseline: Vec<f64>,
    now: Vec<f64>,
}

fn us(cpu: Duration) -> f64 {
    cpu.as_secs_f64() * 1e6
}

/// Runs submissions to intake alone and whole lifecycles by both builds in turns, and prints
/// how today's figures relate to the baseline's. Both use contracts of today: a baseline
/// that is too old to know them fails here.
///
/// # Errors
///
/// Fails if a server of either build does not start, or loses what it answered.
pub(crate) async fn measure(base: &Base, baseline: &Path, loads: &Loads) -> Result<()> {
    ensure!(baseline.is_dir(), "the baseline is a folder of binaries: {}", baseline.display());
    let baseline = base.with_binaries(baseline);
    let (mut submissions, mut lifecycles) = (Vec::new(), Vec::new());
    for _ in 0..loads.rounds {
        let before = submissions_of(&baseline, "compare_submit_baseline", loads).await?;
        submissions.push((before, submissions_of(base, "compare_submit", loads).await?));
        let before = lifecycles_of(&baseline, "compare_lifecycle_baseline", loads).await?;
        lifecycles.push((before, lifecycles_of(base, "compare_lifecycle", loads).await?));
    }
    print("submissions, intake alone", &submissions);
    print("whole lifecycles", &lifecycles);
    Ok(())
}

async fn submissions_of(base: &Base, database: &str, loads: &Loads) -> Result<Run> {
    let suite = Suite::intake(base, database, &[]).await?;
    submit::closed(&suite, loads.in_flight, loads.warm).await?;
    let run = submit::closed(&suite, loads.in_flight, loads.length).await?;
    suite.stop().await?;
    Ok(run)
}

async fn lifecycles_of(base: &Base, database: &str, loads: &Loads) -> Result<Run> {
    let suite = Suite::one_process(base, database).await?;
    lifecycle::run(&suite, loads.lifecycles, loads.warm).await?;
    let run = lifecycle::run(&suite, loads.lifecycles, loads.length).await?;
    suite.stop().await?;
    Ok(run)
}

fn print(load: &str, rounds: &[(Run, Run)]) {
    let figure = |name, of: fn(&Run) -> f64| Figure {
        name,
        baseline: rounds.iter().map(|(baseline, _)| of(baseline)).collect(),
        now: rounds.iter().map(|(_, now)| of(now)).collect(),
    };
    let figures = [
        figure("per second", |run| run.per_second),
        figure("CPU, µs each", |run| us(run.services_cpu + run.postgres_cpu)),
        figure("of that, services", |run| us(run.services_cpu)),
        figure("of that, Postgres", |run| us(run.postgres_cpu)),
    ];
    println!("{load:<26} {:>10} {:>10} {:>7}   95 %", "baseline", "now", "ratio");
    for figure in figures {
        let (low, high) = interval(&figure.baseline, &figure.now);
        println!(
            "  {:<24} {:>10.0} {:>10.0} {:>7.2}   {low:.2} to {high:.2}",
            figure.name,
            mean(&figure.baseline),
            mean(&figure.now),
            mean(&figure.now) / mean(&figure.baseline),
        );
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / crate::run::approximate(values.len() as u64)
}

/// Within which the ratio of the means lies, by a bootstrap over rounds: a round is drawn
/// with both its values, since the machine drifts between rounds, not within one. So few
/// rounds need no random numbers: every way to draw them is gone through.
fn interval(baseline: &[f64], now: &[f64]) -> (f64, f64) {
    let rounds: Vec<(f64, f64)> = baseline.iter().copied().zip(now.iter().copied()).collect();
    let mut sums = vec![(0.0, 0.0)];
    for _ in &rounds {
        sums = sums
            .iter()
            .flat_map(|sum| rounds.iter().map(|round| (sum.0 + round.0, sum.1 + round.1)))
            .collect();
    }
    let mut ratios: Vec<f64> = sums.iter().map(|(baseline, now)| now / baseline).collect();
    ratios.sort_by(f64::total_cmp);
    (quantile(&ratios, TAIL), quantile(&ratios, 1.0 - TAIL))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place within a list")]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (crate::run::approximate(sorted.len() as u64) * share) as usize;
    sorted.get(place).or(sorted.last()).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::interval;

    #[test]
    fn equal_builds_have_an_interval_around_one() {
        let (low, high) = interval(&[100.0, 110.0, 90.0, 105.0], &[101.0, 108.0, 91.0, 104.0]);
        assert!(low < 1.0 && 1.0 < high, "{low} to {high}");
    }

    #[test]
    fn a_build_twice_as_fast_in_every_round_has_an_interval_of_two() {
        let (low, high) = interval(&[100.0, 50.0, 80.0], &[200.0, 100.0, 160.0]);
        assert!((low - 2.0).abs() < 1e-9 && (high - 2.0).abs() < 1e-9, "{low} to {high}");
    }
}
