//! Reports that came too late.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::TaskId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::money;
use crate::task::{RefusedReport, TaskResult};

/// Most reports that are kept of one task: a worker that never stops fills no table.
const MAX_REPORTS: i64 = 20;

/// Keeps reports that were refused, with the tokens they came under. What was told before
/// is not kept again.
pub(crate) async fn keep(conn: &mut PgConnection, refused: &[(RefusedReport, Uuid)]) -> Result<(), Fault> {
    for (report, token) in refused {
        let result = &report.result;
        let mut binds = Binds::default();
        let most = binds.value(MAX_REPORTS);
        let rows = binds
            .row(report)
            .column("task_id", |report| report.task_id.0)
            // Under which token what was told came: told twice, it is kept once.
            .column_as(
                "digest",
                "sha256(convert_to(jsonb_build_array({}, r.reporter, r.reference, r.amount_minor, r.currency,
                                                     r.remark, r.evidence)::text || r.output, 'UTF8'))",
                |_| *token,
            )
            .column("department_id", |report| report.department_id.as_str())
            .column("reporter", |report| report.reporter.as_str())
            .column("reference", |_| result.reference.as_str())
            .column("amount_minor", |_| result.amount.as_ref().map(|amount| amount.minor))
            .column("currency", |_| result.amount.as_ref().map(|amount| amount.currency.as_str()))
            .column("remark", |_| result.remark.as_str())
            .column("reported_at", |report| report.reported_at.to_sqlx())
            .list("evidence", |_| &result.evidence)
            .column("output", |_| result.output.as_str())
            .done();
        let statement = format!(
            "{insert} WHERE (SELECT count(*) FROM task_refused_report t
                    WHERE t.tenant_id = current_setting('redress.tenant') AND t.task_id = r.task_id) < {most}
             ON CONFLICT DO NOTHING",
            insert = rows.insert_into("task_refused_report"),
        );
        binds.execute(&statement, conn).await?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    department_id: String,
    reporter: String,
    reference: String,
    amount_minor: Option<i64>,
    currency: Option<String>,
    remark: String,
    evidence: Vec<String>,
    reported_at: jiff_sqlx::Timestamp,
    output: String,
}

/// The refused reports of a task, the oldest first.
pub(crate) async fn of_task(conn: &mut PgConnection, task_id: TaskId) -> Result<Vec<RefusedReport>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT department_id, reporter, reference, amount_minor, currency, remark, evidence, reported_at,
                output
         FROM task_refused_report
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1
         ORDER BY reported_at, digest",
    )
    .bind(task_id.0)
    .fetch_all(conn)
    .await?;
    let report = |row: Row| RefusedReport {
        task_id,
        department_id: row.department_id,
        reporter: row.reporter,
        result: TaskResult {
            reference: row.reference,
            amount: money(row.amount_minor, row.currency.as_deref()),
            remark: row.remark,
            evidence: row.evidence,
            output: row.output,
        },
        reported_at: row.reported_at.to_jiff(),
    };
    Ok(rows.into_iter().map(report).collect())
}
