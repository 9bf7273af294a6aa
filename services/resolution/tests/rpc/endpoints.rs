//! Where departments have their tasks brought to: set, read, paused, taken away; good, bad,
//! repeated, another tenant's.

use proto::redress::resolution::v1::{
    DeleteEndpointRequest, EndpointKind, EndpointPaused, EndpointResumed, EndpointState, GetEndpointRequest,
    ListDeliveriesRequest, ListEndpointsRequest, PauseEndpointRequest, RedeliverTaskRequest,
    ResumeEndpointRequest, RotateEndpointSecretRequest, SetEndpointRequest,
};
use testkit::request_id;
use tonic::Code;

use crate::push::{Client, endpoints, setting};
use crate::repeated;
use crate::world::{World, found_departments, invalid, refund, refused, task_id};

const URL: &str = "https://pay.example.com/tasks";
const OTHER: &str = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg==";

fn seconds(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

fn get(department: &str) -> GetEndpointRequest {
    GetEndpointRequest { department_id: department.to_owned() }
}

fn rotation(secret: &str) -> RotateEndpointSecretRequest {
    RotateEndpointSecretRequest {
        request_id: request_id(),
        department_id: "finance".to_owned(),
        expected_version: None,
        secret: secret.to_owned(),
        keep_duration: None,
    }
}

fn pause() -> PauseEndpointRequest {
    PauseEndpointRequest {
        request_id: request_id(),
        department_id: "finance".to_owned(),
        reason: "they migrate".to_owned(),
    }
}

fn resume() -> ResumeEndpointRequest {
    ResumeEndpointRequest {
        request_id: request_id(),
        department_id: "finance".to_owned(),
        reason: "they are back".to_owned(),
    }
}

fn deletion(version: Option<i64>) -> DeleteEndpointRequest {
    DeleteEndpointRequest {
        request_id: request_id(),
        department_id: "finance".to_owned(),
        expected_version: version,
    }
}

#[tokio::test]
async fn an_endpoint_is_set_changed_and_taken_away_and_its_secrets_are_never_shown() {
    let world = World::open().await;
    let mut boss = endpoints(&world, "boss");
    let request = SetEndpointRequest { expected_version: Some(0), ..setting("finance", URL) };
    let answer = repeated!(boss, set_endpoint, request, |other: &mut SetEndpointRequest| other.url.push('x'));
    let first = answer.endpoint.unwrap();
    assert_eq!(
        (first.version, first.kind(), first.state()),
        (1, EndpointKind::Webhook, EndpointState::Enabled)
    );
    assert_eq!((first.url.as_str(), first.has_secret, first.timeout_duration), (URL, true, Some(seconds(1))));
    assert_eq!(boss.get_endpoint(get("finance")).await.unwrap().into_inner().endpoint.unwrap(), first);
    let stale = SetEndpointRequest { expected_version: Some(0), ..setting("finance", URL) };
    refused(boss.set_endpoint(stale).await, Code::Aborted, "VERSION_MISMATCH");
    let request = SetEndpointRequest {
        expected_version: Some(1),
        secret: String::new(),
        timeout_duration: None,
        hold_duration: None,
        ..setting("finance", URL)
    };
    let second = boss.set_endpoint(request).await.unwrap().into_inner().endpoint.unwrap();
    assert_eq!((second.version, second.has_secret), (2, true), "it stays");
    assert_eq!((second.timeout_duration, second.hold_duration), (Some(seconds(10)), Some(seconds(3_600))));

    let answer = repeated!(
        boss,
        rotate_endpoint_secret,
        rotation(OTHER),
        |other: &mut RotateEndpointSecretRequest| other.secret.push('x')
    );
    let rotated = answer.endpoint.unwrap();
    assert!(rotated.old_secret_expire_time.is_some());
    assert!(!format!("{rotated:?}").contains("whsec_"), "{rotated:?}");
    let answer =
        repeated!(boss, delete_endpoint, deletion(Some(3)), |other: &mut DeleteEndpointRequest| other
            .expected_version =
            None);
    assert_eq!(answer.endpoint.unwrap().version, 3);
    refused(boss.get_endpoint(get("finance")).await, Code::NotFound, "ENDPOINT_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test]
async fn a_pause_and_its_end_are_told_and_happen_once() {
    let world = World::open().await;
    let mut boss = endpoints(&world, "boss");
    boss.set_endpoint(setting("finance", URL)).await.unwrap();
    refused(boss.resume_endpoint(resume()).await, Code::FailedPrecondition, "ENDPOINT_NOT_PAUSED");
    let answer =
        repeated!(boss, pause_endpoint, pause(), |other: &mut PauseEndpointRequest| other.reason.push('!'));
    let paused = answer.endpoint.unwrap();
    assert_eq!((paused.state(), paused.pauser.as_str()), (EndpointState::Paused, "boss"));
    refused(boss.pause_endpoint(pause()).await, Code::FailedPrecondition, "ENDPOINT_ALREADY_PAUSED");
    let kept = boss.set_endpoint(setting("finance", URL)).await.unwrap().into_inner().endpoint.unwrap();
    assert_eq!(kept.state(), EndpointState::Paused, "what is changed stays paused");
    let answer = repeated!(boss, resume_endpoint, resume(), |other: &mut ResumeEndpointRequest| other
        .reason
        .push('!'));
    assert_eq!(answer.endpoint.unwrap().state(), EndpointState::Enabled);
    let told = world.house.published::<EndpointPaused>("resolution").await;
    assert_eq!((told.len(), told[0].pauser.as_str(), told[0].reason.as_str()), (1, "boss", "they migrate"));
    let told = world.house.published::<EndpointResumed>("resolution").await;
    assert_eq!((told.len(), told[0].resumer.as_str()), (1, "boss"));
    world.house.done().await;
}

#[tokio::test]
async fn what_is_wrong_with_an_endpoint_is_told_at_once_and_nothing_is_stored() {
    let world = World::open().await;
    let mut boss = endpoints(&world, "boss");
    for (url, secret, kind, field) in [
        ("ftp://pay.example.com", OTHER, EndpointKind::Webhook, "url"),
        ("https://ann:secret@pay.example.com", OTHER, EndpointKind::Webhook, "url"),
        (&*format!("https://pay.example.com/{}", "x".repeat(2_000)), OTHER, EndpointKind::Webhook, "url"),
        ("https://pay.example.com/path", "", EndpointKind::Grpc, "url"),
        (URL, "whsec_short", EndpointKind::Webhook, "secret"),
        (URL, "", EndpointKind::Webhook, "secret"),
        ("https://pay.example.com", "short", EndpointKind::Grpc, "secret"),
        ("https://pay.example.com", "with\nanother line of it", EndpointKind::Grpc, "secret"),
    ] {
        let request =
            SetEndpointRequest { kind: kind.into(), secret: secret.to_owned(), ..setting("finance", url) };
        invalid(boss.set_endpoint(request).await, "INVALID_ENDPOINT", &[field]);
    }
    let bad = SetEndpointRequest {
        kind: 9,
        timeout_duration: Some(seconds(16)),
        hold_duration: Some(seconds(59)),
        ..SetEndpointRequest::default()
    };
    let fields = ["request_id", "department_id", "kind", "url", "timeout_duration", "hold_duration"];
    invalid(boss.set_endpoint(bad).await, "INVALID_ENDPOINT", &fields);
    let nowhere = boss.set_endpoint(setting("nowhere", URL)).await;
    refused(nowhere, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    refused(boss.get_endpoint(get("finance")).await, Code::NotFound, "ENDPOINT_NOT_FOUND");

    boss.set_endpoint(SetEndpointRequest {
        kind: EndpointKind::Grpc.into(),
        secret: String::new(),
        ..setting("finance", "https://pay.example.com")
    })
    .await
    .unwrap();
    let keeping = RotateEndpointSecretRequest { keep_duration: Some(seconds(5)), ..rotation("short") };
    let both = ["secret", "keep_duration"];
    invalid(boss.rotate_endpoint_secret(keeping).await, "INVALID_SECRET", &both);
    let long = RotateEndpointSecretRequest { keep_duration: Some(seconds(31 * 86_400)), ..rotation("") };
    invalid(boss.rotate_endpoint_secret(long).await, "INVALID_SECRET", &both);
    world.house.done().await;
}

#[tokio::test]
async fn endpoints_are_listed_page_by_page_each_tenants_own() {
    let world = World::identified().await;
    found_departments(&world.house, "other").await;
    let client = |tenant: &str| Client::new(world.house.channel_as(tenant, "boss", &["admin", "supervisor"]));
    let (mut ours, mut theirs) = (client("development"), client("other"));
    for department in ["finance", "audit", "service"] {
        ours.set_endpoint(setting(department, URL)).await.unwrap();
    }
    let mut listed = Vec::new();
    let mut request = ListEndpointsRequest { page_size: 2, page_token: String::new() };
    loop {
        let page = ours.list_endpoints(request.clone()).await.unwrap().into_inner();
        listed.extend(page.endpoints.into_iter().map(|endpoint| endpoint.department_id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed, ["audit", "finance", "service"]);
    let found = theirs.list_endpoints(ListEndpointsRequest::default()).await.unwrap().into_inner();
    assert_eq!(found.endpoints, []);
    refused(theirs.get_endpoint(get("finance")).await, Code::NotFound, "ENDPOINT_NOT_FOUND");
    refused(theirs.rotate_endpoint_secret(rotation(OTHER)).await, Code::NotFound, "ENDPOINT_NOT_FOUND");
    refused(theirs.pause_endpoint(pause()).await, Code::NotFound, "ENDPOINT_NOT_FOUND");
    refused(theirs.resume_endpoint(resume()).await, Code::NotFound, "ENDPOINT_NOT_FOUND");
    refused(theirs.delete_endpoint(deletion(None)).await, Code::NotFound, "ENDPOINT_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test]
async fn deliveries_are_seen_by_readers_and_workers_of_the_department() {
    let world = World::identified().await;
    let task = {
        world.approved(vec![refund("a")]).await;
        let lease = world.take("finance").await;
        task_id(&lease).to_owned()
    };
    let client = |roles: &[&str]| Client::new(world.house.channel_as("development", "sam", roles));
    let of_department = |department: &str| ListDeliveriesRequest {
        department_id: department.to_owned(),
        ..ListDeliveriesRequest::default()
    };
    let of_task = || ListDeliveriesRequest { task_id: task.clone(), ..ListDeliveriesRequest::default() };
    for roles in [&["reader"], &["department-worker:finance"], &["supervisor"]] {
        let found = client(roles).list_deliveries(of_department("finance")).await.unwrap().into_inner();
        assert_eq!(found.deliveries, []);
        client(roles).list_deliveries(of_task()).await.unwrap();
    }
    let mut other = client(&["department-worker:warehouse"]);
    refused(other.list_deliveries(of_department("finance")).await, Code::PermissionDenied, "ROLE_REQUIRED");
    refused(other.list_deliveries(of_task()).await, Code::PermissionDenied, "ROLE_REQUIRED");
    let mut reader = client(&["reader"]);
    refused(reader.list_deliveries(of_department("nowhere")).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let both = ListDeliveriesRequest { task_id: task.clone(), ..of_department("finance") };
    invalid(reader.list_deliveries(both).await, "INVALID_REQUEST", &["department_id"]);
    // A worker holds it: there is nothing that was brought.
    let request = RedeliverTaskRequest { request_id: request_id(), task_id: task.clone() };
    let polled = client(&["supervisor"]).redeliver_task(request).await;
    refused(polled, Code::FailedPrecondition, "NOTHING_TO_DELIVER");
    let mut theirs = Client::new(world.house.channel_as("other", "sam", &["supervisor"]));
    let request = RedeliverTaskRequest { request_id: request_id(), task_id: task.clone() };
    refused(theirs.redeliver_task(request).await, Code::NotFound, "TASK_NOT_FOUND");
    refused(theirs.list_deliveries(of_task()).await, Code::NotFound, "TASK_NOT_FOUND");
    world.house.done().await;
}
