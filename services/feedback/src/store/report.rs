//! Statements on reports and their schedules.

use fault::Fault;
use jiff::civil::Date;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::TenantId;
use kernel::page::Page;
use pg::Tx;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{impossible, report_files};
use crate::report::content::Content;
use crate::report::{Definition, Format, Language, Length, Report, Schedule, Schedules, State, Term};

#[derive(sqlx::FromRow)]
struct Row {
    report_id: Uuid,
    length: i16,
    start_date: String,
    languages: Vec<i16>,
    formats: Vec<i16>,
    state: i16,
    creator: String,
    created_at: Timestamp,
    as_of: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    failure: String,
}

macro_rules! select_reports {
    ($rest:literal) => {
        concat!(
            "SELECT report_id, length, start_date, languages, formats, state, creator, created_at, as_of, finished_at,
                    failure
             FROM report WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

fn numbers<T: Copy + Into<i16>>(values: &[T]) -> Vec<i16> {
    values.iter().map(|value| (*value).into()).collect()
}

fn all<T>(numbers: &[i16], of: impl Fn(i16) -> Option<T>) -> Option<Vec<T>> {
    numbers.iter().map(|number| of(*number)).collect()
}

impl Row {
    fn definition(&self) -> Option<Definition> {
        let start: Date = self.start_date.parse().ok()?;
        Some(Definition {
            term: Term::new(Length::of(self.length)?, start)?,
            languages: all(&self.languages, Language::of)?,
            formats: all(&self.formats, Format::of)?,
        })
    }

    fn report(self, files: Vec<crate::report::File>) -> Result<Report, Fault> {
        let wrong = |column: &str| impossible("report", column, self.report_id);
        Ok(Report {
            definition: self.definition().ok_or_else(|| wrong("definition"))?,
            state: State::of(self.state).ok_or_else(|| wrong("state"))?,
            id: self.report_id,
            creator: self.creator,
            created: self.created_at.to_jiff(),
            as_of: self.as_of.map(Timestamp::to_jiff),
            finished: self.finished_at.map(Timestamp::to_jiff),
            failure: self.failure,
            files,
        })
    }
}

/// Has a report made, if it is not one that a schedule asked for already; answers whether.
pub(crate) async fn insert_report(
    tx: &mut Tx,
    id: Uuid,
    definition: &Definition,
    creator: Option<&str>,
) -> Result<bool, Fault> {
    let now = tx.now();
    let Definition { term, languages, formats } = definition;
    let made = sqlx::query(pg::sql!(
        "INSERT INTO report (tenant_id, report_id, length, start_date, languages, formats, state, creator, scheduled,
                             created_at, attempts, due_at, failure)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, {pending}, $6, $7, $8, 0, $8, '')
         ON CONFLICT (tenant_id, length, start_date) WHERE scheduled DO NOTHING",
        pending = State::Pending,
    ))
    .bind(id)
    .bind(term.length.number())
    .bind(term.start.to_string())
    .bind(numbers(languages))
    .bind(numbers(formats))
    .bind(creator.unwrap_or_default())
    .bind(creator.is_none())
    .bind(now.to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(made.rows_affected() == 1)
}

/// How many reports wait to be made, or are being made; nobody has another made until the
/// transaction ends.
pub(crate) async fn waiting_reports(conn: &mut PgConnection) -> Result<i64, Fault> {
    pg::hold(conn, "reports").await?;
    let waiting = sqlx::query_scalar(pg::sql!(
        "SELECT count(*) FROM report
         WHERE tenant_id = current_setting('redress.tenant') AND state IN ({pending}, {running})",
        pending = State::Pending,
        running = State::Running,
    ))
    .fetch_one(conn)
    .await?;
    Ok(waiting)
}

/// A report.
pub(crate) async fn report(conn: &mut PgConnection, id: Uuid) -> Result<Option<Report>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_reports!("AND report_id = $1")).bind(id).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(None) };
    let files = report_files(conn, &[id]).await?.remove(&id).unwrap_or_default();
    row.report(files).map(Some)
}

