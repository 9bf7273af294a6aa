//! Signals of invented facts, in a database, as days pass.

use std::sync::Arc;

use jiff::SignedDuration;
use kernel::page::Page;
use kernel::{CaseId, Clock as _, Ids as _, RandomIds};
use testkit::{Database, MockClock};
use uuid::Uuid;

use super::*;
use crate::fact::{CaseFact, Ending as CaseEnding, Facts, Ranked};
use crate::flow::facts;
use crate::flow::facts::tests::tenant;
use crate::problem::Closing;
use crate::signal::{Dismissal, Ending, MAX_SERIES, State};

struct World {
    database: Database,
    db: Db,
    clock: MockClock,
}

impl World {
    async fn open() -> anyhow::Result<Self> {
        let migrate = async |url: String| {
            let all = [&pg::MIGRATIONS, &events::MIGRATIONS, &crate::MIGRATIONS];
            pg::migrate(&url, "feedback", &all).await
        };
        let database = Database::copy_of("facts", migrate).await?;
        let clock = MockClock::default();
        let db = Db::open(database.url(), 4, "feedback", Arc::new(clock.clone()), Arc::new(RandomIds))?;
        Ok(Self { database, db, clock })
    }

    /// Complaints received so many days ago.
    async fn receive(
        &self,
        tenant: &TenantId,
        days_ago: i64,
        count: usize,
        fact: &CaseFact,
    ) -> anyhow::Result<Vec<CaseId>> {
        let received = Some(self.clock.now() - SignedDuration::from_hours(24 * days_ago));
        let cases: Vec<CaseId> = (0..count).map(|_| CaseId(RandomIds.token())).collect();
        let mut told = Facts::default();
        for case in &cases {
            told.case(*case, CaseFact { received, ..fact.clone() });
        }
        self.keep(tenant, told).await?;
        Ok(cases)
    }

    async fn keep(&self, tenant: &TenantId, told: Facts) -> anyhow::Result<()> {
        let kept = self.db.transact("test", tenant, async move |mut tx| {
            facts::keep(&mut tx, &told).await?;
            Ok((tx, ()))
        });
        Ok(kept.await?)
    }

    /// Two a day of a category for the forty days before today.
    async fn past(&self, tenant: &TenantId) -> anyhow::Result<()> {
        for day in 1..=40 {
            self.receive(tenant, day, 2, &about("delivery")).await?;
        }
        Ok(())
    }

    async fn signals(&self, tenant: &TenantId) -> anyhow::Result<Vec<Signal>> {
        let page = every_signal()?;
        let read = self.db.transact("test", tenant, async move |mut tx| {
            let signals = store::signals(&mut tx, None, &page, None).await?;
            Ok((tx, signals))
        });
        Ok(read.await?)
    }

    /// How many events of a type were told.
    async fn told(&self, name: &str) -> anyhow::Result<i64> {
        let mut owner = self.database.connect().await?;
        let told = sqlx::query_scalar(
            "SELECT count(*) FROM feedback.outbox WHERE type = 'redress.feedback.v1.' || $1",
        )
        .bind(name)
        .fetch_one(&mut owner)
        .await?;
        Ok(told)
    }

    /// As a worker looks that has not looked before.
    async fn round(&self) -> Result<(), Fault> {
        round(&self.db, &mut Resting::default(), &Stop::default()).await
    }

    fn next_day(&self) {
        self.clock.advance(Duration::from_hours(24));
    }
}

fn every_signal() -> anyhow::Result<Page> {
    let request = proto::redress::feedback::v1::ListSignalsRequest { page_size: 500, ..Default::default() };
    Ok(wire::signals_of(request)?.page)
}

fn about(category: &str) -> CaseFact {
    CaseFact { category: Some(Ranked::new(category.to_owned(), 1)), ..CaseFact::default() }
}

fn of(category: &str) -> Series {
    Series { category: Some(category.to_owned()), ..Series::default() }
}

