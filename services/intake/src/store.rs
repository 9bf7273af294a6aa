//! Every SQL statement of intake. A complaint is stored as the event that tells of
//! it, in one row.

pub(crate) mod additions;
pub(crate) mod attachments;
pub(crate) mod channels;
pub(crate) mod dropped_files;
pub(crate) mod file_drops;
pub(crate) mod forms;
pub(crate) mod ivr_menus;
pub(crate) mod mailboxes;
pub(crate) mod mails;
pub(crate) mod matters;
pub(crate) mod posts;
pub(crate) mod reply_drafts;
pub(crate) mod webhook_deliveries;
pub(crate) mod webhook_sources;

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use pg::Binds;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::complaint::{Filter, KeptComplaint, NewComplaint};

/// Rpc name under which keys were remembered, for a week, that were answered with the
/// complaint of another key.
const ANSWERED_RPC: &str = "IntakeService.SubmitComplaint";

/// What two complaints never share: the request's key, the channel's own number where
/// that does not repeat, and the number together with what was said.
const UNIQUE: [&str; 3] = ["complaint_request_key", "complaint_external_ref_key", "complaint_content_key"];

/// What is stored as a complaint's number at its channel: none where numbers repeat.
const EXTERNAL_REF: &str = "CASE WHEN r.channel <> ALL (ARRAY(
         SELECT s.channel FROM channel_setting s
         WHERE s.tenant_id = current_setting('redress.tenant') AND s.external_refs_repeat))
     THEN {} END";

/// What is done about complaints that are there already.
#[derive(Clone, Copy)]
enum Doubles {
    /// They are looked for and left out.
    LeaveOut,
    /// One of them fails the statement.
    Refuse,
}

/// Registers the complaints of one tenant that are new, each with the event that tells
/// of it; answers the feed position of each that was. `doubles` says whether some may
/// not be new: to look for them costs every row a tenth, to meet one unprepared costs
/// its batch a second statement.
pub(crate) async fn register(
    conn: &mut PgConnection,
    complaints: &[NewComplaint],
    doubles: bool,
) -> Result<HashMap<CaseId, i64>, Fault> {
    let rows = if doubles {
        insert(conn, complaints, Doubles::LeaveOut).await?
    } else {
        match insert(conn, complaints, Doubles::Refuse).await {
            Err(error) if UNIQUE.iter().any(|key| fault::breaks(&error, key)) => {
                insert(conn, complaints, Doubles::LeaveOut).await?
            }
            inserted => inserted?,
        }
    };
    Ok(rows.into_iter().map(|(id, position)| (CaseId(id), position)).collect())
}

async fn insert(
    conn: &mut PgConnection,
    complaints: &[NewComplaint],
    doubles: Doubles,
) -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
    let mut binds = Binds::default();
    let rpc = binds.value(ANSWERED_RPC);
    let keys = binds.value(complaints.iter().map(|new| new.request_id.as_str()).collect::<Vec<_>>());
    let rows = binds
        .rows(complaints)
        .column("complaint_id", |new| new.id.0)
        .column("request_id", |new| new.request_id.as_str())
        .column("request_hash", |new| new.request_hash.as_slice())
        .column("channel", |new| new.channel)
        .column_as("external_ref", EXTERNAL_REF, |new| new.external_ref.as_deref())
        .column("content_hash", |new| new.content.as_ref().map(<[u8; 32]>::as_slice))
        .column("customer_id", |new| new.customer_id.as_deref())
        .column("receipt_hash", |new| new.receipt_hash.as_slice())
        .column("received_at", |new| new.registered.to_sqlx())
        .column("event", |new| new.event.as_slice())
        .column("traceparent", |new| new.traceparent.as_str())
        .column("lane", |new| new.lane.number())
        .done();
    // The lock and the transaction's id first, once for all, then the positions: see
    // feed_sight(). One look for all keys; as a join it would be planned to read the keys
    // of all times.
    let statement = format!(
        "INSERT INTO complaint (tenant_id, {names}, position)
         SELECT current_setting('redress.tenant'), {values},
                CASE WHEN (SELECT pg_advisory_xact_lock_shared('outbox'::regclass::oid::bigint) IS NOT NULL
                              AND pg_current_xact_id() IS NOT NULL)
                     THEN nextval('outbox_position') END
         FROM {rows} AS r
         WHERE r.request_id <> ALL (ARRAY(
             SELECT k.request_id FROM submission_key k
             WHERE k.tenant_id = current_setting('redress.tenant') AND k.request_id = ANY ({keys})
             UNION ALL
             SELECT i.request_id FROM idempotency i
             WHERE i.tenant_id = current_setting('redress.tenant') AND i.rpc = {rpc}
               AND i.request_id = ANY ({keys})))
         {doubles} RETURNING complaint_id, position",
        names = rows.names(),
        values = rows.values("r"),
        doubles = match doubles {
            Doubles::LeaveOut => "ON CONFLICT DO NOTHING",
            Doubles::Refuse => "",
        },
    );
    sqlx::query_as_with(AssertSqlSafe(statement), binds.arguments()?).fetch_all(conn).await
}

