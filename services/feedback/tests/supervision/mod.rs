//! The view of those who supervise: which open cases are looked at, and who sits on what.

use std::time::Duration;

use kernel::Clock as _;
use proto::google::r#type::Money;
use proto::redress::assignment::v1::{AssignmentEscalated, CaseAssigned, CaseQueued};
use proto::redress::cases::v1::{ClockBreached, ClockKind, CloseReason};
use proto::redress::feedback::v1::case_supervision_service_client::CaseSupervisionServiceClient;
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::{
    GetFactStateRequest, GetSupervisionOverviewRequest, GetSupervisionOverviewResponse,
    ListSupervisedCasesRequest, NoticeKind, RebuildFactsRequest, SupervisedCase, SupervisionCounts,
    SupervisionReason,
};
use proto::redress::intake::v1::RemedySought;
use proto::redress::resolution::v1::TaskCompleted;
use testkit::{CallerChannel, House, MockClock, eventually, request_id, violations};
use uuid::Uuid;

use crate::records::called;
use crate::{case, client, closed, dispute, house, list, registered, reopened, resolved, respond};

type Supervision = CaseSupervisionServiceClient<CallerChannel>;

fn supervision(house: &House) -> Supervision {
    Supervision::new(house.channel_as("development", "su", &["supervisor"]))
}

fn yuan(units: i64) -> Money {
    Money { currency_code: "CNY".into(), units, nanos: 0 }
}

fn assigned(case: Uuid, cycle: i32, agent: &str) -> CaseAssigned {
    CaseAssigned {
        case_id: case.to_string(),
        cycle,
        department_id: "service".into(),
        agent_id: agent.into(),
        ..CaseAssigned::default()
    }
}

/// The promise to decide was broken, some hours ago.
fn breached(case: Uuid, cycle: i32, hours: i64) -> ClockBreached {
    let due = MockClock::default().now() - jiff::SignedDuration::from_hours(hours);
    ClockBreached {
        case_id: case.to_string(),
        cycle,
        kind: ClockKind::Decide.into(),
        due_time: Some(proto::timestamp(due)),
        ..ClockBreached::default()
    }
}

/// A case that somebody has, received so many hours ago.
async fn held(house: &House, agent: &str, hours: i64) -> Uuid {
    let case = case();
    let mut told = registered(case, "ada@example.org");
    let received = MockClock::default().now() - jiff::SignedDuration::from_hours(hours);
    told.complaint.as_mut().unwrap().receive_time = Some(proto::timestamp(received));
    house.tell("intake", case, &told).await;
    house.tell("assignment", case, &assigned(case, 1, agent)).await;
    case
}

async fn overview(house: &House, request: GetSupervisionOverviewRequest) -> GetSupervisionOverviewResponse {
    supervision(house).get_supervision_overview(request).await.unwrap().into_inner()
}

fn by_money() -> GetSupervisionOverviewRequest {
    GetSupervisionOverviewRequest { money_limits: vec![yuan(5_000)], ..Default::default() }
}

async fn cases(house: &House, request: ListSupervisedCasesRequest) -> Vec<SupervisedCase> {
    supervision(house).list_supervised_cases(request).await.unwrap().into_inner().cases
}

/// Why a case is looked at; nothing where it is not.
async fn reasons(house: &House, case: Uuid) -> Vec<SupervisionReason> {
    let request = ListSupervisedCasesRequest { money_limits: vec![yuan(5_000)], ..Default::default() };
    let listed = cases(house, request).await;
    let of_case = listed.iter().find(|one| one.case_id == case.to_string());
    of_case.map(|one| one.reasons().collect()).unwrap_or_default()
}

/// Cases of every kind: overdue, escalated, disputed and reworked, about much money, with much
/// money paid, unremarkable, ended.
struct Scene {
    house: House,
    overdue: Uuid,
    escalated: Uuid,
    disputed: Uuid,
    waiting: Uuid,
    paid: Uuid,
}

