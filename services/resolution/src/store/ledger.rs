//! Entries of the remedy ledger. They are written with the steps whose books they are in:
//! see `plans`.

use jiff_sqlx::ToSqlx as _;
use pg::{Binds, Rows};

use crate::ledger::Entry;

/// The rows of entries.
pub(super) fn rows(binds: &mut Binds, entries: &[Entry]) -> Rows {
    binds
        .rows(entries)
        .column("entry_id", |entry| entry.entry_id)
        .column("journal_id", |entry| entry.journal_id)
        .column("movement", |entry| entry.movement.number())
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
