//! Agents: what people say of them, what they hold, and when their presence changes.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use kernel::page::Page;
use pg::{Binds, RowsBuilder};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use uuid::Uuid;

use super::moved_on;
use crate::refusal::Refusal;
use crate::roster::{Agent, AgentProfile, AgentRouting, Hours, Shift, Skill, Stint};
use crate::routing::LoadChange;

/// Most levels that are looked at above an agent.
const MAX_LEVELS: i32 = 50;

macro_rules! select_agents {
    ($rest:literal) => {
        concat!(
            "SELECT agent_id, version, department_id, display_name, capacity, available, load, turn, team,
                    skill_names, skill_levels, languages, regions, shift_calendar, shift_hours, supervisor_id,
                    conflict_customers, conflict_subjects, stint_from, stint_until, absent_until, leaving
             FROM agent WHERE tenant_id = current_setting('redress.tenant') AND NOT removed ",
            $rest
        )
    };
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
    team: String,
    skill_names: Vec<String>,
    skill_levels: Vec<i32>,
    languages: Vec<String>,
    regions: Vec<String>,
    shift_calendar: Option<String>,
    shift_hours: Vec<i32>,
    supervisor_id: Option<String>,
    conflict_customers: Vec<String>,
    conflict_subjects: Vec<String>,
    stint_from: Option<jiff_sqlx::Timestamp>,
    stint_until: Option<jiff_sqlx::Timestamp>,
    absent_until: Option<jiff_sqlx::Timestamp>,
    leaving: bool,
}

impl From<AgentRow> for Agent {
    fn from(row: AgentRow) -> Self {
        let skills = row.skill_names.into_iter().zip(row.skill_levels);
        let hours = row.shift_hours.as_chunks::<3>().0.iter();
        let hours =
            hours.map(|[weekday, from, until]| Hours { weekday: *weekday, from: *from, until: *until });
        let shift = row.shift_calendar.map(|calendar| Shift { calendar, hours: hours.collect() });
        let routing = AgentRouting {
            team: row.team,
            skills: skills.map(|(name, level)| Skill { name, level }).collect(),
            languages: row.languages,
            regions: row.regions,
            shift,
            supervisor: row.supervisor_id,
            conflict_customers: row.conflict_customers,
            conflict_subjects: row.conflict_subjects,
        };
        let profile = AgentProfile {
            id: row.agent_id,
            department: row.department_id,
            display_name: row.display_name,
            capacity: row.capacity,
            available: row.available,
            routing,
        };
        let (from, until) = (row.stint_from, row.stint_until);
        let stint =
            from.zip(until).map(|(from, until)| Stint { from: from.to_jiff(), until: until.to_jiff() });
        let absent_until = row.absent_until.map(jiff_sqlx::Timestamp::to_jiff);
        Self {
            version: row.version,
            load: row.load,
            turn: row.turn,
            stint,
            absent_until,
            is_leaving: row.leaving,
            profile,
        }
    }
}

/// Reads the agents of departments. A statement of its own after the lock: one
/// that waited for it would see agents as they were before.
pub(crate) async fn agents_of(conn: &mut PgConnection, departments: &[String]) -> Result<Vec<Agent>, Fault> {
    let rows: Vec<AgentRow> = sqlx::query_as(select_agents!("AND department_id = ANY($1)"))
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
           AND NOT agent.removed
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

/// What people set of an agent, and the shift that is on, as a row.
fn described<'b, 'i>(binds: &'b mut Binds, agent: &'i Agent) -> RowsBuilder<'b, 'i, AgentProfile> {
    let shift = agent.profile.routing.shift.as_ref();
    let hours = |shift: &Shift| {
        shift.hours.iter().flat_map(|hours| [hours.weekday, hours.from, hours.until]).collect::<Vec<_>>()
    };
    binds
        .rows(std::slice::from_ref(&agent.profile))
        .column("agent_id", |profile| profile.id.as_str())
        .column("version", |_| agent.version)
        .column("department_id", |profile| profile.department.as_str())
        .column("display_name", |profile| profile.display_name.as_str())
        .column("capacity", |profile| profile.capacity)
        .column("available", |profile| profile.available)
        .column("turn", |_| agent.turn)
        .column("team", |profile| profile.routing.team.as_str())
        .list("skill_names", |profile| {
            profile.routing.skills.iter().map(|skill| &skill.name).collect::<Vec<_>>()
        })
        .numbers("skill_levels", |profile| profile.routing.skills.iter().map(|skill| skill.level).collect())
        .list("languages", |profile| &profile.routing.languages)
        .list("regions", |profile| &profile.routing.regions)
        .column("shift_calendar", |_| shift.map(|shift| shift.calendar.as_str()))
        .numbers("shift_hours", |_| shift.map(hours).unwrap_or_default())
        .column("supervisor_id", |profile| profile.routing.supervisor.as_deref())
        .list("conflict_customers", |profile| &profile.routing.conflict_customers)
        .list("conflict_subjects", |profile| &profile.routing.conflict_subjects)
        .column("stint_from", |_| agent.stint.map(|stint| stint.from.to_sqlx()))
        .column("stint_until", |_| agent.stint.map(|stint| stint.until.to_sqlx()))
}

/// Adds an agent. Where one of this id was removed, they go on from that one's version:
/// others know the latest description by it.
pub(crate) async fn insert_agent(conn: &mut PgConnection, new: &mut Agent) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let row = described(&mut binds, new).column("load", |_| 0_i32).done();
    let statement = format!(
        "{} ON CONFLICT (tenant_id, agent_id) DO UPDATE SET {}, version = agent.version + 1,
             absent_until = NULL, absence_reason = '', leaving = false, hands_over = false, removed = false
         WHERE agent.removed
         RETURNING agent.version",
        row.insert_into("agent"),
        row.overwrite(&["agent_id", "version"]),
    );
    let version: Option<i64> =
        sqlx::query_scalar_with(AssertSqlSafe(statement), binds.arguments()?).fetch_optional(conn).await?;
    new.version = version.ok_or(Refusal::AgentExists)?;
    Ok(())
}

