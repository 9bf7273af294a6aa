//! Statements about webhook sources and their mappings.

use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use pg::Binds;
use server::Secret;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::webhook_source::{
    FAILING_FROM, KeptMapping, Refused, SIGNATURE_REFUSED, Settings, Signature, UNSIGNED_FOR, Unsigned,
    WebhookSource,
};

#[derive(sqlx::FromRow)]
struct Row {
    source_id: String,
    channel: i16,
    owner: String,
    language: String,
    category_hint: String,
    signature: i16,
    secret: String,
    next_secret: String,
    silent_after_s: i64,
    paused: bool,
    max_per_author_hour: i32,
    max_reply_length: i32,
    version: i64,
    updater: String,
    updated_at: jiff_sqlx::Timestamp,
    active_mapping: i64,
    last_delivery_at: Option<jiff_sqlx::Timestamp>,
    error_reason: String,
    error: String,
    refused_since: Option<jiff_sqlx::Timestamp>,
    refusals: i32,
    unsigned: i32,
    unsigned_since: Option<jiff_sqlx::Timestamp>,
    unsigned_last_at: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for WebhookSource {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let unknown = || Fault::internal("a webhook source with a number that is out of its range");
        let secret = |text: String| Some(text).filter(|text| !text.is_empty()).map(Secret::from);
        let silent = u64::try_from(row.silent_after_s).map_err(|_| unknown())?;
        let refused = |since: jiff_sqlx::Timestamp| Refused {
            reason: row.error_reason,
            words: row.error,
            since: since.to_jiff(),
            count: row.refusals,
        };
        Ok(Self {
            settings: Settings {
                id: row.source_id,
                channel: row.channel,
                owner: row.owner,
                language: row.language,
                category_hint: row.category_hint,
                signature: Signature::of(row.signature).ok_or_else(unknown)?,
                secret: secret(row.secret),
                next_secret: secret(row.next_secret),
                silent_after: Some(Duration::from_secs(silent)).filter(|after| !after.is_zero()),
                paused: row.paused,
                max_per_author_hour: row.max_per_author_hour,
                max_reply_length: row.max_reply_length,
            },
            version: row.version,
            updater: row.updater,
            updated: row.updated_at.to_jiff(),
            active_mapping: row.active_mapping,
            last_delivery: row.last_delivery_at.map(jiff_sqlx::Timestamp::to_jiff),
            refused: row.refused_since.map(refused),
            unsigned: row.unsigned_since.zip(row.unsigned_last_at).map(|(since, last)| Unsigned {
                count: row.unsigned,
                since: since.to_jiff(),
                last: last.to_jiff(),
            }),
        })
    }
}

/// Reads sources: what follows the tenant's condition is given.
macro_rules! select_sources {
    ($rest:literal) => {
        concat!(
            "SELECT source_id, channel, owner, language, category_hint, signature, secret, next_secret,
                    silent_after_s, paused, max_per_author_hour, max_reply_length, version, updater, updated_at,
                    active_mapping, last_delivery_at, error_reason, error, refused_since, refusals,
                    unsigned, unsigned_since, unsigned_last_at
             FROM webhook_source WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// How many sources there are.
pub(crate) async fn count(conn: &mut PgConnection) -> Result<i64, Fault> {
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM webhook_source WHERE tenant_id = current_setting('redress.tenant')",
    );
    Ok(count.fetch_one(conn).await?)
}

/// A source.
pub(crate) async fn get(conn: &mut PgConnection, id: &str) -> Result<Option<WebhookSource>, Fault> {
    let sql = select_sources!("AND source_id = $1");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(WebhookSource::try_from).transpose()
}

/// Same, and keeps others from changing it.
pub(crate) async fn lock(conn: &mut PgConnection, id: &str) -> Result<Option<WebhookSource>, Fault> {
    let sql = select_sources!("AND source_id = $1 FOR UPDATE");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(WebhookSource::try_from).transpose()
}

/// All sources, by name.
pub(crate) async fn list(conn: &mut PgConnection) -> Result<Vec<WebhookSource>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_sources!("ORDER BY source_id")).fetch_all(conn).await?;
    rows.into_iter().map(WebhookSource::try_from).collect()
}

