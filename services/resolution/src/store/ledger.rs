//! Entries of the remedy ledger, and what they come to. Entries are written with the steps
//! whose books they are in: see `plans`.

use std::collections::HashMap;

use fault::Fault;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use kernel::{CaseId, Money, PlanId, TaskId};
use pg::{Binds, Rows};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{impossible, kind};
use crate::ledger::{Balance, BalanceFilter, Books, Entry, Grouping, Movement, Scope};
use crate::undo::UndoneStep;

/// The rows of entries.
pub(super) fn rows(binds: &mut Binds, entries: &[Entry]) -> Rows {
    binds
        .rows(entries)
        .column("entry_id", |entry| entry.entry_id)
        .column("journal_id", |entry| entry.journal_id)
        .column("movement", |entry| entry.movement.number())
        .column("debit", |entry| entry.movement.debit().number())
        .column("credit", |entry| entry.movement.credit().number())
        .column("plan_id", |entry| entry.plan_id.0)
        .column("step_id", |entry| entry.step_id.as_str())
        .column("case_id", |entry| entry.case_id.0)
        .column("cycle", |entry| entry.cycle)
        .column("department_id", |entry| entry.department_id.as_str())
        .column("kind", |entry| entry.kind.number())
        .column("amount_minor", |entry| entry.amount.minor)
        .column("currency", |entry| entry.amount.currency.as_str())
        .column("task_id", |entry| entry.task_id.map(|task| task.0))
        .column("reference", |entry| entry.reference.as_str())
        .column("booked_at", |entry| entry.booked_at.to_sqlx())
        .done()
}

#[derive(sqlx::FromRow)]
struct Row {
    entry_id: Uuid,
    journal_id: Uuid,
    movement: i16,
    plan_id: Uuid,
    step_id: String,
    case_id: Uuid,
    cycle: i32,
    department_id: String,
    kind: i16,
    amount_minor: i64,
    currency: String,
    task_id: Option<Uuid>,
    reference: String,
    booked_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn entry(self) -> Result<Entry, Fault> {
        let id = self.entry_id;
        let movement = Movement::of(self.movement)
            .ok_or_else(|| impossible("ledger_entry.movement", self.movement, id))?;
        Ok(Entry {
            entry_id: id,
            journal_id: self.journal_id,
            movement,
            plan_id: PlanId(self.plan_id),
            step_id: self.step_id,
            case_id: CaseId(self.case_id),
            cycle: self.cycle,
            department_id: self.department_id,
            kind: kind(self.kind, id)?,
            amount: Money { minor: self.amount_minor, currency: self.currency },
            task_id: self.task_id.map(TaskId),
            reference: self.reference,
            booked_at: self.booked_at.to_jiff(),
        })
    }
}

/// A ledger's entries, of those the rest names.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT entry_id, journal_id, movement, plan_id, step_id, case_id, cycle, department_id, kind,
                    amount_minor, currency, task_id, reference, booked_at
             FROM ledger_entry
             WHERE tenant_id = current_setting('redress.tenant') AND ",
            $rest
        )
    };
}

/// Entries of a case or a department, newest first, after the last of the page before.
pub(crate) async fn list(
    conn: &mut PgConnection,
    scope: &Scope,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Entry>, Fault> {
    let after = after.unwrap_or(Uuid::max());
    let rows: Vec<Row> = match scope {
        Scope::Case(case_id) => {
            let listed =
                sqlx::query_as(entries!("case_id = $3 AND entry_id < $1 ORDER BY entry_id DESC LIMIT $2"));
            listed.bind(after).bind(limit).bind(case_id.0).fetch_all(conn).await?
        }
        Scope::Department(department_id, None) => {
            let listed = sqlx::query_as(entries!(
                "department_id = $3 AND entry_id < $1 ORDER BY entry_id DESC LIMIT $2"
            ));
            listed.bind(after).bind(limit).bind(department_id).fetch_all(conn).await?
        }
        Scope::Department(department_id, Some(reference)) => {
            sqlx::query_as(pg::sql!(
                entries!(
                    "department_id = $3 AND reference = $4 AND movement IN ({executed}, {reversed})
                     AND entry_id < $1 ORDER BY entry_id DESC LIMIT $2"
                ),
                executed = Movement::Executed,
                reversed = Movement::Reversed,
            ))
            .bind(after)
            .bind(limit)
            .bind(department_id)
            .bind(reference)
            .fetch_all(conn)
            .await?
        }
    };
    rows.into_iter().map(Row::entry).collect()
}

/// What was moved of a step, collected again and written off, the oldest first; the last.
pub(super) async fn of_undoing(
    conn: &mut PgConnection,
    step: &UndoneStep,
    limit: i64,
) -> Result<Vec<Entry>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        entries!(
            "case_id = $1 AND plan_id = $2 AND step_id = $3
             AND movement IN ({executed}, {reversed}, {written_off}) ORDER BY entry_id DESC LIMIT $4"
        ),
        executed = Movement::Executed,
        reversed = Movement::Reversed,
        written_off = Movement::WrittenOff,
    ))
    .bind(step.case_id.0)
    .bind(step.plan_id.0)
    .bind(&step.step_id)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().rev().map(Row::entry).collect()
}

