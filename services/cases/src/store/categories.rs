//! Statements about the tree of categories.

use std::collections::HashSet;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::categories::Category;

/// The version that holds; none when there is no tree. Keeps others from importing.
pub(crate) async fn lock(conn: &mut PgConnection) -> Result<Option<i64>, Fault> {
    let version = sqlx::query_scalar(
        "SELECT version FROM category_tree
         WHERE tenant_id = current_setting('redress.tenant') FOR NO KEY UPDATE",
    )
    .fetch_optional(conn)
    .await?;
    Ok(version)
}

/// Counts an import; answers the version it makes.
pub(crate) async fn next_version(
    conn: &mut PgConnection,
    importer: &str,
    now: Timestamp,
) -> Result<i64, Fault> {
    let version = sqlx::query_scalar(
        "INSERT INTO category_tree (tenant_id, version, importer, changed_at)
         VALUES (current_setting('redress.tenant'), 1, $1, $2)
         ON CONFLICT (tenant_id) DO UPDATE
         SET version = category_tree.version + 1, importer = excluded.importer, changed_at = excluded.changed_at
         RETURNING version",
    )
    .bind(importer)
    .bind(now.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(version)
}

/// Writes the categories of a version.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    version: i64,
    categories: &[Category],
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO category (tenant_id, version, path, ordinal, title, leaf)
         SELECT current_setting('redress.tenant'), $1, n.path, n.ordinal::integer, n.title, n.leaf
         FROM UNNEST($2::text[], $3::text[], $4::boolean[]) WITH ORDINALITY AS n (path, title, leaf, ordinal)",
    )
    .bind(version)
    .bind(categories.iter().map(|category| category.path.as_str()).collect::<Vec<_>>())
    .bind(categories.iter().map(|category| category.title.as_str()).collect::<Vec<_>>())
    .bind(categories.iter().map(|category| category.leaf).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    ordinal: i32,
    path: String,
    title: String,
    leaf: bool,
}

impl From<Row> for (i32, Category) {
    fn from(Row { ordinal, path, title, leaf }: Row) -> Self {
        (ordinal, Category { path, title, leaf })
    }
}

/// The version that holds; none when there is no tree.
pub(crate) async fn version(conn: &mut PgConnection) -> Result<Option<i64>, Fault> {
    let version = sqlx::query_scalar(
        "SELECT version FROM category_tree WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    Ok(version)
}

/// Lists categories of a version in the order of their import, each with its place,
/// after a place: those below a path, or all.
pub(crate) async fn list(
    conn: &mut PgConnection,
    version: i64,
    below: &str,
    after: i32,
    limit: i64,
) -> Result<Vec<(i32, Category)>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT ordinal, path, title, leaf FROM category
         WHERE tenant_id = current_setting('redress.tenant') AND version = $1 AND ordinal > $2
           AND ($3 = '' OR starts_with(path, $3 || '/'))
         ORDER BY ordinal LIMIT $4",
    )
    .bind(version)
    .bind(after)
    .bind(below)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Reads one category of the tree that holds, with the tree's version.
pub(crate) async fn get(conn: &mut PgConnection, path: &str) -> Result<Option<(i64, Category)>, Fault> {
    let row: Option<(i64, String, String, bool)> = sqlx::query_as(
        "SELECT c.version, c.path, c.title, c.leaf
         FROM category_tree t JOIN category c ON c.tenant_id = t.tenant_id AND c.version = t.version
         WHERE t.tenant_id = current_setting('redress.tenant') AND c.path = $1",
    )
    .bind(path)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(version, path, title, leaf)| (version, Category { path, title, leaf })))
}

/// Which of these paths a version has.
pub(crate) async fn known(
    conn: &mut PgConnection,
    version: i64,
    paths: &[String],
) -> Result<HashSet<String>, Fault> {
    let known: Vec<String> = sqlx::query_scalar(
        "SELECT path FROM category
         WHERE tenant_id = current_setting('redress.tenant') AND version = $1 AND path = ANY ($2)",
    )
    .bind(version)
    .bind(paths)
    .fetch_all(conn)
    .await?;
    Ok(known.into_iter().collect())
}
