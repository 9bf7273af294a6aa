//! The finance example, whose payments are rows of a Postgres of its own, against what
//! networks and crashes do.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use client::Client;
use client::worker::{Failure, Ledger, Work, Worker};
use cluster::{Cluster, Options};
use conformance::{Rule, Runner};
use proto::google::r#type::Money;
use proto::redress::resolution::v1::{RemedyKind, Task, TaskResult};
use sqlx::postgres::PgPool;
use sqlx::{Executor as _, PgConnection};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::fake::options;

#[path = "../../examples/finance.rs"]
#[expect(dead_code, reason = "its main is for who runs it")]
mod finance;

/// A department with books.
struct Finance {
    ledger: Ledger,
    pool: PgPool,
    cluster: Cluster,
    _folder: TempDir,
}

impl Finance {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster::start(folder.path(), &Options::disposable()).await.expect("a Postgres");
        let pool = PgPool::connect(cluster.url()).await.expect("a connection");
        let table =
            "CREATE TABLE payment (number bigserial, task text, currency text, units bigint, nanos int)";
        pool.execute(table).await.expect("a table");
        let ledger = Ledger::open(cluster.url()).await.expect("a ledger");
        Self { ledger, pool, cluster, _folder: folder }
    }

    /// Its payments, a line each.
    async fn payments(&self) -> String {
        let paid = sqlx::query_scalar("SELECT task || ' ' || units FROM payment ORDER BY number");
        let paid: Vec<String> = paid.fetch_all(&self.pool).await.expect("the books");
        paid.join("\n")
    }

    async fn close(self) {
        self.pool.close().await;
        self.cluster.stop().await.expect("an orderly end");
    }
}

fn refund() -> Task {
    let amount = Money { currency_code: "EUR".into(), units: 39, nanos: 900_000_000 };
    Task {
        department_id: "finance".into(),
        kind: RemedyKind::Refund.into(),
        amount: Some(amount),
        ..Task::default()
    }
}

/// A department that attacks, and a client of it.
async fn attacker() -> (Runner, Client) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options_of = conformance::Options { task: refund(), patience: Duration::from_secs(20) };
    let runner = Runner::bind(address, options_of).await.expect("a port");
    let client = Client::connect(options(runner.address())).await.expect("a server");
    (runner, client)
}

/// Runs a worker while something else is done, and stops it then.
async fn beside<H, F, T>(client: &Client, handler: H, done: impl Future<Output = T>) -> T
where
    H: Fn(Work) -> F + Send + Sync + 'static,
    F: Future<Output = Result<TaskResult, Failure>> + Send + 'static,
{
    let stop = CancellationToken::new();
    let worker = Worker { lease: Duration::from_secs(3), ..Worker::new("finance", "finance-1") };
    let running = worker.run(client, handler, stop.clone());
    let until = async {
        let done = done.await;
        stop.cancel();
        done
    };
    let (ran, done) = tokio::join!(running, until);
    ran.expect("a worker that is let work");
    done
}

#[test]
fn the_finance_example_has_thirty_lines_at_most() {
    let lines = include_str!("../../examples/finance.rs").lines().count();
    assert!(lines <= 30, "{lines} lines");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_finance_example_keeps_every_promise_and_pays_each_task_once() {
    let finance = Finance::open().await;
    let (runner, client) = attacker().await;
    let handler = finance.ledger.once(|books, task| Box::pin(finance::pay(books, task)));
    let mut verdicts = beside(&client, handler, runner.run(&Rule::ATTACKS)).await;
    verdicts.push(runner.judge_effects(&finance.payments().await));
    let broken: Vec<_> = verdicts.iter().filter(|verdict| !verdict.passed).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(verdicts.len(), Rule::ATTACKS.len() + 1);
    finance.close().await;
}

/// Pays, and fails the first time after it has paid.
fn failing(
    finance: &Finance,
    tried: Arc<AtomicUsize>,
    fails: fn() -> Failure,
) -> impl Fn(Work) -> client::worker::Doing<'static, TaskResult> + Send + Sync + 'static {
    finance.ledger.once(move |books: &mut PgConnection, task| {
        let first = tried.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            let paid = finance::pay(books, task).await?;
            if first { Err(fails()) } else { Ok(paid) }
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_fails_leaves_nothing_behind() {
    let finance = Finance::open().await;
    let tried = Arc::new(AtomicUsize::new(0));
    let fails = || Failure::Retryable { code: "BANK_CLOSED".into(), message: String::new() };
    let (runner, client) = attacker().await;
    let verdict = beside(&client, failing(&finance, tried.clone(), fails), async {
        // The first task fails, which no rule wants; what comes after it is done.
        runner.attack(Rule::FittingResult).await;
        assert_eq!(finance.payments().await, "", "what failed was not kept");
        let recorded = sqlx::query_scalar("SELECT count(*) FROM redress_task").fetch_one(&finance.pool).await;
        assert_eq!(recorded.unwrap_or(-1), 0_i64, "nor was its task: it may be done when it comes again");
        runner.attack(Rule::FittingResult).await
    })
    .await;
    assert!(verdict.passed, "{verdict:?}");
    assert_eq!(finance.payments().await.lines().count(), 1);
    assert_eq!(tried.load(Ordering::SeqCst), 2);
    finance.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_is_opened_by_two_processes_at_once_and_again() {
    let finance = Finance::open().await;
    let open = || Ledger::open(finance.cluster.url());
    let (one, two) = tokio::join!(open(), open());
    one.expect("one of two");
    two.expect("the other");
    finance.close().await;
}
