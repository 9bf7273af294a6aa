//! Versions of the approval policy, and what plans were judged by.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Moment, ToSqlx};
use kernel::page::Page;
use kernel::{CaseId, PlanId};
use pg::{Version, Versions};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::approval::policy::Definition;
use crate::approval::{Facts, Judged, KeptPolicy, Ruling, Window};
use crate::plan::revision::Revision;
use crate::refusal::Refusal;

/// The tables of policies.
const POLICIES: Versions = Versions { table: "approval_policy", state_table: "approval_policy_state" };

fn kept(version: Version<Definition>) -> KeptPolicy {
    KeptPolicy {
        version: version.number,
        note: version.note,
        creator: version.creator,
        created_at: Some(version.created_at),
        activated_at: version.activated_at,
        is_active: version.is_active,
        definition: version.data,
    }
}

/// Writes a tenant's next version, up to the most there may be; answers its number.
pub(crate) async fn create(
    conn: &mut PgConnection,
    definition: &Definition,
    said: (&str, &str),
    most: i64,
    now: Timestamp,
) -> Result<i64, Fault> {
    let created = POLICIES.create(conn, definition, said, most, now).await?;
    Ok(created.ok_or(Refusal::TooManyApprovalPolicies)?)
}

/// The version plans are judged by.
pub(crate) async fn active(conn: &mut PgConnection) -> Result<i64, Fault> {
    POLICIES.active(conn).await
}

/// Reads a version.
pub(crate) async fn get(conn: &mut PgConnection, version: i64) -> Result<Option<KeptPolicy>, Fault> {
    Ok(POLICIES.get(conn, version).await?.map(kept))
}

/// Lists versions without their data, newest first, before one.
pub(crate) async fn list(
    conn: &mut PgConnection,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<KeptPolicy>, Fault> {
    Ok(POLICIES.list(conn, before, limit).await?.into_iter().map(kept).collect())
}

/// Makes a version the active one; answers the one before. None when there is no such
/// version; 0 there always is.
pub(crate) async fn activate(
    conn: &mut PgConnection,
    version: i64,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    POLICIES.activate(conn, version, now).await
}

/// What a plan was judged by, as it is kept: many of them are read beside the calls.
#[derive(sqlx::FromRow)]
pub(crate) struct JudgedRow {
    pub(crate) judgement_id: Uuid,
    plan_id: Uuid,
    case_id: Uuid,
    revision: Option<i16>,
    judged_at: Moment,
    facts: String,
    ruling: String,
}

impl JudgedRow {
    pub(crate) fn read(&self) -> Result<Judged, Fault> {
        Ok(Judged {
            plan_id: PlanId(self.plan_id),
            case_id: CaseId(self.case_id),
            revision: self.revision,
            judged_at: self.judged_at.to_jiff(),
            facts: serde_json::from_str(&self.facts).map_err(Fault::internal)?,
            ruling: serde_json::from_str(&self.ruling).map_err(Fault::internal)?,
        })
    }
}

/// Keeps what a plan was judged by as it was revised.
pub(crate) async fn keep_revised(
    conn: &mut PgConnection,
    revision: &Revision,
    (case, id): (CaseId, Uuid),
    (facts, ruling): (&Facts, &Ruling),
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO approval_judgement (tenant_id, plan_id, case_id, revision, revision_id, judged_at, facts, ruling)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(revision.plan_id.0)
    .bind(case.0)
    .bind(revision.number)
    .bind(id)
    .bind(revision.created_at.to_sqlx())
    .bind(Json(facts))
    .bind(Json(ruling))
    .execute(conn)
    .await?;
    Ok(())
}

/// What plans were judged by when they were proposed or revised in a window, oldest first,
/// after the last of the page before. The ids of judgements are in the order of time.
pub(crate) async fn judged(
    conn: &mut PgConnection,
    window: Window,
    after: Option<Uuid>,
    page: &Page,
) -> Result<Vec<JudgedRow>, Fault> {
    let (first, last) = window.ids();
    let rows = sqlx::query_as(
        "SELECT judgement_id, plan_id, case_id, revision, judged_at, facts::text AS facts, ruling::text AS ruling
         FROM approval_judgement
         WHERE tenant_id = current_setting('redress.tenant') AND judgement_id > $1
           AND judgement_id BETWEEN $5 AND $6
           AND ($2::timestamptz IS NULL OR judged_at >= $2) AND ($3::timestamptz IS NULL OR judged_at < $3)
         ORDER BY judgement_id LIMIT $4",
    )
    .bind(after.unwrap_or(Uuid::nil()))
    .bind(window.start.map(ToSqlx::to_sqlx))
    .bind(window.end.map(ToSqlx::to_sqlx))
    .bind(page.limit())
    .bind(first)
    .bind(last)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
