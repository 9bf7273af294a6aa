//! Counts cases by the values of some fields.

use fault::Fault;
use filter::{Condition, Counted, Facet, FacetCounts};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use super::SearchContext;
use super::statement::{DUE, Statement};

/// Most cases counted: the newest of those meant.
pub(crate) const MAX_CASES: i64 = 100_000;
/// Most values shown of one field: the most frequent.
pub(crate) const MAX_VALUES: i64 = 100;

/// Counts cases by some facets: one statement, which reads each case once.
pub(crate) async fn facets(
    conn: &mut PgConnection,
    context: &SearchContext,
    condition: &Condition,
    facets: &[Facet],
) -> Result<Counted, Fault> {
    let rows: Vec<(i32, Option<String>, i64)> = counting(context, condition, facets).fetch(conn).await?;
    let mut lists: Vec<FacetCounts> =
        facets.iter().map(|facet| FacetCounts { facet: *facet, counts: Vec::new(), more: false }).collect();
    let mut total = 0;
    for (place, value, cases) in rows {
        let list = usize::try_from(place).ok().and_then(|place| lists.get_mut(place));
        match list {
            Some(list) if i64::try_from(list.counts.len()) == Ok(MAX_VALUES) => list.more = true,
            Some(list) => list.counts.push((list.facet.spell(&value.unwrap_or_default()), cases)),
            None => total = cases,
        }
    }
    Ok(Counted { total, exact: total < MAX_CASES, facets: lists })
}

/// Each list has its place in a first column; the number of cases itself is at -1.
pub(super) fn counting(context: &SearchContext, condition: &Condition, facets: &[Facet]) -> Statement {
    let mut statement = Statement::new(
        "(WITH found AS (
             SELECT state, priority, category, channel, agent_id, department_id, tier, outcome, language,
                    closed_at IS NULL AS open, closed_at IS NULL AND ",
    );
    statement.text(DUE).text(" < ").bind(context.now.to_sqlx());
    statement.text(" AS breached FROM cases WHERE tenant_id = current_setting('redress.tenant') AND ");
    statement.condition(context, condition);
    statement.text(" ORDER BY case_id DESC LIMIT ").bind(MAX_CASES);
    statement.text(") SELECT -1 AS facet, NULL AS value, count(*) AS cases FROM found");
    for (place, facet) in (0_i32..).zip(facets) {
        statement.text(" UNION ALL (SELECT ").bind(place).text(", ").text(value(*facet));
        statement.text(", count(*) FROM found GROUP BY 2 ORDER BY 3 DESC, 2 LIMIT ");
        statement.bind(MAX_VALUES + 1).text(")");
    }
    statement.text(")");
    statement
}

fn value(facet: Facet) -> &'static str {
    match facet {
        Facet::State => "state::text",
        Facet::Priority => "priority::text",
        Facet::Category => "category",
        Facet::Channel => "channel::text",
        Facet::Agent => "agent_id",
        Facet::Department => "department_id",
        Facet::Tier => "tier::text",
        Facet::Outcome => "outcome::text",
        Facet::Language => "language",
        Facet::Open => "open::text",
        Facet::Breached => "breached::text",
    }
}
