//! A tenant's setting in versions: what is decided by one goes on by it while the next is
//! written, tried and put in force.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Moment, ToSqlx as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};

/// Where the versions of a setting are. Version 0 is the one that is shipped: it is in no
/// table, and active until another is.
#[derive(Clone, Copy, Debug)]
pub struct Versions {
    /// The versions: `version`, `note`, `data` (as JSON), `creator`, `created_at`,
    /// `activated_at`.
    pub table: &'static str,
    /// One row for each tenant that ever wrote one: `newest` and `active`.
    pub state_table: &'static str,
}

/// A version, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version<D> {
    /// Its number, from 1.
    pub number: i64,
    /// What is new in it.
    pub note: String,
    /// Who created it.
    pub creator: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was last put in force; none where it never was.
    pub activated_at: Option<Timestamp>,
    /// Whether it is in force.
    pub is_active: bool,
    /// What it says; none in lists.
    pub data: Option<D>,
}

type Row<D> = (i64, String, String, Moment, Option<Moment>, bool, Option<Json<D>>);

impl<D> From<Row<D>> for Version<D> {
    fn from((number, note, creator, created_at, activated_at, is_active, data): Row<D>) -> Self {
        let activated_at = activated_at.map(Moment::to_jiff);
        let (created_at, data) = (created_at.to_jiff(), data.map(|Json(data)| data));
        Self { number, note, creator, created_at, activated_at, is_active, data }
    }
}

impl Versions {
    /// Writes the tenant's next version; answers its number, or none where there are `most`
    /// already. Whoever creates another waits for this one.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn create<D: Serialize + Sync>(
        &self,
        conn: &mut PgConnection,
        data: &D,
        (note, creator): (&str, &str),
        most: i64,
        now: Timestamp,
    ) -> Result<Option<i64>, Fault> {
        let Self { table, state_table } = self;
        let statement = format!(
            "WITH state AS (
                 INSERT INTO {state_table} (tenant_id, newest, active)
                 VALUES (current_setting('redress.tenant'), 1, 0)
                 ON CONFLICT (tenant_id) DO UPDATE SET newest = {state_table}.newest + 1
                 RETURNING newest)
             INSERT INTO {table} (tenant_id, version, note, data, creator, created_at)
             SELECT current_setting('redress.tenant'), newest, $1, $2, $3, $4 FROM state WHERE newest <= $5
             RETURNING version"
        );
        let created = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(note)
            .bind(Json(data))
            .bind(creator)
            .bind(now.to_sqlx())
            .bind(most)
            .fetch_optional(conn)
            .await?;
        Ok(created)
    }

    /// The version in force.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn active(&self, conn: &mut PgConnection) -> Result<i64, Fault> {
        let Self { state_table, .. } = self;
        let statement =
            format!("SELECT active FROM {state_table} WHERE tenant_id = current_setting('redress.tenant')");
        let active: Option<i64> = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_optional(conn).await?;
        Ok(active.unwrap_or(0))
    }

    /// Reads a version; none where there is none.
    ///
    /// # Errors
    ///
    /// Fails if the database does, or if what is kept cannot be read.
    pub async fn get<D>(&self, conn: &mut PgConnection, number: i64) -> Result<Option<Version<D>>, Fault>
    where
        D: DeserializeOwned + Send + Unpin + 'static,
    {
        let Self { table, state_table } = self;
        let statement = format!(
            "SELECT v.version, v.note, v.creator, v.created_at, v.activated_at,
                    coalesce(s.active, 0) = v.version AS active, v.data
             FROM {table} v LEFT JOIN {state_table} s ON s.tenant_id = v.tenant_id
             WHERE v.tenant_id = current_setting('redress.tenant') AND v.version = $1"
        );
        let row: Option<Row<D>> =
            sqlx::query_as(AssertSqlSafe(statement)).bind(number).fetch_optional(conn).await?;
        Ok(row.map(Version::from))
    }

    /// Lists versions without what they say, newest first, before one; so many at most.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn list<D>(
        &self,
        conn: &mut PgConnection,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Version<D>>, Fault>
    where
        D: DeserializeOwned + Send + Unpin + 'static,
    {
        let Self { table, state_table } = self;
        let statement = format!(
            "SELECT v.version, v.note, v.creator, v.created_at, v.activated_at,
                    coalesce(s.active, 0) = v.version AS active, NULL::jsonb AS data
             FROM {table} v LEFT JOIN {state_table} s ON s.tenant_id = v.tenant_id
             WHERE v.tenant_id = current_setting('redress.tenant') AND v.version < $1
             ORDER BY v.version DESC LIMIT $2"
        );
        let rows: Vec<Row<D>> = sqlx::query_as(AssertSqlSafe(statement))
            .bind(before.unwrap_or(i64::MAX))
            .bind(limit)
            .fetch_all(conn)
            .await?;
        Ok(rows.into_iter().map(Version::from).collect())
    }

    /// Puts a version in force; answers the one before. None when there is no such version;
    /// 0 there always is. Whoever puts another in force waits for this one.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn activate(
        &self,
        conn: &mut PgConnection,
        number: i64,
        now: Timestamp,
    ) -> Result<Option<i64>, Fault> {
        let Self { table, state_table } = self;
        let seize = format!(
            "SELECT active FROM {state_table}
             WHERE tenant_id = current_setting('redress.tenant') FOR NO KEY UPDATE"
        );
        let before: Option<i64> = sqlx::query_scalar(AssertSqlSafe(seize)).fetch_optional(&mut *conn).await?;
        let mark = format!(
            "UPDATE {table} SET activated_at = $2
             WHERE tenant_id = current_setting('redress.tenant') AND version = $1"
        );
        let mark = sqlx::query(AssertSqlSafe(mark)).bind(number).bind(now.to_sqlx());
        let is_known = number == 0 || mark.execute(&mut *conn).await?.rows_affected() > 0;
        if !is_known {
            return Ok(None);
        }
        // A tenant without a row has no versions: it returns to what it has.
        let put = format!(
            "UPDATE {state_table} SET active = $1 WHERE tenant_id = current_setting('redress.tenant')"
        );
        sqlx::query(AssertSqlSafe(put)).bind(number).execute(conn).await?;
        Ok(Some(before.unwrap_or(0)))
    }
}
