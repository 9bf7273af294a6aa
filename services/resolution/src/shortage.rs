//! What a department lacks the goods or parts for. Its task waits until they are expected,
//! and is handed out again then; the planner is shown what could be done instead; and an
//! article that is short again and again raises an alert. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kernel::{CaseId, Money, TaskId};
use uuid::Uuid;

use crate::approval::Grounds;
use crate::case::CaseView;
use crate::refusal::Refusal;
use crate::remedy::{Goods, Remedy, RemedyKind};
use crate::task::{Task, TaskState};

/// Longest that a task waits for goods.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(180 * 24);
/// For how many tasks an article must be short to raise an alert.
pub const ALERT_TASKS: usize = 3;
/// Within how long.
pub const ALERT_WINDOW: Duration = Duration::from_hours(7 * 24);
/// Seconds of a day.
const DAY_SECONDS: u64 = 86_400;
/// Why a task ended that was to be cancelled and that nothing was there for.
const OUT_OF_STOCK: &str = "OUT_OF_STOCK";

/// A department's word that it lacks what a task needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The task.
    pub task_id: TaskId,
    /// Which of the task's, from 1.
    pub number: i32,
    /// The department.
    pub department_id: String,
    /// The article that it lacks.
    pub sku: String,
    /// When it is expected.
    pub expected_at: Timestamp,
    /// Who said so.
    pub reporter: String,
    /// When.
    pub reported_at: Timestamp,
}

/// That an article is short again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockAlert {
    /// Identity: the task it was raised as.
    pub alert_id: TaskId,
    /// The article.
    pub sku: String,
    /// The department that is to see to it.
    pub department_id: String,
    /// The case whose task made it due.
    pub case_id: CaseId,
    /// How many tasks lacked it of late.
    pub tasks: i32,
    /// How many pieces they were for.
    pub quantity: i32,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When it was seen to.
    pub closed_at: Option<Timestamp>,
}

/// A task that lacked an article of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The task.
    pub task_id: TaskId,
    /// When it was last said.
    pub reported_at: Timestamp,
    /// How many pieces it is for.
    pub quantity: i32,
}

/// What could be done instead of a step that waits for goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// What.
    pub kind: RemedyKind,
    /// At most how much one approver may grant of it, of kinds that move money and where a
    /// cap or the sum that was sought says so; none where nothing does.
    pub up_to: Option<Money>,
}

impl Task {
    /// Its holder lacks what it needs: it waits until that is expected, and the attempt does
    /// not count. One that was to be cancelled ends, because nothing was done of it.
    pub fn wait_for_goods(&mut self, token: Uuid, expected_at: Timestamp) -> Result<(), Refusal> {
        self.must_be_held_under(token)?;
        if self.is_compensation() || !self.remedy.kind.takes_goods() {
            return Err(Refusal::NoGoodsNeeded);
        }
        self.version += 1;
        if self.cancel_requested {
            self.state = TaskState::Cancelled;
            self.lease_token = None;
            OUT_OF_STOCK.clone_into(&mut self.last_error);
            return Ok(());
        }
        // Of one that was set aside, its last attempt was this holder's.
        let counted = [TaskState::Leased, TaskState::NeedsAttention, TaskState::OutcomeUnknown];
        if counted.contains(&self.state) {
            self.attempt = (self.attempt - 1).max(0);
        }
        self.state = TaskState::AwaitingStock;
        self.visible_at = expected_at;
        Ok(())
    }

    /// The goods should be there: it may be handed out again. Who waited for them is still
    /// heard until somebody else is handed it.
    pub fn goods_expected(&mut self, now: Timestamp) -> bool {
        let due = self.state == TaskState::AwaitingStock && self.visible_at <= now;
        if due {
            self.version += 1;
            self.state = TaskState::Ready;
        }
        due
    }
}

/// What could be done instead of a step of a kind that waits for goods: what is done with
/// other goods, and money, as far as the case has some left of what was sought and of what
/// one approver may grant.
pub fn alternatives(kind: RemedyKind, grounds: &Grounds) -> Vec<Alternative> {
    let others = kind.instead().iter().copied();
    let offered = |kind: RemedyKind| {
        let up_to = if kind.needs_amount() { left(grounds) } else { None };
        up_to.is_none_or(|up_to| up_to.minor > 0)
    };
    let with = |kind: RemedyKind| {
        let up_to = if kind.needs_amount() { left(grounds) } else { None };
        Alternative { kind, up_to }
    };
    others.filter(|kind| offered(*kind)).map(with).collect()
}

/// What one approver may still grant, in the currency of what was sought; none where no sum
/// was.
fn left(grounds: &Grounds) -> Option<Money> {
    let sought = grounds.sought.as_ref()?;
    let cap = grounds.caps.get(&sought.currency).copied().unwrap_or(i64::MAX);
    let granted = grounds.granted.get(&sought.currency).copied().unwrap_or(0);
    let minor = sought.minor.min(cap).saturating_sub(granted).max(0);
    Some(Money { minor, currency: sought.currency.clone() })
}

/// The alert that is due because an article is short for so many tasks in so short a time
/// that its department is to see to its stock; none where it is not. `lacks` are those of the
/// article that `shortage` is of, that one's included; a task may be told of several times.
pub fn alert_due(
    shortage: &Shortage,
    lacks: &[Lack],
    (alert_id, case_id): (TaskId, CaseId),
    now: Timestamp,
) -> Option<StockAlert> {
    let recent = lacks.iter().filter(|lack| lack.reported_at > now - ALERT_WINDOW && lack.reported_at <= now);
    let tasks: BTreeMap<Uuid, i32> = recent.map(|lack| (lack.task_id.0, lack.quantity)).collect();
    (tasks.len() >= ALERT_TASKS).then(|| StockAlert {
        alert_id,
        sku: shortage.sku.clone(),
        department_id: shortage.department_id.clone(),
        case_id,
        tasks: i32::try_from(tasks.len()).unwrap_or(i32::MAX),
        quantity: tasks.values().fold(0, |sum, quantity| sum.saturating_add(*quantity)),
        raised_at: now,
        closed_at: None,
    })
}

impl StockAlert {
    /// The task it is to its department, in the case that made it due.
    pub fn task(&self, case: &CaseView) -> Task {
        let goods = Some(Goods { sku: self.sku.clone(), quantity: self.quantity });
        let instructions = format!(
            "{} was short for {} tasks within {} days: see to its stock",
            self.sku,
            self.tasks,
            ALERT_WINDOW.as_secs() / DAY_SECONDS
        );
        let remedy = Remedy { kind: RemedyKind::StockAlert, amount: None, goods, instructions, custom: None };
        Task::new(self.alert_id, case.origin(), (self.department_id.clone(), remedy), self.raised_at)
    }
}

#[cfg(test)]
mod tests;
