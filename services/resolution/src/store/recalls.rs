//! Recalls, their cases, and how far their tasks are.

use std::collections::{HashMap, HashSet};

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::{CaseId, RecallId};
use pg::Binds;
use sqlx::PgConnection;
use timers::Held;
use uuid::Uuid;

use super::tasks::{Row as TaskRow, columns, tasks};
use super::{goods, impossible, kind};
use crate::case::RemedyStatus;
use crate::recall::{Counts, Defect, End, Measure, Progress, Recall, RecallCase, RecallState};
use crate::remedy::Remedy;
use crate::task::{Task, TaskState};

#[derive(sqlx::FromRow)]
struct Row {
    recall_id: Uuid,
    version: i64,
    state: i16,
    sku: String,
    lot: String,
    reason: String,
    notice: String,
    cases: i32,
    opened_by: String,
    opened_at: jiff_sqlx::Timestamp,
    ended_by: String,
    ended_at: Option<jiff_sqlx::Timestamp>,
    end_reason: String,
}

#[derive(sqlx::FromRow)]
struct MeasureRow {
    recall_id: Uuid,
    department_id: String,
    kind: i16,
    sku: Option<String>,
    quantity: Option<i32>,
    instructions: String,
}

/// The columns of a recall.
macro_rules! recall_columns {
    () => {
        "recall_id, version, state, sku, lot, reason, notice, cases, opened_by, opened_at, ended_by, ended_at,
         end_reason"
    };
}

impl Row {
    fn recall(self, measures: Vec<Measure>) -> Result<Recall, Fault> {
        let recall_id = RecallId(self.recall_id);
        let state =
            RecallState::of(self.state).ok_or_else(|| impossible("recall.state", self.state, recall_id))?;
        let (by, reason) = (self.ended_by, self.end_reason);
        Ok(Recall {
            recall_id,
            version: self.version,
            state,
            defect: Defect {
                sku: self.sku,
                lot: self.lot,
                reason: self.reason,
                notice: self.notice,
                measures,
            },
            cases: self.cases,
            opener: self.opened_by,
            opened_at: self.opened_at.to_jiff(),
            end: self.ended_at.map(|at| End { by, at: at.to_jiff(), reason }),
        })
    }
}

impl MeasureRow {
    fn measure(self) -> Result<Measure, Fault> {
        let kind = kind(self.kind, self.recall_id)?;
        let goods = goods(self.sku, self.quantity);
        let remedy = Remedy { kind, amount: None, goods, custom: None, instructions: self.instructions };
        Ok(Measure { department_id: self.department_id, remedy })
    }
}

/// Rows with what departments do in each.
async fn whole(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Recall>, Fault> {
    let measures: Vec<MeasureRow> = sqlx::query_as(
        "SELECT recall_id, department_id, kind, sku, quantity, instructions FROM recall_measure
         WHERE tenant_id = current_setting('redress.tenant') AND recall_id = ANY($1)
         ORDER BY recall_id, number",
    )
    .bind(rows.iter().map(|row| row.recall_id).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut of: HashMap<Uuid, Vec<Measure>> = HashMap::new();
    for row in measures {
        of.entry(row.recall_id).or_default().push(row.measure()?);
    }
    let recall = |row: Row| {
        let measures = of.remove(&row.recall_id).unwrap_or_default();
        row.recall(measures)
    };
    rows.into_iter().map(recall).collect()
}

/// A recall.
pub(crate) async fn get(conn: &mut PgConnection, recall_id: RecallId) -> Result<Option<Recall>, Fault> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        recall_columns!(),
        " FROM recall WHERE tenant_id = current_setting('redress.tenant') AND recall_id = $1"
    ))
    .bind(recall_id.0)
    .fetch_all(&mut *conn)
    .await?;
    Ok(whole(conn, rows).await?.pop())
}

/// A recall, locked: who adds cases to it or ends it takes turns.
pub(crate) async fn lock(conn: &mut PgConnection, recall_id: RecallId) -> Result<Option<Recall>, Fault> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        recall_columns!(),
        " FROM recall WHERE tenant_id = current_setting('redress.tenant') AND recall_id = $1 FOR UPDATE"
    ))
    .bind(recall_id.0)
    .fetch_all(&mut *conn)
    .await?;
    Ok(whole(conn, rows).await?.pop())
}

/// Locks recalls that nobody else has locked.
pub(crate) async fn hold(conn: &mut PgConnection, recalls: &[Uuid]) -> Result<Held, Fault> {
    let held: Vec<Uuid> = sqlx::query_scalar(
        "SELECT recall_id FROM recall
         WHERE tenant_id = current_setting('redress.tenant') AND recall_id = ANY($1)
         FOR UPDATE SKIP LOCKED",
    )
    .bind(recalls)
    .fetch_all(conn)
    .await?;
    // Recalls are never removed.
    Ok(Held { held, gone: Vec::new() })
}

