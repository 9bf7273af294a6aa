//! The complainant's time to answer, and the time to reopen.

use cases::SERVICE;
use jiff::SignedDuration;
use proto::redress::cases::v1::{CaseClosed, CaseState, CloseReason, ReopenCaseRequest, TimelineKind};
use proto::redress::feedback::v1::Response;
use sqlx::PgConnection;
use testkit::{eventually, reason, request_id};
use tonic::Code;
use uuid::Uuid;

use crate::scene::Scene;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn reopening(case: Uuid) -> ReopenCaseRequest {
    ReopenCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        reason: "new evidence".to_owned(),
    }
}

async fn timers(scene: &Scene) -> i64 {
    let tenant = kernel::TenantId::development();
    let count = scene.house.db(SERVICE.name).transact("test.timers", &tenant, async |mut tx| {
        let count = sqlx::query_scalar("SELECT count(*) FROM timer WHERE kind = 'response-window'")
            .fetch_one(&mut *tx)
            .await?;
        Ok((tx, count))
    });
    count.await.expect("timers can be counted")
}

#[tokio::test]
async fn silence_closes_the_case_when_the_window_has_passed() {
    let scene = Scene::timed().await;
    let case = scene.resolved().await;
    scene.advance(DAY * 15 - SignedDuration::from_secs(1));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(scene.case(case).await.state(), CaseState::Resolved);
    scene.advance(SignedDuration::from_secs(1));
    eventually(async || scene.case(case).await.state() == CaseState::Closed).await;
    let closed: Vec<CaseClosed> = scene.house.told("cases").await;
    assert_eq!(closed.iter().map(CaseClosed::reason).collect::<Vec<_>>(), [CloseReason::WindowPassed]);
    assert_eq!(timers(&scene).await, 0);
    scene.house.done().await;
}

/// A case that others are kept from changing, as by a mutation under way.
async fn held(scene: &Scene, case: Uuid) -> PgConnection {
    let mut conn = scene.house.owner().await;
    sqlx::query("BEGIN").execute(&mut conn).await.expect("begun");
    sqlx::query("SELECT FROM cases.cases WHERE case_id = $1 FOR NO KEY UPDATE")
        .bind(case)
        .execute(&mut conn)
        .await
        .expect("held");
    conn
}

/// Moves a timer as who holds its case does: nobody may be in the way who waits for
/// that case.
async fn move_timer(conn: &mut PgConnection, case: Uuid, kind: &str) {
    sqlx::query("SET LOCAL lock_timeout = '300ms'").execute(&mut *conn).await.expect("set");
    let moved = sqlx::query("UPDATE cases.timer SET generation = DEFAULT WHERE key = $1 AND kind = $2")
        .bind(case)
        .bind(kind)
        .execute(conn)
        .await;
    assert_eq!(moved.expect("nobody holds the timer").rows_affected(), 1, "it has not fired");
}

#[tokio::test]
async fn a_timer_that_is_due_is_in_nobodys_way() {
    let scene = Scene::timed().await;
    let (silent, slow) = (scene.resolved().await, scene.assigned().await);
    let mut held_silent = held(&scene, silent).await;
    let mut held_slow = held(&scene, slow).await;
    scene.advance(DAY * 100);
    tokio::time::sleep(timers::POLL * 3).await;
    move_timer(&mut held_silent, silent, "response-window").await;
    move_timer(&mut held_slow, slow, "clock").await;
    for conn in [&mut held_silent, &mut held_slow] {
        sqlx::query("COMMIT").execute(conn).await.unwrap();
    }
    eventually(async || scene.case(silent).await.state() == CaseState::Closed).await;
    eventually(async || scene.kinds(slow).await.contains(&TimelineKind::Clock)).await;
    scene.house.done().await;
}

#[tokio::test]
async fn an_answer_disarms_the_timer_and_the_next_cycle_has_its_own() {
    let scene = Scene::timed().await;
    let (accepted, disputed) = (scene.resolved().await, scene.resolved().await);
    assert_eq!(timers(&scene).await, 2);
    scene.respond(accepted, 1, Response::Accepted, "").await;
    scene.respond(disputed, 1, Response::Disputed, "").await;
    assert_eq!(timers(&scene).await, 0);
    scene.advance(DAY * 10);
    scene.assign(disputed, 2).await;
    scene.decide(disputed, false).await;
    scene.advance(DAY * 10);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(scene.case(disputed).await.state(), CaseState::Resolved);
    scene.advance(DAY * 5);
    eventually(async || scene.case(disputed).await.state() == CaseState::Closed).await;
    scene.house.done().await;
}

#[tokio::test]
async fn a_closed_case_is_reopened_within_sixty_days_three_times() {
    let scene = Scene::timed().await;
    let case = scene.resolved().await;
    scene.respond(case, 1, Response::Accepted, "").await;
    scene.advance(DAY * 60);
    let reopened = scene.cases.clone().reopen_case(reopening(case)).await.unwrap().into_inner().case.unwrap();
    assert_eq!((reopened.state(), reopened.cycle), (CaseState::Triaged, 2));
    assert_eq!((reopened.agent_id.as_str(), reopened.findings.as_str()), ("", ""));
    assert!(reopened.resolve_time.is_none() && reopened.close_time.is_none());
    for cycle in 2..=3 {
        scene.assign(case, cycle).await;
        scene.decide(case, false).await;
        scene.cases.clone().reopen_case(reopening(case)).await.expect("below the limit");
    }
    scene.assign(case, 4).await;
    scene.decide(case, false).await;
    let refusal = scene.cases.clone().reopen_case(reopening(case)).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "REOPEN_LIMIT"));

    let other = scene.resolved().await;
    scene.advance(DAY * 60 + SignedDuration::from_secs(1));
    eventually(async || scene.case(other).await.state() == CaseState::Closed).await;
    let refusal = scene.cases.clone().reopen_case(reopening(other)).await.unwrap_err();
    assert_eq!(
        (refusal.code(), reason(&refusal).as_str()),
        (Code::FailedPrecondition, "REOPEN_WINDOW_PASSED")
    );
    scene.house.done().await;
}
