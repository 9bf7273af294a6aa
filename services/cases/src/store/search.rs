//! Statements that find cases. They are put together for each search, from texts
//! that stand here; whatever a caller says is a value bound to them.

mod facets;
#[cfg(test)]
pub(super) mod plans;
mod statement;

use fault::Fault;
use filter::{Condition, Key, Order};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TenantId;
use kernel::page::Page;
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::{Row, select_cases};
use crate::case::Case;
pub(crate) use facets::facets;
use statement::{DUE, Statement};

/// Who searches, and when: what tests of a case depend on.
#[derive(Clone, Debug)]
pub(crate) struct SearchContext {
    /// Whose cases.
    pub(crate) tenant: TenantId,
    /// What is breached by now is breached.
    pub(crate) now: Timestamp,
}

/// Reads a page of the cases that are meant.
pub(crate) async fn list(
    conn: &mut PgConnection,
    context: &SearchContext,
    condition: &Condition,
    order: Order,
    page: &Page,
) -> Result<Vec<Case>, Fault> {
    let after = page.after.as_deref().map(|key| Place::read(order, key)).transpose()?;
    let rows: Vec<Row> = listing(context, condition, order, after, page.limit()).fetch(conn).await?;
    rows.into_iter().map(Row::into_case).collect()
}

fn listing(
    context: &SearchContext,
    condition: &Condition,
    order: Order,
    after: Option<Place>,
    limit: i64,
) -> Statement {
    let mut statement = Statement::new(select_cases!(""));
    statement.text(" AND ").condition(context, condition);
    let Order { key, descending } = order;
    if let Some(Place { due, id }) = after {
        let beyond = if descending { " < " } else { " > " };
        match key {
            Key::Received => statement.text(" AND case_id").text(beyond).bind(id),
            Key::Due => {
                statement.text(" AND (").text(DUE).text(", case_id)").text(beyond).text("(coalesce(");
                statement.bind(due.map(Timestamp::to_sqlx)).text(", 'infinity'), ").bind(id).text(")")
            }
        };
    }
    let direction = if descending { " DESC" } else { "" };
    statement.text(" ORDER BY ");
    if key == Key::Due {
        statement.text(DUE).text(direction).text(", ");
    }
    statement.text("case_id").text(direction);
    statement.text(" LIMIT ").bind(limit);
    statement
}

/// Where a page ends: what the order goes by, of its last case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    due: Option<Timestamp>,
    id: Uuid,
}

/// The key of a case in an order, for the token of the next page.
pub(crate) fn page_key(order: Order, case: &Case) -> String {
    match order.key {
        Key::Received => case.id.to_string(),
        Key::Due => format!("{}{}", case.id, case.due_time.map(|time| time.to_string()).unwrap_or_default()),
    }
}

impl Place {
    fn read(order: Order, key: &str) -> Result<Self, Fault> {
        let (id, due) = match order.key {
            Key::Received => (key, ""),
            Key::Due => key.split_at_checked(36).unwrap_or_default(),
        };
        let due =
            if due.is_empty() { None } else { Some(due.parse().map_err(|_| Fault::invalid_page_token())?) };
        Ok(Self { due, id: Uuid::try_parse(id).map_err(|_| Fault::invalid_page_token())? })
    }
}
