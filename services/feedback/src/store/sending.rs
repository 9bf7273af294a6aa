//! Statements on what became of notices before they were sent again.

use std::collections::HashMap;
use std::slice;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx};
use kernel::NoticeId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::notice::{Means, Sending, State};

/// Keeps what became of a notice before it is sent again.
pub(crate) async fn keep_sending(conn: &mut PgConnection, sending: &Sending) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(sending))
        .column("notice_id", |one| one.notice.0)
        .column("number", |one| one.number)
        .column("recipient", |one| one.recipient.as_str())
        .column("state", |one| one.state.number())
        .column("evidence", |one| one.evidence.as_str())
        .column("failure_reason", |one| one.failure_reason.as_str())
        .column("attempts", |one| one.attempts)
        .column("ended_at", |one| one.ended.map(ToSqlx::to_sqlx))
        .column("requester", |one| one.requester.as_str())
        .column("reason", |one| one.reason.as_str())
        .column("resent_at", |one| one.resent.to_sqlx())
        .column("means", |one| one.means.number())
        .done();
    binds.execute(&rows.insert_into("notice_sending"), conn).await?;
    Ok(())
}

/// Writes what became of a sending of before, as it turned out later.
pub(crate) async fn correct_sending(conn: &mut PgConnection, sending: &Sending) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE notice_sending SET state = $3, failure_reason = $4
         WHERE tenant_id = current_setting('redress.tenant') AND notice_id = $1 AND number = $2",
    )
    .bind(sending.notice.0)
    .bind(sending.number)
    .bind(sending.state.number())
    .bind(&sending.failure_reason)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    notice_id: Uuid,
    number: i32,
    means: i16,
    recipient: String,
    state: i16,
    evidence: String,
    failure_reason: String,
    attempts: i32,
    ended_at: Option<Timestamp>,
    requester: String,
    reason: String,
    resent_at: Timestamp,
}

impl Row {
    fn sending(self) -> Result<Sending, Fault> {
        let state = State::of(self.state);
        Ok(Sending {
            notice: NoticeId(self.notice_id),
            number: self.number,
            means: Means::of(self.means)
                .ok_or_else(|| impossible("notice_sending", "means", self.notice_id))?,
            recipient: self.recipient,
            state: state.ok_or_else(|| impossible("notice_sending", "state", self.notice_id))?,
            evidence: self.evidence,
            failure_reason: self.failure_reason,
            attempts: self.attempts,
            ended: self.ended_at.map(Timestamp::to_jiff),
            requester: self.requester,
            reason: self.reason,
            resent: self.resent_at.to_jiff(),
        })
    }
}

/// What became of these notices before they were sent again, oldest first.
pub(crate) async fn sendings(
    conn: &mut PgConnection,
    notices: &[NoticeId],
) -> Result<HashMap<NoticeId, Vec<Sending>>, Fault> {
    let mut sendings: HashMap<NoticeId, Vec<Sending>> = HashMap::new();
    if notices.is_empty() {
        return Ok(sendings);
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT notice_id, number, means, recipient, state, evidence, failure_reason, attempts, ended_at, requester, reason,
                resent_at
         FROM notice_sending
         WHERE tenant_id = current_setting('redress.tenant') AND notice_id = ANY($1)
         ORDER BY notice_id, number",
    )
    .bind(notices.iter().map(|notice| notice.0).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    for row in rows {
        let sending = row.sending()?;
        sendings.entry(sending.notice).or_default().push(sending);
    }
    Ok(sendings)
}
