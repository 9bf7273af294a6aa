//! Whoever is stopped after whatever page, and whatever happens to cases meanwhile: what
//! comes of it is what one transaction over all clocks would have made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use calendar::{DayDraft, DayKind, Pack, Reason};
use jiff::SignedDuration;
use jiff::Timestamp;
use kernel::{Clock as _, RandomIds};
use testkit::{Database, MockClock};

use super::*;
use crate::calendars::Edition;
use crate::case::properties::{occasion, opened};
use crate::clocks::policy::{KeptPolicy, default_ladders};
use crate::flow::clocks::{Begun, begin as begin_clocks};
use crate::flow::persist;
use crate::reopening::ReopeningLimits;
use crate::store;
use crate::store::Opening;

const CASES: usize = 30;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Other promises, some for a priority, and no pauses.
const PACK: &str = r#"
    name = "ours"
    version = 1
    title = "for tests"
    source = "none"
    calendar = "always"
    effective_from = "2026-01-01"
    promises = [
        { kind = "acknowledge", budget = "2 days", own_target = true },
        { kind = "decide", budget = "10 days", extension = { most = 5 } },
        { kind = "decide", budget = "1 day", when = { priority = 1 } },
    ]
"#;

/// A schema of cases, without its workers.
struct Bench {
    database: Database,
    db: Db,
    clock: MockClock,
    tenant: TenantId,
}

/// What is kept of a case's time: its clocks and when each is due, when it is due itself,
/// and its timer.
#[derive(Debug, PartialEq)]
struct Time {
    clocks: Vec<(i32, String, calendar::Clock, Option<Timestamp>)>,
    due: Option<Timestamp>,
    timer: Option<Timestamp>,
}

impl Bench {
    async fn open() -> Self {
        let lists = [&pg::MIGRATIONS, &events::MIGRATIONS, &timers::MIGRATIONS, &crate::MIGRATIONS];
        let migrate = async |url: String| pg::migrate(&url, "cases", &lists).await;
        let database = Database::copy_of("clock jobs", migrate).await.expect("a database");
        let clock = MockClock::default();
        let db = Self::replica(&database, &clock);
        Self { database, db, clock, tenant: TenantId::development() }
    }

    fn replica(database: &Database, clock: &MockClock) -> Db {
        Db::open(database.url(), 4, "cases", Arc::new(clock.clone()), Arc::new(RandomIds)).expect("opened")
    }

    fn wait(&self, time: SignedDuration) {
        self.clock.set(self.clock.now() + time);
    }

    async fn open_cases(&self, ids: Vec<Uuid>) {
        let done = self.db.transact("test.open", &self.tenant, async |mut tx| {
            let at = occasion(tx.now());
            let case = |id| Case { id: CaseId(id), ..opened(&at) };
            let opening = |id| Opening {
                case: case(id),
                description: String::new(),
                product: String::new(),
                receipt_hash: None,
                forwarded: None,
            };
            let mut openings: Vec<Opening> = ids.into_iter().map(opening).collect();
            let begun: Begun = begin_clocks(&mut tx, &mut openings).await?;
            store::insert(&mut tx, &openings).await?;
            let cases: Vec<Case> = openings.into_iter().map(|opening| opening.case).collect();
            persist::opened(&mut tx, &cases, begun).await?;
            Ok((tx, ()))
        });
        done.await.expect("opened");
    }

