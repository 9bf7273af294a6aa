//! The limit to compare with: pgbench inserting the same rows, one commit each.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::suite::Base;

/// A prepared database and script.
pub(crate) struct Baseline {
    url: String,
    script: PathBuf,
}

/// What pgbench measured.
pub(crate) struct Run {
    pub(crate) per_second: f64,
    pub(crate) latency: Duration,
    /// CPU Postgres used per transaction.
    pub(crate) postgres_cpu: Duration,
}

const TABLES: &str = "
    CREATE TABLE complaint_row (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(), record text NOT NULL);
    CREATE TABLE outbox_row (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id text NOT NULL,
        subject uuid NOT NULL, occurred_at timestamptz NOT NULL DEFAULT now(), payload text NOT NULL);";

/// BEGIN, a row of 1 KB, an outbox row of 1 KB, COMMIT: what storing a complaint
/// and telling of it takes at the least.
fn script() -> String {
    let text = "x".repeat(1_000);
    let mut script = String::from("BEGIN;\n");
    let _ = writeln!(script, "INSERT INTO complaint_row (tenant_id, record) VALUES ('load', '{text}');");
    let _ = writeln!(
        script,
        "INSERT INTO outbox_row (tenant_id, subject, payload) VALUES ('load', gen_random_uuid(), '{text}');"
    );
    script.push_str("COMMIT;\n");
    script
}

/// Makes the tables and the script.
pub(crate) async fn prepare(base: &Base, database: &str) -> Result<Baseline> {
    let url = base.create_database(database).await?;
    base.execute(&url, TABLES).await?;
    let script_file = std::env::temp_dir().join(format!("redress-load-{}.sql", std::process::id()));
    std::fs::write(&script_file, script())?;
    Ok(Baseline { url, script: script_file })
}

/// Runs it with so many clients.
pub(crate) async fn run(base: &Base, baseline: &Baseline, clients: usize, length: Duration) -> Result<Run> {
    let before = base.postgres_cpu()?;
    let seconds = length.as_secs().max(1).to_string();
    let output = Command::new(base.postgres_binary("pgbench")?)
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--time", &seconds])
        .args(["--client", &clients.to_string(), "--file"])
        .arg(&baseline.script)
        .arg(&baseline.url)
        .output()
        .await
        .context("pgbench comes with Postgres")?;
    let used = base.postgres_cpu()?.saturating_sub(before);
    if !output.status.success() {
        bail!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = |name: &str| -> Result<f64> {
        let line = text.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name}"))?;
        let value = line.split(['=', ':']).nth(1).unwrap_or_default().trim();
        Ok(value.split([' ', '/']).next().unwrap_or_default().parse()?)
    };
    let done = figure("number of transactions actually processed")?;
    Ok(Run {
        per_second: figure("tps")?,
        latency: Duration::from_secs_f64(figure("latency average")? / 1e3),
        postgres_cpu: used.div_f64(done.max(1.0)),
    })
}
