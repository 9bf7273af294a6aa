//! Statements about what is settled about channels.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::channel::Settings;

#[derive(sqlx::FromRow)]
struct Row {
    channel: i16,
    external_refs_repeat: bool,
    version: i64,
    updater: String,
    updated_at: jiff_sqlx::Timestamp,
}

impl From<Row> for Settings {
    fn from(row: Row) -> Self {
        let Row { channel, external_refs_repeat, version, updater, updated_at } = row;
        Self { channel, external_refs_repeat, version, updater, updated: Some(updated_at.to_jiff()) }
    }
}

/// What was settled, about the channels about which something was.
pub(crate) async fn list(conn: &mut PgConnection) -> Result<Vec<Settings>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT channel, external_refs_repeat, version, updater, updated_at FROM channel_setting
         WHERE tenant_id = current_setting('redress.tenant') ORDER BY channel",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Settles something about a channel; answers its settings as they now are. The first
/// change makes them, and keeps a second one waiting.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    channel: i16,
    external_refs_repeat: bool,
    updater: &str,
    now: Timestamp,
) -> Result<Settings, Fault> {
    let row: Row = sqlx::query_as(
        "INSERT INTO channel_setting (tenant_id, channel, external_refs_repeat, version, updater, updated_at)
         VALUES (current_setting('redress.tenant'), $1, $2, 1, $3, $4)
         ON CONFLICT ON CONSTRAINT channel_setting_pkey DO UPDATE
             SET external_refs_repeat = excluded.external_refs_repeat, version = channel_setting.version + 1,
                 updater = excluded.updater, updated_at = excluded.updated_at
         RETURNING channel, external_refs_repeat, version, updater, updated_at",
    )
    .bind(channel)
    .bind(external_refs_repeat)
    .bind(updater)
    .bind(now.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(row.into())
}

/// The complaints of a channel after an id that have a number and whose content was
/// not hashed when they were registered: ids and registrations, by id.
pub(crate) async fn unhashed(
    conn: &mut PgConnection,
    channel: i16,
    after: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, Vec<u8>)>, Fault> {
    let rows = sqlx::query_as(
        "SELECT complaint_id,
                coalesce(event, (SELECT o.payload FROM outbox o WHERE o.position = complaint.position))
         FROM complaint
         WHERE tenant_id = current_setting('redress.tenant') AND channel = $1 AND complaint_id > $2
           AND external_ref IS NOT NULL AND content_hash IS NULL
         ORDER BY complaint_id LIMIT $3",
    )
    .bind(channel)
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Keeps the hashes of what complaints say.
pub(crate) async fn hash(conn: &mut PgConnection, hashes: &[(Uuid, [u8; 32])]) -> Result<(), Fault> {
    let (ids, hashes): (Vec<Uuid>, Vec<&[u8]>) =
        hashes.iter().map(|(id, hash)| (*id, hash.as_slice())).unzip();
    sqlx::query(
        "UPDATE complaint c SET content_hash = n.hash
         FROM (SELECT UNNEST($1::uuid[]) AS id, UNNEST($2::bytea[]) AS hash) AS n
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.complaint_id = n.id
           AND c.content_hash IS NULL",
    )
    .bind(ids)
    .bind(hashes)
    .execute(conn)
    .await?;
    Ok(())
}
