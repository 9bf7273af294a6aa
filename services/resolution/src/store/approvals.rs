//! What is held against the sums of plans when they are proposed and approved, and who has
//! approved them.

use std::collections::BTreeMap;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::money;
use crate::approval::{Approval, Grant, Grounds, GroundsByCase, LinkedRefund, MAX_DAYS, Sums};
use crate::plan::Plan;
use crate::remedy::RemedyKind;

/// Has whoever grants something to the complainants of cases wait for each other, so that
/// each knows what the one before has granted.
pub(crate) async fn hold_complainants(conn: &mut PgConnection, cases: &[Uuid]) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended(
             'resolution.complainant.' || current_setting('redress.tenant') || ' ' || c.customer_id, 0))
         FROM (SELECT DISTINCT customer_id FROM case_complainant
               WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
               ORDER BY customer_id) AS c",
    )
    .bind(cases)
    .execute(conn)
    .await?;
    Ok(())
}

/// Cases linked to these that name the same order.
pub(crate) async fn same_order(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<Uuid>, Fault> {
    let others = sqlx::query_scalar(
        "SELECT DISTINCT other_id FROM same_order_link
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    Ok(others)
}

/// Keeps that cases are linked and name the same order.
pub(crate) async fn link(conn: &mut PgConnection, pairs: &[(CaseId, CaseId)]) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO same_order_link (tenant_id, case_id, other_id)
         SELECT current_setting('redress.tenant'), n.case_id, n.other_id
         FROM UNNEST($1::uuid[] || $2::uuid[], $2::uuid[] || $1::uuid[]) AS n (case_id, other_id)
         ON CONFLICT DO NOTHING",
    )
    .bind(pairs.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(pairs.iter().map(|(_, other)| other.0).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets that cases are linked.
pub(crate) async fn unlink(conn: &mut PgConnection, pairs: &[(CaseId, CaseId)]) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM same_order_link AS l
         USING UNNEST($1::uuid[] || $2::uuid[], $2::uuid[] || $1::uuid[]) AS n (case_id, other_id)
         WHERE l.tenant_id = current_setting('redress.tenant')
           AND l.case_id = n.case_id AND l.other_id = n.other_id",
    )
    .bind(pairs.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(pairs.iter().map(|(_, other)| other.0).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// One thing that is held against a case's plan.
#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    category: String,
    sought_minor: Option<i64>,
    sought_currency: Option<String>,
    customer_id: Option<String>,
    /// 1 granted in the case, 2 granted to the complainant, 3 a linked case, with what it
    /// refunds if anything; none where there is nothing.
    what: Option<i16>,
    currency: Option<String>,
    minor: Option<i64>,
    days: Option<i32>,
    other_id: Option<Uuid>,
}

/// What is held against cases, without what some plans granted. What was granted is what was
/// approved and neither given up nor collected again; of linked cases, what is proposed counts,
/// too.
const GROUNDS: &str = "
    WITH asked AS (
        SELECT v.case_id, v.category, v.sought_minor, v.sought_currency, c.customer_id
        FROM case_view v
        LEFT JOIN case_complainant c ON c.tenant_id = v.tenant_id AND c.case_id = v.case_id
        WHERE v.tenant_id = current_setting('redress.tenant') AND v.case_id = ANY($1)),
    held AS (
        SELECT a.case_id, 1::smallint AS what, s.currency,
               sum(s.approved_minor - s.released_minor - s.reversed_minor) AS minor,
               NULL::integer AS days, NULL::uuid AS other_id
        FROM asked a
        JOIN plan p ON p.tenant_id = current_setting('redress.tenant') AND p.case_id = a.case_id
        JOIN plan_step s ON s.tenant_id = p.tenant_id AND s.plan_id = p.plan_id
        WHERE s.approved_minor > s.released_minor + s.reversed_minor AND p.plan_id <> ALL ($5)
        GROUP BY a.case_id, s.currency
        UNION ALL
        SELECT a.case_id, 2::smallint, s.currency,
               sum(s.approved_minor - s.released_minor - s.reversed_minor), age.days, NULL
        FROM asked a
        JOIN case_complainant m ON m.tenant_id = current_setting('redress.tenant')
                               AND m.customer_id = a.customer_id
        JOIN plan p ON p.tenant_id = m.tenant_id AND p.case_id = m.case_id
        JOIN plan_step s ON s.tenant_id = p.tenant_id AND s.plan_id = p.plan_id
        CROSS JOIN LATERAL (SELECT greatest(floor(
            extract(epoch FROM $2 - coalesce(p.approved_at, p.created_at)) / 86400), 0)::integer AS days) AS age
        WHERE s.approved_minor > s.released_minor + s.reversed_minor AND age.days < $3
          AND p.plan_id <> ALL ($5)
        GROUP BY a.case_id, s.currency, age.days
        UNION ALL
        SELECT a.case_id, 3::smallint, s.currency,
               sum(s.promised_minor - s.withdrawn_minor - s.released_minor - s.reversed_minor), NULL, l.other_id
        FROM asked a
        JOIN same_order_link l ON l.tenant_id = current_setting('redress.tenant') AND l.case_id = a.case_id
        LEFT JOIN plan p ON p.tenant_id = l.tenant_id AND p.case_id = l.other_id
        LEFT JOIN plan_step s ON s.tenant_id = p.tenant_id AND s.plan_id = p.plan_id AND s.kind = $4
             AND s.promised_minor > s.withdrawn_minor + s.released_minor + s.reversed_minor
        GROUP BY a.case_id, s.currency, l.other_id)
    SELECT a.*, h.what, h.currency, least(h.minor, 9223372036854775807)::bigint AS minor, h.days, h.other_id
    FROM asked a LEFT JOIN held h ON h.case_id = a.case_id
    ORDER BY a.case_id, h.what, h.other_id, h.currency";

/// The grounds of cases.
pub(crate) async fn grounds(
    conn: &mut PgConnection,
    cases: &[Uuid],
    now: Timestamp,
) -> Result<GroundsByCase, Fault> {
    grounds_beside(conn, cases, &[], now).await
}

/// The same beside some plans, whose own sums are told apart.
pub(crate) async fn grounds_beside(
    conn: &mut PgConnection,
    cases: &[Uuid],
    plans: &[Uuid],
    now: Timestamp,
) -> Result<GroundsByCase, Fault> {
    let (_, caps) = limits(conn).await?;
    let rows: Vec<Row> = sqlx::query_as(GROUNDS)
        .bind(cases)
        .bind(now.to_sqlx())
        .bind(MAX_DAYS)
        .bind(RemedyKind::Refund.number())
        .bind(plans)
        .fetch_all(conn)
        .await?;
    let mut found: BTreeMap<CaseId, Grounds> = BTreeMap::new();
    for row in rows {
        let grounds = found.entry(CaseId(row.case_id)).or_insert_with(|| Grounds {
            category: row.category.clone(),
            sought: money(row.sought_minor, row.sought_currency.as_deref()),
            customer: row.customer_id.clone(),
            caps: caps.clone(),
            ..Grounds::default()
        });
        row.take_into(grounds);
    }
    Ok(GroundsByCase::of(found))
}

impl Row {
    fn take_into(self, grounds: &mut Grounds) {
        let other = self.other_id.map(CaseId);
        grounds.same_order.extend(other);
        let Some((currency, minor)) = self.currency.zip(self.minor) else { return };
        match (self.what, other) {
            (Some(1), _) => {
                grounds.granted.insert(currency, minor);
            }
            (Some(2), _) => {
                let days = self.days.unwrap_or_default();
                grounds.complainant.push(Grant { days, currency, minor });
            }
            (Some(3), Some(other)) => {
                let case_id = other.to_string();
                grounds.linked(LinkedRefund { case_id, currency, minor });
            }
            _ => {}
        }
    }
}

/// Something of each approval of a plan.
fn each(plan: &Plan, of: fn(&Approval) -> String) -> Json<Vec<String>> {
    Json(plan.approvals.iter().map(of).collect())
}

/// Stores how plans, which are locked, were judged, and who has approved them.
pub(crate) async fn keep(conn: &mut PgConnection, plans: &[Plan]) -> Result<(), Fault> {
    let texts = "ARRAY(SELECT jsonb_array_elements_text({}))";
    let times = "ARRAY(SELECT jsonb_array_elements_text({})::timestamptz)";
    let mut binds = Binds::default();
    let rows = binds
        .rows(plans)
        .column("plan_id", |plan| plan.plan_id.0)
        .column_as("approvers", texts, |plan| each(plan, |one| one.approver.clone()))
        .column_as("approvers_for", texts, |plan| each(plan, |one| one.on_behalf_of.clone()))
        .column_as("approve_times", times, |plan| each(plan, |one| one.approved_at.to_string()))
        .column("approved_at", |plan| plan.approved_at.map(ToSqlx::to_sqlx))
        .column("approval_policy", |plan| plan.ruling.as_ref().map(|ruling| ruling.policy))
        .column("approval_rule", |plan| plan.ruling.as_ref().map_or("", |ruling| ruling.rule.as_str()))
        .column("approvals_required", Plan::approvals_required)
        .list("approval_reasons", |plan| {
            plan.ruling.as_ref().map_or(&[][..], |ruling| ruling.reasons.as_slice())
        })
        .done();
    binds.execute(&rows.update("plan", &["plan_id"]), conn).await?;
    Ok(())
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
