//! Every SQL statement of this service; rows are private.
//!
//! Locks are taken in one order: the recall, the case, then the plan with its steps, then its
//! tasks. Who needs a task only takes just that; who hands tasks out waits for
//! nobody.

pub(crate) mod approval_policies;
pub(crate) mod approvals;
pub(crate) mod cases;
pub(crate) mod delegations;
pub(crate) mod deliveries;
pub(crate) mod departments;
pub(crate) mod endpoints;
pub(crate) mod investigations;
pub(crate) mod ledger;
pub(crate) mod plans;
pub(crate) mod proposals;
pub(crate) mod recalls;
pub(crate) mod remedy_types;
pub(crate) mod reports;
pub(crate) mod revisions;
pub(crate) mod statements;
pub(crate) mod stock;
pub(crate) mod supervision;
pub(crate) mod tasks;
pub(crate) mod undo;
pub(crate) mod urgency;

use std::time::Duration;

use fault::Fault;
use kernel::Money;
use pg::RowsBuilder;

use crate::remedy::{CustomRemedy, Goods, Remedy, RemedyKind};

/// A row that this service cannot have written.
fn impossible(column: &str, value: impl std::fmt::Display, row: impl std::fmt::Debug) -> Fault {
    Fault::internal(format!("{column} is {value} in {row:?}"))
}

fn money(minor: Option<i64>, currency: Option<&str>) -> Option<Money> {
    Some(Money { minor: minor?, currency: currency?.to_owned() })
}

fn goods(sku: Option<String>, quantity: Option<i32>) -> Option<Goods> {
    Some(Goods { sku: sku?, quantity: quantity? })
}

/// Adds the columns of the remedy each row has.
fn remedy_columns<'b, 'i, T>(
    rows: RowsBuilder<'b, 'i, T>,
    remedy: fn(&T) -> &Remedy,
) -> RowsBuilder<'b, 'i, T> {
    rows.column("kind", |row| remedy(row).kind.number())
        .column("amount_minor", |row| remedy(row).amount.as_ref().map(|amount| amount.minor))
        .column("currency", |row| remedy(row).amount.as_ref().map(|amount| amount.currency.as_str()))
        .column("sku", |row| remedy(row).goods.as_ref().map(|goods| goods.sku.as_str()))
        .column("quantity", |row| remedy(row).goods.as_ref().map(|goods| goods.quantity))
        .column("instructions", |row| remedy(row).instructions.as_str())
        .column("remedy_type", move |row| custom(remedy(row)).map(|custom| custom.type_id.as_str()))
        .column("remedy_type_version", move |row| custom(remedy(row)).map(|custom| custom.version))
        .column("input", move |row| custom(remedy(row)).map(|custom| custom.input.as_str()))
        .column("moves_value", move |row| custom(remedy(row)).map(|custom| custom.moves_value))
        .column("attempt_seconds", move |row| custom(remedy(row)).map(|custom| seconds(custom.attempt)))
        .column("undo_instructions", move |row| {
            custom(remedy(row)).and_then(|custom| custom.undo_instructions.as_deref())
        })
}

fn custom(remedy: &Remedy) -> Option<&CustomRemedy> {
    remedy.custom.as_ref()
}

fn seconds(length: Duration) -> i32 {
    i32::try_from(length.as_secs()).unwrap_or(i32::MAX)
}

/// What a step or task has of a type of the tenant's own.
#[derive(sqlx::FromRow)]
struct CustomRow {
    remedy_type: Option<String>,
    remedy_type_version: Option<i64>,
    input: Option<String>,
    moves_value: Option<bool>,
    attempt_seconds: Option<i32>,
    undo_instructions: Option<String>,
}

impl CustomRow {
    fn remedy(self) -> Option<CustomRemedy> {
        let attempt = u64::try_from(self.attempt_seconds?).ok()?;
        Some(CustomRemedy {
            type_id: self.remedy_type?,
            version: self.remedy_type_version?,
            input: self.input?,
            moves_value: self.moves_value?,
            attempt: Duration::from_secs(attempt),
            undo_instructions: self.undo_instructions,
        })
    }
}

fn kind(number: i16, row: impl std::fmt::Debug) -> Result<RemedyKind, Fault> {
    RemedyKind::of(number).ok_or_else(|| impossible("kind", number, row))
}
