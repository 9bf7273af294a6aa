//! Time zones of another release: a due time stands until the new ones are put in force.

use proto::redress::cases::v1::calendar_service_client::CalendarServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    CaseClock, ClockKind, ExplainDeadlineRequest, ExplainDeadlineResponse, ListClocksRequest,
    UpdateTimeZonesRequest, UpdateTimeZonesResponse,
};
use testkit::{eventually, reason, request_id};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::Scene;

const OWN: &str = "2026f";

async fn update(scene: &Scene, release: &str, dry_run: bool) -> Result<UpdateTimeZonesResponse, Status> {
    let request = UpdateTimeZonesRequest {
        request_id: request_id(),
        expected_release: release.to_owned(),
        validate_only: dry_run,
    };
    let mut calendars = CalendarServiceClient::new(scene.house.channel());
    Ok(calendars.update_time_zones(request).await?.into_inner())
}

async fn clocks(scene: &Scene, case: Uuid) -> Vec<CaseClock> {
    let request = ListClocksRequest { case_id: case.to_string() };
    let mut clocks = ClockServiceClient::new(scene.house.channel());
    clocks.list_clocks(request).await.expect("listed").into_inner().clocks
}

async fn explained(scene: &Scene, case: Uuid) -> ExplainDeadlineResponse {
    let request = ExplainDeadlineRequest { case_id: case.to_string(), kind: ClockKind::Decide.into() };
    let mut clocks = ClockServiceClient::new(scene.house.channel());
    clocks.explain_deadline(request).await.expect("explained").into_inner()
}

/// As if the clocks of a case had been counted by an older release, by which they are
/// due an hour earlier.
async fn counted_by_older(scene: &Scene, case: Uuid) {
    sqlx::query(
        "UPDATE cases.clock SET zones = '2025b', due_at = due_at - interval '1 hour'
         WHERE is_open AND case_id = $1",
    )
    .bind(case)
    .execute(&mut scene.house.owner().await)
    .await
    .expect("made older");
}

async fn releases(scene: &Scene, case: Uuid) -> Vec<String> {
    sqlx::query_scalar("SELECT DISTINCT zones FROM cases.clock WHERE is_open AND case_id = $1 ORDER BY 1")
        .bind(case)
        .fetch_all(&mut scene.house.owner().await)
        .await
        .expect("read")
}

#[tokio::test]
async fn a_due_time_stands_until_the_new_time_zones_are_put_in_force() {
    let scene = Scene::timed().await;
    let case = scene.triaged().await;
    assert_eq!(releases(&scene, case).await, [OWN]);
    let right = clocks(&scene, case).await;
    counted_by_older(&scene, case).await;
    let held = clocks(&scene, case).await;
    for (held, right) in held.iter().zip(&right) {
        let (held, right) = (held.due_time.expect("due"), right.due_time.expect("due"));
        assert_eq!(right.seconds - held.seconds, 3600);
    }
    let answer = explained(&scene, case).await;
    assert_eq!((answer.time_zone_release.as_str(), answer.counted_by_release.as_str()), ("2025b", OWN));

    let refusal = update(&scene, "2025b", true).await.expect_err("refused");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "TIME_ZONES_DIFFER"));
    let tried = update(&scene, OWN, true).await.expect("tried");
    let count = i64::try_from(right.len()).expect("few");
    assert_eq!((tried.moved_count, tried.has_more, tried.release.as_str()), (count, false, OWN));
    assert_eq!(clocks(&scene, case).await, held, "only tried");

    let done = update(&scene, OWN, false).await.expect("put in force");
    assert_eq!((done.moved_count, done.has_more), (count, false));
    let sorted = |mut answer: UpdateTimeZonesResponse| {
        answer.moved.sort_by_key(|moved| moved.kind);
        answer.moved
    };
    assert_eq!(sorted(done), sorted(tried), "what was told is what moved");
    assert_eq!(clocks(&scene, case).await, right);
    assert_eq!(releases(&scene, case).await, [OWN]);
    let answer = explained(&scene, case).await;
    assert_eq!(answer.time_zone_release, OWN);
    let again = update(&scene, "", false).await.expect("nothing is left");
    assert_eq!((again.moved_count, again.has_more), (0, false));
    scene.house.done().await;
}

#[tokio::test]
async fn processes_that_count_by_other_time_zones_are_noticed() {
    let scene = Scene::timed().await;
    sqlx::query("INSERT INTO cases.zone_release VALUES ('2024a', $1::timestamptz, $1::timestamptz)")
        .bind(scene.now().to_string())
        .execute(&mut scene.house.owner().await)
        .await
        .expect("another process");
    // This one says so soon after its start.
    eventually(async || {
        let known: Vec<String> =
            sqlx::query_scalar("SELECT release FROM cases.zone_release ORDER BY release")
                .fetch_all(&mut scene.house.owner().await)
                .await
                .expect("read");
        known == ["2024a", OWN]
    })
    .await;
    scene.house.done().await;
}
