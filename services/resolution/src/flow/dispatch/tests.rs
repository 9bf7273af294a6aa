//! Deliveries whose process dies, tenants beside each other, and what is forgotten.

use kernel::{CaseId, PlanId, RandomIds, SystemClock, TaskId};
use testkit::{Database, MockClock, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;
use webhook::{Networks, Sender};

use super::*;
use crate::delivery::DeliveryState;
use crate::endpoint::{AT_ONCE, DEFAULT_HOLD, EndpointKind, Setting};
use crate::remedy::{Remedy, RemedyKind};
use crate::task::{Task, TaskOrigin, TaskState};

/// A department that answers once it is let; the ids it was sent.
struct Server {
    url: String,
    open: watch::Sender<bool>,
    ids: Arc<std::sync::Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Server {
    async fn new(open: bool) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let (open, ids) = (watch::Sender::new(open), Arc::<std::sync::Mutex<Vec<String>>>::default());
        let (opened, seen) = (open.clone(), ids.clone());
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut open, seen) = (opened.subscribe(), seen.clone());
                tokio::spawn(async move {
                    let mut chunk = vec![0; 16_384];
                    let count = stream.read(&mut chunk).await.unwrap_or(0);
                    let text = String::from_utf8_lossy(&chunk[..count]).into_owned();
                    let id = text.lines().find_map(|line| line.strip_prefix("webhook-id: "));
                    if let (Some(id), Ok(mut seen)) = (id, seen.lock()) {
                        seen.push(id.to_owned());
                    }
                    let _ = open.wait_for(|open| *open).await;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                });
            }
        });
        Ok(Self { url, open, ids, serving })
    }

    fn ids(&self) -> Vec<String> {
        self.ids.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A copy of the schema.
async fn resolution() -> anyhow::Result<Database> {
    let migrate = async |url: String| {
        let all = [&pg::MIGRATIONS, &timers::MIGRATIONS, &crate::MIGRATIONS];
        pg::migrate(&url, "resolution", &all).await
    };
    Database::copy_of("dispatch", migrate).await
}

fn connect(database: &Database, clock: Arc<dyn kernel::Clock>) -> anyhow::Result<Db> {
    Ok(Db::open(database.url(), 6, "resolution", clock, Arc::new(RandomIds))?)
}

/// A dispatcher, as a process would run it.
fn start(db: &Db, stop: &Stop) -> JoinHandle<()> {
    let here = Networks::new("127.0.0.0/8".parse());
    let carrier = Carrier::new(Sender::new(here, None).expect("no authority"));
    tokio::spawn(run(db.clone(), carrier, Default::default(), stop.clone()))
}

/// A tenant whose department is reached there, with so many tasks that wait.
async fn settle_in(db: &Db, tenant: &str, url: &str, count: usize) -> anyhow::Result<TenantId> {
    let tenant = TenantId::parse(tenant)?;
    let now = db.clock().now();
    let setting = Setting {
        department_id: "service".to_owned(),
        kind: EndpointKind::Webhook,
        url: url.to_owned(),
        secret: None,
        timeout: MAX_TIMEOUT,
        hold: DEFAULT_HOLD,
    };
    let plan = PlanId(db.ids().id(now));
    let tasks: Vec<Task> = (0..count).map(|_| task(TaskId(db.ids().id(now)), plan, now)).collect();
    db.transact("test.settle_in", &tenant, async |mut tx| {
        store::departments::keep(&mut tx, &["service".to_owned()]).await?;
        store::endpoints::save(&mut tx, &setting.set(None, now)).await?;
        sqlx::query(
            "INSERT INTO plan (tenant_id, plan_id, version, case_id, cycle, state, proposer, approver, reason,
                               priority, traceparent, created_at)
             VALUES (current_setting('redress.tenant'), $1, 1, $1, 1, 2, 'ann', 'boss', '', 3, '', now())",
        )
        .bind(plan.0)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "INSERT INTO plan_step (tenant_id, plan_id, ordinal, step_id, kind, department_id, depends_on,
                                    instructions, state)
             VALUES (current_setting('redress.tenant'), $1, 0, 'a', 1, 'service', '{}', '', 2)",
        )
        .bind(plan.0)
        .execute(&mut *tx)
        .await?;
        store::tasks::insert(&mut tx, &tasks).await?;
        tx.notify(TASKS);
        Ok((tx, ()))
    })
    .await?;
    Ok(tenant)
}

fn task(task_id: TaskId, plan_id: PlanId, now: Timestamp) -> Task {
    let kind = RemedyKind::Apology;
    let remedy = Remedy { kind, amount: None, goods: None, instructions: String::new(), custom: None };
    let origin = TaskOrigin { case_id: CaseId(plan_id.0), cycle: 1, priority: 3, traceparent: "" };
    Task {
        plan_id: Some(plan_id),
        step_id: "a".to_owned(),
        ..Task::new(task_id, origin, ("service".to_owned(), remedy), now)
    }
}