#[tokio::test]
async fn a_surge_raises_one_signal_of_each_series_whoever_looks_and_however_often() -> anyhow::Result<()> {
    let world = World::open().await?;
    let tenant = tenant("one");
    world.past(&tenant).await?;
    let fact =
        CaseFact { product: Some("kettle".to_owned()), region: Some(String::new()), ..about("delivery") };
    world.receive(&tenant, 0, 30, &fact).await?;
    let (one, other) = futures::join!(world.round(), world.round());
    one.and(other)?;
    let product = Series { product: Some("kettle".to_owned()), ..Series::default() };
    let both = Series { category: Some("delivery".to_owned()), ..product.clone() };
    let mut series: Vec<Series> = world.signals(&tenant).await?.into_iter().map(|one| one.series).collect();
    series.sort();
    let mut expected = vec![Series::default(), of("delivery"), product, both];
    expected.sort();
    assert_eq!(series, expected, "an empty region is no series");
    let before = world.signals(&tenant).await?;
    look(&world.db, &tenant).await?;
    world.round().await?;
    assert_eq!(world.signals(&tenant).await?, before);
    assert_eq!((world.told("SignalRaised").await?, world.told("SignalEnded").await?), (4, 0));
    world.database.drop().await
}

#[tokio::test]
async fn a_surge_is_followed_as_days_pass_and_told_when_it_is_over() -> anyhow::Result<()> {
    let world = World::open().await?;
    let tenant = tenant("one");
    world.past(&tenant).await?;
    world.receive(&tenant, 0, 30, &about("delivery")).await?;
    world.round().await?;
    let first = world.signals(&tenant).await?[0].surge.first;
    world.next_day();
    world.receive(&tenant, 0, 25, &about("delivery")).await?;
    world.round().await?;
    for _ in 0..7 {
        assert!(world.signals(&tenant).await?.iter().all(|signal| signal.state() == State::Active));
        world.next_day();
        world.round().await?;
    }
    assert_eq!(world.told("SignalEnded").await?, 0, "the seventh quiet day goes on");
    world.next_day();
    world.round().await?;
    world.round().await?;
    let signals = world.signals(&tenant).await?;
    assert_eq!(signals.len(), 2);
    for signal in signals {
        assert_eq!((signal.state(), signal.surge.ending), (State::Ended, Some(Ending::Quiet)));
        assert_eq!((signal.surge.first, signal.surge.last), (first, signal::after(first, 1)));
        assert_eq!((signal.surge.total(), signal.version), (55, 1));
    }
    assert_eq!((world.told("SignalRaised").await?, world.told("SignalEnded").await?), (2, 2));
    // Another surge is another signal.
    world.receive(&tenant, 0, 40, &about("delivery")).await?;
    world.round().await?;
    assert_eq!(world.told("SignalRaised").await?, 4);
    world.database.drop().await
}

#[tokio::test]
async fn a_dismissed_signal_keeps_its_surge_from_raising_another_and_ends_untold() -> anyhow::Result<()> {
    let world = World::open().await?;
    let tenant = tenant("one");
    world.past(&tenant).await?;
    world.receive(&tenant, 0, 30, &CaseFact::default()).await?;
    world.round().await?;
    let mut signal = world.signals(&tenant).await?.remove(0);
    let dismissal = Dismissal { at: world.clock.now(), by: "su".to_owned(), reason: "a test".to_owned() };
    assert_eq!(signal.dismiss(dismissal.clone()), Ok(()));
    assert_eq!(signal.dismiss(dismissal), Err(crate::refusal::Refusal::SignalDismissed));
    let saved = signal.clone();
    world
        .db
        .transact("test", &tenant, async move |mut tx| {
            store::save_signals(&mut tx, &[saved]).await?;
            Ok((tx, ()))
        })
        .await?;
    world.next_day();
    world.receive(&tenant, 0, 30, &CaseFact::default()).await?;
    for _ in 0..9 {
        world.round().await?;
        world.next_day();
    }
    let signals = world.signals(&tenant).await?;
    assert_eq!(signals.len(), 1, "{signals:?}");
    assert_eq!((signals[0].state(), signals[0].surge.total()), (State::Dismissed, 60));
    assert!(signals[0].ended.is_some());
    assert_eq!((world.told("SignalRaised").await?, world.told("SignalEnded").await?), (1, 0));
    world.database.drop().await
}

#[tokio::test]
async fn what_is_merged_or_told_too_late_raises_nothing_nor_does_a_short_past() -> anyhow::Result<()> {
    let world = World::open().await?;
    let (late, young) = (tenant("late"), tenant("young"));
    world.past(&late).await?;
    world.receive(&late, 8, 50, &about("delivery")).await?;
    let ended = Some(Ranked::new(Some((world.clock.now(), CaseEnding::Merged)), 9));
    world.receive(&late, 0, 50, &CaseFact { ended, ..about("delivery") }).await?;
    for day in 1..20 {
        world.receive(&young, day, 2, &about("delivery")).await?;
    }
    world.receive(&young, 0, 50, &about("delivery")).await?;
    world.round().await?;
    assert_eq!(world.told("SignalRaised").await?, 0);
    // Of the days that count still, the last is seven days ago.
    world.receive(&late, 7, 50, &about("delivery")).await?;
    world.round().await?;
    assert_eq!(world.told("SignalRaised").await?, 2);
    world.database.drop().await
}

