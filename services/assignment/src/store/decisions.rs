//! How it was decided who has a case.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use kernel::CaseId;
use pg::Binds;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;
use vocabulary::Priority;

use super::impossible;
use crate::assignment::{Assignment, Origin, Stage};
use crate::routing::PastCase;

/// A decision on its way into the table.
#[derive(Debug)]
pub(crate) struct Record {
    /// The case as it was decided about.
    pub(crate) case: Assignment,
    /// Who was chosen.
    pub(crate) agent: Option<String>,
    /// The whole of it, encoded.
    pub(crate) taken_apart: Vec<u8>,
}

/// Keeps decisions; of a cycle the last.
pub(crate) async fn save(conn: &mut PgConnection, records: &[Record], now: Timestamp) -> Result<(), Fault> {
    if records.is_empty() {
        return Ok(());
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(records)
        .column("case_id", |record| record.case.case_id.0)
        .column("cycle", |record| record.case.cycle)
        .column("department_id", |record| record.case.department.as_deref().unwrap_or_default())
        .column("agent_id", |record| record.agent.as_deref())
        .column("enqueued_at", |record| record.case.enqueued.to_sqlx())
        .column("decided_at", |_| now.to_sqlx())
        .column("priority", |record| record.case.priority.number())
        .column("bulk", |record| record.case.is_bulk)
        .column("category", |record| record.case.category.as_str())
        .column("customer_id", |record| record.case.origin.customer.as_str())
        .column("language", |record| record.case.origin.language.as_str())
        .column("region", |record| record.case.origin.region.as_str())
        .column("respondent_staff", |record| record.case.origin.respondent.as_str())
        .column("previous_agent_id", |record| record.case.previous_agent.as_deref())
        .column("familiar_agent_id", |record| record.case.familiar_agent.as_deref())
        .column("taken_apart", |record| record.taken_apart.as_slice())
        .done();
    let key = ["case_id", "cycle"];
    let statement = format!(
        "{} ON CONFLICT (tenant_id, case_id, cycle) DO UPDATE SET {}",
        rows.insert_into("decision"),
        rows.overwrite(&key),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Notes that cycles are over.
pub(crate) async fn release(
    conn: &mut PgConnection,
    cycles: &[(Uuid, i32)],
    now: Timestamp,
) -> Result<(), Fault> {
    let (cases, cycles): (Vec<Uuid>, Vec<i32>) = cycles.iter().copied().unzip();
    sqlx::query(
        "UPDATE decision SET released_at = $3
         FROM (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::integer[]) AS cycle) AS over
         WHERE tenant_id = current_setting('redress.tenant') AND decision.case_id = over.case_id
           AND decision.cycle = over.cycle",
    )
    .bind(cases)
    .bind(cycles)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a decision, encoded: of a cycle, or with 0 of the latest.
pub(crate) async fn get(conn: &mut PgConnection, case: CaseId, cycle: i32) -> Result<Option<Vec<u8>>, Fault> {
    let decision = sqlx::query_scalar(
        "SELECT taken_apart FROM decision
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND (cycle = $2 OR $2 = 0)
         ORDER BY cycle DESC LIMIT 1",
    )
    .bind(case.0)
    .bind(cycle)
    .fetch_optional(conn)
    .await?;
    Ok(decision)
}

#[derive(FromRow)]
struct PastRow {
    case_id: Uuid,
    cycle: i32,
    agent_id: Option<String>,
    enqueued_at: jiff_sqlx::Timestamp,
    decided_at: jiff_sqlx::Timestamp,
    released_at: Option<jiff_sqlx::Timestamp>,
    priority: i16,
    bulk: bool,
    category: String,
    customer_id: String,
    language: String,
    region: String,
    respondent_staff: String,
    previous_agent_id: Option<String>,
    familiar_agent_id: Option<String>,
}

impl TryFrom<PastRow> for PastCase {
    type Error = Fault;

    fn try_from(row: PastRow) -> Result<Self, Fault> {
        let origin = Origin {
            respondent: row.respondent_staff,
            customer: row.customer_id,
            language: row.language,
            region: row.region,
        };
        Ok(Self {
            case_id: row.case_id,
            cycle: row.cycle,
            enqueued: row.enqueued_at.to_jiff(),
            decided: row.decided_at.to_jiff(),
            released: row.released_at.map(jiff_sqlx::Timestamp::to_jiff),
            agent: row.agent_id,
            priority: Priority::of(row.priority)
                .ok_or_else(|| impossible("decision", "priority", row.case_id))?,
            is_bulk: row.bulk,
            category: row.category,
            origin,
            previous: row.previous_agent_id,
            familiar: row.familiar_agent_id,
        })
    }
}

/// Reads the cycles of a department that began in a window, the first of them, in order.
pub(crate) async fn past(
    conn: &mut PgConnection,
    department: &str,
    (from, until): (Option<Timestamp>, Option<Timestamp>),
    most: i64,
) -> Result<Vec<PastCase>, Fault> {
    let rows: Vec<PastRow> = sqlx::query_as(
        "SELECT case_id, cycle, agent_id, enqueued_at, decided_at, released_at, priority, bulk, category,
                customer_id, language, region, respondent_staff, previous_agent_id, familiar_agent_id
         FROM decision
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1
           AND enqueued_at >= coalesce($2::timestamptz, '-infinity') AND enqueued_at < coalesce($3::timestamptz, 'infinity')
         ORDER BY enqueued_at, case_id, cycle LIMIT $4",
    )
    .bind(department)
    .bind(from.map(ToSqlx::to_sqlx))
    .bind(until.map(ToSqlx::to_sqlx))
    .bind(most)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(PastCase::try_from).collect()
}

/// Forgets decisions of cycles that were over before a moment, of all tenants, those decided
/// longest ago first; answers whether there may be more. Of a case that was merged into
/// another, it is over since it was decided.
pub(crate) async fn forget(conn: &mut PgConnection, before: Timestamp, limit: i64) -> Result<bool, Fault> {
    let forgotten = sqlx::query(pg::sql!(
        "DELETE FROM decision
         WHERE decided_at < $1
           AND ctid = ANY (ARRAY (
               SELECT d.ctid FROM decision d
               WHERE d.decided_at < $1 AND (d.released_at IS NULL OR d.released_at < $1)
                 AND NOT EXISTS (
                     SELECT FROM assignment a
                     WHERE a.tenant_id = d.tenant_id AND a.case_id = d.case_id AND a.cycle = d.cycle
                       AND a.state <> {released})
               ORDER BY d.decided_at LIMIT $2))",
        released = Stage::Released,
    ))
    .bind(before.to_sqlx())
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(forgotten.rows_affected() == limit.unsigned_abs())
}
