//! The figures: a table for people, a file for programs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::pgbench;
use crate::run::{Run, approximate};
use crate::tasks::Turns;

/// What was measured. Ratios are against pgbench on the same cluster in the same
/// run; a figure whose phase was left out is absent.
#[derive(Default, Serialize)]
pub(crate) struct Report {
    /// Durable submissions a second per pgbench transaction a second.
    submit_ratio: Option<f64>,
    /// CPU per submission (service and Postgres) per Postgres CPU of a pgbench row.
    submit_cpu_ratio: Option<f64>,
    /// Latency of a lone submission per latency of a lone pgbench transaction.
    single_latency_ratio: Option<f64>,
    /// Share of the submissions a second that telling a collector of every tenth costs.
    otlp_cost: Option<f64>,
    /// CPU per submission it adds, as a share.
    otlp_cpu_cost: Option<f64>,
    /// Submission to assignment, 99th percentile, at the open loop's rate.
    submit_to_assigned_p99_ms: Option<f64>,
    /// How late timers fire while a million others are armed and submissions go on at the
    /// open loop's rate, 99th percentile.
    pub(crate) clock_fire_lag_p99_ms: Option<f64>,
    /// From start to serving, with a million timers armed.
    pub(crate) million_clocks_start_ms: Option<f64>,
    /// Waiting cases assigned a second, with 1 000 agents and 100 000 cases that wait.
    pub(crate) assignments_per_s: Option<f64>,
    /// CPU per assignment with 100 000 cases that wait, per CPU with 1 000.
    pub(crate) assignment_backlog_ratio: Option<f64>,
    /// A board of ten figures by month, over a year of a million cases, median.
    pub(crate) kpi_board_ms: Option<f64>,
    /// The same, told apart by channel.
    pub(crate) kpi_board_by_channel_ms: Option<f64>,
    /// The same as the first while the last month is out of date.
    pub(crate) kpi_board_changing_ms: Option<f64>,
    /// From the wish for a report of that year to its last file, in both languages and all
    /// formats.
    pub(crate) yearly_report_s: Option<f64>,
    /// Most memory of the process that made it.
    pub(crate) yearly_report_peak_rss_mb: Option<f64>,
    /// Whole lifecycles a second, clients and Postgres on the same machine.
    lifecycles_per_s: Option<f64>,
    /// Tasks polled for and completed a second, by 16 workers.
    pub(crate) tasks_per_s: Option<f64>,
    /// How long a poll takes that is handed tasks, 99th percentile.
    pub(crate) task_claim_p99_ms: Option<f64>,
    /// The same two while the workers ask for 2 000 tasks a second together.
    pub(crate) tasks_paced_per_s: Option<f64>,
    pub(crate) task_claim_paced_p99_ms: Option<f64>,
    /// The first two while a transaction that does nothing holds the xmin horizon back.
    pub(crate) tasks_held_back_per_s: Option<f64>,
    pub(crate) task_claim_held_back_p99_ms: Option<f64>,
    /// Share of the tasks a second that it costs.
    pub(crate) task_held_back_cost: Option<f64>,
    /// Dead rows of the table of tasks that had piled up then.
    pub(crate) task_dead_rows: Option<f64>,
    /// Rows of a statement held against the ledger a second.
    pub(crate) reconciled_rows_per_s: Option<f64>,
    /// The most memory that took.
    pub(crate) reconcile_peak_rss_mb: Option<f64>,
    /// The same, for each of a statement of a tenth of the rows.
    pub(crate) reconcile_memory_ratio: Option<f64>,
    /// A page of the console while 200 persons open one every five seconds each, 95th percentile.
    pub(crate) console_page_p95_ms: Option<f64>,
    pub(crate) idle_rss_mb_one_process: Option<f64>,
    pub(crate) idle_rss_mb_five_processes: Option<f64>,
    pub(crate) cold_start_ms: Option<f64>,
    rows: Vec<Row>,
    #[serde(skip)]
    baseline: Mean,
    #[serde(skip)]
    baseline_single: Mean,
    #[serde(skip)]
    submit: Mean,
    #[serde(skip)]
    submit_single: Mean,
    #[serde(skip)]
    silent: Mean,
    #[serde(skip)]
    traced: Mean,
}

