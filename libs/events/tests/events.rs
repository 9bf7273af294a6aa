//! The road between two services, over a real Postgres: nothing is skipped,
//! nothing is done twice, order holds per case, and poison holds up its own case
//! only.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use events::{Batch, Consumer, Delivered, Feed, Follow, LocalSource, Reactor, Source};
use fault::{Fault, Kind};
use futures::future::{BoxFuture, join_all};
use futures::stream::{BoxStream, StreamExt as _};
use kernel::{Ids as _, RandomIds, SystemClock, TenantId};
use pg::{Db, Tx};
use proto::redress::cases::v1::CaseClosed;
use sqlx::{Connection as _, Executor as _, PgConnection};
use testkit::Database;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const FOLLOWS: &[Follow] = &[Follow { source: "alpha", types: &["redress.cases.v1.CaseClosed"] }];
const PATIENCE: Duration = Duration::from_secs(20);

/// Writes down what it is given; refuses one number while told to.
struct Diary {
    poison: i32,
    poisoned: Arc<AtomicBool>,
}

impl Reactor for Diary {
    fn consumer(&self) -> &'static str {
        "beta"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            for event in batch {
                let CaseClosed { cycle, .. } = event.read()?;
                if cycle == self.poison && self.poisoned.load(Ordering::Relaxed) {
                    return Err(Fault::new(Kind::Precondition, "POISON", "cannot be swallowed"));
                }
                sqlx::query(
                    "INSERT INTO diary (tenant_id, subject, number, position)
                     VALUES (current_setting('redress.tenant'), $1, $2, $3)",
                )
                .bind(event.subject)
                .bind(cycle)
                .bind(event.position)
                .execute(&mut **tx)
                .await?;
            }
            Ok(())
        })
    }
}

/// Two schemas: alpha tells, beta writes down.
struct Road {
    database: Database,
    alpha: Db,
    beta: Db,
    feed: Arc<Feed>,
    stop: CancellationToken,
    poisoned: Arc<AtomicBool>,
}

const POISON: i32 = 13;

impl Road {
    async fn open() -> Result<Self> {
        let database = Database::copy_of("road", async move |url| {
            pg::migrate(&url, "alpha", &[&pg::MIGRATIONS]).await?;
            pg::migrate(&url, "beta", &[&pg::MIGRATIONS, &events::MIGRATIONS]).await
        })
        .await?;
        let mut owner = database.connect().await?;
        owner
            .execute(
                "SET search_path = beta;
                 CREATE TABLE diary (tenant_id text, subject uuid, number int, position bigint,
                                     seq bigint GENERATED ALWAYS AS IDENTITY);
                 SELECT tenant_table('diary')",
            )
            .await?;
        let db = |schema| Db::open(database.url(), 8, schema, Arc::new(SystemClock), Arc::new(RandomIds));
        let (alpha, beta) = (db("alpha")?, db("beta")?);
        let feed = Feed::new(alpha.clone());
        let stop = CancellationToken::new();
        tokio::spawn(feed.clone().run(stop.clone()));
        Ok(Self { database, alpha, beta, feed, stop, poisoned: Arc::default() })
    }

    fn consumer(&self, source: impl Source) -> Arc<Consumer> {
        let diary = Diary { poison: POISON, poisoned: self.poisoned.clone() };
        let sources = HashMap::from([("alpha", Arc::new(source) as Arc<dyn Source>)]);
        let consumer = Consumer::new(self.beta.clone(), Arc::new(diary), sources);
        tokio::spawn(consumer.clone().run(self.stop.clone()));
        consumer
    }

    async fn tell(&self, tenant: &str, subject: Uuid, number: i32) -> Result<()> {
        let tenant = TenantId::parse(tenant)?;
        self.alpha
            .transact("tell", &tenant, async move |mut tx| {
                tx.emit(subject, &CaseClosed { case_id: subject.to_string(), cycle: number, reason: 1 });
                Ok((tx, ()))
            })
            .await?;
        Ok(())
    }

