//! Mutations that share a transaction, over a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fault::{Fault, Kind};
use futures::future::join_all;
use kernel::{Caller, RandomIds, Roles, SystemClock, TenantId};
use pg::{Batch, BatchedMutation, Db, Done, Group, MutationContext, Tx, Verdicts, Work};
use prost::Message as _;
use proto::redress::cases::v1::{AddNoteRequest, AddNoteResponse, CaseWithdrawn, TimelineEntry};
use testkit::Database;
use uuid::Uuid;

/// Tells of every job; refuses some, and cannot stand others.
#[derive(Default)]
struct Notes {
    transactions: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Job {
    Fine,
    Refused,
    Poison,
    Panic,
    /// Waits for a lock that somebody else has.
    Locked,
}

impl Batch for Notes {
    type Job = (Uuid, Job);

    fn name(&self) -> &'static str {
        "notes"
    }

    fn carry_out<'a>(
        &'a self,
        tx: &'a mut Tx,
        mutations: &'a [BatchedMutation<Self::Job>],
    ) -> Work<'a, Verdicts> {
        Box::pin(async move {
            self.transactions.fetch_add(1, Ordering::Relaxed);
            let mut verdicts = Vec::new();
            for one in mutations {
                let (subject, job) = one.job;
                let said = |what| Fault::new(Kind::Invalid, what, "as the test wants it");
                if job == Job::Refused {
                    verdicts.push(Err(said("REFUSED")));
                    continue;
                }
                tx.emit(subject, &CaseWithdrawn { case_id: subject.to_string(), ..CaseWithdrawn::default() });
                if job == Job::Poison {
                    return Err(said("POISON").because("what the log is for"));
                }
                if job == Job::Locked {
                    sqlx::query("SELECT pg_advisory_xact_lock(7)").execute(&mut **tx).await?;
                }
                assert!(job != Job::Panic, "this one always panics");
                let entry = TimelineEntry { text: subject.to_string(), ..TimelineEntry::default() };
                verdicts.push(Ok(AddNoteResponse { entry: Some(entry) }.encode_to_vec()));
            }
            Ok(verdicts)
        })
    }
}

struct Scene {
    database: Database,
    db: Db,
    group: Arc<Group<Notes>>,
    transactions: Arc<AtomicUsize>,
}

impl Scene {
    async fn open() -> Self {
        let database =
            Database::copy_of("group", async move |url| pg::migrate(&url, "alpha", &[&pg::MIGRATIONS]).await);
        let database = database.await.unwrap();
        let db = Db::open(database.url(), 4, "alpha", Arc::new(SystemClock), Arc::new(RandomIds)).unwrap();
        let notes = Notes::default();
        let transactions = notes.transactions.clone();
        Self { database, group: Group::new(db.clone(), notes), db, transactions }
    }

    async fn ask(&self, request: &AddNoteRequest, job: Job) -> Result<Done<AddNoteResponse>, Fault> {
        let subject = Uuid::parse_str(&request.case_id).unwrap();
        self.group.mutate(MutationContext::new(caller(), request), (subject, job)).await
    }

    /// The subjects told of, in order.
    async fn told(&self) -> Vec<Uuid> {
        let tenant = TenantId::development();
        let told = self.db.transact("told", &tenant, async |mut tx| {
            let rows = sqlx::query_scalar("SELECT subject FROM outbox ORDER BY subject");
            let rows = rows.fetch_all(&mut *tx).await?;
            Ok((tx, rows))
        });
        told.await.unwrap()
    }

    async fn close(self) {
        self.db.pool().close().await;
        self.database.drop().await.unwrap();
    }
}

fn caller() -> Caller {
    Caller { tenant: TenantId::development(), subject: "tester".into(), roles: Roles::default() }
}

