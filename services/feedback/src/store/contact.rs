//! Statements on whom to write to.

use std::collections::HashMap;
use std::slice;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::notice::{Contact, Correction};

/// Keeps whom to write to, for cases that are not known yet.
pub(crate) async fn meet(conn: &mut PgConnection, contacts: &[Contact]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(contacts)
        .column("case_id", |contact| contact.case_id.0)
        .column("recipient", |contact| contact.recipient.as_str())
        .column("phone", |contact| contact.phone.as_str())
        .column("channel", |contact| contact.channel)
        .column("name", |contact| contact.name.as_str())
        .column("language", |contact| contact.language.as_str())
        .column("subject", |contact| contact.subject.as_str())
        .column("traceparent", |contact| contact.traceparent.as_str())
        .column("anonymous", |contact| contact.anonymous)
        .column("automatic", |contact| contact.automatic)
        .column("mail_token", |contact| contact.mail_token.as_str())
        .done();
    let statement =
        format!("{} ON CONFLICT ON CONSTRAINT contact_pkey DO NOTHING", rows.insert_into("contact"));
    binds.execute(&statement, conn).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ContactRow {
    case_id: Uuid,
    recipient: String,
    phone: String,
    channel: i16,
    name: String,
    language: String,
    subject: String,
    traceparent: String,
    anonymous: bool,
    automatic: bool,
    mail_token: String,
    version: i64,
}

impl ContactRow {
    fn contact(self) -> Contact {
        Contact {
            case_id: CaseId(self.case_id),
            recipient: self.recipient,
            phone: self.phone,
            channel: self.channel,
            name: self.name,
            language: self.language,
            subject: self.subject,
            traceparent: self.traceparent,
            anonymous: self.anonymous,
            automatic: self.automatic,
            mail_token: self.mail_token,
            version: self.version,
        }
    }
}

/// Reads contacts of the tenant: what follows the tenant's condition is given.
macro_rules! select_contacts {
    ($rest:literal) => {
        concat!(
            "SELECT case_id, recipient, phone, channel, name, language, subject, traceparent, anonymous, automatic,
                    mail_token, version
             FROM contact WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// Whom to write to, of these cases those that are known.
pub(crate) async fn contacts(
    conn: &mut PgConnection,
    cases: &[CaseId],
) -> Result<HashMap<CaseId, Contact>, Fault> {
    let rows: Vec<ContactRow> = sqlx::query_as(select_contacts!("AND case_id = ANY($1)"))
        .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (CaseId(row.case_id), row.contact())).collect())
}

/// Whom to write to about a case.
pub(crate) async fn contact(conn: &mut PgConnection, case: CaseId) -> Result<Option<Contact>, Fault> {
    let row: Option<ContactRow> =
        sqlx::query_as(select_contacts!("AND case_id = $1")).bind(case.0).fetch_optional(conn).await?;
    Ok(row.map(ContactRow::contact))
}

/// Whom to write to about a case; nobody else changes it until the transaction ends.
pub(crate) async fn lock_contact(conn: &mut PgConnection, case: CaseId) -> Result<Option<Contact>, Fault> {
    let row: Option<ContactRow> = sqlx::query_as(select_contacts!("AND case_id = $1 FOR UPDATE"))
        .bind(case.0)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(ContactRow::contact))
}

/// Writes a corrected contact, which this transaction holds, and what it was before.
pub(crate) async fn correct(
    conn: &mut PgConnection,
    contact: &Contact,
    before: &Correction,
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let kept = binds
        .rows(slice::from_ref(before))
        .column("case_id", |_| contact.case_id.0)
        .column("version", |_| contact.version)
        .column("recipient", |one| one.recipient.as_str())
        .column("name", |one| one.name.as_str())
        .column("language", |one| one.language.as_str())
        .column("actor", |one| one.actor.as_str())
        .column("reason", |one| one.reason.as_str())
        .column("corrected_at", |one| one.corrected.to_sqlx())
        .column("phone", |one| one.phone.as_str())
        .done();
    let changed = binds
        .rows(slice::from_ref(contact))
        .column("case_id", |one| one.case_id.0)
        .column("version", |one| one.version)
        .column("recipient", |one| one.recipient.as_str())
        .column("name", |one| one.name.as_str())
        .column("language", |one| one.language.as_str())
        .column("phone", |one| one.phone.as_str())
        .done();
    let statement = format!(
        "WITH kept AS ({}) {}",
        kept.insert_into("contact_correction"),
        changed.update("contact", &["case_id"])
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct CorrectionRow {
    version: i64,
    recipient: String,
    phone: String,
    name: String,
    language: String,
    actor: String,
    reason: String,
    corrected_at: Timestamp,
}

/// What was corrected of a contact, oldest first.
pub(crate) async fn corrections(conn: &mut PgConnection, case: CaseId) -> Result<Vec<Correction>, Fault> {
    let rows: Vec<CorrectionRow> = sqlx::query_as(
        "SELECT version, recipient, phone, name, language, actor, reason, corrected_at FROM contact_correction
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 ORDER BY version",
    )
    .bind(case.0)
    .fetch_all(conn)
    .await?;
    let correction = |row: CorrectionRow| {
        let CorrectionRow { version, recipient, phone, name, language, actor, reason, corrected_at } = row;
        let corrected = corrected_at.to_jiff();
        Correction { version, recipient, phone, name, language, actor, reason, corrected }
    };
    Ok(rows.into_iter().map(correction).collect())
}

/// Waits for contacts that are being written, and keeps new ones out until the
/// transaction ends. Readers are not disturbed.
pub(crate) async fn hold_contacts(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query("LOCK TABLE contact IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}
