//! One row per case, and the queues they form while they wait.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use kernel::page::Page;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::columns::Columns;
use super::{impossible, moved_on};
use crate::assignment::{Assignment, Escalation, Origin, Priority, State, Suspended};
use crate::queue::Place;

const WAITING: i16 = 1;
const ASSIGNED: i16 = 2;
const ACCEPTED: i16 = 3;
const RELEASED: i16 = 4;

macro_rules! select_assignments {
    ($rest:literal) => {
        concat!(
            "SELECT case_id, version, cycle, state, department_id, agent_id, previous_agent_id,
                    respondent_staff, priority, category, enqueued_at, explanation, transfers, traceparent,
                    suspended, heard, customer_id, language, region, bulk, familiar_agent_id, passed_agents,
                    path, escalation, accept_by, unassignable_since
             FROM assignment WHERE tenant_id = current_setting('redress.tenant') ",
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

/// Ids of one text: none of them has a space.
fn apart(ids: &str) -> Vec<String> {
    ids.split_whitespace().map(str::to_owned).collect()
}

/// A priority by its number.
pub(super) fn priority(number: i16, table: &str, case_id: Uuid) -> Result<Priority, Fault> {
    match number {
        1 => Ok(Priority::P1),
        2 => Ok(Priority::P2),
        3 => Ok(Priority::P3),
        4 => Ok(Priority::P4),
        _ => Err(impossible(table, "priority", case_id)),
    }
}

impl TryFrom<Row> for Assignment {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let case_id = row.case_id;
        let state = match (row.state, row.agent_id) {
            (WAITING, None) => State::Waiting,
            (ASSIGNED, Some(agent)) => State::Assigned(agent),
            (ACCEPTED, Some(agent)) => State::Accepted(agent),
            (RELEASED, agent) => State::Released(agent),
            _ => return Err(impossible("assignment", "state", case_id)),
        };
        let suspended = match row.suspended {
            None => None,
            Some(WAITING) => Some(Suspended::Waiting),
            Some(ASSIGNED) => Some(Suspended::Assigned),
            Some(ACCEPTED) => Some(Suspended::Accepted),
            Some(_) => return Err(impossible("assignment", "suspended", case_id)),
        };
        let escalation = match row.escalation {
            0 => None,
            1 => Some(Escalation::PingPong),
            2 => Some(Escalation::Rework),
            _ => return Err(impossible("assignment", "escalation", case_id)),
        };
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
            priority: priority(row.priority, "assignment", case_id)?,
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
            suspended,
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
    let departments = sqlx::query_scalar(
        "SELECT DISTINCT department_id FROM assignment
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND state <> 4",
    )
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
    let rows = sqlx::query_as(select_assignments!(
        "AND agent_id = $1 AND state IN (2, 3) ORDER BY rank_at, case_id LIMIT $2 FOR UPDATE"
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
    let rows = sqlx::query_as(select_assignments!(
        "AND unassignable_since IS NOT NULL AND state = 1 AND case_id > $1 ORDER BY case_id LIMIT $2"
    ))
    .bind(after)
    .bind(page.limit())
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
    let columns = Columns::of(cases);
    let written = sqlx::query(
        "INSERT INTO assignment (tenant_id, case_id, version, cycle, state, department_id, agent_id,
             previous_agent_id, respondent_staff, priority, category, enqueued_at, explanation, transfers,
             traceparent, suspended, heard, customer_id, language, region, bulk, familiar_agent_id,
             passed_agents, path, escalation, accept_by, unassignable_since, rank_at)
         SELECT current_setting('redress.tenant'), c.*
         FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::bigint[]), UNNEST($3::integer[]),
                      UNNEST($4::smallint[]), UNNEST($5::text[]), UNNEST($6::text[]), UNNEST($7::text[]),
                      UNNEST($8::text[]), UNNEST($9::smallint[]), UNNEST($10::text[]),
                      UNNEST($11::timestamptz[]), UNNEST($12::text[]), UNNEST($13::integer[]),
                      UNNEST($14::text[]), UNNEST($15::smallint[]), UNNEST($16::integer[]),
                      UNNEST($17::text[]), UNNEST($18::text[]), UNNEST($19::text[]), UNNEST($20::boolean[]),
                      UNNEST($21::text[]), UNNEST($22::text[]), UNNEST($23::text[]),
                      UNNEST($24::smallint[]), UNNEST($25::timestamptz[]), UNNEST($26::timestamptz[]),
                      UNNEST($27::timestamptz[])) AS c
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET
             version = excluded.version, cycle = excluded.cycle, state = excluded.state,
             department_id = excluded.department_id, agent_id = excluded.agent_id,
             previous_agent_id = excluded.previous_agent_id, respondent_staff = excluded.respondent_staff,
             priority = excluded.priority, category = excluded.category, enqueued_at = excluded.enqueued_at,
             explanation = excluded.explanation, transfers = excluded.transfers,
             traceparent = excluded.traceparent, suspended = excluded.suspended, heard = excluded.heard,
             customer_id = excluded.customer_id, language = excluded.language, region = excluded.region,
             bulk = excluded.bulk, familiar_agent_id = excluded.familiar_agent_id,
             passed_agents = excluded.passed_agents, path = excluded.path, escalation = excluded.escalation,
             accept_by = excluded.accept_by, unassignable_since = excluded.unassignable_since,
             rank_at = excluded.rank_at
         WHERE assignment.version = excluded.version - 1",
    )
    .bind(columns.cases)
    .bind(columns.versions)
    .bind(columns.cycles)
    .bind(columns.states)
    .bind(columns.departments)
    .bind(columns.agents)
    .bind(columns.previous_agents)
    .bind(columns.respondents)
    .bind(columns.priorities)
    .bind(columns.categories)
    .bind(columns.enqueued)
    .bind(columns.explanations)
    .bind(columns.transfers)
    .bind(columns.traceparents)
    .bind(columns.suspended)
    .bind(columns.heard)
    .bind(columns.customers)
    .bind(columns.languages)
    .bind(columns.regions)
    .bind(columns.bulk)
    .bind(columns.familiar_agents)
    .bind(columns.passed)
    .bind(columns.paths)
    .bind(columns.escalations)
    .bind(columns.accept_by)
    .bind(columns.unassignable)
    .bind(columns.ranks)
    .execute(conn)
    .await?;
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
    let rows = sqlx::query_as(
        "SELECT head.*
         FROM UNNEST($1::text[], $2::timestamptz[], $3::uuid[], $4::bigint[])
              WITH ORDINALITY AS want (department_id, rank_at, case_id, most, nth)
         CROSS JOIN LATERAL (
             SELECT case_id, version, cycle, state, department_id, agent_id, previous_agent_id,
                    respondent_staff, priority, category, enqueued_at, explanation, transfers, traceparent,
                    suspended, heard, customer_id, language, region, bulk, familiar_agent_id, passed_agents,
                    path, escalation, accept_by, unassignable_since, rank_at
             FROM assignment
             WHERE tenant_id = current_setting('redress.tenant') AND department_id = want.department_id
               AND state = 1 AND (rank_at, case_id) > (want.rank_at, want.case_id)
             ORDER BY rank_at, case_id LIMIT want.most) AS head
         ORDER BY want.nth, head.rank_at, head.case_id",
    )
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
    let categories = sqlx::query_scalar(
        "SELECT DISTINCT category FROM assignment
         WHERE tenant_id = current_setting('redress.tenant') AND department_id <> $1 AND state = 1
           AND transfers = 0",
    )
    .bind(department)
    .fetch_all(conn)
    .await?;
    Ok(categories)
}

/// Since when the case has waited that waits longest, of all tenants.
pub(crate) const OLDEST_WAITING: &str = "SELECT min(enqueued_at) FROM assignment WHERE state = 1";

/// Moves what waits elsewhere in these categories into a department's queue, the
/// first in line first.
pub(crate) async fn move_waiting(
    conn: &mut PgConnection,
    department: &str,
    categories: &[String],
    explanation: &str,
    most: usize,
) -> Result<Vec<Assignment>, Fault> {
    let rows = sqlx::query_as(
        "UPDATE assignment SET department_id = $1, explanation = $3, version = version + 1
         WHERE tenant_id = current_setting('redress.tenant') AND state = 1 AND transfers = 0
           AND case_id = ANY (ARRAY (
               SELECT case_id FROM assignment
               WHERE tenant_id = current_setting('redress.tenant') AND department_id <> $1 AND state = 1
                 AND transfers = 0 AND category = ANY($2)
               ORDER BY rank_at, case_id LIMIT $4))
         RETURNING case_id, version, cycle, state, department_id, agent_id, previous_agent_id,
                   respondent_staff, priority, category, enqueued_at, explanation, transfers, traceparent,
                   suspended, heard, customer_id, language, region, bulk, familiar_agent_id, passed_agents,
                   path, escalation, accept_by, unassignable_since",
    )
    .bind(department)
    .bind(categories)
    .bind(explanation)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    read(rows)
}
