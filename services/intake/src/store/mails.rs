//! Statements about mails that arrived.

use std::collections::HashMap;
use std::slice;

use fault::Fault;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use pg::{Binds, Tx};
use sqlx::PgConnection;
use uuid::Uuid;
use work_queue::Table;

use crate::inbound_mail::{Filter, InboundMail, Place, SetAside, State};

#[derive(sqlx::FromRow)]
struct Row {
    mail_id: Uuid,
    mailbox_id: String,
    identity: Vec<u8>,
    message_id: String,
    sender: String,
    subject: String,
    excerpt: String,
    recipients: Vec<String>,
    received_at: jiff_sqlx::Timestamp,
    size_bytes: i64,
    attachment_id: Option<Uuid>,
    state: i16,
    set_aside: Option<i16>,
    complaint_id: Option<Uuid>,
    remarks: Vec<String>,
    by_hand: bool,
    registrar: String,
    attempts: i32,
    uid_validity: i64,
    uid: i64,
    told_text: String,
    dismisser: String,
    dismiss_reason: String,
}

impl TryFrom<Row> for InboundMail {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let unknown = || Fault::internal("a mail in a state that is not known");
        let number = |of: i64| u32::try_from(of).map_err(|_| unknown());
        let place = Place { uid_validity: number(row.uid_validity)?, uid: number(row.uid)? };
        Ok(Self {
            id: row.mail_id,
            mailbox: row.mailbox_id,
            identity: row.identity.try_into().map_err(|_| unknown())?,
            message_id: row.message_id,
            sender: row.sender,
            subject: row.subject,
            excerpt: row.excerpt,
            recipients: row.recipients,
            received: row.received_at.to_jiff(),
            size: row.size_bytes,
            attachment: row.attachment_id,
            state: State::of(row.state).ok_or_else(unknown)?,
            set_aside: row.set_aside.map(|why| SetAside::of(why).ok_or_else(unknown)).transpose()?,
            complaint: row.complaint_id.map(CaseId),
            remarks: row.remarks,
            by_hand: row.by_hand,
            registrar: row.registrar,
            attempts: row.attempts,
            place: Some(place).filter(|place| place.uid > 0),
            told_text: row.told_text,
            dismisser: row.dismisser,
            dismiss_reason: row.dismiss_reason,
        })
    }
}

/// Reads mails: what follows the tenant's condition is given.
macro_rules! select_mails {
    ($rest:literal) => {
        concat!(
            "SELECT mail_id, mailbox_id, identity, message_id, sender, subject, excerpt, recipients,
                    received_at, size_bytes, attachment_id, state, set_aside, complaint_id, remarks, by_hand,
                    registrar, attempts, uid_validity, uid, told_text, dismisser, dismiss_reason
             FROM mail WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// Whether a mail is known.
pub(crate) async fn is_known(conn: &mut PgConnection, identity: &[u8; 32]) -> Result<bool, Fault> {
    let known = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM mail WHERE tenant_id = current_setting('redress.tenant') AND identity = $1)",
    );
    Ok(known.bind(identity.as_slice()).fetch_one(conn).await?)
}

/// Writes a mail that arrived; false, and nothing written, where it is known.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    mail: &InboundMail,
    now: Timestamp,
) -> Result<bool, Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(mail))
        .column("mail_id", |one| one.id)
        .column("mailbox_id", |one| one.mailbox.as_str())
        .column("identity", |one| one.identity.as_slice())
        .column("message_id", |one| one.message_id.as_str())
        .column("sender", |one| one.sender.as_str())
        .column("subject", |one| one.subject.as_str())
        .column("excerpt", |one| one.excerpt.as_str())
        .list("recipients", |one| &one.recipients)
        .column("received_at", |one| one.received.to_sqlx())
        .column("size_bytes", |one| one.size)
        .column("attachment_id", |one| one.attachment)
        .column("state", |one| one.state.number())
        .column("set_aside", |one| one.set_aside.map(SetAside::number))
        .list("remarks", |one| &one.remarks)
        .column("next_at", |one| (one.state == State::Waiting).then(|| now.to_sqlx()))
        .column("taken_at", |_| now.to_sqlx())
        .column("uid_validity", |one| one.place.map_or(0, |place| i64::from(place.uid_validity)))
        .column("uid", |one| one.place.map_or(0, |place| i64::from(place.uid)))
        .done();
    let statement =
        format!("{} ON CONFLICT ON CONSTRAINT mail_identity_key DO NOTHING", rows.insert_into("mail"));
    let written = binds.execute(&statement, conn).await?;
    Ok(written.rows_affected() == 1)
}

