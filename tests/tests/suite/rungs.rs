//! Two replicas of the cases service take the steps of many clocks while one and
//! the other is killed: each step is taken once, and none is forgotten.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tests::database;
use tests::processes::{binary, unused_host};
use tokio::process::{Child, Command};

/// Cases, a third of them for each way a step is due.
const CASES: i64 = 3_000;
/// Over how many seconds their steps become due.
const SPREAD: f64 = 8.0;
/// How often a replica is killed meanwhile.
const KILLS: u64 = 12;
const PATIENCE: Duration = Duration::from_mins(2);

/// Steps that are told of once each: a minute's budget, reminded at 80 %.
const POLICY: &str = r#"{"name": "minute", "version": 1, "title": "", "source": "", "calendar": "always",
    "effective_from": "2000-01-01", "promises": [{"kind": "decide", "budget": "100 minutes"}]}"#;
const LADDERS: &str = r#"[{"kind": null, "rungs": [
    {"name": "soon", "at": "80%", "actions": ["remind"]},
    {"name": "late", "at": "10 minutes after", "actions": ["escalate"]}]}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_taken_once_whoever_is_killed() {
    let database = database().await.unwrap();
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    plant(&mut owner).await;
    let mut replicas = [replica(database.url()), replica(database.url())];
    for kill in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(200 + kill * 97 % 400)).await;
        let victim = &mut replicas[usize::try_from(kill % 2).unwrap()];
        victim.kill().await.unwrap();
        *victim = replica(database.url());
    }
    // The last may not be due yet; what follows on them is due in an hour.
    let begun = Instant::now();
    while count(&mut owner, "SELECT count(*) FROM cases.timer WHERE fire_at <= now() + interval '1 minute'")
        .await
        > 0
    {
        assert!(begun.elapsed() < PATIENCE, "steps that are due are not taken");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for replica in &mut replicas {
        replica.kill().await.unwrap();
    }

    // A third is reminded, the next is breached, the last is late: what lies before
    // is noted and told to nobody.
    let third = CASES / 3;
    for (event, cases) in [("ClockReminder", third), ("ClockBreached", 2 * third), ("CaseEscalated", third)] {
        let told = format!("SELECT count(*) FROM cases.outbox WHERE type = 'redress.cases.v1.{event}'");
        assert_eq!(count(&mut owner, &told).await, cases, "{event}");
        let of = told.replace("count(*)", "count(DISTINCT subject)");
        assert_eq!(count(&mut owner, &of).await, cases, "{event}");
    }
    let twice = "SELECT count(*) FROM (SELECT case_id, unnest(rungs) AS rung FROM cases.clock) AS r
                 GROUP BY case_id, rung HAVING count(*) > 1";
    assert!(sqlx::query(twice).fetch_all(&mut owner).await.unwrap().is_empty());
    let raised = count(&mut owner, "SELECT count(*) FROM cases.cases WHERE tier = 1").await;
    assert_eq!(raised, third, "raised once each");
    let entries = "SELECT count(*) FROM cases.cases c WHERE entries <>
                   (SELECT count(*) FROM cases.timeline t WHERE t.case_id = c.case_id)";
    assert_eq!(count(&mut owner, entries).await, 0, "what was done is on the timeline");
    drop(owner);
    database.drop().await.unwrap();
}

async fn count(owner: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(owner).await.unwrap()
}

/// Cases whose clocks are about to reach 80 %, 100 %, and ten minutes more.
async fn plant(owner: &mut PgConnection) {
    sqlx::query(
        "INSERT INTO cases.policy (tenant_id, version, pack, shipped, ladders, note, created_at, created_by,
                                   activated_at, activated_by)
         VALUES ('development', 1, $1::jsonb, false, $2::jsonb, '', now(), '', now(), '')",
    )
    .bind(POLICY)
    .bind(LADDERS)
    .execute(&mut *owner)
    .await
    .unwrap();
    let plant = format!(
        "CREATE TEMP TABLE planted AS
         SELECT gen_random_uuid() AS id, now() + random() * {SPREAD} * interval '1 second'
                - (ARRAY[80, 100, 110])[1 + n % 3] * interval '1 minute' AS start, (ARRAY[80, 100, 110])[1 + n % 3] AS age
         FROM generate_series(1, {CASES}) AS n;
         INSERT INTO cases.cases
             (tenant_id, case_id, version, state, cycle, tier, priority, channel, entries, received_at, opened_at,
              category, language)
         SELECT 'development', id, 1, 2, 1, 0, 3, 5, 0, start, start, 'refund', 'en' FROM planted;
         INSERT INTO cases.clock (tenant_id, case_id, kind, cycle, policy, calendar, own_target, unverified,
                                  is_open, due_at, rungs, clock)
         SELECT 'development', id, 6, 1, 1, 'always', false, false, true, start + interval '100 minutes', '{{}}',
                jsonb_build_object('kind', 'decide', 'policy', 'minute@1',
                    'terms', jsonb_build_object('budget', '100 minutes'),
                    'start', to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
                    'state', jsonb_build_object('is', 'running',
                        'since', to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')))
         FROM planted;
         INSERT INTO cases.timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT 'development', 'clock', id, start + age * interval '1 minute', start + age * interval '1 minute', ''
         FROM planted"
    );
    sqlx::raw_sql(AssertSqlSafe(plant)).execute(owner).await.unwrap();
}

/// One more process of the cases service over the same database.
fn replica(database_url: &str) -> Child {
    let host: Ipv4Addr = unused_host().unwrap();
    Command::new(binary("redress-cases").unwrap())
        .env("DATABASE_URL", database_url)
        .env("REDRESS_LISTEN", format!("{host}:50052"))
        .env("REDRESS_DB_CONNECTIONS", "6")
        .env("REDRESS_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}