/// One load.
#[derive(Serialize)]
struct Row {
    load: String,
    done: u64,
    per_second: f64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    services_cpu_us: f64,
    postgres_cpu_us: f64,
}

/// The mean of the runs of one load.
#[derive(Default)]
struct Mean {
    runs: f64,
    per_second: f64,
    latency_s: f64,
    cpu_s: f64,
}

impl Mean {
    fn add(&mut self, per_second: f64, latency: Duration, cpu: Duration) {
        self.per_second = (self.per_second * self.runs + per_second) / (self.runs + 1.0);
        self.latency_s = (self.latency_s * self.runs + latency.as_secs_f64()) / (self.runs + 1.0);
        self.cpu_s = (self.cpu_s * self.runs + cpu.as_secs_f64()) / (self.runs + 1.0);
        self.runs += 1.0;
    }
}

pub(crate) fn ms(latency: &Histogram<u64>, quantile: f64) -> f64 {
    approximate(latency.value_at_quantile(quantile)) / 1e3
}

fn us(cpu: Duration) -> f64 {
    cpu.as_secs_f64() * 1e6
}

impl Report {
    pub(crate) fn baseline(&mut self, run: &pgbench::Run) {
        self.baseline.add(run.per_second, run.latency, run.postgres_cpu);
        self.rows.push(Row::of_pgbench("pgbench", run));
    }

    pub(crate) fn baseline_single(&mut self, run: &pgbench::Run) {
        self.baseline_single.add(run.per_second, run.latency, run.postgres_cpu);
        self.rows.push(Row::of_pgbench("pgbench, one client", run));
    }

    pub(crate) fn intake_alone(&mut self, run: &Run) {
        self.submit.add(run.per_second, mean(&run.latency_us), run.services_cpu + run.postgres_cpu);
        self.submit("submit, intake alone", run);
        self.submit_ratio = Some(self.submit.per_second / self.baseline.per_second);
        self.submit_cpu_ratio = Some(self.submit.cpu_s / self.baseline.cpu_s);
    }

    pub(crate) fn submit_single(&mut self, run: &Run) {
        self.submit_single.add(run.per_second, mean(&run.latency_us), run.services_cpu + run.postgres_cpu);
        self.submit("submit, one in flight", run);
        self.single_latency_ratio = Some(self.submit_single.latency_s / self.baseline_single.latency_s);
    }

    pub(crate) fn silent(&mut self, run: &Run) {
        self.silent.add(run.per_second, mean(&run.latency_us), run.services_cpu + run.postgres_cpu);
        self.submit("submit, silent", run);
    }

    pub(crate) fn traced(&mut self, run: &Run) {
        self.traced.add(run.per_second, mean(&run.latency_us), run.services_cpu + run.postgres_cpu);
        self.submit("submit, traced at 10 %", run);
        self.otlp_cost = Some(1.0 - self.traced.per_second / self.silent.per_second);
        self.otlp_cpu_cost = Some(self.traced.cpu_s / self.silent.cpu_s - 1.0);
    }

    pub(crate) fn submit(&mut self, load: &str, run: &Run) {
        self.rows.push(Row {
            load: load.to_owned(),
            done: run.done,
            per_second: run.per_second,
            p50_ms: Some(ms(&run.latency_us, 0.5)),
            p99_ms: Some(ms(&run.latency_us, 0.99)),
            services_cpu_us: us(run.services_cpu),
            postgres_cpu_us: us(run.postgres_cpu),
        });
    }

    pub(crate) fn assigned(&mut self, p99_ms: f64) {
        self.submit_to_assigned_p99_ms = Some(p99_ms);
    }

    pub(crate) fn lifecycle(&mut self, run: &Run) {
        self.lifecycles_per_s = Some(run.per_second);
        self.submit("whole lifecycles", run);
    }

    /// Tasks carried out by workers; the latency is that of a claim, the CPU that of a task.
    pub(crate) fn tasks(&mut self, load: &str, turns: &Turns) {
        let per_task = |cpu: Duration| us(cpu) / approximate(turns.done);
        self.rows.push(Row {
            load: load.to_owned(),
            done: turns.done,
            per_second: turns.per_second(),
            p50_ms: Some(ms(&turns.claims, 0.5)),
            p99_ms: Some(ms(&turns.claims, 0.99)),
            services_cpu_us: per_task(turns.cpu.services),
            postgres_cpu_us: per_task(turns.cpu.postgres),
        });
    }

