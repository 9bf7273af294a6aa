//! Statements about policies put in force and calendars edited, and how far each has
//! reached the open clocks.

use std::collections::HashMap;
use std::hash::Hash;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::{CaseId, TenantId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::clocks::policy_activation::{Job, Progress, What};

#[derive(sqlx::FromRow)]
struct Row {
    number: i64,
    policy: Option<i32>,
    calendar: Option<String>,
    asked_at: Timestamp,
    passed: Uuid,
    last: Uuid,
}

impl Row {
    fn into_job(self) -> Result<Job, Fault> {
        let Self { number, policy, calendar, asked_at, passed, last } = self;
        let what = match (policy, calendar) {
            (Some(version), None) => What::Policy(version),
            (None, Some(name)) => What::Calendar(name),
            _ => return Err(Fault::internal(format!("clock_job: {number} is of no one thing"))),
        };
        Ok(Job { number, what, asked: asked_at.to_jiff(), passed, last })
    }
}

/// Begins a job that reaches all cases with open clocks, those of a calendar where one
/// was edited; one that has none to reach has ended. For who has the clocks of the tenant
/// to themselves.
pub(crate) async fn begin(conn: &mut PgConnection, what: &What, now: jiff::Timestamp) -> Result<(), Fault> {
    let (policy, calendar) = match what {
        What::Policy(version) => (Some(*version), None),
        What::Calendar(name) => (None, Some(name.as_str())),
    };
    let last: Option<Uuid> = match calendar {
        Some(calendar) => last_counted_by(conn, calendar).await?,
        None => last_open(conn).await?,
    };
    sqlx::query(
        "INSERT INTO clock_job (tenant_id, number, policy, calendar, asked_at, passed, last, cases, finished_at)
         SELECT current_setting('redress.tenant'), coalesce(max(number), 0) + 1, $1::integer, $2::text,
                $3::timestamptz, $4::uuid, coalesce($5::uuid, $4::uuid), 0,
                CASE WHEN $5::uuid IS NULL THEN $3::timestamptz END
         FROM clock_job WHERE tenant_id = current_setting('redress.tenant')",
    )
    .bind(policy)
    .bind(calendar)
    .bind(now.to_sqlx())
    .bind(Uuid::nil())
    .bind(last)
    .execute(conn)
    .await?;
    Ok(())
}

async fn last_open(conn: &mut PgConnection) -> Result<Option<Uuid>, Fault> {
    let last = sqlx::query_scalar(
        "SELECT case_id FROM clock WHERE tenant_id = current_setting('redress.tenant') AND is_open
         ORDER BY case_id DESC LIMIT 1",
    );
    Ok(last.fetch_optional(conn).await?)
}

async fn last_counted_by(conn: &mut PgConnection, calendar: &str) -> Result<Option<Uuid>, Fault> {
    let last = sqlx::query_scalar(
        "SELECT case_id FROM clock
         WHERE tenant_id = current_setting('redress.tenant') AND calendar = $1 AND is_open
         ORDER BY case_id DESC LIMIT 1",
    );
    Ok(last.bind(calendar).fetch_optional(conn).await?)
}

/// The jobs that have not reached all, the oldest first.
pub(crate) async fn unfinished(conn: &mut PgConnection) -> Result<Vec<Job>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT number, policy, calendar, asked_at, passed, last FROM clock_job
         WHERE tenant_id = current_setting('redress.tenant') AND finished_at IS NULL ORDER BY number",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_job).collect()
}

/// Takes the oldest of them in hand until the transaction ends; none if there is none, or
/// if another has it in hand.
pub(crate) async fn take_oldest(conn: &mut PgConnection) -> Result<Option<Job>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT number, policy, calendar, asked_at, passed, last FROM clock_job
         WHERE tenant_id = current_setting('redress.tenant') AND finished_at IS NULL
           AND number = (SELECT number FROM clock_job
                         WHERE tenant_id = current_setting('redress.tenant') AND finished_at IS NULL
                         ORDER BY number LIMIT 1)
         FOR UPDATE SKIP LOCKED",
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_job).transpose()
}

/// The next cases that a job is to reach, in the order of their ids.
pub(crate) async fn next_cases(conn: &mut PgConnection, job: &Job, cases: i64) -> Result<Vec<Uuid>, Fault> {
    let (policy, calendar) = match &job.what {
        What::Policy(_) => (true, ""),
        What::Calendar(name) => (false, name.as_str()),
    };
    let of_all = sqlx::query_scalar(
        "SELECT DISTINCT case_id FROM clock
         WHERE tenant_id = current_setting('redress.tenant') AND is_open AND case_id > $1 AND case_id <= $2
         ORDER BY case_id LIMIT $3",
    );
    let of_calendar = sqlx::query_scalar(
        "SELECT DISTINCT case_id FROM clock
         WHERE tenant_id = current_setting('redress.tenant') AND is_open AND case_id > $1 AND case_id <= $2
           AND calendar = $4
         ORDER BY case_id LIMIT $3",
    );
    let ids = if policy { of_all } else { of_calendar };
    let ids = ids.bind(job.passed).bind(job.last).bind(cases);
    let ids = if policy { ids } else { ids.bind(calendar) };
    Ok(ids.fetch_all(conn).await?)
}

