//! Statements on event subscriptions, and how far each is with the feeds.

use std::collections::HashMap;
use std::slice;
use std::time::Duration;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::TenantId;
use pg::Binds;
use server::Secret;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::event_subscription::{EventSubscription, Pause, Progress, Wanted};

#[derive(sqlx::FromRow)]
struct Row {
    subscription_id: Uuid,
    version: i64,
    title: String,
    url: String,
    types: Vec<String>,
    filter: String,
    timeout_ms: i64,
    secret: String,
    old_secret: Option<String>,
    old_secret_until: Option<Timestamp>,
    pause_reason: Option<String>,
    paused_by: Option<String>,
    paused_at: Option<Timestamp>,
    creator: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

macro_rules! select_subscriptions {
    ($rest:literal) => {
        concat!(
            "SELECT subscription_id, version, title, url, types, filter, timeout_ms, secret, old_secret,
                    old_secret_until, pause_reason, paused_by, paused_at, creator, created_at, updated_at
             FROM event_subscription WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

impl From<Row> for EventSubscription {
    fn from(row: Row) -> Self {
        let old = row.old_secret.zip(row.old_secret_until);
        let pause = row.pause_reason.zip(row.paused_by).zip(row.paused_at);
        Self {
            id: row.subscription_id,
            version: row.version,
            wanted: Wanted {
                title: row.title,
                url: row.url,
                types: row.types,
                filter: row.filter,
                timeout: Duration::from_millis(row.timeout_ms.unsigned_abs()),
            },
            secret: Secret::from(row.secret),
            old_secret: old.map(|(secret, until)| (Secret::from(secret), until.to_jiff())),
            pause: pause.map(|((reason, by), at)| Pause { reason, by, at: at.to_jiff() }),
            creator: row.creator,
            created: row.created_at.to_jiff(),
            updated: row.updated_at.to_jiff(),
        }
    }
}

/// How many subscriptions there are; whoever makes another waits until this transaction ends.
pub(crate) async fn hold_event_subscriptions(conn: &mut PgConnection) -> Result<i64, Fault> {
    pg::hold(&mut *conn, "event subscriptions").await?;
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM event_subscription WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// Reads all subscriptions, the oldest first.
pub(crate) async fn event_subscriptions(conn: &mut PgConnection) -> Result<Vec<EventSubscription>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_subscriptions!("ORDER BY subscription_id")).fetch_all(conn).await?;
    Ok(rows.into_iter().map(EventSubscription::from).collect())
}

/// Reads a subscription.
pub(crate) async fn event_subscription(
    conn: &mut PgConnection,
    id: Uuid,
) -> Result<Option<EventSubscription>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_subscriptions!("AND subscription_id = $1"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(EventSubscription::from))
}

/// Reads a subscription and keeps others from changing it.
pub(crate) async fn lock_event_subscription(
    conn: &mut PgConnection,
    id: Uuid,
) -> Result<Option<EventSubscription>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_subscriptions!("AND subscription_id = $1 FOR NO KEY UPDATE"))
            .bind(id)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(EventSubscription::from))
}

/// Writes a subscription, new or locked by this transaction.
pub(crate) async fn save_event_subscription(
    conn: &mut PgConnection,
    one: &EventSubscription,
) -> Result<(), Fault> {
    let (old, pause) = (one.old_secret.as_ref(), one.pause.as_ref());
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(one))
        .column("subscription_id", |one| one.id)
        .column("version", |one| one.version)
        .column("title", |one| one.wanted.title.as_str())
        .column("url", |one| one.wanted.url.as_str())
        .list("types", |one| &one.wanted.types)
        .column("filter", |one| one.wanted.filter.as_str())
        .column("timeout_ms", |one| i64::try_from(one.wanted.timeout.as_millis()).unwrap_or(i64::MAX))
        .column("secret", |one| one.secret.expose())
        .column("old_secret", |_| old.map(|(secret, _)| secret.expose()))
        .column("old_secret_until", |_| old.map(|(_, until)| until.to_sqlx()))
        .column("pause_reason", |_| pause.map(|pause| pause.reason.as_str()))
        .column("paused_by", |_| pause.map(|pause| pause.by.as_str()))
        .column("paused_at", |_| pause.map(|pause| pause.at.to_sqlx()))
        .column("creator", |one| one.creator.as_str())
        .column("created_at", |one| one.created.to_sqlx())
        .column("updated_at", |one| one.updated.to_sqlx())
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT event_subscription_pkey DO UPDATE SET {}",
        rows.insert_into("event_subscription"),
        rows.overwrite(&["subscription_id", "creator", "created_at"]),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Removes a subscription, with how far it was.
