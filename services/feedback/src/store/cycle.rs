//! Statements on what comes back from complainants.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::response::{Answer, Cycle, Outcome, Over, Satisfaction, Verdict};

#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    cycle: i32,
    outcome: i16,
    respond_until: Timestamp,
    correction: i32,
    awaited: bool,
    response: Option<i16>,
    comment: String,
    handling: i16,
    satisfaction: i16,
    responded_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct TracedRow {
    place: i64,
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
            correction: self.correction,
            awaited: self.awaited,
            answer,
        })
    }
}

/// A cycle whose outcome was told just now.
#[derive(Clone, Debug)]
pub(crate) struct ToldCycle {
    pub(crate) case_id: CaseId,
    pub(crate) cycle: i32,
    pub(crate) outcome: Outcome,
    /// IANA name of the zone of its times; empty when unknown.
    pub(crate) zone: String,
}

/// Notes that the outcomes of cycles were told; answers those of which it was not known
/// before.
pub(crate) async fn mark_told(
    conn: &mut PgConnection,
    cycles: &[(CaseId, i32)],
    now: jiff::Timestamp,
) -> Result<Vec<ToldCycle>, Fault> {
    let rows: Vec<(Uuid, i32, i16, String)> = sqlx::query_as(
        "UPDATE feedback f SET told_at = $3
         FROM (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::int[]) AS cycle) AS t
         WHERE f.tenant_id = current_setting('redress.tenant')
           AND f.case_id = t.case_id AND f.cycle = t.cycle AND f.told_at IS NULL
         RETURNING f.case_id, f.cycle, f.outcome, f.time_zone",
    )
    .bind(cycles.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(cycles.iter().map(|(_, cycle)| *cycle).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    let told = |(case, cycle, outcome, zone): (Uuid, i32, i16, String)| {
        let outcome = Outcome::of(outcome).ok_or_else(|| impossible("feedback", "outcome", case))?;
        Ok(ToldCycle { case_id: CaseId(case), cycle, outcome, zone })
    };
    rows.into_iter().map(told).collect()
}

/// A cycle whose outcome awaits its answer.
#[derive(Clone, Debug)]
pub(crate) struct AwaitedCycle {
    pub(crate) case_id: CaseId,
    pub(crate) cycle: i32,
    /// Until when an answer is taken.
    pub(crate) until: jiff::Timestamp,
    /// Which correction of its decision it is about.
    pub(crate) correction: i32,
    /// IANA name of the zone of its times; empty when unknown.
    pub(crate) zone: String,
}

/// Of these cycles those that still await their answer.
pub(crate) async fn awaited_cycles(
    conn: &mut PgConnection,
    cycles: &[(CaseId, i32)],
    now: jiff::Timestamp,
) -> Result<Vec<AwaitedCycle>, Fault> {
    let rows: Vec<(Uuid, i32, Timestamp, i32, String)> = sqlx::query_as(
        "SELECT DISTINCT f.case_id, f.cycle, f.respond_until, f.correction, f.time_zone
         FROM (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::int[]) AS cycle) AS c
         JOIN feedback f ON f.tenant_id = current_setting('redress.tenant') AND f.case_id = c.case_id
              AND f.cycle = c.cycle AND f.awaited AND f.respond_until > $3",
    )
    .bind(cycles.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(cycles.iter().map(|(_, cycle)| *cycle).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    let awaited = |(case, cycle, until, correction, zone): (Uuid, i32, Timestamp, i32, String)| {
        AwaitedCycle { case_id: CaseId(case), cycle, until: until.to_jiff(), correction, zone }
    };
    Ok(rows.into_iter().map(awaited).collect())
}

/// Opens cycles for their answer, once each; and once more for each correction of their
/// decision: what was answered before was about another.
pub(crate) async fn open_cycles(conn: &mut PgConnection, opened: &[(Cycle, String)]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(opened)
        .column("case_id", |(cycle, _)| cycle.case_id.0)
        .column("cycle", |(cycle, _)| cycle.cycle)
        .column("outcome", |(cycle, _)| cycle.outcome.number())
        .column("respond_until", |(cycle, _)| cycle.respond_until.to_sqlx())
        .column("correction", |(cycle, _)| cycle.correction)
        .column("time_zone", |(_, zone)| zone.as_str())
        .column("awaited", |_| true)
        .done();
    let statement = format!(
        "INSERT INTO feedback AS known (tenant_id, {names})
         SELECT DISTINCT ON (r.case_id, r.cycle) current_setting('redress.tenant'), {values} FROM {rows} AS r
         ORDER BY r.case_id, r.cycle, r.correction DESC
         ON CONFLICT ON CONSTRAINT feedback_pkey DO UPDATE
         SET outcome = excluded.outcome, respond_until = excluded.respond_until, awaited = true,
             correction = excluded.correction, response = NULL, responded_at = NULL, comment = '',
             handling = 0, satisfaction = 0
         WHERE known.correction < excluded.correction",
        names = rows.names(),
        values = rows.values("r"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// The zones of the times of cycles; of a cycle whose outcome took effect alone.
pub(crate) async fn zones(
    conn: &mut PgConnection,
    cycles: &[(CaseId, i32)],
) -> Result<HashMap<(CaseId, i32), String>, Fault> {
    let rows: Vec<(Uuid, i32, String)> = sqlx::query_as(
        "SELECT f.case_id, f.cycle, f.time_zone
         FROM (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::int[]) AS cycle) AS c
         JOIN feedback f ON f.tenant_id = current_setting('redress.tenant') AND f.case_id = c.case_id
              AND f.cycle = c.cycle",
    )
    .bind(cycles.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(cycles.iter().map(|(_, cycle)| *cycle).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(case, cycle, zone)| ((CaseId(case), cycle), zone)).collect())
}

/// Ends the wait for an answer where cases have moved on.
pub(crate) async fn close_cycles(conn: &mut PgConnection, over: &[Over]) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE feedback f SET awaited = false
         FROM (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::int[]) AS cycle) AS o
         WHERE f.tenant_id = current_setting('redress.tenant')
           AND f.case_id = o.case_id AND f.cycle <= o.cycle AND f.awaited",
    )
    .bind(over.iter().map(|over| over.case_id.0).collect::<Vec<_>>())
    .bind(over.iter().map(|over| over.cycle).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// A cycle for each case asked about, the latest where none is named, held against
/// others until the transaction ends; with the trace context of the complaint, and
/// the place of the question.
pub(crate) async fn lock_cycles(
    conn: &mut PgConnection,
    cases: &[(CaseId, Option<i32>)],
) -> Result<Vec<(usize, Cycle, String)>, Fault> {
    let rows: Vec<TracedRow> = sqlx::query_as(
        "SELECT a.place, f.case_id, f.cycle, f.outcome, f.respond_until, f.correction, f.awaited, f.response, f.comment,
                f.handling, f.satisfaction, f.responded_at, coalesce(c.traceparent, '') AS traceparent
         FROM UNNEST($1::uuid[], $2::int[]) WITH ORDINALITY AS a (case_id, cycle, place)
         JOIN feedback f ON f.tenant_id = current_setting('redress.tenant') AND f.case_id = a.case_id
              AND f.cycle = coalesce(a.cycle, (SELECT max(latest.cycle) FROM feedback latest
                                               WHERE latest.tenant_id = current_setting('redress.tenant')
                                                 AND latest.case_id = a.case_id))
         LEFT JOIN contact c ON c.tenant_id = f.tenant_id AND c.case_id = f.case_id
         ORDER BY f.case_id, f.cycle FOR UPDATE OF f",
    )
    .bind(cases.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(cases.iter().map(|(_, cycle)| *cycle).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let read = rows.into_iter().map(|row| {
        let place = usize::try_from(row.place).map_err(Fault::internal)?;
        Ok((place.saturating_sub(1), row.cycle.cycle()?, row.traceparent))
    });
    read.collect()
}

/// Writes what became of cycles held by this transaction.
pub(crate) async fn save(conn: &mut PgConnection, cycles: &[Cycle]) -> Result<(), Fault> {
    fn answer(cycle: &Cycle) -> Option<&Answer> {
        cycle.answer.as_ref().map(|(answer, _)| answer)
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(cycles)
        .column("case_id", |cycle| cycle.case_id.0)
        .column("cycle", |cycle| cycle.cycle)
        .column("awaited", |cycle| cycle.awaited)
        .column("response", |cycle| answer(cycle).map(|answer| answer.verdict.number()))
        .column("comment", |cycle| answer(cycle).map_or("", |answer| &answer.comment))
        .column("handling", |cycle| answer(cycle).map_or(0, |answer| answer.satisfaction.handling))
        .column("satisfaction", |cycle| answer(cycle).map_or(0, |answer| answer.satisfaction.outcome))
        .column("responded_at", |cycle| cycle.answer.as_ref().map(|(_, at)| at.to_sqlx()))
        .done();
    let saved = binds.execute(&rows.update("feedback", &["case_id", "cycle"]), conn).await?;
    if saved.rows_affected() == cycles.len() as u64 {
        Ok(())
    } else {
        Err(Fault::internal(format!("{} of {} cycles were written", saved.rows_affected(), cycles.len())))
    }
}

/// Every cycle of a case whose outcome was told, oldest first.
pub(crate) async fn cycles(conn: &mut PgConnection, case: CaseId) -> Result<Vec<Cycle>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT case_id, cycle, outcome, respond_until, correction, awaited, response, comment, handling, satisfaction,
                responded_at
         FROM feedback WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1
         ORDER BY cycle",
    )
    .bind(case.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::cycle).collect()
}
