//! Process logs: what was heard comes out again, page by page, of nobody by name.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::TryStreamExt as _;
use kernel::Clock as _;
use proto::google::r#type::Money;
use proto::redress::assignment::v1::{CaseAccepted, CaseAssigned};
use proto::redress::cases::v1::{CaseOpened, CaseWithdrawn, CloseReason, Outcome, Priority};
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::problem_service_client::ProblemServiceClient;
use proto::redress::feedback::v1::process_service_client::ProcessServiceClient;
use proto::redress::feedback::v1::{
    ExportProcessLogRequest, ExportProcessLogResponse, LinkProblemCasesRequest, OpenProblemRequest,
    ProcessActivity, ProcessCase, ProcessEvent, RebuildFactsRequest,
};
use proto::redress::intake::v1::{Channel, ComplaintRegistered};
use proto::redress::resolution::v1::{PlanApproved, PlanProposed, RemedyKind, TaskCompleted, TaskWrittenOff};
use sqlx::AssertSqlSafe;
use testkit::{House, MockClock, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{accept, case, client, closed, house, registered, resolved, respond};

/// The year it is.
fn this_year() -> ExportProcessLogRequest {
    let year = MockClock::default().now().strftime("%Y").to_string();
    ExportProcessLogRequest { start_date: format!("{year}-01-01"), end_date: format!("{year}-12-31") }
}

async fn pieces(
    house: &House,
    request: ExportProcessLogRequest,
) -> Result<Vec<ExportProcessLogResponse>, Status> {
    let mut service = ProcessServiceClient::new(house.channel());
    service.export_process_log(request).await?.into_inner().try_collect().await
}

/// The cases and events of a log that is whole.
async fn log(house: &House) -> (Vec<ProcessCase>, Vec<ProcessEvent>) {
    let pieces = pieces(house, this_year()).await.unwrap();
    let (last, before) = pieces.split_last().unwrap();
    assert!(before.iter().all(|piece| piece.summary.is_none()), "it comes last");
    assert!(last.cases.is_empty() && last.events.is_empty());
    assert!(pieces.iter().all(|piece| piece.cases.len() <= 200 && piece.events.len() <= 1_000));
    let summary = last.summary.unwrap();
    let cases: Vec<_> = pieces.iter().flat_map(|piece| piece.cases.clone()).collect();
    let events: Vec<_> = pieces.iter().flat_map(|piece| piece.events.clone()).collect();
    let sent = (i64::try_from(cases.len()).unwrap(), i64::try_from(events.len()).unwrap());
    assert_eq!((summary.case_count, summary.event_count), sent);
    (cases, events)
}

fn complaint(case: Uuid, customer: &str) -> ComplaintRegistered {
    let mut registered = registered(case, "");
    let complaint = registered.complaint.as_mut().unwrap();
    complaint.channel = Channel::Web.into();
    customer.clone_into(&mut complaint.complainant.as_mut().unwrap().customer_id);
    complaint.receive_time = Some(proto::timestamp(MockClock::default().now()));
    registered
}

/// A case from its complaint to its end, that finance paid for.
async fn paid_case(house: &House, customer: &str) -> Uuid {
    let one = case();
    let (case_id, plan_id, cycle) = (one.to_string(), Uuid::from_u128(one.as_u128() ^ 1).to_string(), 1);
    house.tell("intake", one, &complaint(one, customer)).await;
    let (category, priority) = ("delivery".to_owned(), Priority::P2.into());
    let opened = CaseOpened { case_id: case_id.clone(), cycle, category, priority, ..CaseOpened::default() };
    house.tell("cases", one, &opened).await;
    house.settled().await;
    let assigned = CaseAssigned {
        case_id: case_id.clone(),
        cycle,
        department_id: "care".to_owned(),
        agent_id: "ann@example.org".to_owned(),
        explanation: "Ann has time".to_owned(),
    };
    house.advance(Duration::from_mins(1));
    house.tell("assignment", one, &assigned).await;
    house.settled().await;
    house.advance(Duration::from_mins(1));
    let agent_id = "ann@example.org".to_owned();
    let accepted = CaseAccepted { case_id: case_id.clone(), cycle, agent_id, ..CaseAccepted::default() };
    house.tell("assignment", one, &accepted).await;
    let proposed = PlanProposed {
        case_id: case_id.clone(),
        plan_id: plan_id.clone(),
        cycle,
        proposer: "ann@example.org".to_owned(),
        summary: "Ada gets her money back".to_owned(),
    };
    house.tell("resolution", one, &proposed).await;
    let approved = PlanApproved {
        case_id: case_id.clone(),
        plan_id: plan_id.clone(),
        cycle,
        automatic: true,
        ..PlanApproved::default()
    };
    house.tell("resolution", one, &approved).await;
    let done = TaskCompleted {
        case_id: case_id.clone(),
        plan_id,
        cycle,
        task_id: Uuid::from_u128(one.as_u128() ^ 2).to_string(),
        department_id: "finance".to_owned(),
        kind: RemedyKind::Refund.into(),
        amount: Some(Money { currency_code: "CNY".into(), units: 39, nanos: 900_000_000 }),
        reference: "PAY-1".to_owned(),
        ..TaskCompleted::default()
    };
    house.tell("resolution", one, &done).await;
    house.tell("cases", one, &resolved(one, 1)).await;
    house.settled().await;
    respond(&mut client(house), accept(one)).await.unwrap();
    house.tell("cases", one, &closed(one, 1, CloseReason::Accepted)).await;
    house.settled().await;
    one
}

fn ids(events: &[ProcessEvent]) -> Vec<&str> {
    events.iter().map(|event| event.event_id.as_str()).collect()
}

fn of(events: &[ProcessEvent], activity: ProcessActivity) -> &ProcessEvent {
    let mut found = events.iter().filter(|event| event.activity() == activity);
    let one = found.next().unwrap_or_else(|| panic!("no {activity:?}"));
    assert!(found.next().is_none(), "{activity:?} is told once");
    one
}

#[tokio::test]
async fn what_happened_to_a_case_comes_out_in_order_and_of_nobody_by_name() {
    let house = house().await;
    let one = paid_case(&house, "C-9").await;
    let (cases, events) = log(&house).await;
    assert_eq!(cases.len(), 1);
    assert_eq!((cases[0].case_id.as_str(), cases[0].channel()), (one.to_string().as_str(), Channel::Web));
    assert_eq!((cases[0].category.as_str(), cases[0].priority()), ("delivery", Priority::P2));
    assert_eq!(cases[0].outcome(), Outcome::PartlyUpheld);
    assert_eq!(cases[0].complainant.len(), 32);

    let times: Vec<_> = events.iter().map(|event| event.occur_time.unwrap().seconds).collect();
    assert!(times.is_sorted(), "{times:?}");
    let assigned = of(&events, ProcessActivity::CaseAssigned);
    assert_eq!((assigned.department_id.as_str(), assigned.cycle), ("care", 1));
    let proposed = of(&events, ProcessActivity::PlanProposed);
    assert_eq!(proposed.agent, assigned.agent, "one who is the same has one pseudonym");
    assert_eq!(of(&events, ProcessActivity::PlanApproved).detail, "automatic");
    let paid = of(&events, ProcessActivity::TaskCompleted);
    assert_eq!((paid.detail.as_str(), paid.department_id.as_str()), ("refund", "finance"));
    assert_eq!(paid.amount, Some(Money { currency_code: "CNY".into(), units: 39, nanos: 900_000_000 }));
    assert_eq!((&paid.plan_id, paid.task_id.len()), (&proposed.plan_id, 36));
    assert_eq!(of(&events, ProcessActivity::ResponseReceived).detail, "accepted");
    assert_eq!(of(&events, ProcessActivity::CaseClosed).detail, "accepted");
    assert_eq!(of(&events, ProcessActivity::CaseResolved).outcome(), Outcome::PartlyUpheld);

    let everything = format!("{cases:?}{events:?}");
    for told in ["ann@", "Ann", "Ada", "C-9", "parcel", "money back", "PAY-1"] {
        assert!(!everything.contains(told), "{told}: {everything}");
    }
    let (again, _) = log(&house).await;
    assert_ne!(again[0].complainant, cases[0].complainant, "no log can be held against another");
    house.done().await;
}

#[tokio::test]
async fn one_complainant_has_one_pseudonym_and_a_case_one_event_for_each_problem_it_is_of() {
    let house = house().await;
    let (first, second) = (paid_case(&house, "C-9").await, paid_case(&house, "C-9").await);
    let other = paid_case(&house, "C-10").await;
    let mut problems = ProblemServiceClient::new(house.channel());
    let request = OpenProblemRequest {
        request_id: request_id(),
        title: "Cups arrive broken".to_owned(),
        ..OpenProblemRequest::default()
    };
    let problem = problems.open_problem(request).await.unwrap().into_inner().problem.unwrap();
    let request = LinkProblemCasesRequest {
        request_id: request_id(),
        problem_id: problem.problem_id.clone(),
        expected_version: problem.version,
        case_ids: vec![first.to_string()],
    };
    problems.link_problem_cases(request).await.unwrap();
    let (cases, events) = log(&house).await;
    let name =
        |id: Uuid| cases.iter().find(|case| case.case_id == id.to_string()).unwrap().complainant.as_str();
    assert_eq!(name(first), name(second));
    assert_ne!(name(first), name(other));
    let linked = of(&events, ProcessActivity::ProblemLinked);
    assert_eq!((&linked.problem_id, &linked.case_id), (&problem.problem_id, &first.to_string()));
    assert!(!format!("{events:?}").contains("Cups"));
    let ids: BTreeSet<&String> = events.iter().map(|event| &event.event_id).collect();
    assert_eq!(ids.len(), events.len(), "each event has an id of its own");
    house.done().await;
}

#[tokio::test]
async fn a_log_of_more_than_a_page_of_cases_and_events_has_each_once() {
    let house = house().await;
    let mut told = BTreeSet::new();
    for _ in 0..201 {
        let one = case();
        told.insert(one.to_string());
        house.tell("intake", one, &complaint(one, "C-9")).await;
    }
    // More of one case than a message holds.
    let long = case();
    told.insert(long.to_string());
    house.tell("intake", long, &complaint(long, "C-10")).await;
    for cycle in 1..=1_005 {
        let withdrawn = CaseWithdrawn { case_id: long.to_string(), cycle, ..CaseWithdrawn::default() };
        house.tell("cases", long, &withdrawn).await;
    }
    house.settled().await;
    let (cases, events) = log(&house).await;
    let listed: BTreeSet<String> = cases.iter().map(|case| case.case_id.clone()).collect();
    assert_eq!((&listed, cases.len()), (&told, told.len()));
    let of_long = events.iter().filter(|event| event.activity() == ProcessActivity::CaseWithdrawn);
    let cycles: Vec<i32> = of_long.map(|event| event.cycle).collect();
    assert_eq!(cycles, (1..=1_005).collect::<Vec<_>>(), "those of one time are in the order of the feed");
    let registered = events.iter().filter(|event| event.activity() == ProcessActivity::ComplaintRegistered);
    assert_eq!(registered.count(), told.len());
    house.done().await;
}

#[tokio::test]
async fn cases_that_were_received_at_another_time_or_are_of_another_tenant_are_not_in_it() {
    let builder = House::builder(&[feedback::SERVICE]).clock(MockClock::default());
    let house = builder.identified().open().await;
    let one = case();
    house.tell_as("acme", "intake", one, &complaint(one, "C-9")).await;
    house.settled().await;
    let asked = async |tenant: &str, request: ExportProcessLogRequest| {
        let mut service = ProcessServiceClient::new(house.channel_as(tenant, "eve", &["reader"]));
        let pieces: Vec<ExportProcessLogResponse> =
            service.export_process_log(request).await.unwrap().into_inner().try_collect().await.unwrap();
        pieces.last().unwrap().summary.unwrap().case_count
    };
    let year: i32 = MockClock::default().now().strftime("%Y").to_string().parse().unwrap();
    let before = ExportProcessLogRequest {
        start_date: format!("{}-01-01", year - 1),
        end_date: format!("{year}-01-01"),
    };
    assert_eq!(asked("acme", this_year()).await, 1);
    assert_eq!(asked("acme", before).await, 0);
    assert_eq!(asked("other", this_year()).await, 0);
    house.done().await;
}

#[tokio::test]
async fn a_log_that_would_not_be_whole_is_refused_until_the_facts_are_there_again() {
    let house = house().await;
    paid_case(&house, "C-9").await;
    let (_, before) = log(&house).await;
    let mut kpis = KpiServiceClient::new(house.channel());
    kpis.rebuild_facts(RebuildFactsRequest { request_id: request_id() }).await.unwrap();
    eventually(|| async {
        match pieces(&house, this_year()).await {
            Ok(_) => true,
            Err(status) => {
                let told = (status.code(), reason(&status));
                assert_eq!(told, (Code::FailedPrecondition, "FACTS_REBUILDING".to_owned()));
                false
            }
        }
    })
    .await;
    let (_, after) = log(&house).await;
    assert_eq!(ids(&after), ids(&before), "what was thrown away is read again");
    house.done().await;
}

/// What the migration does once its table is there.
fn read_again() -> String {
    let migration = include_str!("../../migrations/20261129130500_process_events.sql");
    let place = migration.find("-- The owner is let through").unwrap();
    format!("SET search_path TO feedback; {}", &migration[place..])
}

#[tokio::test]
async fn what_happened_before_it_was_kept_is_read_from_the_feeds_and_no_fact_is_thrown_away() {
    let house = house().await;
    paid_case(&house, "C-9").await;
    let (_, expected) = log(&house).await;
    let mut owner = house.owner().await;
    sqlx::query("DELETE FROM feedback.process_event").execute(&mut owner).await.unwrap();
    let facts = "SELECT string_agg(to_jsonb(f)::text, '|' ORDER BY case_id) FROM feedback.case_fact f";
    let before: String = sqlx::query_scalar(facts).fetch_one(&mut owner).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(read_again())).execute(&mut owner).await.unwrap();
    eventually(|| async { pieces(&house, this_year()).await.is_ok() }).await;
    let (_, events) = log(&house).await;
    assert_eq!(ids(&events), ids(&expected));
    let after: String = sqlx::query_scalar(facts).fetch_one(&mut owner).await.unwrap();
    assert_eq!(after, before);
    house.done().await;
}

