//! Requests about how agents are chosen.

use fault::{Check, Fault};
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::assignment::v1 as wire;
use uuid::Uuid;

use super::requests::{INVALID_LIST, INVALID_REQUEST};
use crate::routing::{EarlierHandler, RoutingPolicy, Weights};

const MAX_WEIGHT: i32 = 1_000;
const MAX_ACCEPT_SECONDS: i32 = 30 * 86_400;
const MAX_NOTE: usize = 2_000;
const INVALID_POLICY: &str = "INVALID_ROUTING_POLICY";

/// What `CreateRoutingPolicy` asks for.
pub(crate) fn create_policy(request: wire::CreateRoutingPolicyRequest) -> Result<RoutingPolicy, Fault> {
    let wire::CreateRoutingPolicyRequest { request_id, policy } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(policy.is_some(), "policy", "is required");
    let policy = policy.map(|policy| policy_in(&mut check, policy));
    check.done(INVALID_POLICY)?;
    Ok(policy.unwrap_or_else(RoutingPolicy::shipped))
}

fn policy_in(check: &mut Check, policy: wire::RoutingPolicy) -> RoutingPolicy {
    let wire::RoutingPolicy {
        version: _,
        weights,
        earlier_handler,
        accept_seconds,
        note,
        create_time: _,
        active: _,
    } = policy;
    check.ensure(weights.is_some(), "policy.weights", "is required");
    let weights = weights.map_or(Weights::SHIPPED, |weights| weights_in(check, "policy.weights", weights));
    let earlier_handler = match wire::EarlierHandler::try_from(earlier_handler) {
        Ok(wire::EarlierHandler::Unspecified | wire::EarlierHandler::Avoided) => EarlierHandler::Avoided,
        Ok(wire::EarlierHandler::Recused) => EarlierHandler::Recused,
        Err(_) => {
            check.fail("policy.earlier_handler", "is not known");
            EarlierHandler::Avoided
        }
    };
    if !(0..=MAX_ACCEPT_SECONDS).contains(&accept_seconds) {
        check.fail("policy.accept_seconds", format!("must be 0 to {MAX_ACCEPT_SECONDS}"));
    }
    let note = check.text("policy.note", note, MAX_NOTE);
    RoutingPolicy { weights, earlier_handler, accept_seconds, note, ..RoutingPolicy::shipped() }
}

/// Reads weights.
pub(super) fn weights_in(check: &mut Check, field: &str, weights: wire::RoutingWeights) -> Weights {
    let wire::RoutingWeights { load, skill, language, region, affinity, waiting, team } = weights;
    let named = [
        ("load", load),
        ("skill", skill),
        ("language", language),
        ("region", region),
        ("affinity", affinity),
        ("waiting", waiting),
        ("team", team),
    ];
    for (name, weight) in named {
        if !(0..=MAX_WEIGHT).contains(&weight) {
            check.fail(&format!("{field}.{name}"), format!("must be 0 to {MAX_WEIGHT}"));
        }
    }
    Weights { load, skill, language, region, affinity, waiting, team }
}

/// Which version `ActivateRoutingPolicy` asks for.
pub(crate) fn activate_policy(request: wire::ActivateRoutingPolicyRequest) -> Result<i32, Fault> {
    let wire::ActivateRoutingPolicyRequest { request_id, version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(version >= 0, "version", "must not be negative");
    check.done(INVALID_POLICY)?;
    Ok(version)
}

/// Which version `GetRoutingPolicy` asks for; none for that in force.
pub(crate) fn get_policy(request: wire::GetRoutingPolicyRequest) -> Result<Option<i32>, Fault> {
    let wire::GetRoutingPolicyRequest { version } = request;
    let mut check = Check::new();
    check.ensure(version.is_none_or(|version| version >= 0), "version", "must not be negative");
    check.done(INVALID_POLICY)?;
    Ok(version)
}

/// Which page `ListRoutingPolicies` asks for, and the version it begins before.
pub(crate) fn list_policies(request: wire::ListRoutingPoliciesRequest) -> Result<(Option<i32>, Page), Fault> {
    let wire::ListRoutingPoliciesRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "");
    let before = page.after.as_ref().and_then(|after| {
        let before = after.parse().ok();
        check.ensure(before.is_some(), "page_token", "must be a next_page_token of this list");
        before
    });
    check.done(INVALID_LIST)?;
    Ok((before, page))
}

/// Which decision `ExplainAssignment` asks for: the case, and the cycle or 0.
pub(crate) fn explain(request: wire::ExplainAssignmentRequest) -> Result<(CaseId, i32), Fault> {
    let wire::ExplainAssignmentRequest { case_id, cycle } = request;
    let mut check = Check::new();
    let case_id = check.id("case_id", &case_id);
    check.ensure(cycle >= 0, "cycle", "must not be negative");
    check.done(INVALID_REQUEST)?;
    Ok((case_id, cycle))
}

/// Which page `ListUnassignable` asks for, and the case it begins after.
pub(crate) fn list_unassignable(request: wire::ListUnassignableRequest) -> Result<(Uuid, Page), Fault> {
    let wire::ListUnassignableRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "");
    let after = page.after.clone().map(|after| check.id("page_token", &after));
    check.done(INVALID_LIST)?;
    Ok((after.unwrap_or_default(), page))
}
