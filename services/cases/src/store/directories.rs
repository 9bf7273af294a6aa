//! Statements about a tenant's directory, and what it said of cases.

use std::time::Duration;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::{CaseId, TenantId};
use server::Secret;
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::impossible;
use crate::directory::{Directory, DirectoryKind, Lookup, Named, Snapshot};

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    kind: i16,
    url: String,
    token: Option<String>,
    timeout_ms: i64,
    max_age_seconds: i64,
    updated_at: Timestamp,
}

impl Row {
    fn directory(self) -> Result<Directory, Fault> {
        let kind = DirectoryKind::of(self.kind);
        Ok(Directory {
            version: self.version,
            kind: kind.ok_or_else(|| impossible("directory", "kind", Uuid::nil()))?,
            url: self.url,
            token: self.token.map(Secret::from),
            timeout: Duration::from_millis(self.timeout_ms.unsigned_abs()),
            max_age: Duration::from_secs(self.max_age_seconds.unsigned_abs()),
            updated_at: self.updated_at.to_jiff(),
        })
    }
}

/// The tenant's directory.
pub(crate) async fn get(conn: &mut PgConnection) -> Result<Option<Directory>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT version, kind, url, token, timeout_ms, max_age_seconds, updated_at FROM directory
         WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::directory).transpose()
}

/// The tenant's directory, for a change: changes of a tenant take turns.
pub(crate) async fn lock(conn: &mut PgConnection) -> Result<Option<Directory>, Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended('directory:' || current_setting('redress.tenant'), 0))",
    )
    .execute(&mut *conn)
    .await?;
    get(conn).await
}

