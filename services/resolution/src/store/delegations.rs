//! Who approves for whom.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Moment, ToSqlx};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::delegation::Delegation;

#[derive(sqlx::FromRow)]
struct Row {
    delegation_id: Uuid,
    delegator: String,
    delegate: String,
    start_time: Moment,
    end_time: Moment,
    reason: String,
    created_at: Moment,
    revoked_at: Option<Moment>,
}

impl From<Row> for Delegation {
    fn from(row: Row) -> Self {
        Self {
            delegation_id: row.delegation_id,
            delegator: row.delegator,
            delegate: row.delegate,
            start: row.start_time.to_jiff(),
            end: row.end_time.to_jiff(),
            reason: row.reason,
            created_at: row.created_at.to_jiff(),
            revoked_at: row.revoked_at.map(Moment::to_jiff),
        }
    }
}

macro_rules! select_delegations {
    ($rest:literal) => {
        concat!(
            "SELECT delegation_id, delegator, delegate, start_time, end_time, reason, created_at, revoked_at
             FROM approval_delegation WHERE tenant_id = current_setting('redress.tenant') AND ",
            $rest
        )
    };
}

/// Holds the tenant's delegations still until the transaction ends: whether one may be made
/// depends on the others.
pub(crate) async fn seize(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(
             hashtextextended('resolution.delegations.' || current_setting('redress.tenant'), 0))",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The delegations that hold at some time within a span, of which one of these people is a
/// part. The people are in lower case.
pub(crate) async fn of_people(
    conn: &mut PgConnection,
    people: &[String],
    (start, end): (Timestamp, Timestamp),
) -> Result<Vec<Delegation>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_delegations!(
        "(lower(delegator) = ANY($1) OR lower(delegate) = ANY($1))
         AND revoked_at IS NULL AND start_time < $3 AND end_time > $2"
    ))
    .bind(people)
    .bind(start.to_sqlx())
    .bind(end.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Delegation::from).collect())
}

/// A delegation, locked.
pub(crate) async fn lock(conn: &mut PgConnection, delegation_id: Uuid) -> Result<Option<Delegation>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_delegations!("delegation_id = $1 FOR UPDATE"))
        .bind(delegation_id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(Delegation::from))
}

/// Delegations, newest first, before one.
pub(crate) async fn list(
    conn: &mut PgConnection,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Delegation>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_delegations!("delegation_id < $1 ORDER BY delegation_id DESC LIMIT $2"))
            .bind(before.unwrap_or(Uuid::max()))
            .bind(limit)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(Delegation::from).collect())
}

/// Stores a new delegation.
pub(crate) async fn insert(conn: &mut PgConnection, delegation: &Delegation) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO approval_delegation (tenant_id, delegation_id, delegator, delegate, start_time, end_time,
                                          reason, created_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(delegation.delegation_id)
    .bind(&delegation.delegator)
    .bind(&delegation.delegate)
    .bind(delegation.start.to_sqlx())
    .bind(delegation.end.to_sqlx())
    .bind(&delegation.reason)
    .bind(delegation.created_at.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores that a delegation, which is locked, was revoked.
pub(crate) async fn revoke(conn: &mut PgConnection, delegation: &Delegation) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE approval_delegation SET revoked_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND delegation_id = $1",
    )
    .bind(delegation.delegation_id)
    .bind(delegation.revoked_at.map(ToSqlx::to_sqlx))
    .execute(conn)
    .await?;
    Ok(())
}
