//! Statements about links between cases.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use pg::Binds;
use sameness::{LinkKind, LinkStanding};
use sqlx::PgConnection;
use uuid::Uuid;

use super::lists;
use super::row::impossible;
use crate::links::{Link, Pair};

#[derive(sqlx::FromRow)]
struct Row {
    later_id: Uuid,
    earlier_id: Uuid,
    kind: i16,
    standing: i16,
    score: f64,
    reasons: String,
    actor: String,
    changed_at: Timestamp,
}

impl Row {
    fn link(self) -> Result<Link, Fault> {
        let known = |column: &'static str| move || impossible("case_link", column, self.later_id);
        Ok(Link {
            pair: Pair { later: CaseId(self.later_id), earlier: CaseId(self.earlier_id) },
            kind: LinkKind::of(self.kind).ok_or_else(known("kind"))?,
            standing: LinkStanding::of(self.standing).ok_or_else(known("standing"))?,
            score: self.score,
            reasons: lists::read(&self.reasons),
            actor: self.actor,
            change_time: self.changed_at.to_jiff(),
        })
    }
}

/// Writes links found, where there are none yet: what people said stays.
pub(crate) async fn found(conn: &mut PgConnection, links: &[Link]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(links)
        .column("later_id", |link| link.pair.later.0)
        .column("earlier_id", |link| link.pair.earlier.0)
        .column("kind", |link| link.kind.number())
        .column("standing", |link| link.standing.number())
        .column("score", |link| link.score)
        .column("reasons", |link| lists::written(&link.reasons))
        .column("actor", |link| link.actor.as_str())
        .column("changed_at", |link| link.change_time.to_sqlx())
        .done();
    let insert = rows.insert_into("case_link");
    let statement = format!("{insert} ON CONFLICT (tenant_id, later_id, earlier_id) DO NOTHING");
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Reads the link of two cases locked by this transaction.
pub(crate) async fn get(conn: &mut PgConnection, pair: Pair) -> Result<Option<Link>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT later_id, earlier_id, kind, standing, score, reasons, actor, changed_at FROM case_link
         WHERE tenant_id = current_setting('redress.tenant') AND later_id = $1 AND earlier_id = $2",
    )
    .bind(pair.later.0)
    .bind(pair.earlier.0)
    .fetch_optional(conn)
    .await?;
    row.map(Row::link).transpose()
}

/// Writes what a person said of two cases locked by this transaction.
pub(crate) async fn save(conn: &mut PgConnection, link: &Link) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO case_link
             (tenant_id, later_id, earlier_id, kind, standing, score, reasons, actor, changed_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (tenant_id, later_id, earlier_id) DO UPDATE
         SET kind = excluded.kind, standing = excluded.standing, score = excluded.score,
             reasons = excluded.reasons, actor = excluded.actor, changed_at = excluded.changed_at",
    )
    .bind(link.pair.later.0)
    .bind(link.pair.earlier.0)
    .bind(link.kind.number())
    .bind(link.standing.number())
    .bind(link.score)
    .bind(lists::written(&link.reasons))
    .bind(&link.actor)
    .bind(link.change_time.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a page of a case's links, the latest other case first.
pub(crate) async fn list(conn: &mut PgConnection, case: CaseId, page: &Page) -> Result<Vec<Link>, Fault> {
    let before = match &page.after {
        Some(key) => Uuid::try_parse(key).map_err(|_| Fault::invalid_page_token())?,
        None => Uuid::max(),
    };
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT later_id, earlier_id, kind, standing, score, reasons, actor, changed_at
         FROM ((SELECT later_id, earlier_id, kind, standing, score, reasons, actor, changed_at FROM case_link
          WHERE tenant_id = current_setting('redress.tenant') AND earlier_id = $1 AND later_id < $2
          ORDER BY later_id DESC LIMIT $3)
         UNION ALL
         (SELECT later_id, earlier_id, kind, standing, score, reasons, actor, changed_at FROM case_link
          WHERE tenant_id = current_setting('redress.tenant') AND later_id = $1 AND earlier_id < $2
          ORDER BY earlier_id DESC LIMIT $3)) AS link
         ORDER BY CASE WHEN earlier_id = $1 THEN later_id ELSE earlier_id END DESC LIMIT $3",
    )
    .bind(case.0)
    .bind(before)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::link).collect()
}

/// The cases merged into one, oldest first.
pub(crate) async fn merged_into(
    conn: &mut PgConnection,
    case: CaseId,
    most: i64,
) -> Result<Vec<CaseId>, Fault> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT case_id FROM cases
         WHERE tenant_id = current_setting('redress.tenant') AND merged_into = $1
         ORDER BY case_id LIMIT $2",
    )
    .bind(case.0)
    .bind(most)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(CaseId).collect())
}
