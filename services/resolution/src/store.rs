//! Every SQL statement of this service; rows are private.
//!
//! Locks are taken in one order: the case, then the plan with its steps, then its
//! tasks. Who needs a task only takes just that; who hands tasks out waits for
//! nobody.

pub(crate) mod approvals;
pub(crate) mod cases;
pub(crate) mod departments;
pub(crate) mod plans;
pub(crate) mod tasks;

use fault::Fault;
use kernel::Money;

use crate::remedy::{Goods, Remedy, RemedyKind};

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

/// Remedies as the columns of a set-based insert.
#[derive(Default)]
struct Remedies<'a> {
    kinds: Vec<i16>,
    minors: Vec<Option<i64>>,
    currencies: Vec<Option<&'a str>>,
    skus: Vec<Option<&'a str>>,
    quantities: Vec<Option<i32>>,
    instructions: Vec<&'a str>,
}

impl<'a> Remedies<'a> {
    fn of(remedies: impl Iterator<Item = &'a Remedy>) -> Self {
        let mut columns = Self::default();
        for Remedy { kind, amount, goods, instructions } in remedies {
            columns.kinds.push(kind.number());
            columns.minors.push(amount.as_ref().map(|amount| amount.minor));
            columns.currencies.push(amount.as_ref().map(|amount| amount.currency.as_str()));
            columns.skus.push(goods.as_ref().map(|goods| goods.sku.as_str()));
            columns.quantities.push(goods.as_ref().map(|goods| goods.quantity));
            columns.instructions.push(instructions);
        }
        columns
    }
}

fn kind(number: i16, row: impl std::fmt::Debug) -> Result<RemedyKind, Fault> {
    RemedyKind::of(number).ok_or_else(|| impossible("kind", number, row))
}
