//! Approval policies, what they make of plans, and delegations.

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::Money;
use kernel::page::Page;
use proto::google::r#type::Money as WireMoney;
use proto::redress::resolution::v1;
use proto::timestamp;
use uuid::Uuid;

use super::{INVALID_REQUEST, MAX_NAME, MAX_REASON, money, note, page_by_id};
use crate::approval::policy::{ApproverLimit, Definition, Demand, MAX_APPROVERS, Rule, USUAL_DAYS};
use crate::approval::{Approval, Judged, KeptPolicy, Outcome, Ruling, Sums, Window};
use crate::delegation::Delegation;
use crate::remedy::Flaw;

/// Longest note about a version.
const MAX_NOTE: usize = 1_000;
/// Most rules of a policy; longest name, condition and reason of one.
const MAX_RULES: usize = 100;
const MAX_RULE_NAME: usize = 60;
const MAX_CONDITION: usize = 2_000;
const MAX_RULE_REASON: usize = 300;
/// Most people with a limit of their own, and most currencies of a limit.
const MAX_OWN_LIMITS: usize = 500;
const MAX_CURRENCIES: usize = 50;

const INVALID_POLICY: &str = "INVALID_APPROVAL_POLICY";
const INVALID_REPLAY: &str = "INVALID_REPLAY";
const INVALID_DELEGATION: &str = "INVALID_DELEGATION";

/// Reads a policy as far as its fields go; what its rules mean is checked next.
pub(crate) fn creation(request: v1::CreateApprovalPolicyRequest) -> Result<(Definition, String), Fault> {
    let v1::CreateApprovalPolicyRequest { request_id, policy } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(policy.is_some(), "policy", "is required");
    let (definition, note) = definition(&mut check, policy.unwrap_or_default());
    check.done(INVALID_POLICY)?;
    Ok((definition, note))
}

fn definition(check: &mut Check, policy: v1::ApprovalPolicy) -> (Definition, String) {
    let v1::ApprovalPolicy { note, rules, complainant_caps, complainant_days, approver_limits, .. } = policy;
    let note = check.text("policy.note", note, MAX_NOTE);
    let rules = check.list("policy.rules", rules, MAX_RULES).into_iter().enumerate();
    let rules = rules.map(|(at, rule)| read_rule(check, at, rule)).collect();
    let complainant_caps = sums(check, "policy.complainant_caps", complainant_caps);
    let limits = check.list("policy.approver_limits", approver_limits, MAX_OWN_LIMITS);
    let approver_limits = limits.into_iter().enumerate().map(|(at, limit)| {
        let v1::ApproverLimit { approver, limits } = limit;
        let field = format!("policy.approver_limits[{at}]");
        check.ensure(!limits.is_empty(), &format!("{field}.limits"), "is required");
        ApproverLimit {
            approver: check.required(&format!("{field}.approver"), approver, MAX_NAME),
            limits: sums(check, &format!("{field}.limits"), limits),
        }
    });
    let approver_limits = approver_limits.collect();
    let complainant_days = if complainant_days == 0 { USUAL_DAYS } else { complainant_days };
    (Definition { rules, complainant_caps, complainant_days, approver_limits }, note)
}

/// Sums, each more than zero and of a currency of its own.
fn sums(check: &mut Check, field: &str, listed: Vec<WireMoney>) -> Sums {
    let mut sums = Sums::new();
    for (at, sum) in check.list(field, listed, MAX_CURRENCIES).into_iter().enumerate() {
        let field = format!("{field}[{at}]");
        let Some(Money { minor, currency }) = check.money(&field, Some(sum)) else { continue };
        check.ensure(minor > 0, &field, "must be more than zero");
        check.ensure(!sums.contains_key(&currency), &field, "is a second sum of its currency");
        sums.insert(currency, minor);
    }
    sums
}

fn read_rule(check: &mut Check, at: usize, rule: v1::ApprovalRule) -> Rule {
    let v1::ApprovalRule { name, when, reason, demand, approvers, approver_limit } = rule;
    let field = |name: &str| format!("policy.rules[{at}].{name}");
    let name = check.required(&field("name"), name, MAX_RULE_NAME);
    let when = check.required(&field("when"), when, MAX_CONDITION);
    let reason = check.required(&field("reason"), reason, MAX_RULE_REASON);
    let limit = sums(check, &field("approver_limit"), approver_limit);
    let demanded = v1::ApprovalDemand::try_from(demand);
    if demanded == Ok(v1::ApprovalDemand::Approvers) {
        let is_few = (1..=MAX_APPROVERS).contains(&approvers);
        check.ensure(is_few, &field("approvers"), "must be 1 to 5");
        let count = u8::try_from(approvers).unwrap_or(1);
        return Rule { name, when, reason, demand: Demand::Approvers { count, limit } };
    }
    check.ensure(approvers == 0, &field("approvers"), "is for rules that demand approvers");
    check.ensure(limit.is_empty(), &field("approver_limit"), "is for rules that demand approvers");
    let demand = match demanded {
        Ok(v1::ApprovalDemand::Automatic) => Demand::Automatic,
        Ok(v1::ApprovalDemand::Refusal) => Demand::Refusal,
        _ => {
            let what = if demand == 0 { "is required" } else { "is not a known value" };
            check.fail(&field("demand"), what);
            Demand::Refusal
        }
    };
    Rule { name, when, reason, demand }
}

