//! Every SQL statement of intake.

pub(crate) mod additions;
pub(crate) mod forms;

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::complaint::{Filing, Standing};

/// Rpc name under which a key is remembered that was answered with the complaint
/// of another key.
const ANSWERED_RPC: &str = "IntakeService.SubmitComplaint";
const EVENT_TYPE: &str = "redress.intake.v1.ComplaintRegistered";

/// Registers the filings of one tenant that are new, and tells of them, in one
/// statement; answers the feed position of each that was.
pub(crate) async fn register(
    conn: &mut PgConnection,
    filings: &[Filing],
    event_ids: Vec<Uuid>,
) -> Result<HashMap<CaseId, i64>, Fault> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "WITH filing AS (
             SELECT current_setting('redress.tenant') AS tenant_id, f.*,
                    -- The lock and the transaction's id first, once for all, then the positions:
                    -- see feed_horizon().
                    CASE WHEN (SELECT pg_advisory_xact_lock_shared('outbox'::regclass::oid::bigint) IS NOT NULL
                                  AND pg_current_xact_id() IS NOT NULL)
                         THEN nextval('outbox_position') END AS position
             FROM (SELECT UNNEST($1::uuid[]) AS complaint_id, UNNEST($2::text[]) AS request_id,
                          UNNEST($3::bytea[]) AS request_hash, UNNEST($4::smallint[]) AS channel,
                          UNNEST($5::text[]) AS external_ref, UNNEST($6::text[]) AS customer_id,
                          UNNEST($7::timestamptz[]) AS received_at, UNNEST($8::int[]) AS record_from,
                          UNNEST($9::int[]) AS record_length, UNNEST($10::bytea[]) AS event,
                          UNNEST($11::text[]) AS traceparent, UNNEST($12::uuid[]) AS event_id) AS f
         ), registered AS (
             INSERT INTO complaint (tenant_id, complaint_id, request_id, request_hash, channel, external_ref,
                                    customer_id, received_at, record, position)
             SELECT tenant_id, complaint_id, request_id, request_hash, channel, external_ref, customer_id,
                    received_at, substr(event, record_from, record_length), position
             FROM filing
             -- One look for all; as a join it would be planned to read the keys of all times.
             WHERE request_id <> ALL (ARRAY(
                 SELECT i.request_id FROM idempotency i
                 WHERE i.tenant_id = current_setting('redress.tenant') AND i.rpc = $13
                   AND i.request_id = ANY ($2)))
             ON CONFLICT DO NOTHING
             RETURNING complaint_id, position
         ), told AS (
             INSERT INTO outbox (position, tenant_id, event_id, subject, type, occurred_at, traceparent, payload)
             SELECT position, tenant_id, event_id, complaint_id, $14, received_at, traceparent, event
             FROM filing
             -- 'IS TRUE' keeps it a look-up in a hash: a join would be nested loops.
             WHERE (position IN (SELECT position FROM registered)) IS TRUE
         )
         SELECT complaint_id, position FROM registered",
    )
    .bind(column(filings, |f| f.id.0))
    .bind(column(filings, |f| f.request_id.as_str()))
    .bind(column(filings, |f| f.request_hash.as_slice()))
    .bind(column(filings, |f| f.channel))
    .bind(column(filings, |f| f.external_ref.as_deref()))
    .bind(column(filings, |f| f.customer_id.as_deref()))
    .bind(column(filings, |f| f.received.to_sqlx()))
    .bind(column(filings, |f| f.record.0))
    .bind(column(filings, |f| f.record.1))
    .bind(column(filings, |f| f.event.as_slice()))
    .bind(column(filings, |f| f.traceparent.as_str()))
    .bind(event_ids)
    .bind(ANSWERED_RPC)
    .bind(EVENT_TYPE)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, position)| (CaseId(id), position)).collect())
}

fn column<'a, T>(filings: &'a [Filing], of: impl Fn(&'a Filing) -> T) -> Vec<T> {
    filings.iter().map(of).collect()
}

#[derive(sqlx::FromRow)]
struct StandingRow {
    complaint_id: Uuid,
    received_at: jiff_sqlx::Timestamp,
    position: i64,
    request_id: String,
    request_hash: Vec<u8>,
    channel: i16,
    external_ref: Option<String>,
}