    /// A transaction of alpha's own, in the test's hands.
    async fn by_hand(&self) -> Result<PgConnection> {
        let mut conn = self.database.connect().await?;
        // Set outside the transaction: a rollback would unset them.
        conn.execute("SET ROLE redress_alpha; SET search_path = alpha; SET redress.tenant = 'one'").await?;
        conn.execute("BEGIN").await?;
        Ok(conn)
    }

    async fn written(&self) -> Result<Vec<(Uuid, i32)>> {
        let mut owner = self.database.connect().await?;
        let rows = sqlx::query_as("SELECT subject, number FROM beta.diary ORDER BY seq")
            .fetch_all(&mut owner)
            .await?;
        owner.close().await?;
        Ok(rows)
    }

    async fn wait_for(&self, count: usize) -> Result<Vec<(Uuid, i32)>> {
        let mut written = Vec::new();
        for _ in 0..PATIENCE.as_millis() / 20 {
            written = self.written().await?;
            if written.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(written)
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn emit_by_hand(conn: &mut PgConnection, subject: Uuid, number: i32) -> Result<()> {
    let payload = CaseClosed { case_id: subject.to_string(), cycle: number, reason: 1 };
    sqlx::query(
        "INSERT INTO outbox (tenant_id, event_id, subject, type, occurred_at, traceparent, payload)
         VALUES ('one', $1, $2, 'redress.cases.v1.CaseClosed', now(), '', $3)",
    )
    .bind(RandomIds.token())
    .bind(subject)
    .bind(prost::Message::encode_to_vec(&payload))
    .execute(conn)
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_commits_late_is_not_skipped() -> Result<()> {
    let road = Road::open().await?;
    let _beta = road.consumer(LocalSource(road.feed.clone()));
    let (early, late) = (RandomIds.token(), RandomIds.token());
    road.tell("one", early, 1).await?;
    road.wait_for(1).await?;

    let mut slow = road.by_hand().await?;
    emit_by_hand(&mut slow, late, 2).await?;
    for number in 3..8 {
        road.tell("one", early, number).await?; // higher positions, committed first
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(road.written().await?.len(), 1, "nothing may pass the open transaction");

    slow.execute("COMMIT").await?;
    let written = road.wait_for(7).await?;
    let numbers: Vec<i32> = written.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_transaction_is_waited_for() -> Result<()> {
    let road = Road::open().await?;
    let _beta = road.consumer(LocalSource(road.feed.clone()));
    road.tell("one", RandomIds.token(), 1).await?;
    road.wait_for(1).await?;
    // Nobody begins after it: no later transaction id tells the reader that it runs.
    let mut newest = road.by_hand().await?;
    emit_by_hand(&mut newest, RandomIds.token(), 2).await?;
    for _ in 0..7 {
        road.alpha.bell().ring(pg::bell::EVENTS);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    newest.execute("COMMIT").await?;
    assert_eq!(road.wait_for(2).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn the_readers_lock_ends_with_its_transaction() -> Result<()> {
    let migrate = async |url: String| pg::migrate(&url, "alpha", &[&pg::MIGRATIONS]).await;
    let database = Database::copy_of("reader", migrate).await?;
    let mut reader = database.connect().await?;
    reader.execute("SET search_path = alpha; SELECT nextval('outbox_position')").await?;
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";

    reader.execute("BEGIN").await?;
    let quiet: bool =
        sqlx::query_scalar("SELECT quiet FROM feed_horizon(0, 0)").fetch_one(&mut reader).await?;
    assert!(quiet, "nobody writes");
    let held: i64 = sqlx::query_scalar(locks).fetch_one(&mut reader).await?;
    assert_eq!(held, 1, "it is for the end of the transaction to give it back");
    // A statement that is cancelled ends it like this.
    reader.execute("ROLLBACK").await?;
    let left: i64 = sqlx::query_scalar(locks).fetch_one(&mut reader).await?;
    assert_eq!(left, 0);
    reader.close().await?;
    database.drop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_tells_nothing_holds_nobody_up() -> Result<()> {
    let road = Road::open().await?;
    let _beta = road.consumer(LocalSource(road.feed.clone()));
    // Somebody else's, of whatever database of the cluster: it may run for hours.
    let mut foreign = road.by_hand().await?;
    foreign.execute("SELECT pg_current_xact_id()").await?;
    for number in 1..4 {
        road.tell("one", RandomIds.token(), number).await?;
    }
    assert_eq!(road.wait_for(3).await?.len(), 3);
    foreign.execute("COMMIT").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_storm_everything_arrives_once_and_in_order_per_case() -> Result<()> {
    let road = Arc::new(Road::open().await?);
    let _beta = road.consumer(LocalSource(road.feed.clone()));
    let _second_replica = road.consumer(LocalSource(road.feed.clone()));
    let writers = (0..6).map(|writer| {
        let road = road.clone();
        async move {
            let mut conn = road.by_hand().await?;
            let subject = RandomIds.token();
            let mut told = Vec::new();
            for number in 0..30 {
                emit_by_hand(&mut conn, subject, 100 + number).await?;
                tokio::time::sleep(Duration::from_millis(12).mul_f64(RandomIds.fraction())).await;
                // Every fourth transaction is rolled back: its position is a gap for ever.
                let kept = (number + writer) % 4 != 0;
                conn.execute(if kept { "COMMIT" } else { "ROLLBACK" }).await?;
                conn.execute("BEGIN").await?;
                if kept {
                    told.push((subject, 100 + number));
                }
            }
            conn.execute("COMMIT").await?;
            anyhow::Ok(told)
        }
    });
    let told: Vec<Vec<(Uuid, i32)>> = join_all(writers).await.into_iter().collect::<Result<_>>()?;
    let count = told.iter().map(Vec::len).sum();
    let written = road.wait_for(count).await?;
    assert_eq!(written.len(), count, "once each");
    for mine in told {
        let subject = mine[0].0;
        let heard: Vec<_> = written.iter().filter(|(of, _)| *of == subject).copied().collect();
        assert_eq!(heard, mine, "in order per case");
    }
    Ok(())
}

/// Delivers every event twice, then the batch again, and then once more behind the
/// one before it.
struct Stutter(LocalSource);

impl Source for Stutter {
    fn subscribe(
        &self,
        cursor: i64,
        types: &'static [&'static str],
    ) -> BoxStream<'static, Result<Batch, Fault>> {
        let mut before = Vec::new();
        let stream = self.0.subscribe(cursor, types).flat_map(move |batch| {
            let again = batch.as_ref().map(Clone::clone).unwrap_or_default();
            let mut replay = again.clone();
            replay.events = std::mem::replace(&mut before, again.events.clone());
            replay.events.extend(again.events.clone());
            let doubled = batch.map(|batch| Batch {
                events: batch.events.iter().flat_map(|event| [event.clone(), event.clone()]).collect(),
                ..batch
            });
            futures::stream::iter([doubled, Ok(again), Ok(replay)])
        });
        stream.boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_has_no_second_effect() -> Result<()> {
    let road = Road::open().await?;
    let _beta = road.consumer(Stutter(LocalSource(road.feed.clone())));
    let subjects: Vec<Uuid> = (0..4).map(|_| RandomIds.token()).collect();
    for number in 0..40 {
        road.tell("one", subjects[number % 4], i32::try_from(number)? + 100).await?;
    }
    road.wait_for(40).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let written = road.written().await?;
    assert_eq!(written.len(), 40);
    assert_eq!(written.iter().collect::<HashSet<_>>().len(), 40);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_parked_and_driven_again_without_holding_others_up() -> Result<()> {
    let road = Road::open().await?;
    road.poisoned.store(true, Ordering::Relaxed);
    let beta = road.consumer(LocalSource(road.feed.clone()));
    let (sick, well) = (RandomIds.token(), RandomIds.token());
    let one = TenantId::parse("one")?;
    for number in [1, POISON, 2, 3] {
        road.tell("one", sick, number).await?;
        road.tell("one", well, number + 100).await?;
    }
    let written = road.wait_for(5).await?;
    let of = |subject| {
        written.iter().filter(|(of, _)| *of == subject).map(|(_, number)| *number).collect::<Vec<_>>()
    };
    assert_eq!(of(sick), [1], "its case waits");
    assert_eq!(of(well), [101, 100 + POISON, 102, 103], "others go on");

    let head = road.feed.head();
    let wait = |position| beta.wait_applied("alpha", position, &one, Duration::from_millis(300));
    wait(head).await?;
    let parked: i64 = sqlx::query_scalar("SELECT position FROM beta.parked_event WHERE error <> ''")
        .fetch_one(&mut road.database.connect().await?)
        .await?;
    let refused = wait(parked).await.err().map(|fault| fault.reason());
    assert_eq!(refused, Some("NOT_YET_APPLIED"), "a parked event has not taken effect");

    assert_eq!(beta.redrive(&one, sick).await?, (0, 3), "still poison");
    road.poisoned.store(false, Ordering::Relaxed);
    assert_eq!(beta.redrive(&one, sick).await?, (3, 0));
    road.tell("one", sick, 4).await?;
    let written = road.wait_for(9).await?;
    let of_sick: Vec<i32> = written.iter().filter(|(of, _)| *of == sick).map(|(_, number)| *number).collect();
    assert_eq!(of_sick, [1, POISON, 2, 3, 4], "in order, after all");
    Ok(())
}

/// Refuses everything; takes its time over what is the last try of an event.
struct Stubborn {
    tries: AtomicU32,
    last: Notify,
}

/// Together with others once, then alone.
const TRIES: u32 = 6;

impl Reactor for Stubborn {
    fn consumer(&self) -> &'static str {
        "beta"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, _: &'a mut Tx, _: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async {
            if (self.tries.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(TRIES) {
                self.last.notify_one();
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(Fault::new(Kind::Precondition, "POISON", "cannot be swallowed"))
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_replica_has_applied_is_not_parked() -> Result<()> {
    let road = Road::open().await?;
    let stubborn = Arc::new(Stubborn { tries: AtomicU32::new(0), last: Notify::new() });
    let source: Arc<dyn Source> = Arc::new(LocalSource(road.feed.clone()));
    let consumer = Consumer::new(road.beta.clone(), stubborn.clone(), HashMap::from([("alpha", source)]));
    tokio::spawn(consumer.run(road.stop.clone()));
    let mut owner = road.database.connect().await?;
    loop {
        road.tell("one", RandomIds.token(), 1).await?;
        stubborn.last.notified().await;
        // Waits for the last try to be rolled back, as another replica would that took
        // the feed over meanwhile, and mostly comes before this one parks the event.
        let parked: i64 = sqlx::query_scalar(
            "UPDATE beta.inbox_cursor SET position = (SELECT max(position) FROM alpha.outbox) RETURNING parked",
        )
        .fetch_one(&mut owner)
        .await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let left: (i64, bool) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM beta.parked_event),
                    position = (SELECT max(position) FROM alpha.outbox) FROM beta.inbox_cursor",
        )
        .fetch_one(&mut owner)
        .await?;
        assert_eq!(left, (parked, true));
        if parked == 0 {
            return Ok(());
        }
        // Parked before: tried anew with another event.
        owner.execute("DELETE FROM beta.parked_event; UPDATE beta.inbox_cursor SET parked = 0").await?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_share_a_batch_but_not_their_rows() -> Result<()> {
    let road = Road::open().await?;
    let (first, second) = (RandomIds.token(), RandomIds.token());
    road.tell("one", first, 1).await?;
    road.tell("two", second, 2).await?;
    let _beta = road.consumer(LocalSource(road.feed.clone()));
    road.wait_for(2).await?;
    for (tenant, subject) in [("one", first), ("two", second)] {
        let seen = road
            .beta
            .transact("look", &TenantId::parse(tenant)?, async move |mut tx| {
                let seen: Vec<Uuid> =
                    sqlx::query_scalar("SELECT subject FROM diary").fetch_all(&mut *tx).await?;
                Ok((tx, seen))
            })
            .await?;
        assert_eq!(seen, [subject]);
    }
    Ok(())
}
