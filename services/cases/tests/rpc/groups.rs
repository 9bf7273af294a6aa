//! Groups: many complainants about one matter, their representatives, their alarm.

use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::group_service_client::GroupServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    AddToGroupRequest, CaseEscalated, CasePriorityRaised, ClockKind, CreateGroupRequest,
    GetGroupPolicyRequest, GetGroupRequest, Group, GroupAlarmRaised, GroupPolicy, ListClocksRequest,
    ListGroupsRequest, Priority, RemoveFromGroupRequest, RetriageCaseRequest, SetGroupPolicyRequest,
    TimelineKind, WithdrawCaseRequest,
};
use proto::redress::intake::v1::{Complaint, Matter};
use testkit::{CallerChannel, House, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::{Scene, complaint, registered};

type Groups = GroupServiceClient<CallerChannel>;

fn groups(scene: &Scene) -> Groups {
    GroupServiceClient::new(scene.house.channel())
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

fn precondition(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

fn texts(cases: &[Uuid]) -> Vec<String> {
    cases.iter().map(ToString::to_string).collect()
}

async fn cases(scene: &Scene, count: usize) -> Vec<Uuid> {
    let mut cases = Vec::new();
    for _ in 0..count {
        let case = scene.new_id();
        scene.house.tell("intake", case, &registered(case, complaint(), scene.now())).await;
        cases.push(case);
    }
    scene.house.settled().await;
    cases
}

fn group(cases: &[Uuid], speaking: &[Uuid]) -> CreateGroupRequest {
    CreateGroupRequest {
        request_id: request_id(),
        title: "Lift out of order in block 7".to_owned(),
        case_ids: texts(cases),
        representative_case_ids: texts(speaking),
    }
}

fn add(group: &Group, cases: &[Uuid]) -> AddToGroupRequest {
    AddToGroupRequest {
        request_id: request_id(),
        group_id: group.group_id.clone(),
        case_ids: texts(cases),
        reason: "the same lift".to_owned(),
        ..AddToGroupRequest::default()
    }
}

async fn create(scene: &Scene, cases: &[Uuid]) -> Group {
    let answer = groups(scene).create_group(group(cases, &[])).await;
    answer.expect("it can be registered").into_inner().group.expect("a group")
}

/// When a case is to be decided, in seconds.
async fn decision_due(scene: &Scene, case: Uuid) -> i64 {
    let request = ListClocksRequest { case_id: case.to_string() };
    let mut client = ClockServiceClient::new(scene.house.channel());
    let clocks = client.list_clocks(request).await.expect("it has clocks").into_inner().clocks;
    let decide = clocks.iter().find(|clock| clock.kind() == ClockKind::Decide);
    decide.and_then(|clock| clock.due_time).expect("a decision is promised").seconds
}

#[tokio::test]
async fn a_group_is_registered_grows_and_shrinks() {
    let scene = Scene::open().await;
    let all = cases(&scene, 4).await;
    let request = group(&all[..2], &all[..1]);
    let mut client = groups(&scene);
    let created = client.create_group(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.create_group(request.clone()).await.unwrap().into_inner(), created);
    let other = CreateGroupRequest { title: "Another".to_owned(), ..request };
    assert_eq!(refused(client.create_group(other).await).1, "IDEMPOTENCY_KEY_REUSED");
    let created = created.group.unwrap();
    assert_eq!((created.members, created.representatives, created.version), (2, 1, 1));
    assert_eq!(created.matter(), Matter::Complaint);

    let request = AddToGroupRequest { expected_version: Some(1), ..add(&created, &all[1..]) };
    let added = client.add_to_group(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.add_to_group(request).await.unwrap().into_inner(), added);
    assert_eq!(added.group.unwrap().members, 4, "who is in it already stays");
    let outdated = AddToGroupRequest { expected_version: Some(1), ..add(&created, &all) };
    assert_eq!(refused(client.add_to_group(outdated).await), (Code::Aborted, "VERSION_MISMATCH".to_owned()));

    let leave = |case: Uuid| RemoveFromGroupRequest {
        request_id: request_id(),
        group_id: created.group_id.clone(),
        expected_version: None,
        case_id: case.to_string(),
        reason: "another lift".to_owned(),
    };
    let left = client.remove_from_group(leave(all[0])).await.unwrap().into_inner().group.unwrap();
    assert_eq!((left.members, left.representatives, left.version), (3, 0, 3));
    assert_eq!(refused(client.remove_from_group(leave(all[0])).await), precondition("NOT_IN_THE_GROUP"));

    let get = GetGroupRequest { group_id: created.group_id.clone(), page_size: 2, page_token: String::new() };
    let first = client.get_group(get.clone()).await.unwrap().into_inner();
    let second = GetGroupRequest { page_token: first.next_page_token.clone(), ..get };
    let second = client.get_group(second).await.unwrap().into_inner();
    let members: Vec<String> =
        [first.members, second.members].concat().into_iter().map(|one| one.case_id).collect();
    // Ids of the same millisecond come in any order.
    let mut expected = texts(&all[1..]);
    expected.sort_unstable();
    assert_eq!(members, expected);
    let kinds = scene.kinds(all[0]).await;
    assert_eq!(kinds[2..], [TimelineKind::Grouped, TimelineKind::Grouped]);

    let of = |case: Uuid| ListGroupsRequest { case_id: case.to_string(), ..ListGroupsRequest::default() };
    assert_eq!(
        client.list_groups(of(all[1])).await.unwrap().into_inner().groups,
        std::slice::from_ref(&left)
    );
    assert!(client.list_groups(of(all[0])).await.unwrap().into_inner().groups.is_empty());
    let every = client.list_groups(ListGroupsRequest::default()).await.unwrap().into_inner().groups;
    assert_eq!(every, [left]);
    scene.house.done().await;
}

#[tokio::test]
async fn what_no_group_takes_is_told_why() {
    let scene = Scene::open().await;
    let all = cases(&scene, 7).await;
    let mut client = groups(&scene);
    assert_eq!(
        refused(client.create_group(group(&all, &all[..6])).await),
        precondition("TOO_MANY_REPRESENTATIVES")
    );
    let first = create(&scene, &all[..1]).await;
    assert_eq!(refused(client.create_group(group(&all, &[])).await), precondition("ALREADY_IN_A_GROUP"));
    let second = create(&scene, &all[1..2]).await;
    assert_eq!(
        refused(client.add_to_group(add(&second, &all[..1])).await),
        precondition("ALREADY_IN_A_GROUP")
    );
    let report = scene.register(Complaint { matter: Matter::Report.into(), ..complaint() }).await;
    assert_eq!(refused(client.add_to_group(add(&first, &[report])).await), precondition("MATTERS_DIFFER"));
    let nobody = add(&first, &[Uuid::from_u128(7)]);
    assert_eq!(refused(client.add_to_group(nobody).await), (Code::NotFound, "CASE_NOT_FOUND".to_owned()));
    let twice = CreateGroupRequest { title: String::new(), ..group(&[all[3], all[3]], &all[4..5]) };
    let refusal = client.create_group(twice).await.unwrap_err();
    assert_eq!(
        (reason(&refusal).as_str(), violations(&refusal).join(" ")),
        ("INVALID_GROUP", "title case_ids representative_case_ids".to_owned())
    );
    scene.house.done().await;
}

#[tokio::test]
async fn a_tenants_policy_decides() {
    let scene = Scene::open().await;
    let mut client = groups(&scene);
    let usual = client.get_group_policy(GetGroupPolicyRequest {}).await.unwrap().into_inner().policy.unwrap();
    assert_eq!((usual.max_representatives, usual.alarm_from), (5, 20));
    let policy = GroupPolicy { max_representatives: 1, alarm_from: 3, reason: "small town".to_owned() };
    let request = SetGroupPolicyRequest { request_id: request_id(), policy: Some(policy.clone()) };
    let set = client.set_group_policy(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.set_group_policy(request).await.unwrap().into_inner(), set);
    let read = client.get_group_policy(GetGroupPolicyRequest {}).await.unwrap().into_inner().policy;
    assert_eq!(read, Some(policy));
    let all = cases(&scene, 3).await;
    assert_eq!(
        refused(client.create_group(group(&all, &all[..2])).await),
        precondition("TOO_MANY_REPRESENTATIVES")
    );
    create(&scene, &all).await;
    assert_eq!(scene.house.published::<GroupAlarmRaised>("cases").await.len(), 1);
    let none = SetGroupPolicyRequest { request_id: request_id(), policy: Some(GroupPolicy::default()) };
    let refusal = client.set_group_policy(none).await.unwrap_err();
    assert_eq!(violations(&refusal), ["policy.max_representatives", "policy.alarm_from"]);
    scene.house.done().await;
}

/// Eight callers add three cases each at the same time; one of the cases is over.
#[tokio::test(flavor = "multi_thread")]
async fn the_alarm_is_raised_once_whoever_comes_first() {
    let scene = Scene::open().await;
    let all = cases(&scene, 25).await;
    let over = all[0];
    let withdraw = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: over.to_string(),
        ..WithdrawCaseRequest::default()
    };
    scene.cases.clone().withdraw_case(withdraw).await.unwrap();
    let first = create(&scene, &all[..1]).await;
    let calls = all[1..].chunks(3).map(|three| {
        let (mut client, request) = (groups(&scene), add(&first, three));
        async move {
            // A conflict is to be tried again, under the same key.
            while let Err(status) = client.add_to_group(request.clone()).await {
                assert_eq!(status.code(), Code::Aborted, "{status:?}");
            }
        }
    });
    futures::future::join_all(calls).await;
    let alarms: Vec<GroupAlarmRaised> = scene.house.published("cases").await;
    assert_eq!(alarms.len(), 1);
    assert!((20..23).contains(&alarms[0].members), "{}", alarms[0].members);
    assert_eq!(
        i32::try_from(alarms[0].case_ids.len()),
        Ok(alarms[0].members - 1),
        "all but the one that is over"
    );
    for case in &all[1..] {
        let case_now = scene.case(*case).await;
        assert_eq!((case_now.priority(), case_now.tier), (Priority::P1, 1));
        let told =
            scene.timeline(*case).await.into_iter().filter(|entry| entry.text.starts_with("raised to P1"));
        assert_eq!(told.count(), 1);
    }
    // Each is told of once, by the road that assignment follows.
    let raised: Vec<CasePriorityRaised> = scene.house.published("cases").await;
    let escalated: Vec<CaseEscalated> = scene.house.published("cases").await;
    let mut subjects: Vec<String> = raised.iter().map(|told| told.case_id.clone()).collect();
    subjects.sort_unstable();
    let mut expected = texts(&all[1..]);
    expected.sort_unstable();
    assert_eq!(subjects, expected);
    assert!(raised.iter().all(|told| (told.priority(), told.cycle) == (Priority::P1, 1) && told.ordinal > 0));
    assert_eq!(escalated.len(), subjects.len());
    assert_eq!((scene.case(over).await.priority(), scene.case(over).await.tier), (Priority::P3, 0));
    let get = GetGroupRequest { group_id: first.group_id, ..GetGroupRequest::default() };
    let now = groups(&scene).get_group(get).await.unwrap().into_inner().group.unwrap();
    assert_eq!((now.members, now.alarm_time.is_some()), (25, true));
    scene.house.done().await;
}

/// Two are many for a tenant who says so; the call that makes them so comes thrice.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_major_stays_so_and_is_due_sooner() {
    let scene = Scene::open().await;
    let mut client = groups(&scene);
    let policy = GroupPolicy { max_representatives: 1, alarm_from: 2, reason: "small town".to_owned() };
    let request = SetGroupPolicyRequest { request_id: request_id(), policy: Some(policy) };
    client.set_group_policy(request).await.unwrap();
    let all = cases(&scene, 3).await;
    let due = decision_due(&scene, all[0]).await;
    let first = create(&scene, &all[..1]).await;
    let request = add(&first, &all[1..2]);
    let (one, two) = (request.clone(), request.clone());
    let (mut other, mut again) = (client.clone(), client.clone());
    let answers = tokio::join!(other.add_to_group(one), again.add_to_group(two));
    assert!(answers.0.is_ok() || answers.1.is_ok());
    client.add_to_group(request).await.unwrap();
    let told = async || scene.house.published::<CasePriorityRaised>("cases").await.len();
    assert_eq!(told().await, 2);
    let major = scene.case(all[0]).await;
    let sooner = decision_due(&scene, all[0]).await;
    assert!(sooner < due, "{sooner} is not before {due}");

    // Who joins later is raised too; who leaves, and comes back, is not raised again.
    client.add_to_group(add(&first, &all[2..])).await.unwrap();
    let leave = RemoveFromGroupRequest {
        request_id: request_id(),
        group_id: first.group_id.clone(),
        expected_version: None,
        case_id: all[2].to_string(),
        reason: "another lift".to_owned(),
    };
    client.remove_from_group(leave).await.unwrap();
    client.add_to_group(add(&first, &all[2..])).await.unwrap();
    assert_eq!(told().await, 3);
    assert_eq!(scene.case(all[2]).await.tier, 1);

    // Whatever rules say of it alone.
    let retriage = |case: Uuid| RetriageCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
    };
    let mut triage = TriageServiceClient::new(scene.house.channel());
    let after = triage.retriage_case(retriage(all[0])).await.unwrap().into_inner().case.unwrap();
    assert_eq!((after.priority(), after.version), (Priority::P1, major.version));
    let leave = RemoveFromGroupRequest {
        request_id: request_id(),
        group_id: first.group_id,
        expected_version: None,
        case_id: all[0].to_string(),
        reason: "another lift".to_owned(),
    };
    client.remove_from_group(leave).await.unwrap();
    let after = triage.retriage_case(retriage(all[0])).await.unwrap().into_inner().case.unwrap();
    assert_eq!(after.priority(), Priority::P3);
    scene.house.done().await;
}