/// The complaints that stand under a filing's key or its channel's number.
pub(crate) async fn standing(conn: &mut PgConnection, filing: &Filing) -> Result<Vec<Standing>, Fault> {
    let rows: Vec<StandingRow> = sqlx::query_as(
        "SELECT complaint_id, received_at, position, request_id, request_hash, channel, external_ref
         FROM complaint WHERE tenant_id = current_setting('redress.tenant') AND request_id = $1
         UNION ALL
         SELECT complaint_id, received_at, position, request_id, request_hash, channel, external_ref
         FROM complaint
         WHERE tenant_id = current_setting('redress.tenant') AND channel = $2 AND external_ref = $3",
    )
    .bind(&filing.request_id)
    .bind(filing.channel)
    .bind(&filing.external_ref)
    .fetch_all(conn)
    .await?;
    let standing = |row: StandingRow| Standing {
        id: CaseId(row.complaint_id),
        received: row.received_at.to_jiff(),
        position: row.position,
        request_id: row.request_id,
        request_hash: row.request_hash,
        channel: row.channel,
        external_ref: row.external_ref,
    };
    Ok(rows.into_iter().map(standing).collect())
}

/// Remembers that a key was answered with another key's complaint; answers the
/// hash of the request the key stands for, which may be an earlier one.
pub(crate) async fn remember_key(conn: &mut PgConnection, filing: &Filing) -> Result<Vec<u8>, Fault> {
    let hash = sqlx::query_scalar(
        "INSERT INTO idempotency (tenant_id, rpc, request_id, request_hash, answer, position, created_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, '', 0, $4)
         ON CONFLICT ON CONSTRAINT idempotency_pkey DO UPDATE SET created_at = idempotency.created_at
         RETURNING request_hash",
    )
    .bind(ANSWERED_RPC)
    .bind(&filing.request_id)
    .bind(filing.request_hash.as_slice())
    .bind(filing.received.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(hash)
}

/// Whether a submission's key was answered before.
pub(crate) async fn is_answered(conn: &mut PgConnection, request_id: &str) -> Result<bool, Fault> {
    let answered = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM complaint
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

/// One complaint, encoded.
pub(crate) async fn record(conn: &mut PgConnection, id: CaseId) -> Result<Option<Vec<u8>>, Fault> {
    let record = sqlx::query_scalar(
        "SELECT record FROM complaint
         WHERE tenant_id = current_setting('redress.tenant') AND complaint_id = $1",
    )
    .bind(id.0)
    .fetch_optional(conn)
    .await?;
    Ok(record)
}

/// Which complaints a list shows.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    All,
    Channel(i16),
    Customer(String),
}

/// Complaints before an id, newest first, encoded.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<(Uuid, Vec<u8>)>, Fault> {
    let before = before.unwrap_or(Uuid::max());
    let rows = match filter {
        Filter::All => {
            sqlx::query_as(
                "SELECT complaint_id, record FROM complaint
                 WHERE tenant_id = current_setting('redress.tenant') AND complaint_id < $1
                 ORDER BY complaint_id DESC LIMIT $2",
            )
            .bind(before)
            .bind(limit)
            .fetch_all(conn)
            .await?
        }
        Filter::Channel(channel) => {
            sqlx::query_as(
                "SELECT complaint_id, record FROM complaint
                 WHERE tenant_id = current_setting('redress.tenant') AND complaint_id < $1 AND channel = $3
                 ORDER BY complaint_id DESC LIMIT $2",
            )
            .bind(before)
            .bind(limit)
            .bind(channel)
            .fetch_all(conn)
            .await?
        }
        Filter::Customer(customer) => {
            sqlx::query_as(
                "SELECT complaint_id, record FROM complaint
                 WHERE tenant_id = current_setting('redress.tenant') AND complaint_id < $1 AND customer_id = $3
                 ORDER BY complaint_id DESC LIMIT $2",
            )
            .bind(before)
            .bind(limit)
            .bind(customer)
            .fetch_all(conn)
            .await?
        }
    };
    Ok(rows)
}

/// The key receipt codes derive from, when no setting names another.
pub(crate) async fn receipt_key(conn: &mut PgConnection) -> Result<Vec<u8>, Fault> {
    Ok(sqlx::query_scalar("SELECT key FROM receipt_key").fetch_one(conn).await?)
}
