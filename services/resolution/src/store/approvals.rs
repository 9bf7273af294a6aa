//! What is held against the sums of plans when they are approved.

use std::collections::HashMap;

use fault::Fault;
use sqlx::PgConnection;
use uuid::Uuid;

use super::money;
use crate::approval::{Grounds, Sums};
use crate::plan::StepState;

#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    sought_minor: Option<i64>,
    sought_currency: Option<String>,
    currency: Option<String>,
    granted_minor: Option<i64>,
}

/// The grounds of cases.
pub(crate) async fn grounds(
    conn: &mut PgConnection,
    cases: &[Uuid],
) -> Result<HashMap<Uuid, Grounds>, Fault> {
    let (_, caps) = limits(conn).await?;
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        "SELECT c.case_id, c.sought_minor, c.sought_currency, g.currency, g.granted_minor
         FROM case_view c
         LEFT JOIN LATERAL (
             SELECT s.currency, sum(s.moved_minor)::bigint AS granted_minor
             FROM plan p
             JOIN plan_step s ON s.tenant_id = p.tenant_id AND s.plan_id = p.plan_id
             WHERE p.tenant_id = c.tenant_id AND p.case_id = c.case_id
               AND s.state IN ({done}, {undoing}) AND s.moved_minor IS NOT NULL
             GROUP BY s.currency) AS g ON true
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id = ANY($1)",
        done = StepState::Done,
        undoing = StepState::Undoing,
    ))
    .bind(cases)
    .fetch_all(conn)
    .await?;
    let mut found: HashMap<Uuid, Grounds> = HashMap::new();
    for Row { case_id, sought_minor, sought_currency, currency, granted_minor } in rows {
        let grounds = found.entry(case_id).or_insert_with(|| Grounds {
            sought: money(sought_minor, sought_currency.as_deref()),
            granted: Sums::new(),
            caps: caps.clone(),
        });
        grounds.granted.extend(currency.zip(granted_minor));
    }
    Ok(found)
}

/// The tenant's caps per case, and the version they are in; 0 where nobody has set any.
pub(crate) async fn limits(conn: &mut PgConnection) -> Result<(i64, Sums), Fault> {
    let row: Option<(i64, Vec<String>, Vec<i64>)> = sqlx::query_as(
        "SELECT version, currencies, case_caps_minor FROM approval_limits
         WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    let (version, currencies, caps) = row.unwrap_or_default();
    Ok((version, currencies.into_iter().zip(caps).collect()))
}

/// Replaces the tenant's caps per case; answers the version they are in now, or none
/// where they are in another than was seen.
pub(crate) async fn set_limits(
    conn: &mut PgConnection,
    seen: Option<i64>,
    caps: &Sums,
) -> Result<Option<i64>, Fault> {
    let version = sqlx::query_scalar(
        "INSERT INTO approval_limits AS known (tenant_id, version, currencies, case_caps_minor)
         SELECT current_setting('redress.tenant'), 1, $1, $2
         WHERE coalesce($3, 0) = 0 OR EXISTS (
             SELECT FROM approval_limits WHERE tenant_id = current_setting('redress.tenant'))
         ON CONFLICT (tenant_id) DO UPDATE
         SET version = known.version + 1, currencies = excluded.currencies,
             case_caps_minor = excluded.case_caps_minor
         WHERE known.version = coalesce($3, known.version)
         RETURNING version",
    )
    .bind(caps.keys().collect::<Vec<_>>())
    .bind(caps.values().copied().collect::<Vec<_>>())
    .bind(seen)
    .fetch_optional(conn)
    .await?;
    Ok(version)
}
