//! Statements about what is settled about channels.

use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::channel::{Change, FailingSource, Settings};

#[derive(sqlx::FromRow)]
struct Row {
    channel: i16,
    external_refs_repeat: bool,
    owner: String,
    silent_after_s: i64,
    version: i64,
    updater: String,
    updated_at: jiff_sqlx::Timestamp,
}

impl From<Row> for Settings {
    fn from(row: Row) -> Self {
        let Row { channel, external_refs_repeat, owner, silent_after_s, version, updater, updated_at } = row;
        let silent_after = Duration::from_secs(u64::try_from(silent_after_s).unwrap_or(0));
        Self {
            channel,
            external_refs_repeat,
            owner,
            silent_after: Some(silent_after).filter(|after| !after.is_zero()),
            version,
            updater,
            updated: Some(updated_at.to_jiff()),
        }
    }
}

/// What was settled, about the channels about which something was.
pub(crate) async fn list(conn: &mut PgConnection) -> Result<Vec<Settings>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT channel, external_refs_repeat, owner, silent_after_s, version, updater, updated_at
         FROM channel_setting
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
    change: &Change,
    updater: &str,
    now: Timestamp,
) -> Result<Settings, Fault> {
    let silent = change.silent_after.map(|after| i64::try_from(after.as_secs()).unwrap_or(i64::MAX));
    let row: Row = sqlx::query_as(
        "INSERT INTO channel_setting AS now
             (tenant_id, channel, external_refs_repeat, owner, silent_after_s, version, updater, updated_at)
         VALUES (current_setting('redress.tenant'), $1, $2, coalesce($3, ''), coalesce($4, 0), 1, $5, $6)
         ON CONFLICT ON CONSTRAINT channel_setting_pkey DO UPDATE
             SET external_refs_repeat = excluded.external_refs_repeat, owner = coalesce($3, now.owner),
                 silent_after_s = coalesce($4, now.silent_after_s), version = now.version + 1,
                 updater = excluded.updater, updated_at = excluded.updated_at
         RETURNING channel, external_refs_repeat, owner, silent_after_s, version, updater, updated_at",
    )
    .bind(change.channel)
    .bind(change.external_refs_repeat)
    .bind(change.owner.as_deref())
    .bind(silent)
    .bind(updater)
    .bind(now.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(row.into())
}

/// The newest complaints of channels, by the channels' numbers: an id tells when it was given.
pub(crate) async fn newest(conn: &mut PgConnection, channels: &[i16]) -> Result<Vec<(i16, Uuid)>, Fault> {
    let rows = sqlx::query_as(
        "SELECT c.channel, newest.complaint_id
         FROM UNNEST($1::smallint[]) AS c (channel), LATERAL (
             SELECT complaint_id FROM complaint
             WHERE tenant_id = current_setting('redress.tenant') AND channel = c.channel
             ORDER BY complaint_id DESC LIMIT 1) AS newest",
    )
    .bind(channels)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The mailboxes, of the channel of mails, and the file drops, of the channel that each is set up
/// for, that cannot be read.
pub(crate) async fn failing(conn: &mut PgConnection, email: i16) -> Result<Vec<FailingSource>, Fault> {
    let rows: Vec<(i16, String, String, String, jiff_sqlx::Timestamp)> = sqlx::query_as(
        "SELECT $1, 'mailboxes/' || mailbox_id AS name, owner, error_reason, failing_since FROM mailbox
         WHERE tenant_id = current_setting('redress.tenant') AND NOT paused AND failing_since IS NOT NULL
         UNION ALL
         SELECT channel, 'fileDrops/' || file_drop_id, owner, error_reason, failing_since FROM file_drop
         WHERE tenant_id = current_setting('redress.tenant') AND NOT paused AND failing_since IS NOT NULL",
    )
    .bind(email)
    .fetch_all(conn)
    .await?;
    let source = |(channel, name, owner, reason, since): (i16, String, String, String, _)| FailingSource {
        channel,
        name,
        owner,
        reason,
        since: jiff_sqlx::Timestamp::to_jiff(since),
    };
    Ok(rows.into_iter().map(source).collect())
}

/// Since when the channel has been silent too long that has been so longest. A complaint's id
/// begins with the milliseconds at which it was given (RFC 9562).
pub(crate) fn silent_since() -> String {
    "SELECT min(coalesce(heard.at, s.updated_at) + s.silent_after_s * interval '1 second')
     FROM channel_setting s LEFT JOIN LATERAL (
         SELECT to_timestamp(('x' || left(replace(complaint_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) AS at
         FROM complaint c WHERE c.tenant_id = s.tenant_id AND c.channel = s.channel
         ORDER BY complaint_id DESC LIMIT 1) AS heard ON true
     WHERE s.silent_after_s > 0"
        .to_owned()
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
