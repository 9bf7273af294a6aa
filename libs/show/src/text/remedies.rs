//! Plans and the tasks they become.

use proto::redress::feedback::v1::ProblemTaskKind;
use proto::redress::resolution::v1::{
    ApprovalLimits, DepartmentPause, DepartmentQueue, GetTaskResponse, Goods, Inquiry, LedgerMovement,
    ListInvestigationsResponse, ListPlansResponse, ListStockAlertsResponse, ListTasksResponse, Plan,
    PlanState, ProposalKind, ProposalState, RemedyKind, Step, StepShortage, StepState, Task, TaskProposal,
    TaskState, UndoRecord,
};

use super::approvals::{approval, ruling};
use super::supervision::steps;
use super::{more, none_of};
use crate::lines::{money, time};
use crate::table::{Table, facts, one_line};
use crate::words::{priority, word};

/// One plan and its steps.
pub fn plan(plan: &Plan) -> String {
    let head = facts(&[
        ("plan", plan.plan_id.clone()),
        ("version", plan.version.to_string()),
        ("case", plan.case_id.clone()),
        ("cycle", plan.cycle.to_string()),
        ("state", word::<PlanState>(plan.state)),
        ("proposer", plan.proposer.clone()),
        ("first approver", plan.first_approver.clone()),
        ("approver", plan.approver.clone()),
        ("approved by", plan.approvals.iter().map(approval).collect::<Vec<_>>().join(", ")),
        ("judged", plan.ruling.as_ref().map(ruling).unwrap_or_default()),
        ("because", plan.ruling.as_ref().map(|ruling| ruling.reasons.join("\n")).unwrap_or_default()),
        ("two must approve", plan.second_approval_reason.clone()),
        ("revised by", plan.revisers.join(", ")),
        (
            "revision that waits",
            if plan.pending_revision == 0 { String::new() } else { plan.pending_revision.to_string() },
        ),
        ("reason", plan.reason.clone()),
        ("proposed", time(plan.create_time.as_ref())),
        ("ended", time(plan.end_time.as_ref())),
    ]);
    let steps = table_of("step", &plan.steps);
    let taken_out = match plan.taken_out_steps.as_slice() {
        [] => String::new(),
        steps => format!("\n{}", table_of("taken out", steps)),
    };
    format!("{head}\n{steps}{}{}{taken_out}", inputs(&plan.steps), shortages(&plan.steps))
}

/// Steps, how far each is, and what it waits for.
fn table_of(heading: &str, steps: &[Step]) -> String {
    let mut table = Table::new([heading, "what", "department", "after", "state", "task"]);
    for step in steps {
        let replaced = Some(&step.replaces).filter(|replaced| !replaced.is_empty());
        let after: Vec<&str> = step.depends_on.iter().chain(replaced).map(String::as_str).collect();
        table.row([
            step.step_id.clone(),
            what(step),
            step.department_id.clone(),
            after.join(", "),
            word::<StepState>(step.state),
            step.task_id.clone(),
        ]);
    }
    table.render()
}

/// What steps of types of the tenant's own bring.
fn inputs(steps: &[Step]) -> String {
    let custom = steps.iter().filter(|step| !step.input.is_empty());
    let brings = |step: &Step| format!("{} brings {}\n", one_line(&step.step_id), one_line(&step.input));
    custom.map(brings).collect::<Vec<_>>().concat()
}

/// What steps wait for, and what could be done instead.
fn shortages(steps: &[Step]) -> String {
    let waiting = steps.iter().filter_map(|step| Some((step, step.shortage.as_ref()?)));
    let one = |(step, shortage): (&Step, &StepShortage)| {
        let instead = shortage.alternatives.iter().map(|one| match one.up_to.as_ref() {
            Some(up_to) => format!("{} of at most {}", word::<RemedyKind>(one.kind), money(Some(up_to))),
            None => word::<RemedyKind>(one.kind),
        });
        let instead: Vec<String> = instead.collect();
        format!(
            "step {} waits for {}, expected {}; instead: {}\n",
            one_line(&step.step_id),
            one_line(&shortage.sku),
            time(shortage.expect_time.as_ref()),
            instead.join(", "),
        )
    };
    waiting.map(one).collect()
}

