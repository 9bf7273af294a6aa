//! Statements on what has happened to cases.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::{CaseId, EventId, Money, PlanId, TaskId};
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::process::{Activity, EventPlace, MAX_CASES, MAX_EVENTS, ProcessCase, ProcessEvent, Source};

/// The time of receipt of the cases of a log: from the first moment on, without the last.
pub(crate) type ExportedDays = (jiff::Timestamp, jiff::Timestamp);

/// Keeps what has happened; what is known stays as it is.
pub(crate) async fn keep_process_events(
    conn: &mut PgConnection,
    events: &[ProcessEvent],
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(events)
        .column("case_id", |event| event.case_id.0)
        .column("event_id", |event| event.event_id.0)
        .column("occurred_at", |event| event.occurred.to_sqlx())
        .column("source", |event| event.source.number())
        .column("position", |event| event.position)
        .column("activity", |event| event.activity.number())
        .column("cycle", |event| event.cycle)
        .column("plan_id", |event| event.plan.map(|id| id.0))
        .column("task_id", |event| event.task.map(|id| id.0))
        .column("department", |event| event.department.as_deref())
        .column("agent", |event| event.agent.as_deref())
        .column("other_case_id", |event| event.other_case.map(|id| id.0))
        .column("category", |event| event.category.as_deref())
        .column("priority", |event| event.priority)
        .column("outcome", |event| event.outcome)
        .column("detail", |event| event.detail.as_deref())
        .column("currency", |event| event.amount.as_ref().map(|amount| amount.currency.as_str()))
        .column("minor", |event| event.amount.as_ref().map(|amount| amount.minor))
        .done();
    let statement = format!(
        "INSERT INTO process_event (tenant_id, {names}) SELECT current_setting('redress.tenant'), {values}
         FROM {rows} AS r ORDER BY r.case_id, r.event_id
         ON CONFLICT ON CONSTRAINT process_event_pkey DO NOTHING",
        names = rows.names(),
        values = rows.values("r"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Whether facts are being rebuilt, so that what is there is not all.
pub(crate) async fn is_rebuilding(conn: &mut PgConnection) -> Result<bool, Fault> {
    let is_rebuilding = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM fact_rebuild
         WHERE tenant_id = current_setting('redress.tenant') AND finished_at IS NULL)",
    )
    .fetch_one(conn)
    .await?;
    Ok(is_rebuilding)
}

#[derive(sqlx::FromRow)]
struct CaseRow {
    case_id: Uuid,
    received_at: Timestamp,
    complainant: Option<Vec<u8>>,
    channel: i16,
    category: Option<String>,
    priority: Option<i16>,
    outcome: Option<i16>,
}

/// Cases that were received within a time, in the order of receipt, after one of them.
pub(crate) async fn process_cases(
    conn: &mut PgConnection,
    (from, until): ExportedDays,
    after: Option<&ProcessCase>,
) -> Result<Vec<ProcessCase>, Fault> {
    let rows: Vec<CaseRow> = sqlx::query_as(
        "SELECT c.case_id, c.received_at, c.complainant, coalesce(c.channel, 0::smallint) AS channel, c.category,
                c.priority,
                (SELECT y.outcome FROM cycle_fact y
                 WHERE y.tenant_id = c.tenant_id AND y.case_id = c.case_id AND y.resolved_at IS NOT NULL
                 ORDER BY y.cycle DESC LIMIT 1) AS outcome
         FROM case_fact c
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.received_at >= $1 AND c.received_at < $2
           AND ($3::timestamptz IS NULL OR (c.received_at, c.case_id) > ($3, $4))
         ORDER BY c.received_at, c.case_id LIMIT $5",
    )
    .bind(after.map_or(from, |after| after.received).to_sqlx())
    .bind(until.to_sqlx())
    .bind(after.map(|after| after.received.to_sqlx()))
    .bind(after.map(|after| after.case_id.0))
    .bind(i64::try_from(MAX_CASES).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    let read = |row: CaseRow| ProcessCase {
        case_id: CaseId(row.case_id),
        received: row.received_at.to_jiff(),
        complainant: row.complainant,
        channel: row.channel,
        category: row.category,
        priority: row.priority,
        outcome: row.outcome,
    };
    Ok(rows.into_iter().map(read).collect())
}

#[derive(sqlx::FromRow)]
struct EventRow {
    case_id: Uuid,
    event_id: Uuid,
    occurred_at: Timestamp,
    source: i16,
    position: i64,
    activity: i16,
    cycle: i32,
    plan_id: Option<Uuid>,
    task_id: Option<Uuid>,
    department: Option<String>,
    agent: Option<String>,
    other_case_id: Option<Uuid>,
    problem_id: Option<Uuid>,
    category: Option<String>,
    priority: Option<i16>,
    outcome: Option<i16>,
    detail: Option<String>,
    currency: Option<String>,
    minor: Option<i64>,
}

impl EventRow {
    fn event(self) -> Option<ProcessEvent> {
        let amount = self.currency.zip(self.minor).map(|(currency, minor)| Money { minor, currency });
        Some(ProcessEvent {
            case_id: CaseId(self.case_id),
            event_id: EventId(self.event_id),
            occurred: self.occurred_at.to_jiff(),
            source: Source::of(self.source)?,
            position: self.position,
            activity: Activity::of(self.activity)?,
            cycle: self.cycle,
            plan: self.plan_id.map(PlanId),
            task: self.task_id.map(TaskId),
            department: self.department,
            agent: self.agent,
            other_case: self.other_case_id.map(CaseId),
            problem: self.problem_id,
            category: self.category,
            priority: self.priority,
            outcome: self.outcome,
            detail: self.detail,
            amount,
        })
    }
}

/// What has happened to some cases, case by case in the order of time, after one event. That
/// a case was linked to a problem is an event of that name; it is of both, and has an id made
/// of theirs.
pub(crate) async fn process_events(
    conn: &mut PgConnection,
    cases: &[Uuid],
    after: Option<EventPlace>,
) -> Result<Vec<ProcessEvent>, Fault> {
    let rows: Vec<EventRow> = sqlx::query_as(
        "SELECT * FROM (
             SELECT case_id, event_id, occurred_at, source, position, activity, cycle, plan_id, task_id, department,
                    agent, other_case_id, NULL::uuid AS problem_id, category, priority, outcome, detail, currency,
                    minor
             FROM process_event WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
             UNION ALL
             SELECT case_id, md5(problem_id::text || case_id::text)::uuid, linked_at, 5::smallint, 0::bigint, $2,
                    0, NULL, NULL, NULL, NULL, NULL, problem_id, NULL, NULL, NULL, NULL, NULL, NULL
             FROM problem_case WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND linked
         ) e
         WHERE $3::uuid IS NULL OR (case_id, occurred_at, source, position, event_id) > ($3, $4, $5, $6, $7)
         ORDER BY case_id, occurred_at, source, position, event_id LIMIT $8",
    )
    .bind(cases)
    .bind(Activity::PROBLEM_LINKED.number())
    .bind(after.map(|after| after.case_id.0))
    .bind(after.map(|after| after.occurred.to_sqlx()))
    .bind(after.map(|after| after.source))
    .bind(after.map(|after| after.position))
    .bind(after.map(|after| after.event_id.0))
    .bind(i64::try_from(MAX_EVENTS).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    let read = |row: EventRow| {
        let id = row.event_id;
        row.event().ok_or_else(|| impossible("process_event", "activity", id))
    };
    rows.into_iter().map(read).collect()
}
