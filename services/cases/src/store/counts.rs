//! Statements that count.

use fault::Fault;
use sqlx::PgConnection;

/// How many cases share state, category, priority and channel, each as stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Count {
    /// Where they stand.
    pub(crate) state: i16,
    /// What they are about.
    pub(crate) category: String,
    /// How urgent they are.
    pub(crate) priority: i16,
    /// The road they came by.
    pub(crate) channel: i16,
    /// How many.
    pub(crate) cases: i64,
}

/// How long it took from registration, in milliseconds; none where it has not
/// happened yet.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Durations {
    /// Half were assigned within this.
    pub assign_p50: Option<i64>,
    /// 99 % were assigned within this.
    pub assign_p99: Option<i64>,
    /// Half were resolved within this.
    pub resolve_p50: Option<i64>,
    /// 99 % were resolved within this.
    pub resolve_p99: Option<i64>,
}

/// Counts each combination that occurs.
pub(crate) async fn by_kind(conn: &mut PgConnection) -> Result<Vec<Count>, Fault> {
    let counts = sqlx::query_as(
        "SELECT state, category, priority, channel, count(*) AS cases FROM cases
         WHERE tenant_id = current_setting('redress.tenant')
         GROUP BY state, category, priority, channel
         ORDER BY state, category, priority, channel",
    )
    .fetch_all(conn)
    .await?;
    Ok(counts)
}

/// Median and 99th percentile of the times to first assignment and resolution.
pub(crate) async fn durations(conn: &mut PgConnection) -> Result<Durations, Fault> {
    let durations = sqlx::query_as(
        "SELECT percentile_disc(0.5)  WITHIN GROUP (ORDER BY assign)  AS assign_p50,
                percentile_disc(0.99) WITHIN GROUP (ORDER BY assign)  AS assign_p99,
                percentile_disc(0.5)  WITHIN GROUP (ORDER BY resolve) AS resolve_p50,
                percentile_disc(0.99) WITHIN GROUP (ORDER BY resolve) AS resolve_p99
         FROM (SELECT (extract(epoch FROM first_assigned_at - received_at) * 1000)::bigint AS assign,
                      (extract(epoch FROM first_resolved_at - received_at) * 1000)::bigint AS resolve
               FROM cases WHERE tenant_id = current_setting('redress.tenant')) t",
    )
    .fetch_one(conn)
    .await?;
    Ok(durations)
}
