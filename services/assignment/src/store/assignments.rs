//! One row per case, and the queues they form while they wait.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{impossible, moved_on};
use crate::assignment::{Assignment, Place, Priority, State, Suspended};

const WAITING: i16 = 1;
const ASSIGNED: i16 = 2;
const ACCEPTED: i16 = 3;
const RELEASED: i16 = 4;

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
}

impl TryFrom<Row> for Assignment {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let Row {
            case_id,
            version,
            cycle,
            state,
            department_id,
            agent_id,
            previous_agent_id,
            respondent_staff,
            priority,
            category,
            enqueued_at,
            explanation,
            transfers,
            traceparent,
            suspended,
            heard,
        } = row;
        let state = match (state, agent_id) {
            (WAITING, None) => State::Waiting,
            (ASSIGNED, Some(agent)) => State::Assigned(agent),
            (ACCEPTED, Some(agent)) => State::Accepted(agent),
            (RELEASED, agent) => State::Released(agent),
            _ => return Err(impossible("assignment", "state", case_id)),
        };
        let priority = match priority {
            1 => Priority::P1,
            2 => Priority::P2,
            3 => Priority::P3,
            4 => Priority::P4,
            _ => return Err(impossible("assignment", "priority", case_id)),
        };
        let suspended = match suspended {
            None => None,
            Some(WAITING) => Some(Suspended::Waiting),
            Some(ASSIGNED) => Some(Suspended::Assigned),
            Some(ACCEPTED) => Some(Suspended::Accepted),
            Some(_) => return Err(impossible("assignment", "suspended", case_id)),
        };
        Ok(Self {
            case_id: CaseId(case_id),
            version,
            cycle,
            state,
            department: Some(department_id).filter(|id| !id.is_empty()),
            previous_agent: previous_agent_id,
            respondent: respondent_staff,
            priority,
            category,
            enqueued: enqueued_at.to_jiff(),
            explanation,
            transfers,
            traceparent,
            suspended,
            heard,
        })
    }
}

fn read(rows: Vec<Row>) -> Result<Vec<Assignment>, Fault> {
    rows.into_iter().map(Assignment::try_from).collect()
}

/// Reads one case.
pub(crate) async fn get(conn: &mut PgConnection, case: CaseId) -> Result<Option<Assignment>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT case_id, version, cycle, state, department_id, agent_id, previous_agent_id, respondent_staff,
                priority, category, enqueued_at, explanation, transfers, traceparent,
                suspended, heard
         FROM assignment WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1",
    )
    .bind(case.0)
    .fetch_optional(conn)
    .await?;
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

/// Locks and reads cases. Their departments are locked before, unless nothing but
/// the row is to change.
pub(crate) async fn lock(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<Assignment>, Fault> {
    let rows = sqlx::query_as(
        "SELECT case_id, version, cycle, state, department_id, agent_id, previous_agent_id, respondent_staff,
                priority, category, enqueued_at, explanation, transfers, traceparent,
                suspended, heard
         FROM assignment WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
         ORDER BY case_id FOR UPDATE",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    read(rows)
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
             traceparent, suspended, heard)
         SELECT current_setting('redress.tenant'), c.*
         FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::bigint[]), UNNEST($3::integer[]),
                      UNNEST($4::smallint[]), UNNEST($5::text[]), UNNEST($6::text[]), UNNEST($7::text[]),
                      UNNEST($8::text[]), UNNEST($9::smallint[]), UNNEST($10::text[]),
                      UNNEST($11::timestamptz[]), UNNEST($12::text[]), UNNEST($13::integer[]),
                      UNNEST($14::text[]), UNNEST($15::smallint[]), UNNEST($16::integer[])) AS c
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET
             version = excluded.version, cycle = excluded.cycle, state = excluded.state,
             department_id = excluded.department_id, agent_id = excluded.agent_id,
             previous_agent_id = excluded.previous_agent_id, respondent_staff = excluded.respondent_staff,
             priority = excluded.priority, category = excluded.category, enqueued_at = excluded.enqueued_at,
             explanation = excluded.explanation, transfers = excluded.transfers,
             traceparent = excluded.traceparent, suspended = excluded.suspended, heard = excluded.heard
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
    .execute(conn)
    .await?;
    if usize::try_from(written.rows_affected()) == Ok(cases.len()) { Ok(()) } else { Err(moved_on()) }
}

