//! Calendars of the tenant's own, as the cases service tells them.

use calendar::Draft;
use fault::Fault;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::roster::{Agent, CalendarVersion, Calendars};

/// Keeps versions of calendars that are later than what was known; answers the names of those.
pub(crate) async fn keep(
    conn: &mut PgConnection,
    versions: &[CalendarVersion],
) -> Result<Vec<String>, Fault> {
    let kept = sqlx::query_scalar(
        "INSERT INTO calendar AS known (tenant_id, name, version, content)
         SELECT DISTINCT ON (told.name) current_setting('redress.tenant'), told.name, told.version,
                told.content::jsonb
         FROM UNNEST($1::text[], $2::bigint[], $3::text[]) AS told (name, version, content)
         ORDER BY told.name, told.version DESC
         ON CONFLICT (tenant_id, name) DO UPDATE SET version = excluded.version, content = excluded.content
         WHERE known.version < excluded.version
         RETURNING name",
    )
    .bind(versions.iter().map(|one| one.name.as_str()).collect::<Vec<_>>())
    .bind(versions.iter().map(|one| one.version).collect::<Vec<_>>())
    .bind(versions.iter().map(|one| one.content.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(kept)
}

/// The calendars that the shifts of agents go by.
pub(crate) async fn of(conn: &mut PgConnection, agents: &[Agent]) -> Result<Calendars, Fault> {
    let mut calendars = Calendars::default();
    let shifts = agents.iter().filter_map(|agent| agent.profile.routing.shift.as_ref());
    let mut names: Vec<&str> = shifts.map(|shift| shift.calendar.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Ok(calendars);
    }
    let own: Vec<(String, Json<Draft>)> = sqlx::query_as(
        "SELECT name, content FROM calendar
         WHERE tenant_id = current_setting('redress.tenant') AND name = ANY($1)",
    )
    .bind(names)
    .fetch_all(conn)
    .await?;
    for (name, Json(draft)) in own {
        let calendar = draft
            .accepted()
            .map_err(|flaws| Fault::internal(format!("calendar {name} is unsound: {flaws:?}")))?;
        calendars.add(name, calendar);
    }
    Ok(calendars)
}
