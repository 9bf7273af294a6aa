//! The complainant's time to answer, and the time to reopen.

use std::time::Duration;

use cases::SERVICE;
use jiff::SignedDuration;
use proto::redress::cases::v1::policy_service_client::PolicyServiceClient;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, Case, CaseClosed, CaseState, CloseReason, CreatePolicyRequest,
    RecordFindingsRequest, ReopenCaseRequest, ReopeningLimits, TimelineKind,
};
use proto::redress::feedback::v1::Response;
use sqlx::PgConnection;
use testkit::{eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::{Scene, decision};

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
    tokio::time::sleep(Duration::from_millis(300)).await;
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
    tokio::time::sleep(Duration::from_millis(300)).await;
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

/// A policy of the tenant's own limits.
fn policy_of(window_days: i32, maximum: i32) -> CreatePolicyRequest {
    CreatePolicyRequest {
        request_id: request_id(),
        shipped_pack: "general-e-commerce".to_owned(),
        reopening: Some(ReopeningLimits { window_days, maximum }),
        ..CreatePolicyRequest::default()
    }
}

/// Puts limits in force; answers the version of their policy.
async fn put_in_force(scene: &Scene, window_days: i32, maximum: i32) -> i32 {
    let mut policies = PolicyServiceClient::new(scene.house.channel());
    let made = policies.create_policy(policy_of(window_days, maximum)).await.expect("made").into_inner();
    let made = made.policy.expect("a policy");
    assert_eq!(made.reopening, Some(ReopeningLimits { window_days, maximum }));
    let request =
        ActivatePolicyRequest { request_id: request_id(), version: made.version, validate_only: false };
    policies.activate_policy(request).await.expect("in force");
    made.version
}

async fn reopen(scene: &Scene, case: Uuid) -> Result<Case, Status> {
    let done = scene.cases.clone().reopen_case(reopening(case)).await?;
    Ok(done.into_inner().case.expect("a case"))
}

/// Version of the policy, days, times, how often it may still be reopened.
fn terms(case: &Case) -> (i32, i32, i32, i32) {
    let terms = case.reopening.as_ref().expect("it was resolved");
    let limits = terms.limits.as_ref().expect("limits");
    (terms.policy_version, limits.window_days, limits.maximum, terms.left)
}

#[tokio::test]
async fn the_policy_in_force_when_a_case_is_resolved_decides_when_and_how_often_it_is_reopened() {
    let scene = Scene::timed().await;
    let before = scene.resolved().await;
    assert_eq!(terms(&scene.case(before).await), (0, 60, 3, 3));
    let strict = put_in_force(&scene, 20, 1).await;
    let (late, twice) = (scene.resolved().await, scene.resolved().await);
    assert_eq!(terms(&scene.case(late).await), (strict, 20, 1, 1));
    let open = scene.assigned().await;
    assert_eq!(scene.case(open).await.reopening, None, "nothing has taken effect");
    // What comes into force meanwhile gives them nothing and takes nothing from them.
    let generous = put_in_force(&scene, 90, 5).await;
    for case in [late, twice] {
        scene.respond(case, 1, Response::Accepted, "").await;
    }
    scene.respond(before, 1, Response::Accepted, "").await;
    scene.advance(DAY * 20);
    let again = reopen(&scene, twice).await.expect("the last moment");
    assert_eq!((again.cycle, again.reopening.is_none()), (2, true));
    scene.advance(SignedDuration::from_secs(1));
    let refusal = reopen(&scene, late).await.unwrap_err();
    assert_eq!(reason(&refusal), "REOPEN_WINDOW_PASSED");
    assert!(
        refusal.message().ends_with(&format!(
            "policy {strict}, in force when it was resolved, lets a case be reopened within 20 days, once"
        )),
        "{}",
        refusal.message()
    );
    scene.advance(DAY * 30);
    reopen(&scene, before).await.expect("by the limits it was resolved under");
    // The next outcome is under the policy of its own time.
    scene.assign(twice, 2).await;
    scene.decide(twice, false).await;
    assert_eq!(terms(&scene.case(twice).await), (generous, 90, 5, 4));
    scene.house.done().await;
}

#[tokio::test]
async fn a_dispute_beyond_the_maximum_of_its_policy_is_heard_and_closes_the_case() {
    let scene = Scene::timed().await;
    let version = put_in_force(&scene, 15, 1).await;
    let case = scene.resolved().await;
    scene.respond(case, 1, Response::Disputed, "still broken").await;
    scene.assign(case, 2).await;
    scene.decide(case, false).await;
    assert_eq!(terms(&scene.case(case).await), (version, 15, 1, 0));
    let refusal = reopen(&scene, case).await.unwrap_err();
    assert_eq!(reason(&refusal), "REOPEN_LIMIT");
    assert!(refusal.message().ends_with("within 15 days, once"), "{}", refusal.message());
    scene.respond(case, 2, Response::Disputed, "broken again").await;
    eventually(async || scene.case(case).await.state() == CaseState::Closed).await;
    let closed: Vec<CaseClosed> = scene.house.published("cases").await;
    assert_eq!(closed.iter().map(CaseClosed::reason).collect::<Vec<_>>(), [CloseReason::ReopenLimit]);
    scene.house.done().await;
}

/// What comes together is done in one transaction: the second is judged by what the first did.
#[tokio::test]
async fn a_case_that_is_decided_and_reopened_at_once_is_under_its_policy() {
    let scene = Scene::timed().await;
    put_in_force(&scene, 15, 1).await;
    let case = scene.resolved().await;
    scene.respond(case, 1, Response::Disputed, "still broken").await;
    scene.assign(case, 2).await;
    let mut conn = held(&scene, case).await;
    let (mut first, mut second, mut third) = (scene.cases.clone(), scene.cases.clone(), scene.cases.clone());
    let waiting = tokio::spawn(async move { first.record_findings(findings(case)).await });
    eventually(async || {
        let waits: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
             WHERE NOT l.granted AND a.datname = current_database()",
        )
        .fetch_one(&mut scene.house.owner().await)
        .await
        .expect("counted");
        waits > 0
    })
    .await;
    let both = tokio::spawn(async move {
        tokio::join!(second.decide_case(decision(case, false)), third.reopen_case(reopening(case)))
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    sqlx::query("COMMIT").execute(&mut conn).await.expect("released");
    waiting.await.expect("not broken off").expect("recorded");
    let (decided, reopened) = both.await.expect("not broken off");
    decided.expect("decided");
    // By which way it was refused says which came first.
    let refused = reopened.unwrap_err();
    assert!(["REOPEN_LIMIT", "INVALID_CASE_STATE"].contains(&&*reason(&refused)), "{refused:?}");
    let after = scene.case(case).await;
    assert_eq!((after.cycle, after.state()), (2, CaseState::Resolved));
    scene.house.done().await;
}

fn findings(case: Uuid) -> RecordFindingsRequest {
    RecordFindingsRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        findings: "dropped".to_owned(),
        root_cause: String::new(),
    }
}

#[tokio::test]
async fn limits_beyond_what_is_sound_are_refused_all_at_once() {
    let scene = Scene::timed().await;
    let mut policies = PolicyServiceClient::new(scene.house.channel());
    for (window_days, maximum) in [(14, 0), (3_651, 11), (i32::MIN, i32::MAX)] {
        let refusal = policies.create_policy(policy_of(window_days, maximum)).await.unwrap_err();
        assert_eq!(reason(&refusal), "INVALID_POLICY");
        assert_eq!(violations(&refusal), ["reopening.window_days", "reopening.maximum"]);
    }
    for (window_days, maximum) in [(15, 1), (3_650, 10)] {
        policies.create_policy(policy_of(window_days, maximum)).await.expect("the ends are sound");
    }
    scene.house.done().await;
}

#[tokio::test]
async fn what_was_resolved_before_policies_said_so_keeps_what_was_the_rule_then() {
    let scene = Scene::timed().await;
    put_in_force(&scene, 15, 1).await;
    let case = scene.resolved().await;
    let mut conn = scene.house.owner().await;
    sqlx::query("UPDATE cases.cases SET reopen_policy = NULL, reopen_days = NULL, reopen_times = NULL")
        .execute(&mut conn)
        .await
        .expect("as it was before");
    assert_eq!(terms(&scene.case(case).await), (0, 60, 3, 3));
    scene.respond(case, 1, Response::Accepted, "").await;
    scene.advance(DAY * 60);
    reopen(&scene, case).await.expect("within sixty days");
    scene.house.done().await;
}
