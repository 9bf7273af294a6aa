//! Statements about mailboxes.

use std::slice;
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TenantId;
use pg::Binds;
use server::Secret;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::mailbox::{Failure, Imap, Mailbox, NotGiven, Position, Security, Settings, TokenSource};

/// The constraint that one address breaks which two mailboxes have.
pub(crate) const ADDRESS_KEY: &str = "mailbox_address_key";

#[derive(sqlx::FromRow)]
struct Row {
    mailbox_id: String,
    address: String,
    host: String,
    port: i32,
    security: i16,
    username: String,
    folder: String,
    secret: String,
    token_url: String,
    client_id: String,
    client_secret: String,
    token_scope: String,
    by_refresh_token: bool,
    owner: String,
    language: String,
    category_hint: String,
    max_per_sender_hour: i32,
    silent_after_s: i64,
    paused: bool,
    version: i64,
    updater: String,
    updated_at: jiff_sqlx::Timestamp,
    uid_validity: i64,
    last_uid: i64,
    held_until: Option<jiff_sqlx::Timestamp>,
    caught_up_at: Option<jiff_sqlx::Timestamp>,
    last_mail_at: Option<jiff_sqlx::Timestamp>,
    error_reason: String,
    error: String,
    failing_since: Option<jiff_sqlx::Timestamp>,
    attempts: i32,
    not_given_uid: i64,
    not_given_attempts: i32,
}

impl TryFrom<Row> for Mailbox {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let time = |time: Option<jiff_sqlx::Timestamp>| time.map(jiff_sqlx::Timestamp::to_jiff);
        let unknown = || Fault::internal("a mailbox with a number that is out of its range");
        let imap = if row.host.is_empty() {
            None
        } else {
            let source = TokenSource {
                url: row.token_url,
                client_id: row.client_id,
                client_secret: Some(row.client_secret).filter(|one| !one.is_empty()).map(Secret::from),
                scope: row.token_scope,
                by_refresh_token: row.by_refresh_token,
            };
            Some(Imap {
                host: row.host,
                port: u16::try_from(row.port).map_err(|_| unknown())?,
                security: Security::of(row.security).ok_or_else(unknown)?,
                username: row.username,
                folder: row.folder,
                secret: Some(row.secret).filter(|secret| !secret.is_empty()).map(Secret::from),
                token_source: Some(source).filter(|source| !source.url.is_empty()),
            })
        };
        let silent = u64::try_from(row.silent_after_s).map_err(|_| unknown())?;
        let number = |of: i64| u32::try_from(of).map_err(|_| unknown());
        let failure = |since| Failure { reason: row.error_reason, words: row.error, since };
        Ok(Self {
            settings: Settings {
                id: row.mailbox_id,
                address: row.address,
                imap,
                owner: row.owner,
                language: row.language,
                category_hint: row.category_hint,
                max_per_sender_hour: row.max_per_sender_hour,
                silent_after: Some(Duration::from_secs(silent)).filter(|after| !after.is_zero()),
                paused: row.paused,
            },
            version: row.version,
            updater: row.updater,
            updated: row.updated_at.to_jiff(),
            position: Position { uid_validity: number(row.uid_validity)?, last_uid: number(row.last_uid)? },
            held_until: time(row.held_until),
            caught_up: time(row.caught_up_at),
            last_mail: time(row.last_mail_at),
            failure: time(row.failing_since).map(failure),
            attempts: row.attempts,
            not_given: NotGiven { uid: number(row.not_given_uid)?, attempts: row.not_given_attempts },
        })
    }
}

/// Reads mailboxes: what follows the names of the columns is given.
macro_rules! select_mailboxes {
    ($rest:literal) => {
        concat!(
            "SELECT mailbox_id, address, host, port, security, username, folder, secret, token_url, client_id,
                    client_secret, token_scope, by_refresh_token, owner, language, category_hint, max_per_sender_hour,
                    silent_after_s, paused, version, updater, updated_at, uid_validity, last_uid,
                    nullif(held_until, '-infinity') AS held_until, caught_up_at, last_mail_at, error_reason,
                    error, failing_since, attempts, not_given_uid, not_given_attempts
             FROM mailbox WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// Keeps others from setting up a mailbox meanwhile; answers how many there are.
pub(crate) async fn hold(conn: &mut PgConnection) -> Result<i64, Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended('mailboxes ' || current_setting('redress.tenant'), 0))",
    )
    .execute(&mut *conn)
    .await?;
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM mailbox WHERE tenant_id = current_setting('redress.tenant')",
    );
    Ok(count.fetch_one(conn).await?)
}

/// A mailbox.
pub(crate) async fn get(conn: &mut PgConnection, id: &str) -> Result<Option<Mailbox>, Fault> {
    let sql = select_mailboxes!("AND mailbox_id = $1");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(Mailbox::try_from).transpose()
}

