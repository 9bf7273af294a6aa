//! Reports that came too late.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::TaskId;
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
        let RefusedReport { task_id, department_id, reporter, result, reported_at } = report;
        sqlx::query(
            "INSERT INTO task_refused_report (
                 tenant_id, task_id, digest, department_id, reporter, reference, amount_minor, currency, remark,
                 reported_at, evidence, output)
             SELECT current_setting('redress.tenant'), $1,
                    sha256(convert_to(jsonb_build_array($2::uuid, $4::text, $5::text, $6::bigint, $7::text,
                                                        $8::text, $11::text[])::text || $12::text, 'UTF8')),
                    $3, $4, $5, $6, $7, $8, $9, $11, $12
             WHERE (SELECT count(*) FROM task_refused_report
                    WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1) < $10
             ON CONFLICT DO NOTHING",
        )
        .bind(task_id.0)
        .bind(token)
        .bind(department_id)
        .bind(reporter)
        .bind(&result.reference)
        .bind(result.amount.as_ref().map(|amount| amount.minor))
        .bind(result.amount.as_ref().map(|amount| amount.currency.as_str()))
        .bind(&result.remark)
        .bind(reported_at.to_sqlx())
        .bind(MAX_REPORTS)
        .bind(&result.evidence)
        .bind(&result.output)
        .execute(&mut *conn)
        .await?;
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
