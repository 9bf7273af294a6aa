//! Statements on problems and their cases.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use pg::{Binds, Tx};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::fact::Ending;
use crate::problem::{Cause, Closing, MAX_CASES, MAX_SIGNALS, Problem, ProblemCase, State};
use crate::signal::Series;

#[derive(sqlx::FromRow)]
struct Row {
    problem_id: Uuid,
    version: i64,
    title: String,
    description: String,
    has_series: bool,
    category: Option<String>,
    product: Option<String>,
    region: Option<String>,
    cause: String,
    cause_version: i64,
    opened_at: Timestamp,
    opener: String,
    closed_at: Option<Timestamp>,
    closer: String,
    conclusion: String,
}

impl Row {
    fn problem(self) -> Problem {
        let series = Series { category: self.category, product: self.product, region: self.region };
        let (by, conclusion) = (self.closer, self.conclusion);
        let cause = Cause { path: self.cause, version: self.cause_version };
        Problem {
            id: self.problem_id,
            version: self.version,
            title: self.title,
            description: self.description,
            series: self.has_series.then_some(series),
            cause: (!cause.path.is_empty()).then_some(cause),
            opened: self.opened_at.to_jiff(),
            opener: self.opener,
            closing: self.closed_at.map(|at| Closing { at: at.to_jiff(), by, conclusion }),
        }
    }
}

/// Reads problems of the tenant: what follows the tenant's condition is given.
macro_rules! select_problems {
    ($rest:literal) => {
        concat!(
            "SELECT problem_id, version, title, description, has_series, category, product, region, cause,
                    cause_version, opened_at, opener, closed_at, closer, conclusion
             FROM problem WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// A problem, as it stands now.
pub(crate) async fn problem(conn: &mut PgConnection, id: Uuid) -> Result<Option<Problem>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_problems!("AND problem_id = $1")).bind(id).fetch_optional(conn).await?;
    Ok(row.map(Row::problem))
}

/// A problem; nobody else changes it until the transaction ends.
pub(crate) async fn lock_problem(conn: &mut PgConnection, id: Uuid) -> Result<Option<Problem>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_problems!("AND problem_id = $1 FOR UPDATE"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(Row::problem))
}

/// These problems, as they stand now.
pub(crate) async fn problems_among(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Problem>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_problems!("AND problem_id = ANY($1)")).bind(ids).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Row::problem).collect())
}

/// The open problems that signals join, by series; none is closed until the transaction ends.
pub(crate) async fn problems_of_series(conn: &mut PgConnection) -> Result<HashMap<Series, Uuid>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        select_problems!("AND state = {open} AND has_series ORDER BY problem_id FOR SHARE"),
        open = State::Open,
    ))
    .fetch_all(conn)
    .await?;
    let joined = |row: Row| {
        let problem = row.problem();
        problem.series.map(|series| (series, problem.id))
    };
    Ok(rows.into_iter().filter_map(joined).collect())
}

/// One page of problems, newest first.
pub(crate) async fn problems(
    conn: &mut PgConnection,
    state: Option<State>,
    page: &Page,
    after: Option<(jiff::Timestamp, Uuid)>,
) -> Result<Vec<Problem>, Fault> {
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(at.to_sqlx()), Some(id)));
    let rows: Vec<Row> = sqlx::query_as(select_problems!(
        "AND ($1::smallint IS NULL OR state = $1) AND ($2::timestamptz IS NULL OR (opened_at, problem_id) < ($2, $3))
         ORDER BY opened_at DESC, problem_id DESC LIMIT $4"
    ))
    .bind(state.map(State::number))
    .bind(at)
    .bind(id)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Row::problem).collect())
}

/// Writes problems, new ones and those that are known and locked.
pub(crate) async fn save_problems(conn: &mut PgConnection, problems: &[Problem]) -> Result<(), Fault> {
    if problems.is_empty() {
        return Ok(());
    }
    let series = |one: &Problem| one.series.clone().unwrap_or_default();
    let mut binds = Binds::default();
    let rows = binds
        .rows(problems)
        .column("problem_id", |one| one.id)
        .column("version", |one| one.version)
        .column("title", |one| one.title.as_str())
        .column("description", |one| one.description.as_str())
        .column("has_series", |one| one.series.is_some())
        .column("category", |one| series(one).category)
        .column("product", |one| series(one).product)
        .column("region", |one| series(one).region)
        .column("state", |one| one.state().number())
        .column("cause", |one| one.cause.as_ref().map_or("", |cause| cause.path.as_str()))
        .column("cause_version", |one| one.cause.as_ref().map_or(0, |cause| cause.version))
        .column("opened_at", |one| one.opened.to_sqlx())
        .column("opener", |one| one.opener.as_str())
        .column("closed_at", |one| one.closing.as_ref().map(|closing| closing.at.to_sqlx()))
        .column("closer", |one| one.closing.as_ref().map_or("", |closing| closing.by.as_str()))
        .column("conclusion", |one| one.closing.as_ref().map_or("", |closing| closing.conclusion.as_str()))
        .done();
    let statement = format!(
        "{insert} ON CONFLICT ON CONSTRAINT problem_pkey DO UPDATE
         SET version = excluded.version, state = excluded.state, cause = excluded.cause,
             cause_version = excluded.cause_version, closed_at = excluded.closed_at, closer = excluded.closer,
             conclusion = excluded.conclusion",
        insert = rows.insert_into("problem"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// How many cases each problem has, and its first signals.
pub(crate) async fn problem_sizes(
    conn: &mut PgConnection,
    problems: &[Uuid],
) -> Result<HashMap<Uuid, (i64, Vec<Uuid>)>, Fault> {
    let rows: Vec<(Uuid, i64, Vec<Uuid>)> = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT p.id, (SELECT count(*) FROM problem_case c
                       WHERE c.tenant_id = current_setting('redress.tenant') AND c.problem_id = p.id AND c.linked),
                ARRAY(SELECT s.signal_id FROM signal s
                      WHERE s.tenant_id = current_setting('redress.tenant') AND s.problem_id = p.id
                      ORDER BY s.signal_id LIMIT {MAX_SIGNALS})
         FROM UNNEST($1::uuid[]) AS p (id)"
    )))
    .bind(problems)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, cases, signals)| (id, (cases, signals))).collect())
}

