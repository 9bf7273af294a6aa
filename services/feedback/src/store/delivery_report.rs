//! Statements on what mail servers reported about the mails of notices.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::NoticeId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::bounce::{Action, Report, Sent};

/// Keeps a report; answers whether it is new. Of a mail one of each action is kept.
pub(crate) async fn keep_delivery_report(conn: &mut PgConnection, report: &Report) -> Result<bool, Fault> {
    let kept = sqlx::query(
        "INSERT INTO delivery_report (tenant_id, notice_id, sending, action, status, diagnostic, reporting_server,
                                      reported_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT ON CONSTRAINT delivery_report_pkey DO NOTHING",
    )
    .bind(report.sent.notice.0)
    .bind(report.sent.sending)
    .bind(report.action.number())
    .bind(&report.status)
    .bind(&report.diagnostic)
    .bind(&report.server)
    .bind(report.reported.to_sqlx())
    .execute(conn)
    .await?;
    Ok(kept.rows_affected() == 1)
}

#[derive(sqlx::FromRow)]
struct Row {
    notice_id: Uuid,
    sending: i32,
    action: i16,
    status: String,
    diagnostic: String,
    reporting_server: String,
    reported_at: Timestamp,
}

/// What was reported about the mails of these notices, oldest first.
pub(crate) async fn delivery_reports(
    conn: &mut PgConnection,
    notices: &[NoticeId],
) -> Result<HashMap<NoticeId, Vec<Report>>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT notice_id, sending, action, status, diagnostic, reporting_server, reported_at
         FROM delivery_report
         WHERE tenant_id = current_setting('redress.tenant') AND notice_id = ANY($1)
         ORDER BY notice_id, reported_at, sending, action",
    )
    .bind(notices.iter().map(|notice| notice.0).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut reports: HashMap<NoticeId, Vec<Report>> = HashMap::new();
    for row in rows {
        let Row { notice_id, sending, action, status, diagnostic, reporting_server, reported_at } = row;
        let action = Action::of(action).ok_or_else(|| impossible("delivery_report", "action", notice_id))?;
        let sent = Sent { notice: NoticeId(notice_id), sending };
        let (server, reported) = (reporting_server, reported_at.to_jiff());
        let report = Report { sent, action, status, diagnostic, server, reported };
        reports.entry(sent.notice).or_default().push(report);
    }
    Ok(reports)
}