/// Replaces what people set of an agent whose department is locked. The load is
/// not written: it is what it is.
pub(crate) async fn update_agent(conn: &mut PgConnection, new: &Agent) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let row = described(&mut binds, new).done();
    let statement = format!(
        "{} AND agent.version = r.version - 1 AND NOT agent.removed",
        row.update("agent", &["agent_id"])
    );
    let written = binds.execute(&statement, conn).await?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(moved_on()) }
}

/// Reads an agent.
pub(crate) async fn agent(conn: &mut PgConnection, id: &str) -> Result<Option<Agent>, Fault> {
    let row: Option<AgentRow> =
        sqlx::query_as(select_agents!("AND agent_id = $1")).bind(id).fetch_optional(conn).await?;
    Ok(row.map(Agent::from))
}

/// Reads a page of agents by id, of one department or team or all, and one more if there
/// is.
pub(crate) async fn list_agents(
    conn: &mut PgConnection,
    department: Option<&str>,
    team: Option<&str>,
    page: &Page,
) -> Result<Vec<Agent>, Fault> {
    let statement = match department {
        Some(_) => select_agents!(
            "AND department_id = $3 AND agent_id > $1 AND ($4::text IS NULL OR team = $4)
             ORDER BY agent_id LIMIT $2"
        ),
        None => select_agents!(
            "AND agent_id > $1 AND $3::text IS NULL AND ($4::text IS NULL OR team = $4)
             ORDER BY agent_id LIMIT $2"
        ),
    };
    let rows: Vec<AgentRow> = sqlx::query_as(statement)
        .bind(page.after.as_deref().unwrap_or_default())
        .bind(page.limit())
        .bind(department)
        .bind(team)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Agent::from).collect())
}

/// Holds who is above whom still until the transaction ends: two changes that each are
/// sound must not make a circle together.
pub(crate) async fn seize_supervisors(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(
             hashtextextended('assignment.supervisors.' || current_setting('redress.tenant'), 0))",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An agent and those above them, the nearest first; each with their department.
pub(crate) async fn chain(conn: &mut PgConnection, agent: &str) -> Result<Vec<(String, String)>, Fault> {
    let chain = sqlx::query_as(
        "WITH RECURSIVE above (agent_id, department_id, supervisor_id, level) AS (
             SELECT agent_id, department_id, supervisor_id, 0 FROM agent
             WHERE tenant_id = current_setting('redress.tenant') AND agent_id = $1 AND NOT removed
             UNION ALL
             SELECT one.agent_id, one.department_id, one.supervisor_id, above.level + 1
             FROM agent one JOIN above ON one.agent_id = above.supervisor_id
             WHERE one.tenant_id = current_setting('redress.tenant') AND NOT one.removed AND above.level < $2)
         SELECT agent_id, department_id FROM above ORDER BY level",
    )
    .bind(agent)
    .bind(MAX_LEVELS)
    .fetch_all(conn)
    .await?;
    Ok(chain)
}

