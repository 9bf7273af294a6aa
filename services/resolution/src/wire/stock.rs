//! Goods that departments lack: what they say of them, and how that is shown.

use std::collections::HashMap;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::TaskId;
use kernel::page::Page;
use proto::redress::resolution::v1;
use proto::timestamp;
use uuid::Uuid;

use super::tasks::{Holder, holder};
use super::{INVALID_REQUEST, MAX_NAME, money, page_by_id};
use crate::approval::Grounds;
use crate::plan::{Plan, Step};
use crate::shortage::{Alternative, LONGEST_WAIT, Shortage, StockAlert, alternatives};
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

pub(crate) fn listing(request: v1::ListStockAlertsRequest) -> Result<(bool, Page, Option<Uuid>), Fault> {
    let v1::ListStockAlertsRequest { open_only, page_size, page_token } = request;
    let mut check = Check::new();
    let (page, after) = page_by_id(&mut check, page_size, &page_token, &open_only.to_string());
    check.done(INVALID_REQUEST)?;
    Ok((open_only, page, after))
}

/// An alert as it is shown.
pub(crate) fn alert(alert: &StockAlert) -> v1::StockAlert {
    v1::StockAlert {
        alert_id: alert.alert_id.to_string(),
        sku: alert.sku.clone(),
        department_id: alert.department_id.clone(),
        case_id: alert.case_id.to_string(),
        tasks: alert.tasks,
        quantity: alert.quantity,
        raise_time: Some(timestamp(alert.raised_at)),
        close_time: alert.closed_at.map(timestamp),
    }
}

pub(crate) fn alert_raised(alert: &StockAlert) -> v1::StockAlertRaised {
    v1::StockAlertRaised {
        alert_id: alert.alert_id.to_string(),
        sku: alert.sku.clone(),
        department_id: alert.department_id.clone(),
        case_id: alert.case_id.to_string(),
        tasks: alert.tasks,
        quantity: alert.quantity,
    }
}

pub(crate) fn alert_closed(task: &Task) -> v1::StockAlertClosed {
    let result = task.result.clone().unwrap_or_default();
    v1::StockAlertClosed {
        task_id: task.task_id.to_string(),
        sku: task.remedy.goods.as_ref().map(|goods| goods.sku.clone()).unwrap_or_default(),
        department_id: task.department_id.clone(),
        case_id: task.case_id.to_string(),
        reference: result.reference,
        remark: result.remark,
    }
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
    for (shown, step) in shown.steps.iter_mut().zip(plan.parts()) {
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