#[tokio::test]
async fn a_bad_request_is_told_all_that_is_wrong() {
    let house = house().await;
    let bad = ExportProcessLogRequest { start_date: "2026-13-01".into(), end_date: "soon".into() };
    let status = pieces(&house, bad).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    assert_eq!(violations(&status), ["start_date", "end_date"]);
    let backwards =
        ExportProcessLogRequest { start_date: "2026-02-01".into(), end_date: "2026-02-01".into() };
    assert_eq!(violations(&pieces(&house, backwards).await.unwrap_err()), ["end_date"]);
    let long = ExportProcessLogRequest { start_date: "2020-01-01".into(), end_date: "2026-01-01".into() };
    assert_eq!(violations(&pieces(&house, long).await.unwrap_err()), ["end_date"]);
    house.done().await;
}

#[tokio::test]
async fn what_is_written_off_is_in_the_log_and_takes_no_payment_back() {
    let house = house().await;
    let one = paid_case(&house, "C-9").await;
    let given_up = TaskWrittenOff {
        case_id: one.to_string(),
        plan_id: Uuid::from_u128(one.as_u128() ^ 1).to_string(),
        cycle: 1,
        task_id: Uuid::from_u128(one.as_u128() ^ 3).to_string(),
        department_id: "finance".to_owned(),
        kind: RemedyKind::Refund.into(),
        approver: "carol@example.org".to_owned(),
        ..TaskWrittenOff::default()
    };
    house.tell("resolution", one, &given_up).await;
    house.settled().await;
    let (_, events) = log(&house).await;
    let told = of(&events, ProcessActivity::TaskWrittenOff);
    assert_eq!((told.department_id.as_str(), told.detail.as_str()), ("finance", "refund"));
    assert_eq!(told.amount, None, "the complainant keeps what was paid");
    assert!(!told.agent.is_empty() && !told.agent.contains('@'), "nobody is named");
    house.done().await;
}
