//! Actions whose day passes are told to be overdue; the effect of those that are done is
//! measured.

use std::time::Duration;

use fault::Fault;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::TenantId;
use pg::{Db, Tx};
use server::Stop;

use super::figures::zone;
use super::signals::{before, days_between, parts};
use crate::improvement::effect::{Compared, MOST_DAYS};
use crate::improvement::{Action, Due};
use crate::kpi::window;
use crate::signal;
use crate::wire::Effect;
use crate::{store, wire};

/// How often it is looked for actions that are overdue.
const LOOK: Duration = Duration::from_secs(5);

/// Tells what is overdue until told to stop.
pub(crate) async fn run(db: Db, stop: Stop) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if let Err(fault) = round(&db).await {
            tracing::warn!(fault = fault.chain(), "what is overdue cannot be told; trying again");
        }
    }
}

pub(super) async fn round(db: &Db) -> Result<(), Fault> {
    let now = db.clock().now();
    let tenants = db
        .transact_as_worker("improvement.overdue", async move |mut tx| {
            let tenants = store::overdue_tenants(&mut tx, now).await?;
            Ok((tx, tenants))
        })
        .await?;
    for tenant in tenants {
        if let Err(fault) = tell(db, &tenant).await {
            tracing::warn!(%tenant, fault = fault.chain(), "what is overdue cannot be told; trying again");
        }
    }
    Ok(())
}

async fn tell(db: &Db, tenant: &TenantId) -> Result<(), Fault> {
    db.transact("improvement.tell", tenant, async move |mut tx| {
        for action in store::take_overdue(&mut tx).await? {
            tx.emit(action.problem, &wire::improvement_overdue(&action));
        }
        Ok((tx, ()))
    })
    .await
}

/// By when an action is due that is to be done by a day.
pub(crate) async fn due(tx: &mut Tx, day: Date) -> Result<Due, Fault> {
    let zone = zone(&store::kpi_settings(tx).await?);
    Ok(Due { day, at: window::begin(signal::after(day, 1), &zone) })
}

/// What has become of the complaints of its problem's series since an action was done.
pub(crate) async fn effect(tx: &mut Tx, action: &Action) -> Result<Effect, Fault> {
    let Some(done) = &action.done else { return Ok(Effect::NotDone) };
    let problem = store::problem(tx, action.problem).await?;
    let Some(series) = problem.and_then(|problem| problem.series) else { return Ok(Effect::NoSeries) };
    let zone = zone(&store::kpi_settings(tx).await?);
    let day = |at| zone.to_datetime(at).date();
    let (done, today) = (day(done.at), day(tx.now()));
    // What was counted before tells how far back there is anything to compare with.
    let counts = counts(tx, series, (before(done, MOST_DAYS), signal::after(done, MOST_DAYS)), &zone).await?;
    let since = days_between(signal::after(done, 1), today);
    let days = Compared::days(counts.known, since);
    let sum = |from: usize| -> i64 { counts.of_series.iter().skip(from).take(days).sum() };
    Ok(Effect::Compared(Compared { days, before: sum(MOST_DAYS - days), after: sum(MOST_DAYS + 1) }))
}

/// The complaints of a series by day, and how many days before the one in the middle there
/// were any of all.
struct Counts {
    of_series: Vec<i64>,
    known: usize,
}

async fn counts(
    tx: &mut Tx,
    series: signal::Series,
    (first, last): (Date, Date),
    zone: &TimeZone,
) -> Result<Counts, Fault> {
    let days = parts(first, last, zone)?;
    let wanted = [signal::Series::default(), series];
    let mut counts = store::series_counts(tx, &wanted, &days).await?.into_iter();
    let all = counts.next().unwrap_or_default();
    let begun = all.iter().take(MOST_DAYS).position(|count| *count > 0).unwrap_or(MOST_DAYS);
    Ok(Counts { of_series: counts.next().unwrap_or_default(), known: MOST_DAYS - begun })
}