/// Stores the tenant's directory, which is locked.
pub(crate) async fn save(conn: &mut PgConnection, directory: &Directory) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO directory (tenant_id, version, kind, url, token, timeout_ms, max_age_seconds, updated_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id) DO UPDATE SET
             version = excluded.version, kind = excluded.kind, url = excluded.url, token = excluded.token,
             timeout_ms = excluded.timeout_ms, max_age_seconds = excluded.max_age_seconds,
             updated_at = excluded.updated_at",
    )
    .bind(directory.version)
    .bind(directory.kind.number())
    .bind(&directory.url)
    .bind(directory.token.as_ref().map(Secret::expose))
    .bind(i64::try_from(directory.timeout.as_millis()).unwrap_or(i64::MAX))
    .bind(directory.max_age.as_secs().cast_signed())
    .bind(directory.updated_at.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes the tenant's directory, and asks nothing for openings any more.
pub(crate) async fn delete(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query(
        "WITH gone AS (DELETE FROM directory WHERE tenant_id = current_setting('redress.tenant'))
         UPDATE directory_lookup SET next_try_at = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND next_try_at IS NOT NULL",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Has the directory asked about new cases, where the tenant has one; one statement.
pub(crate) async fn begin(
    conn: &mut PgConnection,
    cases: &[(CaseId, &Named)],
    now: jiff::Timestamp,
) -> Result<(), Fault> {
    let texts =
        |text: fn(&Named) -> &str| -> Vec<&str> { cases.iter().map(|(_, named)| text(named)).collect() };
    sqlx::query(
        "INSERT INTO directory_lookup
             (tenant_id, case_id, customer_id, email, phone, order_ref, product_ref, begun_at, next_try_at)
         SELECT current_setting('redress.tenant'), n.*, $7, $7
         FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::text[]), UNNEST($3::text[]), UNNEST($4::text[]),
                      UNNEST($5::text[]), UNNEST($6::text[])) AS n
         WHERE EXISTS (SELECT FROM directory WHERE tenant_id = current_setting('redress.tenant'))
         ON CONFLICT (tenant_id, case_id) DO NOTHING",
    )
    .bind(cases.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(texts(|named| &named.customer_id))
    .bind(texts(|named| &named.email))
    .bind(texts(|named| &named.phone))
    .bind(texts(|named| &named.order_ref))
    .bind(texts(|named| &named.product_ref))
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Has a directory be asked, by its customer's number, about a case that was opened when there
/// was none: for who looks, and no longer for the opening.
pub(crate) async fn begin_late(
    conn: &mut PgConnection,
    case: CaseId,
    customer_id: &str,
    opened: jiff::Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO directory_lookup
             (tenant_id, case_id, customer_id, email, phone, order_ref, product_ref, begun_at)
         VALUES (current_setting('redress.tenant'), $1, $2, '', '', '', '', $3)
         ON CONFLICT (tenant_id, case_id) DO NOTHING",
    )
    .bind(case.0)
    .bind(customer_id)
    .bind(opened.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct LookupRow {
    case_id: Uuid,
    customer_id: String,
    email: String,
    phone: String,
    order_ref: String,
    product_ref: String,
    begun_at: Timestamp,
    tries: i32,
    next_try_at: Option<Timestamp>,
    failure: String,
    opening: Option<Vec<u8>>,
    opening_at: Option<Timestamp>,
    latest: Option<Vec<u8>>,
    latest_at: Option<Timestamp>,
    latest_parts: i16,
}

impl LookupRow {
    fn lookup(self) -> Lookup {
        let Self { customer_id, email, phone, order_ref, product_ref, .. } = self;
        let snapshot = |content: Option<Vec<u8>>, time: Option<Timestamp>| {
            content.zip(time).map(|(content, time)| Snapshot { time: time.to_jiff(), content })
        };
        Lookup {
            case: CaseId(self.case_id),
            named: Named { customer_id, email, phone, order_ref, product_ref },
            begun: self.begun_at.to_jiff(),
            tries: self.tries,
            next_try: self.next_try_at.map(Timestamp::to_jiff),
            failure: self.failure,
            opening: snapshot(self.opening, self.opening_at),
            latest: snapshot(self.latest, self.latest_at),
            latest_parts: self.latest_parts,
        }
    }
}

macro_rules! lookup_of {
    ($rest:literal) => {
        concat!(
            "SELECT case_id, customer_id, email, phone, order_ref, product_ref, begun_at, tries, next_try_at,
                    failure, opening, opening_at, latest, latest_at, latest_parts
             FROM directory_lookup
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1",
            $rest
        )
    };
}

/// What a directory is asked of a case, and what it said.
pub(crate) async fn lookup(conn: &mut PgConnection, case: CaseId) -> Result<Option<Lookup>, Fault> {
    let row: Option<LookupRow> = sqlx::query_as(lookup_of!("")).bind(case.0).fetch_optional(conn).await?;
    Ok(row.map(LookupRow::lookup))
}

/// The same, locked.
pub(crate) async fn lock_lookup(conn: &mut PgConnection, case: CaseId) -> Result<Option<Lookup>, Fault> {
    let row: Option<LookupRow> =
        sqlx::query_as(lookup_of!(" FOR UPDATE")).bind(case.0).fetch_optional(conn).await?;
    Ok(row.map(LookupRow::lookup))
}

/// Notes that a directory is asked about a case now, for somebody who looks; false, and nothing
/// noted, where it was asked so since a moment.
pub(crate) async fn begin_question(
    conn: &mut PgConnection,
    case: CaseId,
    (now, since): (jiff::Timestamp, jiff::Timestamp),
) -> Result<bool, Fault> {
    let begun = sqlx::query(
        "UPDATE directory_lookup SET asked_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND asked_at <= $3",
    )
    .bind(case.0)
    .bind(now.to_sqlx())
    .bind(since.to_sqlx())
    .execute(conn)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Stores what a directory said of a case, whose lookup is locked.
pub(crate) async fn keep(conn: &mut PgConnection, lookup: &Lookup) -> Result<(), Fault> {
    let (opening, latest) = (lookup.opening.as_ref(), lookup.latest.as_ref());
    sqlx::query(
        "UPDATE directory_lookup
         SET next_try_at = $2, failure = $3, opening = $4, opening_at = $5, latest = $6, latest_at = $7,
             latest_parts = $8
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1",
    )
    .bind(lookup.case.0)
    .bind(lookup.next_try.map(jiff_sqlx::ToSqlx::to_sqlx))
    .bind(&lookup.failure)
    .bind(opening.map(|snapshot| snapshot.content.as_slice()))
    .bind(opening.map(|snapshot| snapshot.time.to_sqlx()))
    .bind(latest.map(|snapshot| snapshot.content.as_slice()))
    .bind(latest.map(|snapshot| snapshot.time.to_sqlx()))
    .bind(lookup.latest_parts)
    .execute(conn)
    .await?;
    Ok(())
}

/// Claims cases whose directory is to be asked, of every tenant but these: nobody else asks
/// until the claim has run out.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    (now, until): (jiff::Timestamp, jiff::Timestamp),
    busy: &[&str],
    most: i64,
) -> Result<Vec<(TenantId, CaseId)>, Fault> {
    let claimed: Vec<(String, Uuid)> = sqlx::query_as(
        "UPDATE directory_lookup l SET next_try_at = $2, tries = l.tries + 1
         FROM (SELECT tenant_id, case_id FROM directory_lookup
               WHERE next_try_at <= $1 AND tenant_id <> ALL($3)
               ORDER BY next_try_at LIMIT $4 FOR UPDATE SKIP LOCKED) AS due
         WHERE l.tenant_id = due.tenant_id AND l.case_id = due.case_id
         RETURNING l.tenant_id, l.case_id",
    )
    .bind(now.to_sqlx())
    .bind(until.to_sqlx())
    .bind(busy)
    .bind(most)
    .fetch_all(conn)
    .await?;
    let read = claimed.into_iter().map(|(tenant, case)| {
        let tenant = TenantId::parse(&tenant).map_err(Fault::internal)?;
        Ok((tenant, CaseId(case)))
    });
    read.collect()
}