/// A page of articles that were short again and again.
pub fn stock_alerts(list: &ListStockAlertsResponse) -> String {
    if list.alerts.is_empty() {
        return none_of("alerts", &list.next_page_token);
    }
    let mut table = Table::new(["alert", "article", "department", "tasks", "pieces", "raised", "seen to"]);
    for alert in &list.alerts {
        table.row([
            alert.alert_id.clone(),
            one_line(&alert.sku),
            alert.department_id.clone(),
            alert.tasks.to_string(),
            alert.quantity.to_string(),
            time(alert.raise_time.as_ref()),
            time(alert.close_time.as_ref()),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// The most that one approver grants.
pub fn approval_limits(limits: &ApprovalLimits) -> String {
    if limits.case_caps.is_empty() {
        return "no caps: one approver grants any sum that was sought\n".to_owned();
    }
    let mut table = Table::new(["one approver grants in a case at most"]);
    for cap in &limits.case_caps {
        table.row([money(Some(cap))]);
    }
    table.render()
}

/// A page of plans, each whole.
pub fn plans(list: &ListPlansResponse) -> String {
    if list.plans.is_empty() {
        return none_of("plans", &list.next_page_token);
    }
    let each: Vec<String> = list.plans.iter().map(plan).collect();
    each.join("\n") + &more(&list.next_page_token)
}

pub(super) fn what(step: &Step) -> String {
    let custom = (step.remedy_type.as_str(), step.remedy_type_version);
    remedy((step.kind, custom), &money(step.amount.as_ref()), step.goods.as_ref())
}

/// A remedy in short: `refund CNY 128.00`, `exchange 1 × SKU-7`, `custom gift-card 3`.
pub(super) fn remedy((kind, (of, version)): (i32, (&str, i64)), sum: &str, goods: Option<&Goods>) -> String {
    let custom = if of.is_empty() { String::new() } else { format!("{of} {version}") };
    let goods = goods.map(|goods| format!("{} × {}", goods.quantity, goods.sku)).unwrap_or_default();
    format!("{} {custom}{sum}{goods}", word::<RemedyKind>(kind)).trim_end().to_owned()
}

/// One task.
pub fn task(task: &Task) -> String {
    let result = task.result.clone().unwrap_or_default();
    facts(&[
        ("task", task.task_id.clone()),
        ("what", in_short(task)),
        ("state", word::<TaskState>(task.state)),
        ("department", task.department_id.clone()),
        ("case", task.case_id.clone()),
        ("plan", task.plan_id.clone()),
        ("recall", task.recall_id.clone()),
        ("problem", task.problem_id.clone()),
        ("step", task.step_id.clone()),
        ("undoes", task.compensates_task_id.clone()),
        ("asked for", asked_for(task)),
        ("asked by", task.requester.clone()),
        ("instructions", task.instructions.clone()),
        ("input", task.input.clone()),
        ("priority", priority(task.priority)),
        ("due", time(task.due_time.as_ref())),
        ("attempt", format!("{} of {}", task.attempt, task.max_attempts)),
        ("worker", task.worker.clone()),
        ("last error", task.last_error.clone()),
        // Of what was not done it is the last error.
        (
            "settled because",
            if task.settle_reason == task.last_error { "" } else { &task.settle_reason }.to_owned(),
        ),
        ("handed back", handed_back(task)),
        ("went on as", task.given_to_task_id.clone()),
        ("reference", result.reference),
        ("sum moved", money(result.amount.as_ref())),
        ("remark", result.remark),
        ("evidence", result.evidence.join(", ")),
        ("output", result.output),
    ])
}

fn asked_for(task: &Task) -> String {
    match (task.inquiry, task.hint) {
        (0, 0) => String::new(),
        (0, hint) => word::<ProblemTaskKind>(hint),
        (inquiry, _) => word::<Inquiry>(inquiry),
    }
}

/// A page of what departments were asked on a case.
pub fn investigations(list: &ListInvestigationsResponse) -> String {
    if list.tasks.is_empty() {
        return none_of("requests", &list.next_page_token);
    }
    let mut table = Table::new(["task", "state", "department", "for", "due", "question", "found"]);
    for task in &list.tasks {
        table.row([
            task.task_id.clone(),
            word::<TaskState>(task.state),
            task.department_id.clone(),
            asked_for(task),
            time(task.due_time.as_ref()),
            one_line(&task.instructions),
            one_line(&task.result.clone().unwrap_or_default().remark),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

fn handed_back(task: &Task) -> String {
    match (task.rejections, task.escalated) {
        (0, _) => String::new(),
        (times, true) => format!("{times} times: a supervisor must find another way"),
        (times, false) => format!("{times} times"),
    }
}

/// What was proposed about a task, and reports that came too late.
pub fn task_history(found: &GetTaskResponse) -> String {
    let mut text = found.task.as_ref().map(task).unwrap_or_default();
    let mut table = Table::new(["proposal", "what", "state", "by", "decided by", "reason"]);
    for proposal in &found.proposals {
        table.row([
            proposal.proposal_id.clone(),
            word::<ProposalKind>(proposal.kind),
            word::<ProposalState>(proposal.state),
            proposal.proposer.clone(),
            proposal.decider.clone(),
            proposal.reason.clone(),
        ]);
    }
    if !found.proposals.is_empty() {
        text = format!("{text}\n{}", table.render());
    }
    let mut table = Table::new(["reported too late", "by", "department", "reference", "sum moved"]);
    for report in &found.refused_reports {
        let result = report.result.clone().unwrap_or_default();
        table.row([
            time(report.report_time.as_ref()),
            report.reporter.clone(),
            report.department_id.clone(),
            result.reference,
            money(result.amount.as_ref()),
        ]);
    }
    if !found.refused_reports.is_empty() {
        text = format!("{text}\n{}", table.render());
    }
    let mut table = Table::new(["lacked", "expected", "department", "by", "said"]);
    for shortage in &found.shortages {
        table.row([
            shortage.sku.clone(),
            time(shortage.expect_time.as_ref()),
            shortage.department_id.clone(),
            shortage.reporter.clone(),
            time(shortage.report_time.as_ref()),
        ]);
    }
    if !found.shortages.is_empty() {
        text = format!("{text}\n{}", table.render());
    }
    if !found.supervision_steps.is_empty() {
        text = format!("{text}\n{}", steps(&found.supervision_steps));
    }
    match &found.undo_record {
        Some(record) => format!("{text}\n{}", undo_record(record)),
        None => text,
    }
}

/// What is known of undoing a step, for who decides whether to try once more.
fn undo_record(record: &UndoRecord) -> String {
    let mut text = facts(&[
        ("paid", money(record.paid.as_ref())),
        ("to customer", record.customer_id.clone()),
        ("collected again", money(record.collected.as_ref())),
        ("written off", money(record.written_off.as_ref())),
        ("still out", money(record.outstanding.as_ref())),
    ]);
    if !record.entries.is_empty() {
        let mut table = Table::new(["booked", "movement", "sum", "department", "reference"]);
        for entry in &record.entries {
            table.row([
                time(entry.book_time.as_ref()),
                word::<LedgerMovement>(entry.movement),
                money(entry.amount.as_ref()),
                entry.department_id.clone(),
                entry.reference.clone(),
            ]);
        }
        text = format!("{text}\n{}", table.render());
    }
    if !record.failures.is_empty() {
        let mut table = Table::new(["tried in vain", "by", "department", "attempt", "because"]);
        for failure in &record.failures {
            table.row([
                time(failure.time.as_ref()),
                failure.worker.clone(),
                failure.department_id.clone(),
                failure.attempt.to_string(),
                one_line(&failure.error),
            ]);
        }
        text = format!("{text}\n{}", table.render());
    }
    text
}

/// What waits for a department.
pub fn department_queue(queue: &DepartmentQueue) -> String {
    let mut text = facts(&[
        ("department", queue.department_id.clone()),
        ("ready", queue.ready.to_string()),
        ("leased", queue.leased.to_string()),
        ("in need of attention", queue.needs_attention.to_string()),
        ("of unknown outcome", queue.outcome_unknown.to_string()),
        ("waiting for goods", queue.awaiting_stock.to_string()),
        ("last poll", time(queue.poll_time.as_ref())),
        ("without a worker since", time(queue.unattended_since_time.as_ref())),
    ]);
    for one in &queue.pauses {
        text = format!("{text}\n{}", pause(one));
    }
    text
}

/// One pause of a department.
pub fn pause(pause: &DepartmentPause) -> String {
    let kind = if pause.kind == 0 { "all".to_owned() } else { word::<RemedyKind>(pause.kind) };
    facts(&[
        ("paused", pause.department_id.clone()),
        ("kind", kind),
        ("reason", pause.reason.clone()),
        ("by", pause.pauser.clone()),
        ("since", time(pause.pause_time.as_ref())),
        ("resumed by", pause.resumer.clone()),
        ("resumed", time(pause.resume_time.as_ref())),
        ("resumed because", pause.resume_reason.clone()),
    ])
}

/// One proposal about a task.
pub fn proposal(proposal: &TaskProposal) -> String {
    let result = proposal.result.clone().unwrap_or_default();
    facts(&[
        ("proposal", proposal.proposal_id.clone()),
        ("task", proposal.task_id.clone()),
        ("what", word::<ProposalKind>(proposal.kind)),
        ("state", word::<ProposalState>(proposal.state)),
        ("due", time(proposal.due_time.as_ref())),
        ("reference", result.reference),
        ("sum moved", money(result.amount.as_ref())),
        ("sum given up", money(proposal.amount.as_ref())),
        ("remark", result.remark),
        ("reason", proposal.reason.clone()),
        ("proposed by", proposal.proposer.clone()),
        ("proposed", time(proposal.propose_time.as_ref())),
        ("decided by", proposal.decider.clone()),
        ("decided", time(proposal.decide_time.as_ref())),
        ("decided because", proposal.decision_reason.clone()),
    ])
}

/// What a task is, in short.
pub fn in_short(task: &Task) -> String {
    let custom = (task.remedy_type.as_str(), task.remedy_type_version);
    let remedy = remedy((task.kind, custom), &money(task.amount.as_ref()), task.goods.as_ref());
    let remedy = one_line(&remedy);
    if task.compensation { format!("undo {remedy}") } else { remedy }
}

/// A page of tasks.
pub fn tasks(list: &ListTasksResponse) -> String {
    if list.tasks.is_empty() {
        return none_of("tasks", &list.next_page_token);
    }
    let mut table = Table::new(["task", "state", "pri", "department", "due", "tries", "what"]);
    for task in &list.tasks {
        table.row([
            task.task_id.clone(),
            word::<TaskState>(task.state),
            priority(task.priority),
            task.department_id.clone(),
            time(task.due_time.as_ref()),
            task.attempt.to_string(),
            in_short(task),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}