async fn scene() -> Scene {
    let house = House::builder(&[feedback::SERVICE]).clock(MockClock::default()).identified().open().await;
    let overdue = held(&house, "ann", 90).await;
    house.tell("cases", overdue, &breached(overdue, 1, 7)).await;
    let escalated = held(&house, "ann", 80).await;
    let tossed = AssignmentEscalated { case_id: escalated.to_string(), ..Default::default() };
    house.tell("assignment", escalated, &tossed).await;
    let disputed = held(&house, "bob", 70).await;
    house.tell("cases", disputed, &resolved(disputed, 1)).await;
    house.settled().await;
    respond(&mut client(&house), dispute(disputed)).await.unwrap();
    house.tell("cases", disputed, &reopened(disputed, 2)).await;
    let waiting = case();
    let mut told = registered(waiting, "eve@example.org");
    let complaint = told.complaint.as_mut().unwrap();
    complaint.remedy_sought = Some(RemedySought { amount: Some(yuan(5_001)), ..Default::default() });
    complaint.receive_time =
        Some(proto::timestamp(MockClock::default().now() - jiff::SignedDuration::from_hours(60)));
    house.tell("intake", waiting, &told).await;
    let queued =
        CaseQueued { case_id: waiting.to_string(), department_id: "care".into(), ..Default::default() };
    house.tell("assignment", waiting, &assigned(waiting, 1, "bob")).await;
    house.tell("assignment", waiting, &queued).await;
    let paid = held(&house, "bob", 50).await;
    for (task, units) in [(1, 3_000), (2, 2_001)] {
        let done = TaskCompleted {
            case_id: paid.to_string(),
            task_id: Uuid::from_u128(task).to_string(),
            amount: Some(yuan(units)),
            ..TaskCompleted::default()
        };
        house.tell("resolution", paid, &done).await;
    }
    held(&house, "ann", 40).await;
    let ended = held(&house, "ann", 99).await;
    house.tell("cases", ended, &breached(ended, 1, 9)).await;
    house.tell("cases", ended, &closed(ended, 1, CloseReason::Staff)).await;
    house.settled().await;
    Scene { house, overdue, escalated, disputed, waiting, paid }
}

#[tokio::test]
async fn open_cases_are_counted_by_who_has_them_and_listed_with_why() {
    let Scene { house, overdue, escalated, disputed, waiting, paid } = scene().await;
    let seen = overview(&house, by_money()).await;
    let all = SupervisionCounts {
        open_count: 6,
        resolved_count: 0,
        overdue_count: 1,
        escalated_count: 1,
        reworked_count: 1,
        disputed_count: 1,
        money_over_limit_count: 2,
        supervised_count: 5,
    };
    assert_eq!((seen.totals, seen.holder_count), (Some(all), 3));
    let holders: Vec<_> = seen
        .holders
        .iter()
        .map(|one| (one.agent_id.as_str(), one.department_id.as_str(), one.counts.unwrap()))
        .map(|(agent, department, counts)| (agent, department, counts.open_count, counts.supervised_count))
        .collect();
    assert_eq!(holders, [("ann", "service", 3, 2), ("bob", "service", 2, 2), ("", "care", 1, 1)]);
    let ann = &seen.holders[0];
    let hours_ago =
        |hours| Some(proto::timestamp(MockClock::default().now() - jiff::SignedDuration::from_hours(hours)));
    assert_eq!((ann.oldest_receive_time, ann.oldest_breach_time), (hours_ago(90), hours_ago(7)));
    assert!(seen.state.unwrap().sources.iter().any(|source| source.source == "assignment"));

    let why = [
        (overdue, vec![SupervisionReason::Overdue]),
        (escalated, vec![SupervisionReason::Escalated]),
        (disputed, vec![SupervisionReason::Reworked, SupervisionReason::Disputed]),
        (waiting, vec![SupervisionReason::MoneyOverLimit]),
        (paid, vec![SupervisionReason::MoneyOverLimit]),
    ];
    let request = ListSupervisedCasesRequest { money_limits: vec![yuan(5_000)], ..Default::default() };
    let listed = cases(&house, request).await;
    let told: Vec<_> =
        listed.iter().map(|one| (one.case_id.clone(), one.reasons().collect::<Vec<_>>())).collect();
    assert_eq!(told, why.map(|(case, reasons)| (case.to_string(), reasons)));
    assert_eq!((listed[0].breach_time, listed[0].cycle, listed[2].cycle), (hours_ago(7), 1, 2));
    assert_eq!((listed[3].amount_sought.clone(), listed[3].agent_id.as_str()), (Some(yuan(5_001)), ""));
    assert_eq!(listed[4].amounts_paid, [yuan(5_001)]);
    let few = overview(&house, GetSupervisionOverviewRequest { max_holders: 1, ..by_money() }).await;
    assert_eq!((few.holders.len(), few.holder_count, few.totals), (1, 3, Some(all)));
    house.done().await;
}