/// What is wrong with a policy whose fields are well-formed.
pub(crate) fn flawed(flaws: Vec<Flaw>) -> Result<(), Fault> {
    let mut check = Check::new();
    note(&mut check, "policy.", flaws);
    check.done(INVALID_POLICY)
}

/// The same of one that is only tried.
pub(crate) fn flawed_candidate(flaws: Vec<Flaw>) -> Result<(), Fault> {
    let mut check = Check::new();
    note(&mut check, "policy.", flaws);
    check.done(INVALID_REPLAY)
}

fn version(check: &mut Check, version: i64) -> i64 {
    check.ensure(version >= 0, "version", "must not be negative");
    version
}

pub(crate) fn activation(request: v1::ActivateApprovalPolicyRequest) -> Result<i64, Fault> {
    let v1::ActivateApprovalPolicyRequest { request_id, version: wanted } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let wanted = version(&mut check, wanted);
    check.done(INVALID_POLICY)?;
    Ok(wanted)
}

pub(crate) fn reading(request: v1::GetApprovalPolicyRequest) -> Result<Option<i64>, Fault> {
    let v1::GetApprovalPolicyRequest { version: wanted } = request;
    let mut check = Check::new();
    let wanted = wanted.map(|wanted| version(&mut check, wanted));
    check.done(INVALID_POLICY)?;
    Ok(wanted)
}

/// The page of versions that is asked for, and the version it begins before.
pub(crate) fn listing(request: v1::ListApprovalPoliciesRequest) -> Result<(Option<i64>, Page), Fault> {
    let v1::ListApprovalPoliciesRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "");
    let before = page.after.as_ref().and_then(|after| after.parse().ok());
    check.ensure(before.is_some() == page.after.is_some(), "page_token", "is not a token of this list");
    check.done(INVALID_REQUEST)?;
    Ok((before, page))
}

/// What past plans are judged by.
pub(crate) enum Candidate {
    /// A version.
    Version(i64),
    /// A policy that is not kept.
    Policy(Definition),
}

