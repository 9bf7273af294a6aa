//! Statements about attachments.

pub(crate) mod contents;
pub(crate) mod keeping;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::attachment::{Attachment, Reason, Settings, State, Store};

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    attachment_id: Uuid,
    file_name: String,
    media_type: String,
    size_bytes: i64,
    received_bytes: i64,
    declared_sha256: Option<Vec<u8>>,
    sha256: Option<Vec<u8>>,
    state: i16,
    refusal: Option<i16>,
    signature: String,
    store: i16,
    complaint_id: Option<Uuid>,
    creator: String,
    created_at: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Attachment {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let unknown = || Fault::internal("an attachment in a state, or a store, that is not known");
        Ok(Self {
            id: row.attachment_id,
            file_name: row.file_name,
            media_type: row.media_type,
            size: row.size_bytes,
            received: row.received_bytes,
            declared_sha256: row.declared_sha256,
            sha256: row.sha256,
            state: State::of(row.state).ok_or_else(unknown)?,
            reason: row.refusal.map(|number| Reason::of(number).ok_or_else(unknown)).transpose()?,
            signature: row.signature,
            store: Store::of(row.store).ok_or_else(unknown)?,
            complaint: row.complaint_id.map(CaseId),
            creator: row.creator,
            created: row.created_at.to_jiff(),
        })
    }
}

/// Reads attachments: what follows the names of the columns is given.
macro_rules! select_attachments {
    ($rest:literal) => {
        concat!(
            "SELECT attachment_id, file_name, media_type, size_bytes, received_bytes, declared_sha256, sha256,
                    state, refusal, signature, store, complaint_id, creator, created_at
             FROM attachment ",
            $rest
        )
    };
}

fn all(rows: Vec<Row>) -> Result<Vec<Attachment>, Fault> {
    rows.into_iter().map(Attachment::try_from).collect()
}

/// Writes a new attachment, which takes its size of the quota.
pub(crate) async fn create(conn: &mut PgConnection, new: &Attachment) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(new)
        .column("attachment_id", |new| new.id)
        .column("file_name", |new| new.file_name.as_str())
        .column("media_type", |new| new.media_type.as_str())
        .column("size_bytes", |new| new.size)
        .column("held_bytes", |new| new.size)
        .column("declared_sha256", |new| new.declared_sha256.as_deref())
        .column("state", |new| new.state.number())
        .column("store", |new| new.store.number())
        .column("creator", |new| new.creator.as_str())
        .column("created_at", |new| new.created.to_sqlx())
        .done();
    binds.execute(&rows.insert_into("attachment"), conn).await?;
    Ok(())
}

/// Reads an attachment that is not deleted.
pub(crate) async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<Attachment>, Fault> {
    let sql = pg::sql!(
        select_attachments!(
            "WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1 AND state <> {deleted}"
        ),
        deleted = State::Deleted,
    );
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(Attachment::try_from).transpose()
}

/// Same, and keeps others from changing it.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Attachment>, Fault> {
    Ok(lock_all(conn, &[id]).await?.pop())
}

/// Those of these attachments that there are and that are not deleted.
pub(crate) async fn find(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Attachment>, Fault> {
    let sql = pg::sql!(
        select_attachments!(
            "WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = ANY ($1)
               AND state <> {deleted}"
        ),
        deleted = State::Deleted,
    );
    all(sqlx::query_as(sql).bind(ids).fetch_all(conn).await?)
}

/// Same, and keeps others from changing them; in one order, so that nobody waits for one
/// another.
pub(crate) async fn lock_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Attachment>, Fault> {
    let sql = pg::sql!(
        select_attachments!(
            "WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = ANY ($1)
               AND state <> {deleted}
             ORDER BY attachment_id FOR UPDATE"
        ),
        deleted = State::Deleted,
    );
    all(sqlx::query_as(sql).bind(ids).fetch_all(conn).await?)
}

/// The attachments of a complaint after one, in the order they were created.
pub(crate) async fn list(
    conn: &mut PgConnection,
    complaint: CaseId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Attachment>, Fault> {
    let sql = pg::sql!(
        select_attachments!(
            "WHERE tenant_id = current_setting('redress.tenant') AND complaint_id = $1
               AND attachment_id > $2 AND state <> {deleted}
             ORDER BY attachment_id LIMIT $3"
        ),
        deleted = State::Deleted,
    );
    let after = after.unwrap_or(Uuid::nil());
    all(sqlx::query_as(sql).bind(complaint.0).bind(after).bind(limit).fetch_all(conn).await?)
}

/// Notes how much of an attachment is kept, and what it turned out to be.
pub(crate) async fn received(
    conn: &mut PgConnection,
    id: Uuid,
    received: i64,
    media_type: &str,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE attachment SET received_bytes = $2, media_type = $3, has_content = true
         WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1",
    )
    .bind(id)
    .bind(received)
    .bind(media_type)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that an attachment is whole: it can be fetched, or is to be scanned.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    id: Uuid,
    sha256: &[u8],
    state: State,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE attachment SET state = $2::smallint, sha256 = $3, finished_at = $4::timestamptz,
                scan_at = CASE WHEN $2::smallint = {scanning} THEN $4::timestamptz END
         WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1 AND state = {receiving}",
        scanning = State::Scanning,
        receiving = State::Receiving,
    ))
    .bind(id)
    .bind(state.number())
    .bind(sha256)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Refuses an attachment that this transaction has locked, and gives its size back.