/// One page of a problem's cases.
pub(crate) async fn problem_cases(
    conn: &mut PgConnection,
    problem: Uuid,
    page: &Page,
    after: Option<Uuid>,
) -> Result<Vec<ProblemCase>, Fault> {
    let rows: Vec<(Uuid, Timestamp, String)> = sqlx::query_as(
        "SELECT case_id, linked_at, linker FROM problem_case
         WHERE tenant_id = current_setting('redress.tenant') AND problem_id = $1 AND linked
           AND ($2::uuid IS NULL OR case_id > $2) ORDER BY case_id LIMIT $3",
    )
    .bind(problem)
    .bind(after)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    let read = |(case, linked, linker): (Uuid, Timestamp, String)| ProblemCase {
        case_id: CaseId(case),
        linked: linked.to_jiff(),
        linker,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// How many of these cases are known.
pub(crate) async fn known_cases(conn: &mut PgConnection, cases: &[CaseId]) -> Result<i64, Fault> {
    let known = sqlx::query_scalar(
        "SELECT count(*) FROM case_fact WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .fetch_one(conn)
    .await?;
    Ok(known)
}

/// Links cases to a problem that is locked; those that are linked stay as they are.
pub(crate) async fn link_cases(tx: &mut Tx, problem: Uuid, cases: &[CaseId], by: &str) -> Result<(), Fault> {
    let now = tx.now();
    sqlx::query(
        "INSERT INTO problem_case AS known (tenant_id, problem_id, case_id, linked, linked_at, linker)
         SELECT current_setting('redress.tenant'), $1, case_id, true, $3, $4 FROM UNNEST($2::uuid[]) AS case_id
         ORDER BY case_id
         ON CONFLICT ON CONSTRAINT problem_case_pkey DO UPDATE
         SET linked = true, linked_at = excluded.linked_at, linker = excluded.linker WHERE NOT known.linked",
    )
    .bind(problem)
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .bind(by)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes cases out of a problem that is locked.
pub(crate) async fn unlink_cases(
    tx: &mut Tx,
    problem: Uuid,
    cases: &[CaseId],
    by: &str,
) -> Result<(), Fault> {
    let now = tx.now();
    sqlx::query(
        "UPDATE problem_case SET linked = false, linked_at = $3, linker = $4
         WHERE tenant_id = current_setting('redress.tenant') AND problem_id = $1 AND case_id = ANY($2) AND linked",
    )
    .bind(problem)
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .bind(by)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A problem, and the complaints of a surge: of which series, from when until when received.
#[derive(Clone, Debug)]
pub(crate) struct SurgeCases {
    pub(crate) problem: Uuid,
    pub(crate) series: Series,
    pub(crate) from: jiff::Timestamp,
    pub(crate) until: jiff::Timestamp,
}

/// Links the cases of surges to their problems, those that are open, as far as a problem has
/// room; not those that were taken out.
pub(crate) async fn link_surges(tx: &mut Tx, surges: &[SurgeCases]) -> Result<(), Fault> {
    if surges.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let mut binds = Binds::default();
    let rows = binds
        .rows(surges)
        .column("problem_id", |one| one.problem)
        .column("category", |one| one.series.category.as_deref())
        .column("product", |one| one.series.product.as_deref())
        .column("region", |one| one.series.region.as_deref())
        .column("lower", |one| one.from.to_sqlx())
        .column("upper", |one| one.until.to_sqlx())
        .done();
    let now = binds.value(now.to_sqlx());
    let statement = format!(
        "INSERT INTO problem_case (tenant_id, problem_id, case_id, linked, linked_at, linker)
         SELECT current_setting('redress.tenant'), s.problem_id, c.case_id, true, {now}::timestamptz, ''
         FROM {rows} AS s
         JOIN problem p ON p.tenant_id = current_setting('redress.tenant') AND p.problem_id = s.problem_id
                       AND p.state = {open}
         CROSS JOIN LATERAL (
             SELECT f.case_id FROM case_fact f
             WHERE f.tenant_id = current_setting('redress.tenant') AND f.received_at >= s.lower
               AND f.received_at < s.upper AND NOT coalesce(f.ending = {merged}, false)
               AND (s.category IS NULL OR s.category = f.category) AND (s.product IS NULL OR s.product = f.product)
               AND (s.region IS NULL OR s.region = f.region)
               AND NOT EXISTS (SELECT FROM problem_case k WHERE k.tenant_id = f.tenant_id
                               AND k.problem_id = s.problem_id AND k.case_id = f.case_id)
             ORDER BY f.received_at, f.case_id
             LIMIT greatest({MAX_CASES} - (SELECT count(*) FROM problem_case k
                                           WHERE k.tenant_id = current_setting('redress.tenant')
                                             AND k.problem_id = s.problem_id AND k.linked), 0)) c
         ORDER BY s.problem_id, c.case_id
         ON CONFLICT ON CONSTRAINT problem_case_pkey DO NOTHING",
        open = State::Open.number(),
        merged = Ending::Merged.number(),
    );
    binds.execute(&statement, tx).await?;
    Ok(())
}
