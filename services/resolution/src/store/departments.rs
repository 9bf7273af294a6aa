//! Which departments there are.

use std::collections::HashSet;

use fault::Fault;
use sqlx::PgConnection;

/// Keeps departments that were told of.
pub(crate) async fn keep(conn: &mut PgConnection, departments: &[String]) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO department (tenant_id, department_id)
         SELECT current_setting('redress.tenant'), UNNEST($1::text[])
         ON CONFLICT DO NOTHING",
    )
    .bind(departments)
    .execute(conn)
    .await?;
    Ok(())
}

/// Those of the departments that there are.
pub(crate) async fn known(conn: &mut PgConnection, departments: &[&str]) -> Result<HashSet<String>, Fault> {
    let known: Vec<String> = sqlx::query_scalar(
        "SELECT department_id FROM department
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = ANY($1)",
    )
    .bind(departments)
    .fetch_all(conn)
    .await?;
    Ok(known.into_iter().collect())
}
