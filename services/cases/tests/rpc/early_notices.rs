//! Notices that are heard of before, or while, their case is opened.

use proto::redress::cases::v1::{TimelineKind, Visibility};
use proto::redress::feedback::v1::{NoticeKind, NoticeState};
use uuid::Uuid;

use crate::events::notice;
use crate::scene::{Scene, complaint, registered};

#[tokio::test]
async fn a_notice_may_be_settled_before_its_case_is_opened() {
    let scene = Scene::open().await;
    let (early, late) = (scene.new_id(), scene.triaged().await);
    let acknowledged = |case| {
        notice(case, NoticeKind::Acknowledgement, NoticeState::Undelivered, "550 <ann@example.org> unknown")
    };
    scene.house.tell("feedback", early, &acknowledged(early)).await;
    scene.house.tell("feedback", late, &acknowledged(late)).await;
    scene.house.settled().await;
    scene.house.tell("intake", early, &registered(early, complaint(), scene.now())).await;
    scene.house.settled().await;
    for case in [early, late] {
        let timeline = scene.timeline(case).await;
        assert_eq!(timeline[2].kind(), TimelineKind::Notice);
        assert_eq!(timeline[2].visibility(), Visibility::Public);
        assert_eq!(timeline[2].actor, "<feedback>");
        assert!(!timeline[2].text.contains("ann@example.org"), "{}", timeline[2].text);
    }
    scene.assign(early, 1).await;
    assert_eq!(scene.kinds(early).await.len(), 5, "its ordinals go on without a gap");
    scene.house.done().await;
}

#[tokio::test]
async fn no_notice_is_lost_between_opening_and_settling() {
    let scene = Scene::open().await;
    let ids: Vec<Uuid> = (0..300).map(|_| scene.new_id()).collect();
    for case in &ids {
        // Both feeds are applied at the same time, each at its own pace.
        let delivered = notice(*case, NoticeKind::Acknowledgement, NoticeState::Delivered, "250 OK");
        scene.house.tell("feedback", *case, &delivered).await;
        scene.house.tell("intake", *case, &registered(*case, complaint(), scene.now())).await;
        tokio::task::yield_now().await;
    }
    scene.house.settled().await;
    let expected = [TimelineKind::Opened, TimelineKind::Triaged, TimelineKind::Notice];
    for case in ids {
        assert_eq!(scene.kinds(case).await, expected);
    }
    scene.house.done().await;
}
