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
use crate::timeline::Mail;

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
    /// The mail it went by; none where it went by other means.
    pub(crate) mail: Option<Mail>,
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
        .column("notice_id", |notice| notice.mail.map(|mail| mail.notice))
        .column("sending", |notice| notice.mail.map(|mail| mail.sending))
        .done();
    let insert = rows.insert_into("early_notices");
    let statement = format!("{insert} ON CONFLICT (tenant_id, case_id, kind, cycle) DO NOTHING");
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Keeps no more of notices that came back.
pub(crate) async fn forget(conn: &mut PgConnection, returned: &[(CaseId, Mail)]) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM early_notices n
         USING (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::uuid[]) AS notice_id, UNNEST($3::int[]) AS sending) AS r
         WHERE n.tenant_id = current_setting('redress.tenant') AND n.case_id = r.case_id
           AND n.notice_id = r.notice_id AND n.sending = r.sending",
    )
    .bind(returned.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(returned.iter().map(|(_, mail)| mail.notice).collect::<Vec<_>>())
    .bind(returned.iter().map(|(_, mail)| mail.sending).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the notices kept for cases that are about to be opened.
pub(crate) async fn take(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<EarlyNotice>, Fault> {
    type Row = (Uuid, i16, i32, Option<String>, String, Option<Uuid>, Option<i32>);
    let rows: Vec<Row> = sqlx::query_as(
        "DELETE FROM early_notices
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
         RETURNING case_id, kind, cycle, failure, traceparent, notice_id, sending",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    let notice = |(case, kind, cycle, failure, traceparent, notice, sending): Row| {
        let kind = NoticeKind::of(kind).ok_or_else(|| impossible("early_notices", "kind", case))?;
        let mail = notice.zip(sending).map(|(notice, sending)| Mail { notice, sending });
        Ok(EarlyNotice { case: CaseId(case), kind, cycle, failure, mail, traceparent })
    };
    rows.into_iter().map(notice).collect()
}
