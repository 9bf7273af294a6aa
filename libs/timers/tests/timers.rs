//! Timers against a real database: once, on time, and for one tenant.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "timers/bench.rs"]
mod bench;
#[path = "timers/fair.rs"]
mod fair;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kernel::SystemClock;
use testkit::MockClock;
use timers::Timer;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use bench::{Bench, KIND, Recorder, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_fire_each_timer_once() {
    let bench = Bench::new().await;
    let timers: Vec<_> = (0..1200).map(|_| bench.timer(Duration::ZERO)).collect();
    for (tenant, part) in ["tenant-a", "tenant-b", "tenant-c"].iter().zip(timers.chunks(400)) {
        bench.arm(tenant, part).await;
    }
    let alarm = Arc::new(Recorder::default());
    let runners = [bench.run(&alarm), bench.run(&alarm)];
    eventually("all have fired", async || alarm.count() >= timers.len()).await;
    for runner in runners {
        runner.stop().await;
    }
    assert_eq!(alarm.count(), timers.len(), "none fired twice");
    let firings: HashSet<Uuid> = alarm.keys().into_iter().collect();
    assert_eq!(firings, timers.iter().map(|timer| timer.key).collect());
    assert!(bench.rows().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_whose_transaction_is_lost_fires_later() {
    let bench = Bench::new().await;
    let timer = bench.timer(Duration::ZERO);
    bench.arm("tenant-a", std::slice::from_ref(&timer)).await;
    let alarm = Arc::new(Recorder::default());
    alarm.crashing.store(true, Ordering::Relaxed);
    let lost = bench.run(&alarm);
    tokio::time::sleep(Duration::from_millis(300)).await;
    lost.task.abort();
    assert_eq!(bench.rows().await.len(), 1, "it is still armed");

    alarm.crashing.store(false, Ordering::Relaxed);
    let runner = bench.run(&alarm);
    eventually("it has fired", async || alarm.count() > 0).await;
    runner.stop().await;
    assert_eq!(alarm.keys(), [timer.key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_given_clock_decides_what_is_due() {
    let bench = Bench::new().await;
    let timer = bench.timer(Duration::from_hours(24));
    bench.arm("tenant-a", std::slice::from_ref(&timer)).await;
    let alarm = Arc::new(Recorder::default());
    let runner = bench.run(&alarm);
    bench.clock.advance(Duration::from_hours(23));
    bench.db.notifier().notify(timers::TOPIC);
    tokio::time::sleep(timers::POLL * 2).await;
    assert_eq!(alarm.count(), 0, "not due yet");
    bench.clock.advance(Duration::from_hours(1));
    eventually("it has fired", async || alarm.count() > 0).await;
    runner.stop().await;
    assert_eq!(alarm.firings.lock().unwrap()[0].fired.fire_at, timer.fire_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn arming_again_moves_the_timer_to_the_next_generation() {
    let bench = Bench::new().await;
    let mut timer = bench.timer(Duration::ZERO);
    bench.arm("tenant-a", std::slice::from_ref(&timer)).await;
    let first = bench.rows().await[0].2;
    let earlier = timer.clone();
    timer.fire_at += Duration::from_hours(1);
    timer.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    bench.arm("tenant-a", &[earlier, timer.clone()]).await; // of two, the last counts
    let second = bench.rows().await[0].2;
    assert!(second > first);

    let alarm = Arc::new(Recorder::default());
    let runner = bench.run(&alarm);
    tokio::time::sleep(timers::POLL).await;
    assert_eq!(alarm.count(), 0, "the first arming is void");
    bench.clock.set(timer.fire_at);
    eventually("it has fired", async || alarm.count() > 0).await;

    // After it has fired it can be armed again, and that is another firing.
    bench.arm("tenant-a", std::slice::from_ref(&timer)).await;
    eventually("it has fired again", async || alarm.count() > 1).await;
    runner.stop().await;
    let firings = alarm.firings.lock().unwrap().clone();
    assert_eq!(firings.len(), 2);
    assert_eq!(firings[0].fired.traceparent, timer.traceparent);
    assert_eq!(firings[0].fired.generation, second);
    assert!(firings[1].fired.generation > second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disarmed_timer_does_not_fire() {
    let bench = Bench::new().await;
    let (gone, kept, other) =
        (bench.timer(Duration::ZERO), bench.timer(Duration::ZERO), bench.timer(Duration::ZERO));
    bench.arm("tenant-a", &[gone.clone(), kept.clone(), other.clone()]).await;
    bench.disarm("tenant-a", KIND, gone.key).await;
    bench.disarm("tenant-a", "another-kind", kept.key).await;
    bench.disarm("tenant-b", KIND, other.key).await;
    let alarm = Arc::new(Recorder::default());
    let runner = bench.run(&alarm);
    eventually("the others have fired", async || alarm.count() >= 2).await;
    runner.stop().await;
    let fired: HashSet<Uuid> = alarm.keys().into_iter().collect();
    assert_eq!(fired, HashSet::from([kept.key, other.key]));
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_have_timers_of_their_own() {
    let bench = Bench::new().await;
    let timer = bench.timer(Duration::ZERO);
    bench.arm("tenant-a", std::slice::from_ref(&timer)).await;
    bench.arm("tenant-b", std::slice::from_ref(&timer)).await;
    let alarm = Arc::new(Recorder::default());
    let runner = bench.run(&alarm);
    eventually("both have fired", async || alarm.count() >= 2).await;
    runner.stop().await;
    let firings = alarm.firings.lock().unwrap().clone();
    assert!(firings.iter().all(|firing| firing.fired.key == timer.key), "{firings:?}");
    let tenants: HashSet<_> = firings.into_iter().map(|firing| firing.tenant).collect();
    assert_eq!(tenants, HashSet::from(["tenant-a".to_owned(), "tenant-b".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_busy_fires_once_it_is_not() {
    let bench = Bench::new().await;
    let (busy, idle) = (bench.timer(Duration::ZERO), bench.timer(Duration::ZERO));
    bench.arm("tenant-a", &[busy.clone(), idle.clone()]).await;
    let alarm = Arc::new(Recorder::default());
    alarm.busy.lock().unwrap().insert(busy.key);
    let runner = bench.run(&alarm);
    eventually("its neighbour fires", async || alarm.keys() == [idle.key]).await;
    tokio::time::sleep(timers::POLL * 2).await;
    assert_eq!(bench.rows().await.iter().map(|row| (row.1, row.3)).collect::<Vec<_>>(), [(busy.key, 0)]);
    alarm.busy.lock().unwrap().clear();
    eventually("it fires", async || alarm.keys() == [idle.key, busy.key]).await;
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_timer_holds_up_nobody_and_is_tried_again() {
    failing(Recorder::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_whose_alarm_panics_is_one_that_fails() {
    failing(Recorder { panics: AtomicBool::new(true), ..Recorder::default() }).await;
}

async fn failing(alarm: Recorder) {
    let bench = Bench::new().await;
    let timers: Vec<_> = (0..50).map(|_| bench.timer(Duration::ZERO)).collect();
    let bad = timers[7].key;
    bench.arm("tenant-a", &timers).await;
    bench.arm("tenant-b", &[bench.timer(Duration::ZERO)]).await;
    let alarm = Arc::new(alarm);
    alarm.refused.lock().unwrap().insert(bad);
    let runner = bench.run(&alarm);
    eventually("the other tenant's fires at once", async || alarm.count() == 1).await;
    assert_eq!(alarm.firings.lock().unwrap()[0].tenant, "tenant-b");
    bench.clock.advance(Duration::from_millis(200));
    eventually("the neighbours fire one by one", async || alarm.count() == timers.len()).await;
    eventually("the bad one has failed twice", async || bench.rows().await.iter().any(|row| row.3 == 2))
        .await;
    assert_eq!(bench.rows().await.iter().map(|row| row.1).collect::<Vec<_>>(), [bad]);

    alarm.refused.lock().unwrap().clear();
    tokio::time::sleep(timers::POLL).await;
    assert_eq!(alarm.count(), timers.len(), "it waits longer than before");
    bench.clock.advance(Duration::from_millis(400));
    eventually("the bad one fires", async || alarm.keys().contains(&bad)).await;
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lag_stays_under_a_second() {
    let bench = Bench::with(Arc::new(SystemClock), MockClock::default()).await;
    let alarm = Arc::new(Recorder::default());
    let runner = bench.run(&alarm);
    let spread = |n: u64| bench.timer(Duration::from_millis(500 + n));
    let timers: Vec<Timer> = (0..2000).map(spread).collect();
    for part in timers.chunks(500) {
        bench.arm("tenant-a", part).await;
    }
    eventually("all have fired", async || alarm.count() == timers.len()).await;
    runner.stop().await;
    let mut lag = alarm.lag.lock().unwrap().clone();
    lag.sort_unstable();
    let p99 = lag[lag.len() * 99 / 100];
    assert!(p99 < Duration::from_secs(1), "p99 is {p99:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_due_before_the_next_poll_notifies_the_worker() {
    let bench = Bench::with(Arc::new(SystemClock), MockClock::default()).await;
    let alarm = Arc::new(Recorder::default());
    let runner = bench.run(&alarm);
    let mut slowest = Duration::ZERO;
    for round in 1..=5 {
        let timer = bench.timer(Duration::ZERO);
        bench.arm("tenant-a", &[timer]).await;
        eventually("it has fired", async || alarm.count() == round).await;
        slowest = slowest.max(alarm.lag.lock().unwrap()[round - 1]);
    }
    runner.stop().await;
    assert!(slowest < timers::POLL / 2, "{slowest:?}: it was polled for");
}

/// How often the table was read from end to end, and through the index of what is
/// due.
async fn scans(conn: &mut sqlx::PgConnection) -> (i64, i64) {
    sqlx::query_as(
        "SELECT t.seq_scan, i.idx_scan FROM pg_stat_user_tables t
         JOIN pg_stat_user_indexes i ON i.relid = t.relid AND i.indexrelname = 'timer_due'
         WHERE t.schemaname = 'cases' AND t.relname = 'timer'",
    )
    .fetch_one(conn)
    .await
    .unwrap()
}

/// Arms many timers that are due in a year: what a worker must not look at.
async fn crowd(bench: &Bench, timers: i64) -> sqlx::PgConnection {
    let mut conn = bench.database.connect().await.unwrap();
    sqlx::query(
        "INSERT INTO cases.timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT 'tenant-a', $1, gen_random_uuid(), t.at, t.at, ''
         FROM (SELECT now() + interval '1 year' + random() * interval '1 day' AS at
               FROM generate_series(1, $2)) AS t",
    )
    .bind(KIND)
    .bind(timers)
    .execute(&mut conn)
    .await
    .unwrap();
    sqlx::query("VACUUM ANALYZE cases.timer").execute(&mut conn).await.unwrap();
    conn
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_found_by_its_index_among_many() {
    let clock = MockClock::default();
    let bench = Bench::with(Arc::new(SystemClock), clock).await;
    let mut conn = crowd(&bench, 50_000).await;
    let before = scans(&mut conn).await;
    let alarm = Arc::new(Recorder::default());
    let runner = bench.run(&alarm);
    let timer = bench.timer(Duration::ZERO);
    bench.arm("tenant-a", std::slice::from_ref(&timer)).await;
    eventually("it has fired", async || alarm.count() > 0).await;
    eventually("the index was used", async || scans(&mut conn).await.1 > before.1).await;
    runner.stop().await;
    assert_eq!(scans(&mut conn).await.0, before.0, "nobody reads them all, not even at the start");
    assert_eq!(alarm.keys(), [timer.key]);
}

/// What is read through the index of what is due.
async fn read_by_index(conn: &mut sqlx::PgConnection) -> i64 {
    sqlx::query_scalar(
        "SELECT idx_tup_read FROM pg_stat_user_indexes
         WHERE schemaname = 'cases' AND indexrelname = 'timer_due'",
    )
    .fetch_one(conn)
    .await
    .unwrap()
}

/// Arms timers as cases being opened do, so many a second, until told to stop;
/// answers how many, and in what time.
async fn submit(bench: &Bench, per_second: u64, stop: CancellationToken) -> (u64, Duration) {
    const TOGETHER: u64 = 20;
    let begun = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_millis(1000 * TOGETHER / per_second));
    let mut armed = 0;
    while !stop.is_cancelled() {
        beat.tick().await;
        let timers: Vec<Timer> =
            (0..TOGETHER).map(|n| bench.timer(Duration::from_secs(3600 + armed + n))).collect();
        bench.arm("tenant-a", &timers).await;
        armed += TOGETHER;
    }
    (armed, begun.elapsed())
}

/// A million armed timers, 500 more a second, and a thousand a second that become
/// due: how soon the first fires after the start, and how late all are.
/// `cargo test -p timers -- --ignored --nocapture million`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: a million timers"]
async fn among_a_million_timers_those_that_are_due_are_not_late() {
    const DUE: i64 = 10_000;
    const SUBMISSIONS: u64 = 500;
    let bench = Bench::with(Arc::new(SystemClock), MockClock::default()).await;
    let mut conn = crowd(&bench, 1_000_000).await;
    let alarm = Arc::new(Recorder::default());
    bench.arm("tenant-a", &[bench.timer(Duration::ZERO)]).await;
    let (scanned, read) = (scans(&mut conn).await.0, read_by_index(&mut conn).await);
    let begun = Instant::now();
    let runner = bench.run(&alarm);
    eventually("the first has fired", async || alarm.count() > 0).await;
    let started = begun.elapsed();
    // The statistics come a second behind.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let read = read_by_index(&mut conn).await - read;
    alarm.lag.lock().unwrap().clear();

    sqlx::query(
        "INSERT INTO cases.timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT 'tenant-a', $1, gen_random_uuid(), t.at, t.at, ''
         FROM (SELECT now() + (2 + n * 10.0 / $2) * interval '1 second' AS at
               FROM generate_series(1, $2) AS n) AS t",
    )
    .bind(KIND)
    .bind(DUE)
    .execute(&mut conn)
    .await
    .unwrap();
    let due = usize::try_from(DUE).unwrap();
    let enough = CancellationToken::new();
    let all = async {
        eventually("all have fired", async || alarm.count() > due).await;
        enough.cancel();
    };
    let ((armed, took), ()) = tokio::join!(submit(&bench, SUBMISSIONS, enough.clone()), all);
    runner.stop().await;
    let rate = armed * 1000 / u64::try_from(took.as_millis()).unwrap();
    let mut lag = alarm.lag.lock().unwrap().clone();
    lag.sort_unstable();
    let (p50, p99, last) = (lag[due / 2], lag[due * 99 / 100], lag[due - 1]);
    println!("the first fired {started:?} after the start; {read} rows were read by then");
    println!(
        "{due} of a million fired at {rate} submissions/s; lag p50 {p50:?}, p99 {p99:?}, at most {last:?}"
    );
    assert!(read < 100, "the start reads what is due, not what is armed: {read}");
    assert_eq!(scans(&mut conn).await.0, scanned, "nobody reads them all");
    assert!(rate * 10 >= SUBMISSIONS * 9, "only {rate} submissions/s");
    assert!(p99 < Duration::from_secs(1), "they are late");
}
