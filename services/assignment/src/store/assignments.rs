//! One row per case, and the queues they form while they wait.

use fault::Fault;
use jiff_sqlx::ToSqlx;
use kernel::CaseId;
use kernel::page::Page;
use pg::Binds;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{impossible, moved_on};
use crate::assignment::{Assignment, Escalation, Origin, Stage, State};
use crate::queue::Place;
use vocabulary::Priority;

macro_rules! columns {
    () => {
        "case_id, version, cycle, state, department_id, agent_id, previous_agent_id, respondent_staff, priority,
         category, enqueued_at, explanation, transfers, traceparent, suspended, heard, customer_id, language,
         region, bulk, familiar_agent_id, passed_agents, path, escalation, accept_by, unassignable_since"
    };
}

macro_rules! select_assignments {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM assignment WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    case_id: Uuid,
    version: i64,
    cycle: i32,
    state: i16,
    department_id: String,
    agent_id: Option<String>,
    previous_agent_id: Option<String>,
    respondent_staff: String,
    priority: i16,
    category: String,
    enqueued_at: jiff_sqlx::Timestamp,
    explanation: String,
    transfers: i32,
    traceparent: String,
    suspended: Option<i16>,
    heard: i32,
    customer_id: String,
    language: String,
    region: String,
    bulk: bool,
    familiar_agent_id: Option<String>,
    passed_agents: String,
    path: String,
    escalation: i16,
    accept_by: Option<jiff_sqlx::Timestamp>,
    unassignable_since: Option<jiff_sqlx::Timestamp>,
}

/// What the column of escalations has for a case that never went up.
const NOT_ESCALATED: i16 = 0;

/// Ids of one text: none of them has a space.
fn apart(ids: &str) -> Vec<String> {
    ids.split_whitespace().map(str::to_owned).collect()
}

impl TryFrom<Row> for Assignment {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let case_id = row.case_id;
        let known = Stage::of(row.state).ok_or_else(|| impossible("assignment", "state", case_id))?;
        let state = match (known, row.agent_id) {
            (Stage::Waiting, None) => State::Waiting,
            (Stage::Assigned, Some(agent)) => State::Assigned(agent),
            (Stage::Accepted, Some(agent)) => State::Accepted(agent),
            (Stage::Released, agent) => State::Released(agent),
            _ => return Err(impossible("assignment", "state", case_id)),
        };
        let suspended =
            row.suspended.map(|number| Stage::of(number).filter(|stage| *stage != Stage::Released));
        if suspended == Some(None) {
            return Err(impossible("assignment", "suspended", case_id));
        }
        let escalation = Escalation::of(row.escalation);
        if escalation.is_none() && row.escalation != NOT_ESCALATED {
            return Err(impossible("assignment", "escalation", case_id));
        }
        let priority =
            Priority::of(row.priority).ok_or_else(|| impossible("assignment", "priority", case_id))?;
        let origin = Origin {
            respondent: row.respondent_staff,
            customer: row.customer_id,
            language: row.language,
            region: row.region,
        };
        Ok(Self {
            case_id: CaseId(case_id),
            version: row.version,
            cycle: row.cycle,
            state,
            department: Some(row.department_id).filter(|id| !id.is_empty()),
            previous_agent: row.previous_agent_id,
            origin,
            familiar_agent: row.familiar_agent_id,
            priority,
            is_bulk: row.bulk,
            category: row.category,
            enqueued: row.enqueued_at.to_jiff(),
            explanation: row.explanation,
            transfers: row.transfers,
            passed: apart(&row.passed_agents),
            path: apart(&row.path),
            escalation,
            escalates_now: false,
            escalated_to: None,
            accept_by: row.accept_by.map(jiff_sqlx::Timestamp::to_jiff),
            unassignable: row.unassignable_since.map(jiff_sqlx::Timestamp::to_jiff),
            traceparent: row.traceparent,
            suspended: suspended.flatten(),
            heard: row.heard,
        })
    }
}

fn read(rows: Vec<Row>) -> Result<Vec<Assignment>, Fault> {
    rows.into_iter().map(Assignment::try_from).collect()
}

/// Reads one case.
pub(crate) async fn get(conn: &mut PgConnection, case: CaseId) -> Result<Option<Assignment>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_assignments!("AND case_id = $1")).bind(case.0).fetch_optional(conn).await?;
    row.map(Assignment::try_from).transpose()
}

