//! What a statement costs, going by the rows its steps read: by no clock.

use kernel::TenantId;
use pg::Db;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgArguments;

/// The most rows that a step of a statement has read, while it is run for a tenant, or for all.
pub async fn most_rows(
    db: &Db,
    (statement, arguments): (&AssertSqlSafe<String>, PgArguments),
    tenant: Option<TenantId>,
) -> u64 {
    let explained = format!("EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF) {}", statement.0);
    let run = async |mut tx: pg::Tx| {
        let explained = sqlx::query_scalar_with(AssertSqlSafe(explained.clone()), arguments.clone());
        let lines: Vec<String> = explained.fetch_all(&mut *tx).await?;
        Ok((tx, lines))
    };
    let plan = match tenant {
        Some(tenant) => db.transact("test", &tenant, run).await,
        None => db.transact_as_worker("test", run).await,
    };
    let plan = plan.expect("it can be run").join("\n");
    let figure = |text: &str, name: &str| -> Option<u64> {
        let (_, rest) = text.split_once(name)?;
        rest.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
    };
    let rows = plan.lines().filter_map(|line| {
        let (_, actual) = line.split_once("(actual ")?;
        let removed = figure(line, "Rows Removed by Filter: ").unwrap_or(0);
        Some(figure(actual, "rows=")?.saturating_mul(figure(actual, "loops=")?) + removed)
    });
    let removed = plan.lines().filter_map(|line| figure(line, "Rows Removed by Filter: "));
    rows.chain(removed).max().unwrap_or_else(|| panic!("no rows are told of:\n{plan}"))
}