/// A mail.
pub(crate) async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<InboundMail>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_mails!("AND mail_id = $1")).bind(id).fetch_optional(conn).await?;
    row.map(InboundMail::try_from).transpose()
}

/// Same, and keeps others from changing it.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<InboundMail>, Fault> {
    let sql = select_mails!("AND mail_id = $1 FOR UPDATE");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(InboundMail::try_from).transpose()
}

/// Mails before an id, newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<InboundMail>, Fault> {
    let sql = pg::sql!(
        select_mails!(
            "AND mail_id < $1 AND ($2::text IS NULL OR mailbox_id = $2)
             AND ($3::smallint IS NULL OR state = $3)
             AND ($4::uuid IS NULL OR (complaint_id = $4 AND state IN ({registered}, {added})))
             AND ($5::smallint IS NULL OR set_aside = $5)
             ORDER BY mail_id DESC LIMIT $6"
        ),
        registered = State::Registered,
        added = State::Added,
    );
    let rows: Vec<Row> = sqlx::query_as(sql)
        .bind(before.unwrap_or(Uuid::max()))
        .bind(&filter.mailbox)
        .bind(filter.state.map(State::number))
        .bind(filter.complaint.map(|id| id.0))
        .bind(filter.set_aside.map(SetAside::number))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(InboundMail::try_from).collect()
}

/// Mails that wait to be read.
pub(crate) fn waiting() -> Table {
    Table::new("mail", "mail_id", pg::sql!("w.state = {waiting}", waiting = State::Waiting).0)
}

/// Notes what became of a mail, or that it is to be read at a moment. What somebody said that it
/// says is kept as long as that is not done.
pub(crate) async fn save(
    conn: &mut PgConnection,
    mail: &InboundMail,
    next: Option<Timestamp>,
) -> Result<(), Fault> {
    let told = |one: &InboundMail| next.map(|_| one.told_text.clone()).unwrap_or_default();
    let mut binds = Binds::default();
    let rows = binds
        .row(mail)
        .column("mail_id", |one| one.id)
        .column("state", |one| one.state.number())
        .column("set_aside", |one| one.set_aside.map(SetAside::number))
        .column("complaint_id", |one| one.complaint.map(|id| id.0))
        .list("remarks", |one| &one.remarks)
        .column("by_hand", |one| one.by_hand)
        .column("registrar", |one| one.registrar.as_str())
        .column("attempts", |one| one.attempts)
        .column("next_at", |_| next.map(jiff_sqlx::ToSqlx::to_sqlx))
        .column("attachment_id", |one| one.attachment)
        .column("told_text", told)
        .column("dismisser", |one| one.dismisser.as_str())
        .column("dismiss_reason", |one| one.dismiss_reason.as_str())
        .done();
    let statement = rows.update("mail", &["mail_id"]);
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Whether a mail became a complaint, or was added to one, that is by its header and its length
/// the one that stays in its folder now.
pub(crate) async fn is_taken(conn: &mut PgConnection, mail: &InboundMail) -> Result<bool, Fault> {
    let taken = sqlx::query_scalar(pg::sql!(
        "SELECT EXISTS (
             SELECT FROM mail
             WHERE tenant_id = current_setting('redress.tenant') AND message_id = $1 AND message_id <> ''
               AND sender = $2 AND size_bytes = $3 AND complaint_id IS NOT NULL
               AND state IN ({registered}, {added}))",
        registered = State::Registered,
        added = State::Added,
    ));
    Ok(taken.bind(&mail.message_id).bind(&mail.sender).bind(mail.size).fetch_one(conn).await?)
}

