//! A schema with work of two kinds: one whose leases are held, and one whose rows only wait.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fault::{Fault, Kind};
use kernel::{RandomIds, TenantId};
use pg::{Db, Tx};
use sqlx::PgConnection;
use testkit::{Database, MockClock};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use work_queue::{Holding, Lease, Queue, Table, Trouble, Work};

const TABLE: &str = "
    SET search_path = intake;
    CREATE TABLE work (
        tenant_id  text        NOT NULL,
        work_id    uuid        NOT NULL DEFAULT gen_random_uuid(),
        name       text        NOT NULL,
        done_at    timestamptz,
        next_at    timestamptz NOT NULL,
        attempts   integer     NOT NULL DEFAULT 0,
        note       text        NOT NULL DEFAULT '',
        holder     uuid,
        held_until timestamptz NOT NULL DEFAULT '-infinity',
        PRIMARY KEY (tenant_id, work_id));
    SELECT tenant_table('work');
    SELECT worker_may('work', 'SELECT, UPDATE, DELETE');";

pub(crate) struct Bench {
    database: Database,
    pub(crate) db: Db,
    pub(crate) clock: MockClock,
    pub(crate) owner: PgConnection,
}

/// How a row is: attempts, seconds until it is taken next, whether it is held, its note.
pub(crate) type Row = (i32, f64, bool, String);

impl Bench {
    pub(crate) async fn new() -> Self {
        let migrate = async |url: String| pg::migrate(&url, "intake", &[&pg::MIGRATIONS]).await;
        let database = Database::copy_of("work_queue", migrate).await.unwrap();
        let clock = MockClock::default();
        let ids = Arc::new(RandomIds);
        let db = Db::open(database.url(), 10, "intake", Arc::new(clock.clone()), ids).unwrap();
        let mut owner = database.connect().await.unwrap();
        sqlx::raw_sql(TABLE).execute(&mut owner).await.unwrap();
        Self { database, db, clock, owner }
    }

    pub(crate) async fn done(self) {
        self.db.pool().close().await;
        drop(self.owner);
        self.database.drop().await.unwrap();
    }

    /// Has work wait: of a tenant, under a name, so many seconds ago.
    pub(crate) async fn add(&mut self, tenant: &str, name: &str, ago: i32) {
        let now = jiff_sqlx::ToSqlx::to_sqlx(self.db.clock().now());
        sqlx::query(
            "INSERT INTO intake.work (tenant_id, name, next_at) VALUES ($1, $2, $3::timestamptz - $4 * interval '1 s')",
        )
        .bind(tenant)
        .bind(name)
        .bind(now)
        .bind(ago)
        .execute(&mut self.owner)
        .await
        .unwrap();
    }

    pub(crate) async fn row(&mut self, name: &str) -> Row {
        let now = jiff_sqlx::ToSqlx::to_sqlx(self.db.clock().now());
        sqlx::query_as(
            "SELECT attempts, extract(epoch FROM next_at - $2::timestamptz)::float8, holder IS NOT NULL, note
             FROM intake.work WHERE name = $1",
        )
        .bind(name)
        .bind(now)
        .fetch_one(&mut self.owner)
        .await
        .unwrap()
    }

    /// Has someone else have what is held.
    pub(crate) async fn steal(&mut self) {
        sqlx::query("UPDATE intake.work SET holder = gen_random_uuid(), held_until = 'infinity'")
            .execute(&mut self.owner)
            .await
            .unwrap();
    }

    /// Starts a worker.
    pub(crate) fn run(&self, work: Arc<Doer>) -> Runner {
        let stop = CancellationToken::new();
        let task = tokio::spawn(work_queue::run(self.db.clone(), Shared(work), stop.clone()));
        Runner { task, stop }
    }
}

