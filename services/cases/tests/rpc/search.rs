//! Finding cases: by what is known of them, by what people wrote, in order, page by
//! page; and counting them.

use proto::redress::cases::v1::search_service_client::SearchServiceClient;
use proto::redress::cases::v1::{CaseState, FacetCasesRequest, FacetCasesResponse, ListCasesRequest};
use proto::redress::intake::v1::{Channel, Complainant, Complaint};
use testkit::{CallerChannel, House, reason, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::{Client, Scene, complaint, registered};

async fn listed(client: &Client, filter: &str) -> Vec<Uuid> {
    ordered(client, filter, "").await
}

async fn ordered(client: &Client, filter: &str, order_by: &str) -> Vec<Uuid> {
    let (filter, order_by) = (filter.to_owned(), order_by.to_owned());
    let request = ListCasesRequest { filter, order_by, ..ListCasesRequest::default() };
    let cases = client.clone().list_cases(request).await.expect("a list").into_inner().cases;
    cases.iter().map(|case| Uuid::try_parse(&case.case_id).expect("an id")).collect()
}

async fn refused(client: &Client, request: ListCasesRequest) -> Status {
    client.clone().list_cases(request).await.expect_err("it must be refused")
}

/// A complaint in these words.
fn said(subject: &str, description: &str) -> Complaint {
    Complaint { subject: subject.to_owned(), description: description.to_owned(), ..complaint() }
}

#[tokio::test]
async fn texts_and_their_words_are_kept_when_a_case_is_opened() {
    let scene = Scene::open().await;
    let description = "Two refunds are late. 退款未到账".to_owned();
    let case = scene.register(Complaint { description: description.clone(), ..complaint() }).await;
    let mut owner = scene.house.owner().await;
    let (kept, words): (String, String) =
        sqlx::query_as("SELECT description, terms::text FROM cases.case_text WHERE case_id = $1")
            .bind(case)
            .fetch_one(&mut owner)
            .await
            .expect("kept");
    assert_eq!(kept, description);
    for word in ["kettle':1", "refund':", "退款':", "账':"] {
        assert!(words.contains(word), "{word} is not among {words}");
    }
    scene.house.done().await;
}

#[tokio::test]
async fn what_people_wrote_is_found_in_chinese_and_english() {
    let scene = Scene::open().await;
    let late = scene.register(said("Refund late", "Two weeks, no refunds. Agent: O'Brien")).await;
    let missing = scene.register(said("退款未到账", "我上周申请退款，iPhone13 至今没有收到")).await;
    let parcel = scene.register(said("快递破损", "箱子破了，收到的手机壳也破损")).await;
    for (filter, expected) in [
        ("text:refund", vec![late]),
        ("REFUNDS", vec![late]),
        ("\"weeks refund\"", vec![late]),
        ("text:\"o'brien\"", vec![late]),
        ("refun*", vec![late]),
        ("refun", vec![]),
        ("退款", vec![missing]),
        ("退款未到", vec![missing]),
        ("未退款", vec![]),
        ("破", vec![parcel]),
        ("账", vec![missing]),
        ("iphone*", vec![missing]),
        ("收到", vec![parcel, missing]),
        ("收到 OR refund", vec![parcel, missing, late]),
        ("收到 -手机壳", vec![missing]),
        ("NOT text:收到", vec![late]),
        ("text:\"退款 手机壳\"", vec![]),
    ] {
        assert_eq!(listed(&scene.cases, filter).await, expected, "{filter}");
    }
    scene.house.done().await;
}

#[tokio::test]
async fn cases_are_found_by_what_is_known_of_them() {
    let scene = Scene::open().await;
    let complainant = Some(Complainant { customer_id: "c-2".to_owned(), ..Complainant::default() });
    let phoned =
        Complaint { channel: Channel::Phone.into(), complainant, language: "zh".to_owned(), ..complaint() };
    let waiting = scene.register(phoned).await;
    let handled = scene.assigned().await;
    let decided = scene.resolved().await;
    for (filter, expected) in [
        ("state = TRIAGED", vec![waiting]),
        ("state != TRIAGED", vec![decided, handled]),
        ("agent = bob", vec![decided, handled]),
        ("agent_id = \"\"", vec![waiting]),
        ("-agent:*", vec![waiting]),
        ("department = logistics outcome:*", vec![decided]),
        ("outcome = UPHELD", vec![decided]),
        ("outcome != UPHELD", vec![handled, waiting]),
        ("NOT resolve_time < 2100-01-01T00:00:00Z", vec![handled, waiting]),
        ("channel = PHONE", vec![waiting]),
        ("customer = c-2 OR language = en", vec![decided, handled, waiting]),
        ("category = delivery", vec![decided, handled, waiting]),
        ("category:\"delivery/*\"", vec![decided, handled, waiting]),
        ("category:\"delivery/damaged/*\" OR category = deliver", vec![]),
        ("priority <= P4 AND tier = 0 AND open = true", vec![decided, handled, waiting]),
        ("receive_time < 2020-01-01T00:00:00Z OR breached = true", vec![]),
    ] {
        assert_eq!(listed(&scene.cases, filter).await, expected, "{filter}");
    }
    let request = ListCasesRequest {
        agent_id: "bob".to_owned(),
        filter: "state = INVESTIGATING".to_owned(),
        ..ListCasesRequest::default()
    };
    let both = scene.cases.clone().list_cases(request).await.expect("a list").into_inner();
    assert_eq!(both.cases.iter().map(|case| case.case_id.clone()).collect::<Vec<_>>(), [handled.to_string()]);
    scene.house.done().await;
}

#[tokio::test]
async fn what_is_due_first_comes_first() {
    let scene = Scene::open().await;
    let (late, soon, never) = (scene.triaged().await, scene.triaged().await, scene.triaged().await);
    let over = scene.triaged().await;
    let mut owner = scene.house.owner().await;
    for (case, hours) in [(late, -1), (soon, 1), (over, -2)] {
        sqlx::query("UPDATE cases.cases SET due_at = now() + $2 * interval '1 hour' WHERE case_id = $1")
            .bind(case)
            .bind(hours)
            .execute(&mut owner)
            .await
            .expect("due");
    }
    let timeless = "UPDATE cases.cases SET due_at = NULL WHERE case_id = $1";
    sqlx::query(timeless).bind(never).execute(&mut owner).await.expect("never due");
    let closing = "UPDATE cases.cases SET closed_at = now() WHERE case_id = $1";
    sqlx::query(closing).bind(over).execute(&mut owner).await.expect("closed");
    assert_eq!(ordered(&scene.cases, "open = true", "due_time").await, [late, soon, never]);
    assert_eq!(ordered(&scene.cases, "open = true", "due_time desc").await, [never, soon, late]);
    assert_eq!(listed(&scene.cases, "breached = true").await, [late]);
    assert_eq!(listed(&scene.cases, "open = true AND due_time:*").await, [soon, late]);
    assert_eq!(ordered(&scene.cases, "", "receive_time").await, [late, soon, never, over]);
    scene.house.done().await;
}

#[tokio::test]
async fn everything_wrong_with_a_search_is_told_at_once() {
    let scene = Scene::open().await;
    let request = ListCasesRequest {
        filter: "state = TRIGED AND (colour = red OR tier > high".to_owned(),
        order_by: "priority".to_owned(),
        state: CaseState::Triaged.into(),
        ..ListCasesRequest::default()
    };
    let refusal = refused(&scene.cases, request).await;
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_LIST"));
    assert_eq!(violations(&refusal), ["filter", "filter", "filter", "filter", "order_by"]);
    let told =
        tonic_types::StatusExt::get_details_bad_request(&refusal).expect("violations").field_violations;
    let places: Vec<_> = told.iter().filter_map(|one| one.description.split(':').next()).collect();
    assert_eq!(&places[..4], ["at character 9", "at character 20", "at character 21", "at character 44"]);

    let due = ListCasesRequest { order_by: "due_time".to_owned(), ..ListCasesRequest::default() };
    assert_eq!(violations(&refused(&scene.cases, due).await), ["order_by"]);
    let twice = ListCasesRequest {
        filter: "open = true agent = ann".to_owned(),
        agent_id: "bob".to_owned(),
        ..ListCasesRequest::default()
    };
    assert_eq!(violations(&refused(&scene.cases, twice).await), ["filter"]);
    let long = ListCasesRequest { filter: "x ".repeat(1_001), ..ListCasesRequest::default() };
    assert_eq!(violations(&refused(&scene.cases, long).await), ["filter"]);

    let facets = FacetCasesRequest {
        filter: "open".to_owned(),
        fields: ["state", "subject", "state"].map(str::to_owned).into(),
    };
    let refusal = search(&scene.house).facet_cases(facets).await.expect_err("it must be refused");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_FACETS"));
    assert_eq!(violations(&refusal), ["filter", "fields[1]", "fields[2]"]);
    scene.house.done().await;
}

fn search(house: &House) -> SearchServiceClient<CallerChannel> {
    SearchServiceClient::new(house.channel())
}

async fn counted(
    client: &mut SearchServiceClient<CallerChannel>,
    filter: &str,
    fields: &[&str],
) -> FacetCasesResponse {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    let request = FacetCasesRequest { filter: filter.to_owned(), fields };
    client.facet_cases(request).await.expect("counts").into_inner()
}

#[tokio::test]
async fn cases_are_counted_by_what_is_known_of_them() {
    let scene = Scene::open().await;
    for _ in 0..2 {
        scene.triaged().await;
    }
    scene.resolved().await;
    let mut search = search(&scene.house);
    let all = counted(&mut search, "", &["state", "agent", "outcome", "breached"]).await;
    assert_eq!((all.total, all.exact), (3, true));
    let read: Vec<_> = all
        .facets
        .iter()
        .map(|facet| {
            assert!(!facet.more_values);
            let counts: Vec<_> = facet.counts.iter().map(|one| (one.value.as_str(), one.count)).collect();
            (facet.field.as_str(), counts)
        })
        .collect();
    let expected = [
        ("state", vec![("TRIAGED", 2), ("RESOLVED", 1)]),
        ("agent", vec![("", 2), ("bob", 1)]),
        ("outcome", vec![("", 2), ("UPHELD", 1)]),
        ("breached", vec![("false", 3)]),
    ];
    assert_eq!(read, expected);
    let some = counted(&mut search, "agent = bob kettle", &["priority"]).await;
    assert_eq!((some.total, some.facets[0].counts.len()), (1, 1));
    let none = counted(&mut search, "agent = nobody", &["priority"]).await;
    assert_eq!((none.total, none.facets[0].counts.len()), (0, 0));
    scene.house.done().await;
}

#[tokio::test]
async fn a_tenant_finds_its_own_cases_only() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let db = house.db("cases");
    let mut ids = Vec::new();
    for tenant in ["tenant-a", "tenant-b"] {
        let case = db.ids().id(db.clock().now());
        house.tell_as(tenant, "intake", case, &registered(case, complaint(), db.clock().now())).await;
        ids.push(case);
    }
    house.settled().await;
    for (tenant, id) in
        ["tenant-a", "tenant-b", "tenant-c"].into_iter().zip([Some(ids[0]), Some(ids[1]), None])
    {
        let line = || house.channel_as(tenant, "ann", &["reader"]);
        let found = listed(&Client::new(line()), "kettle OR text:crushed").await;
        assert_eq!(found, id.into_iter().collect::<Vec<_>>(), "{tenant}");
        assert!(listed(&Client::new(line()), "NOT kettle").await.is_empty(), "{tenant}");
        let counts = counted(&mut SearchServiceClient::new(line()), "", &["state"]).await;
        assert_eq!(counts.total, i64::from(id.is_some()), "{tenant}");
    }
    house.done().await;
}