pub(crate) async fn refuse(
    conn: &mut PgConnection,
    id: Uuid,
    reason: Reason,
    signature: &str,
) -> Result<(), Fault> {
    release(conn, id).await?;
    sqlx::query(pg::sql!(
        "UPDATE attachment SET state = {refused}, refusal = $2, signature = $3, scan_at = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1",
        refused = State::Refused,
    ))
    .bind(id)
    .bind(reason.number())
    .bind(signature)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes an attachment that this transaction has locked, and gives its size back; its
/// content goes later.
pub(crate) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), Fault> {
    release(conn, id).await?;
    sqlx::query(pg::sql!(
        "UPDATE attachment SET state = {deleted}, refusal = NULL, scan_at = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1",
        deleted = State::Deleted,
    ))
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives attachments to complaints, each to its own; those that are another's stay so.
pub(crate) async fn give(conn: &mut PgConnection, pairs: &[(Uuid, CaseId)]) -> Result<(), Fault> {
    let (ids, complaints): (Vec<Uuid>, Vec<Uuid>) = pairs.iter().map(|(id, owner)| (*id, owner.0)).unzip();
    sqlx::query(
        "UPDATE attachment a SET complaint_id = g.complaint_id
         FROM (SELECT UNNEST($1::uuid[]) AS attachment_id, UNNEST($2::uuid[]) AS complaint_id) AS g
         WHERE a.tenant_id = current_setting('redress.tenant') AND a.attachment_id = g.attachment_id
           AND a.complaint_id IS NULL",
    )
    .bind(ids)
    .bind(complaints)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes bytes of the tenant's quota; false, and nothing taken, where too few are left.
pub(crate) async fn reserve(conn: &mut PgConnection, bytes: i64, quota: i64) -> Result<bool, Fault> {
    let taken = sqlx::query(
        "INSERT INTO attachment_usage (tenant_id, used_bytes)
         SELECT current_setting('redress.tenant'), $1::bigint WHERE $1::bigint <= $2::bigint
         ON CONFLICT ON CONSTRAINT attachment_usage_pkey DO UPDATE
             SET used_bytes = attachment_usage.used_bytes + excluded.used_bytes
             WHERE attachment_usage.used_bytes + excluded.used_bytes <= $2::bigint",
    )
    .bind(bytes)
    .bind(quota)
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Gives back what an attachment that this transaction has locked takes of the quota, once.
pub(super) async fn release(conn: &mut PgConnection, id: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "WITH held AS (
             SELECT held_bytes FROM attachment
             WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1 AND held_bytes > 0),
         released AS (
             UPDATE attachment SET held_bytes = 0
             WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1)
         UPDATE attachment_usage u SET used_bytes = u.used_bytes - h.held_bytes FROM held h
         WHERE u.tenant_id = current_setting('redress.tenant')",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// How many bytes of its quota the tenant uses.
pub(crate) async fn used(conn: &mut PgConnection) -> Result<i64, Fault> {
    let used = sqlx::query_scalar(
        "SELECT used_bytes FROM attachment_usage WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    Ok(used.unwrap_or_default())
}

#[derive(sqlx::FromRow)]
struct SettingRow {
    max_size_bytes: i64,
    quota_bytes: i64,
    media_types: Vec<String>,
    version: i64,
    updater: String,
    updated_at: jiff_sqlx::Timestamp,
}

/// What the tenant accepts.
pub(crate) async fn settings(conn: &mut PgConnection) -> Result<Settings, Fault> {
    let row: Option<SettingRow> = sqlx::query_as(
        "SELECT max_size_bytes, quota_bytes, media_types, version, updater, updated_at
         FROM attachment_setting WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map_or_else(Settings::default, |row| Settings {
        max_size: row.max_size_bytes,
        quota: row.quota_bytes,
        media_types: row.media_types,
        version: row.version,
        updater: row.updater,
        updated: Some(row.updated_at.to_jiff()),
    }))
}

/// Changes what the tenant accepts; answers the version it now has. The first change makes
/// it, and keeps a second one waiting.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    settings: &Settings,
    updater: &str,
    now: Timestamp,
) -> Result<i64, Fault> {
    let version = sqlx::query_scalar(
        "INSERT INTO attachment_setting (tenant_id, max_size_bytes, quota_bytes, media_types, version, updater,
                                         updated_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, 1, $4, $5)
         ON CONFLICT ON CONSTRAINT attachment_setting_pkey DO UPDATE
             SET max_size_bytes = excluded.max_size_bytes, quota_bytes = excluded.quota_bytes,
                 media_types = excluded.media_types, version = attachment_setting.version + 1,
                 updater = excluded.updater, updated_at = excluded.updated_at
         RETURNING version",
    )
    .bind(settings.max_size)
    .bind(settings.quota)
    .bind(&settings.media_types)
    .bind(updater)
    .bind(now.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(version)
}
