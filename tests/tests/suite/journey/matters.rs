//! The same matter told twice, and told by many.

use proto::redress::assignment::v1::AssignmentState;
use proto::redress::cases::v1::{
    AddToGroupRequest, CaseState, CreateGroupRequest, FindSimilarCasesRequest, GetComplainantHistoryRequest,
    GroupPolicy, LinkCasesRequest, LinkKind, ListLinksRequest, MergeCaseRequest, Priority,
    RemoveFromGroupRequest, SetGroupPolicyRequest, UnlinkCasesRequest, UnmergeCaseRequest,
    WithdrawCaseRequest,
};
use testkit::request_id;
use tonic::Code;

use super::scene::{Scene, broken_cups, refused};

pub(crate) async fn withdraw(scene: &Scene, case_id: &str) {
    let request = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        expected_version: None,
        reason: "settled at the counter".to_owned(),
    };
    scene.cases("clerk").withdraw_case(request).await.unwrap();
    scene.settled().await;
}

/// Found to be the same, merged, and taken apart again: its handler has it back.
pub(crate) async fn told_twice(scene: &Scene) {
    let first = scene.submit(broken_cups()).await.complaint_id;
    let again = scene.submit(broken_cups()).await.complaint_id;
    let request = ListLinksRequest { case_id: again.clone(), ..ListLinksRequest::default() };
    let found = scene.links("reader").list_links(request).await.unwrap().into_inner().links;
    assert!(found.iter().any(|link| link.kind() == LinkKind::Duplicate), "{found:?}");
    let theirs = GetComplainantHistoryRequest {
        email: "WANG@Example.org".to_owned(),
        ..GetComplainantHistoryRequest::default()
    };
    let theirs = scene.complainants("reader").get_complainant_history(theirs).await.unwrap().into_inner();
    let newest: Vec<_> = theirs.cases.iter().map(|case| &case.case_id).take(2).collect();
    assert_eq!(newest, [&again, &first]);
    let unlink = UnlinkCasesRequest {
        request_id: request_id(),
        case_id: again.clone(),
        other_case_id: first.clone(),
        reason: "the cups are others".to_owned(),
    };
    let link = LinkCasesRequest {
        request_id: request_id(),
        case_id: again.clone(),
        other_case_id: first.clone(),
        kind: LinkKind::Duplicate.into(),
        reason: "the cups are the same".to_owned(),
    };
    scene.links("clerk").link_cases(link).await.unwrap();
    scene.links("clerk").unlink_cases(unlink).await.unwrap();

    let agent = scene.accept(&again).await;
    let before = (scene.case(&again).await, scene.assignment_of(&again).await);
    let merge = MergeCaseRequest {
        request_id: request_id(),
        case_id: again.clone(),
        expected_version: Some(before.0.version),
        into_case_id: first.clone(),
        reason: "told twice".to_owned(),
        different_complainants_reason: String::new(),
    };
    let merged = scene.links("clerk").merge_case(merge).await.unwrap().into_inner().case.unwrap();
    assert_eq!((merged.state(), merged.merged_into_case_id), (CaseState::Merged, first.clone()));
    scene.settled().await;
    assert_eq!(scene.assignment_of(&again).await.state(), AssignmentState::Released);
    let unmerge = UnmergeCaseRequest {
        request_id: request_id(),
        case_id: again.clone(),
        expected_version: None,
        reason: "two sets of cups".to_owned(),
    };
    scene.links("clerk").unmerge_case(unmerge).await.unwrap();
    scene.settled().await;
    let after = (scene.case(&again).await, scene.assignment_of(&again).await);
    assert_eq!((after.0.state(), after.0.agent_id.as_str()), (CaseState::Investigating, agent.as_str()));
    assert_eq!((after.1.state(), after.1.agent_id), (before.1.state(), before.1.agent_id));
    let similar = FindSimilarCasesRequest { case_id: again.clone(), ..FindSimilarCasesRequest::default() };
    scene.links("reader").find_similar_cases(similar).await.unwrap();
    withdraw(scene, &first).await;
    withdraw(scene, &again).await;
}

/// Two are many for a tenant who says so.
pub(crate) async fn told_by_many(scene: &Scene) {
    let first = scene.submit(broken_cups()).await.complaint_id;
    let second = scene.submit(broken_cups()).await.complaint_id;
    let policy = GroupPolicy { max_representatives: 1, alarm_from: 2, reason: "a small shop".to_owned() };
    let request = SetGroupPolicyRequest { request_id: request_id(), policy: Some(policy) };
    scene.groups("boss").set_group_policy(request).await.unwrap();
    let create = CreateGroupRequest {
        request_id: request_id(),
        title: "A crate that fell".to_owned(),
        case_ids: vec![first.clone()],
        representative_case_ids: vec![first.clone()],
    };
    let group = scene.groups("clerk").create_group(create).await.unwrap().into_inner().group.unwrap();
    let add = AddToGroupRequest {
        request_id: request_id(),
        group_id: group.group_id.clone(),
        expected_version: Some(group.version),
        case_ids: vec![second.clone()],
        representative_case_ids: Vec::new(),
        reason: "the same crate".to_owned(),
    };
    let group = scene.groups("clerk").add_to_group(add).await.unwrap().into_inner().group.unwrap();
    assert!(group.alarm_time.is_some());
    let speaking = AddToGroupRequest {
        request_id: request_id(),
        group_id: group.group_id.clone(),
        case_ids: vec![scene.submit(broken_cups()).await.complaint_id],
        ..AddToGroupRequest::default()
    };
    let third = speaking.case_ids[0].clone();
    let speaking = AddToGroupRequest { representative_case_ids: vec![third.clone()], ..speaking };
    let answer = scene.groups("clerk").add_to_group(speaking).await;
    refused(answer, Code::FailedPrecondition, "TOO_MANY_REPRESENTATIVES");
    for case_id in [&first, &second] {
        let case = scene.case(case_id).await;
        assert_eq!((case.priority(), case.tier), (Priority::P1, 1));
    }
    scene.settled().await;
    assert_eq!(scene.assignment_of(&first).await.priority(), Priority::P1, "it goes before others");
    let remove = RemoveFromGroupRequest {
        request_id: request_id(),
        group_id: group.group_id,
        expected_version: None,
        case_id: second.clone(),
        reason: "another crate".to_owned(),
    };
    scene.groups("clerk").remove_from_group(remove).await.unwrap();
    for case_id in [first, second, third] {
        withdraw(scene, &case_id).await;
    }
}
