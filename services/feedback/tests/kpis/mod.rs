//! KPIs: what is told of what was heard, and facts that are rebuilt.

use kernel::Clock as _;
use proto::google::r#type::Money;
use proto::redress::assignment::v1::CaseAssigned;
use proto::redress::cases::v1::{CaseEscalated, CaseOpened, CloseReason, Priority};
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::{
    FactState, GetFactStateRequest, GetKpiSettingsRequest, KpiAnswer, KpiComparison, KpiDimension, KpiFigure,
    KpiFilter, KpiPeriod, KpiQuery, KpiSettings, KpiTime, KpiUnit, ListKpisRequest, QueryKpisRequest,
    QueryKpisResponse, RebuildFactsRequest, RegionCustomers, UpdateKpiSettingsRequest,
};
use proto::redress::intake::v1::{Channel, ComplaintRegistered};
use proto::redress::resolution::v1::{TaskCompleted, TaskWrittenOff};
use sqlx::AssertSqlSafe;
use testkit::{CallerChannel, House, MockClock, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::records::called;
use crate::{
    accept, case, client, closed, dispute, house, list, refused, registered, reopened, resolved, respond,
};

type Kpis = KpiServiceClient<CallerChannel>;

fn kpis(house: &House) -> Kpis {
    Kpis::new(house.channel())
}

/// A complaint from a region, by a customer.
fn complaint(case: Uuid, region: &str, customer: &str) -> ComplaintRegistered {
    let mut registered = registered(case, "");
    let complaint = registered.complaint.as_mut().unwrap();
    complaint.channel = Channel::Web.into();
    let complainant = complaint.complainant.as_mut().unwrap();
    (complainant.region, complainant.customer_id) = (region.to_owned(), customer.to_owned());
    let received = MockClock::default().now() - jiff::SignedDuration::from_hours(5);
    complaint.receive_time = Some(proto::timestamp(received));
    registered
}

fn opened(case: Uuid) -> CaseOpened {
    let (case_id, category) = (case.to_string(), "delivery".to_owned());
    CaseOpened { case_id, cycle: 1, category, priority: Priority::P3.into(), ..CaseOpened::default() }
}

fn this_year(kpi: &str) -> KpiQuery {
    let year = MockClock::default().now().strftime("%Y").to_string();
    KpiQuery {
        name: kpi.to_owned(),
        kpi: kpi.to_owned(),
        start_date: format!("{year}-01-01"),
        end_date: format!("{year}-12-31"),
        ..KpiQuery::default()
    }
}

async fn ask(house: &House, queries: Vec<KpiQuery>) -> Result<QueryKpisResponse, Status> {
    Ok(kpis(house).query_kpis(QueryKpisRequest { queries }).await?.into_inner())
}

async fn answer(house: &House, query: KpiQuery) -> KpiAnswer {
    ask(house, vec![query]).await.unwrap().answers.remove(0)
}

/// The one figure of this year.
async fn figure(house: &House, kpi: &str) -> KpiFigure {
    let mut answer = answer(house, this_year(kpi)).await;
    assert_eq!(answer.rows.len(), 1, "{answer:?}");
    answer.rows.remove(0).figure.unwrap()
}

async fn share(house: &House, kpi: &str) -> (i64, i64) {
    let figure = figure(house, kpi).await;
    (figure.numerator, figure.denominator)
}

async fn state(house: &House) -> FactState {
    kpis(house).get_fact_state(GetFactStateRequest {}).await.unwrap().into_inner().state.unwrap()
}

/// A case that was resolved, told, accepted, paid and closed; and one that was disputed.
async fn two_cases(house: &House) -> (Uuid, Uuid) {
    let (good, bad) = (case(), case());
    for one in [good, bad] {
        let mut registered = complaint(one, "CN-SH", &format!("c-{one}"));
        if one == good {
            let complaint = registered.complaint.as_mut().unwrap();
            "+8613800000000".clone_into(&mut complaint.complainant.as_mut().unwrap().phone);
            complaint.completeness = Some(100);
        }
        house.tell("intake", one, &registered).await;
        house.tell("cases", one, &opened(one)).await;
        let (case_id, department_id) = (one.to_string(), "care".to_owned());
        house
            .tell("assignment", one, &CaseAssigned { case_id, department_id, ..CaseAssigned::default() })
            .await;
        house.tell("cases", one, &resolved(one, 1)).await;
    }
    house.settled().await;
    let mut client = client(house);
    for notice in list(&mut client, good).await {
        client.record_notice(called(house, &notice)).await.unwrap();
    }
    respond(&mut client, accept(good)).await.unwrap();
    respond(&mut client, dispute(bad)).await.unwrap();
    house.tell("cases", good, &closed(good, 1, CloseReason::Accepted)).await;
    house.tell("cases", bad, &reopened(bad, 2)).await;
    house
        .tell("cases", bad, &CaseEscalated { case_id: bad.to_string(), tier: 1, ..Default::default() })
        .await;
    let amount = Some(Money { currency_code: "CNY".into(), units: 39, nanos: 900_000_000 });
    let paid = TaskCompleted {
        case_id: good.to_string(),
        task_id: Uuid::from_u128(9).to_string(),
        amount,
        ..TaskCompleted::default()
    };
    house.tell("resolution", good, &paid).await;
    let lost = TaskWrittenOff {
        case_id: good.to_string(),
        task_id: Uuid::from_u128(10).to_string(),
        department_id: "finance".to_owned(),
        amount: Some(Money { currency_code: "CNY".into(), units: 7, nanos: 50_000_000 }),
        ..TaskWrittenOff::default()
    };
    house.tell("resolution", good, &lost).await;
    house.settled().await;
    (good, bad)
}

#[tokio::test]
async fn what_happened_is_counted_from_every_feed_that_tells_of_it() {
    let house = house().await;
    two_cases(&house).await;
    for (kpi, expected) in [
        ("received", (2, 2)),
        ("completion_rate", (1, 2)),
        ("closed", (1, 1)),
        ("on_time_rate", (1, 1)),
        ("upheld_rate", (2, 2)),
        ("reopen_rate", (1, 2)),
        ("first_time_resolution", (1, 2)),
        ("escalation_rate", (1, 2)),
        ("repeat_rate", (0, 2)),
        ("complete_rate", (1, 2)),
        // The good one scored 4 for the outcome and 5 for the handling.
        ("satisfaction", (1, 1)),
        ("handling_satisfaction", (1, 1)),
    ] {
        assert_eq!(share(&house, kpi).await, expected, "{kpi}");
    }
    let paid = figure(&house, "redress_paid").await;
    assert_eq!(paid.amounts, [Money { currency_code: "CNY".into(), units: 39, nanos: 900_000_000 }]);
    let lost = figure(&house, "losses_written_off").await;
    assert_eq!(lost.amounts, [Money { currency_code: "CNY".into(), units: 7, nanos: 50_000_000 }]);
    let by = KpiQuery { dimension: KpiDimension::Department.into(), ..this_year("losses_written_off") };
    let by: Vec<String> = answer(&house, by).await.rows.into_iter().map(|row| row.value).collect();
    assert_eq!(by, ["finance"], "the department that was to take it back, not the one of the case");
    let response = figure(&house, "response_time").await;
    assert_eq!((response.value, response.denominator), (Some(5.0 * 3_600.0), 2));
    let acknowledged = figure(&house, "acknowledgement_time").await;
    assert_eq!(acknowledged.denominator, 1, "the other was not told");
    let upheld = figure(&house, "upheld_rate").await;
    assert!(upheld.lower.unwrap() < 0.5 && upheld.upper == Some(1.0), "two of two are not all: {upheld:?}");
    let by = KpiQuery { dimension: KpiDimension::Department.into(), ..this_year("received") };
    assert_eq!(answer(&house, by).await.rows.len(), 1);
    let open =
        answer(&house, KpiQuery { kpi: "backlog".into(), name: "b".into(), ..KpiQuery::default() }).await;
    assert_eq!(open.rows[0].figure.as_ref().unwrap().denominator, 1, "{open:?}");
    house.done().await;
}

#[tokio::test]
async fn every_kpi_is_described_and_answers() {
    let house = house().await;
    let all = kpis(&house).list_kpis(ListKpisRequest {}).await.unwrap().into_inner().kpis;
    assert!(all.len() >= 19);
    for kpi in all {
        assert!(!kpi.description.is_empty() && !kpi.formula.is_empty() && !kpi.counted_by.is_empty());
        assert!(!kpi.sources.is_empty() && kpi.unit() != KpiUnit::Unspecified, "{}", kpi.name);
        let query = match kpi.name.as_str() {
            "backlog" => KpiQuery { kpi: "backlog".into(), name: "backlog".into(), ..KpiQuery::default() },
            "density" => KpiQuery { dimension: KpiDimension::Region.into(), ..this_year("density") },
            name => this_year(name),
        };
        let answer = answer(&house, query).await;
        assert_eq!((answer.kpi, answer.unit), (kpi.name, kpi.unit));
    }
    house.done().await;
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_is_told_all_that_is_wrong() {
    let house = house().await;
    let wrong = KpiQuery {
        start_date: "2026-02-30".into(),
        end_date: "soon".into(),
        filters: vec![KpiFilter { dimension: KpiDimension::Channel.into(), values: vec!["pigeon".into()] }],
        time: KpiTime::Net.into(),
        percentiles: vec![1.5],
        as_of_time: Some(prost_types::Timestamp { seconds: 99_999_999_999, nanos: 0 }),
        ..this_year("density")
    };
    let backwards = KpiQuery { name: "b".into(), end_date: "2020-01-01".into(), ..this_year("received") };
    let stock = KpiQuery { comparison: KpiComparison::Year.into(), ..this_year("backlog") };
    let again =
        KpiQuery { period: KpiPeriod::Day.into(), start_date: "2020-01-01".into(), ..this_year("backlog") };
    let status = ask(&house, vec![wrong, backwards, stock, again]).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_KPI_QUERY"));
    let fields = violations(&status);
    for expected in [
        "queries[0].start_date",
        "queries[0].end_date",
        "queries[0].dimension",
        "queries[0].filters[0].values",
        "queries[0].time",
        "queries[0].percentiles",
        "queries[0].as_of_time",
        "queries[1].end_date",
        "queries[2].start_date",
        "queries[2].comparison",
        "queries[3].name",
        "queries[3].period",
    ] {
        assert!(fields.iter().any(|field| field == expected), "{expected} is not among {fields:?}");
    }
    let none = ask(&house, Vec::new()).await.unwrap_err();
    assert_eq!(violations(&none), ["queries"]);
    let many = (0..31).map(|number| KpiQuery { name: number.to_string(), ..this_year("received") }).collect();
    assert_eq!(violations(&ask(&house, many).await.unwrap_err()), ["queries"]);
    house.done().await;
}

#[tokio::test]
async fn groups_that_are_small_are_suppressed_and_the_whole_is_told() {
    let house = house().await;
    for number in 0..12 {
        let one = case();
        let region = if number < 2 { "small" } else { "large" };
        house.tell("intake", one, &complaint(one, region, &number.to_string())).await;
    }
    house.settled().await;
    let by = KpiQuery { dimension: KpiDimension::Region.into(), ..this_year("received") };
    let answered = answer(&house, by.clone()).await;
    let told: Vec<_> = answered
        .rows
        .iter()
        .map(|row| {
            (row.value.as_str(), row.figure.as_ref().unwrap().suppressed, row.figure.as_ref().unwrap().value)
        })
        .collect();
    // The large one alone would tell the small one, by subtraction.
    assert_eq!(told, [("large", true, None), ("small", true, None)]);
    assert_eq!(share(&house, "received").await, (12, 12));
    let filters = vec![KpiFilter { dimension: KpiDimension::Region.into(), values: vec!["small".into()] }];
    let chosen = answer(&house, KpiQuery { filters, ..this_year("received") }).await;
    assert!(chosen.rows[0].figure.as_ref().unwrap().suppressed);
    let settings = KpiSettings { min_group_size: 2, time_zone: "UTC".into(), ..KpiSettings::default() };
    update(&house, 0, settings).await.unwrap();
    let answered = answer(&house, by).await;
    assert!(answered.rows.iter().all(|row| !row.figure.as_ref().unwrap().suppressed));
    house.done().await;
}

fn change(expected_version: i64, settings: KpiSettings) -> UpdateKpiSettingsRequest {
    UpdateKpiSettingsRequest { request_id: request_id(), expected_version, settings: Some(settings) }
}

async fn update(house: &House, expected: i64, settings: KpiSettings) -> Result<KpiSettings, Status> {
    let answer = kpis(house).update_kpi_settings(change(expected, settings)).await?;
    Ok(answer.into_inner().settings.unwrap())
}

#[tokio::test]
async fn settings_are_replaced_once_and_by_who_has_seen_them() {
    let house = house().await;
    let read = async || {
        let answer = kpis(&house).get_kpi_settings(GetKpiSettingsRequest {}).await.unwrap();
        answer.into_inner().settings.unwrap()
    };
    let first = read().await;
    assert_eq!((first.version, first.time_zone.as_str(), first.min_group_size), (0, "UTC", 5));
    let customers = vec![RegionCustomers { region: "CN-SH".into(), customers: 2_000 }];
    let wanted = KpiSettings { min_group_size: 0, customers: customers.clone(), ..first.clone() };
    let request = change(0, wanted.clone());
    let made = kpis(&house).update_kpi_settings(request.clone()).await.unwrap().into_inner();
    let again = kpis(&house).update_kpi_settings(request).await.unwrap().into_inner();
    assert_eq!(made, again);
    assert_eq!(read().await, KpiSettings { version: 1, ..wanted.clone() });
    let (code, reason) = refused(update(&house, 0, wanted.clone()).await);
    assert_eq!((code, reason.as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    assert!(!state(&house).await.rebuilding, "the zone is the same");

    let one = case();
    house.tell("intake", one, &complaint(one, "CN-SH", "c")).await;
    house.settled().await;
    let density = KpiQuery { dimension: KpiDimension::Region.into(), ..this_year("density") };
    let rows = answer(&house, density).await.rows;
    assert_eq!(rows[0].figure.as_ref().unwrap().value, Some(0.5), "one for two thousand");

    let twice = RegionCustomers { region: "CN-SH".into(), customers: 0 };
    let wrong = KpiSettings {
        time_zone: "Mars/Olympus".into(),
        min_group_size: -1,
        customers: [customers, vec![twice]].concat(),
        ..wanted
    };
    let status = update(&house, 1, wrong).await.unwrap_err();
    let fields = violations(&status);
    for expected in ["time_zone", "min_group_size", "customers[1].customers", "customers[1].region"] {
        assert!(fields.contains(&format!("settings.{expected}")), "{expected} is not among {fields:?}");
    }
    house.done().await;
}

/// All that is kept, as the database's owner sees it.
async fn hash(house: &House) -> String {
    let mut owner = house.owner().await;
    let mut all = String::new();
    for table in ["case_fact", "cycle_fact", "call_back_fact", "payment_fact", "loss_fact", "pause_fact"] {
        let statement = format!(
            "SELECT coalesce(md5(string_agg(to_jsonb(t)::text, '|' ORDER BY to_jsonb(t)::text)), '')
             FROM feedback.{table} t"
        );
        let hash: String = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut owner).await.unwrap();
        all += &hash;
    }
    all
}

async fn rebuilt(house: &House) {
    eventually(|| async { !state(house).await.rebuilding }).await;
}

#[tokio::test]
async fn facts_that_are_rebuilt_while_events_arrive_are_those_of_before() {
    let house = house().await;
    two_cases(&house).await;
    let (before, upheld) = (hash(&house).await, share(&house, "upheld_rate").await);
    let request = RebuildFactsRequest { request_id: request_id() };
    let begun = kpis(&house).rebuild_facts(request.clone()).await.unwrap().into_inner();
    assert!(begun.state.as_ref().unwrap().rebuilding);
    let again = kpis(&house).rebuild_facts(request).await.unwrap().into_inner();
    assert_eq!(begun, again);
    rebuilt(&house).await;
    assert_eq!(hash(&house).await, before);
    assert_eq!(share(&house, "upheld_rate").await, upheld);
    let state = state(&house).await;
    assert!(state.rebuild_request_time.is_some() && state.rebuild_finish_time.is_some());

    // What arrives meanwhile is counted, and what was lost comes back.
    let mut owner = house.owner().await;
    sqlx::query("DELETE FROM feedback.cycle_fact").execute(&mut owner).await.unwrap();
    sqlx::query("UPDATE feedback.case_fact SET region = 'nowhere'").execute(&mut owner).await.unwrap();
    assert_ne!(hash(&house).await, before);
    kpis(&house).rebuild_facts(RebuildFactsRequest { request_id: request_id() }).await.unwrap();
    let late = case();
    house.tell("intake", late, &complaint(late, "CN-SH", "late")).await;
    house.settled().await;
    rebuilt(&house).await;
    assert_eq!(share(&house, "received").await, (3, 3));
    assert_eq!(share(&house, "upheld_rate").await, upheld);
    sqlx::query("DELETE FROM feedback.case_fact WHERE case_id = $1")
        .bind(late)
        .execute(&mut owner)
        .await
        .unwrap();
    assert_eq!(hash(&house).await, before);
    house.done().await;
}

#[tokio::test]
async fn another_zone_has_working_time_and_days_counted_anew() {
    let house = house().await;
    two_cases(&house).await;
    let working = KpiQuery { time: KpiTime::Working.into(), ..this_year("response_time") };
    let utc = answer(&house, working.clone()).await.rows.remove(0).figure.unwrap();
    let settings = KpiSettings { time_zone: "Pacific/Auckland".into(), ..KpiSettings::default() };
    update(&house, 0, settings).await.unwrap();
    rebuilt(&house).await;
    let there = answer(&house, working).await.rows.remove(0).figure.unwrap();
    assert_eq!(there.denominator, utc.denominator);
    assert_ne!(there.value, utc.value, "noon in London is midnight in Auckland");
    house.done().await;
}

#[tokio::test]
async fn an_answer_says_how_current_it_is() {
    let house = house().await;
    let one = case();
    house.tell("intake", one, &complaint(one, "r", "c")).await;
    house.settled().await;
    let state = ask(&house, vec![this_year("received")]).await.unwrap().state.unwrap();
    let sources: Vec<&str> = state.sources.iter().map(|source| source.source.as_str()).collect();
    assert_eq!(sources, ["intake", "cases", "assignment", "resolution", "feedback"]);
    for source in &state.sources {
        assert_eq!(source.lag, Some(prost_types::Duration::default()), "{} has told all", source.source);
        assert_eq!(source.parked_count, 0);
    }
    // What cannot be applied is counted nowhere, and said.
    let mut broken = complaint(case(), "r", "c");
    broken.complaint.as_mut().unwrap().complaint_id = "no id".into();
    house.tell("intake", one, &broken).await;
    house.settled().await;
    let state = self::state(&house).await;
    assert_eq!(state.sources[0].parked_count, 1);
    let mut owner = house.owner().await;
    sqlx::query("DELETE FROM feedback.parked_event").execute(&mut owner).await.unwrap();
    sqlx::query("UPDATE feedback.inbox_size SET events = 0").execute(&mut owner).await.unwrap();
    house.done().await;
}

#[tokio::test]
async fn another_tenant_counts_and_rebuilds_its_own() {
    let house = House::builder(&[feedback::SERVICE]).clock(MockClock::default()).identified().open().await;
    let (mine, theirs) = (case(), case());
    house.tell_as("mine", "intake", mine, &complaint(mine, "r", "c")).await;
    house.tell_as("theirs", "intake", theirs, &complaint(theirs, "r", "c")).await;
    let more = case();
    house.tell_as("theirs", "intake", more, &complaint(more, "r", "d")).await;
    house.settled().await;
    let count = async |tenant: &str| {
        let mut kpis = Kpis::new(house.channel_as(tenant, "ann", &["reader"]));
        let queries = vec![this_year("received")];
        let mut answer = kpis.query_kpis(QueryKpisRequest { queries }).await.unwrap().into_inner();
        answer.answers.remove(0).rows.remove(0).figure.unwrap().numerator
    };
    assert_eq!((count("mine").await, count("theirs").await, count("nobody").await), (1, 2, 0));
    let mut kpis = Kpis::new(house.channel_as("mine", "ann", &["admin"]));
    kpis.rebuild_facts(RebuildFactsRequest { request_id: request_id() }).await.unwrap();
    eventually(|| async {
        let mut kpis = Kpis::new(house.channel_as("mine", "ann", &["reader"]));
        !kpis.get_fact_state(GetFactStateRequest {}).await.unwrap().into_inner().state.unwrap().rebuilding
    })
    .await;
    assert_eq!((count("mine").await, count("theirs").await), (1, 2));
    house.done().await;
}