/// Entries, by id.
pub(super) async fn by_id(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Entry>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(entries!("entry_id = ANY($1)")).bind(ids).fetch_all(conn).await?;
    rows.into_iter().map(|row| Ok((row.entry_id, row.entry()?))).collect()
}

#[derive(sqlx::FromRow)]
struct BalanceRow {
    currency: String,
    group_key: String,
    promised: i64,
    approved: i64,
    executed: i64,
    reversed: i64,
    withdrawn: i64,
    released: i64,
    written_off: i64,
}

impl BalanceRow {
    fn balance(self) -> Balance {
        let sums = [
            self.promised,
            self.approved,
            self.executed,
            self.reversed,
            self.withdrawn,
            self.released,
            self.written_off,
        ];
        Balance { currency: self.currency, group: self.group_key, books: Books::of(sums) }
    }
}

/// What entries come to, of those the rest lets through. Sums beyond what can be counted
/// stop there.
macro_rules! balances {
    ($rest:literal) => {
        pg::sql!(concat!(
            "SELECT * FROM (
                 SELECT e.currency, e.group_key,
                        least(coalesce(sum(e.amount_minor) FILTER (WHERE e.movement = {promised}), 0), 9223372036854775807)::bigint AS promised,
                        least(coalesce(sum(e.amount_minor) FILTER (WHERE e.movement = {approved}), 0), 9223372036854775807)::bigint AS approved,
                        least(coalesce(sum(e.amount_minor) FILTER (WHERE e.movement = {executed}), 0), 9223372036854775807)::bigint AS executed,
                        least(coalesce(sum(e.amount_minor) FILTER (WHERE e.movement = {reversed}), 0), 9223372036854775807)::bigint AS reversed,
                        least(coalesce(sum(e.amount_minor) FILTER (WHERE e.movement = {withdrawn}), 0), 9223372036854775807)::bigint AS withdrawn,
                        least(coalesce(sum(e.amount_minor) FILTER (WHERE e.movement = {released}), 0), 9223372036854775807)::bigint AS released,
                        least(coalesce(sum(e.amount_minor) FILTER (WHERE e.movement = {written_off}), 0), 9223372036854775807)::bigint AS written_off
                 FROM (
                     SELECT l.currency, l.movement, l.amount_minor,
                            CASE $1::smallint WHEN {by_case} THEN l.case_id::text WHEN {by_customer} THEN coalesce(c.customer_id, '')
                                    WHEN {by_department} THEN l.department_id WHEN {by_day} THEN l.day::text ELSE '' END AS group_key
                     FROM ledger_entry l
                     LEFT JOIN case_complainant c ON c.tenant_id = l.tenant_id AND c.case_id = l.case_id
                     WHERE l.tenant_id = current_setting('redress.tenant')
                       AND ($2::text IS NULL OR l.department_id = $2)
                       AND ($3::date IS NULL OR l.day >= $3) AND ($4::date IS NULL OR l.day <= $4)
                       AND ",
            $rest,
            ") AS e
                 GROUP BY e.currency, e.group_key) AS b
             WHERE (b.currency || ' ' || b.group_key) COLLATE \"C\" > $5
             ORDER BY (b.currency || ' ' || b.group_key) COLLATE \"C\" LIMIT $6"
        ),
            promised = Movement::Promised,
            approved = Movement::Approved,
            executed = Movement::Executed,
            reversed = Movement::Reversed,
            withdrawn = Movement::Withdrawn,
            released = Movement::Released,
            written_off = Movement::WrittenOff,
            by_case = Grouping::Case,
            by_customer = Grouping::Customer,
            by_department = Grouping::Department,
            by_day = Grouping::Day,
        )
    };
}

/// What entries come to, by currency and group, after the last of the page before.
pub(crate) async fn balances(
    conn: &mut PgConnection,
    grouping: Grouping,
    filter: &BalanceFilter,
    after: &str,
    limit: i64,
) -> Result<Vec<Balance>, Fault> {
    let (start, end) = filter.days.unzip();
    let [start, end] = [start, end].map(|day: Option<Date>| day.map(jiff_sqlx::Date::from));
    let department_id = filter.department_id.as_deref();
    let first = move |text: AssertSqlSafe<String>| {
        let query = sqlx::query_as(text).bind(grouping.number()).bind(department_id);
        query.bind(start).bind(end).bind(after).bind(limit)
    };
    let rows: Vec<BalanceRow> = match (filter.case_id, filter.customer_id.as_deref()) {
        (Some(case_id), _) => first(balances!("l.case_id = $7")).bind(case_id.0).fetch_all(conn).await?,
        (None, Some(customer)) => {
            first(balances!("l.case_id IN (SELECT m.case_id FROM case_complainant m WHERE m.tenant_id = current_setting('redress.tenant') AND m.customer_id = $7)"))
                .bind(customer)
                .fetch_all(conn)
                .await?
        }
        (None, None) => first(balances!("l.day >= $3")).fetch_all(conn).await?,
    };
    Ok(rows.into_iter().map(BalanceRow::balance).collect())
}
