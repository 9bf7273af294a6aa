//! What is known of cases.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{impossible, money};
use crate::case::{CaseView, RemedyStatus};
use crate::task::TaskState;

#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    cycle: i32,
    priority: i16,
    standing: i16,
    category: String,
    sought_minor: Option<i64>,
    sought_currency: Option<String>,
    due_time: Option<jiff_sqlx::Timestamp>,
    traceparent: String,
    recused: Vec<String>,
    handler: String,
}

impl Row {
    fn view(self) -> Result<CaseView, Fault> {
        let case_id = CaseId(self.case_id);
        let standing = RemedyStatus::of(self.standing)
            .ok_or_else(|| impossible("case_view.standing", self.standing, case_id))?;
        Ok(CaseView {
            case_id,
            cycle: self.cycle,
            priority: self.priority,
            standing,
            category: self.category,
            sought: money(self.sought_minor, self.sought_currency.as_deref()),
            due_time: self.due_time.map(jiff_sqlx::Timestamp::to_jiff),
            traceparent: self.traceparent,
            recused: self.recused,
            handler: self.handler,
        })
    }
}

/// Cases, locked: while plans are proposed for them, they are not closed.
pub(crate) async fn lock(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<CaseView>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT v.case_id, v.cycle, v.priority, v.standing, v.category, v.sought_minor, v.sought_currency, v.due_time,
                v.traceparent, v.recused, coalesce(h.agent_id, '') AS handler
         FROM case_view v
         LEFT JOIN case_handler h ON h.tenant_id = v.tenant_id AND h.case_id = v.case_id
         WHERE v.tenant_id = current_setting('redress.tenant') AND v.case_id = ANY($1)
         ORDER BY v.case_id FOR UPDATE OF v",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::view).collect()
}

/// Cases, as they are just now.
pub(crate) async fn read(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<CaseView>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT v.case_id, v.cycle, v.priority, v.standing, v.category, v.sought_minor, v.sought_currency, v.due_time,
                v.traceparent, v.recused, coalesce(h.agent_id, '') AS handler
         FROM case_view v
         LEFT JOIN case_handler h ON h.tenant_id = v.tenant_id AND h.case_id = v.case_id
         WHERE v.tenant_id = current_setting('redress.tenant') AND v.case_id = ANY($1)",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::view).collect()
}

