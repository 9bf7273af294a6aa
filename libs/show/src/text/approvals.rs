//! How plans are approved: the policy, what it makes of plans, and who approves for whom.

use proto::google::r#type::Money;
use proto::redress::resolution::v1::{
    ApprovalDelegation, ApprovalDemand, ApprovalPolicy, ApprovalRule, ApprovalRuling,
    ListApprovalPoliciesResponse, ListDelegationsResponse, PlanApproval, ReplayApprovalsResponse,
};

use super::{more, none_of};
use crate::lines::{money, time};
use crate::table::{Table, facts};
use crate::words::word;

fn sums(sums: &[Money]) -> String {
    sums.iter().map(|sum| money(Some(sum))).collect::<Vec<_>>().join(", ")
}

/// What is demanded: `automatic`, `2 approvers`, `refusal`.
fn demanded(demand: i32, approvers: i32) -> String {
    match approvers {
        0 => word::<ApprovalDemand>(demand),
        1 => "1 approver".to_owned(),
        count => format!("{count} approvers"),
    }
}

/// How a plan was judged, in short.
pub(super) fn ruling(ruling: &ApprovalRuling) -> String {
    let demand = demanded(ruling.demand, ruling.approvers);
    let version = ruling.policy_version;
    match ruling.rule.as_str() {
        "" => format!("{demand} (no rule, policy version {version})"),
        rule => format!("{demand} (rule {rule}, policy version {version})"),
    }
}

/// Who approved, in short: `gu`, `li for head`.
pub(super) fn approval(approval: &PlanApproval) -> String {
    match approval.on_behalf_of.as_str() {
        "" => approval.approver.clone(),
        behalf => format!("{} for {behalf}", approval.approver),
    }
}

/// One version of the approval policy.
pub fn approval_policy(policy: &ApprovalPolicy) -> String {
    let mut text = facts(&[
        ("version", policy.version.to_string()),
        ("active", if policy.active { "yes".into() } else { "no".into() }),
        ("note", policy.note.clone()),
        ("one approver grants to a complainant at most", sums(&policy.complainant_caps)),
        ("in days", policy.complainant_days.to_string()),
        ("created", time(policy.create_time.as_ref())),
        ("by", policy.creator.clone()),
        ("activated", time(policy.activate_time.as_ref())),
    ]);
    let mut table = Table::new(["rule", "demands", "up to each", "because", "when"]);
    for rule in &policy.rules {
        let ApprovalRule { name, when, reason, demand, approvers, approver_limit } = rule;
        let demands = demanded(*demand, *approvers);
        table.row([name.clone(), demands, sums(approver_limit), reason.clone(), when.clone()]);
    }
    if policy.rules.is_empty() {
        text.push_str("\nno rules: one person approves\n");
    } else {
        text = format!("{text}\n{}", table.render());
    }
    let mut table = Table::new(["approver", "may approve in a plan"]);
    for own in &policy.approver_limits {
        table.row([own.approver.clone(), sums(&own.limits)]);
    }
    if policy.approver_limits.is_empty() { text } else { format!("{text}\n{}", table.render()) }
}

/// A page of versions.
pub fn approval_policies(list: &ListApprovalPoliciesResponse) -> String {
    if list.policies.is_empty() {
        return none_of("policies; the one that is shipped is active", &list.next_page_token);
    }
    let mut table = Table::new(["version", "active", "created", "by", "note"]);
    for policy in &list.policies {
        table.row([
            policy.version.to_string(),
            if policy.active { "yes".to_owned() } else { String::new() },
            time(policy.create_time.as_ref()),
            policy.creator.clone(),
            policy.note.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// Which plans would have been judged otherwise.
pub fn approvals_replayed(page: &ReplayApprovalsResponse) -> String {
    let mut table = Table::new(["plan", "revision", "judged", "was", "would be", "because"]);
    for plan in &page.plans {
        let replayed = plan.replayed_ruling.clone().unwrap_or_default();
        table.row([
            plan.plan_id.clone(),
            if plan.revision_number == 0 { "-".to_owned() } else { plan.revision_number.to_string() },
            time(plan.propose_time.as_ref()),
            plan.ruling.as_ref().map(ruling).unwrap_or_default(),
            ruling(&replayed),
            replayed.reasons.join("; "),
        ]);
    }
    let rows = if page.plans.is_empty() { String::new() } else { table.render() };
    format!(
        "{rows}{} of {} plans and revisions would be judged otherwise: {} automatic, {} refused, {} with more approvers, {} with fewer\n{}",
        page.plans.len(),
        page.examined,
        page.automatic,
        page.refused,
        page.more_approvers,
        page.fewer_approvers,
        more(&page.next_page_token)
    )
}

/// One delegation.
pub fn delegation(delegation: &ApprovalDelegation) -> String {
    facts(&[
        ("delegation", delegation.delegation_id.clone()),
        ("delegator", delegation.delegator.clone()),
        ("delegate", delegation.delegate.clone()),
        ("from", time(delegation.start_time.as_ref())),
        ("until", time(delegation.end_time.as_ref())),
        ("reason", delegation.reason.clone()),
        ("made", time(delegation.create_time.as_ref())),
        ("revoked", time(delegation.revoke_time.as_ref())),
    ])
}

/// A page of delegations.
pub fn delegations(list: &ListDelegationsResponse) -> String {
    if list.delegations.is_empty() {
        return none_of("delegations", &list.next_page_token);
    }
    let mut table = Table::new(["delegation", "delegator", "delegate", "from", "until", "revoked", "reason"]);
    for one in &list.delegations {
        table.row([
            one.delegation_id.clone(),
            one.delegator.clone(),
            one.delegate.clone(),
            time(one.start_time.as_ref()),
            time(one.end_time.as_ref()),
            time(one.revoke_time.as_ref()),
            one.reason.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}
