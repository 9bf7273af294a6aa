//! What workers do about attachments of all tenants: scanning, and collecting those that
//! nobody refers to. What is looked for is looked for over all tenants; what is done is done
//! as its tenant.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TenantId;
use pg::Tx;
use sqlx::PgConnection;
use uuid::Uuid;
use work_queue::Table;

use crate::attachment::{State, Store};

/// An attachment, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The attachment.
    pub(crate) id: Uuid,
    /// Where its content lies.
    pub(crate) store: Store,
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    tenant_id: String,
    attachment_id: Uuid,
    store: i16,
}

impl TryFrom<FoundRow> for Found {
    type Error = Fault;

    fn try_from(row: FoundRow) -> Result<Self, Fault> {
        Ok(Self {
            tenant: TenantId::parse(&row.tenant_id).map_err(Fault::internal)?,
            id: row.attachment_id,
            store: Store::of(row.store).ok_or_else(|| Fault::internal("a store that is not known"))?,
        })
    }
}

/// Attachments that wait to be scanned.
pub(crate) fn unscanned() -> Table {
    let open = pg::sql!("w.state = {scanning}", scanning = State::Scanning).0;
    let table = Table::new("attachment", "attachment_id", open);
    Table { next: "scan_at", attempts: "scan_attempts", ..table }
}

/// Notes that nothing was found in an attachment of this transaction's tenant.
pub(crate) async fn scanned_clean(conn: &mut PgConnection, id: Uuid) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE attachment SET state = {ready}, scan_at = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1 AND state = {scanning}",
        ready = State::Ready,
        scanning = State::Scanning,
    ))
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Since when the attachment has been waiting for the scanner that waits longest.
pub(crate) fn unscanned_since() -> String {
    pg::sql!("SELECT min(finished_at) FROM attachment WHERE state = {scanning}", scanning = State::Scanning).0
}

/// Removes the content of one attachment that was refused or deleted, at most so many chunks: the
/// oldest of the tenant after `last` in the order of their names that has one. Answers whose it
/// was: there may be more then. The transaction's role is the one that serves all tenants, until
/// something is found.
pub(crate) async fn collect_unwanted(tx: &mut Tx, last: &str, most: i64) -> Result<Option<TenantId>, Fault> {
    let now = tx.now();
    for (after, to) in [(last, None), ("", Some(last))] {
        let unwanted = sqlx::query_as(pg::sql!(
            "SELECT tenant_id, attachment_id, store FROM attachment
             WHERE state IN ({refused}, {deleted}) AND has_content
               AND tenant_id > $1 AND ($2::text IS NULL OR tenant_id <= $2)
             ORDER BY tenant_id, created_at LIMIT 1 FOR UPDATE SKIP LOCKED",
            refused = State::Refused,
            deleted = State::Deleted,
        ));
        let unwanted: Option<FoundRow> = unwanted.bind(after).bind(to).fetch_optional(&mut **tx).await?;
        let Some(unwanted) = unwanted.map(Found::try_from).transpose()? else { continue };
        tx.act_for(&unwanted.tenant).await?;
        if super::contents::remove(tx, unwanted.store, unwanted.id, (most, now)).await? < most {
            emptied(tx, unwanted.id).await?;
        }
        return Ok(Some(unwanted.tenant));
    }
    Ok(None)
}

/// Removes one attachment that was created before a moment and nothing refers to, no mail either,
/// or as much of it as so many chunks are; of the tenants in turn, as [`collect_unwanted`].
pub(crate) async fn collect_orphan(
    tx: &mut Tx,
    last: &str,
    (before, most): (Timestamp, i64),
) -> Result<Option<TenantId>, Fault> {
    let now = tx.now();
    for (after, to) in [(last, None), ("", Some(last))] {
        let orphan: Option<FoundRow> = sqlx::query_as(
            "SELECT tenant_id, attachment_id, store FROM attachment a
             WHERE complaint_id IS NULL AND created_at < $1
               AND tenant_id > $2 AND ($3::text IS NULL OR tenant_id <= $3)
               AND NOT EXISTS (SELECT FROM mail m
                               WHERE m.tenant_id = a.tenant_id AND m.attachment_id = a.attachment_id)
             ORDER BY tenant_id, created_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        )
        .bind(before.to_sqlx())
        .bind(after)
        .bind(to)
        .fetch_optional(&mut **tx)
        .await?;
        let Some(orphan) = orphan.map(Found::try_from).transpose()? else { continue };
        tx.act_for(&orphan.tenant).await?;
        super::delete(tx, orphan.id).await?;
        if super::contents::remove(tx, orphan.store, orphan.id, (most, now)).await? < most {
            forget(tx, orphan.id).await?;
        }
        return Ok(Some(orphan.tenant));
    }
    Ok(None)
}

/// Notes that nothing is left of a content.
async fn emptied(conn: &mut PgConnection, id: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE attachment SET has_content = false
         WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

async fn forget(conn: &mut PgConnection, id: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM attachment WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}
