//! Notifications between replicas, over a real Postgres.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{RandomIds, SystemClock};
use pg::Db;
use testkit::Database;
use tokio::task::JoinSet;

/// Notifications: enough for some to come while another is being sent.
const NOTIFICATIONS: usize = 40;
/// Who polls waits longer than this for each; who is notified does not for all.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn another_replica_is_notified_however_soon_the_next_notification_follows() {
    let database =
        Database::copy_of("notifier", async move |url| pg::migrate(&url, "alpha", &[&pg::MIGRATIONS]).await);
    let database = database.await.unwrap();
    let replica =
        || Db::open(database.url(), 3, "alpha", Arc::new(SystemClock), Arc::new(RandomIds)).unwrap();
    let (here, there) = (replica(), replica());
    let mut listener = there.notifier().listen("topic");
    let mut running = JoinSet::new();
    running.spawn(here.notifier().clone().run());
    running.spawn(there.notifier().clone().run());
    // Until the listener is connected, notifications are lost: that is what polling is for.
    let begun = Instant::now();
    loop {
        let sent = Instant::now();
        here.notifier().notify("topic");
        listener.notified_within(Duration::from_secs(1)).await;
        if sent.elapsed() < Duration::from_secs(1) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it is never notified");
    }
    let begun = Instant::now();
    for number in 0..NOTIFICATIONS {
        // At every moment of the sender's round.
        tokio::time::sleep(Duration::from_millis(number as u64 * 7 % 64)).await;
        here.notifier().notify("topic");
        listener.notified_within(PATIENCE).await;
        assert!(begun.elapsed() < PATIENCE, "{number} of {NOTIFICATIONS} took {:?}", begun.elapsed());
    }
    running.shutdown().await;
    database.drop().await.unwrap();
}
