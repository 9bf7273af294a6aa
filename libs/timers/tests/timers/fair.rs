//! No tenant's timers keep another's waiting, and what cannot be held nobody.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::bench::{Bench, KIND, Recorder, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_look_full_of_timers_that_cannot_be_locked_holds_up_nobody() {
    let bench = Bench::new().await;
    let busy: Vec<_> = (0..600).map(|_| bench.timer(Duration::ZERO)).collect();
    bench.arm("tenant-a", &busy).await;
    let alarm = Arc::new(Recorder::default());
    alarm.busy.lock().unwrap().extend(busy.iter().map(|timer| timer.key));
    bench.clock.advance(Duration::from_secs(1));
    let (neighbour, other) = (bench.timer(Duration::ZERO), bench.timer(Duration::ZERO));
    bench.arm("tenant-a", std::slice::from_ref(&neighbour)).await;
    bench.arm("tenant-b", std::slice::from_ref(&other)).await;

    let runners = [bench.run(&alarm), bench.run(&alarm)];
    eventually("what can be locked fires", async || alarm.count() == 2).await;
    let fired: HashSet<Uuid> = alarm.keys().into_iter().collect();
    assert_eq!(fired, HashSet::from([neighbour.key, other.key]));
    assert!(bench.rows().await.iter().all(|row| row.3 == 0), "to be busy is no failure");

    alarm.busy.lock().unwrap().clear();
    eventually("the busy ones fire", async || alarm.count() == busy.len() + 2).await;
    for runner in runners {
        runner.stop().await;
    }
    assert_eq!(alarm.count(), busy.len() + 2, "none fired twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_of_what_is_no_more_are_taken_without_their_alarm() {
    let bench = Bench::new().await;
    let orphans: Vec<_> = (0..700).map(|_| bench.timer(Duration::ZERO)).collect();
    bench.arm("tenant-a", &orphans).await;
    let alarm = Arc::new(Recorder::default());
    alarm.gone.lock().unwrap().extend(orphans.iter().map(|timer| timer.key));
    bench.clock.advance(Duration::from_secs(1));
    let timer = bench.timer(Duration::ZERO);
    bench.arm("tenant-b", std::slice::from_ref(&timer)).await;
    let runners = [bench.run(&alarm), bench.run(&alarm)];
    eventually("all are gone", async || bench.rows().await.is_empty()).await;
    for runner in runners {
        runner.stop().await;
    }
    assert_eq!(alarm.keys(), [timer.key], "nothing fires for the others");
}

/// Of one tenant more is due than can fire in time, of the other one now and then.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_very_many_due_timers_keeps_no_other_waiting() {
    const CROWD: i64 = 20_000;
    let bench = Bench::new().await;
    let mut conn = bench.database.connect().await.unwrap();
    sqlx::query(
        "INSERT INTO cases.timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT 'tenant-a', $1, gen_random_uuid(), t.at, t.at, ''
         FROM (SELECT '2026-11-01T00:00:00Z'::timestamptz + n * interval '1 s' AS at
               FROM generate_series(1, $2) AS n) AS t",
    )
    .bind(KIND)
    .bind(CROWD)
    .execute(&mut conn)
    .await
    .unwrap();
    let timers = [bench.timer(Duration::ZERO), bench.timer(Duration::ZERO)];
    bench.arm("tenant-b", &timers[..1]).await;
    bench.arm("tenant-c", &timers[1..]).await;
    let alarm = Arc::new(Recorder::default());
    let runner = bench.run(&alarm);
    let of_others = || {
        let firings = alarm.firings.lock().unwrap();
        firings.iter().filter(|firing| firing.tenant != "tenant-a").count()
    };
    eventually("the others' have fired", async || of_others() == 2).await;
    assert!(alarm.count() < 5_000, "they waited for {} of the crowd", alarm.count());
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_failing_timers_of_one_tenant_keep_no_other_waiting() {
    let bench = Bench::new().await;
    let mut conn = bench.database.connect().await.unwrap();
    let crowd: Vec<_> = (0..2_000).map(|_| bench.timer(Duration::ZERO)).collect();
    bench.arm("tenant-a", &crowd).await;
    // Each has failed before, and is tried alone.
    sqlx::query("UPDATE cases.timer SET attempts = 3").execute(&mut conn).await.unwrap();
    let alarm = Arc::new(Recorder::default());
    alarm.refused.lock().unwrap().extend(crowd.iter().map(|timer| timer.key));
    bench.clock.advance(Duration::from_secs(1));
    bench.arm("tenant-b", &[bench.timer(Duration::ZERO)]).await;
    let runner = bench.run(&alarm);
    eventually("the other's has fired", async || alarm.count() == 1).await;
    let tried = bench.rows().await.iter().filter(|row| row.3 == 4).count();
    runner.stop().await;
    assert!(tried < 200, "it waited for {tried} others");
}
