//! Statements about the names that agents are registered under.

use std::collections::HashMap;

use fault::Fault;
use sqlx::PgConnection;

use crate::staff::Member;

/// Keeps agents as they are described last.
pub(crate) async fn keep(conn: &mut PgConnection, members: &[Member]) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO staff AS known (tenant_id, agent_id, version, name_key)
         SELECT DISTINCT ON (id) current_setting('redress.tenant'), n.id, n.version, n.name
         FROM (SELECT UNNEST($1::text[]) AS id, UNNEST($2::bigint[]) AS version, UNNEST($3::text[]) AS name) AS n
         ORDER BY id, version DESC
         ON CONFLICT (tenant_id, agent_id) DO UPDATE
         SET version = excluded.version, name_key = excluded.name_key
         WHERE known.version < excluded.version",
    )
    .bind(members.iter().map(|member| member.agent_id.as_str()).collect::<Vec<_>>())
    .bind(members.iter().map(|member| member.version).collect::<Vec<_>>())
    .bind(members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// The names of subjects, folded, those that are agents.
pub(crate) async fn names(
    conn: &mut PgConnection,
    subjects: &[String],
) -> Result<HashMap<String, String>, Fault> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT agent_id, name_key FROM staff
         WHERE tenant_id = current_setting('redress.tenant') AND agent_id = ANY($1)",
    )
    .bind(subjects)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// The agents that are registered under names, folded: a name and a subject for each.
pub(crate) async fn named(conn: &mut PgConnection, names: &[String]) -> Result<Vec<(String, String)>, Fault> {
    let rows = sqlx::query_as(
        "SELECT name_key, agent_id FROM staff
         WHERE tenant_id = current_setting('redress.tenant') AND name_key = ANY($1) ORDER BY agent_id",
    )
    .bind(names)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