/// Keeps whose cases these are.
pub(crate) async fn keep_complainants(
    conn: &mut PgConnection,
    complainants: &[(CaseId, String)],
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO case_complainant (tenant_id, case_id, customer_id)
         SELECT current_setting('redress.tenant'), n.case_id, n.customer_id
         FROM UNNEST($1::uuid[], $2::text[]) AS n (case_id, customer_id)
         ON CONFLICT DO NOTHING",
    )
    .bind(complainants.iter().map(|(case_id, _)| case_id.0).collect::<Vec<_>>())
    .bind(complainants.iter().map(|(_, customer)| customer.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps who handles cases: of what was told of one, the last holds.
pub(crate) async fn keep_handlers(
    conn: &mut PgConnection,
    handlers: &[(CaseId, String)],
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO case_handler (tenant_id, case_id, agent_id)
         SELECT DISTINCT ON (n.case_id) current_setting('redress.tenant'), n.case_id, n.agent_id
         FROM UNNEST($1::uuid[], $2::text[]) WITH ORDINALITY AS n (case_id, agent_id, place)
         ORDER BY n.case_id, n.place DESC
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET agent_id = excluded.agent_id",
    )
    .bind(handlers.iter().map(|(case_id, _)| case_id.0).collect::<Vec<_>>())
    .bind(handlers.iter().map(|(_, agent)| agent.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps how far each case is. A cycle is first undecided, then decided, then
/// closed, and another may follow: what tells of an earlier moment comes too late.
pub(crate) async fn keep(conn: &mut PgConnection, views: &[CaseView]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(views)
        .column("case_id", |view| view.case_id.0)
        .column("cycle", |view| view.cycle)
        .column("priority", |view| view.priority)
        .column("standing", |view| view.standing.number())
        .column("category", |view| view.category.as_str())
        .column("traceparent", |view| view.traceparent.as_str())
        .list("recused", |view| &view.recused)
        .column("due_time", |view| view.due_time.map(ToSqlx::to_sqlx))
        .column("sought_minor", |view| view.sought.as_ref().map(|sought| sought.minor))
        .column("sought_currency", |view| view.sought.as_ref().map(|sought| sought.currency.as_str()))
        .done();
    let statement = format!(
        "INSERT INTO case_view AS known (tenant_id, {names})
         SELECT DISTINCT ON (r.case_id) current_setting('redress.tenant'), {values} FROM {rows} AS r
         ORDER BY r.case_id, r.cycle DESC, r.standing DESC
         ON CONFLICT (tenant_id, case_id) DO UPDATE
         SET cycle = excluded.cycle, priority = excluded.priority, standing = excluded.standing,
             correction = CASE WHEN excluded.cycle > known.cycle THEN 0 ELSE known.correction END,
             recused = CASE WHEN excluded.standing = {undecided} THEN known.recused ELSE excluded.recused END,
             due_time = excluded.due_time, category = coalesce(nullif(excluded.category, ''), known.category),
             sought_minor = coalesce(excluded.sought_minor, known.sought_minor),
             sought_currency = coalesce(excluded.sought_currency, known.sought_currency)
         WHERE (known.cycle, known.standing) < (excluded.cycle, excluded.standing)",
        names = rows.names(),
        values = rows.values("r"),
        undecided = RemedyStatus::Undecided.number(),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Another decision holds in the cycle cases are in; of several about one case, the last.
/// Answers those that are in it still.
pub(crate) async fn correct(
    conn: &mut PgConnection,
    corrected: &[(CaseView, i32)],
) -> Result<Vec<CaseId>, Fault> {
    let views = || corrected.iter().map(|(view, _)| view);
    let changed: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE case_view SET standing = n.standing, priority = n.priority, correction = n.number
         FROM (SELECT DISTINCT ON (case_id) case_id, cycle, standing, priority, number
               FROM UNNEST($1::uuid[], $2::int[], $3::smallint[], $4::smallint[], $5::int[])
                    AS told (case_id, cycle, standing, priority, number)
               ORDER BY case_id, cycle DESC, number DESC) AS n
         WHERE case_view.tenant_id = current_setting('redress.tenant') AND case_view.case_id = n.case_id
           AND case_view.cycle = n.cycle AND case_view.correction < n.number AND case_view.standing <> $6
         RETURNING case_view.case_id",
    )
    .bind(views().map(|view| view.case_id.0).collect::<Vec<_>>())
    .bind(views().map(|view| view.cycle).collect::<Vec<_>>())
    .bind(views().map(|view| view.standing.number()).collect::<Vec<_>>())
    .bind(views().map(|view| view.priority).collect::<Vec<_>>())
    .bind(corrected.iter().map(|(_, number)| *number).collect::<Vec<_>>())
    .bind(RemedyStatus::Closed.number())
    .fetch_all(conn)
    .await?;
    Ok(changed.into_iter().map(CaseId).collect())
}

/// Cases end in these cycles; answers those that had not ended or moved on. One
/// that nothing was known of has no plan either.
pub(crate) async fn close(conn: &mut PgConnection, ends: &[(CaseId, i32)]) -> Result<Vec<CaseId>, Fault> {
    let closed: Vec<Uuid> = sqlx::query_scalar(
        "WITH ended AS (
             SELECT case_id FROM case_view
             JOIN (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::int[]) AS last_cycle) AS told USING (case_id)
             WHERE tenant_id = current_setting('redress.tenant') AND cycle <= last_cycle AND standing <> $3
             ORDER BY case_id
             FOR UPDATE OF case_view)
         UPDATE case_view SET standing = $3
         FROM ended
         WHERE tenant_id = current_setting('redress.tenant') AND case_view.case_id = ended.case_id
         RETURNING case_view.case_id",
    )
    .bind(ends.iter().map(|(case_id, _)| case_id.0).collect::<Vec<_>>())
    .bind(ends.iter().map(|(_, cycle)| *cycle).collect::<Vec<_>>())
    .bind(RemedyStatus::Closed.number())
    .fetch_all(conn)
    .await?;
    Ok(closed.into_iter().map(CaseId).collect())
}

/// Cases that were given more time are due then, where that is later than was known; so
/// are tasks that were due with them.
pub(crate) async fn extend(
    conn: &mut PgConnection,
    extended: &[(CaseId, i32, Timestamp)],
) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "WITH told AS (
             SELECT case_id, cycle, max(due_time) AS due_time
             FROM UNNEST($1::uuid[], $2::int[], $3::timestamptz[]) AS told (case_id, cycle, due_time)
             GROUP BY case_id, cycle),
         before AS (
             SELECT v.case_id, v.due_time AS before, told.due_time AS after
             FROM case_view v JOIN told ON told.case_id = v.case_id AND told.cycle = v.cycle
             WHERE v.tenant_id = current_setting('redress.tenant') AND v.due_time < told.due_time
             ORDER BY v.case_id FOR UPDATE OF v),
         moved AS (
             SELECT t.task_id, before.after
             FROM task t JOIN before ON before.case_id = t.case_id AND before.before = t.due_time
             WHERE t.tenant_id = current_setting('redress.tenant')
               AND t.state IN ({ready}, {leased}, {attention}, {unknown}, {stock})
             ORDER BY t.task_id FOR UPDATE OF t),
         tasks AS (
             UPDATE task SET version = version + 1, due_time = moved.after, overdue_step = 0
             FROM moved WHERE task.tenant_id = current_setting('redress.tenant') AND task.task_id = moved.task_id)
         UPDATE case_view SET due_time = before.after
         FROM before
         WHERE case_view.tenant_id = current_setting('redress.tenant') AND case_view.case_id = before.case_id",
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
        stock = TaskState::AwaitingStock,
    ))
    .bind(extended.iter().map(|(case_id, ..)| case_id.0).collect::<Vec<_>>())
    .bind(extended.iter().map(|(_, cycle, _)| *cycle).collect::<Vec<_>>())
    .bind(extended.iter().map(|(.., due)| due.to_sqlx()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
