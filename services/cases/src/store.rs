//! Every SQL statement of this service. Rows are private; an impossible one is a
//! fault that names it.

pub(crate) mod articles;
pub(crate) mod calendars;
pub(crate) mod categories;
pub(crate) mod classifiers;
pub(crate) mod clocks;
pub(crate) mod complainants;
pub(crate) mod corrections;
pub(crate) mod counts;
pub(crate) mod directories;
pub(crate) mod early;
pub(crate) mod extensions;
pub(crate) mod groups;
pub(crate) mod jobs;
pub(crate) mod lessons;
pub(crate) mod links;
mod lists;
pub(crate) mod merges;
pub(crate) mod policies;
pub(crate) mod readings;
pub(crate) mod replies;
pub(crate) mod reviewed;
mod row;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod sketch;
pub(crate) mod solved;
pub(crate) mod staff;
pub(crate) mod text;
pub(crate) mod timeline;
pub(crate) mod topics;
pub(crate) mod training;
pub(crate) mod triage;
pub(crate) mod zones;

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use sqlx::PgConnection;
use timers::Held;
use uuid::Uuid;

use crate::case::Case;
use row::{Row, select_cases};
pub(crate) use row::{insert, save};

/// Reads one case.
pub(crate) async fn get(conn: &mut PgConnection, id: CaseId) -> Result<Option<Case>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_cases!("AND case_id = $1")).bind(id.0).fetch_optional(conn).await?;
    row.map(Row::into_case).transpose()
}

/// Reads cases, those of the ids that exist.
pub(crate) async fn get_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Case>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_cases!("AND case_id = ANY($1)")).bind(ids).fetch_all(conn).await?;
    rows.into_iter().map(Row::into_case).collect()
}

/// Reads cases, those that have changed each since its version.
pub(crate) async fn newer(
    conn: &mut PgConnection,
    ids: &[Uuid],
    versions: &[i64],
) -> Result<Vec<Case>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_cases!(
        "AND case_id = ANY($1)
         AND version > (SELECT seen FROM unnest($1, $2::bigint[]) AS known (id, seen) WHERE id = case_id)"
    ))
    .bind(ids)
    .bind(versions)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_case).collect()
}

/// Reads the case a receipt code was given for.
pub(crate) async fn get_by_receipt(conn: &mut PgConnection, hash: [u8; 32]) -> Result<Option<Case>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_cases!("AND receipt_hash = $1"))
        .bind(hash.as_slice())
        .fetch_optional(conn)
        .await?;
    row.map(Row::into_case).transpose()
}

/// Reads cases, those of the ids that exist, and keeps others from changing
/// them. Locked in the order of their ids, so that two batches never wait for
/// each other in a circle. Calendars and policies stand still from before: who puts a
/// policy in force has those first and cases second, and both must go in one order.
/// What is read afterwards is as it stands then.
pub(crate) async fn lock_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Case>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_cases!(
        "AND case_id = ANY($1) AND (SELECT pg_advisory_xact_lock_shared(hashtextextended(
             'cases.calendars.' || current_setting('redress.tenant'), 0)) IS NOT NULL)
         ORDER BY case_id FOR NO KEY UPDATE"
    ))
    .bind(ids)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_case).collect()
}

/// Keeps others from changing cases, those that nobody is changing just now; answers
/// which, and which there are none of. Waits for nobody: while a policy is put in force,
/// all are busy.
pub(crate) async fn lock_idle(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Held, Fault> {
    let rows: Vec<(Uuid, bool, bool)> = sqlx::query_as(
        "WITH held AS MATERIALIZED (
             SELECT case_id FROM cases
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
               AND (SELECT pg_try_advisory_xact_lock_shared(hashtextextended(
                        'cases.calendars.' || current_setting('redress.tenant'), 0)))
             FOR NO KEY UPDATE SKIP LOCKED)
         SELECT asked.id, EXISTS (SELECT FROM held WHERE held.case_id = asked.id),
                EXISTS (SELECT FROM cases c
                        WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id = asked.id)
         FROM UNNEST($1) AS asked (id)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let of = |held: bool, there: bool| {
        let wanted = rows.iter().filter(move |row| (row.1, row.2) == (held, there));
        wanted.map(|(id, _, _)| *id).collect()
    };
    Ok(Held { held: of(true, true), gone: of(false, false) })
}

/// A case to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// The case.
    pub(crate) case: Case,
    /// What happened, in the complainant's words.
    pub(crate) description: String,
    /// The product it names; empty where none.
    pub(crate) product: String,
    /// Hash of its receipt code; none for a complaint without one.
    pub(crate) receipt_hash: Option<Vec<u8>>,
    /// When an authority forwarded it, if one did and said so; kept as the start of clocks.
    pub(crate) forwarded: Option<Timestamp>,
}

#[cfg(test)]
mod tests;
