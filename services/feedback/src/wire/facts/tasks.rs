//! What events of departments' tasks add to the facts.

use events::Delivered;
use proto::redress::resolution::v1 as resolution;

use super::{Taken, at, id, sum, time};
use crate::fact::{Facts, LossFact, PaymentFact, Ranked, TaskFact};

/// Rank of the department in charge of a task that is overdue.
const IN_CHARGE: i64 = 1;
/// Rank of the department that did a task: it holds.
const DID_IT: i64 = 2;

/// A task is overdue: its due time has passed.
pub(crate) fn count_overdue(facts: &mut Facts, event: &Delivered, told: resolution::TaskOverdue) -> Taken {
    let department = Some(Ranked::new(told.department_id, IN_CHARGE));
    let task = TaskFact {
        case_id: id("case_id", &told.case_id)?,
        department,
        created: None,
        done: None,
        due: None,
        overdue: time("due_time", told.due_time)?.or(Some(at(event))),
    };
    facts.task(id("task_id", &told.task_id)?, task);
    Ok(())
}

/// A department did something, or undid it: how long it took, and what it paid.
pub(crate) fn count_task(facts: &mut Facts, event: &Delivered, told: resolution::TaskCompleted) -> Taken {
    let department = Some(Ranked::new(told.department_id.clone(), DID_IT));
    let task = TaskFact {
        case_id: id("case_id", &told.case_id)?,
        department,
        created: time("create_time", told.create_time)?,
        done: time("complete_time", told.complete_time)?.or(Some(at(event))),
        due: time("due_time", told.due_time)?,
        overdue: None,
    };
    facts.task(id("task_id", &told.task_id)?, task);
    let amount = sum("amount", told.amount)?;
    let Some(mut amount) = amount.filter(|amount| amount.minor != 0) else { return Ok(()) };
    if told.compensation {
        amount.minor = -amount.minor;
    }
    let payment = PaymentFact { case_id: id("case_id", &told.case_id)?, paid: at(event), amount };
    facts.payment(id("task_id", &told.task_id)?, payment);
    Ok(())
}

/// What a department could not take back was written off. Of what is no money nothing is
/// counted.
pub(crate) fn count_written_off(
    facts: &mut Facts,
    event: &Delivered,
    told: resolution::TaskWrittenOff,
) -> Taken {
    let amount = sum("amount", told.amount)?;
    let Some(amount) = amount.filter(|amount| amount.minor != 0) else { return Ok(()) };
    let loss = LossFact {
        case_id: id("case_id", &told.case_id)?,
        department: told.department_id,
        written_off: at(event),
        amount,
    };
    facts.loss(id("task_id", &told.task_id)?, loss);
    Ok(())
}