#[tokio::test]
async fn a_past_that_is_told_of_afterwards_makes_a_day_stand_out() -> anyhow::Result<()> {
    let world = World::open().await?;
    let tenant = tenant("one");
    world.receive(&tenant, 0, 30, &about("delivery")).await?;
    world.round().await?;
    assert_eq!(world.told("SignalRaised").await?, 0, "there is no past yet");
    world.receive(&tenant, 40, 1, &about("delivery")).await?;
    world.round().await?;
    assert_eq!(world.told("SignalRaised").await?, 2);
    world.database.drop().await
}

#[test]
fn a_tenant_rests_as_its_look_has_taken_and_others_do_not() {
    let mut resting = Resting::default();
    let (one, other, now) = (tenant("one"), tenant("other"), Instant::now());
    resting.looked(one.clone(), Duration::from_secs(1), now);
    let at = |seconds| now + Duration::from_secs(seconds);
    assert!(resting.is_resting(&one, at(19)) && !resting.is_resting(&other, at(19)));
    assert!(!resting.is_resting(&one, at(20)));
    resting.looked(other, Duration::ZERO, at(20));
    assert_eq!(resting.0.len(), 1, "who has rested is forgotten");
}

#[tokio::test]
async fn while_facts_are_rebuilt_nothing_is_raised_and_afterwards_it_is() -> anyhow::Result<()> {
    let world = World::open().await?;
    let tenant = tenant("one");
    world.past(&tenant).await?;
    world.receive(&tenant, 0, 30, &about("delivery")).await?;
    let request = world.db.transact("test", &tenant, async move |mut tx| {
        store::hold_kpi_settings(&mut tx).await?;
        store::request_rebuild(&mut tx, &["intake"]).await?;
        Ok((tx, ()))
    });
    request.await?;
    world.round().await?;
    assert_eq!(world.told("SignalRaised").await?, 0);
    let finish = world.db.transact("test", &tenant, async move |mut tx| {
        let rebuild = store::lock_rebuild(&mut tx, "intake").await?;
        let mut rebuild = rebuild.ok_or_else(|| Fault::internal("no rebuild"))?;
        rebuild.finished = Some(tx.now());
        store::save_rebuild(&mut tx, &rebuild).await?;
        Ok((tx, ()))
    });
    finish.await?;
    world.round().await?;
    assert_eq!(world.told("SignalRaised").await?, 2);
    world.database.drop().await
}

#[tokio::test]
async fn a_tenant_that_cannot_be_looked_at_stops_no_other() -> anyhow::Result<()> {
    let world = World::open().await?;
    let (broken, sound) = (tenant("a-broken"), tenant("b-sound"));
    for tenant in [&broken, &sound] {
        world.past(tenant).await?;
        world.receive(tenant, 0, 30, &about("delivery")).await?;
    }
    let mut owner = world.database.connect().await?;
    sqlx::query(
        "INSERT INTO feedback.signal (tenant_id, signal_id, version, first_day, last_day, baseline, past, counts,
                                      false_alarms, min_count, quiet_days, state, raised_at, problem_id)
         VALUES ('a-broken', gen_random_uuid(), 1, '2026-01-01', '2026-01-01', '{}', '{}', '{}', 0.1, 5, 7, 1, now(),
                 gen_random_uuid())",
    )
    .execute(&mut owner)
    .await?;
    assert!(look(&world.db, &broken).await.is_err());
    world.round().await?;
    assert_eq!(world.signals(&sound).await?.len(), 2);
    drop(owner);
    world.database.drop().await
}

#[tokio::test]
async fn of_more_series_than_are_looked_at_those_with_the_most_complaints_are() -> anyhow::Result<()> {
    let world = World::open().await?;
    let tenant = tenant("one");
    world.past(&tenant).await?;
    let mut told = Facts::default();
    for category in 0..MAX_SERIES + 20 {
        for _ in 0..if category < 50 { 8 } else { 6 } {
            let fact = CaseFact { received: Some(world.clock.now()), ..about(&format!("c{category}")) };
            told.case(CaseId(RandomIds.token()), fact);
        }
    }
    world.keep(&tenant, told).await?;
    world.round().await?;
    let signals = world.signals(&tenant).await?;
    assert_eq!(signals.len(), MAX_SERIES);
    for category in 0..50 {
        let series = of(&format!("c{category}"));
        assert!(signals.iter().any(|signal| signal.series == series), "{series:?}");
    }
    world.database.drop().await
}