/// Names the departments in charge of those of these cases whose cycle is not
/// over; empty text for a case that no department takes.
pub(crate) async fn open_departments(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<String>, Fault> {
    let departments = sqlx::query_scalar(pg::sql!(
        "SELECT DISTINCT department_id FROM assignment
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND state <> {released}",
        released = Stage::Released,
    ))
    .bind(cases)
    .fetch_all(conn)
    .await?;
    Ok(departments)
}

/// Names the departments in charge of those of these cases that are merged into
/// others; empty text for a case that no department takes.
pub(crate) async fn suspended_departments(
    conn: &mut PgConnection,
    cases: &[Uuid],
) -> Result<Vec<String>, Fault> {
    let departments = sqlx::query_scalar(
        "SELECT DISTINCT department_id FROM assignment
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
           AND suspended IS NOT NULL",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    Ok(departments)
}

/// Names the department in charge of each of these cases, of those that there are.
pub(crate) async fn departments_in_charge(
    conn: &mut PgConnection,
    cases: &[Uuid],
) -> Result<Vec<(Uuid, String)>, Fault> {
    let departments = sqlx::query_as(
        "SELECT case_id, department_id FROM assignment
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    Ok(departments)
}

/// Locks and reads cases. Their departments are locked before, unless nothing but
/// the row is to change.
pub(crate) async fn lock(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<Assignment>, Fault> {
    let rows = sqlx::query_as(select_assignments!("AND case_id = ANY($1) ORDER BY case_id FOR UPDATE"))
        .bind(cases)
        .fetch_all(conn)
        .await?;
    read(rows)
}

/// Locks and reads what an agent holds, the most urgent first; so many at most.
pub(crate) async fn held_by(
    conn: &mut PgConnection,
    agent: &str,
    most: i64,
) -> Result<Vec<Assignment>, Fault> {
    let rows = sqlx::query_as(pg::sql!(
        select_assignments!(
            "AND agent_id = $1 AND state IN ({assigned}, {accepted})
             ORDER BY rank_at, case_id LIMIT $2 FOR UPDATE"
        ),
        assigned = Stage::Assigned,
        accepted = Stage::Accepted,
    ))
    .bind(agent)
    .bind(most)
    .fetch_all(conn)
    .await?;
    read(rows)
}

/// Reads a page of the waiting cases that nobody can take, by id, and one more if there is.
pub(crate) async fn unassignable(
    conn: &mut PgConnection,
    after: Uuid,
    page: &Page,
) -> Result<Vec<Assignment>, Fault> {
    let rows = sqlx::query_as(pg::sql!(
        select_assignments!(
            "AND unassignable_since IS NOT NULL AND state = {waiting} AND case_id > $1
             ORDER BY case_id LIMIT $2"
        ),
        waiting = Stage::Waiting,
    ))
    .bind(after)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    read(rows)
}

/// The first waiting cases of departments that nobody can take, as many of each as its stretch
/// has.
pub(crate) async fn unassignable_in(
    conn: &mut PgConnection,
    of: &[Stretch],
) -> Result<Vec<Assignment>, Fault> {
    let rows = sqlx::query_as(pg::sql!(
        concat!(
            "SELECT head.* FROM UNNEST($1::text[], $2::bigint[]) AS want (department_id, most)
             CROSS JOIN LATERAL (
                 SELECT ",
            columns!(),
            "
                 FROM assignment
                 WHERE tenant_id = current_setting('redress.tenant') AND unassignable_since IS NOT NULL
                   AND state = {waiting} AND department_id = want.department_id
                 ORDER BY case_id LIMIT want.most) AS head"
        ),
        waiting = Stage::Waiting,
    ))
    .bind(of.iter().map(|stretch| stretch.department.as_str()).collect::<Vec<_>>())
    .bind(of.iter().map(|stretch| stretch.limit).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    read(rows)
}

/// Who handled a case of each of these customers last, of those that anybody did.
pub(crate) async fn familiar_agents(
    conn: &mut PgConnection,
    customers: &[String],
) -> Result<Vec<(String, String)>, Fault> {
    let agents = sqlx::query_as(
        "SELECT want.customer_id, last.agent_id
         FROM (SELECT DISTINCT UNNEST($1::text[]) AS customer_id) AS want
         CROSS JOIN LATERAL (
             SELECT agent_id FROM assignment
             WHERE tenant_id = current_setting('redress.tenant') AND customer_id = want.customer_id
               AND customer_id <> '' AND agent_id IS NOT NULL
             ORDER BY enqueued_at DESC LIMIT 1) AS last",
    )
    .bind(customers)
    .fetch_all(conn)
    .await?;
    Ok(agents)
}

/// Writes cases as they now are, new or changed, each one version on. One that
/// somebody else changed since it was read undoes all.
pub(crate) async fn save(conn: &mut PgConnection, cases: &mut [Assignment]) -> Result<(), Fault> {
    if cases.is_empty() {
        return Ok(());
    }
    for case in cases.iter_mut() {
        case.version += 1;
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(cases)
        .column("case_id", |case| case.case_id.0)
        .column("version", |case| case.version)
        .column("cycle", |case| case.cycle)
        .column("state", |case| case.state.stage().number())
        .column("department_id", |case| case.department.as_deref().unwrap_or_default())
        .column("agent_id", |case| case.agent())
        .column("previous_agent_id", |case| case.previous_agent.as_deref())
        .column("respondent_staff", |case| case.origin.respondent.as_str())
        .column("priority", |case| case.priority.number())
        .column("category", |case| case.category.as_str())
        .column("enqueued_at", |case| case.enqueued.to_sqlx())
        .column("explanation", |case| case.explanation.as_str())
        .column("transfers", |case| case.transfers)
        .column("traceparent", |case| case.traceparent.as_str())
        .column("suspended", |case| case.suspended.map(Stage::number))
        .column("heard", |case| case.heard)
        .column("customer_id", |case| case.origin.customer.as_str())
        .column("language", |case| case.origin.language.as_str())
        .column("region", |case| case.origin.region.as_str())
        .column("bulk", |case| case.is_bulk)
        .column("familiar_agent_id", |case| case.familiar_agent.as_deref())
        .column("passed_agents", |case| case.passed.join(" "))
        .column("path", |case| case.path.join(" "))
        .column("escalation", |case| case.escalation.map_or(NOT_ESCALATED, Escalation::number))
        .column("accept_by", |case| case.accept_by.map(ToSqlx::to_sqlx))
        .column("unassignable_since", |case| case.unassignable.map(ToSqlx::to_sqlx))
        .column("rank_at", |case| case.place().rank.to_sqlx())
        .done();
    let statement = format!(
        "{} ON CONFLICT (tenant_id, case_id) DO UPDATE SET {} WHERE assignment.version = excluded.version - 1",
        rows.insert_into("assignment"),
        rows.overwrite(&["case_id"]),
    );
    let written = binds.execute(&statement, conn).await?;
    if usize::try_from(written.rows_affected()) == Ok(cases.len()) { Ok(()) } else { Err(moved_on()) }
}

/// A stretch of a department's queue.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Whose queue; empty for the cases no department takes.
    pub(crate) department: String,
    /// The place it begins after.
    pub(crate) after: Place,
    /// Most cases of it.
    pub(crate) limit: i64,
}

/// Reads stretches of queues, each in the order its cases are taken.
pub(crate) async fn waiting(conn: &mut PgConnection, of: &[Stretch]) -> Result<Vec<Assignment>, Fault> {
    let departments: Vec<&str> = of.iter().map(|stretch| stretch.department.as_str()).collect();
    let ranks: Vec<_> = of.iter().map(|stretch| stretch.after.rank.to_sqlx()).collect();
    let cases: Vec<Uuid> = of.iter().map(|stretch| stretch.after.case_id).collect();
    let limits: Vec<i64> = of.iter().map(|stretch| stretch.limit).collect();
    let rows = sqlx::query_as(pg::sql!(
        concat!(
            "SELECT head.*
             FROM UNNEST($1::text[], $2::timestamptz[], $3::uuid[], $4::bigint[])
                  WITH ORDINALITY AS want (department_id, rank_at, case_id, most, nth)
             CROSS JOIN LATERAL (
                 SELECT ",
            columns!(),
            ", rank_at
                 FROM assignment
                 WHERE tenant_id = current_setting('redress.tenant') AND department_id = want.department_id
                   AND state = {waiting} AND (rank_at, case_id) > (want.rank_at, want.case_id)
                 ORDER BY rank_at, case_id LIMIT want.most) AS head
             ORDER BY want.nth, head.rank_at, head.case_id"
        ),
        waiting = Stage::Waiting,
    ))
    .bind(departments)
    .bind(ranks)
    .bind(cases)
    .bind(limits)
    .fetch_all(conn)
    .await?;
    read(rows)
}

/// What waits outside a department's queue and was never handed on by a person:
/// the queues and categories there are.
pub(crate) async fn categories_waiting_elsewhere(
    conn: &mut PgConnection,
    department: &str,
) -> Result<Vec<String>, Fault> {
    let categories = sqlx::query_scalar(pg::sql!(
        "SELECT DISTINCT category FROM assignment
         WHERE tenant_id = current_setting('redress.tenant') AND department_id <> $1 AND state = {waiting}
           AND transfers = 0",
        waiting = Stage::Waiting,
    ))
    .bind(department)
    .fetch_all(conn)
    .await?;
    Ok(categories)
}

/// Since when the case has waited that waits longest, of all tenants.
pub(crate) fn oldest_waiting() -> String {
    pg::sql!("SELECT min(enqueued_at) FROM assignment WHERE state = {waiting}", waiting = Stage::Waiting).0
}

/// Moves what waits elsewhere in these categories into a department's queue, the
/// first in line first.
pub(crate) async fn move_waiting(
    conn: &mut PgConnection,
    department: &str,
    categories: &[String],
    explanation: &str,
    most: usize,
) -> Result<Vec<Assignment>, Fault> {
    let rows = sqlx::query_as(pg::sql!(
        concat!(
            "UPDATE assignment SET department_id = $1, explanation = $3, version = version + 1
             WHERE tenant_id = current_setting('redress.tenant') AND state = {waiting} AND transfers = 0
               AND case_id = ANY (ARRAY (
                   SELECT case_id FROM assignment
                   WHERE tenant_id = current_setting('redress.tenant') AND department_id <> $1
                     AND state = {waiting} AND transfers = 0 AND category = ANY($2)
                   ORDER BY rank_at, case_id LIMIT $4))
             RETURNING ",
            columns!()
        ),
        waiting = Stage::Waiting,
    ))
    .bind(department)
    .bind(categories)
    .bind(explanation)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    read(rows)
}
