//! Whose work is, and what becomes of what could not be done.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use testkit::eventually;

use crate::bench::{Bench, Doer, Fate};

#[tokio::test(flavor = "multi_thread")]
async fn work_that_fails_or_panics_waits_the_double_each_time_and_says_why() {
    for (is_held, fate, note) in [
        (false, Fate::Fails, "BROKEN: it is broken"),
        (true, Fate::Panics, "INTERNAL: something went wrong on our side"),
    ] {
        let mut bench = Bench::new().await;
        bench.add("acme", "one", 0).await;
        let doer = Doer::new(&bench, is_held, fate);
        let runner = bench.run(doer.clone());
        for (times, seconds) in [(1, 1.0), (2, 2.0), (3, 4.0)] {
            eventually(|| async { doer.told.load(Ordering::Relaxed) == times }).await;
            let attempts = i32::try_from(times).unwrap();
            assert_eq!(bench.row("one").await, (attempts, seconds, false, note.to_owned()), "{fate:?}");
            bench.clock.advance(Duration::from_secs_f64(seconds));
        }
        eventually(|| async { doer.told.load(Ordering::Relaxed) == 4 }).await;
        // Once it can be done, it is.
        *doer.fate.lock().unwrap() = Fate::Done;
        bench.clock.advance(Duration::from_secs(8));
        eventually(|| async { doer.taken().len() == 5 }).await;
        runner.stop().await;
        bench.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_tried_again_soon_and_does_not_count() {
    let mut bench = Bench::new().await;
    bench.add("acme", "one", 0).await;
    let doer = Doer::new(&bench, false, Fate::Outage);
    let runner = bench.run(doer.clone());
    for times in 1..4 {
        eventually(|| async { doer.told.load(Ordering::Relaxed) == times }).await;
        assert_eq!(bench.row("one").await, (0, 1.0, false, "AWAY: it is away".to_owned()));
        bench.clock.advance(Duration::from_secs(1));
    }
    runner.stop().await;
    bench.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_to_stop_gives_its_work_back_at_once_and_uncounted() {
    for is_held in [false, true] {
        let mut bench = Bench::new().await;
        bench.add("acme", "one", 0).await;
        let doer = Doer::new(&bench, is_held, Fate::Waits);
        let runner = bench.run(doer.clone());
        eventually(|| async { doer.taken().len() == 1 }).await;
        runner.stop().await;
        let (attempts, next, held, _) = bench.row("one").await;
        assert_eq!((attempts, next, held), (0, 0.0, false));
        let next = Doer::new(&bench, is_held, Fate::Done);
        let runner = bench.run(next.clone());
        eventually(|| async { next.taken().len() == 1 }).await;
        runner.stop().await;
        bench.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_work_of_who_dies_is_anothers_when_the_lease_ends() {
    for (is_held, lease) in [(false, Duration::from_mins(5)), (true, Duration::from_millis(300))] {
        let mut bench = Bench::new().await;
        bench.add("acme", "one", 0).await;
        let dead = Doer::new(&bench, is_held, Fate::Waits);
        let runner = bench.run(dead.clone());
        eventually(|| async { dead.taken().len() == 1 }).await;
        runner.kill();
        bench.clock.advance(lease / 2);
        let other = Doer::new(&bench, is_held, Fate::Done);
        let runner = bench.run(other.clone());
        bench.add("beta", "two", 0).await;
        eventually(|| async { other.taken() == ["two"] }).await;
        bench.clock.advance(lease / 2);
        eventually(|| async { other.taken() == ["two", "one"] }).await;
        runner.stop().await;
        bench.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_stays_held_as_long_as_it_is_said_and_is_given_up_when_it_is_anothers() {
    let mut bench = Bench::new().await;
    bench.add("acme", "one", 0).await;
    let (doer, other) = (Doer::new(&bench, true, Fate::Waits), Doer::new(&bench, true, Fate::Done));
    let first = bench.run(doer.clone());
    eventually(|| async { doer.taken().len() == 1 }).await;
    let second = bench.run(other.clone());
    // A step at a time, so that each is said before the lease would have ended.
    for _ in 0..20 {
        bench.clock.advance(Duration::from_millis(100));
        wait_for_later(&mut bench).await;
    }
    assert!(other.taken().is_empty(), "two seconds of leases of 300 ms");
    second.stop().await;
    bench.steal().await;
    // Whoever lost it notes nothing, and has room for other work.
    bench.add("beta", "two", 0).await;
    bench.add("beta", "three", 0).await;
    eventually(|| async { doer.taken().len() == 3 }).await;
    assert!(bench.row("one").await.2, "it is still the other's");
    first.stop().await;
    bench.done().await;
}

async fn held_until(bench: &mut Bench) -> Option<Timestamp> {
    let until: Option<jiff_sqlx::Timestamp> =
        sqlx::query_scalar("SELECT held_until FROM intake.work WHERE holder IS NOT NULL")
            .fetch_optional(&mut bench.owner)
            .await
            .unwrap();
    until.map(jiff_sqlx::Timestamp::to_jiff)
}

/// Waits until the lease that is held ends a whole lease from now.
async fn wait_for_later(bench: &mut Bench) {
    let end = bench.db.clock().now() + Duration::from_millis(300);
    let started = std::time::Instant::now();
    while held_until(bench).await.is_none_or(|until| until < end) {
        assert!(started.elapsed() < Duration::from_mins(1), "the lease is not renewed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