/// Each problem with how many cases it has.
async fn problems(world: &World, tenant: &TenantId) -> anyhow::Result<Vec<(Problem, i64)>> {
    let page = every_signal()?;
    let read = world.db.transact("test", tenant, async move |mut tx| {
        let problems = store::problems(&mut tx, None, &page, None).await?;
        let ids: Vec<Uuid> = problems.iter().map(|problem| problem.id).collect();
        let sizes = store::problem_sizes(&mut tx, &ids).await?;
        Ok((tx, (problems, sizes)))
    });
    let (problems, sizes) = read.await?;
    Ok(problems.into_iter().map(|problem| (problem.clone(), sizes[&problem.id].0)).collect())
}

#[tokio::test]
async fn a_signal_opens_a_problem_that_has_the_cases_of_its_surge_but_those_taken_out() -> anyhow::Result<()>
{
    let world = World::open().await?;
    let tenant = tenant("one");
    world.past(&tenant).await?;
    let first = world.receive(&tenant, 0, 30, &about("delivery")).await?;
    world.receive(&tenant, 0, 1, &about("billing")).await?;
    world.round().await?;
    let sizes = async || -> anyhow::Result<Vec<(String, i64)>> {
        let mut sizes: Vec<_> = problems(&world, &tenant).await?;
        sizes.sort_by(|one, other| one.0.series.cmp(&other.0.series));
        Ok(sizes.into_iter().map(|(problem, cases)| (problem.title, cases)).collect())
    };
    let delivery = "More complaints than usual: category delivery";
    assert_eq!(world.signals(&tenant).await?.len(), 2, "of the category, and of all");
    assert_eq!(
        sizes().await?,
        [(delivery.to_owned(), 30)],
        "one problem, without what is of another category"
    );
    assert_eq!(world.told("ProblemOpened").await?, 1);
    let of_delivery = problems(&world, &tenant).await?;
    let (problem, _) = of_delivery.iter().find(|(problem, _)| problem.title == delivery).expect("opened");
    let (id, taken) = (problem.id, first[..2].to_vec());
    let unlink = world.db.transact("test", &tenant, async move |mut tx| {
        store::unlink_cases(&mut tx, id, &taken, "su").await?;
        Ok((tx, ()))
    });
    unlink.await?;
    world.next_day();
    world.receive(&tenant, 0, 20, &about("delivery")).await?;
    world.round().await?;
    world.round().await?;
    assert_eq!(sizes().await?, [(delivery.to_owned(), 48)]);
    assert_eq!(world.told("ProblemOpened").await?, 1, "the surge goes on");
    world.database.drop().await
}

#[tokio::test]
async fn the_next_signal_of_a_series_joins_the_open_problem_and_opens_another_once_it_is_closed()
-> anyhow::Result<()> {
    let world = World::open().await?;
    let tenant = tenant("one");
    world.past(&tenant).await?;
    for joined in [1, 1, 2] {
        world.receive(&tenant, 0, 30, &CaseFact::default()).await?;
        world.round().await?;
        let all = problems(&world, &tenant).await?;
        assert_eq!(all.len(), joined, "{all:?}");
        for _ in 0..9 {
            world.next_day();
            world.round().await?;
        }
        let signals = world.signals(&tenant).await?;
        assert!(signals.iter().all(|signal| signal.ended.is_some()));
        if signals.len() == 2 {
            let mut problem = all[0].0.clone();
            let closing =
                Closing { at: world.clock.now(), by: "su".to_owned(), conclusion: "done".to_owned() };
            assert_eq!(problem.close(closing), Ok(()));
            let close = world.db.transact("test", &tenant, async move |mut tx| {
                store::save_problems(&mut tx, &[problem]).await?;
                Ok((tx, ()))
            });
            close.await?;
        }
    }
    let sizes: Vec<i64> = problems(&world, &tenant).await?.into_iter().map(|(_, cases)| cases).collect();
    assert_eq!(sizes, [30, 60], "the newest first");
    world.database.drop().await
}
