//! Goods that departments lack: what they say of them, and how that is shown.

use std::collections::HashMap;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::TaskId;
use proto::redress::resolution::v1;
use proto::timestamp;

use super::tasks::{Holder, holder};
use super::{MAX_NAME, money};
use crate::approval::Grounds;
use crate::plan::{Plan, Step};
use crate::shortage::{Alternative, LONGEST_WAIT, Shortage, alternatives};
use crate::task::Task;

const INVALID_SHORTAGE: &str = "INVALID_SHORTAGE";

/// What its holder lacks for a task.
#[derive(Clone)]
pub(crate) struct Lacking {
    /// The article; empty for the task's own.
    pub(crate) sku: String,
    /// When it is expected.
    pub(crate) expected_at: Timestamp,
}

pub(crate) fn report(request: v1::ReportShortageRequest) -> Result<(Holder, Lacking), Fault> {
    let v1::ReportShortageRequest { request_id, task_id, lease_token, sku, expect_time } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let holder = holder(&mut check, &task_id, &lease_token);
    let sku = check.text("sku", sku, MAX_NAME).trim().to_owned();
    let given = expect_time.is_some();
    let expected_at = check.time("expect_time", expect_time);
    check.ensure(given, "expect_time", "is required");
    check.done(INVALID_SHORTAGE)?;
    Ok((holder, Lacking { sku, expected_at: kernel::time::micros(expected_at.unwrap_or_default()) }))
}

/// What a task lacks: which article, where none was named its own. Refused when it is not
/// expected within the longest wait, and when nobody says what it is.
pub(crate) fn fitting(task: &Task, lacking: Lacking, now: Timestamp) -> Result<Lacking, Fault> {
    let Lacking { sku, expected_at } = lacking;
    let own = || task.remedy.goods.as_ref().map(|goods| goods.sku.clone()).unwrap_or_default();
    let sku = if sku.is_empty() { own() } else { sku };
    let mut check = Check::new();
    check.ensure(!sku.is_empty(), "sku", "is required: the task names no article");
    let within = expected_at > now && expected_at <= now + LONGEST_WAIT;
    check.ensure(within, "expect_time", "must be later than now, by 180 days at most");
    check.done(INVALID_SHORTAGE)?;
    Ok(Lacking { sku, expected_at })
}

/// A shortage as it is shown.
pub(crate) fn shortage(shortage: &Shortage) -> v1::Shortage {
    v1::Shortage {
        number: shortage.number,
        department_id: shortage.department_id.clone(),
        sku: shortage.sku.clone(),
        expect_time: Some(timestamp(shortage.expected_at)),
        reporter: shortage.reporter.clone(),
        report_time: Some(timestamp(shortage.reported_at)),
    }
}

/// Shows on a plan what its steps wait for, and what could be done instead.
pub(crate) fn show(
    shown: &mut v1::Plan,
    plan: &Plan,
    (shortages, grounds): (&HashMap<TaskId, Shortage>, &Grounds),
) {
    for (shown, step) in shown.steps.iter_mut().zip(&plan.steps) {
        let shortage = step.task_id.and_then(|task_id| shortages.get(&task_id));
        shown.shortage = shortage.map(|shortage| of_step(step, shortage, grounds));
    }
}

fn of_step(step: &Step, shortage: &Shortage, grounds: &Grounds) -> v1::StepShortage {
    v1::StepShortage {
        sku: shortage.sku.clone(),
        expect_time: Some(timestamp(shortage.expected_at)),
        reports: shortage.number,
        alternatives: alternatives(step.remedy.kind, grounds).iter().map(alternative).collect(),
    }
}

fn alternative(one: &Alternative) -> v1::StepAlternative {
    v1::StepAlternative { kind: i32::from(one.kind.number()), up_to: one.up_to.as_ref().map(money) }
}
