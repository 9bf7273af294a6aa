//! How many rows of a department's statement are held against the ledger in a second, and
//! whether the server's memory grows with it: `redress reconcile` sends a table of a million
//! rows, and one of a tenth of that, to servers that have done nothing before.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, ensure};
use tokio::process::Command;
use tokio::time::Instant;

use crate::report::Report;
use crate::suite::{Base, Suite};

const DATABASE: &str = "load_reconcile";
/// Of so many rows one has another amount, and one a reference nobody knows.
const DIFFERS: u32 = 1_000;
/// How many times as many rows the large statement has.
const TIMES: u32 = 10;

/// Measures it over statements of so many rows, and of a tenth of them.
pub(crate) async fn measure(base: &Base, rows: u32, statements: u32, report: &mut Report) -> Result<()> {
    let small = run(base, "small", rows / TIMES, statements).await?;
    let large = run(base, "large", rows, statements).await?;
    report.reconciled_rows_per_s = Some(large.rows_per_s);
    report.reconcile_peak_rss_mb = Some(large.peak_mb);
    report.reconcile_memory_ratio = Some(large.peak_mb / small.peak_mb);
    println!("a statement of {} rows: {small:.1?}, of {rows} rows: {large:.1?}", rows / TIMES);
    Ok(())
}

/// What a statement came to.
#[derive(Debug)]
#[expect(dead_code, reason = "is printed")]
struct Done {
    rows_per_s: f64,
    idle_mb: f64,
    peak_mb: f64,
}

async fn run(base: &Base, department: &str, rows: u32, statements: u32) -> Result<Done> {
    let suite = Suite::resolution(base, DATABASE).await?;
    let url = base.create_database(DATABASE).await?;
    invent(base, &url, department, rows).await?;
    base.costs(DATABASE, statements, 1).await?;
    let file = std::env::temp_dir().join(format!("redress-load-{}-{department}.csv", std::process::id()));
    std::fs::write(&file, table(department, rows))?;
    let idle_mb = suite.peak_rss_mb()?;
    let begun = Instant::now();
    let told = reconcile(base, &suite, department, &file).await;
    let took = begun.elapsed();
    std::fs::remove_file(&file)?;
    let peak_mb = suite.peak_rss_mb()?;
    base.costs(DATABASE, statements, u64::from(rows)).await?;
    suite.stop().await?;
    check(&told?, rows)?;
    Ok(Done { rows_per_s: f64::from(rows) / took.as_secs_f64(), idle_mb, peak_mb })
}

/// The books of a department: as many sums paid as its statement will have rows.
async fn invent(base: &Base, url: &str, department: &str, rows: u32) -> Result<()> {
    let entries = format!(
        "INSERT INTO resolution.department (tenant_id, department_id) VALUES ('development', '{department}');
         INSERT INTO resolution.ledger_entry (tenant_id, entry_id, journal_id, movement, plan_id, step_id, case_id,
             cycle, department_id, kind, amount_minor, currency, task_id, reference, booked_at)
         SELECT 'development',
                (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7000-8'
                    || substr(md5('{department}' || n), 1, 3) || lpad(to_hex(n), 12, '0'))::uuid,
                md5('j' || n)::uuid, 3, md5('p' || n)::uuid, 'refund', md5('c' || n)::uuid, 1, '{department}', 3, 10000,
                'CNY', md5('{department}' || n)::uuid, '{department}-' || n, at
         FROM (SELECT n, timestamptz '2026-11-01 00:00Z' + interval '29 days' * n / {rows} AS at
               FROM generate_series(1, {rows}) AS n) AS e"
    );
    base.execute(url, &entries).await?;
    base.execute(url, "VACUUM ANALYZE resolution.ledger_entry").await?;
    base.execute(url, "CHECKPOINT").await.map(drop)
}

/// The department's own statement of them, as a table.
fn table(department: &str, rows: u32) -> String {
    let mut text = String::from("reference,amount,currency,day\n");
    for row in 1..=rows {
        let reference = if row % DIFFERS == 1 { "nowhere" } else { department };
        let amount = if row % DIFFERS == 2 { "99.50" } else { "100.00" };
        // Writing to a string never fails.
        let _ = writeln!(text, "{reference}-{row},{amount},CNY,2026-11-{:02}", 1 + row % 29);
    }
    text
}

async fn reconcile(base: &Base, suite: &Suite, department: &str, file: &Path) -> Result<String> {
    let output = Command::new(base.binary("redress"))
        .arg("reconcile")
        .arg(file)
        .args(["--department", department, "--from", "2026-11-01", "--to", "2026-11-30", "--json"])
        .args(["--server", &format!("http://{}", suite.address())])
        .stdin(Stdio::null())
        .output()
        .await?;
    ensure!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Every row must have had its verdict.
fn check(told: &str, rows: u32) -> Result<()> {
    let differing = rows / DIFFERS;
    let (matched, summary) =
        (rows - 2 * differing, told.rsplit_once("row_count").map_or(told, |(_, rest)| rest));
    for figure in [rows, matched, differing] {
        ensure!(summary.contains(&figure.to_string()), "{figure} is not told in: row_count{summary}");
    }
    Ok(())
}
