//! Statements that count.

use fault::Fault;
use sqlx::PgConnection;
use uuid::Uuid;
use vocabulary::{Channel, Priority, State};

use super::row::impossible;
use crate::counts::{Count, Durations};

#[derive(sqlx::FromRow)]
struct Row {
    state: i16,
    category: String,
    priority: i16,
    channel: i16,
    cases: i64,
}

#[derive(sqlx::FromRow)]
struct DurationsRow {
    assign_p50: Option<i64>,
    assign_p99: Option<i64>,
    resolve_p50: Option<i64>,
    resolve_p99: Option<i64>,
}

impl Row {
    fn count(self) -> Result<Count, Fault> {
        let Self { state, category, priority, channel, cases } = self;
        let known = |column: &'static str| move || impossible("cases", column, Uuid::nil());
        Ok(Count {
            state: State::of(state).ok_or_else(known("state"))?,
            category,
            priority: Priority::of(priority).ok_or_else(known("priority"))?,
            channel: Channel::of(channel).ok_or_else(known("channel"))?,
            cases,
        })
    }
}

/// Counts each combination that occurs.
pub(crate) async fn by_kind(conn: &mut PgConnection) -> Result<Vec<Count>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT state, category, priority, channel, count(*) AS cases FROM cases
         WHERE tenant_id = current_setting('redress.tenant')
         GROUP BY state, category, priority, channel
         ORDER BY state, category, priority, channel",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::count).collect()
}

/// Median and 99th percentile of the times to first assignment and resolution.
pub(crate) async fn durations(conn: &mut PgConnection) -> Result<Durations, Fault> {
    let row: DurationsRow = sqlx::query_as(
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
    let DurationsRow { assign_p50, assign_p99, resolve_p50, resolve_p99 } = row;
    Ok(Durations { assign_p50, assign_p99, resolve_p50, resolve_p99 })
}