/// Same, and keeps others from changing it.
pub(crate) async fn lock(conn: &mut PgConnection, id: &str) -> Result<Option<Mailbox>, Fault> {
    let sql = select_mailboxes!("AND mailbox_id = $1 FOR UPDATE");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(Mailbox::try_from).transpose()
}

/// All mailboxes, by name.
pub(crate) async fn list(conn: &mut PgConnection) -> Result<Vec<Mailbox>, Fault> {
    let sql = select_mailboxes!("ORDER BY mailbox_id");
    let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(conn).await?;
    rows.into_iter().map(Mailbox::try_from).collect()
}

/// Writes a mailbox, new or changed; whoever reads it lets go of it.
pub(crate) async fn save(conn: &mut PgConnection, mailbox: &Mailbox) -> Result<(), sqlx::Error> {
    let settings = &mailbox.settings;
    let imap = settings.imap.as_ref();
    let source = imap.and_then(|imap| imap.token_source.as_ref());
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let secret = imap.and_then(|imap| imap.secret.as_ref()).map(Secret::expose);
    let client_secret = source.and_then(|source| source.client_secret.as_ref()).map(Secret::expose);
    let silent = settings.silent_after.map_or(0, |after| after.as_secs());
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(mailbox))
        .column("mailbox_id", |one| one.settings.id.as_str())
        .column("address", |one| one.settings.address.as_str())
        .column("host", |_| text(imap.map(|imap| &imap.host)))
        .column("port", |_| imap.map_or(0, |imap| i32::from(imap.port)))
        .column("security", |_| imap.map_or(Security::Tls, |imap| imap.security).number())
        .column("username", |_| text(imap.map(|imap| &imap.username)))
        .column("folder", |_| text(imap.map(|imap| &imap.folder)))
        .column("secret", |_| secret.unwrap_or_default())
        .column("token_url", |_| text(source.map(|source| &source.url)))
        .column("client_id", |_| text(source.map(|source| &source.client_id)))
        .column("token_scope", |_| text(source.map(|source| &source.scope)))
        .column("client_secret", |_| client_secret.unwrap_or_default())
        .column("by_refresh_token", |_| source.is_some_and(|source| source.by_refresh_token))
        .column("owner", |one| one.settings.owner.as_str())
        .column("language", |one| one.settings.language.as_str())
        .column("category_hint", |one| one.settings.category_hint.as_str())
        .column("max_per_sender_hour", |one| one.settings.max_per_sender_hour)
        .column("silent_after_s", |_| i64::try_from(silent).unwrap_or(i64::MAX))
        .column("paused", |one| one.settings.paused)
        .column("version", |one| one.version)
        .column("updater", |one| one.updater.as_str())
        .column("updated_at", |one| one.updated.to_sqlx())
        .column("uid_validity", |one| i64::from(one.position.uid_validity))
        .column("last_uid", |one| i64::from(one.position.last_uid))
        .column("caught_up_at", |one| one.caught_up.map(jiff_sqlx::ToSqlx::to_sqlx))
        .column("not_given_uid", |one| i64::from(one.not_given.uid))
        .column("not_given_attempts", |one| one.not_given.attempts)
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT mailbox_pkey DO UPDATE SET {}, holder = NULL,
             held_until = '-infinity', error_reason = '', error = '', failing_since = NULL, attempts = 0",
        rows.insert_into("mailbox"),
        rows.overwrite(&["mailbox_id"]),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Forgets a mailbox.
pub(crate) async fn delete(conn: &mut PgConnection, id: &str) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM mailbox WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// A mailbox, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Found {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// Its name.
    pub(crate) id: String,
}

fn found(rows: Vec<(String, String)>) -> Result<Vec<Found>, Fault> {
    let one = |(tenant, id): (String, String)| {
        Ok(Found { tenant: TenantId::parse(&tenant).map_err(Fault::internal)?, id })
    };
    rows.into_iter().map(one).collect()
}

/// Takes mailboxes that are to be fetched and nobody reads, at most so many, of all tenants;
/// until a moment nobody else does.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    holder: Uuid,
    (now, until): (Timestamp, Timestamp),
    most: i64,
) -> Result<Vec<Found>, Fault> {
    let rows = sqlx::query_as(
        "UPDATE mailbox m SET holder = $1, held_until = $3
         FROM (SELECT tenant_id, mailbox_id FROM mailbox
               WHERE host <> '' AND NOT paused AND held_until <= $2
               ORDER BY held_until LIMIT $4 FOR UPDATE SKIP LOCKED) AS next
         WHERE m.tenant_id = next.tenant_id AND m.mailbox_id = next.mailbox_id
         RETURNING m.tenant_id, m.mailbox_id",
    )
    .bind(holder)
    .bind(now.to_sqlx())
    .bind(until.to_sqlx())
    .bind(most)
    .fetch_all(conn)
    .await?;
    found(rows)
}

