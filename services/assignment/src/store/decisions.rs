//! How it was decided who has a case.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use kernel::CaseId;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::assignments::priority;
use crate::assignment::{Assignment, Origin};
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
    let cases = || records.iter().map(|record| &record.case);
    sqlx::query(
        "INSERT INTO decision (tenant_id, case_id, cycle, department_id, agent_id, enqueued_at, decided_at,
             priority, bulk, category, customer_id, language, region, respondent_staff, previous_agent_id,
             familiar_agent_id, taken_apart)
         SELECT current_setting('redress.tenant'), d.case_id, d.cycle, d.department_id, d.agent_id,
                d.enqueued_at, $1, d.priority, d.bulk, d.category, d.customer_id, d.language, d.region,
                d.respondent_staff, d.previous_agent_id, d.familiar_agent_id, d.taken_apart
         FROM UNNEST($2::uuid[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[], $7::smallint[],
                     $8::boolean[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                     $15::text[], $16::bytea[])
              AS d (case_id, cycle, department_id, agent_id, enqueued_at, priority, bulk, category,
                    customer_id, language, region, respondent_staff, previous_agent_id, familiar_agent_id,
                    taken_apart)
         ON CONFLICT (tenant_id, case_id, cycle) DO UPDATE SET
             department_id = excluded.department_id, agent_id = excluded.agent_id,
             decided_at = excluded.decided_at, priority = excluded.priority, category = excluded.category,
             previous_agent_id = excluded.previous_agent_id, taken_apart = excluded.taken_apart",
    )
    .bind(now.to_sqlx())
    .bind(cases().map(|case| case.case_id.0).collect::<Vec<_>>())
    .bind(cases().map(|case| case.cycle).collect::<Vec<_>>())
    .bind(cases().map(|case| case.department.as_deref().unwrap_or_default()).collect::<Vec<_>>())
    .bind(records.iter().map(|record| record.agent.as_deref()).collect::<Vec<_>>())
    .bind(cases().map(|case| case.enqueued.to_sqlx()).collect::<Vec<_>>())
    .bind(cases().map(|case| case.priority as i16).collect::<Vec<_>>())
    .bind(cases().map(|case| case.is_bulk).collect::<Vec<_>>())
    .bind(cases().map(|case| case.category.as_str()).collect::<Vec<_>>())
    .bind(cases().map(|case| case.origin.customer.as_str()).collect::<Vec<_>>())
    .bind(cases().map(|case| case.origin.language.as_str()).collect::<Vec<_>>())
    .bind(cases().map(|case| case.origin.region.as_str()).collect::<Vec<_>>())
    .bind(cases().map(|case| case.origin.respondent.as_str()).collect::<Vec<_>>())
    .bind(cases().map(|case| case.previous_agent.as_deref()).collect::<Vec<_>>())
    .bind(cases().map(|case| case.familiar_agent.as_deref()).collect::<Vec<_>>())
    .bind(records.iter().map(|record| record.taken_apart.as_slice()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
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
            priority: priority(row.priority, "decision", row.case_id)?,
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