pub(crate) async fn delete_event_subscription(conn: &mut PgConnection, id: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM event_subscription
         WHERE tenant_id = current_setting('redress.tenant') AND subscription_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ProgressRow {
    subscription_id: Uuid,
    source: String,
    position: i64,
    posted: i64,
    posted_at: Option<Timestamp>,
    failures: i32,
    failing_since: Option<Timestamp>,
    last_error: String,
    due_at: Option<Timestamp>,
}

impl From<ProgressRow> for Progress {
    fn from(row: ProgressRow) -> Self {
        Self {
            source: row.source,
            position: row.position,
            posted: row.posted,
            posted_at: row.posted_at.map(Timestamp::to_jiff),
            failures: row.failures,
            failing_since: row.failing_since.map(Timestamp::to_jiff),
            last_error: row.last_error,
            next_try: row.due_at.map(Timestamp::to_jiff),
        }
    }
}

/// How far subscriptions are, in the order of the services' names.
pub(crate) async fn event_progress(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Progress>>, Fault> {
    let rows: Vec<ProgressRow> = sqlx::query_as(
        "SELECT subscription_id, source, position, posted, posted_at, failures, failing_since, last_error, due_at
         FROM event_subscription_feed
         WHERE tenant_id = current_setting('redress.tenant') AND subscription_id = ANY($1) ORDER BY source",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let mut found: HashMap<Uuid, Vec<Progress>> = HashMap::new();
    for row in rows {
        found.entry(row.subscription_id).or_default().push(row.into());
    }
    Ok(found)
}

/// Has a subscription begin with a feed after a position, or go on from there: whoever posts it
/// just now writes nothing of that any more.
pub(crate) async fn move_event_feed(
    conn: &mut PgConnection,
    id: Uuid,
    (source, position): (&str, i64),
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO event_subscription_feed (tenant_id, subscription_id, source, position)
         VALUES (current_setting('redress.tenant'), $1, $2, $3)
         ON CONFLICT ON CONSTRAINT event_subscription_feed_pkey DO UPDATE
         SET position = excluded.position, failures = 0, failing_since = NULL, last_error = '', due_at = NULL,
             holder = NULL, held_until = NULL",
    )
    .bind(id)
    .bind(source)
    .bind(position)
    .execute(conn)
    .await?;
    Ok(())
}

/// Has the failures of a subscription count anew: it is tried at once.
pub(crate) async fn forgive_event_failures(conn: &mut PgConnection, id: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE event_subscription_feed SET failures = 0, failing_since = NULL, last_error = '', due_at = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND subscription_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// A feed that is to be posted to a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimedFeed {
    /// Whose it is.
    pub(crate) tenant: TenantId,
    /// The subscription.
    pub(crate) id: Uuid,
    /// The service whose feed it is.
    pub(crate) source: String,
}

/// Begins with all feeds, and which of them are due at a moment, `$1`, and held by nobody.
macro_rules! of_feeds {
    ($rest:literal) => {
        concat!(
            "WITH feeds AS (
                 SELECT f.tenant_id, f.subscription_id, f.source, f.held_until,
                        s.paused_at IS NULL AND coalesce(f.held_until <= $1, true)
                            AND coalesce(f.due_at <= $1, true) AS is_due
                 FROM event_subscription_feed f JOIN event_subscription s
                      ON s.tenant_id = f.tenant_id AND s.subscription_id = f.subscription_id) ",
            $rest
        )
    };
}

/// Takes feeds that are due and nobody holds: those of tenants first of which the fewest are
/// held, by this process or another, and of each tenant's those that were held longest ago.
/// More are looked at than are taken: another process may take some of them meanwhile.
pub(crate) async fn claim_event_feeds(
    conn: &mut PgConnection,
    holder: Uuid,
    (now, until): (jiff::Timestamp, jiff::Timestamp),
    limit: i64,
) -> Result<Vec<ClaimedFeed>, Fault> {
    let rows: Vec<(String, Uuid, String)> = sqlx::query_as(of_feeds!(
        ", ranked AS (
             SELECT feeds.*, count(*) FILTER (WHERE held_until > $1) OVER (PARTITION BY tenant_id)
                        + row_number() OVER (PARTITION BY tenant_id, is_due ORDER BY held_until NULLS FIRST) AS place
             FROM feeds),
         first AS (
             SELECT * FROM ranked WHERE is_due ORDER BY place, held_until NULLS FIRST LIMIT 4 * $4),
         chosen AS (
             SELECT f.tenant_id, f.subscription_id, f.source
             FROM event_subscription_feed f JOIN first
                  ON first.tenant_id = f.tenant_id AND first.subscription_id = f.subscription_id
                     AND first.source = f.source
             WHERE coalesce(f.held_until <= $1, true)
             ORDER BY first.place, first.held_until NULLS FIRST LIMIT $4 FOR UPDATE OF f SKIP LOCKED)
         UPDATE event_subscription_feed f SET holder = $2, held_until = $3
         FROM chosen
         WHERE f.tenant_id = chosen.tenant_id AND f.subscription_id = chosen.subscription_id
           AND f.source = chosen.source
         RETURNING f.tenant_id, f.subscription_id, f.source"
    ))
    .bind(now.to_sqlx())
    .bind(holder)
    .bind(until.to_sqlx())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let claimed = |(tenant, id, source): (String, Uuid, String)| {
        let tenant = TenantId::parse(&tenant).map_err(Fault::internal)?;
        Ok(ClaimedFeed { tenant, id, source })
    };
    rows.into_iter().map(claimed).collect()
}

