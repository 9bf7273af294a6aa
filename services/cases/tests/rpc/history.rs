//! Complaints that ended before they were brought here.

use jiff::SignedDuration;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    CaseOpened, CaseState, GetCaseRequest, ListClocksRequest, Outcome, ReopenCaseRequest, Visibility,
};
use proto::redress::intake::v1::{Complaint, History, HistoryOutcome};
use proto::timestamp;
use testkit::request_id;

use super::scene::{Scene, complaint};

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_that_ended_elsewhere_is_closed_from_the_start_and_nobody_is_told() {
    let scene = Scene::timed().await;
    let day = SignedDuration::from_hours(24);
    let (received, resolved, closed) =
        (scene.now() - 40 * day, scene.now() - 31 * day, scene.now() - 30 * day);
    let ended = History {
        outcome: HistoryOutcome::PartlyUpheld.into(),
        reasons: "half of it was late".to_owned(),
        resolve_time: Some(timestamp(resolved)),
        close_time: Some(timestamp(closed)),
    };
    let old = Complaint { history: Some(ended), ..complaint() };
    let case = scene.register_received(old.clone(), received).await;
    scene.register_received(old, received).await;
    let get = GetCaseRequest { case_id: case.to_string() };
    let read = scene.cases.clone().get_case(get).await.unwrap().into_inner().case.unwrap();
    assert_eq!((read.state(), read.outcome()), (CaseState::Closed, Outcome::PartlyUpheld));
    assert_eq!(read.decision_reasons, "half of it was late");
    assert_eq!(
        (read.receive_time, read.resolve_time, read.close_time),
        (Some(timestamp(received)), Some(timestamp(resolved)), Some(timestamp(closed)))
    );
    assert_eq!((read.due_time, read.version), (None, 1));
    let timeline = scene.timeline(case).await;
    assert_eq!(timeline.len(), 1);
    assert!(timeline[0].text.starts_with("imported: it was closed on "), "{}", timeline[0].text);
    assert_eq!(timeline[0].visibility(), Visibility::Internal);
    let clocks = ListClocksRequest { case_id: case.to_string() };
    let clocks = ClockServiceClient::new(scene.house.channel()).list_clocks(clocks).await.unwrap();
    assert!(clocks.into_inner().clocks.is_empty());
    let mut owner = scene.house.owner().await;
    for (what, sql) in [
        ("timers", "SELECT count(*) FROM cases.timer"),
        ("traffic of its channel", "SELECT count(*) FROM cases.channel_hour"),
        ("events", "SELECT count(*) FROM cases.outbox"),
    ] {
        let found: i64 = sqlx::query_scalar(sql).fetch_one(&mut owner).await.unwrap();
        assert_eq!(found, 0, "{what}");
    }
    // They are no earlier complaints of the last thirty days, though they came in today.
    let live = scene.register(complaint()).await;
    let get = GetCaseRequest { case_id: live.to_string() };
    let live = scene.cases.clone().get_case(get).await.unwrap().into_inner().case.unwrap();
    assert!(
        !live.triage_reasons.iter().any(|reason| reason.contains("earlier")),
        "{:?}",
        live.triage_reasons
    );
    let opened: Vec<CaseOpened> = scene.house.published("cases").await;
    assert_eq!(opened.iter().map(|one| one.case_id.clone()).collect::<Vec<_>>(), [live.case_id]);

    // Taken up again within its window, it is handled like any other.
    let reopen = ReopenCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        reason: "new evidence".to_owned(),
        ..ReopenCaseRequest::default()
    };
    let again = scene.cases.clone().reopen_case(reopen).await.unwrap().into_inner().case.unwrap();
    assert_eq!((again.state(), again.cycle), (CaseState::Triaged, 2));
    assert!(again.due_time.is_some());
    scene.house.done().await;
}