#[tokio::test]
async fn another_tenant_sees_and_changes_nothing() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let case = Uuid::from_u128(1 << 80 | 1);
    let now = house.db("cases").clock().now();
    house.tell_as("tenant-a", "intake", case, &registered(case, complaint(), now)).await;
    house.settled().await;
    let mut a = GroupServiceClient::new(house.channel_as("tenant-a", "ann", &["agent"]));
    let mut b = GroupServiceClient::new(house.channel_as("tenant-b", "bob", &["agent"]));
    let created = a.create_group(group(&[case], &[case])).await.unwrap().into_inner().group.unwrap();
    let get = GetGroupRequest { group_id: created.group_id.clone(), ..GetGroupRequest::default() };
    assert_eq!(refused(b.get_group(get).await), (Code::NotFound, "GROUP_NOT_FOUND".to_owned()));
    assert!(b.list_groups(ListGroupsRequest::default()).await.unwrap().into_inner().groups.is_empty());
    assert_eq!(
        refused(b.create_group(group(&[case], &[])).await),
        (Code::NotFound, "CASE_NOT_FOUND".to_owned())
    );
    assert_eq!(
        refused(b.add_to_group(add(&created, &[case])).await),
        (Code::NotFound, "GROUP_NOT_FOUND".to_owned())
    );
    house.done().await;
}