/// Recalls, newest first, after the last of the page before; in one state, of one article,
/// or all.
pub(crate) async fn list(
    conn: &mut PgConnection,
    (state, sku): (Option<RecallState>, &str),
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Recall>, Fault> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        recall_columns!(),
        " FROM recall
         WHERE tenant_id = current_setting('redress.tenant') AND recall_id < $1
           AND ($2::smallint IS NULL OR state = $2) AND ($3 = '' OR sku = $3)
         ORDER BY recall_id DESC LIMIT $4"
    ))
    .bind(after.unwrap_or(Uuid::max()))
    .bind(state.map(RecallState::number))
    .bind(sku)
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    whole(conn, rows).await
}

/// Stores a new recall.
pub(crate) async fn insert(conn: &mut PgConnection, recall: &Recall) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(recall)
        .column("recall_id", |recall| recall.recall_id.0)
        .column("version", |recall| recall.version)
        .column("state", |recall| recall.state.number())
        .column("sku", |recall| recall.defect.sku.as_str())
        .column("lot", |recall| recall.defect.lot.as_str())
        .column("reason", |recall| recall.defect.reason.as_str())
        .column("notice", |recall| recall.defect.notice.as_str())
        .column("opened_by", |recall| recall.opener.as_str())
        .column("opened_at", |recall| recall.opened_at.to_sqlx())
        .done();
    binds.execute(&rows.insert_into("recall"), conn).await?;
    let numbered: Vec<(i16, &Measure)> = (1..).zip(&recall.defect.measures).collect();
    let mut binds = Binds::default();
    let rows = binds
        .rows(&numbered)
        .column("recall_id", |_| recall.recall_id.0)
        .column("number", |(number, _)| *number)
        .column("department_id", |(_, measure)| measure.department_id.as_str())
        .column("kind", |(_, measure)| measure.remedy.kind.number())
        .column("sku", |(_, measure)| measure.remedy.goods.as_ref().map(|goods| goods.sku.as_str()))
        .column("quantity", |(_, measure)| measure.remedy.goods.as_ref().map(|goods| goods.quantity))
        .column("instructions", |(_, measure)| measure.remedy.instructions.as_str())
        .done();
    binds.execute(&rows.insert_into("recall_measure"), conn).await?;
    Ok(())
}

