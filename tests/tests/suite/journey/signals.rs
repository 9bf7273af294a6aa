//! More complaints than usual: a supervisor says that they mean nothing.

use proto::redress::feedback::v1::signal_service_client::SignalServiceClient;
use proto::redress::feedback::v1::{
    DismissSignalRequest, GetSignalRequest, GetSignalSettingsRequest, ListSignalsRequest, SignalRaised,
    SignalSettings, SignalState, UpdateSignalSettingsRequest,
};
use proto::redress::intake::v1::{Channel, Complaint};
use testkit::{eventually, request_id};

use super::scene::Scene;
use crate::twice::Twice;

fn signals(scene: &Scene) -> SignalServiceClient<Twice> {
    SignalServiceClient::new(scene.line("supervisor"))
}

/// One complaint that counts as received forty days ago gives today's a past, which they are
/// above. Nothing else is raised before, as a day is asked for more than the stories have.
pub(crate) async fn dismissed(scene: &Scene) {
    let read = signals(scene).get_signal_settings(GetSignalSettingsRequest {}).await.unwrap().into_inner();
    let settings = read.settings.unwrap();
    let now = jiff::SignedDuration::from_hours(24 * 40);
    let received = scene.house.db("feedback").clock().now() - now;
    let old = Complaint {
        channel: Channel::Letter.into(),
        subject: "A complaint of long ago".to_owned(),
        description: "It came by letter.".to_owned(),
        language: "en".to_owned(),
        receive_time: Some(proto::timestamp(received)),
        ..Complaint::default()
    };
    scene.submit(old).await;
    let list = async |state: SignalState| {
        let request = ListSignalsRequest { state: state.into(), ..ListSignalsRequest::default() };
        signals(scene).list_signals(request).await.unwrap().into_inner().signals
    };
    eventually(|| async { !list(SignalState::Active).await.is_empty() }).await;
    // Of all that came; whatever else is told from now on changes nothing.
    let request = UpdateSignalSettingsRequest {
        request_id: request_id(),
        expected_version: settings.version,
        settings: Some(SignalSettings { min_count: 10_000, ..settings }),
    };
    signals(scene).update_signal_settings(request).await.unwrap();
    let raised = list(SignalState::Active).await;
    let told: Vec<SignalRaised> = scene.house.published("feedback").await;
    assert_eq!(told.len(), raised.len(), "each is told once");
    for signal in raised {
        let request = DismissSignalRequest {
            request_id: request_id(),
            signal_id: signal.signal_id.clone(),
            expected_version: signal.version,
            reason: "the stories of a test".to_owned(),
        };
        let dismissed = signals(scene).dismiss_signal(request).await.unwrap().into_inner().signal.unwrap();
        let request = GetSignalRequest { signal_id: signal.signal_id };
        let read = signals(scene).get_signal(request).await.unwrap().into_inner().signal.unwrap();
        assert_eq!((read.state(), read.version), (SignalState::Dismissed, 2));
        assert_eq!(read, dismissed);
        assert!(read.days.len() > 28, "with the days it is told from");
    }
    assert!(list(SignalState::Active).await.is_empty());
}