/// Cases as the columns of one statement.
#[derive(Default)]
struct Columns<'a> {
    cases: Vec<Uuid>,
    versions: Vec<i64>,
    cycles: Vec<i32>,
    states: Vec<i16>,
    departments: Vec<&'a str>,
    agents: Vec<Option<&'a str>>,
    previous_agents: Vec<Option<&'a str>>,
    respondents: Vec<&'a str>,
    priorities: Vec<i16>,
    categories: Vec<&'a str>,
    enqueued: Vec<jiff_sqlx::Timestamp>,
    explanations: Vec<&'a str>,
    transfers: Vec<i32>,
    traceparents: Vec<&'a str>,
    suspended: Vec<Option<i16>>,
    heard: Vec<i32>,
}

impl<'a> Columns<'a> {
    fn of(cases: &'a [Assignment]) -> Self {
        let mut columns = Self::default();
        for case in cases {
            columns.push(case);
        }
        columns
    }

    fn push(&mut self, case: &'a Assignment) {
        let state = match case.state {
            State::Waiting => WAITING,
            State::Assigned(_) => ASSIGNED,
            State::Accepted(_) => ACCEPTED,
            State::Released(_) => RELEASED,
        };
        self.cases.push(case.case_id.0);
        self.versions.push(case.version);
        self.cycles.push(case.cycle);
        self.states.push(state);
        self.departments.push(case.department.as_deref().unwrap_or_default());
        self.agents.push(case.agent());
        self.previous_agents.push(case.previous_agent.as_deref());
        self.respondents.push(&case.respondent);
        self.priorities.push(case.priority as i16);
        self.categories.push(&case.category);
        self.enqueued.push(case.enqueued.to_sqlx());
        self.explanations.push(&case.explanation);
        self.transfers.push(case.transfers);
        self.traceparents.push(&case.traceparent);
        self.suspended.push(case.suspended.map(|suspended| match suspended {
            Suspended::Waiting => WAITING,
            Suspended::Assigned => ASSIGNED,
            Suspended::Accepted => ACCEPTED,
        }));
        self.heard.push(case.heard);
    }
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
    let priorities: Vec<i16> = of.iter().map(|stretch| stretch.after.priority).collect();
    let times: Vec<_> = of.iter().map(|stretch| stretch.after.enqueued.to_sqlx()).collect();
    let cases: Vec<Uuid> = of.iter().map(|stretch| stretch.after.case_id).collect();
    let limits: Vec<i64> = of.iter().map(|stretch| stretch.limit).collect();
    let rows = sqlx::query_as(
        "SELECT head.*
         FROM UNNEST($1::text[], $2::smallint[], $3::timestamptz[], $4::uuid[], $5::bigint[])
              WITH ORDINALITY AS want (department_id, priority, enqueued_at, case_id, most, nth)
         CROSS JOIN LATERAL (
             SELECT case_id, version, cycle, state, department_id, agent_id, previous_agent_id,
                    respondent_staff, priority, category, enqueued_at, explanation, transfers, traceparent,
                suspended, heard
             FROM assignment
             WHERE tenant_id = current_setting('redress.tenant') AND department_id = want.department_id
               AND state = 1
               AND (priority, enqueued_at, case_id) > (want.priority, want.enqueued_at, want.case_id)
             ORDER BY priority, enqueued_at, case_id LIMIT want.most) AS head
         ORDER BY want.nth, head.priority, head.enqueued_at, head.case_id",
    )
    .bind(departments)
    .bind(priorities)
    .bind(times)
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
               ORDER BY priority, enqueued_at, case_id LIMIT $4))
         RETURNING case_id, version, cycle, state, department_id, agent_id, previous_agent_id,
                   respondent_staff, priority, category, enqueued_at, explanation, transfers, traceparent,
                   suspended, heard",
    )
    .bind(department)
    .bind(categories)
    .bind(explanation)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    read(rows)
}
