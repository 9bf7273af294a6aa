//! What complaints are about, as people said and a classifier learnt: a supervisor
//! says it of many, has a classifier trained, tries it, and turns it off again.

use proto::redress::cases::v1::classifier_service_client::ClassifierServiceClient;
use proto::redress::cases::v1::{
    ActivateClassifierRequest, ConfirmCategoryRequest, DeactivateClassifierRequest, GetReadingRequest,
    ListUnconfirmedRequest, TrainClassifierRequest,
};
use proto::redress::intake::v1::{Channel, Complaint};
use testkit::request_id;

use super::scene::Scene;

fn about(description: &str) -> Complaint {
    Complaint {
        channel: Channel::Web.into(),
        subject: "A complaint".to_owned(),
        description: description.to_owned(),
        language: "en".to_owned(),
        ..Complaint::default()
    }
}

/// Learns what the tree of the story before tells apart.
pub(crate) async fn taught(scene: &Scene) {
    let mut classifiers = ClassifierServiceClient::new(scene.line("supervisor"));
    let lessons = [("delivery", "the courier lost my parcel"), ("delivery/damaged", "the cup is in pieces")];
    for (category, description) in lessons {
        for _ in 0..5 {
            let case_id = scene.submit(about(description)).await.complaint_id;
            let request = ConfirmCategoryRequest {
                request_id: request_id(),
                case_id,
                expected_version: None,
                category: category.to_owned(),
            };
            let case = classifiers.confirm_category(request).await.unwrap().into_inner().case.unwrap();
            assert_eq!(case.category, category);
        }
    }
    let request = TrainClassifierRequest { request_id: request_id(), threshold: Some(1.0) };
    let trained = classifiers.train_classifier(request).await.unwrap().into_inner().classifier.unwrap();
    // The eight confirmed here, and the four closed cases.
    assert_eq!((trained.version, trained.learnt_count), (1, 12));
    let request = ActivateClassifierRequest { request_id: request_id(), version: trained.version };
    classifiers.activate_classifier(request).await.unwrap();
    let case_id = scene.submit(about("where is my parcel, courier")).await.complaint_id;
    let request = GetReadingRequest { case_id: case_id.clone() };
    let reading = classifiers.get_reading(request).await.unwrap().into_inner().reading.unwrap();
    assert_eq!((reading.category.as_str(), reading.unconfirmed), ("delivery", true));
    let waiting = classifiers.list_unconfirmed(ListUnconfirmedRequest::default()).await.unwrap();
    assert_eq!(waiting.into_inner().readings.iter().map(|one| &one.case_id).collect::<Vec<_>>(), [&case_id]);
    let request = DeactivateClassifierRequest { request_id: request_id() };
    classifiers.deactivate_classifier(request).await.unwrap();
}