/// Whether a feed is due that nobody holds.
pub(crate) async fn is_any_event_feed_due(
    conn: &mut PgConnection,
    now: jiff::Timestamp,
) -> Result<bool, Fault> {
    let is_due = sqlx::query_scalar(of_feeds!("SELECT EXISTS (SELECT FROM feeds WHERE is_due)"));
    Ok(is_due.bind(now.to_sqlx()).fetch_one(conn).await?)
}

/// Writes how far a subscription is with a feed that is held, and holds it on until then;
/// answers whether it was held still.
pub(crate) async fn save_event_progress(
    conn: &mut PgConnection,
    (id, holder): (Uuid, Uuid),
    progress: &Progress,
    until: jiff::Timestamp,
) -> Result<bool, Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(progress)
        .column("subscription_id", |_| id)
        .column("holder", |_| holder)
        .column("source", |progress| progress.source.as_str())
        .column("position", |progress| progress.position)
        .column("posted", |progress| progress.posted)
        .column("posted_at", |progress| progress.posted_at.map(jiff::Timestamp::to_sqlx))
        .column("failures", |progress| progress.failures)
        .column("failing_since", |progress| progress.failing_since.map(jiff::Timestamp::to_sqlx))
        .column("last_error", |progress| progress.last_error.as_str())
        .column("due_at", |progress| progress.next_try.map(jiff::Timestamp::to_sqlx))
        .column("held_until", |_| until.to_sqlx())
        .done();
    let statement = rows.update("event_subscription_feed", &["subscription_id", "holder", "source"]);
    let saved = binds.execute(&statement, conn).await?;
    Ok(saved.rows_affected() > 0)
}
