//! Statements on the open cases that those who supervise look at.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::page::Page;
use kernel::{CaseId, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::supervision::{Counts, Holder, Overview, Reason, Scope, SupervisedCase};

/// Reads open cases, as `looked`, with why each is looked at: what follows is given. `$1` is
/// the department, `$2` and `$3` the limits of money.
///
/// What is known of the current cycle are the rows of cycles after which none began.
macro_rules! of_open_cases {
    ($rest:literal) => {
        concat!(
            "WITH open_case AS (
                 SELECT f.case_id, coalesce(f.department, '') AS department, coalesce(f.holder, '') AS agent,
                        coalesce(f.category, '') AS category, coalesce(f.priority, 0::smallint) AS priority,
                        f.received_at, f.escalated_at, f.sought_currency, f.sought_minor,
                        coalesce(y.cycle, 1) AS cycle, y.breached_at, y.resolved_at, y.told_at,
                        coalesce(y.disputed, false) AS is_disputed,
                        EXISTS (
                            SELECT FROM UNNEST($2::text[], $3::bigint[]) AS l (currency, minor)
                            WHERE (f.sought_currency = l.currency AND f.sought_minor > l.minor)
                               OR (SELECT sum(p.minor) FROM payment_fact p
                                   WHERE p.tenant_id = f.tenant_id AND p.case_id = f.case_id
                                     AND p.currency = l.currency) > l.minor) AS is_over_limit
                 FROM case_fact f
                 LEFT JOIN LATERAL (
                     SELECT coalesce(max(k.cycle) FILTER (WHERE k.reopened_at IS NOT NULL), 0) + 1 AS cycle,
                            min(k.breached_at) FILTER (WHERE k.reopened_at IS NULL) AS breached_at,
                            min(k.resolved_at) FILTER (WHERE k.reopened_at IS NULL) AS resolved_at,
                            min(k.told_at) FILTER (WHERE k.reopened_at IS NULL) AS told_at,
                            bool_or(k.disputed) AS disputed
                     FROM cycle_fact k WHERE k.tenant_id = f.tenant_id AND k.case_id = f.case_id) AS y ON true
                 WHERE f.tenant_id = current_setting('redress.tenant') AND f.ended_at IS NULL
                   AND f.received_at IS NOT NULL AND ($1::text IS NULL OR f.department = $1)),
             looked AS (
                 SELECT *, breached_at IS NOT NULL AND told_at IS NULL AS is_overdue,
                        escalated_at IS NOT NULL AS is_escalated, cycle > 1 AS is_reworked
                 FROM open_case) ",
            $rest
        )
    };
}

fn limits(scope: &Scope) -> (Vec<&str>, Vec<i64>) {
    scope.limits.iter().map(|limit| (limit.currency.as_str(), limit.minor)).unzip()
}

#[derive(sqlx::FromRow)]
struct HolderRow {
    agent: String,
    department: String,
    open: i64,
    resolved: i64,
    overdue: i64,
    escalated: i64,
    reworked: i64,
    disputed: i64,
    over_limit: i64,
    supervised: i64,
    oldest_at: Option<Timestamp>,
    oldest_breach_at: Option<Timestamp>,
}

/// Who has open cases: those with most to look at.
pub(crate) async fn supervision_overview(
    conn: &mut PgConnection,
    scope: &Scope,
    max_holders: i32,
) -> Result<Overview, Fault> {
    let (currencies, amounts) = limits(scope);
    let rows: Vec<HolderRow> = sqlx::query_as(of_open_cases!(
        "SELECT agent, department, count(*) AS open, count(resolved_at) AS resolved,
                count(*) FILTER (WHERE is_overdue) AS overdue,
                count(*) FILTER (WHERE is_escalated) AS escalated,
                count(*) FILTER (WHERE is_reworked) AS reworked,
                count(*) FILTER (WHERE is_disputed) AS disputed,
                count(*) FILTER (WHERE is_over_limit) AS over_limit,
                count(*) FILTER (WHERE is_overdue OR is_escalated OR is_reworked OR is_disputed OR is_over_limit)
                    AS supervised,
                min(received_at) FILTER (WHERE resolved_at IS NULL) AS oldest_at,
                min(breached_at) FILTER (WHERE is_overdue) AS oldest_breach_at
         FROM looked GROUP BY agent, department
         ORDER BY overdue DESC, supervised DESC, open DESC, department, agent"
    ))
    .bind(scope.department.as_deref())
    .bind(currencies)
    .bind(amounts)
    .fetch_all(conn)
    .await?;
    let mut holders: Vec<Holder> = rows.into_iter().map(HolderRow::holder).collect();
    let mut totals = Counts::default();
    for holder in &holders {
        totals.add(holder.counts);
    }
    let holder_count = i64::try_from(holders.len()).unwrap_or(i64::MAX);
    holders.truncate(usize::try_from(max_holders).unwrap_or(0));
    Ok(Overview { totals, holders, holder_count })
}

