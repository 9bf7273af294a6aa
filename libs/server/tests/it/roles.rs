//! What callers may do, by their roles.

use proto::redress::feedback::v1::RespondToOutcomeRequest;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use serde_json::{Value, json};
use server::Running;
use testkit::reason;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_types::StatusExt as _;

use crate::identity::{claims, identified, token, with};
use crate::probe::{self, FEEDBACK, about, channel};

fn signed<T>(message: T, roles: impl Into<Value>) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {}", token(Some("first"), &with(claims(), "roles", roles)));
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    request
}

/// Reads feedback; the handler that is reached would panic.
async fn read(running: &Running, roles: Value) -> Result<(), Status> {
    let request = signed(about("panic:reached"), roles);
    FeedbackServiceClient::new(channel(running)).get_feedback(request).await.map(drop)
}

/// Answers for a complainant.
async fn respond(running: &Running, roles: Value) -> Result<(), Status> {
    let request = signed(RespondToOutcomeRequest::default(), roles);
    FeedbackServiceClient::new(channel(running)).respond_to_outcome(request).await.map(drop)
}

#[tokio::test]
async fn who_may_not_call_reaches_no_handler() {
    let running = probe::serve(identified(), &[FEEDBACK]).await;
    for roles in [json!([]), json!(["manager", "READER"]), json!(["admin"]), json!(["department-worker"])] {
        let refused = read(&running, roles.clone()).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::PermissionDenied, "ROLE_REQUIRED"),
            "{roles}"
        );
        assert!(refused.message().contains("GetFeedback"), "{refused:?}");
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(info.metadata["roles"], "channel,reader,agent,supervisor");
    }
    for roles in [json!(["manager", "reader"]), json!(["supervisor"])] {
        let reached = read(&running, roles.clone()).await.unwrap_err();
        assert_eq!(reached.code(), Code::Internal, "{roles} may read");
    }
    assert_eq!(respond(&running, json!(["reader"])).await.unwrap_err().code(), Code::PermissionDenied);
    respond(&running, json!(["channel"])).await.expect("it is a channel's to answer");
    running.stop().await.unwrap();
}

/// Asks for feedback with a token of a tenant whose bearer claims to be of the platform.
async fn as_platform(running: &Running, tenant: &str, roles: Value) -> Result<String, Status> {
    let claims = with(with(claims(), "tenant", tenant), "roles", roles);
    let mut request = Request::new(about(""));
    let bearer = format!("Bearer {}", token(Some("first"), &claims));
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    let answer = FeedbackServiceClient::new(channel(running)).get_feedback(request).await?.into_inner();
    Ok(answer.cycles.into_iter().next().unwrap().case_id)
}

#[tokio::test]
async fn platform_counts_in_the_tenants_that_are_named_and_means_nothing_in_others() {
    let running = probe::serve(identified(), &[FEEDBACK]).await;
    let platform = as_platform(&running, "platform", json!(["platform"])).await;
    assert_eq!(platform.unwrap(), "platform/alice/platform", "the reserved tenant");
    for roles in
        [json!(["platform"]), json!(["admin", "platform"]), json!(["department-worker:x", "platform"])]
    {
        let refused = as_platform(&running, "tenant-b", roles.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_REQUIRED", "{roles}");
    }
    let reader = as_platform(&running, "tenant-b", json!(["platform", "reader"])).await;
    assert_eq!(reader.unwrap(), "tenant-b/alice/reader", "what else they are stands");
    running.stop().await.unwrap();

    let mut settings = identified();
    settings.identity.platform_tenants = vec![kernel::TenantId::parse("operations").unwrap()];
    let running = probe::serve(settings, &[FEEDBACK]).await;
    assert!(as_platform(&running, "operations", json!(["platform"])).await.is_ok());
    assert!(as_platform(&running, "platform", json!(["platform"])).await.is_err(), "only those named");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_token_without_roles_is_refused_clearly() {
    let running = probe::serve(identified(), &[FEEDBACK]).await;
    let mut silent = claims();
    silent.as_object_mut().unwrap().remove("roles");
    let mut request = Request::new(about(""));
    let bearer = format!("Bearer {}", token(Some("first"), &silent));
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    let refused = FeedbackServiceClient::new(channel(&running)).get_feedback(request).await.unwrap_err();
    assert_eq!(reason(&refused), "ROLE_REQUIRED");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn health_and_reflection_are_for_everyone() {
    let running = probe::serve(identified(), &[FEEDBACK]).await;
    HealthClient::new(channel(&running)).check(HealthCheckRequest::default()).await.expect("probes may ask");
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..ServerReflectionRequest::default()
    };
    let mut tool = ServerReflectionClient::new(channel(&running));
    let answers = tool.server_reflection_info(signed(tokio_stream::once(request), json!([]))).await.unwrap();
    assert!(answers.into_inner().message().await.unwrap().is_some());
    running.stop().await.unwrap();
}
