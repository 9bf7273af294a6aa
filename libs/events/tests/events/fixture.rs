//! Two schemas and the feed between them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use events::{Consumer, Delivered, Feed, Follow, Reactor, Source};
use fault::{Fault, Kind};
use futures::future::BoxFuture;
use kernel::{Ids as _, Lane, RandomIds, SystemClock, TenantId};
use pg::{Db, Tx};
use proto::redress::cases::v1::CaseClosed;
use sqlx::{Connection as _, Executor as _, PgConnection};
use testkit::Database;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const FOLLOWS: &[Follow] = &[Follow { source: "alpha", types: &["redress.cases.v1.CaseClosed"] }];
const PATIENCE: Duration = Duration::from_secs(20);

/// Writes down what it is given; refuses one number while told to.
pub(crate) struct Diary {
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
pub(crate) struct Fixture {
    pub(crate) database: Database,
    pub(crate) alpha: Db,
    pub(crate) beta: Db,
    pub(crate) feed: Arc<Feed>,
    pub(crate) stop: CancellationToken,
    pub(crate) poisoned: Arc<AtomicBool>,
}

pub(crate) const POISON: i32 = 13;

impl Fixture {
    pub(crate) async fn open() -> Result<Self> {
        let database = Database::copy_of("fixture", async move |url| {
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

    pub(crate) fn consumer(&self, source: impl Source) -> Arc<Consumer> {
        self.replica(self.beta.clone(), self.diary(), source)
    }

    pub(crate) fn diary(&self) -> Diary {
        Diary { poison: POISON, poisoned: self.poisoned.clone() }
    }

    /// A replica of beta with a database and a mind of its own.
    pub(crate) fn replica(&self, beta: Db, reactor: impl Reactor, source: impl Source) -> Arc<Consumer> {
        let sources = HashMap::from([("alpha", Arc::new(source) as Arc<dyn Source>)]);
        let consumer = Consumer::new(beta, Arc::new(reactor), sources);
        tokio::spawn(consumer.clone().run(self.stop.clone()));
        consumer
    }

    /// A consumer that ends when told to.
    pub(crate) fn consumer_until(&self, source: impl Source, stop: &CancellationToken) -> Arc<Consumer> {
        let sources = HashMap::from([("alpha", Arc::new(source) as Arc<dyn Source>)]);
        let consumer = Consumer::new(self.beta.clone(), Arc::new(self.diary()), sources);
        tokio::spawn(consumer.clone().run(stop.clone()));
        consumer
    }

    /// The same database, its feed served by a process of its own.
    pub(crate) fn reopened(mut self) -> Self {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        self.feed = Feed::new(self.alpha.clone());
        tokio::spawn(self.feed.clone().run(self.stop.clone()));
        self
    }

    /// Tells many things of one subject, live, in one transaction.
    pub(crate) async fn tell_many(&self, tenant: &str, subject: Uuid, numbers: Range<i32>) -> Result<()> {
        let tenant = TenantId::parse(tenant)?;
        self.alpha
            .transact("tell", &tenant, async move |mut tx| {
                for cycle in numbers {
                    tx.emit(subject, &CaseClosed { case_id: subject.to_string(), cycle, reason: 1 });
                }
                Ok((tx, ()))
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn tell(&self, tenant: &str, subject: Uuid, number: i32) -> Result<()> {
        self.tell_in(Lane::Live, tenant, subject, number).await
    }

    pub(crate) async fn tell_in(&self, lane: Lane, tenant: &str, subject: Uuid, number: i32) -> Result<()> {
        let tenant = TenantId::parse(tenant)?;
        self.alpha
            .transact("tell", &tenant, async move |mut tx| {
                tx.set_lane(lane);
                tx.emit(subject, &CaseClosed { case_id: subject.to_string(), cycle: number, reason: 1 });
                Ok((tx, ()))
            })
            .await?;
        Ok(())
    }

    /// A transaction of alpha's own, in the test's hands.
    pub(crate) async fn by_hand(&self) -> Result<PgConnection> {
        let mut conn = self.database.connect().await?;
        // Set outside the transaction: a rollback would unset them.
        conn.execute("SET ROLE redress_alpha; SET search_path = alpha; SET redress.tenant = 'one'").await?;
        conn.execute("BEGIN").await?;
        Ok(conn)
    }

    pub(crate) async fn written(&self) -> Result<Vec<(Uuid, i32)>> {
        let mut owner = self.database.connect().await?;
        let rows = sqlx::query_as("SELECT subject, number FROM beta.diary ORDER BY seq")
            .fetch_all(&mut owner)
            .await?;
        owner.close().await?;
        Ok(rows)
    }

    /// Numbers of a subject, in the order of their being written down.
    pub(crate) async fn numbers_of(&self, subject: Uuid) -> Result<Vec<i32>> {
        let written = self.written().await?;
        Ok(written.into_iter().filter(|(of, _)| *of == subject).map(|(_, number)| number).collect())
    }

    /// How many events beta has set aside, and how many of them wait for somebody.
    pub(crate) async fn aside(&self) -> Result<(i64, i64)> {
        let aside = sqlx::query_as(
            "SELECT count(*), count(*) FILTER (WHERE retry_at IS NULL) FROM beta.parked_event",
        );
        Ok(aside.fetch_one(&mut self.database.connect().await?).await?)
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
        for _ in 0..PATIENCE.as_millis() / 20 {
            if is_so().await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("it did not come to be so in time")
    }

    pub(crate) async fn wait_for(&self, count: usize) -> Result<Vec<(Uuid, i32)>> {
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

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) async fn emit_by_hand(conn: &mut PgConnection, subject: Uuid, number: i32) -> Result<()> {
    let payload = CaseClosed { case_id: subject.to_string(), cycle: number, reason: 1 };
    emit_payload(conn, subject, &payload).await
}

pub(crate) async fn emit_payload(conn: &mut PgConnection, subject: Uuid, payload: &CaseClosed) -> Result<()> {
    sqlx::query(
        "INSERT INTO outbox (tenant_id, event_id, subject, type, occurred_at, traceparent, payload)
         VALUES ('one', $1, $2, 'redress.cases.v1.CaseClosed', now(), '', $3)",
    )
    .bind(RandomIds.token())
    .bind(subject)
    .bind(prost::Message::encode_to_vec(payload))
    .execute(conn)
    .await?;
    Ok(())
}
