//! Closed cases are reviewed: which, and what two people say of one.

use proto::redress::feedback::v1::quality_service_client::QualityServiceClient;
use proto::redress::feedback::v1::{
    GetQualityPolicyRequest, ListQualityReviewsRequest, QualityPolicy, QualityRatingItem, QualityReview,
    QualityReviewState, RateQualityReviewRequest, UpdateQualityPolicyRequest,
};
use testkit::request_id;

use super::scene::Scene;
use crate::twice::Twice;

fn quality(scene: &Scene, subject: &str) -> QualityServiceClient<Twice> {
    QualityServiceClient::new(scene.line(subject))
}

/// Every case that is closed from now on is reviewed.
pub(crate) async fn settled(scene: &Scene) {
    let read = quality(scene, "admin").get_quality_policy(GetQualityPolicyRequest { version: None }).await;
    let shipped = read.unwrap().into_inner().policy.unwrap();
    let request = UpdateQualityPolicyRequest {
        request_id: request_id(),
        expected_version: 0,
        policy: Some(QualityPolicy { sample_percent: 100, ..shipped }),
    };
    quality(scene, "admin").update_quality_policy(request).await.unwrap();
}

/// Two people, neither of whom handled it, rate one.
pub(crate) async fn reviewed(scene: &Scene) {
    let state = QualityReviewState::Open.into();
    let request = ListQualityReviewsRequest { state, ..ListQualityReviewsRequest::default() };
    let open = quality(scene, "rater").list_quality_reviews(request).await.unwrap().into_inner().reviews;
    assert!(open.iter().all(|review| !review.agent_id.is_empty()), "{open:?}");
    let review = open.last().unwrap();
    let one = rate(scene, "rater", review).await;
    assert_eq!((one.state(), one.rating_count), (QualityReviewState::Open, 1));
    let other = rate(scene, "second-rater", review).await;
    assert_eq!((other.state(), other.score), (QualityReviewState::Completed, Some(100.0)));
}

async fn rate(scene: &Scene, subject: &str, review: &QualityReview) -> QualityReview {
    let read = quality(scene, subject).get_quality_policy(GetQualityPolicyRequest { version: None }).await;
    let policy = read.unwrap().into_inner().policy.unwrap();
    let best = |criterion: proto::redress::feedback::v1::QualityCriterion| QualityRatingItem {
        rated_class: criterion.classes.last().unwrap().clone(),
        criterion_id: criterion.criterion_id,
    };
    let request = RateQualityReviewRequest {
        request_id: request_id(),
        review_id: review.review_id.clone(),
        items: policy.criteria.into_iter().map(best).collect(),
        note: String::new(),
    };
    quality(scene, subject).rate_quality_review(request).await.unwrap().into_inner().review.unwrap()
}
