//! Statements about forms.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::form::KeptForm;

#[derive(sqlx::FromRow)]
struct Row {
    category: String,
    version: i64,
    title: String,
    schema: String,
    creator: String,
    created_at: jiff_sqlx::Timestamp,
}

impl From<Row> for KeptForm {
    fn from(row: Row) -> Self {
        let Row { category, version, title, schema, creator, created_at } = row;
        Self { category, version, title, schema, creator, created: created_at.to_jiff() }
    }
}

/// Writes the next version of a category's form; answers its number.
pub(crate) async fn create(conn: &mut PgConnection, form: &KeptForm) -> Result<i64, Fault> {
    let version = sqlx::query_scalar(
        "WITH head AS (
             INSERT INTO form (tenant_id, category, newest)
             VALUES (current_setting('redress.tenant'), $1, 1)
             ON CONFLICT (tenant_id, category) DO UPDATE SET newest = form.newest + 1
             RETURNING newest)
         INSERT INTO form_version (tenant_id, category, version, title, schema, creator, created_at)
         SELECT current_setting('redress.tenant'), $1, newest, $2, $3, $4, $5 FROM head
         RETURNING version",
    )
    .bind(&form.category)
    .bind(&form.title)
    .bind(&form.schema)
    .bind(&form.creator)
    .bind(form.created.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(version)
}

/// Reads the form that holds: of the first of these categories, nearest first, that
/// has one.
pub(crate) async fn holding(
    conn: &mut PgConnection,
    categories: &[String],
) -> Result<Option<KeptForm>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT v.category, v.version, v.title, v.schema, v.creator, v.created_at
         FROM form f
         JOIN form_version v ON v.tenant_id = f.tenant_id AND v.category = f.category AND v.version = f.newest
         WHERE f.tenant_id = current_setting('redress.tenant') AND f.category = ANY ($1)
         ORDER BY length(f.category) DESC LIMIT 1",
    )
    .bind(categories)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Into::into))
}

/// Reads a version.
pub(crate) async fn get(
    conn: &mut PgConnection,
    category: &str,
    version: i64,
) -> Result<Option<KeptForm>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT category, version, title, schema, creator, created_at FROM form_version
         WHERE tenant_id = current_setting('redress.tenant') AND category = $1 AND version = $2",
    )
    .bind(category)
    .bind(version)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Into::into))
}

/// Lists the forms that hold, without schemas, by category after one; none begins
/// with the first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<KeptForm>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT v.category, v.version, v.title, '' AS schema, v.creator, v.created_at
         FROM form f
         JOIN form_version v ON v.tenant_id = f.tenant_id AND v.category = f.category AND v.version = f.newest
         WHERE f.tenant_id = current_setting('redress.tenant') AND ($1::text IS NULL OR f.category > $1)
         ORDER BY f.category LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
