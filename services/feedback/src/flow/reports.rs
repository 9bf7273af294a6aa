//! Reports are made: counted once, of one moment, then written file by file.
//!
//! Who makes one holds a lease on it, and each step is kept with it. Who dies is gone on from
//! when the lease ends: what is counted stays counted, and what is written stays written.

use std::collections::HashSet;
use std::time::Duration;

use fault::Fault;
use futures::{FutureExt as _, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use kernel::TenantId;
use pg::{Db, Tx};
use server::{Length, Retention, Stop};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::figures;
use crate::report::content::{Answer, Content};
use crate::report::section::{Question, questions};
use crate::report::{File, Format, Language, MAX_ATTEMPTS, Report, State, Term, csv, document, html, xlsx};
use crate::store::{self, ClaimedReport, Progress};

/// Wakes who makes reports.
pub(crate) const TOPIC: &str = "reports";
/// How often it is looked for reports to be made that nobody was woken for: those whose maker
/// has died, and those that are tried again.
const LOOK: Duration = Duration::from_secs(2);
/// How often schedules are looked at.
const SCHEDULES: SignedDuration = SignedDuration::from_mins(1);
/// Most reports that are made at once.
const AT_ONCE: usize = 2;
/// How long a step of a report may take, before another goes on with it.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// How long it is waited before what failed is tried again, times the attempts.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// About how many rows a report has, with its files.
const ROWS: i64 = 20;

/// Reports, with their files.
pub(crate) const REPORTS: Retention = Retention {
    name: "reports.forget",
    kept: Duration::from_hours(400 * 24),
    forget: |tx, before, limit| {
        let reports = (limit / ROWS).max(1);
        async move { Ok(store::forget_reports(tx, before, reports).await? >= reports) }.boxed()
    },
};

/// Makes reports until told to stop.
pub(crate) async fn run(db: Db, stop: Stop) {
    let mut next = Timestamp::MIN;
    let mut listener = db.notifier().listen(TOPIC);
    let mut is_more = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = listener.notified_within(LOOK), if !is_more => {}
            () = std::future::ready(()), if is_more => {}
        }
        let outcome = tokio::select! {
            () = stop.cancelled() => return,
            done = look(&db, &mut next) => done,
        };
        is_more = outcome.unwrap_or_else(|fault| {
            tracing::warn!(fault = fault.chain(), "reports cannot be looked for; trying again");
            false
        });
    }
}

/// Has the reports made that are due by a schedule, from time to time; then makes at most one
/// report of each tenant: who wants many waits for others in between. Answers whether any was
/// made, as there may be more.
async fn look(db: &Db, next: &mut Timestamp) -> Result<bool, Fault> {
    let now = db.clock().now();
    if now >= *next {
        let scheduled = db.transact_as_worker("reports.scheduled", async move |mut tx| {
            let tenants = store::scheduled_tenants(&mut tx).await?;
            Ok((tx, tenants))
        });
        for tenant in scheduled.await? {
            let done = db.transact("report.schedule", &tenant, async move |mut tx| {
                schedule(&mut tx).await?;
                Ok((tx, ()))
            });
            told(done.await);
        }
        *next = now + SCHEDULES;
    }
    let tenants = db
        .transact_as_worker("reports.look", async move |mut tx| {
            let tenants = store::report_tenants(&mut tx, now).await?;
            Ok((tx, tenants))
        })
        .await?;
    // One tenant's long report does not hold up another's.
    let each = |tenant: TenantId| async move {
        of_tenant(db, &tenant).await.unwrap_or_else(|fault| {
            told(Err(fault));
            false
        })
    };
    let made = stream::iter(tenants).map(each).buffer_unordered(AT_ONCE);
    Ok(made.fold(false, |any, is_made| std::future::ready(any || is_made)).await)
}

/// What fails of one tenant is no other's concern.
fn told(outcome: Result<(), Fault>) {
    if let Err(fault) = outcome {
        tracing::warn!(fault = fault.chain(), "reports of a tenant cannot be made; trying again");
    }
}

/// Makes a report of a tenant; answers whether there was one.
async fn of_tenant(db: &Db, tenant: &TenantId) -> Result<bool, Fault> {
    let lease = db.ids().token();
    let until = db.clock().now() + LEASE;
    let claimed = db
        .transact("report.claim", tenant, async move |mut tx| {
            let claimed = store::claim_report(&mut tx, lease, until).await?;
            Ok((tx, claimed))
        })
        .await?;
    let Some(claimed) = claimed else { return Ok(false) };
    let (id, attempts) = (claimed.report.id, claimed.attempts);
    if attempts > MAX_ATTEMPTS {
        // Whoever began with it did not live to say why it cannot be made.
        failed(db, tenant, (id, lease), attempts, "GIVEN_UP").await?;
    } else if let Err(fault) = make(db, tenant, claimed, lease).await {
        tracing::warn!(report = %id, attempts, fault = fault.chain(), "a report could not be made");
        failed(db, tenant, (id, lease), attempts, fault.reason()).await?;
    }
    Ok(true)
}

