//! Departments and agents.

use fault::Fault;
use kernel::page::Page;
use sqlx::{FromRow, PgConnection};

use super::moved_on;
use crate::refusal::Refusal;
use crate::roster::{Agent, AgentProfile, Department, DepartmentProfile};
use crate::routing::LoadChange;

#[derive(FromRow)]
struct DepartmentRow {
    department_id: String,
    version: i64,
    display_name: String,
    categories: Vec<String>,
}

impl From<DepartmentRow> for Department {
    fn from(row: DepartmentRow) -> Self {
        let DepartmentRow { department_id, version, display_name, categories } = row;
        Self { profile: DepartmentProfile { id: department_id, display_name, categories }, version }
    }
}

#[derive(FromRow)]
struct AgentRow {
    agent_id: String,
    version: i64,
    department_id: String,
    display_name: String,
    capacity: i32,
    available: bool,
    load: i32,
    turn: i64,
}

impl From<AgentRow> for Agent {
    fn from(row: AgentRow) -> Self {
        let AgentRow { agent_id, version, department_id, display_name, capacity, available, load, turn } =
            row;
        let profile =
            AgentProfile { id: agent_id, department: department_id, display_name, capacity, available };
        Self { profile, version, load, turn }
    }
}

/// Holds who takes which category still until the transaction ends.
pub(crate) async fn share(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock_shared(
             hashtextextended('assignment.roster.' || current_setting('redress.tenant'), 0))",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps everybody else from routing by category until the transaction ends.
pub(crate) async fn seize(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(
             hashtextextended('assignment.roster.' || current_setting('redress.tenant'), 0))",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The same, without waiting; answers whether it could.
pub(crate) async fn try_seize(conn: &mut PgConnection) -> Result<bool, Fault> {
    let seized = sqlx::query_scalar(
        "SELECT pg_try_advisory_xact_lock(
             hashtextextended('assignment.roster.' || current_setting('redress.tenant'), 0))",
    )
    .fetch_one(conn)
    .await?;
    Ok(seized)
}

/// Locks departments in the order of their ids; answers those there are.
pub(crate) async fn lock_departments(conn: &mut PgConnection, ids: &[String]) -> Result<Vec<String>, Fault> {
    let locked = sqlx::query_scalar(
        "SELECT department_id FROM department
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = ANY($1)
         ORDER BY department_id FOR UPDATE",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(locked)
}

/// Reads the agents of departments. A statement of its own after the lock: one
/// that waited for it would see agents as they were before.
pub(crate) async fn agents_of(conn: &mut PgConnection, departments: &[String]) -> Result<Vec<Agent>, Fault> {
    let rows: Vec<AgentRow> = sqlx::query_as(
        "SELECT agent_id, version, department_id, display_name, capacity, available, load, turn
         FROM agent
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = ANY($1)",
    )
    .bind(departments)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Agent::from).collect())
}

/// Writes what agents gained and lost. No agent gains beyond their capacity,
/// whatever was decided: a row that would is not written, and all is undone.
pub(crate) async fn change_loads(conn: &mut PgConnection, changes: Vec<LoadChange>) -> Result<(), Fault> {
    let count = changes.len();
    let (mut agents, mut deltas, mut turns) = (Vec::new(), Vec::new(), Vec::new());
    for LoadChange { agent, delta, turn } in changes {
        agents.push(agent);
        deltas.push(delta);
        turns.push(turn);
    }
    let written = sqlx::query(
        "UPDATE agent SET load = agent.load + change.delta, turn = change.turn
         FROM (SELECT UNNEST($1::text[]) AS agent_id, UNNEST($2::integer[]) AS delta,
                      UNNEST($3::bigint[]) AS turn) AS change
         WHERE agent.tenant_id = current_setting('redress.tenant') AND agent.agent_id = change.agent_id
           AND (change.delta <= 0 OR agent.load + change.delta <= agent.capacity)",
    )
    .bind(agents)
    .bind(deltas)
    .bind(turns)
    .execute(conn)
    .await?;
    if usize::try_from(written.rows_affected()) == Ok(count) {
        Ok(())
    } else {
        Err(Fault::internal("an agent was about to hold more cases than their capacity"))
    }
}

/// Adds a department.
pub(crate) async fn insert_department(conn: &mut PgConnection, new: &Department) -> Result<(), Fault> {
    let Department { profile: DepartmentProfile { id, display_name, categories }, version } = new;
    sqlx::query(
        "INSERT INTO department (tenant_id, department_id, version, display_name, categories)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4)",
    )
    .bind(id)
    .bind(version)
    .bind(display_name)
    .bind(categories)
    .execute(conn)
    .await
    .map_err(|error| {
        if fault::breaks(&error, "department_pkey") {
            Refusal::DepartmentExists.into()
        } else {
            Fault::from(error)
        }
    })?;
    Ok(())
}

