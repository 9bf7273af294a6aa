//! What a change of a plan books in the remedy ledger. Pure.
//!
//! What is booked is found by comparing where a plan stands with what its steps' books
//! say: what happened once is booked once, whoever caused it.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use kernel::Money;
use uuid::Uuid;

use crate::ledger::{Account, Books, Entry, Movement, Overdrawn};
use crate::plan::{Plan, PlanState, Step, StepState};
use crate::task::{Task, TaskState};

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
