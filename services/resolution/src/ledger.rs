//! The remedy ledger: double entry in minor units. Pure.
//!
//! An entry moves one sum from an account to another, so that debits equal credits
//! whatever is booked. A step's books hold the sum of its entries by movement, and no
//! account of a step falls below zero: never is more executed than was approved.
//!
//! What is booked is found by comparing where a plan stands with what its steps' books
//! say: what happened once is booked once, whoever caused it.

pub mod statement;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use kernel::{CaseId, Money, PlanId, TaskId};
use uuid::Uuid;

use crate::plan::{Plan, PlanState, Step, StepState};
use crate::remedy::RemedyKind;
use crate::task::{Task, TaskState};

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

/// What one change of one plan books.
struct Journal<'a> {
    plan: &'a Plan,
    step: &'a Step,
    books: Books,
    id: Uuid,
    now: Timestamp,
    entries: Vec<Entry>,
}

impl Plan {
    /// Books what has happened since it was booked last: `ended` are the tasks that
    /// ended meanwhile, of this plan or of others beside.
    pub fn book(
        &mut self,
        ended: &[Task],
        now: Timestamp,
        mut new_id: impl FnMut() -> Uuid,
    ) -> Result<Vec<Entry>, Overdrawn> {
        let mut entries = Vec::new();
        let mut journal_id = None;
        for index in 0..self.steps.len() {
            if self.steps[index].remedy.amount.is_none() {
                continue;
            }
            let (step, plan_id) = (&self.steps[index], self.plan_id);
            let of_step = |task: &&Task| task.plan_id == Some(plan_id) && task.step_id == step.step_id;
            let id = *journal_id.get_or_insert_with(&mut new_id);
            let books = step.books;
            let mut journal = Journal { plan: self, step, books, id, now, entries: Vec::new() };
            journal.promise()?;
            for task in ended.iter().filter(of_step) {
                journal.report(task)?;
            }
            journal.release()?;
            let (books, booked) = (journal.books, journal.entries);
            self.steps[index].books = books;
            entries.extend(booked);
        }
        // Those of one moment are listed in the order they were booked in.
        let mut ids: Vec<Uuid> = entries.iter().map(|_| new_id()).collect();
        ids.sort_unstable();
        for (entry, id) in entries.iter_mut().zip(ids) {
            entry.entry_id = id;
        }
        Ok(entries)
    }
}

impl Journal<'_> {
    /// It is promised once, and then approved or withdrawn; what a revision would put in is
    /// promised while that waits.
    fn promise(&mut self) -> Result<(), Overdrawn> {
        let whole = self.step.remedy.amount.as_ref().map_or(0, |amount| amount.minor);
        let department = self.step.department_id.clone();
        if self.books.sum(Movement::Promised) == 0 {
            self.post(Movement::Promised, whole, &department)?;
        }
        let open = self.books.balance(Account::Promised);
        if open == 0 || self.plan.is_pending(self.step) {
            return Ok(());
        }
        if self.step.taken_out_by.is_some() {
            return self.post(Movement::Withdrawn, open, &department);
        }
        match self.plan.state {
            PlanState::Proposed => Ok(()),
            PlanState::Executing | PlanState::Completed | PlanState::Cancelling => {
                self.post(Movement::Approved, open, &department)
            }
            PlanState::Rejected | PlanState::Cancelled => self.post(Movement::Withdrawn, open, &department),
        }
    }

    /// A department moved it, or collected it again. What another department moves than
    /// the plan named passes through its books.
    fn report(&mut self, task: &Task) -> Result<(), Overdrawn> {
        if task.state == TaskState::WrittenOff {
            return self.write_off(task);
        }
        let Some(result) = task.result.as_ref().filter(|_| task.state == TaskState::Completed) else {
            return Ok(());
        };
        let Some(minor) = result.amount.as_ref().map(|amount| amount.minor) else { return Ok(()) };
        let planned = self.step.department_id.clone();
        if task.is_compensation() {
            self.post(Movement::Reversed, minor, &task.department_id)?;
        } else {
            if task.department_id != planned {
                self.post(Movement::Released, minor, &planned)?;
                self.post(Movement::Promised, minor, &task.department_id)?;
                self.post(Movement::Approved, minor, &task.department_id)?;
            }
            self.post(Movement::Executed, minor, &task.department_id)?;
        }
        if let Some(entry) = self.entries.last_mut() {
            entry.task_id = Some(task.task_id);
            entry.reference.clone_from(&result.reference);
        }
        Ok(())
    }

    /// What a department was to collect again is given up.
    fn write_off(&mut self, task: &Task) -> Result<(), Overdrawn> {
        let Some(minor) = task.remedy.amount.as_ref().map(|amount| amount.minor) else { return Ok(()) };
        self.post(Movement::WrittenOff, minor, &task.department_id)?;
        if let Some(entry) = self.entries.last_mut() {
            entry.task_id = Some(task.task_id);
        }
        Ok(())
    }

    /// What will not be moved any more is free again.
    fn release(&mut self) -> Result<(), Overdrawn> {
        let goes_on = matches!(self.plan.state, PlanState::Executing | PlanState::Cancelling)
            && matches!(self.step.state, StepState::Waiting | StepState::Open);
        let open = self.books.balance(Account::Approved);
        if goes_on || open == 0 {
            return Ok(());
        }
        self.post(Movement::Released, open, &self.step.department_id.clone())
    }

    fn post(&mut self, movement: Movement, minor: i64, department_id: &str) -> Result<(), Overdrawn> {
        self.books.post(movement, minor)?;
        let Some(amount) = &self.step.remedy.amount else { return Ok(()) };
        self.entries.push(Entry {
            entry_id: Uuid::nil(),
            journal_id: self.id,
            movement,
            plan_id: self.plan.plan_id,
            step_id: self.step.step_id.clone(),
            case_id: self.plan.case_id,
            cycle: self.plan.cycle,
            department_id: department_id.to_owned(),
            kind: self.step.remedy.kind,
            amount: Money { minor, currency: amount.currency.clone() },
            task_id: None,
            reference: String::new(),
            booked_at: self.now,
        });
        Ok(())
    }
}
