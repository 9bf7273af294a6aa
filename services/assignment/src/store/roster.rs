//! Departments.

use fault::Fault;
use kernel::page::Page;
use sqlx::{FromRow, PgConnection};

use super::moved_on;
use crate::refusal::Refusal;
use crate::roster::{Department, DepartmentProfile};

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

/// Same as `lock_departments`, passing over those that somebody holds.
pub(crate) async fn try_lock_departments(
    conn: &mut PgConnection,
    ids: &[String],
) -> Result<Vec<String>, Fault> {
    let locked = sqlx::query_scalar(
        "SELECT department_id FROM department
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = ANY($1)
         ORDER BY department_id FOR UPDATE SKIP LOCKED",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(locked)
}
