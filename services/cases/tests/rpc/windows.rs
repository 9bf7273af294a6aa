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
    let closed: Vec<CaseClosed> = scene.house.published("cases").await;
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

/// Six hundred cases of another tenant that nobody may change just now, and as many
/// timers of cases there are none of, all due.
async fn locked_neighbour(scene: &Scene, model: Uuid) -> PgConnection {
    let mut conn = scene.house.owner().await;
    // Rows are copied whole; what is generated cannot be.
    let copies = [
        "ALTER TABLE cases.cases ALTER COLUMN ended_as DROP EXPRESSION",
        "INSERT INTO cases.cases
         SELECT (jsonb_populate_record(c, jsonb_build_object(
                    'tenant_id', 'locked', 'case_id', gen_random_uuid(), 'receipt_hash', NULL))).*
         FROM cases.cases c, generate_series(1, 600) WHERE c.case_id = $1",
        "INSERT INTO cases.timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT 'locked', 'clock', c.case_id, c.opened_at, c.opened_at, '' FROM cases.cases c
         WHERE c.tenant_id = 'locked' AND $1::uuid IS NOT NULL",
        "INSERT INTO cases.timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT 'locked', 'clock', gen_random_uuid(), c.opened_at, c.opened_at, '' FROM cases.cases c
         WHERE c.tenant_id = 'locked' AND $1::uuid IS NOT NULL",
    ];
    sqlx::query(copies[0]).execute(&mut conn).await.expect("prepared");
    for copy in &copies[1..] {
        sqlx::query(*copy).bind(model).execute(&mut conn).await.expect("copied");
    }
    sqlx::query("BEGIN").execute(&mut conn).await.expect("begun");
    sqlx::query("SELECT FROM cases.cases WHERE tenant_id = 'locked' FOR NO KEY UPDATE")
        .execute(&mut conn)
        .await
        .expect("held");
    conn
}

async fn locked_timers(scene: &Scene) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM cases.timer WHERE tenant_id = 'locked'")
        .fetch_one(&mut scene.house.owner().await)
        .await
        .expect("counted")
}

#[tokio::test]
async fn due_timers_of_locked_and_missing_cases_hold_up_no_other_tenant() {
    let scene = Scene::timed().await;
    let case = scene.resolved().await;
    let mut locked = locked_neighbour(&scene, case).await;
    scene.advance(DAY * 15);
    eventually(async || scene.case(case).await.state() == CaseState::Closed).await;
    // Those of no case go, those of a locked one wait.
    eventually(async || locked_timers(&scene).await == 600).await;
    sqlx::query("ROLLBACK").execute(&mut locked).await.unwrap();
    eventually(async || locked_timers(&scene).await == 0).await;
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