/// How many mails of each mailbox stay on their server and were not dealt with, of those that have
/// any.
pub(crate) async fn count_unfetched(conn: &mut PgConnection) -> Result<HashMap<String, i64>, Fault> {
    let rows: Vec<(String, i64)> = sqlx::query_as(pg::sql!(
        "SELECT mailbox_id, count(*) FROM mail
         WHERE tenant_id = current_setting('redress.tenant') AND state = {set_aside}
           AND set_aside IN ({too_large}, {failed}) AND dismisser = ''
         GROUP BY mailbox_id",
        set_aside = State::SetAside,
        too_large = SetAside::TooLarge,
        failed = SetAside::FetchFailed,
    ))
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Since when the mail stays on its server that has done so longest, and was not dealt with.
pub(crate) fn unfetched_since() -> String {
    pg::sql!(
        "SELECT min(taken_at) FROM mail
         WHERE state = {set_aside} AND set_aside IN ({too_large}, {failed}) AND dismisser = ''",
        set_aside = State::SetAside,
        too_large = SetAside::TooLarge,
        failed = SetAside::FetchFailed,
    )
    .0
}

/// The complaint of the newest of these messages that its sender sent and that became one.
pub(crate) async fn thread(
    conn: &mut PgConnection,
    sender: &str,
    messages: &[String],
) -> Result<Option<CaseId>, Fault> {
    let id: Option<Uuid> = sqlx::query_scalar(pg::sql!(
        "SELECT complaint_id FROM mail
         WHERE tenant_id = current_setting('redress.tenant') AND message_id = ANY ($2) AND message_id <> ''
           AND sender = $1 AND sender <> '' AND complaint_id IS NOT NULL AND state IN ({registered}, {added})
         ORDER BY mail_id DESC LIMIT 1",
        registered = State::Registered,
        added = State::Added,
    ))
    .bind(sender)
    .bind(messages)
    .fetch_optional(conn)
    .await?;
    Ok(id.map(CaseId))
}

/// How many mails of a mailbox's sender that were not set aside arrived between two moments,
/// but for one.
pub(crate) async fn count_of_sender(
    conn: &mut PgConnection,
    mail: &InboundMail,
    (after, until): (Timestamp, Timestamp),
) -> Result<i64, Fault> {
    let count = sqlx::query_scalar(pg::sql!(
        "SELECT count(*) FROM mail
         WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1 AND sender = $2
           AND received_at > $3 AND received_at <= $4 AND mail_id <> $5 AND state IN ({registered}, {added})",
        registered = State::Registered,
        added = State::Added,
    ));
    let count = count
        .bind(&mail.mailbox)
        .bind(&mail.sender)
        .bind(after.to_sqlx())
        .bind(until.to_sqlx())
        .bind(mail.id)
        .fetch_one(conn)
        .await?;
    Ok(count)
}

/// Forgets mails that became nothing, or that feedback has, and were taken in before a moment; of
/// all tenants, at most so many. Their contents are orphans from then on.
pub(crate) fn forget(tx: &mut Tx, before: Timestamp, most: i64) -> BoxFuture<'_, Result<bool, Fault>> {
    Box::pin(async move {
        let over = pg::sql!(
            "w.state IN ({set_aside}, {report})",
            set_aside = State::SetAside,
            report = State::DeliveryReport
        );
        waiting().forget(tx, (&over.0, "taken_at"), before, most).await
    })
}

/// Since when the mail waits to be read that waits longest.
pub(crate) fn waiting_since() -> String {
    pg::sql!("SELECT min(taken_at) FROM mail WHERE state = {waiting}", waiting = State::Waiting).0
}
