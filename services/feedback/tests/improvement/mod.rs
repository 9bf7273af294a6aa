//! Actions about problems: created, done, assessed, overdue, and their effect.

use std::time::Duration;

use proto::redress::feedback::v1::improvement_service_client::ImprovementServiceClient;
use proto::redress::feedback::v1::problem_service_client::ProblemServiceClient;
use proto::redress::feedback::v1::{
    AssessImprovementActionRequest, CompleteImprovementActionRequest, CreateImprovementActionRequest,
    GetImprovementActionRequest, ImprovementAction, ImprovementEffectState, ImprovementKind,
    ImprovementOverdue, ImprovementState, ListImprovementActionsRequest, OpenProblemRequest, SignalSeries,
    UpdateImprovementActionRequest,
};
use testkit::{CallerChannel, House, MockClock, eventually, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{case, house, refused, registered};

type Actions = ImprovementServiceClient<CallerChannel>;

fn actions(house: &House, subject: &str) -> Actions {
    Actions::new(house.channel_as("development", subject, &["supervisor"]))
}

/// A problem; of a product's complaints where one is named.
async fn problem(channel: CallerChannel, product: &str) -> String {
    let series = SignalSeries { product: product.to_owned(), ..SignalSeries::default() };
    let request = OpenProblemRequest {
        request_id: request_id(),
        title: "Kettles leak".to_owned(),
        series: (!product.is_empty()).then_some(series),
        ..OpenProblemRequest::default()
    };
    let answer = ProblemServiceClient::new(channel).open_problem(request).await.unwrap().into_inner();
    answer.problem.unwrap().problem_id
}

fn creation(problem_id: &str) -> CreateImprovementActionRequest {
    CreateImprovementActionRequest {
        request_id: request_id(),
        problem_id: problem_id.to_owned(),
        kind: ImprovementKind::Corrective.into(),
        title: "Another seal".to_owned(),
        owner: "ann".to_owned(),
        due_date: "2026-11-24".to_owned(),
    }
}

async fn create(house: &House, request: CreateImprovementActionRequest) -> Result<ImprovementAction, Status> {
    Ok(actions(house, "su").create_improvement_action(request).await?.into_inner().action.unwrap())
}

async fn get(house: &House, id: &str) -> Result<ImprovementAction, Status> {
    let request = GetImprovementActionRequest { action_id: id.to_owned() };
    Ok(actions(house, "su").get_improvement_action(request).await?.into_inner().action.unwrap())
}

fn assignment(action: &ImprovementAction, owner: &str, due_date: &str) -> UpdateImprovementActionRequest {
    UpdateImprovementActionRequest {
        request_id: request_id(),
        action_id: action.action_id.clone(),
        expected_version: action.version,
        owner: owner.to_owned(),
        due_date: due_date.to_owned(),
    }
}

async fn assign(house: &House, request: UpdateImprovementActionRequest) -> Result<ImprovementAction, Status> {
    Ok(actions(house, "su").update_improvement_action(request).await?.into_inner().action.unwrap())
}

fn completion(action: &ImprovementAction) -> CompleteImprovementActionRequest {
    CompleteImprovementActionRequest {
        request_id: request_id(),
        action_id: action.action_id.clone(),
        expected_version: action.version,
        note: "Silicone instead of rubber.".to_owned(),
    }
}

async fn complete(
    house: &House,
    request: CompleteImprovementActionRequest,
) -> Result<ImprovementAction, Status> {
    Ok(actions(house, "bo").complete_improvement_action(request).await?.into_inner().action.unwrap())
}

fn assessment(action: &ImprovementAction, effective: bool) -> AssessImprovementActionRequest {
    AssessImprovementActionRequest {
        request_id: request_id(),
        action_id: action.action_id.clone(),
        expected_version: action.version,
        effective,
        finding: "Half as many come.".to_owned(),
    }
}

async fn assess(
    house: &House,
    subject: &str,
    request: AssessImprovementActionRequest,
) -> Result<ImprovementAction, Status> {
    Ok(actions(house, subject).assess_improvement_action(request).await?.into_inner().action.unwrap())
}

async fn list(house: &House, state: ImprovementState, overdue: bool) -> Vec<ImprovementAction> {
    let request = ListImprovementActionsRequest { state: state.into(), overdue, ..Default::default() };
    actions(house, "su").list_improvement_actions(request).await.unwrap().into_inner().actions
}

#[tokio::test]
async fn an_action_is_created_given_done_and_assessed_by_somebody_else_each_once() {
    let house = house().await;
    let problem = problem(house.channel(), "").await;
    let request = creation(&problem);
    let created = create(&house, request.clone()).await.unwrap();
    assert_eq!(create(&house, request).await.unwrap(), created, "repeated");
    assert_eq!((created.version, created.state(), created.overdue), (1, ImprovementState::Open, false));
    assert_eq!(created.effect.unwrap().state(), ImprovementEffectState::NotDone);
    let open = refused(assess(&house, "cy", assessment(&created, true)).await);
    assert_eq!(open, (Code::FailedPrecondition, "IMPROVEMENT_ACTION_NOT_DONE".to_owned()));

    let request = assignment(&created, "di", "2026-12-01");
    let given = assign(&house, request.clone()).await.unwrap();
    assert_eq!(assign(&house, request).await.unwrap(), given, "repeated");
    assert_eq!((given.version, given.owner.as_str(), given.due_date.as_str()), (2, "di", "2026-12-01"));
    let request = completion(&given);
    let done = complete(&house, request.clone()).await.unwrap();
    assert_eq!(complete(&house, request).await.unwrap(), done, "repeated");
    assert_eq!((done.state(), done.done_by.as_str()), (ImprovementState::Done, "bo"));
    assert_eq!(done.effect.unwrap().state(), ImprovementEffectState::NoSeries);
    for refusal in [
        refused(complete(&house, completion(&done)).await),
        refused(assign(&house, assignment(&done, "x", "2027-01-01")).await),
    ] {
        assert_eq!(refusal, (Code::FailedPrecondition, "IMPROVEMENT_ACTION_DONE".to_owned()));
    }
    for own in ["di", "bo"] {
        let refusal = refused(assess(&house, own, assessment(&done, true)).await);
        assert_eq!(refusal, (Code::PermissionDenied, "OWN_IMPROVEMENT_ACTION".to_owned()));
    }
    let request = assessment(&done, false);
    let assessed = assess(&house, "cy", request.clone()).await.unwrap();
    assert_eq!(assess(&house, "cy", request).await.unwrap(), assessed, "repeated");
    assert_eq!((assessed.version, assessed.state()), (4, ImprovementState::Ineffective));
    assert_eq!(get(&house, &assessed.action_id).await.unwrap(), assessed);
    let other = create(&house, creation(&problem)).await.unwrap();
    let done = complete(&house, completion(&other)).await.unwrap();
    let verified = assess(&house, "cy", assessment(&done, true)).await.unwrap();
    assert_eq!(verified.state(), ImprovementState::Verified);
    house.done().await;
}

#[tokio::test]
async fn an_action_whose_day_passes_is_told_once_and_shown_until_it_is_done() {
    let house = house().await;
    let problem = problem(house.channel(), "").await;
    let action = create(&house, creation(&problem)).await.unwrap();
    let done = create(&house, creation(&problem)).await.unwrap();
    complete(&house, completion(&done)).await.unwrap();
    let told = async || house.published::<ImprovementOverdue>("feedback").await;
    // Its day ends with the 24th, in UTC.
    house.advance(Duration::from_hours(38));
    assert!(list(&house, ImprovementState::Unspecified, true).await.is_empty());
    house.advance(Duration::from_hours(2));
    eventually(|| async { !told().await.is_empty() }).await;
    let overdue = list(&house, ImprovementState::Unspecified, true).await;
    assert_eq!(overdue.iter().map(|one| &one.action_id).collect::<Vec<_>>(), [&action.action_id]);
    assert_eq!(
        (told().await[0].action_id.clone(), told().await[0].owner.as_str()),
        (action.action_id.clone(), "ann")
    );
    // Given until another day, it is told of that one; twice in all.
    assign(&house, assignment(&action, "ann", "2026-11-25")).await.unwrap();
    assert!(list(&house, ImprovementState::Open, true).await.is_empty());
    house.advance(Duration::from_hours(24));
    eventually(|| async { told().await.len() == 2 }).await;
    let overdue = get(&house, &action.action_id).await.unwrap();
    assert!(overdue.overdue);
    let done = complete(&house, completion(&overdue)).await.unwrap();
    assert!(!done.overdue && list(&house, ImprovementState::Unspecified, true).await.is_empty());
    house.done().await;
}

/// Tells of complaints about a product, received now.
async fn receive(house: &House, product: &str, count: usize) {
    for _ in 0..count {
        let one = case();
        let mut registered = registered(one, "");
        let complaint = registered.complaint.as_mut().unwrap();
        complaint.respondent =
            Some(proto::redress::intake::v1::Respondent { product: product.into(), ..Default::default() });
        complaint.receive_time = Some(proto::timestamp(house.db("feedback").clock().now()));
        house.tell("intake", one, &registered).await;
    }
}

#[tokio::test]
async fn the_effect_is_told_of_equal_times_before_and_after_once_they_are_long_enough() {
    let house = house().await;
    let problem = problem(house.channel(), "kettle").await;
    let action = create(&house, creation(&problem)).await.unwrap();
    // Twenty days with two, none on the day it is done, then one every other day.
    for _ in 0..20 {
        receive(&house, "kettle", 2).await;
        receive(&house, "cup", 1).await;
        house.advance(Duration::from_hours(24));
    }
    receive(&house, "kettle", 9).await;
    let done = complete(&house, completion(&action)).await.unwrap();
    for day in 0..15 {
        let effect = get(&house, &done.action_id).await.unwrap().effect.unwrap();
        assert_eq!(effect.state(), ImprovementEffectState::NotEnoughData, "day {day}: {effect:?}");
        house.advance(Duration::from_hours(24));
        receive(&house, "kettle", usize::from(day % 2 == 0)).await;
    }
    house.settled().await;
    let effect = get(&house, &done.action_id).await.unwrap().effect.unwrap();
    assert_eq!((effect.state(), effect.days), (ImprovementEffectState::Measured, 14));
    assert_eq!((effect.before_count, effect.after_count), (28, 7), "today has not ended");
    assert_eq!((effect.before_rate, effect.after_rate, effect.ratio), (2.0, 0.5, Some(0.25)));
    let (lower, upper) = (effect.ratio_lower.unwrap(), effect.ratio_upper.unwrap());
    assert!((lower - 0.092_187).abs() < 1e-5 && (upper - 0.585_738).abs() < 1e-5, "{effect:?}");
    // Not more than there were before.
    house.advance(Duration::from_hours(24 * 30));
    let effect = get(&house, &done.action_id).await.unwrap().effect.unwrap();
    assert_eq!((effect.days, effect.before_count, effect.after_count), (20, 40, 8));
    house.done().await;
}

#[tokio::test]
async fn what_is_wrong_with_an_action_is_told_all_at_once_and_what_is_unknown_or_stale_refused() {
    let house = house().await;
    let wrong = CreateImprovementActionRequest { due_date: "soon".into(), ..Default::default() };
    let status = create(&house, wrong).await.unwrap_err();
    assert_eq!(violations(&status), ["request_id", "problem_id", "kind", "title", "owner", "due_date"]);
    let empty = assign(&house, UpdateImprovementActionRequest::default()).await.unwrap_err();
    assert_eq!(violations(&empty), ["request_id", "action_id", "expected_version", "owner", "due_date"]);
    let empty = complete(&house, CompleteImprovementActionRequest::default()).await.unwrap_err();
    assert_eq!(violations(&empty), ["request_id", "action_id", "expected_version", "note"]);
    let empty = assess(&house, "su", AssessImprovementActionRequest::default()).await.unwrap_err();
    assert_eq!(violations(&empty), ["request_id", "action_id", "expected_version", "finding"]);
    assert_eq!(violations(&get(&house, "x").await.unwrap_err()), ["action_id"]);

    let missing = refused(create(&house, creation(&Uuid::nil().to_string())).await);
    assert_eq!(missing, (Code::NotFound, "PROBLEM_NOT_FOUND".to_owned()));
    let missing = refused(get(&house, &Uuid::nil().to_string()).await);
    assert_eq!(missing, (Code::NotFound, "IMPROVEMENT_ACTION_NOT_FOUND".to_owned()));
    let problem = problem(house.channel(), "").await;
    let action = create(&house, creation(&problem)).await.unwrap();
    let stale = ImprovementAction { version: 7, ..action.clone() };
    for refusal in [
        refused(assign(&house, assignment(&stale, "x", "2027-01-01")).await),
        refused(complete(&house, completion(&stale)).await),
        refused(assess(&house, "cy", assessment(&stale, true)).await),
    ] {
        assert_eq!(refusal, (Code::Aborted, "VERSION_MISMATCH".to_owned()));
    }
    assert_eq!(get(&house, &action.action_id).await.unwrap(), action);
    house.done().await;
}

#[tokio::test]
async fn actions_come_in_pages_of_a_problem_and_a_problem_has_not_more_than_is_allowed() {
    let house = house().await;
    let (one, other) = (problem(house.channel(), "").await, problem(house.channel(), "").await);
    create(&house, creation(&other)).await.unwrap();
    for _ in 0..100 {
        create(&house, creation(&one)).await.unwrap();
    }
    let (code, reason) = refused(create(&house, creation(&one)).await);
    assert_eq!((code, reason.as_str()), (Code::ResourceExhausted, "TOO_MANY_IMPROVEMENT_ACTIONS"));
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListImprovementActionsRequest {
            page_size: 40,
            page_token,
            problem_id: one.clone(),
            ..ListImprovementActionsRequest::default()
        };
        let page = actions(&house, "su").list_improvement_actions(request).await.unwrap().into_inner();
        listed.extend(page.actions.into_iter().map(|action| action.action_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    listed.sort();
    listed.dedup();
    assert_eq!(listed.len(), 100);
    house.done().await;
}

#[tokio::test]
async fn an_action_of_another_tenant_is_unknown() {
    let house = House::builder(&[feedback::SERVICE]).clock(MockClock::default()).identified().open().await;
    let channel = |tenant: &str| house.channel_as(tenant, "su", &["supervisor"]);
    let problem = problem(channel("ours"), "").await;
    let made = Actions::new(channel("ours")).create_improvement_action(creation(&problem)).await.unwrap();
    let action = made.into_inner().action.unwrap();
    let mut theirs = Actions::new(channel("theirs"));
    let missing = (Code::NotFound, "IMPROVEMENT_ACTION_NOT_FOUND".to_owned());
    let request = GetImprovementActionRequest { action_id: action.action_id.clone() };
    assert_eq!(refused(theirs.get_improvement_action(request).await), missing);
    let request = assignment(&action, "x", "2027-01-01");
    assert_eq!(refused(theirs.update_improvement_action(request).await), missing);
    assert_eq!(refused(theirs.complete_improvement_action(completion(&action)).await), missing);
    assert_eq!(refused(theirs.assess_improvement_action(assessment(&action, true)).await), missing);
    let none = refused(theirs.create_improvement_action(creation(&problem)).await);
    assert_eq!(none, (Code::NotFound, "PROBLEM_NOT_FOUND".to_owned()));
    let listed = theirs.list_improvement_actions(ListImprovementActionsRequest::default()).await.unwrap();
    assert!(listed.into_inner().actions.is_empty());
    house.done().await;
}