/// Writes a source, new or changed.
pub(crate) async fn save(conn: &mut PgConnection, source: &WebhookSource) -> Result<(), Fault> {
    let secret = |secret: &Option<Secret>| secret.as_ref().map(Secret::expose).unwrap_or_default().to_owned();
    let silent = source.settings.silent_after.map_or(0, |after| after.as_secs());
    let mut binds = Binds::default();
    let rows = binds
        .row(source)
        .column("source_id", |source| source.settings.id.as_str())
        .column("channel", |source| source.settings.channel)
        .column("owner", |source| source.settings.owner.as_str())
        .column("language", |source| source.settings.language.as_str())
        .column("category_hint", |source| source.settings.category_hint.as_str())
        .column("signature", |source| source.settings.signature.number())
        .column("secret", |source| secret(&source.settings.secret))
        .column("next_secret", |source| secret(&source.settings.next_secret))
        .column("silent_after_s", |_| i64::try_from(silent).unwrap_or(i64::MAX))
        .column("paused", |source| source.settings.paused)
        .column("max_per_author_hour", |source| source.settings.max_per_author_hour)
        .column("max_reply_length", |source| source.settings.max_reply_length)
        .column("version", |source| source.version)
        .column("updater", |source| source.updater.as_str())
        .column("updated_at", |source| source.updated.to_sqlx())
        .column("active_mapping", |source| source.active_mapping)
        .done();
    let statement = format!(
        "{insert} ON CONFLICT ON CONSTRAINT webhook_source_pkey DO UPDATE
             SET {settings}, error_reason = '', error = '', refused_since = NULL, refusals = 0,
                 unsigned = 0, unsigned_since = NULL, unsigned_last_at = NULL",
        insert = rows.insert_into("webhook_source"),
        settings = rows.overwrite(&["source_id"]),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Forgets a source.
pub(crate) async fn delete(conn: &mut PgConnection, id: &str) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM webhook_source WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a delivery was taken in: its signature is good.
pub(crate) async fn heard(conn: &mut PgConnection, id: &str, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE webhook_source
         SET last_delivery_at = greatest(last_delivery_at, $2), unsigned = 0, unsigned_since = NULL,
             unsigned_last_at = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1",
    )
    .bind(id)
    .bind(now.to_sqlx())
    .execute(&mut *conn)
    .await?;
    // As what was before noted it.
    accepted(conn, id, SIGNATURE_REFUSED).await
}

/// Notes deliveries that were not believed, of which this many came by now.
pub(crate) async fn disbelieved(
    conn: &mut PgConnection,
    id: &str,
    (count, now): (i32, Timestamp),
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE webhook_source
         SET unsigned = least(unsigned::bigint + $2, 1000000), unsigned_since = coalesce(unsigned_since, $3),
             unsigned_last_at = greatest(unsigned_last_at, $3)
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1",
    )
    .bind(id)
    .bind(count)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that what was refused for a reason is no longer.
pub(crate) async fn accepted(conn: &mut PgConnection, id: &str, reason: &str) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE webhook_source SET error_reason = '', error = '', refused_since = NULL, refusals = 0
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1 AND error_reason = $2",
    )
    .bind(id)
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that posts could not be read, so many.
pub(crate) async fn refused(conn: &mut PgConnection, id: &str, refused: &Refused) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE webhook_source
         SET refusals = CASE WHEN error_reason = $2 THEN least(refusals::bigint + $5, 1000000) ELSE $5 END,
             refused_since = CASE WHEN error_reason = $2 THEN refused_since ELSE $4 END,
             error_reason = $2, error = $3
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1",
    )
    .bind(id)
    .bind(&refused.reason)
    .bind(&refused.words)
    .bind(refused.since.to_sqlx())
    .bind(refused.count)
    .execute(conn)
    .await?;
    Ok(())
}

/// Since when the source has failed that has failed longest, as `WebhookSource::state` has it.
pub(crate) fn failing_since() -> String {
    let seconds = UNSIGNED_FOR.as_secs();
    format!(
        "SELECT min(least(
             CASE WHEN refusals >= {FAILING_FROM} THEN refused_since END,
             CASE WHEN unsigned >= {FAILING_FROM}
                       AND (last_delivery_at IS NULL OR last_delivery_at < updated_at
                            OR unsigned_last_at >= unsigned_since + {seconds} * interval '1 second')
                  THEN unsigned_since END))
         FROM webhook_source WHERE NOT paused"
    )
}

/// Since when the source has been silent too long that has been so longest.
pub(crate) fn silent_since() -> String {
    "SELECT min(coalesce(last_delivery_at, updated_at) + silent_after_s * interval '1 second')
     FROM webhook_source WHERE NOT paused AND silent_after_s > 0"
        .to_owned()
}

#[derive(sqlx::FromRow)]
struct MappingRow {
    number: i64,
    spec: Json<posts::Spec>,
    creator: String,
    created_at: jiff_sqlx::Timestamp,
}

impl From<MappingRow> for KeptMapping {
    fn from(row: MappingRow) -> Self {
        let MappingRow { number, spec, creator, created_at } = row;
        Self { number, spec: spec.0, creator, created: created_at.to_jiff() }
    }
}

/// The number of a source's latest mapping; 0 where it has none.
pub(crate) async fn last_mapping(conn: &mut PgConnection, source: &str) -> Result<i64, Fault> {
    let number = sqlx::query_scalar(
        "SELECT coalesce(max(number), 0) FROM webhook_mapping
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1",
    );
    Ok(number.bind(source).fetch_one(conn).await?)
}

/// Writes a mapping.
pub(crate) async fn add_mapping(
    conn: &mut PgConnection,
    source: &str,
    mapping: &KeptMapping,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO webhook_mapping (tenant_id, source_id, number, spec, creator, created_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5)",
    )
    .bind(source)
    .bind(mapping.number)
    .bind(Json(&mapping.spec))
    .bind(&mapping.creator)
    .bind(mapping.created.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// A mapping.
pub(crate) async fn mapping(
    conn: &mut PgConnection,
    source: &str,
    number: i64,
) -> Result<Option<KeptMapping>, Fault> {
    let row: Option<MappingRow> = sqlx::query_as(
        "SELECT number, spec, creator, created_at FROM webhook_mapping
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1 AND number = $2",
    )
    .bind(source)
    .bind(number)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(KeptMapping::from))
}

/// Mappings of a source before a number, newest first.
pub(crate) async fn mappings(
    conn: &mut PgConnection,
    source: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<KeptMapping>, Fault> {
    let rows: Vec<MappingRow> = sqlx::query_as(
        "SELECT number, spec, creator, created_at FROM webhook_mapping
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1 AND number < $2
         ORDER BY number DESC LIMIT $3",
    )
    .bind(source)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(KeptMapping::from).collect())
}
