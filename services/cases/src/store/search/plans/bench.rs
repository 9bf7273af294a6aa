//! How long the searches take among a million cases, and what the indexes cost a
//! move. Run it alone: `cargo test --release -p cases --lib -- --ignored --nocapture a_million`.

use std::time::{Duration, Instant};

use filter::{self, Facet, Order};
use kernel::CaseId;
use sqlx::Executor as _;
use testkit::House;
use triage::Triage;
use vocabulary::{Channel, Level, Priority};

use super::seed::seed;
use super::{DUE_FIRST, INBOXES, SearchContext, context, counting, statement, transact};
use crate::case::{CASES, Case, Occasion, Origin};
use crate::store;
use crate::store::Opening;
use crate::store::row::Row;

/// How often each search is made.
const TIMES: u32 = 200;
/// How many moves are measured.
const MOVES: u32 = 3_000;
/// How many batches of openings are measured, and of how many cases each.
const BATCHES: u32 = 30;
const BATCH: u32 = 100;
/// Within this, 99 of 100 inboxes are there.
const PROMISED: Duration = Duration::from_millis(50);

fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

#[tokio::test]
#[ignore = "makes a million cases: run it alone"]
async fn searches_over_a_million_cases_keep_their_time() {
    let house = House::open(&[crate::SERVICE]).await;
    seed(&house, &["tenant-b", "tenant-c", "tenant-d", "tenant-e"], 100_000).await;
    seed(&house, &["tenant-a"], 600_000).await;
    let context = context("tenant-a");
    for (name, text, _) in INBOXES {
        let p99 = time(&house, &context, name, text, DUE_FIRST).await;
        assert!(p99 < PROMISED, "{name} took {p99:?}");
    }
    for (name, text) in [
        ("newest", ""),
        ("mine, newest", INBOXES[0].1),
        ("a rare word", "text:w4990"),
        ("two words", "text:\"w2000 w900\""),
        ("a common word", "text:w3"),
        ("a common word, open", "text:w3 AND open = true"),
        ("a category, urgent", "category = \"delivery/7\" AND priority = P1"),
        ("nothing, by no index", "language = \"fr\""),
    ] {
        time(&house, &context, name, text, Order::default()).await;
    }
    count(&house, &context).await;
    openings(&house, &context).await;
    for drops in ["", "DROP INDEX cases_open_by_due, cases_open_by_agent, cases_open_by_department"] {
        moves(&house, &context, drops).await;
    }
    house.done().await;
}

async fn time(house: &House, context: &SearchContext, name: &str, text: &str, order: Order) -> Duration {
    let mut times = Vec::new();
    for n in 0..TIMES {
        let text = text.replace("a-7", &format!("a-{}", n % 200)).replace("d-7", &format!("d-{}", n % 40));
        let started = Instant::now();
        transact(house, &context.tenant, async move |mut tx| {
            let statement = statement(context, &text, order, None);
            let rows: Vec<Row> = statement.fetch(&mut tx).await.expect("a page");
            (tx, rows.len())
        })
        .await;
        times.push(started.elapsed());
    }
    let (p50, p99) = percentiles(times);
    println!("{name:>22}  p50 {p50:>9.2?}  p99 {p99:>9.2?}");
    p99
}

async fn count(house: &House, context: &SearchContext) {
    for text in ["", "open = true"] {
        let started = Instant::now();
        let facets = [Facet::State, Facet::Priority, Facet::Category, Facet::Breached];
        let condition = filter::read(text).expect("a filter").condition;
        transact(house, &context.tenant, async move |mut tx| {
            let statement = counting(context, &condition, &facets);
            let rows: Vec<(i32, Option<String>, i64)> = statement.fetch(&mut tx).await.expect("counts");
            (tx, rows.len())
        })
        .await;
        println!("four facets of {text:?}: {:.2?}", started.elapsed());
    }
}

/// Opens cases as the service does, and tells what of it their texts take.
async fn openings(house: &House, context: &SearchContext) {
    let (mut rows, mut texts) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..BATCHES {
        let opened: Vec<Opening> = (0..BATCH).map(|n| opening(house, context, n)).collect();
        let (inserted, kept) = transact(house, &context.tenant, async move |mut tx| {
            let started = Instant::now();
            store::insert(&mut tx, &opened).await.expect("inserted");
            let inserted = started.elapsed();
            let started = Instant::now();
            store::text::keep(&mut tx, &context.tenant, &opened).await.expect("kept");
            (tx, (inserted, started.elapsed()))
        })
        .await;
        rows += inserted;
        texts += kept;
    }
    let each = BATCHES * BATCH;
    println!(
        "opening a case: its row {:.1?}, its texts {:.1?} (batches of {BATCH})",
        rows / each,
        texts / each
    );
}

fn opening(house: &House, context: &SearchContext, n: u32) -> Opening {
    let db = house.db("cases");
    let channel = Channel::ALL[n as usize % Channel::ALL.len()];
    let origin = Origin {
        subject: format!("订单 {n} 的退款至今没有到账 refund {n} is late"),
        language: "zh".to_owned(),
        customer_id: format!("c-{n}"),
        ..Origin::bare(channel, context.now)
    };
    let triage = Triage {
        category: "payment/refund".to_owned(),
        priority: Priority::P3,
        complexity: Level::Medium,
        reasons: vec![],
    };
    let at = Occasion { now: context.now, actor: CASES, traceparent: "" };
    let case = Case::open(CaseId(db.ids().id(db.clock().now())), origin, triage, &at);
    let story = "上周一我在网上买了一台电热水壶，收到时箱子已经压坏，壶身也裂了，客服答应三天内退款。";
    Opening {
        case,
        description: format!("{} The agent promised it {n} times.", story.repeat(4)),
        product: String::new(),
        forwarded: None,
        receipt_hash: None,
    }
}

/// Moves open cases as the service does, each in a transaction of its own.
async fn moves(house: &House, context: &SearchContext, drops: &'static str) {
    let mut owner = house.owner().await;
    owner.execute("SET search_path = cases").await.expect("there is the schema");
    owner.execute(sqlx::raw_sql(drops)).await.expect("indexes");
    owner.execute("VACUUM ANALYZE cases").await.expect("vacuumed");
    owner.execute("CHECKPOINT").await.expect("written");
    let condition = filter::read("open = true").expect("a filter").condition;
    let cases: Vec<Case> = transact(house, &context.tenant, async move |mut tx| {
        let statement = super::listing(context, &condition, Order::default(), None, MOVES.into());
        let rows: Vec<Row> = statement.fetch(&mut tx).await.expect("a page");
        (tx, rows.into_iter().map(|row| row.into_case().expect("a case")).collect())
    })
    .await;
    let mut times = Vec::new();
    for (n, mut case) in cases.into_iter().enumerate() {
        case.version += 1;
        case.entries += 1;
        case.state = [vocabulary::State::Assigned, vocabulary::State::Investigating][n % 2];
        case.agent_id = format!("a-{}", n % 190);
        case.due_time = case.due_time.map(|due| due + jiff::SignedDuration::from_mins(7));
        let started = Instant::now();
        transact(house, &context.tenant, async move |mut tx| {
            store::save(&mut tx, std::slice::from_ref(&case)).await.expect("saved");
            (tx, ())
        })
        .await;
        times.push(started.elapsed());
    }
    let all: Duration = times.iter().sum();
    let (p50, p99) = percentiles(times);
    let which = if drops.is_empty() { "with the inboxes' indexes" } else { "without them" };
    println!("a move {which}: mean {:.1?}, p50 {p50:.1?}, p99 {p99:.1?}", all / MOVES);
}
