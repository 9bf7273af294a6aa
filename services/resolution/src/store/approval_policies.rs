//! Versions of the approval policy, and what plans were judged by.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Moment, ToSqlx};
use kernel::page::Page;
use kernel::{CaseId, PlanId};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::approval::policy::Definition;
use crate::approval::{Judged, KeptPolicy, Window};
use crate::refusal::Refusal;

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    note: String,
    creator: String,
    created_at: Moment,
    activated_at: Option<Moment>,
    active: bool,
    data: Option<Json<Definition>>,
}

impl From<Row> for KeptPolicy {
    fn from(row: Row) -> Self {
        Self {
            version: row.version,
            note: row.note,
            creator: row.creator,
            created_at: Some(row.created_at.to_jiff()),
            activated_at: row.activated_at.map(Moment::to_jiff),
            is_active: row.active,
            definition: row.data.map(|Json(definition)| definition),
        }
    }
}

/// Writes a tenant's next version, up to the most there may be; answers its number. Whoever
/// creates another waits for this one.
pub(crate) async fn create(
    conn: &mut PgConnection,
    definition: &Definition,
    (note, creator): (&str, &str),
    most: i64,
    now: Timestamp,
) -> Result<i64, Fault> {
    let version: Option<i64> = sqlx::query_scalar(
        "WITH state AS (
             INSERT INTO approval_policy_state (tenant_id, newest, active)
             VALUES (current_setting('redress.tenant'), 1, 0)
             ON CONFLICT (tenant_id) DO UPDATE SET newest = approval_policy_state.newest + 1
             RETURNING newest)
         INSERT INTO approval_policy (tenant_id, version, note, data, creator, created_at)
         SELECT current_setting('redress.tenant'), newest, $1, $2, $3, $4 FROM state WHERE newest <= $5
         RETURNING version",
    )
    .bind(note)
    .bind(Json(definition))
    .bind(creator)
    .bind(now.to_sqlx())
    .bind(most)
    .fetch_optional(conn)
    .await?;
    Ok(version.ok_or(Refusal::TooManyApprovalPolicies)?)
}

/// The version plans are judged by.
pub(crate) async fn active(conn: &mut PgConnection) -> Result<i64, Fault> {
    let active: Option<i64> = sqlx::query_scalar(
        "SELECT active FROM approval_policy_state WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    Ok(active.unwrap_or(0))
}

/// Reads a version.
pub(crate) async fn get(conn: &mut PgConnection, version: i64) -> Result<Option<KeptPolicy>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT p.version, p.note, p.creator, p.created_at, p.activated_at, p.data,
                coalesce(s.active, 0) = p.version AS active
         FROM approval_policy p LEFT JOIN approval_policy_state s ON s.tenant_id = p.tenant_id
         WHERE p.tenant_id = current_setting('redress.tenant') AND p.version = $1",
    )
    .bind(version)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(KeptPolicy::from))
}

/// Lists versions without their data, newest first, before one.
pub(crate) async fn list(
    conn: &mut PgConnection,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<KeptPolicy>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT p.version, p.note, p.creator, p.created_at, p.activated_at, NULL::jsonb AS data,
                coalesce(s.active, 0) = p.version AS active
         FROM approval_policy p LEFT JOIN approval_policy_state s ON s.tenant_id = p.tenant_id
         WHERE p.tenant_id = current_setting('redress.tenant') AND p.version < $1
         ORDER BY p.version DESC LIMIT $2",
    )
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(KeptPolicy::from).collect())
}

/// Makes a version the active one; answers the one before. None when there is no such
/// version; 0 there always is.
pub(crate) async fn activate(
    conn: &mut PgConnection,
    version: i64,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    // Whoever activates another version waits here.
    let before: Option<i64> = sqlx::query_scalar(
        "SELECT active FROM approval_policy_state
         WHERE tenant_id = current_setting('redress.tenant') FOR NO KEY UPDATE",
    )
    .fetch_optional(&mut *conn)
    .await?;
    let marked = sqlx::query(
        "UPDATE approval_policy SET activated_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND version = $1",
    )
    .bind(version)
    .bind(now.to_sqlx())
    .execute(&mut *conn)
    .await?;
    if version != 0 && marked.rows_affected() == 0 {
        return Ok(None);
    }
    // A tenant without a row has no versions: it returns to what it has.
    sqlx::query(
        "UPDATE approval_policy_state SET active = $1 WHERE tenant_id = current_setting('redress.tenant')",
    )
    .bind(version)
    .execute(conn)
    .await?;
    Ok(Some(before.unwrap_or(0)))
}

/// What a plan was judged by, as it is kept: many of them are read beside the calls.
#[derive(sqlx::FromRow)]
pub(crate) struct JudgedRow {
    pub(crate) plan_id: Uuid,
    case_id: Uuid,
    judged_at: Moment,
    facts: String,
    ruling: String,
}

impl JudgedRow {
    pub(crate) fn read(&self) -> Result<Judged, Fault> {
        Ok(Judged {
            plan_id: PlanId(self.plan_id),
            case_id: CaseId(self.case_id),
            judged_at: self.judged_at.to_jiff(),
            facts: serde_json::from_str(&self.facts).map_err(Fault::internal)?,
            ruling: serde_json::from_str(&self.ruling).map_err(Fault::internal)?,
        })
    }
}

/// What plans were judged by when they were proposed in a window, oldest first, after the
/// last of the page before. The ids of plans are in the order of their proposal.
pub(crate) async fn judged(
    conn: &mut PgConnection,
    window: Window,
    after: Option<PlanId>,
    page: &Page,
) -> Result<Vec<JudgedRow>, Fault> {
    let (first, last) = window.ids();
    let rows = sqlx::query_as(
        "SELECT plan_id, case_id, judged_at, facts::text AS facts, ruling::text AS ruling FROM approval_judgement
         WHERE tenant_id = current_setting('redress.tenant') AND plan_id > $1 AND plan_id BETWEEN $5 AND $6
           AND ($2::timestamptz IS NULL OR judged_at >= $2) AND ($3::timestamptz IS NULL OR judged_at < $3)
         ORDER BY plan_id LIMIT $4",
    )
    .bind(after.map_or(Uuid::nil(), |plan| plan.0))
    .bind(window.start.map(ToSqlx::to_sqlx))
    .bind(window.end.map(ToSqlx::to_sqlx))
    .bind(page.limit())
    .bind(first)
    .bind(last)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