/// A page of reports, the newest first.
pub(crate) async fn reports(
    conn: &mut PgConnection,
    page: &Page,
    after: Option<Uuid>,
) -> Result<Vec<Report>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_reports!("AND report_id < $1 ORDER BY report_id DESC LIMIT $2"))
            .bind(after.unwrap_or(Uuid::max()))
            .bind(page.limit())
            .fetch_all(&mut *conn)
            .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.report_id).collect();
    let mut files = report_files(conn, &ids).await?;
    let read = |row: Row| {
        let files = files.remove(&row.report_id).unwrap_or_default();
        row.report(files)
    };
    rows.into_iter().map(read).collect()
}

/// Whose reports are due.
pub(crate) async fn report_tenants(
    conn: &mut PgConnection,
    now: jiff::Timestamp,
) -> Result<Vec<TenantId>, Fault> {
    let tenants: Vec<String> = sqlx::query_scalar(pg::sql!(
        "SELECT DISTINCT tenant_id FROM report WHERE state IN ({pending}, {running}) AND due_at <= $1",
        pending = State::Pending,
        running = State::Running,
    ))
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(tenants.iter().filter_map(|tenant| TenantId::parse(tenant).ok()).collect())
}

/// Whose reports are made by themselves.
pub(crate) async fn scheduled_tenants(conn: &mut PgConnection) -> Result<Vec<TenantId>, Fault> {
    let tenants: Vec<String> =
        sqlx::query_scalar("SELECT tenant_id FROM report_schedule").fetch_all(conn).await?;
    Ok(tenants.iter().filter_map(|tenant| TenantId::parse(tenant).ok()).collect())
}

/// A report that somebody makes, and what they may write for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// The report.
    pub(crate) id: Uuid,
    /// Who makes it.
    pub(crate) lease: Uuid,
    /// Until when nobody else goes on with it.
    pub(crate) until: jiff::Timestamp,
}

/// A report to be made, or gone on with.
#[derive(Clone, Debug)]
pub(crate) struct ClaimedReport {
    /// The report.
    pub(crate) report: Report,
    /// How often somebody began with it, this time included.
    pub(crate) attempts: i32,
    /// Its figures, if they are counted.
    pub(crate) content: Option<Content>,
}

/// Takes the oldest report that is due, under a lease.
pub(crate) async fn claim_report(
    tx: &mut Tx,
    lease: Uuid,
    until: jiff::Timestamp,
) -> Result<Option<ClaimedReport>, Fault> {
    let now = tx.now();
    let row: Option<(Uuid, i32, Option<Json<Content>>)> = sqlx::query_as(pg::sql!(
        "UPDATE report r SET state = {running}, attempts = r.attempts + 1, lease = $2, due_at = $3
         FROM (SELECT report_id FROM report
               WHERE tenant_id = current_setting('redress.tenant') AND state IN ({pending}, {running})
                 AND due_at <= $1
               ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) AS due
         WHERE r.tenant_id = current_setting('redress.tenant') AND r.report_id = due.report_id
         RETURNING r.report_id, r.attempts, r.content",
        pending = State::Pending,
        running = State::Running,
    ))
    .bind(now.to_sqlx())
    .bind(lease)
    .bind(until.to_sqlx())
    .fetch_optional(&mut **tx)
    .await?;
    let Some((id, attempts, content)) = row else { return Ok(None) };
    let report = report(tx, id).await?.ok_or_else(|| impossible("report", "report_id", id))?;
    Ok(Some(ClaimedReport { report, attempts, content: content.map(|content| content.0) }))
}

