//! What is known of cases.

use fault::Fault;
use jiff_sqlx::ToSqlx;
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{impossible, money};
use crate::case::{CaseView, RemedyStatus};

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
    priority_ordinal: i32,
    due_number: i32,
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
            priority_ordinal: self.priority_ordinal,
            due_number: self.due_number,
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
                v.priority_ordinal, v.due_number, v.traceparent, v.recused, coalesce(h.agent_id, '') AS handler
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
                v.priority_ordinal, v.due_number, v.traceparent, v.recused, coalesce(h.agent_id, '') AS handler
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
        .column("priority_ordinal", |view| view.priority_ordinal)
        .column("due_number", |view| view.due_number)
        .column("sought_minor", |view| view.sought.as_ref().map(|sought| sought.minor))
        .column("sought_currency", |view| view.sought.as_ref().map(|sought| sought.currency.as_str()))
        .done();
    let statement = format!(
        "INSERT INTO case_view AS known (tenant_id, {names})
         SELECT DISTINCT ON (r.case_id) current_setting('redress.tenant'), {values} FROM {rows} AS r
         ORDER BY r.case_id, r.cycle DESC, r.standing DESC
         ON CONFLICT (tenant_id, case_id) DO UPDATE
         SET cycle = excluded.cycle, standing = excluded.standing,
             priority = CASE WHEN {regraded} THEN known.priority ELSE excluded.priority END,
             priority_ordinal = greatest(known.priority_ordinal, excluded.priority_ordinal),
             correction = CASE WHEN excluded.cycle > known.cycle THEN 0 ELSE known.correction END,
             recused = CASE WHEN excluded.standing = {undecided} THEN known.recused ELSE excluded.recused END,
             due_time = CASE WHEN {redated} THEN known.due_time ELSE excluded.due_time END,
             due_number = greatest(known.due_number, excluded.due_number), category = coalesce(nullif(excluded.category, ''), known.category),
             sought_minor = coalesce(excluded.sought_minor, known.sought_minor),
             sought_currency = coalesce(excluded.sought_currency, known.sought_currency)
         WHERE (known.cycle, known.standing) < (excluded.cycle, excluded.standing)",
        names = rows.names(),
        values = rows.values("r"),
        undecided = RemedyStatus::Undecided.number(),
        // What was told of it since holds, where both say which is the later.
        regraded = "excluded.priority_ordinal > 0 AND known.priority_ordinal > excluded.priority_ordinal",
        redated = "excluded.due_number > 0 AND known.due_number > excluded.due_number",
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
        "UPDATE case_view SET standing = n.standing, correction = n.number,
                priority = CASE WHEN n.place > 0 AND case_view.priority_ordinal > n.place
                                THEN case_view.priority ELSE n.priority END,
                priority_ordinal = greatest(case_view.priority_ordinal, n.place)
         FROM (SELECT DISTINCT ON (case_id) case_id, cycle, standing, priority, number, place
               FROM UNNEST($1::uuid[], $2::int[], $3::smallint[], $4::smallint[], $5::int[], $7::int[])
                    AS told (case_id, cycle, standing, priority, number, place)
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
    .bind(views().map(|view| view.priority_ordinal).collect::<Vec<_>>())
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