async fn deliveries(db: &Db, tenant: &TenantId) -> Vec<Delivery> {
    let found = db.transact("test.deliveries", tenant, async |mut tx| {
        let found = store::deliveries::list_of_department(&mut tx, "service", None, 1_000).await?;
        Ok((tx, found))
    });
    found.await.expect("deliveries can be read")
}

async fn end(database: Database, db: Db, stop: Stop, running: Vec<JoinHandle<()>>) -> anyhow::Result<()> {
    stop.cancel();
    for one in running {
        one.await?;
    }
    db.pool().close().await;
    database.drop().await
}

#[tokio::test]
async fn a_process_that_dies_while_it_delivers_leaves_the_same_delivery_to_the_next() -> anyhow::Result<()> {
    let database = resolution().await?;
    let clock = MockClock::default();
    let db = connect(&database, Arc::new(clock.clone()))?;
    let (server, stop) = (Server::new(false).await?, Stop::new());
    let dying = start(&db, &stop);
    let tenant = settle_in(&db, "one", &server.url, 1).await?;
    eventually(async || server.ids().len() == 1).await;
    dying.abort();
    assert!(dying.await.is_err(), "it was killed in the middle");

    server.open.send_replace(true);
    let next = start(&db, &stop);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(server.ids().len(), 1, "nobody makes it beside a process that may be alive");
    clock.advance(TRY_HOLD);
    eventually(async || deliveries(&db, &tenant).await[0].state == DeliveryState::Taken).await;
    let (ids, found) = (server.ids(), deliveries(&db, &tenant).await);
    assert_eq!((ids.len(), found.len(), ids[0] == ids[1]), (2, 1, true), "the same message");
    let tries = db
        .transact("test.tries", &tenant, async |mut tx| {
            let task = store::tasks::get(&mut tx, found[0].task_id).await?.expect("it is there");
            assert_eq!((task.state, task.attempt), (TaskState::Leased, 1), "the same lease");
            let tries = store::deliveries::tries(&mut tx, &[found[0].delivery_id]).await?;
            Ok((tx, tries))
        })
        .await?;
    let log: Vec<_> =
        tries[&found[0].delivery_id].iter().map(|one| (one.number, one.took.is_some())).collect();
    assert_eq!(log, [(2, true), (1, false)], "the log shows the one that was cut off");
    assert!(found[0].may_have_arrived);
    end(database, db, stop, vec![next]).await
}

#[tokio::test]
async fn an_endpoint_that_answers_nobody_keeps_no_other_waiting() -> anyhow::Result<()> {
    let database = resolution().await?;
    let db = connect(&database, Arc::new(SystemClock))?;
    let (dead, alive, stop) = (Server::new(false).await?, Server::new(true).await?, Stop::new());
    let many = usize::try_from(AT_ONCE)? * 4;
    let replicas = vec![start(&db, &stop), start(&db, &stop)];
    let stuck = settle_in(&db, "stuck", &dead.url, many).await?;
    let at_once = usize::try_from(AT_ONCE)?;
    eventually(async || dead.ids().len() >= at_once).await;
    let well = settle_in(&db, "well", &alive.url, many).await?;
    eventually(async || alive.ids().len() == many).await;
    let mut ids = alive.ids();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), many, "two dispatchers make each delivery once");
    assert!(dead.ids().len() <= 2 * at_once, "a bound for each process");
    assert!(deliveries(&db, &stuck).await.len() <= 2 * at_once, "the rest waits in the queue");
    eventually(async || {
        deliveries(&db, &well).await.iter().filter(|one| one.state == DeliveryState::Taken).count() == many
    })
    .await;
    dead.open.send_replace(true);
    eventually(async || dead.ids().len() == many).await;
    end(database, db, stop, replicas).await
}

#[tokio::test]
async fn deliveries_are_forgotten_90_days_after_their_end() -> anyhow::Result<()> {
    let database = resolution().await?;
    let clock = MockClock::default();
    let db = connect(&database, Arc::new(clock.clone()))?;
    let (server, stop) = (Server::new(true).await?, Stop::new());
    let running = start(&db, &stop);
    let tenant = settle_in(&db, "one", &server.url, 3).await?;
    eventually(async || {
        let found = deliveries(&db, &tenant).await;
        found.len() == 3 && found.iter().all(|one| one.state == DeliveryState::Taken)
    })
    .await;
    let old: Vec<Uuid> = deliveries(&db, &tenant).await.iter().map(|one| one.delivery_id).collect();
    clock.advance(KEPT.saturating_sub(Duration::from_hours(1)));
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert!(deliveries(&db, &tenant).await.iter().filter(|one| old.contains(&one.delivery_id)).count() == 3);
    clock.advance(Duration::from_hours(2));
    eventually(async || !deliveries(&db, &tenant).await.iter().any(|one| old.contains(&one.delivery_id)))
        .await;
    let tries = db
        .transact("test.tries", &tenant, async |mut tx| {
            let tries = store::deliveries::tries(&mut tx, &old).await?;
            Ok((tx, tries))
        })
        .await?;
    assert!(tries.is_empty(), "their tries go with them");
    end(database, db, stop, vec![running]).await
}
