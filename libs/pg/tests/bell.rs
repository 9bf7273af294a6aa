//! Bells between replicas, over a real Postgres.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{RandomIds, SystemClock};
use pg::Db;
use testkit::Database;
use tokio::task::JoinSet;

/// Rings: enough for some to come while another is being sent.
const RINGS: usize = 40;
/// Who polls waits longer than this for each; who hears does not for all.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_is_heard_in_another_replica_however_soon_the_next_follows() {
    let database =
        Database::copy_of("bell", async move |url| pg::migrate(&url, "alpha", &[&pg::MIGRATIONS]).await);
    let database = database.await.unwrap();
    let replica =
        || Db::open(database.url(), 3, "alpha", Arc::new(SystemClock), Arc::new(RandomIds)).unwrap();
    let (here, there) = (replica(), replica());
    let mut ear = there.bell().listen("news");
    let mut running = JoinSet::new();
    running.spawn(here.bell().clone().run());
    running.spawn(there.bell().clone().run());
    // Until the listener is connected, rings are lost: that is what polling is for.
    let begun = Instant::now();
    loop {
        let rung = Instant::now();
        here.bell().ring("news");
        ear.heard_within(Duration::from_secs(1)).await;
        if rung.elapsed() < Duration::from_secs(1) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "nothing is heard at all");
    }
    let begun = Instant::now();
    for ring in 0..RINGS {
        // At every moment of the sender's round.
        tokio::time::sleep(Duration::from_millis(ring as u64 * 7 % 64)).await;
        here.bell().ring("news");
        ear.heard_within(PATIENCE).await;
        assert!(begun.elapsed() < PATIENCE, "{ring} of {RINGS} rings took {:?}", begun.elapsed());
    }
    running.shutdown().await;
    database.drop().await.unwrap();
}