/// Has the reports made that schedules say are due: each once, whoever looks.
pub(crate) async fn schedule(tx: &mut Tx) -> Result<(), Fault> {
    let schedules = store::report_schedules(tx).await?.schedules;
    if schedules.is_empty() {
        return Ok(());
    }
    let zone = figures::zone(&store::kpi_settings(tx).await?);
    let today = tx.now().to_zoned(zone).date();
    for schedule in schedules {
        let (id, due) = (tx.new_id(), schedule.due(today));
        if store::insert_report(tx, id, &due, None).await? {
            tx.notify(TOPIC);
        }
    }
    Ok(())
}

/// Gives a report up after some attempts; before, it is tried again later.
async fn failed(
    db: &Db,
    tenant: &TenantId,
    (id, lease): (Uuid, Uuid),
    attempts: i32,
    reason: &'static str,
) -> Result<(), Fault> {
    let until = db.clock().now() + PAUSE * attempts.max(1);
    db.transact("report.failed", tenant, async move |mut tx| {
        let progress = Progress { id, lease, until };
        if attempts >= MAX_ATTEMPTS {
            store::finish_report(&mut tx, progress, State::Failed, reason).await?;
        } else {
            store::put_report_off(&mut tx, progress, reason).await?;
        }
        Ok((tx, ()))
    })
    .await
}

/// Makes what is missing of a report. Where somebody else has taken it, they go on.
async fn make(db: &Db, tenant: &TenantId, claimed: ClaimedReport, lease: Uuid) -> Result<(), Fault> {
    let ClaimedReport { report, attempts: _, content } = claimed;
    let term = report.definition.term;
    let content = match content {
        Some(content) => content,
        None => match count(db, tenant, term, (report.id, lease)).await? {
            Some(content) => content,
            None => return Ok(()),
        },
    };
    for (language, format) in missing(&report) {
        let counted = content.clone();
        let written = move || write(term, &counted, language, format);
        let bytes = server::blocking(tenant, Length::Long, "report.write", written).await??;
        let sha256 = Sha256::digest(&bytes).to_vec();
        let size = i64::try_from(bytes.len()).map_err(Fault::internal)?;
        let file = File { language, format, size, sha256 };
        let progress = Progress { id: report.id, lease, until: db.clock().now() + LEASE };
        let is_ours = db
            .transact("report.keep_file", tenant, async move |mut tx| {
                let is_ours = store::keep_report_file(&mut tx, progress, &file, &bytes).await?;
                Ok((tx, is_ours))
            })
            .await?;
        if !is_ours {
            return Ok(());
        }
    }
    let progress = Progress { id: report.id, lease, until: db.clock().now() };
    db.transact("report.finish", tenant, async move |mut tx| {
        store::finish_report(&mut tx, progress, State::Done, "").await?;
        Ok((tx, ()))
    })
    .await
}

/// The files a report does not have yet.
fn missing(report: &Report) -> Vec<(Language, Format)> {
    let known: HashSet<_> = report.files.iter().map(|file| (file.language, file.format)).collect();
    report.definition.files().into_iter().filter(|file| !known.contains(file)).collect()
}

/// Counts the figures of a report and keeps them; none where somebody else has taken it.
async fn count(
    db: &Db,
    tenant: &TenantId,
    term: Term,
    (id, lease): (Uuid, Uuid),
) -> Result<Option<Content>, Fault> {
    let (queries, mut counted, asked, moment) = db
        .transact("report.count", tenant, async move |mut tx| {
            store::see_one_moment(&mut tx).await?;
            let settings = store::kpi_settings(&mut tx).await?;
            let as_of = tx.now();
            let today = as_of.to_zoned(figures::zone(&settings)).date();
            let asked: Vec<Question> = questions(&term);
            let queries: Vec<_> = asked.iter().filter_map(|question| question.query(&term, today)).collect();
            let counted = figures::count(&mut tx, &queries).await?;
            let rebuilds = store::rebuilds(&mut tx).await?;
            let rebuilding = rebuilds.iter().any(|rebuild| rebuild.finished.is_none());
            Ok((tx, (queries, counted, asked, (as_of, today, rebuilding))))
        })
        .await?;
    let (as_of, today, rebuilding): (Timestamp, _, bool) = moment;
    let answers = move || {
        let days = term.days_until(today);
        let mut answers = Vec::new();
        for (place, (question, query)) in asked.iter().zip(&queries).enumerate() {
            // One that has too many groups is told so; the others are told.
            let rows = figures::answer(query, place, &mut counted).ok();
            answers.push(Answer::new(question, &term, days, rows));
        }
        let settings = counted.settings;
        Content {
            as_of,
            zone: settings.time_zone,
            min_group: settings.min_group,
            unfinished: today < term.end(),
            rebuilding,
            answers,
        }
    };
    let content = server::blocking(tenant, Length::Long, "report.figures", answers).await?;
    let (kept, progress) = (content.clone(), Progress { id, lease, until: db.clock().now() + LEASE });
    let is_ours = db
        .transact("report.keep_figures", tenant, async move |mut tx| {
            let is_ours = store::keep_figures(&mut tx, progress, &kept).await?;
            Ok((tx, is_ours))
        })
        .await?;
    Ok(is_ours.then_some(content))
}

/// Writes a file.
fn write(term: Term, content: &Content, language: Language, format: Format) -> Result<Vec<u8>, Fault> {
    match format {
        Format::Html => Ok(html::render(&document::document(&term, content, language)).into_bytes()),
        Format::Csv => Ok(csv::render(&term, content, language).into_bytes()),
        Format::Xlsx => xlsx::render(&term, content, language).map_err(Fault::internal),
    }
}
