//! The view of those who supervise: how it is asked for, and how it reads.

use std::collections::BTreeSet;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use kernel::{CaseId, Money};
use proto::google::r#type::Money as WireMoney;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::{INVALID_REQUEST, money, read_key, time_key};
use crate::supervision::{
    Counts, HOLDERS, Holder, MAX_HOLDERS, MAX_LIMITS, MAX_REASONS, Overview, Reason, Scope, SupervisedCase,
};

/// Longest id of a department.
const MAX_DEPARTMENT: usize = 100;
/// Longest id of an agent.
const MAX_AGENT: usize = 200;

fn department(check: &mut Check, id: String) -> Option<String> {
    let id = check.text("department_id", id, MAX_DEPARTMENT);
    (!id.is_empty()).then_some(id)
}

/// Limits of money, one of each currency.
fn limits(check: &mut Check, limits: Vec<WireMoney>) -> Vec<Money> {
    let mut currencies = BTreeSet::new();
    let mut read = Vec::new();
    for (place, limit) in check.list("money_limits", limits, MAX_LIMITS).into_iter().enumerate() {
        let field = format!("money_limits[{place}]");
        let Some(limit) = check.money(&field, Some(limit)) else { continue };
        check.ensure(limit.minor >= 0, &field, "must not be negative");
        check.ensure(
            currencies.insert(limit.currency.clone()),
            &field,
            "is of a currency that has a limit already",
        );
        read.push(limit);
    }
    read
}

/// Who is told of, and how many of them.
pub(crate) fn overview_of(request: wire::GetSupervisionOverviewRequest) -> Result<(Scope, i32), Fault> {
    let wire::GetSupervisionOverviewRequest { department_id, money_limits, max_holders } = request;
    let mut check = Check::new();
    let department = department(&mut check, department_id);
    let limits = limits(&mut check, money_limits);
    check.ensure((0..=MAX_HOLDERS).contains(&max_holders), "max_holders", "must be 0 to 500");
    check.done(INVALID_REQUEST)?;
    let max_holders = if max_holders == 0 { HOLDERS } else { max_holders };
    Ok((Scope { department, limits, ..Scope::default() }, max_holders))
}

/// Which cases to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct SupervisedQuery {
    pub(crate) scope: Scope,
    pub(crate) page: Page,
    pub(crate) after: Option<(Timestamp, Uuid)>,
}

pub(crate) fn supervised_of(request: wire::ListSupervisedCasesRequest) -> Result<SupervisedQuery, Fault> {
    let wire::ListSupervisedCasesRequest {
        page_size,
        page_token,
        reasons,
        department_id,
        agent_id,
        money_limits,
    } = request;
    let mut check = Check::new();
    let reasons = reasons_of(&mut check, reasons);
    let department = department(&mut check, department_id);
    let agent = agent_id.map(|agent| check.text("agent_id", agent, MAX_AGENT));
    let limits = limits(&mut check, money_limits);
    let scope = Scope { department, agent, reasons, limits };
    let page = check.page(page_size, &page_token, &format!("{scope:?}"));
    let after = page.after.as_deref().map(read_key);
    check.ensure(after != Some(None), "page_token", "is not of this list");
    check.done(INVALID_REQUEST)?;
    Ok(SupervisedQuery { scope, page, after: after.flatten() })
}

fn reasons_of(check: &mut Check, reasons: Vec<i32>) -> Vec<Reason> {
    let mut read = Vec::new();
    for (place, reason) in check.list("reasons", reasons, MAX_REASONS).into_iter().enumerate() {
        let known = Reason::of(reason);
        check.ensure(known.is_some(), &format!("reasons[{place}]"), "is not a reason to look at a case");
        read.extend(known);
    }
    read
}

fn counts(counts: Counts) -> wire::SupervisionCounts {
    let Counts { open, resolved, overdue, escalated, reworked, disputed, over_limit, supervised } = counts;
    wire::SupervisionCounts {
        open_count: open,
        resolved_count: resolved,
        overdue_count: overdue,
        escalated_count: escalated,
        reworked_count: reworked,
        disputed_count: disputed,
        money_over_limit_count: over_limit,
        supervised_count: supervised,
    }
}

fn holder(holder: Holder) -> wire::HolderSupervision {
    wire::HolderSupervision {
        agent_id: holder.agent,
        department_id: holder.department,
        counts: Some(counts(holder.counts)),
        oldest_receive_time: holder.oldest.map(timestamp),
        oldest_breach_time: holder.oldest_breach.map(timestamp),
    }
}

/// Who has open cases, as it is told.
pub(crate) fn supervision_overview(
    overview: Overview,
    state: wire::FactState,
) -> wire::GetSupervisionOverviewResponse {
    let Overview { totals, holders, holder_count } = overview;
    let holders = holders.into_iter().map(holder).collect();
    wire::GetSupervisionOverviewResponse {
        totals: Some(counts(totals)),
        holders,
        holder_count,
        state: Some(state),
    }
}

/// Where a case stands in a list by time of receipt.
pub(crate) fn received_key(received: Timestamp, case: CaseId) -> String {
    time_key(received, case.0)
}

/// A case that is looked at, as it is told.
pub(crate) fn supervised(case: SupervisedCase) -> wire::SupervisedCase {
    wire::SupervisedCase {
        case_id: case.id.to_string(),
        cycle: case.cycle,
        reasons: case.reasons.into_iter().map(|reason| reason.number().into()).collect(),
        agent_id: case.agent,
        department_id: case.department,
        category: case.category,
        priority: case.priority.into(),
        receive_time: Some(timestamp(case.received)),
        breach_time: case.breached.map(timestamp),
        escalate_time: case.escalated.map(timestamp),
        resolve_time: case.resolved.map(timestamp),
        amount_sought: case.sought.map(money),
        amounts_paid: case.paid.into_iter().map(money).collect(),
    }
}