pub(crate) struct Runner {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Runner {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// As a process that dies.
    pub(crate) fn kill(&self) {
        self.task.abort();
    }
}

/// Where the work of this suite waits.
pub(crate) fn table(is_held: bool) -> Table {
    let holding = is_held.then_some(Holding { free: "w.held_until <= $1" });
    Table { then: Some("name"), holding, ..Table::new("work", "work_id", "w.done_at IS NULL") }
}

/// What becomes of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    Fails,
    Outage,
    Panics,
    /// It is not done before it is let.
    Waits,
}

/// Does work, and remembers which.
pub(crate) struct Doer {
    db: Db,
    queue: Queue,
    pub(crate) fate: Mutex<Fate>,
    pub(crate) taken: Mutex<Vec<String>>,
    pub(crate) told: AtomicUsize,
    /// What may be done that waits.
    pub(crate) gate: Semaphore,
    under_way: Mutex<HashSet<Uuid>>,
    /// How often two had the same at once.
    pub(crate) clashes: AtomicUsize,
}

impl Doer {
    pub(crate) fn new(bench: &Bench, is_held: bool, fate: Fate) -> Arc<Self> {
        // Held work says so every 50 ms.
        let lease = if is_held { Duration::from_millis(300) } else { Duration::from_mins(5) };
        let queue = Queue::new(("work.take", "work.put_off"), "work", table(is_held), lease);
        let queue = Queue { at_once: if is_held { 2 } else { 1 }, ..queue };
        Arc::new(Self {
            db: bench.db.clone(),
            queue,
            fate: Mutex::new(fate),
            taken: Mutex::default(),
            told: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            under_way: Mutex::default(),
            clashes: AtomicUsize::new(0),
        })
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }

    async fn end(&self, tenant: &TenantId, id: Uuid) -> Result<(), Fault> {
        let end = self.db.transact("work.end", tenant, async move |mut tx| {
            let now = jiff_sqlx::ToSqlx::to_sqlx(tx.now());
            sqlx::query("UPDATE work SET done_at = $2, holder = NULL WHERE work_id = $1")
                .bind(id)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            Ok((tx, ()))
        });
        end.await
    }
}

/// A doer that the test knows, too.
struct Shared(Arc<Doer>);

impl Work for Shared {
    fn queue(&self) -> &Queue {
        &self.0.queue
    }

    async fn take(&self, lease: &Lease) -> Result<(), Trouble> {
        let (doer, id) = (&self.0, lease.id());
        let read = doer.db.transact("work.read", lease.tenant(), async move |mut tx| {
            let name: String = sqlx::query_scalar("SELECT name FROM work WHERE work_id = $1")
                .bind(id)
                .fetch_one(&mut *tx)
                .await?;
            Ok((tx, name))
        });
        let name = read.await?;
        doer.taken.lock().unwrap().push(name);
        if !doer.under_way.lock().unwrap().insert(id) {
            doer.clashes.fetch_add(1, Ordering::Relaxed);
        }
        let fate = *doer.fate.lock().unwrap();
        let done = match fate {
            Fate::Done => doer.end(lease.tenant(), id).await.map_err(Trouble::from),
            Fate::Fails => Err(Trouble::of_work("BROKEN", "it is broken".to_owned())),
            Fate::Outage => Err(Fault::new(Kind::Unavailable, "AWAY", "it is away").into()),
            Fate::Panics => panic!("as a mail may have it"),
            Fate::Waits => {
                let _pass = doer.gate.acquire().await;
                doer.end(lease.tenant(), id).await.map_err(Trouble::from)
            }
        };
        doer.under_way.lock().unwrap().remove(&id);
        done
    }

    async fn note(&self, tx: &mut Tx, lease: &Lease, trouble: &Trouble) -> Result<(), Fault> {
        let note = format!("{}: {}", trouble.reason, trouble.words);
        sqlx::query("UPDATE work SET note = $2 WHERE work_id = $1")
            .bind(lease.id())
            .bind(note)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    fn tell(&self, _: &Lease, _: &Trouble, _: i32) {
        self.0.told.fetch_add(1, Ordering::Relaxed);
    }
}