/// The mailbox that has an address, of whichever tenant, and whether it is left alone.
pub(crate) async fn by_address(
    conn: &mut PgConnection,
    address: &str,
) -> Result<Option<(Found, bool)>, Fault> {
    let row: Option<(String, String, bool)> =
        sqlx::query_as("SELECT tenant_id, mailbox_id, paused FROM mailbox WHERE address = $1")
            .bind(address)
            .fetch_optional(conn)
            .await?;
    let Some((tenant, id, paused)) = row else { return Ok(None) };
    Ok(found(vec![(tenant, id)])?.pop().map(|found| (found, paused)))
}

/// Holds a mailbox for longer; false where it is somebody else's, was changed, or is no more.
pub(crate) async fn keep_hold(
    conn: &mut PgConnection,
    id: &str,
    (holder, until): (Uuid, Timestamp),
) -> Result<bool, Fault> {
    let held = sqlx::query(
        "UPDATE mailbox SET held_until = $3
         WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1 AND holder = $2",
    )
    .bind(id)
    .bind(holder)
    .bind(until.to_sqlx())
    .execute(conn)
    .await?;
    Ok(held.rows_affected() == 1)
}

/// Notes how far a mailbox is read, by who holds it.
pub(crate) async fn read_to(
    conn: &mut PgConnection,
    id: &str,
    holder: Uuid,
    position: Position,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE mailbox SET uid_validity = $3, last_uid = $4
         WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1 AND holder = $2",
    )
    .bind(id)
    .bind(holder)
    .bind(i64::from(position.uid_validity))
    .bind(i64::from(position.last_uid))
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that the server says that there is nothing more: whatever was wrong is over.
pub(crate) async fn caught_up(
    conn: &mut PgConnection,
    id: &str,
    holder: Uuid,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE mailbox SET caught_up_at = $3, error_reason = '', error = '', failing_since = NULL,
                            attempts = 0
         WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1 AND holder = $2",
    )
    .bind(id)
    .bind(holder)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a mailbox cannot be read, and lets go of it until a moment.
pub(crate) async fn failed(
    conn: &mut PgConnection,
    id: &str,
    holder: Uuid,
    (failure, retry): (&Failure, Timestamp),
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE mailbox SET error_reason = $3, error = $4, failing_since = coalesce(failing_since, $5),
                            attempts = attempts + 1, held_until = $6, holder = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1 AND holder = $2",
    )
    .bind(id)
    .bind(holder)
    .bind(&failure.reason)
    .bind(&failure.words)
    .bind(failure.since.to_sqlx())
    .bind(retry.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes which mail the server did not give, by who holds the mailbox.
pub(crate) async fn not_given(
    conn: &mut PgConnection,
    id: &str,
    holder: Uuid,
    NotGiven { uid, attempts }: NotGiven,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE mailbox SET not_given_uid = $3, not_given_attempts = $4
         WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1 AND holder = $2",
    )
    .bind(id)
    .bind(holder)
    .bind(i64::from(uid))
    .bind(attempts)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a mail was passed over that the server does not give, by who holds the mailbox:
/// those behind it are read as if nothing had been wrong.
pub(crate) async fn passed_over(conn: &mut PgConnection, id: &str, holder: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE mailbox SET not_given_uid = 0, not_given_attempts = 0, attempts = 0
         WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1 AND holder = $2",
    )
    .bind(id)
    .bind(holder)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a mailbox that is to be fetched is read by nobody.
pub(crate) async fn is_any_waiting(conn: &mut PgConnection, now: Timestamp) -> Result<bool, Fault> {
    let waits = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM mailbox WHERE host <> '' AND NOT paused AND held_until <= $1)",
    );
    Ok(waits.bind(now.to_sqlx()).fetch_one(conn).await?)
}

/// Lets go of a mailbox, so that another may read it at once; those that wait longer go first.
pub(crate) async fn let_go(
    conn: &mut PgConnection,
    id: &str,
    holder: Uuid,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE mailbox SET holder = NULL, held_until = $3
         WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1 AND holder = $2",
    )
    .bind(id)
    .bind(holder)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a mail was taken in.
pub(crate) async fn heard(conn: &mut PgConnection, id: &str, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE mailbox SET last_mail_at = greatest(last_mail_at, $2)
         WHERE tenant_id = current_setting('redress.tenant') AND mailbox_id = $1",
    )
    .bind(id)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Since when the mailbox that cannot be read longest cannot be.
pub(crate) fn failing_since() -> String {
    "SELECT min(failing_since) FROM mailbox WHERE NOT paused".to_owned()
}

/// Since when the mailbox has been silent too long that has been so longest.
pub(crate) fn silent_since() -> String {
    "SELECT min(coalesce(last_mail_at, updated_at) + silent_after_s * interval '1 second') FROM mailbox
     WHERE NOT paused AND silent_after_s > 0"
        .to_owned()
}
