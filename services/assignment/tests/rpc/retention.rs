//! How long decisions are kept.

use std::time::Duration;

use proto::redress::assignment::v1::ExplainAssignmentRequest;
use sqlx::Executor as _;
use testkit::{eventually, reason};
use tonic::Code;
use uuid::Uuid;

use crate::World;
use crate::hands::accept;

/// How long the contract says that decisions are kept.
const KEPT: Duration = Duration::from_hours(400 * 24);
/// More than are forgotten at once.
const MANY: i64 = 2_300;

impl World {
    async fn is_explained(&self, case: Uuid) -> bool {
        let request = ExplainAssignmentRequest { case_id: case.to_string(), cycle: 0 };
        match self.routing().explain_assignment(request).await {
            Ok(_) => true,
            Err(refused) => {
                let why = (refused.code(), reason(&refused));
                assert_eq!(why, (Code::NotFound, "ASSIGNMENT_NOT_FOUND".to_owned()));
                false
            }
        }
    }

    /// Has another tenant have decisions about so many cases that were over at some time.
    async fn decisions_of(&self, tenant: &str, over: &str, count: i64) {
        let insert = format!(
            "INSERT INTO assignment.decision (tenant_id, case_id, cycle, department_id, enqueued_at, decided_at,
                 released_at, priority, bulk, category, taken_apart)
             SELECT '{tenant}', gen_random_uuid(), 1, 'd', t, t, t, 3, false, 'c', ''
             FROM generate_series(1, {count}), (VALUES ('{over}'::timestamptz)) AS at (t)"
        );
        self.house.owner().await.execute(sqlx::AssertSqlSafe(insert)).await.unwrap();
    }

    async fn count_decisions_of(&self, tenant: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM assignment.decision WHERE tenant_id = $1")
            .bind(tenant)
            .fetch_one(&mut self.house.owner().await)
            .await
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_forgotten_400_days_after_its_cycle_and_while_that_goes_on_it_is_not() {
    let mut world = World::at_nine().await;
    world.agent("ann", "delivery", 10).await;
    let (over, open) = (world.case("delivery").await, world.case("delivery").await);
    // Or it would go to the next, and be decided anew.
    world.client.accept_case(accept(open, "ann")).await.unwrap();
    world.resolved(over, 1).await;
    // What is over since just before tells that the worker has looked.
    world.decisions_of("witness", "2026-11-23T07:00:00Z", 1).await;
    world.decisions_of("acme", "2026-11-23T09:00:00Z", MANY).await;
    world.house.advance(KEPT.saturating_sub(Duration::from_hours(1)));
    let late = world.case("delivery").await;
    world.resolved(late, 1).await;
    eventually(|| async { world.count_decisions_of("witness").await == 0 }).await;
    assert!(world.is_explained(over).await, "it is kept up to then");
    assert_eq!(world.count_decisions_of("acme").await, MANY);

    world.house.advance(Duration::from_hours(2));
    eventually(|| async { world.count_decisions_of("acme").await == 0 }).await;
    eventually(|| async { !world.is_explained(over).await }).await;
    assert!(world.is_explained(open).await, "somebody has the case still");
    assert!(world.is_explained(late).await, "it was over later");
    // Once the last is over, its time begins.
    world.resolved(open, 1).await;
    world.decisions_of("witness", "2026-11-23T09:00:00Z", 1).await;
    world.house.advance(Duration::from_hours(2));
    eventually(|| async { world.count_decisions_of("witness").await == 0 }).await;
    assert!(world.is_explained(open).await, "it was over two hours ago");
    world.house.done().await;
}