/// Replaces a department that the transaction holds still.
pub(crate) async fn update_department(conn: &mut PgConnection, new: &Department) -> Result<(), Fault> {
    let Department { profile: DepartmentProfile { id, display_name, categories }, version } = new;
    let written = sqlx::query(
        "UPDATE department SET version = $2, display_name = $3, categories = $4
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1 AND version = $2 - 1",
    )
    .bind(id)
    .bind(version)
    .bind(display_name)
    .bind(categories)
    .execute(conn)
    .await?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(moved_on()) }
}

/// Reads a department.
pub(crate) async fn department(conn: &mut PgConnection, id: &str) -> Result<Option<Department>, Fault> {
    let row: Option<DepartmentRow> = sqlx::query_as(
        "SELECT department_id, version, display_name, categories FROM department
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Department::from))
}

/// Reads all departments.
pub(crate) async fn departments(conn: &mut PgConnection) -> Result<Vec<Department>, Fault> {
    let rows: Vec<DepartmentRow> = sqlx::query_as(
        "SELECT department_id, version, display_name, categories FROM department
         WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Department::from).collect())
}

/// Reads a page of departments by id, and one more if there is.
pub(crate) async fn list_departments(conn: &mut PgConnection, page: &Page) -> Result<Vec<Department>, Fault> {
    let rows: Vec<DepartmentRow> = sqlx::query_as(
        "SELECT department_id, version, display_name, categories FROM department
         WHERE tenant_id = current_setting('redress.tenant') AND department_id > $1
         ORDER BY department_id LIMIT $2",
    )
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Department::from).collect())
}

/// Adds an agent.
pub(crate) async fn insert_agent(conn: &mut PgConnection, new: &Agent) -> Result<(), Fault> {
    let Agent { profile, version, load, turn } = new;
    let AgentProfile { id, department, display_name, capacity, available } = profile;
    sqlx::query(
        "INSERT INTO agent (tenant_id, agent_id, version, department_id, display_name, capacity, available,
                            load, turn)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(version)
    .bind(department)
    .bind(display_name)
    .bind(capacity)
    .bind(available)
    .bind(load)
    .bind(turn)
    .execute(conn)
    .await
    .map_err(|error| {
        if fault::breaks(&error, "agent_pkey") { Refusal::AgentExists.into() } else { Fault::from(error) }
    })?;
    Ok(())
}

/// Replaces what people set of an agent whose department is locked. The load is
/// not written: it is what it is.
pub(crate) async fn update_agent(conn: &mut PgConnection, new: &Agent) -> Result<(), Fault> {
    let Agent { profile, version, load: _, turn } = new;
    let AgentProfile { id, department, display_name, capacity, available } = profile;
    let written = sqlx::query(
        "UPDATE agent SET version = $2, department_id = $3, display_name = $4, capacity = $5, available = $6,
                          turn = $7
         WHERE tenant_id = current_setting('redress.tenant') AND agent_id = $1 AND version = $2 - 1",
    )
    .bind(id)
    .bind(version)
    .bind(department)
    .bind(display_name)
    .bind(capacity)
    .bind(available)
    .bind(turn)
    .execute(conn)
    .await?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(moved_on()) }
}

/// Reads an agent.
pub(crate) async fn agent(conn: &mut PgConnection, id: &str) -> Result<Option<Agent>, Fault> {
    let row: Option<AgentRow> = sqlx::query_as(
        "SELECT agent_id, version, department_id, display_name, capacity, available, load, turn
         FROM agent WHERE tenant_id = current_setting('redress.tenant') AND agent_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Agent::from))
}

/// Reads a page of agents by id, of one department or all, and one more if there
/// is.
pub(crate) async fn list_agents(
    conn: &mut PgConnection,
    department: Option<&str>,
    page: &Page,
) -> Result<Vec<Agent>, Fault> {
    let statement = match department {
        Some(_) => {
            "SELECT agent_id, version, department_id, display_name, capacity, available, load, turn
             FROM agent
             WHERE tenant_id = current_setting('redress.tenant') AND department_id = $3 AND agent_id > $1
             ORDER BY agent_id LIMIT $2"
        }
        None => {
            "SELECT agent_id, version, department_id, display_name, capacity, available, load, turn
             FROM agent
             WHERE tenant_id = current_setting('redress.tenant') AND agent_id > $1 AND $3::text IS NULL
             ORDER BY agent_id LIMIT $2"
        }
    };
    let rows: Vec<AgentRow> = sqlx::query_as(statement)
        .bind(page.after.as_deref().unwrap_or_default())
        .bind(page.limit())
        .bind(department)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Agent::from).collect())
}