    /// Cases as they are, a third of them paused and another of the first priority.
    async fn some_cases(&self) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> = (0..CASES).map(|_| self.db.ids().id(self.clock.now())).collect();
        ids.sort_unstable();
        self.open_cases(ids.clone()).await;
        self.wait(HOUR);
        for id in ids.iter().step_by(3) {
            self.touch(*id, |clocks, case, at| {
                clocks.pause(case, &[], Reason::Appraisal, "", at).expect("it may pause");
            })
            .await;
        }
        let mut owner = self.database.connect().await.expect("connected");
        sqlx::query("UPDATE cases.cases SET priority = 1 WHERE case_id = ANY($1)")
            .bind(ids.iter().skip(1).step_by(3).copied().collect::<Vec<_>>())
            .execute(&mut owner)
            .await
            .expect("raised");
        self.wait(HOUR);
        ids
    }

    /// Something happens to a case.
    async fn touch(&self, id: Uuid, act: impl Fn(&mut Clocks, &mut Case, &crate::case::Occasion<'_>)) {
        let done = self.db.transact("test.touch", &self.tenant, async |mut tx| {
            let mut case = store::lock_all(&mut tx, &[id]).await?.pop().ok_or(Refusal::CaseNotFound)?;
            let mut case_clocks = CaseClocks::open(&mut tx, &[id]).await?;
            if let Some(clocks) = case_clocks.clocks.get_mut(&case.id) {
                act(clocks, &mut case, &occasion(tx.now()));
                clocks.date(&mut case);
                case_clocks.rearm(&case);
            }
            store::save(&mut tx, &[case]).await?;
            case_clocks.write(&mut tx).await?;
            Ok((tx, ()))
        });
        done.await.expect("touched");
    }

    async fn put_in_force(&self, version: i32, pack: &str) {
        let pack = Pack::from_toml(pack).expect("sound");
        let done = self.db.transact("test.activate", &self.tenant, async |mut tx| {
            store::calendars::seize(&mut tx).await?;
            let kept = KeptPolicy {
                version,
                pack,
                shipped: false,
                ladders: default_ladders(),
                reopening: ReopeningLimits::SHIPPED,
                note: String::new(),
                created: Some(tx.now()),
                creator: String::new(),
                activated: Some(tx.now()),
                activator: String::new(),
            };
            store::policies::insert(&mut tx, &kept).await?;
            store::policies::activate(&mut tx, &kept).await?;
            begin(&mut tx, &What::Policy(version)).await?;
            Ok((tx, ()))
        });
        done.await.expect("in force");
    }

    /// A holiday in the calendar the shipped policy is counted by.
    async fn add_holiday(&self, date: &str) {
        let day = DayDraft { date: date.to_owned(), kind: DayKind::Holiday, name: String::new() };
        let done = self.db.transact("test.edit", &self.tenant, async |mut tx| {
            store::calendars::seize(&mut tx).await?;
            let before = store::calendars::current(&mut tx, "cn").await?.expect("built in");
            let draft = before.with_days(vec![day], String::new());
            let edition = Edition::after(Some(&before), "cn", draft, tx.now());
            let id = tx.new_id();
            store::calendars::insert(&mut tx, &edition, id, "ann").await?;
            begin(&mut tx, &What::Calendar("cn".to_owned())).await?;
            Ok((tx, ()))
        });
        done.await.expect("edited");
    }

    async fn kept(&self, ids: &[Uuid]) -> BTreeMap<Uuid, Time> {
        let kept = self.db.transact("test.read", &self.tenant, async |mut tx| {
            let timers: Vec<(Uuid, jiff_sqlx::Timestamp)> =
                sqlx::query_as("SELECT key, fire_at FROM timer WHERE kind = 'clock'")
                    .fetch_all(&mut *tx)
                    .await?;
            let timers: BTreeMap<Uuid, Timestamp> =
                timers.into_iter().map(|(key, at)| (key, at.to_jiff())).collect();
            let dues: Vec<(Uuid, Option<jiff_sqlx::Timestamp>)> =
                sqlx::query_as("SELECT case_id, due_at FROM clock ORDER BY case_id, kind, cycle DESC")
                    .fetch_all(&mut *tx)
                    .await?;
            let mut case_clocks = CaseClocks::read(&mut tx, ids).await?;
            let cases = store::get_all(&mut tx, ids).await?;
            let one = |case: Case| {
                let dues = dues.iter().filter(|(id, _)| *id == case.id.0);
                let dues = dues.map(|(_, due)| due.map(jiff_sqlx::Timestamp::to_jiff));
                let clocks = case_clocks.clocks.remove(&case.id).unwrap_or_default().0.into_iter().zip(dues);
                let clocks = clocks
                    .map(|(clock, due)| (clock.policy, clock.calendar_name, clock.clock, due))
                    .collect();
                (case.id.0, Time { clocks, due: case.due_time, timer: timers.get(&case.id.0).copied() })
            };
            let kept = cases.into_iter().map(one).collect();
            Ok((tx, kept))
        });
        kept.await.expect("read")
    }

    /// What one transaction over all would make of cases, of all that is pending.
    async fn at_once(&self, ids: &[Uuid]) -> BTreeMap<Uuid, Time> {
        let kept = self.db.transact("test.oracle", &self.tenant, async |mut tx| {
            let pending = pending(&mut tx).await?;
            let awaited = ids.iter().flat_map(|id| pending.iter().map(|(job, _)| (job.number, CaseId(*id))));
            let reached = Reaching::read(&mut tx, pending.clone(), awaited.collect()).await?.reached();
            let one = |case: &Case| {
                let clocks = &reached.case_clocks.clocks[&case.id];
                let next = clocks.next(case, &reached.case_clocks.policies);
                let row = |clock: &CaseClock| {
                    (clock.policy, clock.calendar_name.clone(), clock.clock.clone(), clock.due())
                };
                let rows = clocks.0.iter().map(row);
                (case.id.0, Time { clocks: rows.collect(), due: case.due_time, timer: next })
            };
            let kept = reached.cases.iter().map(one).collect();
            Ok((tx, kept))
        });
        kept.await.expect("computed")
    }

    async fn jobs(&self) -> Vec<(i64, bool, i64)> {
        let mut owner = self.database.connect().await.expect("connected");
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM cases.clock_job_done")
            .fetch_one(&mut owner)
            .await
            .expect("counted");
        let jobs: Vec<(i64, bool, i64)> = sqlx::query_as(
            "SELECT number, finished_at IS NOT NULL, cases FROM cases.clock_job ORDER BY number",
        )
        .fetch_all(&mut owner)
        .await
        .expect("read");
        assert!(left == 0 || jobs.iter().any(|job| !job.1), "{left} notes are left of jobs that ended");
        jobs
    }

    async fn done(self) {
        self.db.pool().close().await;
        self.database.drop().await.expect("dropped");
    }
}