#[derive(sqlx::FromRow)]
struct ExistingRow {
    complaint_id: Uuid,
    position: i64,
    lane: i16,
    request_id: String,
    request_hash: Vec<u8>,
    channel: i16,
    external_ref: Option<String>,
    event: Vec<u8>,
}

impl From<ExistingRow> for KeptComplaint {
    fn from(row: ExistingRow) -> Self {
        let ExistingRow {
            complaint_id,
            position,
            lane,
            request_id,
            request_hash,
            channel,
            external_ref,
            event,
        } = row;
        Self { complaint_id, position, lane, request_id, request_hash, channel, external_ref, event }
    }
}

/// The complaints that stand under the key of a new one, its channel's number or its content.
pub(crate) async fn existing(
    conn: &mut PgConnection,
    complaint: &NewComplaint,
) -> Result<Vec<KeptComplaint>, Fault> {
    let rows: Vec<ExistingRow> = sqlx::query_as(
        "SELECT c.complaint_id, c.position, c.lane, c.request_id, c.request_hash, c.channel, c.external_ref,
                coalesce(c.event, (SELECT o.payload FROM outbox o WHERE o.position = c.position)) AS event
         FROM complaint c
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.complaint_id = ANY (ARRAY(
             SELECT complaint_id FROM complaint
             WHERE tenant_id = current_setting('redress.tenant') AND request_id = $1
             UNION
             SELECT complaint_id FROM complaint
             WHERE tenant_id = current_setting('redress.tenant') AND channel = $2 AND external_ref = $3
             UNION
             SELECT complaint_id FROM complaint
             WHERE tenant_id = current_setting('redress.tenant') AND channel = $2 AND content_hash = $4))",
    )
    .bind(&complaint.request_id)
    .bind(complaint.channel)
    .bind(&complaint.external_ref)
    .bind(complaint.content.as_ref().map(<[u8; 32]>::as_slice))
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(KeptComplaint::from).collect())
}

/// The hash of the request a key was used for that was answered with another key's
/// complaint; none where it was not.
pub(crate) async fn used_key(conn: &mut PgConnection, request_id: &str) -> Result<Option<Vec<u8>>, Fault> {
    let hash = sqlx::query_scalar(
        "SELECT request_hash FROM submission_key
         WHERE tenant_id = current_setting('redress.tenant') AND request_id = $1
         UNION ALL
         SELECT request_hash FROM idempotency
         WHERE tenant_id = current_setting('redress.tenant') AND rpc = $2 AND request_id = $1
         LIMIT 1",
    )
    .bind(request_id)
    .bind(ANSWERED_RPC)
    .fetch_optional(conn)
    .await?;
    Ok(hash)
}

/// Remembers that a key was answered with another key's complaint; answers the
/// hash of the request the key stands for, which may be an earlier one.
pub(crate) async fn remember_key(
    conn: &mut PgConnection,
    complaint: &NewComplaint,
    original: CaseId,
) -> Result<Vec<u8>, Fault> {
    let hash = sqlx::query_scalar(
        "INSERT INTO submission_key (tenant_id, request_id, request_hash, complaint_id, answered_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT submission_key_pkey DO UPDATE SET answered_at = submission_key.answered_at
         RETURNING request_hash",
    )
    .bind(&complaint.request_id)
    .bind(complaint.request_hash.as_slice())
    .bind(original.0)
    .bind(complaint.registered.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(hash)
}

/// The complaint that a key was answered with.
pub(crate) async fn by_request(conn: &mut PgConnection, request_id: &str) -> Result<Option<CaseId>, Fault> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT complaint_id FROM complaint
         WHERE tenant_id = current_setting('redress.tenant') AND request_id = $1
         UNION ALL
         SELECT complaint_id FROM submission_key
         WHERE tenant_id = current_setting('redress.tenant') AND request_id = $1
         LIMIT 1",
    )
    .bind(request_id)
    .fetch_optional(conn)
    .await?;
    Ok(id.map(CaseId))
}

