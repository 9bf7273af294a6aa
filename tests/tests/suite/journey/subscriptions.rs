//! Somebody has events posted, thinks better of it, and takes that back.

use proto::redress::feedback::v1::event_subscription_service_client::EventSubscriptionServiceClient;
use proto::redress::feedback::v1::{
    CreateEventSubscriptionRequest, DeleteEventSubscriptionRequest, EventSubscriptionState,
    ListEventSubscriptionsRequest, PauseEventSubscriptionRequest, ReplayEventSubscriptionRequest,
    ResumeEventSubscriptionRequest, RotateEventSubscriptionSecretRequest, UpdateEventSubscriptionRequest,
};
use testkit::request_id;

use super::scene::Scene;

/// A server that no name leads to.
const NOWHERE: &str = "https://crm.invalid/hooks";
const SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg=="];

/// A subscription is made, paused, changed, resumed, moved and taken away.
pub(crate) async fn tried(scene: &Scene) {
    let mut client = EventSubscriptionServiceClient::new(scene.line("admin"));
    let request = CreateEventSubscriptionRequest {
        request_id: request_id(),
        title: "CRM".to_owned(),
        url: NOWHERE.to_owned(),
        secret: SECRETS[0].to_owned(),
        ..CreateEventSubscriptionRequest::default()
    };
    let made = client.create_event_subscription(request).await.unwrap().into_inner();
    let id = made.event_subscription.unwrap().event_subscription_id;
    let request = PauseEventSubscriptionRequest {
        request_id: request_id(),
        event_subscription_id: id.clone(),
        reason: "not yet".to_owned(),
    };
    let paused = client.pause_event_subscription(request).await.unwrap().into_inner();
    assert_eq!(paused.event_subscription.unwrap().state(), EventSubscriptionState::Paused);
    let request = UpdateEventSubscriptionRequest {
        request_id: request_id(),
        event_subscription_id: id.clone(),
        expected_version: 2,
        title: "CRM, closed cases".to_owned(),
        url: NOWHERE.to_owned(),
        types: vec!["redress.cases.v1.CaseClosed".to_owned()],
        ..UpdateEventSubscriptionRequest::default()
    };
    let changed = client.update_event_subscription(request).await.unwrap().into_inner();
    assert_eq!(changed.event_subscription.unwrap().version, 3);
    let request = RotateEventSubscriptionSecretRequest {
        request_id: request_id(),
        event_subscription_id: id.clone(),
        expected_version: 3,
        secret: SECRETS[1].to_owned(),
        keep_duration: None,
    };
    client.rotate_event_subscription_secret(request).await.unwrap();
    let request = ReplayEventSubscriptionRequest {
        request_id: request_id(),
        event_subscription_id: id.clone(),
        source: "cases".to_owned(),
        position: 0,
    };
    client.replay_event_subscription(request).await.unwrap();
    let request =
        ResumeEventSubscriptionRequest { request_id: request_id(), event_subscription_id: id.clone() };
    let resumed = client.resume_event_subscription(request).await.unwrap().into_inner();
    assert_eq!(resumed.event_subscription.unwrap().version, 5);
    let request = DeleteEventSubscriptionRequest {
        request_id: request_id(),
        event_subscription_id: id,
        expected_version: 5,
    };
    client.delete_event_subscription(request).await.unwrap();
    let left = client.list_event_subscriptions(ListEventSubscriptionsRequest {}).await.unwrap();
    assert_eq!(left.into_inner().event_subscriptions.len(), 0);
}