/// Works on until nothing is pending; answers how many pages that took it.
async fn drain(db: &Db, tenant: &TenantId, page: i64) -> usize {
    let mut pages = 0;
    loop {
        match step(db, tenant, page).await.expect("reached") {
            Step::Done => pages += 1,
            Step::Busy => tokio::task::yield_now().await,
            Step::Idle => return pages,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_stopped_between_pages_goes_on_in_other_hands_and_ends_as_one_transaction_would() {
    let bench = Bench::open().await;
    let ids = bench.some_cases().await;
    let before = bench.kept(&ids).await;
    bench.put_in_force(1, PACK).await;
    let expected = bench.at_once(&ids).await;
    assert!(ids.iter().all(|id| before[id] != expected[id]), "it moves all of them");
    for _ in 0..2 {
        assert_eq!(step(&bench.db, &bench.tenant, 7).await.expect("reached"), Step::Done);
    }
    let kept = bench.kept(&ids).await;
    let reached = ids.iter().filter(|id| kept[id] == expected[id]).count();
    let untouched = ids.iter().filter(|id| kept[id] == before[id]).count();
    assert_eq!((reached, untouched), (14, CASES - 14));

    // The process is gone; others go on, hours later.
    bench.db.pool().close().await;
    bench.wait(HOUR * 3);
    let replicas =
        [Bench::replica(&bench.database, &bench.clock), Bench::replica(&bench.database, &bench.clock)];
    let bench = Bench { db: replicas[0].clone(), ..bench };
    // One that is looked at, one that is opened between those that wait.
    let touched = ids[25];
    bench.touch(touched, |_, _, _| {}).await;
    assert_eq!(bench.kept(&[touched]).await[&touched], expected[&touched], "whoever looks finds it there");
    let opened = Uuid::from_u128(ids[20].as_u128() + 1);
    bench.open_cases(vec![opened]).await;
    let fresh = bench.kept(&[opened]).await;
    assert_eq!(fresh[&opened].clocks[0].0, 1, "it begins under the new policy");
    let pages = tokio::join!(drain(&replicas[0], &bench.tenant, 4), drain(&replicas[1], &bench.tenant, 4));
    assert_eq!(bench.kept(&ids).await, expected);
    assert_eq!(bench.kept(&[opened]).await, fresh, "what was opened since stays as it began");
    assert_eq!(pages.0 + pages.1, 6, "17 cases in pages of 4, and the end");
    assert_eq!(bench.jobs().await, [(1, true, 29)], "each once, but for the one somebody was before");
    replicas[1].pool().close().await;
    bench.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_case_before_its_page_is_not_undone_by_it() {
    let bench = Bench::open().await;
    let ids = bench.some_cases().await;
    bench.put_in_force(1, PACK).await;
    bench.wait(HOUR);
    // Its own delay raises the case: what was promised for the priority it had stays so.
    let late = ids[29];
    bench
        .touch(late, |_, case, at| case.raise_priority_to(vocabulary::Priority::P1, "late".to_owned(), at))
        .await;
    let then = bench.kept(&[late]).await;
    bench.wait(HOUR);
    drain(&bench.db, &bench.tenant, 200).await;
    assert_eq!(bench.kept(&[late]).await, then);
    bench.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_one_tenant_reach_each_case_in_their_order() {
    let bench = Bench::open().await;
    let ids = bench.some_cases().await;
    bench.add_holiday("2026-11-24").await;
    assert_eq!(step(&bench.db, &bench.tenant, 10).await.expect("reached"), Step::Done);
    bench.wait(HOUR);
    bench.put_in_force(1, PACK).await;
    bench.wait(HOUR);
    let stricter = PACK.replace("10 days", "7 days").replace("version = 1", "version = 2");
    bench.put_in_force(2, &stricter).await;
    let expected = bench.at_once(&ids).await;
    bench.wait(HOUR);
    bench.touch(ids[20], |_, _, _| {}).await;
    assert_eq!(bench.kept(&ids[20..21]).await[&ids[20]], expected[&ids[20]]);
    drain(&bench.db, &bench.tenant, 8).await;
    assert_eq!(bench.kept(&ids).await, expected);
    let jobs = bench.jobs().await;
    assert!(jobs.iter().all(|job| job.1) && jobs.len() == 3, "{jobs:?}");
    bench.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_edited_page_by_page_counts_as_one_edited_at_once() {
    let bench = Bench::open().await;
    let ids = bench.some_cases().await;
    let before = bench.kept(&ids).await;
    bench.add_holiday("2026-11-24").await;
    let expected = bench.at_once(&ids).await;
    bench.wait(HOUR);
    bench.touch(ids[10], |_, _, _| {}).await;
    assert_eq!(bench.kept(&ids[10..11]).await[&ids[10]], expected[&ids[10]]);
    drain(&bench.db, &bench.tenant, 9).await;
    assert_eq!(bench.kept(&ids).await, expected);
    let moved = ids.iter().filter(|id| before[id] != expected[id]).count();
    assert!(moved >= CASES / 2, "it moves all that are not paused, not {moved}");
    bench.done().await;
}
