//! What it costs to look at the queue with many tasks that wait.

use kernel::TenantId;
use sqlx::Executor as _;
use testkit::{House, most_rows};

use super::*;
use crate::endpoint::{AT_ONCE, FAILING};
use crate::store::deliveries::waiting_statement;

/// Tasks that wait, and how many of them are wanted.
const WAITING: i32 = 4_000;
const WANTED: usize = 10;

/// Plans of one task each, that wait for one department.
async fn seed(house: &House) {
    let mut owner = house.owner().await;
    owner.execute("SET search_path = resolution").await.expect("there is the schema");
    for made in [
        "INSERT INTO plan (tenant_id, plan_id, version, case_id, cycle, state, proposer, approver, reason,
                           priority, traceparent, created_at, approvers, approvers_for, approve_times)
         SELECT 'development', md5('plan' || n)::uuid, 2, md5('case' || n)::uuid, 1, 2, 'agent', 'approver', '',
                3, '', now(), '{approver}', '{\"\"}', ARRAY[now()]
         FROM generate_series(1, $1) AS n",
        "INSERT INTO task (tenant_id, task_id, version, plan_id, step_id, case_id, cycle, department_id, kind,
                           amount_minor, currency, instructions, priority, due_time, state, attempt,
                           max_attempts, visible_at, traceparent, created_at)
         SELECT 'development', md5('task' || n)::uuid, 1, md5('plan' || n)::uuid, 'refund', md5('case' || n)::uuid,
                1, 'finance', 3, 100, 'CNY', '', 3, now() + n * interval '1 second', 1, 0, 5, '-infinity', '', now()
         FROM generate_series(1, $1) AS n",
    ] {
        sqlx::query(made).bind(WAITING).execute(&mut owner).await.expect("tasks can be made");
    }
}

/// The claim of a worker of finance.
fn claimed(now: Timestamp) -> Binds {
    arguments(Claim {
        poll_id: "poll",
        poll_hash: b"hash",
        department_id: "finance",
        worker: "worker",
        executor: "worker",
        replays: true,
        now,
        until: now,
        tokens: (0..WANTED).map(|n| Uuid::from_u128(n as u128 + 1)).collect(),
    })
}

/// As a join with the plans, all of these were read for ten tasks, and the whole queue sorted.
#[tokio::test]
async fn a_claim_reads_no_more_of_the_queue_than_it_hands_out() {
    let house = House::open(&[crate::SERVICE]).await;
    seed(&house).await;
    let (now, bound) = (house.db("resolution").clock().now(), 20 * WANTED as u64);
    for statistics in ["", "VACUUM ANALYZE resolution.task, resolution.plan"] {
        house.owner().await.execute(statistics).await.expect("a statement");
        let whole = claimed(now).arguments().expect("values that can be sent");
        let rows = most_rows(
            house.db("resolution"),
            (&numbered!(claim_statement!("")), whole),
            Some(TenantId::development()),
        )
        .await;
        assert!(rows >= WANTED as u64 && rows <= bound, "{rows} rows, of the whole queue");
        let some: Vec<Uuid> = sqlx::query_scalar(
            "SELECT task_id FROM resolution.task WHERE state = 1 ORDER BY due_time LIMIT 10",
        )
        .fetch_all(&mut house.owner().await)
        .await
        .expect("tasks that wait");
        let mut of_some = claimed(now);
        of_some.value(some);
        let of_some = of_some.arguments().expect("values that can be sent");
        let statement = numbered!(claim_statement!("task_id = ANY($14) AND "));
        let rows =
            most_rows(house.db("resolution"), (&statement, of_some), Some(TenantId::development())).await;
        assert!(rows >= WANTED as u64 && rows <= bound, "{rows} rows, of some tasks");
    }
    house.done().await;
}

/// Asked whether any wait for a department that is called, Postgres read all of them, of
/// departments that poll as well, twice a second and with every task that was new.
#[tokio::test]
async fn looking_for_departments_to_be_called_reads_no_queue() {
    let house = House::open(&[crate::SERVICE]).await;
    seed(&house).await;
    let now = house.db("resolution").clock().now();
    let endpoint = "INSERT INTO resolution.endpoint (tenant_id, department_id, version, kind, url, timeout_ms, hold_seconds, updated_at)
                    VALUES ('development', 'finance', 1, 1, 'https://example.org', 1000, 60, now())";
    for (prepared, found) in [("VACUUM ANALYZE resolution.task", 0), (endpoint, 1)] {
        house.owner().await.execute(prepared).await.expect("a statement");
        let mut binds = Binds::default();
        binds.value(now.to_sqlx());
        binds.value(10_i64);
        binds.value(FAILING);
        binds.value(AT_ONCE);
        let arguments = binds.arguments().expect("values that can be sent");
        let rows = most_rows(house.db("resolution"), (&waiting_statement(), arguments), None).await;
        assert!(rows >= found && rows <= 10, "{rows} rows, of {WAITING} that wait");
    }
    house.done().await;
}