/// Notes how far a job has come, and how many more cases it has reached.
pub(crate) async fn advance(
    conn: &mut PgConnection,
    job: &Job,
    passed: Uuid,
    cases: usize,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE clock_job SET passed = $2, cases = cases + $3
         WHERE tenant_id = current_setting('redress.tenant') AND number = $1",
    )
    .bind(job.number)
    .bind(passed)
    .bind(i64::try_from(cases).unwrap_or(i64::MAX))
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a job that has reached all.
pub(crate) async fn finish(conn: &mut PgConnection, job: &Job, now: jiff::Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE clock_job SET passed = last, finished_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND number = $1",
    )
    .bind(job.number)
    .bind(now.to_sqlx())
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "DELETE FROM clock_job_done WHERE tenant_id = current_setting('redress.tenant') AND number = $1",
    )
    .bind(job.number)
    .execute(conn)
    .await?;
    Ok(())
}

/// Which jobs need not reach which of some cases.
pub(crate) async fn done(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<(i64, CaseId)>, Fault> {
    let rows: Vec<(i64, Uuid)> = sqlx::query_as(
        "SELECT d.number, d.case_id
         FROM clock_job j JOIN clock_job_done d ON d.tenant_id = j.tenant_id AND d.number = j.number
         WHERE j.tenant_id = current_setting('redress.tenant') AND j.finished_at IS NULL
           AND d.case_id = ANY($1)",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(number, case)| (number, CaseId(case))).collect())
}

/// Notes that jobs need not reach cases.
pub(crate) async fn mark(conn: &mut PgConnection, due: &[(i64, CaseId)]) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO clock_job_done (tenant_id, number, case_id)
         SELECT current_setting('redress.tenant'), n.number, n.id
         FROM (SELECT UNNEST($1::bigint[]) AS number, UNNEST($2::uuid[]) AS id) AS n
         ON CONFLICT (tenant_id, number, case_id) DO NOTHING",
    )
    .bind(due.iter().map(|(number, _)| *number).collect::<Vec<_>>())
    .bind(due.iter().map(|(_, case)| case.0).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// The tenants that have unfinished jobs, so many of them.
pub(crate) async fn tenants(conn: &mut PgConnection, tenants: i64) -> Result<Vec<TenantId>, Fault> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT tenant_id FROM clock_job WHERE finished_at IS NULL ORDER BY tenant_id LIMIT $1",
    )
    .bind(tenants)
    .fetch_all(conn)
    .await?;
    ids.iter().map(|id| TenantId::parse(id).map_err(Fault::internal)).collect()
}

/// What was put in force, when it was asked for, the cases reached, when all were.
type ProgressRow<K> = (K, Timestamp, i64, Option<Timestamp>);

fn progress<K: Eq + Hash>(rows: Vec<ProgressRow<K>>) -> HashMap<K, Progress> {
    let read = |(of, begin, cases, finish): ProgressRow<K>| {
        (of, Progress { begin: begin.to_jiff(), cases, finish: finish.map(Timestamp::to_jiff) })
    };
    rows.into_iter().map(read).collect()
}

/// How far policies have come that were put in force, by version; the last time each was.
pub(crate) async fn of_policies(
    conn: &mut PgConnection,
    versions: &[i32],
) -> Result<HashMap<i32, Progress>, Fault> {
    let rows = sqlx::query_as(
        "SELECT DISTINCT ON (policy) policy, asked_at, cases, finished_at FROM clock_job
         WHERE tenant_id = current_setting('redress.tenant') AND policy = ANY($1)
         ORDER BY policy, number DESC",
    )
    .bind(versions)
    .fetch_all(conn)
    .await?;
    Ok(progress(rows))
}

/// How far the last edits of calendars have come, by name.
pub(crate) async fn of_calendars(
    conn: &mut PgConnection,
    names: &[String],
) -> Result<HashMap<String, Progress>, Fault> {
    let rows = sqlx::query_as(
        "SELECT DISTINCT ON (calendar) calendar, asked_at, cases, finished_at FROM clock_job
         WHERE tenant_id = current_setting('redress.tenant') AND calendar = ANY($1)
         ORDER BY calendar, number DESC",
    )
    .bind(names)
    .fetch_all(conn)
    .await?;
    Ok(progress(rows))
}