    /// The table people read.
    pub(crate) fn print(&self) {
        println!(
            "{:<30} {:>8} {:>9} {:>9} {:>9} {:>12} {:>12}",
            "load", "done", "per s", "p50 ms", "p99 ms", "services µs", "postgres µs"
        );
        for row in &self.rows {
            let shown =
                |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.1}"));
            println!(
                "{:<30} {:>8} {:>9.0} {:>9} {:>9} {:>12.0} {:>12.0}",
                row.load,
                row.done,
                row.per_second,
                shown(row.p50_ms),
                shown(row.p99_ms),
                row.services_cpu_us,
                row.postgres_cpu_us
            );
        }
        println!();
        let line = |name: &str, figure: Option<f64>, aim: &str| {
            if let Some(figure) = figure {
                println!("{name:<30} {figure:>8.2}   {aim}");
            }
        };
        line("submit_ratio", self.submit_ratio, "at least 1.5");
        line("submit_cpu_ratio", self.submit_cpu_ratio, "at most 0.5");
        line("single_latency_ratio", self.single_latency_ratio, "at most 2");
        line("otlp_cost", self.otlp_cost, "below 0.10");
        line("otlp_cpu_cost", self.otlp_cpu_cost, "");
        line("submit_to_assigned_p99_ms", self.submit_to_assigned_p99_ms, "below 250");
        line("clock_fire_lag_p99_ms", self.clock_fire_lag_p99_ms, "below 1000");
        line("million_clocks_start_ms", self.million_clocks_start_ms, "as cold_start_ms");
        line("assignments_per_s", self.assignments_per_s, "at least 3000");
        line("assignment_backlog_ratio", self.assignment_backlog_ratio, "at most 1.2");
        line("kpi_board_ms", self.kpi_board_ms, "below 200");
        line("kpi_board_by_channel_ms", self.kpi_board_by_channel_ms, "below 1 000");
        line("kpi_board_changing_ms", self.kpi_board_changing_ms, "below 400");
        line("yearly_report_s", self.yearly_report_s, "");
        line("yearly_report_peak_rss_mb", self.yearly_report_peak_rss_mb, "below 256");
        line("lifecycles_per_s", self.lifecycles_per_s, "at least 200");
        line("tasks_per_s", self.tasks_per_s, "at least 2000");
        line("task_claim_p99_ms", self.task_claim_p99_ms, "");
        line("tasks_paced_per_s", self.tasks_paced_per_s, "");
        line("task_claim_paced_p99_ms", self.task_claim_paced_p99_ms, "below 20");
        line("tasks_held_back_per_s", self.tasks_held_back_per_s, "");
        line("task_claim_held_back_p99_ms", self.task_claim_held_back_p99_ms, "");
        line("task_held_back_cost", self.task_held_back_cost, "below 0.10");
        line("task_dead_rows", self.task_dead_rows, "");
        line("reconciled_rows_per_s", self.reconciled_rows_per_s, "");
        line("reconcile_peak_rss_mb", self.reconcile_peak_rss_mb, "");
        line("reconcile_memory_ratio", self.reconcile_memory_ratio, "at most 1.2");
        line("console_page_p95_ms", self.console_page_p95_ms, "below 200");
        line("idle_rss_mb_one_process", self.idle_rss_mb_one_process, "below 60");
        line("idle_rss_mb_five_processes", self.idle_rss_mb_five_processes, "below 150");
        line("cold_start_ms", self.cold_start_ms, "below 1000");
    }

    /// The file programs read.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, serde_json::to_string_pretty(self)?)?;
        println!("\nwritten to {}", path.display());
        Ok(())
    }
}

fn mean(latency_us: &Histogram<u64>) -> Duration {
    Duration::from_secs_f64(latency_us.mean() / 1e6)
}

impl Row {
    fn of_pgbench(load: &str, run: &pgbench::Run) -> Self {
        Self {
            load: load.to_owned(),
            done: 0,
            per_second: run.per_second,
            p50_ms: Some(run.latency.as_secs_f64() * 1e3),
            p99_ms: None,
            services_cpu_us: 0.0,
            postgres_cpu_us: us(run.postgres_cpu),
        }
    }
}
