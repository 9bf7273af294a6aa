//! How agents are chosen, in its versions.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::page::Page;
use sqlx::{FromRow, PgConnection};

use super::impossible;
use crate::routing::{EarlierHandler, RoutingPolicy, Weights};

#[derive(FromRow)]
struct PolicyRow {
    version: i32,
    weights: Vec<i32>,
    team_weight: i32,
    earlier_handler: i16,
    accept_seconds: i32,
    note: String,
    created_at: jiff_sqlx::Timestamp,
    active: bool,
}

impl TryFrom<PolicyRow> for RoutingPolicy {
    type Error = Fault;

    fn try_from(row: PolicyRow) -> Result<Self, Fault> {
        let earlier_handler = EarlierHandler::of(row.earlier_handler)
            .ok_or_else(|| impossible("routing_policy", "earlier_handler", row.version))?;
        let weights = [row.weights, vec![row.team_weight]].concat().try_into().map(Weights::of);
        let weights = weights.map_err(|_| impossible("routing_policy", "weights", row.version))?;
        Ok(Self {
            version: row.version,
            weights,
            earlier_handler,
            accept_seconds: row.accept_seconds,
            note: row.note,
            created: Some(row.created_at.to_jiff()),
            is_active: row.active,
        })
    }
}

macro_rules! select_policies {
    ($rest:literal) => {
        concat!(
            "SELECT version, weights, team_weight, earlier_handler, accept_seconds, note, created_at, active
             FROM routing_policy WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// The policy in force: the shipped one unless another was put in force.
pub(crate) async fn in_force(conn: &mut PgConnection) -> Result<RoutingPolicy, Fault> {
    let row: Option<PolicyRow> = sqlx::query_as(select_policies!("AND active")).fetch_optional(conn).await?;
    row.map_or_else(|| Ok(RoutingPolicy::shipped()), RoutingPolicy::try_from)
}

/// Reads a version; 0 is the shipped one.
pub(crate) async fn get(conn: &mut PgConnection, version: i32) -> Result<Option<RoutingPolicy>, Fault> {
    if version == 0 {
        let in_force = in_force(conn).await?;
        return Ok(Some(RoutingPolicy { is_active: in_force.version == 0, ..RoutingPolicy::shipped() }));
    }
    let row: Option<PolicyRow> =
        sqlx::query_as(select_policies!("AND version = $1")).bind(version).fetch_optional(conn).await?;
    row.map(RoutingPolicy::try_from).transpose()
}

/// Reads a page of the tenant's own versions, latest first, and one more if there is.
pub(crate) async fn list(
    conn: &mut PgConnection,
    before: Option<i32>,
    page: &Page,
) -> Result<Vec<RoutingPolicy>, Fault> {
    let rows: Vec<PolicyRow> =
        sqlx::query_as(select_policies!("AND version < $1 ORDER BY version DESC LIMIT $2"))
            .bind(before.unwrap_or(i32::MAX))
            .bind(page.limit())
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(RoutingPolicy::try_from).collect()
}

/// Holds the versions still until the transaction ends; answers the latest there is.
pub(crate) async fn seize(conn: &mut PgConnection) -> Result<i32, Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(
             hashtextextended('assignment.policies.' || current_setting('redress.tenant'), 0))",
    )
    .execute(&mut *conn)
    .await?;
    let latest = sqlx::query_scalar(
        "SELECT coalesce(max(version), 0) FROM routing_policy
         WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_one(conn)
    .await?;
    Ok(latest)
}

/// Adds a version.
pub(crate) async fn insert(conn: &mut PgConnection, policy: &RoutingPolicy) -> Result<(), Fault> {
    let [weights @ .., team] = policy.weights.list();
    sqlx::query(
        "INSERT INTO routing_policy (tenant_id, version, weights, team_weight, earlier_handler, accept_seconds,
                                     note, created_at, active)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7, false)
         ON CONFLICT (tenant_id, version) DO NOTHING",
    )
    .bind(policy.version)
    .bind(weights.to_vec())
    .bind(team)
    .bind(policy.earlier_handler.number())
    .bind(policy.accept_seconds)
    .bind(&policy.note)
    .bind(policy.created.unwrap_or_default().to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts a version in force in the place of every other.
pub(crate) async fn activate(conn: &mut PgConnection, version: i32) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE routing_policy SET active = false
         WHERE tenant_id = current_setting('redress.tenant') AND active AND version <> $1",
    )
    .bind(version)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE routing_policy SET active = true
         WHERE tenant_id = current_setting('redress.tenant') AND version = $1",
    )
    .bind(version)
    .execute(conn)
    .await?;
    Ok(())
}
