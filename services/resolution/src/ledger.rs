//! The remedy ledger: double entry in minor units. Pure.
//!
//! An entry moves one sum from an account to another, so that debits equal credits
//! whatever is booked. A step's books hold the sum of its entries by movement, and no
//! account of a step falls below zero: never is more executed than was approved.

pub mod statement;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use kernel::{CaseId, Money, PlanId, TaskId};
use uuid::Uuid;

use crate::remedy::RemedyKind;

kernel::numbered! {
    /// What an entry moves, from which account to which.
    Movement {
        /// A plan proposes it: from available to promised.
        Promised = 1 "promised",
        /// The plan is approved: from promised to approved.
        Approved = 2 "approved",
        /// A department moved it: from approved to executed.
        Executed = 3 "executed",
        /// A department collected it again: from executed to available.
        Reversed = 4 "reversed",
        /// The plan, or what would have revised it, is not approved any more: from promised to
        /// available.
        Withdrawn = 5 "withdrawn",
        /// What was approved is not to be moved any more: from approved to available.
        Released = 6 "released",
        /// Two people give up collecting it again: from executed to written off.
        WrittenOff = 7 "written off",
    }
}

kernel::numbered! {
    /// Where a sum is.
    Account {
        /// Nobody has spoken for it: what the tenant has. Below zero by what is out.
        Available = 1 "available",
        /// A plan that waits for approval proposes it.
        Promised = 2 "promised",
        /// Approved, and not moved yet.
        Approved = 3 "approved",
        /// Moved, and not collected again.
        Executed = 4 "executed",
        /// Moved, to be collected again, and given up.
        WrittenOff = 5 "written off",
    }
}

kernel::numbered! {
    /// By what balances are told apart, beside their currency.
    Grouping {
        /// Not at all.
        None = 0,
        /// By case.
        Case = 1,
        /// By the complainant's customer number.
        Customer = 2,
        /// By department.
        Department = 3,
        /// By day of booking.
        Day = 4,
    }
}

/// Whose entries are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A case's.
    Case(CaseId),
    /// A department's, all or those with one number of its own.
    Department(String, Option<String>),
}

/// Which entries are added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BalanceFilter {
    /// Those for this case.
    pub case_id: Option<CaseId>,
    /// Those for the cases of this customer.
    pub customer_id: Option<String>,
    /// Those in this department's books.
    pub department_id: Option<String>,
    /// Those booked from the one day to the other.
    pub days: Option<(Date, Date)>,
}

/// What the entries of a group come to, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The currency.
    pub currency: String,
    /// What tells the group from others; empty where there is one only.
    pub group: String,
    /// The sums.
    pub books: Books,
}

impl Movement {
    /// The account that gains.
    pub fn debit(self) -> Account {
        match self {
            Self::Promised => Account::Promised,
            Self::Approved => Account::Approved,
            Self::Executed => Account::Executed,
            Self::WrittenOff => Account::WrittenOff,
            Self::Reversed | Self::Withdrawn | Self::Released => Account::Available,
        }
    }

    /// The account that gives.
    pub fn credit(self) -> Account {
        match self {
            Self::Promised => Account::Available,
            Self::Approved | Self::Withdrawn => Account::Promised,
            Self::Executed | Self::Released => Account::Approved,
            Self::Reversed | Self::WrittenOff => Account::Executed,
        }
    }
}

/// Sums in minor units by movement: what a step's entries come to, or those of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books([i64; Movement::ALL.len()]);

/// An entry that an account does not have the sum for. It is not booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdrawn {
    /// What it would move.
    pub movement: Movement,
    /// How much.
    pub minor: i64,
    /// What there is.
    pub books: Books,
}

impl fmt::Display for Overdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { movement, minor, books } = self;
        write!(f, "{minor} cannot be {movement}: {books:?}")
    }
}

impl std::error::Error for Overdrawn {}

impl Books {
    /// Those of sums, in the order of [`Movement::ALL`].
    pub fn of(sums: [i64; Movement::ALL.len()]) -> Self {
        Self(sums)
    }

    /// The sum of a movement's entries.
    pub fn sum(&self, movement: Movement) -> i64 {
        self.0[Self::place(movement)]
    }

    /// What is in an account: what it gained less what it gave.
    pub fn balance(&self, account: Account) -> i64 {
        let sums = |side: fn(Movement) -> Account| {
            let of_side = Movement::ALL.iter().filter(|one| side(**one) == account);
            of_side.fold(0_i64, |sum, one| sum.saturating_add(self.sum(*one)))
        };
        sums(Movement::debit) - sums(Movement::credit)
    }

    /// Adds an entry; refused where the account it takes from has not as much.
    pub fn post(&mut self, movement: Movement, minor: i64) -> Result<(), Overdrawn> {
        let from = movement.credit();
        let covered = from == Account::Available || self.balance(from) >= minor;
        let sum = self.sum(movement).checked_add(minor).filter(|_| minor > 0 && covered);
        self.0[Self::place(movement)] = sum.ok_or(Overdrawn { movement, minor, books: *self })?;
        Ok(())
    }

    fn place(movement: Movement) -> usize {
        usize::from(movement.number().unsigned_abs()) - 1
    }
}

/// One sum moved from one account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Identity.
    pub entry_id: Uuid,
    /// Shared by the entries of one change of one plan.
    pub journal_id: Uuid,
    /// What it moves.
    pub movement: Movement,
    /// The plan.
    pub plan_id: PlanId,
    /// The step of the plan.
    pub step_id: String,
    /// The case it is for.
    pub case_id: CaseId,
    /// The cycle of the case.
    pub cycle: i32,
    /// In whose books it is.
    pub department_id: String,
    /// What kind of remedy it is for.
    pub kind: RemedyKind,
    /// The sum.
    pub amount: Money,
    /// The task whose report it is, or which was to collect what is written off.
    pub task_id: Option<TaskId>,
    /// The department's own number for it.
    pub reference: String,
    /// When it was booked.
    pub booked_at: Timestamp,
}
