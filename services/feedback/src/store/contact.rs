//! Statements on whom to write to.

use std::collections::HashMap;

use fault::Fault;
use kernel::CaseId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::notice::Contact;

/// Keeps whom to write to, for cases that are not known yet.
pub(crate) async fn meet(conn: &mut PgConnection, contacts: &[Contact]) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO contact (tenant_id, case_id, recipient, name, language, subject, traceparent)
         SELECT current_setting('redress.tenant'), c.*
         FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::text[]), UNNEST($3::text[]), UNNEST($4::text[]),
                      UNNEST($5::text[]), UNNEST($6::text[])) AS c
         ON CONFLICT ON CONSTRAINT contact_pkey DO NOTHING",
    )
    .bind(contacts.iter().map(|contact| contact.case_id.0).collect::<Vec<_>>())
    .bind(contacts.iter().map(|contact| contact.recipient.as_str()).collect::<Vec<_>>())
    .bind(contacts.iter().map(|contact| contact.name.as_str()).collect::<Vec<_>>())
    .bind(contacts.iter().map(|contact| contact.language.as_str()).collect::<Vec<_>>())
    .bind(contacts.iter().map(|contact| contact.subject.as_str()).collect::<Vec<_>>())
    .bind(contacts.iter().map(|contact| contact.traceparent.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ContactRow {
    case_id: Uuid,
    recipient: String,
    name: String,
    language: String,
    subject: String,
    traceparent: String,
}

/// Whom to write to, of these cases those that are known.
pub(crate) async fn contacts(
    conn: &mut PgConnection,
    cases: &[CaseId],
) -> Result<HashMap<CaseId, Contact>, Fault> {
    let rows: Vec<ContactRow> = sqlx::query_as(
        "SELECT case_id, recipient, name, language, subject, traceparent FROM contact
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let contact = |row: ContactRow| {
        let ContactRow { case_id, recipient, name, language, subject, traceparent } = row;
        let case_id = CaseId(case_id);
        (case_id, Contact { case_id, recipient, name, language, subject, traceparent })
    };
    Ok(rows.into_iter().map(contact).collect())
}

/// Waits for contacts that are being written, and keeps new ones out until the
/// transaction ends. Readers are not disturbed.
pub(crate) async fn hold_contacts(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query("LOCK TABLE contact IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}
