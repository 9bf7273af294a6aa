//! A clock that is off decides nothing.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, RandomIds, SystemClock, TenantId};
use pg::{Db, Skew};
use testkit::{Database, MockClock};

const ALLOWED: Duration = Duration::from_secs(2);

/// The machine's clock, were it moved: real, and moved by what a test says.
#[derive(Clone)]
struct Moved(MockClock);

impl Clock for Moved {
    fn now(&self) -> jiff::Timestamp {
        // What the mock clock is ahead of its beginning is what this one is ahead of the time.
        SystemClock.now() + self.0.now().duration_since(MockClock::default().now())
    }

    fn is_real(&self) -> bool {
        true
    }
}

async fn try_it(db: &Db) -> Result<(), (fault::Kind, &'static str)> {
    let done = db.transact("test", &TenantId::development(), async |tx| Ok((tx, ()))).await;
    done.map_err(|fault| (fault.kind(), fault.reason()))
}

#[tokio::test]
async fn a_replica_whose_clock_is_off_begins_nothing_until_it_agrees() {
    let migrate = async |url: String| pg::migrate(&url, "alpha", &[&pg::MIGRATIONS]).await;
    let database = Database::copy_of("skew", migrate).await.unwrap();
    let by = MockClock::default();
    let clock: Arc<dyn Clock> = Arc::new(Moved(by.clone()));
    let open = |skew| {
        let ids = Arc::new(RandomIds);
        Db::open(database.url(), 3, "alpha", Arc::clone(&clock), ids).unwrap().with_skew(skew)
    };
    let off = Err((fault::Kind::Unavailable, "CLOCK_SKEW"));
    for ahead in [5, -5] {
        by.set(MockClock::default().now() + jiff::SignedDuration::from_secs(ahead));
        let skew = Skew::of(&clock, ALLOWED).expect("it is real");
        let db = open(Some(skew.clone()));
        assert_eq!(try_it(&db).await, off, "not even once, before anybody has looked");
        let measured = skew.measure(db.pool()).await.unwrap();
        assert_eq!((measured.as_secs_f64().round().abs(), skew.is_off()), (5.0, true));
        assert_eq!(measured.is_positive(), ahead > 0);

        by.set(MockClock::default().now());
        assert_eq!(try_it(&db).await, off, "until somebody has looked again");
        skew.measure(db.pool()).await.unwrap();
        assert_eq!(try_it(&db).await, Ok(()));
    }
    // Nearly right is right, and a clock that is moved on purpose may be anywhere.
    by.set(MockClock::default().now() + jiff::SignedDuration::from_millis(500));
    assert_eq!(try_it(&open(Skew::of(&clock, ALLOWED))).await, Ok(()));
    let mock: Arc<dyn Clock> = Arc::new(MockClock::default());
    assert!(Skew::of(&mock, ALLOWED).is_none());
    assert!(Skew::of(&(Arc::new(SystemClock) as Arc<dyn Clock>), ALLOWED).is_some());
}
