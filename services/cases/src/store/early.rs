//! Statements about notices that were settled before their case was opened.
//!
//! Whoever opens cases and whoever finds them missing holds their openings first.
//! Opening takes what there is of them before it writes the cases; keeping notices
//! looks for the cases once more: whichever comes first, the other sees it.

use fault::Fault;
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;
use vocabulary::NoticeKind;

use super::row::impossible;

/// A notice about a case that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlyNotice {
    /// The case it will belong to.
    pub(crate) case: CaseId,
    /// What it was for.
    pub(crate) kind: NoticeKind,
    /// The cycle it belongs to.
    pub(crate) cycle: i32,
    /// Why it was not delivered; none when it was.
    pub(crate) failure: Option<String>,
    /// Trace of its delivery.
    pub(crate) traceparent: String,
}

/// Waits until nobody else opens, or misses, one of these cases, and keeps others from
/// it until the commit. In the order of the ids, so that nobody waits in a circle.
pub(crate) async fn hold_openings(conn: &mut PgConnection, cases: &[Uuid]) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended(c.id::text, 0))
         FROM (SELECT id FROM UNNEST($1::uuid[]) AS id ORDER BY id) AS c",
    )
    .bind(cases)
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps notices until their cases are opened.
pub(crate) async fn keep(conn: &mut PgConnection, notices: &[EarlyNotice]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(notices)
        .column("case_id", |notice| notice.case.0)
        .column("kind", |notice| notice.kind.number())
        .column("cycle", |notice| notice.cycle)
        .column("failure", |notice| notice.failure.as_deref())
        .column("traceparent", |notice| notice.traceparent.as_str())
        .done();
    let insert = rows.insert_into("early_notices");
    let statement = format!("{insert} ON CONFLICT (tenant_id, case_id, kind, cycle) DO NOTHING");
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Takes the notices kept for cases that are about to be opened.
pub(crate) async fn take(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<EarlyNotice>, Fault> {
    let rows: Vec<(Uuid, i16, i32, Option<String>, String)> = sqlx::query_as(
        "DELETE FROM early_notices
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
         RETURNING case_id, kind, cycle, failure, traceparent",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    let notice = |(case, kind, cycle, failure, traceparent): (Uuid, i16, i32, Option<String>, String)| {
        let kind = NoticeKind::of(kind).ok_or_else(|| impossible("early_notices", "kind", case))?;
        Ok(EarlyNotice { case: CaseId(case), kind, cycle, failure, traceparent })
    };
    rows.into_iter().map(notice).collect()
}
