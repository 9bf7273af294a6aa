//! Where departments have their tasks brought to.

use std::slice;
use std::time::Duration;

use fault::Fault;
use jiff_sqlx::ToSqlx;
use pg::Binds;
use server::Secret;
use sqlx::PgConnection;

use super::impossible;
use crate::endpoint::{Endpoint, EndpointKind, EndpointPause};

#[derive(sqlx::FromRow)]
struct Row {
    department_id: String,
    version: i64,
    kind: i16,
    url: String,
    secret: Option<String>,
    old_secret: Option<String>,
    old_secret_until: Option<jiff_sqlx::Timestamp>,
    timeout_ms: i64,
    hold_seconds: i64,
    pause_reason: Option<String>,
    paused_by: Option<String>,
    paused_at: Option<jiff_sqlx::Timestamp>,
    failures: i32,
    failing_since: Option<jiff_sqlx::Timestamp>,
    updated_at: jiff_sqlx::Timestamp,
}

/// The columns of a row.
macro_rules! endpoint_columns {
    () => {
        "department_id, version, kind, url, secret, old_secret, old_secret_until, timeout_ms, hold_seconds,
         pause_reason, paused_by, paused_at, failures, failing_since, updated_at"
    };
}

impl Row {
    fn endpoint(self) -> Result<Endpoint, Fault> {
        let kind = EndpointKind::of(self.kind);
        let kind = kind.ok_or_else(|| impossible("endpoint.kind", self.kind, &self.department_id))?;
        let old = self.old_secret.zip(self.old_secret_until);
        let pause = self.pause_reason.zip(self.paused_by).zip(self.paused_at);
        Ok(Endpoint {
            department_id: self.department_id,
            version: self.version,
            kind,
            url: self.url,
            secret: self.secret.map(Secret::from),
            old_secret: old.map(|(secret, until)| (Secret::from(secret), until.to_jiff())),
            timeout: Duration::from_millis(self.timeout_ms.unsigned_abs()),
            hold: Duration::from_secs(self.hold_seconds.unsigned_abs()),
            pause: pause.map(|((reason, by), at)| EndpointPause { reason, by, at: at.to_jiff() }),
            failures: self.failures,
            failing_since: self.failing_since.map(jiff_sqlx::Timestamp::to_jiff),
            updated_at: self.updated_at.to_jiff(),
        })
    }
}

/// A department's endpoint.
pub(crate) async fn get(conn: &mut PgConnection, department_id: &str) -> Result<Option<Endpoint>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT ",
        endpoint_columns!(),
        " FROM endpoint WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1"
    ))
    .bind(department_id)
    .fetch_optional(conn)
    .await?;
    row.map(Row::endpoint).transpose()
}

/// A department's endpoint, locked.
pub(crate) async fn lock(conn: &mut PgConnection, department_id: &str) -> Result<Option<Endpoint>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT ",
        endpoint_columns!(),
        " FROM endpoint WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1 FOR UPDATE"
    ))
    .bind(department_id)
    .fetch_optional(conn)
    .await?;
    row.map(Row::endpoint).transpose()
}

/// Endpoints in the order of their departments, after the last of the page before.
pub(crate) async fn list(conn: &mut PgConnection, after: &str, limit: i64) -> Result<Vec<Endpoint>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT ",
        endpoint_columns!(),
        " FROM endpoint WHERE tenant_id = current_setting('redress.tenant') AND department_id > $1
         ORDER BY department_id LIMIT $2"
    ))
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::endpoint).collect()
}

/// Stores an endpoint, which is new or locked.
pub(crate) async fn save(conn: &mut PgConnection, endpoint: &Endpoint) -> Result<(), Fault> {
    let (old, pause) = (endpoint.old_secret.as_ref(), endpoint.pause.as_ref());
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(endpoint))
        .column("department_id", |one| one.department_id.as_str())
        .column("version", |one| one.version)
        .column("kind", |one| one.kind.number())
        .column("url", |one| one.url.as_str())
        .column("secret", |one| one.secret.as_ref().map(Secret::expose))
        .column("old_secret", |_| old.map(|(secret, _)| secret.expose()))
        .column("old_secret_until", |_| old.map(|(_, until)| until.to_sqlx()))
        .column("timeout_ms", |one| i64::try_from(one.timeout.as_millis()).unwrap_or(i64::MAX))
        .column("hold_seconds", |one| one.hold.as_secs().cast_signed())
        .column("pause_reason", |_| pause.map(|pause| pause.reason.as_str()))
        .column("paused_by", |_| pause.map(|pause| pause.by.as_str()))
        .column("paused_at", |_| pause.map(|pause| pause.at.to_sqlx()))
        .column("failures", |one| one.failures)
        .column("failing_since", |one| one.failing_since.map(ToSqlx::to_sqlx))
        .column("updated_at", |one| one.updated_at.to_sqlx())
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT endpoint_pkey DO UPDATE SET {}",
        rows.insert_into("endpoint"),
        rows.overwrite(&["department_id"]),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Removes an endpoint.
pub(crate) async fn delete(conn: &mut PgConnection, department_id: &str) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM endpoint WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1",
    )
    .bind(department_id)
    .execute(conn)
    .await?;
    Ok(())
}