/// Whether a submission's key was answered before.
pub(crate) async fn is_answered(conn: &mut PgConnection, request_id: &str) -> Result<bool, Fault> {
    let answered = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM complaint
                        WHERE tenant_id = current_setting('redress.tenant') AND request_id = $1)
             OR EXISTS (SELECT FROM submission_key
                        WHERE tenant_id = current_setting('redress.tenant') AND request_id = $1)
             OR EXISTS (SELECT FROM idempotency
                        WHERE tenant_id = current_setting('redress.tenant') AND rpc = $2 AND request_id = $1)",
    )
    .bind(request_id)
    .bind(ANSWERED_RPC)
    .fetch_one(conn)
    .await?;
    Ok(answered)
}

/// Reads ids and registrations of the tenant's complaints: what follows the tenant's
/// condition is given. The registrations of before a complaint was its own event are
/// in the outbox.
macro_rules! select_registrations {
    ($rest:literal) => {
        concat!(
            "SELECT complaint_id,
                    coalesce(event, (SELECT o.payload FROM outbox o WHERE o.position = complaint.position))
             FROM complaint WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}
/// A complaint's id, and its registration, encoded.
pub(crate) type Kept = (Uuid, Vec<u8>);

/// The registration of one complaint.
pub(crate) async fn get(conn: &mut PgConnection, id: CaseId) -> Result<Option<Kept>, Fault> {
    let sql = select_registrations!("AND complaint_id = $1");
    Ok(sqlx::query_as(sql).bind(id.0).fetch_optional(conn).await?)
}

/// The registration of one complaint; keeps others from adding to it.
pub(crate) async fn lock(conn: &mut PgConnection, id: CaseId) -> Result<Option<Kept>, Fault> {
    let sql = select_registrations!("AND complaint_id = $1 FOR NO KEY UPDATE");
    Ok(sqlx::query_as(sql).bind(id.0).fetch_optional(conn).await?)
}

/// The registrations of complaints before an id, newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Kept>, Fault> {
    let before = before.unwrap_or(Uuid::max());
    let query = match filter {
        Filter::All => {
            sqlx::query_as(select_registrations!("AND complaint_id < $1 ORDER BY complaint_id DESC LIMIT $2"))
                .bind(before)
                .bind(limit)
        }
        Filter::Channel(channel) => sqlx::query_as(select_registrations!(
            "AND complaint_id < $1 AND channel = $3 ORDER BY complaint_id DESC LIMIT $2"
        ))
        .bind(before)
        .bind(limit)
        .bind(channel),
        Filter::Customer(customer) => sqlx::query_as(select_registrations!(
            "AND complaint_id < $1 AND customer_id = $3 ORDER BY complaint_id DESC LIMIT $2"
        ))
        .bind(before)
        .bind(limit)
        .bind(customer),
    };
    Ok(query.fetch_all(conn).await?)
}

/// The complaint whose receipt code has this hash.
pub(crate) async fn by_receipt(conn: &mut PgConnection, hash: [u8; 32]) -> Result<Option<CaseId>, Fault> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT complaint_id FROM complaint
         WHERE tenant_id = current_setting('redress.tenant') AND receipt_hash = $1",
    )
    .bind(hash.as_slice())
    .fetch_optional(conn)
    .await?;
    Ok(id.map(CaseId))
}

/// The key receipt codes derive from, when no setting names another.
pub(crate) async fn receipt_key(conn: &mut PgConnection) -> Result<Vec<u8>, Fault> {
    Ok(sqlx::query_scalar("SELECT key FROM receipt_key").fetch_one(conn).await?)
}

#[cfg(test)]
mod tests;
