//! Statements about the names that agents are registered under.

use std::collections::HashMap;

use fault::Fault;
use pg::Binds;
use sqlx::PgConnection;

use crate::staff::Member;

/// Keeps agents as they are described last.
pub(crate) async fn keep(conn: &mut PgConnection, members: &[Member]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(members)
        .column("agent_id", |member| member.agent_id.as_str())
        .column("version", |member| member.version)
        .column("name_key", |member| member.name.as_str())
        .done();
    let statement = format!(
        "INSERT INTO staff AS known (tenant_id, {})
         SELECT DISTINCT ON (r.agent_id) current_setting('redress.tenant'), {} FROM {rows} AS r
         ORDER BY r.agent_id, r.version DESC
         ON CONFLICT (tenant_id, agent_id) DO UPDATE SET {} WHERE known.version < excluded.version",
        rows.names(),
        rows.values("r"),
        rows.overwrite(&["agent_id"]),
    );
    binds.execute(&statement, conn).await?;
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

/// The names by subject, both folded, of all agents whose subject or name a folded text has.
pub(crate) async fn mentioned(conn: &mut PgConnection, text: &str) -> Result<HashMap<String, String>, Fault> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT agent_id, name_key FROM staff
         WHERE tenant_id = current_setting('redress.tenant')
           AND (strpos($1, agent_id) > 0 OR (name_key <> '' AND strpos($1, name_key) > 0))",
    )
    .bind(text)
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