/// Keeps the figures of a report; answers whether it is still under this lease.
pub(crate) async fn keep_figures(
    conn: &mut PgConnection,
    progress: Progress,
    content: &Content,
) -> Result<bool, Fault> {
    let kept = sqlx::query(
        "UPDATE report SET content = $3, as_of = $4, due_at = $5
         WHERE tenant_id = current_setting('redress.tenant') AND report_id = $1 AND lease = $2",
    )
    .bind(progress.id)
    .bind(progress.lease)
    .bind(Json(content))
    .bind(content.as_of.to_sqlx())
    .bind(progress.until.to_sqlx())
    .execute(conn)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Ends a report that is under this lease: its figures stand in its files.
pub(crate) async fn finish_report(
    tx: &mut Tx,
    progress: Progress,
    state: State,
    failure: &str,
) -> Result<(), Fault> {
    let now = tx.now();
    sqlx::query(
        "UPDATE report SET state = $3, failure = $4, finished_at = $5, content = NULL, lease = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND report_id = $1 AND lease = $2",
    )
    .bind(progress.id)
    .bind(progress.lease)
    .bind(state.number())
    .bind(failure)
    .bind(now.to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Has a report that is under this lease be gone on with later, by whoever comes.
pub(crate) async fn put_report_off(
    conn: &mut PgConnection,
    progress: Progress,
    failure: &str,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE report SET failure = $3, due_at = $4, lease = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND report_id = $1 AND lease = $2",
    )
    .bind(progress.id)
    .bind(progress.lease)
    .bind(failure)
    .bind(progress.until.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets reports of before a time, with their files, of all tenants; answers how many.
pub(crate) async fn forget_reports(
    conn: &mut PgConnection,
    before: jiff::Timestamp,
    limit: i64,
) -> Result<i64, Fault> {
    let gone = sqlx::query(
        "DELETE FROM report r USING (SELECT tenant_id, report_id FROM report
                                     WHERE created_at < $1 ORDER BY created_at LIMIT $2) AS old
         WHERE r.tenant_id = old.tenant_id AND r.report_id = old.report_id",
    )
    .bind(before.to_sqlx())
    .bind(limit)
    .execute(conn)
    .await?;
    i64::try_from(gone.rows_affected()).map_err(Fault::internal)
}

/// A schedule as it is stored: length, languages, formats, days after the end.
type Stored = (i16, Vec<i16>, Vec<i16>, i32);

/// The schedules of the tenant; none at first.
pub(crate) async fn report_schedules(conn: &mut PgConnection) -> Result<Schedules, Fault> {
    let row: Option<(i64, Json<Vec<Stored>>, String)> = sqlx::query_as(
        "SELECT version, schedules, note FROM report_schedule WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    let Some((version, schedules, note)) = row else { return Ok(Schedules::default()) };
    let read = |(length, languages, formats, after_days): Stored| {
        let schedule = Schedule {
            length: Length::of(length)?,
            languages: all(&languages, Language::of)?,
            formats: all(&formats, Format::of)?,
            after_days,
        };
        Some(schedule)
    };
    let schedules: Option<Vec<Schedule>> = schedules.0.into_iter().map(read).collect();
    let schedules = schedules.ok_or_else(|| impossible("report_schedule", "schedules", Uuid::nil()))?;
    Ok(Schedules { version, schedules, note })
}

/// The schedules, for who changes them: nobody else does until the transaction ends.
pub(crate) async fn hold_report_schedules(conn: &mut PgConnection) -> Result<Schedules, Fault> {
    pg::hold(conn, "reports").await?;
    report_schedules(conn).await
}

/// Writes schedules that this transaction holds.
pub(crate) async fn save_report_schedules(
    conn: &mut PgConnection,
    schedules: &Schedules,
) -> Result<(), Fault> {
    let stored = |schedule: &Schedule| -> Stored {
        let Schedule { length, languages, formats, after_days } = schedule;
        (length.number(), numbers(languages), numbers(formats), *after_days)
    };
    let all: Vec<Stored> = schedules.schedules.iter().map(stored).collect();
    sqlx::query(
        "INSERT INTO report_schedule (tenant_id, version, schedules, note)
         VALUES (current_setting('redress.tenant'), $1, $2, $3)
         ON CONFLICT ON CONSTRAINT report_schedule_pkey DO UPDATE
         SET version = excluded.version, schedules = excluded.schedules, note = excluded.note",
    )
    .bind(schedules.version)
    .bind(Json(all))
    .bind(&schedules.note)
    .execute(conn)
    .await?;
    Ok(())
}