/// What is replayed over what.
pub(crate) struct Replay {
    pub(crate) candidate: Candidate,
    pub(crate) window: Window,
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

pub(crate) fn replay(request: v1::ReplayApprovalsRequest) -> Result<Replay, Fault> {
    let v1::ReplayApprovalsRequest { version: wanted, policy, start_time, end_time, page_size, page_token } =
        request;
    let mut check = Check::new();
    let filters = format!("{wanted} {policy:?} {start_time:?} {end_time:?}");
    let (page, after) = page_by_id(&mut check, page_size, &page_token, &filters);
    let wanted = version(&mut check, wanted);
    let window =
        Window { start: check.time("start_time", start_time), end: check.time("end_time", end_time) };
    let in_order = window.start.zip(window.end).is_none_or(|(start, end)| start < end);
    check.ensure(in_order, "end_time", "must be after start_time");
    let candidate = match policy {
        Some(policy) => Candidate::Policy(definition(&mut check, policy).0),
        None => Candidate::Version(wanted),
    };
    check.done(INVALID_REPLAY)?;
    Ok(Replay { candidate, window, page, after })
}

/// Counts a plan that would have been judged otherwise; answers it.
pub(crate) fn replayed(
    counts: &mut v1::ReplayApprovalsResponse,
    judged: &Judged,
    replayed: &Ruling,
) -> Option<v1::ReplayedPlan> {
    let (was, would) = (judged.ruling.outcome, replayed.outcome);
    let count = match (was, would) {
        _ if was == would => return None,
        (_, Outcome::Automatic) => &mut counts.automatic,
        (_, Outcome::Refused) => &mut counts.refused,
        _ if would > was => &mut counts.more_approvers,
        _ => &mut counts.fewer_approvers,
    };
    *count += 1;
    Some(v1::ReplayedPlan {
        plan_id: judged.plan_id.to_string(),
        case_id: judged.case_id.to_string(),
        propose_time: Some(timestamp(judged.judged_at)),
        ruling: Some(ruling(&judged.ruling)),
        replayed_ruling: Some(ruling(replayed)),
        revision_number: judged.revision.unwrap_or_default().into(),
    })
}

/// A delegation by somebody, as it would be.
pub(crate) fn delegation(
    request: v1::DelegateApprovalsRequest,
) -> Result<impl FnOnce(Uuid, &str, Timestamp) -> Result<Delegation, Fault>, Fault> {
    let v1::DelegateApprovalsRequest { request_id, delegate, start_time, end_time, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let delegate = check.required("delegate", delegate, MAX_NAME);
    let start = check.time("start_time", start_time);
    check.ensure(end_time.is_some(), "end_time", "is required");
    let end = check.time("end_time", end_time).unwrap_or_default();
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_DELEGATION)?;
    Ok(move |delegation_id, delegator: &str, now| {
        let delegation = Delegation {
            delegation_id,
            delegator: delegator.to_owned(),
            delegate,
            start: start.unwrap_or(now),
            end,
            reason,
            created_at: now,
            revoked_at: None,
        };
        let mut check = Check::new();
        note(&mut check, "", delegation.flaws());
        check.done(INVALID_DELEGATION)?;
        Ok(delegation)
    })
}

pub(crate) fn revocation(request: v1::RevokeDelegationRequest) -> Result<Uuid, Fault> {
    let v1::RevokeDelegationRequest { request_id, delegation_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let delegation_id = check.id("delegation_id", &delegation_id);
    check.done(INVALID_DELEGATION)?;
    Ok(delegation_id)
}

pub(crate) fn delegations(request: v1::ListDelegationsRequest) -> Result<(Page, Option<Uuid>), Fault> {
    let v1::ListDelegationsRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let paged = page_by_id(&mut check, page_size, &page_token, "");
    check.done(INVALID_REQUEST)?;
    Ok(paged)
}

fn shown_sums(sums: Sums) -> Vec<WireMoney> {
    sums.into_iter().map(|(currency, minor)| money(&Money { minor, currency })).collect()
}

/// A policy as callers see it.
pub(crate) fn policy(kept: KeptPolicy) -> v1::ApprovalPolicy {
    let KeptPolicy { version, note, creator, created_at, activated_at, is_active, definition } = kept;
    let about = v1::ApprovalPolicy {
        version,
        note,
        active: is_active,
        create_time: created_at.map(timestamp),
        creator,
        activate_time: activated_at.map(timestamp),
        ..v1::ApprovalPolicy::default()
    };
    let Some(Definition { rules, complainant_caps, complainant_days, approver_limits }) = definition else {
        return about;
    };
    let limit =
        |ApproverLimit { approver, limits }| v1::ApproverLimit { approver, limits: shown_sums(limits) };
    v1::ApprovalPolicy {
        rules: rules.into_iter().map(shown_rule).collect(),
        complainant_caps: shown_sums(complainant_caps),
        complainant_days,
        approver_limits: approver_limits.into_iter().map(limit).collect(),
        ..about
    }
}

fn shown_rule(rule: Rule) -> v1::ApprovalRule {
    let Rule { name, when, reason, demand } = rule;
    let (demand, approvers, limit) = match demand {
        Demand::Automatic => (v1::ApprovalDemand::Automatic, 0, Sums::new()),
        Demand::Approvers { count, limit } => (v1::ApprovalDemand::Approvers, count.into(), limit),
        Demand::Refusal => (v1::ApprovalDemand::Refusal, 0, Sums::new()),
    };
    let approver_limit = shown_sums(limit);
    v1::ApprovalRule { name, when, reason, demand: demand.into(), approvers, approver_limit }
}

/// How a plan was judged.
pub(crate) fn ruling(ruling: &Ruling) -> v1::ApprovalRuling {
    let (demand, approvers) = match ruling.outcome {
        Outcome::Automatic => (v1::ApprovalDemand::Automatic, 0),
        Outcome::Approvers(count) => (v1::ApprovalDemand::Approvers, count.into()),
        Outcome::Refused => (v1::ApprovalDemand::Refusal, 0),
    };
    v1::ApprovalRuling {
        demand: demand.into(),
        approvers,
        rule: ruling.rule.clone(),
        policy_version: ruling.policy,
        reasons: ruling.reasons.clone(),
    }
}

/// One person's approval.
pub(crate) fn approval(approval: &Approval) -> v1::PlanApproval {
    v1::PlanApproval {
        approver: approval.approver.clone(),
        on_behalf_of: approval.on_behalf_of.clone(),
        approve_time: Some(timestamp(approval.approved_at)),
    }
}

/// A delegation as it is shown.
pub(crate) fn shown_delegation(delegation: &Delegation) -> v1::ApprovalDelegation {
    v1::ApprovalDelegation {
        delegation_id: delegation.delegation_id.to_string(),
        delegator: delegation.delegator.clone(),
        delegate: delegation.delegate.clone(),
        start_time: Some(timestamp(delegation.start)),
        end_time: Some(timestamp(delegation.end)),
        reason: delegation.reason.clone(),
        create_time: Some(timestamp(delegation.created_at)),
        revoke_time: delegation.revoked_at.map(timestamp),
    }
}
