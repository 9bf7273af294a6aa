//! Statements on what comes back from complainants.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::response::{Answer, Cycle, Outcome, Satisfaction, Verdict};
use crate::wire::Over;

#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    cycle: i32,
    outcome: i16,
    respond_until: Timestamp,
    awaited: bool,
    response: Option<i16>,
    comment: String,
    handling: i16,
    satisfaction: i16,
    responded_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct TracedRow {
    #[sqlx(flatten)]
    cycle: Row,
    traceparent: String,
}

impl Row {
    fn cycle(self) -> Result<Cycle, Fault> {
        let outcome =
            Outcome::of(self.outcome).ok_or_else(|| impossible("feedback", "outcome", self.case_id))?;
        let answer = match self.response.zip(self.responded_at) {
            None => None,
            Some((response, at)) => {
                let verdict =
                    Verdict::of(response).ok_or_else(|| impossible("feedback", "response", self.case_id))?;
                let satisfaction = Satisfaction { handling: self.handling, outcome: self.satisfaction };
                Some((Answer { verdict, comment: self.comment, satisfaction }, at.to_jiff()))
            }
        };
        Ok(Cycle {
            case_id: CaseId(self.case_id),
            cycle: self.cycle,
            outcome,
            respond_until: self.respond_until.to_jiff(),
            awaited: self.awaited,
            answer,
        })
    }
}

/// Opens cycles for their answer, once each.
pub(crate) async fn open_cycles(conn: &mut PgConnection, opened: &[Cycle]) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO feedback (tenant_id, case_id, cycle, outcome, respond_until, awaited)
         SELECT current_setting('redress.tenant'), o.*, true
         FROM UNNEST($1::uuid[], $2::int[], $3::smallint[], $4::timestamptz[]) AS o
         ON CONFLICT ON CONSTRAINT feedback_pkey DO NOTHING",
    )
    .bind(opened.iter().map(|cycle| cycle.case_id.0).collect::<Vec<_>>())
    .bind(opened.iter().map(|cycle| cycle.cycle).collect::<Vec<_>>())
    .bind(opened.iter().map(|cycle| cycle.outcome.number()).collect::<Vec<_>>())
    .bind(opened.iter().map(|cycle| cycle.respond_until.to_sqlx()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the wait for an answer where cases have moved on.
pub(crate) async fn close_cycles(conn: &mut PgConnection, over: &[Over]) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE feedback f SET awaited = false
         FROM UNNEST($1::uuid[], $2::int[]) AS o (case_id, cycle)
         WHERE f.tenant_id = current_setting('redress.tenant')
           AND f.case_id = o.case_id AND f.cycle <= o.cycle AND f.awaited",
    )
    .bind(over.iter().map(|over| over.case_id.0).collect::<Vec<_>>())
    .bind(over.iter().map(|over| over.cycle).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// One cycle of a case, the latest where none is named, held against others
/// until the transaction ends; with the trace context of the complaint.
pub(crate) async fn lock_cycle(
    conn: &mut PgConnection,
    case: CaseId,
    cycle: Option<i32>,
) -> Result<Option<(Cycle, String)>, Fault> {
    let row: Option<TracedRow> = sqlx::query_as(
        "SELECT f.case_id, f.cycle, f.outcome, f.respond_until, f.awaited, f.response, f.comment,
                f.handling, f.satisfaction, f.responded_at, coalesce(c.traceparent, '') AS traceparent
         FROM feedback f LEFT JOIN contact c ON c.tenant_id = f.tenant_id AND c.case_id = f.case_id
         WHERE f.tenant_id = current_setting('redress.tenant') AND f.case_id = $1
           AND ($2::integer IS NULL OR f.cycle = $2)
         ORDER BY f.cycle DESC LIMIT 1 FOR UPDATE OF f",
    )
    .bind(case.0)
    .bind(cycle)
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok((row.cycle.cycle()?, row.traceparent))).transpose()
}

/// Writes what became of a cycle held by this transaction.
pub(crate) async fn save(conn: &mut PgConnection, cycle: &Cycle) -> Result<(), Fault> {
    let answer = cycle.answer.as_ref().map(|(answer, _)| answer);
    let satisfaction = answer.map(|answer| answer.satisfaction).unwrap_or_default();
    let saved = sqlx::query(
        "UPDATE feedback SET awaited = $3, response = $4, comment = $5, handling = $6, satisfaction = $7,
                responded_at = $8
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND cycle = $2",
    )
    .bind(cycle.case_id.0)
    .bind(cycle.cycle)
    .bind(cycle.awaited)
    .bind(answer.map(|answer| answer.verdict.number()))
    .bind(answer.map_or("", |answer| &answer.comment))
    .bind(satisfaction.handling)
    .bind(satisfaction.outcome)
    .bind(cycle.answer.as_ref().map(|(_, at)| at.to_sqlx()))
    .execute(conn)
    .await?;
    if saved.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Fault::internal(format!("cycle {} of {:?} was not written", cycle.cycle, cycle.case_id)))
    }
}

/// Every cycle of a case whose outcome was told, oldest first.
pub(crate) async fn cycles(conn: &mut PgConnection, case: CaseId) -> Result<Vec<Cycle>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT case_id, cycle, outcome, respond_until, awaited, response, comment, handling, satisfaction,
                responded_at
         FROM feedback WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1
         ORDER BY cycle",
    )
    .bind(case.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::cycle).collect()
}