/// Stores what became of a recall, which is locked.
pub(crate) async fn save(conn: &mut PgConnection, recall: &Recall) -> Result<(), Fault> {
    let end = recall.end.as_ref();
    sqlx::query(
        "UPDATE recall SET version = $2, state = $3, cases = $4, ended_by = $5, ended_at = $6, end_reason = $7
         WHERE tenant_id = current_setting('redress.tenant') AND recall_id = $1",
    )
    .bind(recall.recall_id.0)
    .bind(recall.version)
    .bind(recall.state.number())
    .bind(recall.cases)
    .bind(end.map_or("", |end| end.by.as_str()))
    .bind(end.map(|end| end.at.to_sqlx()))
    .bind(end.map_or("", |end| end.reason.as_str()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Which of these cases are in a recall, which is locked.
pub(crate) async fn inside(
    conn: &mut PgConnection,
    recall_id: RecallId,
    cases: &[Uuid],
) -> Result<HashSet<CaseId>, Fault> {
    let inside: Vec<Uuid> = sqlx::query_scalar(
        "SELECT case_id FROM recall_case
         WHERE tenant_id = current_setting('redress.tenant') AND recall_id = $1 AND case_id = ANY($2)",
    )
    .bind(recall_id.0)
    .bind(cases)
    .fetch_all(conn)
    .await?;
    Ok(inside.into_iter().map(CaseId).collect())
}

/// Stores cases that were added to a recall, which is locked.
pub(crate) async fn insert_cases(
    conn: &mut PgConnection,
    recall_id: RecallId,
    cases: &[RecallCase],
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(cases)
        .column("recall_id", |_| recall_id.0)
        .column("case_id", |case| case.case_id.0)
        .column("added_by", |case| case.adder.as_str())
        .column("added_at", |case| case.added_at.to_sqlx())
        .done();
    binds.execute(&rows.insert_into("recall_case"), conn).await?;
    Ok(())
}

/// How far a recall is.
pub(crate) async fn progress(conn: &mut PgConnection, recall_id: RecallId) -> Result<Progress, Fault> {
    let rows: Vec<(String, i16, i64)> = sqlx::query_as(
        "SELECT department_id, state, count(*) FROM task
         WHERE tenant_id = current_setting('redress.tenant') AND recall_id = $1
         GROUP BY department_id, state",
    )
    .bind(recall_id.0)
    .fetch_all(conn)
    .await?;
    let counted = |(department, number, tasks): (String, i16, i64)| {
        let state = TaskState::of(number).ok_or_else(|| impossible("task.state", number, recall_id))?;
        Ok((department, state, tasks))
    };
    Ok(Progress::of(rows.into_iter().map(counted).collect::<Result<Vec<_>, Fault>>()?))
}

/// Cases of a recall by their ids, after the last of the page before, each with how far it
/// is.
pub(crate) async fn list_cases(
    conn: &mut PgConnection,
    recall_id: RecallId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<(RecallCase, Counts)>, Fault> {
    let rows: Vec<(Uuid, String, jiff_sqlx::Timestamp)> = sqlx::query_as(
        "SELECT case_id, added_by, added_at FROM recall_case
         WHERE tenant_id = current_setting('redress.tenant') AND recall_id = $1 AND case_id > $2
         ORDER BY case_id LIMIT $3",
    )
    .bind(recall_id.0)
    .bind(after.unwrap_or(Uuid::nil()))
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    let counted: Vec<(Uuid, i16, i64)> = sqlx::query_as(
        "SELECT case_id, state, count(*) FROM task
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND recall_id = $2
         GROUP BY case_id, state",
    )
    .bind(rows.iter().map(|(case_id, ..)| *case_id).collect::<Vec<_>>())
    .bind(recall_id.0)
    .fetch_all(conn)
    .await?;
    let mut counts: HashMap<Uuid, Counts> = HashMap::new();
    for (case_id, number, tasks) in counted {
        let state = TaskState::of(number).ok_or_else(|| impossible("task.state", number, recall_id))?;
        counts.entry(case_id).or_default().take(state, tasks);
    }
    let case = |(case_id, adder, added_at): (Uuid, String, jiff_sqlx::Timestamp)| {
        let case = RecallCase { case_id: CaseId(case_id), adder, added_at: added_at.to_jiff() };
        (case, counts.remove(&case_id).unwrap_or_default())
    };
    Ok(rows.into_iter().map(case).collect())
}

/// Cases that may belong to a recall and are not in it, by their ids, after the last of the
/// page before: open ones, with a plan that gives its article or a department that lacked it.
pub(crate) async fn candidates(
    conn: &mut PgConnection,
    recall_id: RecallId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<CaseId>, Fault> {
    let cases: Vec<Uuid> = sqlx::query_scalar(pg::sql!(
        "WITH recalled AS (
             SELECT sku FROM recall WHERE tenant_id = current_setting('redress.tenant') AND recall_id = $1),
         concerned AS (
             SELECT p.case_id FROM plan_step s
             JOIN plan p ON p.tenant_id = s.tenant_id AND p.plan_id = s.plan_id
             WHERE s.tenant_id = current_setting('redress.tenant') AND s.sku = (SELECT sku FROM recalled)
             UNION
             SELECT t.case_id FROM shortage g
             JOIN task t ON t.tenant_id = g.tenant_id AND t.task_id = g.task_id
             WHERE g.tenant_id = current_setting('redress.tenant') AND g.sku = (SELECT sku FROM recalled))
         SELECT v.case_id FROM concerned c
         JOIN case_view v ON v.tenant_id = current_setting('redress.tenant') AND v.case_id = c.case_id
         WHERE v.case_id > $2 AND v.standing <> {closed}
           AND NOT EXISTS (SELECT FROM recall_case r
                           WHERE r.tenant_id = current_setting('redress.tenant') AND r.recall_id = $1
                             AND r.case_id = v.case_id)
         ORDER BY v.case_id LIMIT $3",
        closed = RemedyStatus::Closed,
    ))
    .bind(recall_id.0)
    .bind(after.unwrap_or(Uuid::nil()))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(cases.into_iter().map(CaseId).collect())
}

/// Tasks of a recall, which is locked, that can be cancelled, locked: those that have not
/// ended, but for whom nobody was asked to stop already.
pub(crate) async fn lock_wanted_tasks(
    conn: &mut PgConnection,
    recall_id: RecallId,
    limit: usize,
) -> Result<Vec<Task>, Fault> {
    let rows: Vec<TaskRow> = sqlx::query_as(pg::sql!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND recall_id = $1
               AND (state = {attention}
                    OR state IN ({ready}, {leased}, {unknown}, {stock}) AND NOT cancel_requested)
             ORDER BY task_id LIMIT $2 FOR UPDATE"
        ),
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
        stock = TaskState::AwaitingStock,
    ))
    .bind(recall_id.0)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    tasks(rows)
}
