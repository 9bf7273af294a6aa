//! Statements on cases that are being worked on.

use fault::Fault;
use jiff_sqlx::ToSqlx;
use kernel::{CaseId, TenantId};
use pg::{Binds, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::open_case::{Change, OpenCase, Stage};

/// Keeps what was told of cases, of each at most once.
pub(crate) async fn keep_open_cases(
    conn: &mut PgConnection,
    changes: &[(CaseId, Change)],
) -> Result<(), Fault> {
    let (mut opened, mut reached, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for (case, change) in changes {
        match change {
            Change::Opened { cycle, stage, since } => opened.push((case.0, *cycle, *stage, *since)),
            Change::Reached { cycle, stage } => reached.push((case.0, *cycle, *stage)),
            Change::Rests => rest.push(case.0),
        }
    }
    if !opened.is_empty() {
        open(conn, &opened).await?;
    }
    if !reached.is_empty() {
        reach(conn, &reached).await?;
    }
    if !rest.is_empty() {
        sqlx::query(
            "UPDATE open_case SET told_at = NULL
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND told_at IS NOT NULL",
        )
        .bind(rest)
        .execute(conn)
        .await?;
    }
    Ok(())
}

async fn open(conn: &mut PgConnection, opened: &[(Uuid, i32, Stage, jiff::Timestamp)]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(opened)
        .column("case_id", |(case, ..)| *case)
        .column("cycle", |(_, cycle, ..)| *cycle)
        .column("stage", |(_, _, stage, _)| stage.number())
        .column("told_at", |(.., since)| since.to_sqlx())
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT open_case_pkey DO UPDATE
         SET cycle = excluded.cycle, stage = excluded.stage, told_at = excluded.told_at,
             number = CASE WHEN open_case.cycle = excluded.cycle THEN open_case.number ELSE 0 END",
        rows.insert_into("open_case")
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

async fn reach(conn: &mut PgConnection, reached: &[(Uuid, i32, Stage)]) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE open_case o SET stage = r.stage
         FROM (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::int[]) AS cycle,
                      UNNEST($3::smallint[]) AS stage) AS r
         WHERE o.tenant_id = current_setting('redress.tenant') AND o.case_id = r.case_id
           AND o.cycle = r.cycle AND o.stage < r.stage",
    )
    .bind(reached.iter().map(|(case, ..)| *case).collect::<Vec<_>>())
    .bind(reached.iter().map(|(_, cycle, _)| *cycle).collect::<Vec<_>>())
    .bind(reached.iter().map(|(.., stage)| stage.number()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// The cycle that a case was last told to be in; none where nobody told.
pub(crate) async fn cycle_of(conn: &mut PgConnection, case: CaseId) -> Result<Option<i32>, Fault> {
    let cycle = sqlx::query_scalar(
        "SELECT cycle FROM open_case WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1",
    )
    .bind(case.0)
    .fetch_optional(conn)
    .await?;
    Ok(cycle)
}

/// The complainants of these cases have just heard of them.
pub(crate) async fn heard_of(tx: &mut Tx, cases: &[CaseId]) -> Result<(), Fault> {
    let now = tx.now();
    sqlx::query(
        "UPDATE open_case SET told_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND told_at < $2",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The tenants with cases whose complainants have not heard of them since then.
pub(crate) async fn tenants_to_tell(
    conn: &mut PgConnection,
    since: jiff::Timestamp,
) -> Result<Vec<TenantId>, Fault> {
    let tenants: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT tenant_id FROM open_case WHERE told_at <= $1")
            .bind(since.to_sqlx())
            .fetch_all(conn)
            .await?;
    Ok(tenants.iter().filter_map(|tenant| TenantId::parse(tenant).ok()).collect())
}

/// Takes up to so many cases whose complainants have not heard of them since then, the longest
/// first; they count as having heard now. Of two who do so at once, each takes others.
pub(crate) async fn take_untold(
    tx: &mut Tx,
    since: jiff::Timestamp,
    most: i64,
) -> Result<Vec<OpenCase>, Fault> {
    let now = tx.now();
    let rows: Vec<(Uuid, i32, i16, i32)> = sqlx::query_as(
        "WITH untold AS (SELECT case_id FROM open_case
                         WHERE tenant_id = current_setting('redress.tenant') AND told_at <= $1
                         ORDER BY told_at LIMIT $2 FOR UPDATE SKIP LOCKED)
         UPDATE open_case o SET told_at = $3, number = o.number + 1
         FROM untold u
         WHERE o.tenant_id = current_setting('redress.tenant') AND o.case_id = u.case_id
         RETURNING o.case_id, o.cycle, o.stage, o.number",
    )
    .bind(since.to_sqlx())
    .bind(most)
    .bind(now.to_sqlx())
    .fetch_all(&mut **tx)
    .await?;
    let open = |(case, cycle, stage, number)| {
        let stage = Stage::of(stage).ok_or_else(|| impossible("open_case", "stage", case))?;
        Ok(OpenCase { case_id: CaseId(case), cycle, stage, number })
    };
    rows.into_iter().map(open).collect()
}

/// Which of these cycles are being worked on.
pub(crate) async fn open_cycles_of(
    conn: &mut PgConnection,
    cycles: &[(CaseId, i32)],
) -> Result<Vec<(CaseId, i32)>, Fault> {
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(
        "SELECT o.case_id, o.cycle
         FROM (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::int[]) AS cycle) AS c
         JOIN open_case o ON o.tenant_id = current_setting('redress.tenant') AND o.case_id = c.case_id
              AND o.cycle = c.cycle
         WHERE o.told_at IS NOT NULL",
    )
    .bind(cycles.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(cycles.iter().map(|(_, cycle)| *cycle).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(case, cycle)| (CaseId(case), cycle)).collect())
}