fn request(number: u128) -> AddNoteRequest {
    let case_id = Uuid::from_u128(number).to_string();
    AddNoteRequest { request_id: format!("key-{number}"), case_id, ..AddNoteRequest::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn together_each_has_an_answer_of_its_own() {
    let scene = Scene::open().await;
    let job = |number| if number % 4 == 0 { Job::Refused } else { Job::Fine };
    let requests: Vec<_> = (1..=40).map(request).collect();
    let asked = requests.iter().zip(1_u128..).map(|(request, number)| scene.ask(request, job(number)));
    let answers = join_all(asked).await;
    for (answer, number) in answers.into_iter().zip(1_u128..) {
        match answer {
            Ok(done) => {
                assert_eq!(done.answer.entry.unwrap().text, Uuid::from_u128(number).to_string());
                assert!(done.position > 0);
            }
            Err(fault) => assert_eq!((number % 4, fault.reason()), (0, "REFUSED")),
        }
    }
    let accepted: Vec<Uuid> = (1..=40).filter(|number| number % 4 != 0).map(Uuid::from_u128).collect();
    assert_eq!(scene.told().await, accepted);
    let transactions = scene.transactions.load(Ordering::Relaxed);
    assert!(transactions < 20, "{transactions} transactions for 40 mutations");
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_stood_does_not_spoil_the_others() {
    spoils_nobody(Job::Poison, "POISON").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_held_elsewhere_holds_up_the_mutation_that_needs_it_only() {
    let scene = Scene::open().await;
    let mut holder = scene.database.connect().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(7)").execute(&mut holder).await.unwrap();
    spoils_nobody_of(&scene, Job::Locked, "TRANSACTION_CONFLICT").await;
    drop(holder);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_the_fault_of_one_mutation() {
    spoils_nobody(Job::Panic, "INTERNAL").await;
}

async fn spoils_nobody(bad: Job, reason: &str) {
    let scene = Scene::open().await;
    spoils_nobody_of(&scene, bad, reason).await;
    scene.close().await;
}

async fn spoils_nobody_of(scene: &Scene, bad: Job, reason: &str) {
    let requests: Vec<_> = (1..=12).map(request).collect();
    let asked = requests
        .iter()
        .zip(1..)
        .map(|(request, number)| scene.ask(request, if number == 5 { bad } else { Job::Fine }));
    for (answer, number) in join_all(asked).await.into_iter().zip(1..) {
        assert_eq!(answer.err().map(|fault| fault.reason()), (number == 5).then_some(reason));
    }
    let others: Vec<Uuid> = (1..=12).filter(|number| *number != 5).map(Uuid::from_u128).collect();
    assert_eq!(scene.told().await, others);
}

/// On one thread, nothing is carried out before all have asked.
#[tokio::test]
async fn beyond_what_may_wait_callers_are_told_to_come_back() {
    let scene = Scene::open().await;
    let requests: Vec<_> = (1..=5_000).map(request).collect();
    let answers = join_all(requests.iter().map(|request| scene.ask(request, Job::Fine))).await;
    let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 5_000 - 4_096);
    assert!(refused.iter().all(|fault| fault.reason() == "OVERLOADED"));
    assert_eq!(scene.told().await.len(), 4_096);
    scene.ask(&requests[4_999], Job::Fine).await.unwrap();
    scene.close().await;
}

#[tokio::test]
async fn who_has_left_before_its_turn_is_left_out() {
    let scene = Scene::open().await;
    let requests: Vec<_> = (1..=10).map(request).collect();
    let mut asked: Vec<_> = requests.iter().map(|request| Box::pin(scene.ask(request, Job::Fine))).collect();
    for ask in &mut asked {
        assert!(futures::poll!(ask.as_mut()).is_pending());
    }
    drop(asked.remove(3));
    join_all(asked).await;
    let others: Vec<Uuid> = (1..=10).filter(|number| *number != 4).map(Uuid::from_u128).collect();
    assert_eq!(scene.told().await, others);
    scene.ask(&requests[3], Job::Fine).await.unwrap();
    assert_eq!(scene.told().await.len(), 10);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_alone_hears_the_cause_too() {
    let scene = Scene::open().await;
    let fault = scene.ask(&request(1), Job::Poison).await.unwrap_err();
    assert!(fault.chain().ends_with("what the log is for"), "{}", fault.chain());
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_at_once_has_one_effect_and_one_answer() {
    let scene = Scene::open().await;
    let (same, changed) = (request(7), AddNoteRequest { case_id: request(8).case_id, ..request(7) });
    let answers = join_all((0..10).map(|_| scene.ask(&same, Job::Fine))).await;
    let positions: Vec<i64> = answers.into_iter().map(|done| done.unwrap().position).collect();
    assert!(positions.iter().all(|position| *position == positions[0]), "{positions:?}");
    let reused = scene.ask(&changed, Job::Fine).await.unwrap_err();
    assert_eq!(reused.reason(), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(scene.told().await, [Uuid::from_u128(7)]);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_takes_nobody_along_and_finds_the_answer_later() {
    let scene = Scene::open().await;
    let requests: Vec<_> = (1..=10).map(request).collect();
    let mut leaves = Box::pin(scene.ask(&requests[0], Job::Fine));
    // Asked, and gone.
    assert!(futures::poll!(leaves.as_mut()).is_pending());
    drop(leaves);
    let others = join_all(requests[1..].iter().map(|request| scene.ask(request, Job::Fine))).await;
    assert!(others.iter().all(Result::is_ok));
    scene.ask(&requests[0], Job::Fine).await.unwrap();
    assert_eq!(scene.told().await.len(), 10);
    scene.close().await;
}
