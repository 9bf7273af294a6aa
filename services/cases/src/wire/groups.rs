//! Contract ⇄ domain of `GroupService`.

use std::collections::HashSet;

use fault::{Check, Fault};
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::cases::v1::{
    AddToGroupRequest, CreateGroupRequest, GetGroupRequest, Group as WireGroup, GroupAlarmRaised,
    GroupMember, GroupPolicy, ListGroupsRequest, RemoveFromGroupRequest, SetGroupPolicyRequest,
};
use proto::timestamp;
use uuid::Uuid;

use super::MAX_REASON;
use crate::groups::{Group, Member, Policy};

/// Longest title.
const MAX_TITLE: usize = 300;
/// Most cases added at once.
const MAX_CASES: usize = 500;

/// Cases that join a group, and those of them whose complainants speak for all.
pub(crate) struct Joining {
    /// All of them.
    pub(crate) cases: Vec<Uuid>,
    /// The representatives'.
    pub(crate) representatives: HashSet<Uuid>,
    /// Why they belong to it; may be empty.
    pub(crate) reason: String,
}

fn joining(check: &mut Check, cases: Vec<String>, representatives: Vec<String>) -> Joining {
    let is_cut = cases.len() > MAX_CASES;
    let cases = check.some("case_ids", cases, MAX_CASES);
    let representatives = check.list("representative_case_ids", representatives, MAX_CASES);
    let read = |check: &mut Check, field: &str, texts: &[String]| -> Vec<Uuid> {
        texts.iter().map(|text| check.id::<CaseId>(field, text).0).collect()
    };
    let all = read(check, "case_ids", &cases);
    let distinct: HashSet<Uuid> = all.iter().copied().collect();
    check.ensure(distinct.len() == all.len(), "case_ids", "must name each case once");
    let speaking = read(check, "representative_case_ids", &representatives);
    let among = is_cut || speaking.iter().all(|case| distinct.contains(case));
    check.ensure(among, "representative_case_ids", "must be among case_ids");
    Joining { cases: all, representatives: speaking.into_iter().collect(), reason: String::new() }
}

/// Reads a group to be registered.
pub(crate) fn create(request: CreateGroupRequest) -> Result<(String, Joining), Fault> {
    let CreateGroupRequest { request_id, title, case_ids, representative_case_ids } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let title = check.required("title", title, MAX_TITLE);
    let joining = joining(&mut check, case_ids, representative_case_ids);
    check.done("INVALID_GROUP")?;
    Ok((title, joining))
}

/// A group as the caller has seen it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupTarget {
    /// The group.
    pub(crate) group: Uuid,
    /// The version seen; none skips the check.
    pub(crate) version: Option<i64>,
}

/// Reads which cases join which group, and why.
pub(crate) fn add(request: AddToGroupRequest) -> Result<(GroupTarget, Joining), Fault> {
    let AddToGroupRequest {
        request_id,
        group_id,
        expected_version,
        case_ids,
        representative_case_ids,
        reason,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let group = check.id("group_id", &group_id);
    let joining = joining(&mut check, case_ids, representative_case_ids);
    let reason = check.text("reason", reason, MAX_REASON);
    check.done("INVALID_GROUP")?;
    Ok((GroupTarget { group, version: expected_version }, Joining { reason, ..joining }))
}

/// Reads which case leaves which group, and why.
pub(crate) fn remove(request: RemoveFromGroupRequest) -> Result<(GroupTarget, CaseId, String), Fault> {
    let RemoveFromGroupRequest { request_id, group_id, expected_version, case_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let group = check.id("group_id", &group_id);
    let case = check.id("case_id", &case_id);
    let reason = check.text("reason", reason, MAX_REASON);
    check.done("INVALID_GROUP")?;
    Ok((GroupTarget { group, version: expected_version }, case, reason))
}

/// Reads which group is wanted, and which of its members.
pub(crate) fn get(request: GetGroupRequest) -> Result<(Uuid, Page), Fault> {
    let GetGroupRequest { group_id, page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &group_id);
    let group = check.id("group_id", &group_id);
    check.done("INVALID_LIST")?;
    Ok((group, page))
}

/// Reads which groups are wanted.
pub(crate) fn list(request: ListGroupsRequest) -> Result<(Option<CaseId>, Page), Fault> {
    let ListGroupsRequest { page_size, page_token, case_id } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &case_id);
    let case = (!case_id.is_empty()).then(|| check.id("case_id", &case_id));
    check.done("INVALID_LIST")?;
    Ok((case, page))
}

/// Reads what a tenant decides.
pub(crate) fn policy(request: SetGroupPolicyRequest) -> Result<Policy, Fault> {
    let SetGroupPolicyRequest { request_id, policy } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(policy.is_some(), "policy", "is required");
    let decided = policy.map(|GroupPolicy { max_representatives, alarm_from, reason }| {
        let field = "policy.max_representatives";
        check.ensure((1..=100).contains(&max_representatives), field, "must be 1 to 100");
        check.ensure((2..=100_000).contains(&alarm_from), "policy.alarm_from", "must be 2 to 100000");
        let reason = check.text("policy.reason", reason, MAX_REASON);
        Policy { max_representatives, alarm_from, reason }
    });
    check.done("INVALID_GROUP_POLICY")?;
    Ok(decided.unwrap_or_default())
}

/// A policy as callers see it.
pub(crate) fn decided(policy: Policy) -> GroupPolicy {
    let Policy { max_representatives, alarm_from, reason } = policy;
    GroupPolicy { max_representatives, alarm_from, reason }
}

/// A group as callers see it.
pub(crate) fn group(group: &Group) -> WireGroup {
    WireGroup {
        group_id: group.id.to_string(),
        version: group.version,
        title: group.title.clone(),
        matter: group.matter.number().into(),
        members: group.members,
        representatives: group.representatives,
        alarm_time: group.alarm_time.map(timestamp),
        create_time: Some(timestamp(group.create_time)),
    }
}

/// A member as callers see it.
pub(crate) fn member(member: Member) -> GroupMember {
    let Member { case, representative, actor, join_time } = member;
    GroupMember { case_id: case.to_string(), representative, actor, join_time: Some(timestamp(join_time)) }
}

/// The alarm of a group, for others.
pub(crate) fn alarm(group: &Group, raised: Vec<String>) -> GroupAlarmRaised {
    GroupAlarmRaised {
        group_id: group.id.to_string(),
        title: group.title.clone(),
        members: group.members,
        case_ids: raised,
    }
}