impl HolderRow {
    fn holder(self) -> Holder {
        let Self { open, resolved, overdue, escalated, reworked, disputed, over_limit, supervised, .. } =
            self;
        Holder {
            agent: self.agent,
            department: self.department,
            counts: Counts { open, resolved, overdue, escalated, reworked, disputed, over_limit, supervised },
            oldest: self.oldest_at.map(Timestamp::to_jiff),
            oldest_breach: self.oldest_breach_at.map(Timestamp::to_jiff),
        }
    }
}

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "reasons that say nothing of each other")]
struct CaseRow {
    case_id: Uuid,
    cycle: i32,
    agent: String,
    department: String,
    category: String,
    priority: i16,
    received_at: Timestamp,
    breached_at: Option<Timestamp>,
    escalated_at: Option<Timestamp>,
    resolved_at: Option<Timestamp>,
    sought_currency: Option<String>,
    sought_minor: Option<i64>,
    is_overdue: bool,
    is_escalated: bool,
    is_reworked: bool,
    is_disputed: bool,
    is_over_limit: bool,
    paid_currencies: Vec<String>,
    paid_minor: Vec<i64>,
}

impl CaseRow {
    fn supervised(self) -> SupervisedCase {
        let reasons = [
            (self.is_overdue, Reason::Overdue),
            (self.is_escalated, Reason::Escalated),
            (self.is_reworked, Reason::Reworked),
            (self.is_disputed, Reason::Disputed),
            (self.is_over_limit, Reason::MoneyOverLimit),
        ];
        let money = |(currency, minor)| Money { minor, currency };
        SupervisedCase {
            id: CaseId(self.case_id),
            cycle: self.cycle,
            reasons: reasons.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect(),
            agent: self.agent,
            department: self.department,
            category: self.category,
            priority: self.priority,
            received: self.received_at.to_jiff(),
            breached: self.breached_at.map(Timestamp::to_jiff),
            escalated: self.escalated_at.map(Timestamp::to_jiff),
            resolved: self.resolved_at.map(Timestamp::to_jiff),
            sought: self.sought_currency.zip(self.sought_minor).map(money),
            paid: self.paid_currencies.into_iter().zip(self.paid_minor).map(money).collect(),
        }
    }
}

/// One page of the cases that are looked at, the oldest first.
pub(crate) async fn supervised_cases(
    conn: &mut PgConnection,
    scope: &Scope,
    page: &Page,
    after: Option<(jiff::Timestamp, Uuid)>,
) -> Result<Vec<SupervisedCase>, Fault> {
    let (currencies, amounts) = limits(scope);
    let for_reason = |reason| scope.reasons.is_empty() || scope.reasons.contains(&reason);
    let rows: Vec<CaseRow> = sqlx::query_as(of_open_cases!(
        "SELECT l.case_id, l.cycle, l.agent, l.department, l.category, l.priority, l.received_at,
                l.breached_at, l.escalated_at, l.resolved_at, l.sought_currency, l.sought_minor,
                l.is_overdue, l.is_escalated, l.is_reworked, l.is_disputed, l.is_over_limit,
                coalesce(p.currencies, '{}') AS paid_currencies, coalesce(p.minor, '{}') AS paid_minor
         FROM (SELECT * FROM looked
               WHERE ($4::text IS NULL OR agent = $4)
                 AND ((is_overdue AND $5) OR (is_escalated AND $6) OR (is_reworked AND $7)
                      OR (is_disputed AND $8) OR (is_over_limit AND $9))
                 AND ($10::timestamptz IS NULL OR (received_at, case_id) > ($10, $11::uuid))
               ORDER BY received_at, case_id LIMIT $12) AS l
         LEFT JOIN LATERAL (
             SELECT array_agg(s.currency ORDER BY s.currency) AS currencies,
                    array_agg(s.minor ORDER BY s.currency) AS minor
             FROM (SELECT currency, sum(minor)::bigint AS minor FROM payment_fact
                   WHERE tenant_id = current_setting('redress.tenant') AND case_id = l.case_id
                   GROUP BY currency) AS s) AS p ON true
         ORDER BY l.received_at, l.case_id"
    ))
    .bind(scope.department.as_deref())
    .bind(currencies)
    .bind(amounts)
    .bind(scope.agent.as_deref())
    .bind(for_reason(Reason::Overdue))
    .bind(for_reason(Reason::Escalated))
    .bind(for_reason(Reason::Reworked))
    .bind(for_reason(Reason::Disputed))
    .bind(for_reason(Reason::MoneyOverLimit))
    .bind(after.map(|(received, _)| received.to_sqlx()))
    .bind(after.map(|(_, case)| case))
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(CaseRow::supervised).collect())
}