#[tokio::test]
async fn what_is_asked_for_is_listed_page_by_page() {
    let Scene { house, overdue, escalated, disputed, waiting, .. } = scene().await;
    let ids = async |request: ListSupervisedCasesRequest| {
        cases(&house, request).await.into_iter().map(|one| one.case_id).collect::<Vec<_>>()
    };
    let all = [overdue, escalated, disputed].map(|case| case.to_string());
    assert_eq!(ids(ListSupervisedCasesRequest::default()).await, all, "no limit, no case for its money");
    let request = ListSupervisedCasesRequest { agent_id: Some("ann".into()), ..Default::default() };
    assert_eq!(ids(request).await, all[..2]);
    let reasons = vec![SupervisionReason::Reworked.into(), SupervisionReason::Overdue.into()];
    let request = ListSupervisedCasesRequest { reasons, ..Default::default() };
    assert_eq!(ids(request).await, [all[0].clone(), all[2].clone()]);
    let money_limits = vec![yuan(5_000), Money { currency_code: "EUR".into(), units: 0, nanos: 0 }];
    let mine =
        ListSupervisedCasesRequest { agent_id: Some(String::new()), money_limits, ..Default::default() };
    assert_eq!(ids(mine.clone()).await, [waiting.to_string()], "what waits for somebody");
    let of_department =
        ListSupervisedCasesRequest { department_id: "service".into(), agent_id: None, ..mine };
    assert!(!ids(of_department).await.contains(&waiting.to_string()));

    let mut request = ListSupervisedCasesRequest { page_size: 2, ..Default::default() };
    let first = supervision(&house).list_supervised_cases(request.clone()).await.unwrap().into_inner();
    request.page_token = first.next_page_token;
    assert_eq!(first.cases.len(), 2);
    assert_eq!(ids(request.clone()).await, all[2..]);
    let other = ListSupervisedCasesRequest { department_id: "care".into(), ..request };
    let status = supervision(&house).list_supervised_cases(other).await.unwrap_err();
    assert_eq!(violations(&status), ["page_token"]);
    house.done().await;
}

#[tokio::test]
async fn a_case_is_overdue_until_its_outcome_is_told_and_not_for_what_was_before() {
    let house = house().await;
    let case = held(&house, "ann", 90).await;
    house.tell("cases", case, &breached(case, 1, 7)).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    assert_eq!(reasons(&house, case).await, [SupervisionReason::Overdue], "nobody was told yet");
    let counts = overview(&house, by_money()).await.totals.unwrap();
    assert_eq!((counts.open_count, counts.resolved_count, counts.overdue_count), (1, 1, 1));
    let notices = list(&mut client(&house), case).await;
    let outcome = notices.iter().find(|notice| notice.kind() == NoticeKind::Outcome).unwrap();
    client(&house).record_notice(called(&house, outcome)).await.unwrap();
    house.settled().await;
    assert_eq!(reasons(&house, case).await, []);
    house.advance(Duration::from_secs(1));
    house.tell("cases", case, &reopened(case, 2)).await;
    house.settled().await;
    assert_eq!(reasons(&house, case).await, [SupervisionReason::Reworked], "the next cycle is in time");
    house.tell("cases", case, &breached(case, 2, 0)).await;
    house.settled().await;
    let both = [SupervisionReason::Overdue, SupervisionReason::Reworked];
    assert_eq!(reasons(&house, case).await, both);
    house.done().await;
}

#[tokio::test]
async fn facts_rebuilt_from_the_feeds_show_the_same() {
    let Scene { house, .. } = scene().await;
    let before = overview(&house, by_money()).await;
    let mut kpis = KpiServiceClient::new(house.channel());
    kpis.rebuild_facts(RebuildFactsRequest { request_id: request_id() }).await.unwrap();
    eventually(async || {
        let state = kpis.clone().get_fact_state(GetFactStateRequest {}).await.unwrap().into_inner().state;
        !state.unwrap().rebuilding
    })
    .await;
    let after = overview(&house, by_money()).await;
    assert_eq!((after.totals, after.holders), (before.totals, before.holders));
    house.done().await;
}

#[tokio::test]
async fn only_supervisors_see_it_and_bad_requests_are_told_all_that_is_wrong() {
    let Scene { house, .. } = scene().await;
    let mut reader = Supervision::new(house.channel_as("development", "ann", &["agent", "reader"]));
    let status = reader.get_supervision_overview(by_money()).await.unwrap_err();
    assert_eq!(testkit::reason(&status), "ROLE_REQUIRED");
    let mut other = Supervision::new(house.channel_as("elsewhere", "su", &["supervisor"]));
    let seen = other.get_supervision_overview(by_money()).await.unwrap().into_inner();
    assert_eq!((seen.totals, seen.holders.len()), (Some(SupervisionCounts::default()), 0));
    let bad = ListSupervisedCasesRequest {
        page_size: 501,
        reasons: vec![9],
        department_id: "x".repeat(101),
        agent_id: Some("x".repeat(201)),
        money_limits: vec![yuan(1), yuan(-1)],
        ..Default::default()
    };
    let status = supervision(&house).list_supervised_cases(bad).await.unwrap_err();
    let wrong =
        ["reasons[0]", "department_id", "agent_id", "money_limits[1]", "money_limits[1]", "page_size"];
    assert_eq!(violations(&status), wrong);
    let many = GetSupervisionOverviewRequest {
        max_holders: -1,
        money_limits: vec![yuan(1); 11],
        ..Default::default()
    };
    let status = supervision(&house).get_supervision_overview(many).await.unwrap_err();
    assert_eq!(violations(&status), ["money_limits", "max_holders"]);
    house.done().await;
}
