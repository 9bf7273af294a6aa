//! Statements about the timeline.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::impossible;
use crate::case::Case;
use crate::timeline::{Ending, Entry, Kind, Visibility};

#[derive(sqlx::FromRow)]
struct Row {
    ordinal: i32,
    cycle: i32,
    kind: i16,
    visibility: i16,
    happened_at: Timestamp,
    actor: String,
    text: String,
    trace_id: String,
}

impl Row {
    fn into_entry(self, case: CaseId) -> Result<Entry, Fault> {
        let known = |column: &'static str| move || impossible("timeline", column, case.0);
        Ok(Entry {
            ordinal: self.ordinal,
            time: self.happened_at.to_jiff(),
            cycle: self.cycle,
            kind: Kind::of(self.kind).ok_or_else(known("kind"))?,
            visibility: Visibility::of(self.visibility).ok_or_else(known("visibility"))?,
            actor: self.actor,
            text: self.text,
            trace_id: self.trace_id,
        })
    }
}

/// Appends the journals of cases to their timelines.
pub(crate) async fn append(conn: &mut PgConnection, cases: &[Case]) -> Result<(), Fault> {
    let (ids, entries): (Vec<_>, Vec<_>) =
        cases.iter().flat_map(|case| case.journal.iter().map(|noted| (case.id.0, noted.entry()))).unzip();
    let text = |value: fn(&Entry) -> &str| entries.iter().map(value).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO timeline
             (tenant_id, case_id, ordinal, cycle, kind, visibility, happened_at, actor, text, trace_id)
         SELECT current_setting('redress.tenant'), n.*
         FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::integer[]), UNNEST($3::integer[]),
                      UNNEST($4::smallint[]), UNNEST($5::smallint[]), UNNEST($6::timestamptz[]),
                      UNNEST($7::text[]), UNNEST($8::text[]), UNNEST($9::text[])) AS n",
    )
    .bind(ids)
    .bind(entries.iter().map(|entry| entry.ordinal).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.cycle).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.kind.number()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.visibility.number()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.time.to_sqlx()).collect::<Vec<_>>())
    .bind(text(|entry| &entry.actor))
    .bind(text(|entry| &entry.text))
    .bind(text(|entry| &entry.trace_id))
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a page of a timeline, oldest first; none if there is no such case.
pub(crate) async fn list(
    conn: &mut PgConnection,
    case: CaseId,
    page: &Page,
) -> Result<Option<Vec<Entry>>, Fault> {
    let after: i32 = match &page.after {
        Some(key) => key.parse().map_err(Fault::internal)?,
        None => 0,
    };
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT ordinal, cycle, kind, visibility, happened_at, actor, text, trace_id FROM timeline
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND ordinal > $2
         ORDER BY ordinal LIMIT $3",
    )
    .bind(case.0)
    .bind(after)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    // A case is opened with its first entries: the first page is empty for none.
    if rows.is_empty() && after == 0 {
        return Ok(None);
    }
    rows.into_iter().map(|row| row.into_entry(case)).collect::<Result<_, _>>().map(Some)
}

/// Reads the latest public entries, oldest first.
pub(crate) async fn latest_public(
    conn: &mut PgConnection,
    case: CaseId,
    most: i64,
) -> Result<Vec<Entry>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT ordinal, cycle, kind, visibility, happened_at, actor, text, trace_id FROM timeline
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND visibility = $2
         ORDER BY ordinal DESC LIMIT $3",
    )
    .bind(case.0)
    .bind(Visibility::Public.number())
    .bind(most)
    .fetch_all(conn)
    .await?;
    rows.into_iter().rev().map(|row| row.into_entry(case)).collect()
}

/// Reads how cases ended.
pub(crate) async fn endings(
    conn: &mut PgConnection,
    cases: &[CaseId],
) -> Result<HashMap<CaseId, Ending>, Fault> {
    let rows: Vec<(Uuid, i16, String)> = sqlx::query_as(
        "SELECT case_id, kind, text FROM timeline
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND kind = ANY($2)
         ORDER BY case_id, ordinal",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(Ending::KINDS.map(Kind::number).as_slice())
    .fetch_all(conn)
    .await?;
    let mut endings: HashMap<CaseId, Ending> = HashMap::new();
    for (case, kind, text) in rows {
        let kind = Kind::of(kind).ok_or_else(|| impossible("timeline", "kind", case))?;
        endings.entry(CaseId(case)).or_default().take_in(kind, text);
    }
    Ok(endings)
}