/// The departments of agents, of those that there are.
pub(crate) async fn departments_of(conn: &mut PgConnection, ids: &[&str]) -> Result<Vec<String>, Fault> {
    let departments = sqlx::query_scalar(
        "SELECT DISTINCT department_id FROM agent
         WHERE tenant_id = current_setting('redress.tenant') AND agent_id = ANY($1) AND NOT removed",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(departments)
}

/// Key of an agent's timers.
pub(crate) async fn timer_key(conn: &mut PgConnection, agent: &str) -> Result<Uuid, Fault> {
    let key = sqlx::query_scalar(
        "SELECT timer_key FROM agent WHERE tenant_id = current_setting('redress.tenant') AND agent_id = $1",
    )
    .bind(agent)
    .fetch_one(conn)
    .await?;
    Ok(key)
}

/// The agents of timers and their departments.
pub(crate) async fn agents_of_timers(
    conn: &mut PgConnection,
    keys: &[Uuid],
) -> Result<Vec<(Uuid, String, String)>, Fault> {
    let agents = sqlx::query_as(
        "SELECT timer_key, agent_id, department_id FROM agent
         WHERE tenant_id = current_setting('redress.tenant') AND timer_key = ANY($1) AND NOT removed",
    )
    .bind(keys)
    .fetch_all(conn)
    .await?;
    Ok(agents)
}

/// The agents whose shifts go by these calendars, as [`agents_of_timers`] has them.
pub(crate) async fn agents_by_calendar(
    conn: &mut PgConnection,
    calendars: &[String],
) -> Result<Vec<(Uuid, String, String)>, Fault> {
    let agents = sqlx::query_as(
        "SELECT timer_key, agent_id, department_id FROM agent
         WHERE tenant_id = current_setting('redress.tenant') AND shift_calendar = ANY($1) AND NOT removed",
    )
    .bind(calendars)
    .fetch_all(conn)
    .await?;
    Ok(agents)
}

/// Writes the shifts that are on, or the next, of agents whose departments are locked, and
/// until when they are absent.
pub(crate) async fn turn_shifts(conn: &mut PgConnection, turned: &[Agent]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(turned)
        .column("agent_id", |agent| agent.profile.id.as_str())
        .column("stint_from", |agent| agent.stint.map(|stint| stint.from.to_sqlx()))
        .column("stint_until", |agent| agent.stint.map(|stint| stint.until.to_sqlx()))
        .column("absent_until", |agent| agent.absent_until.map(ToSqlx::to_sqlx))
        .done();
    binds.execute(&rows.update("agent", &["agent_id"]), conn).await?;
    Ok(())
}

/// Notes that an agent is absent until a moment, or not any more, and why.
pub(crate) async fn set_absence(
    conn: &mut PgConnection,
    agent: &str,
    until: Option<Timestamp>,
    reason: &str,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE agent SET absent_until = $2, absence_reason = $3, hands_over = false, version = version + 1
         WHERE tenant_id = current_setting('redress.tenant') AND agent_id = $1 AND NOT removed",
    )
    .bind(agent)
    .bind(until.map(ToSqlx::to_sqlx))
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that an agent leaves, and why.
pub(crate) async fn set_leaving(conn: &mut PgConnection, agent: &str, reason: &str) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE agent SET leaving = true, absence_reason = $2, version = version + 1
         WHERE tenant_id = current_setting('redress.tenant') AND agent_id = $1 AND NOT removed",
    )
    .bind(agent)
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes whether what an agent holds is still being handed to others.
pub(crate) async fn hand_over(conn: &mut PgConnection, agent: &str, goes_on: bool) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE agent SET hands_over = $2
         WHERE tenant_id = current_setting('redress.tenant') AND agent_id = $1",
    )
    .bind(agent)
    .bind(goes_on)
    .execute(conn)
    .await?;
    Ok(())
}

/// Why an agent hands over what they hold, where that still goes on.
pub(crate) async fn handing_over(conn: &mut PgConnection, agent: &str) -> Result<Option<String>, Fault> {
    let reason = sqlx::query_scalar(
        "SELECT absence_reason FROM agent
         WHERE tenant_id = current_setting('redress.tenant') AND agent_id = $1 AND hands_over AND NOT removed",
    )
    .bind(agent)
    .fetch_optional(conn)
    .await?;
    Ok(reason)
}

/// Whether an agent stands above others.
pub(crate) async fn supervises(conn: &mut PgConnection, agent: &str) -> Result<bool, Fault> {
    let supervises = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM agent WHERE tenant_id = current_setting('redress.tenant')
                                            AND supervisor_id = $1 AND NOT removed)",
    )
    .bind(agent)
    .fetch_one(conn)
    .await?;
    Ok(supervises)
}

/// Takes an agent off the roster, who holds nothing; their department is locked.
pub(crate) async fn remove(conn: &mut PgConnection, agent: &str) -> Result<(), Fault> {
    let written = sqlx::query(
        "UPDATE agent SET removed = true, version = version + 1
         WHERE tenant_id = current_setting('redress.tenant') AND agent_id = $1 AND NOT removed AND load = 0",
    )
    .bind(agent)
    .execute(conn)
    .await?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(moved_on()) }
}
