//! Statements about the timeline.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::impossible;
use crate::acting::Restricted;
use crate::case::Case;
use crate::timeline::{Ending, Entry, Fact, Handling, Kind, Visibility};

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

#[derive(sqlx::FromRow)]
struct WrittenRow {
    case_id: Uuid,
    request_id: String,
    #[sqlx(flatten)]
    entry: Row,
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
    let entries: Vec<(Uuid, Entry)> = cases
        .iter()
        .flat_map(|case| case.journal.iter().map(|noted| (case.id.0, noted.entry(&case.time_zone))))
        .collect();
    let mut binds = Binds::default();
    let rows = binds
        .rows(&entries)
        .column("case_id", |(case, _)| *case)
        .column("ordinal", |(_, entry)| entry.ordinal)
        .column("cycle", |(_, entry)| entry.cycle)
        .column("kind", |(_, entry)| entry.kind.number())
        .column("visibility", |(_, entry)| entry.visibility.number())
        .column("happened_at", |(_, entry)| entry.time.to_sqlx())
        .column("actor", |(_, entry)| entry.actor.as_str())
        .column("text", |(_, entry)| entry.text.as_str())
        .column("trace_id", |(_, entry)| entry.trace_id.as_str())
        .done();
    binds.execute(&rows.insert_into("timeline"), conn).await?;
    Ok(())
}

/// Keeps the keys that notes were written under with them.
pub(crate) async fn keep_keys(conn: &mut PgConnection, cases: &[Case]) -> Result<(), Fault> {
    let keys = cases.iter().flat_map(|case| {
        case.journal.iter().filter_map(|noted| {
            let Fact::Handling(Handling::Note(note)) = &noted.fact else { return None };
            Some((case.id.0, noted.ordinal, note.request_id.as_deref()?))
        })
    });
    let keys: Vec<(Uuid, i32, &str)> = keys.collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(&keys)
        .column("case_id", |key| key.0)
        .column("ordinal", |key| key.1)
        .column("request_id", |key| key.2)
        .done();
    binds.execute(&rows.insert_into("note_key"), conn).await?;
    Ok(())
}

/// The entries that were written under keys of cases, as far as any was.
pub(crate) async fn written(
    conn: &mut PgConnection,
    keys: &[(Uuid, String)],
) -> Result<HashMap<(Uuid, String), Entry>, Fault> {
    let rows: Vec<WrittenRow> = sqlx::query_as(
        "SELECT k.case_id, k.request_id, t.ordinal, t.cycle, t.kind, t.visibility, t.happened_at, t.actor, t.text,
                t.trace_id
         FROM UNNEST($1::uuid[], $2::text[]) AS asked (case_id, request_id)
         JOIN note_key k ON k.tenant_id = current_setting('redress.tenant') AND k.case_id = asked.case_id
              AND k.request_id = asked.request_id
         JOIN timeline t ON t.tenant_id = k.tenant_id AND t.case_id = k.case_id AND t.ordinal = k.ordinal",
    )
    .bind(keys.iter().map(|(case, _)| *case).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, key)| key.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let read = rows.into_iter().map(|WrittenRow { case_id, request_id, entry }| {
        Ok(((case_id, request_id), entry.into_entry(CaseId(case_id))?))
    });
    read.collect()
}

/// Reads a page of a timeline, oldest first, without the restricted entries that are
/// not for the reader.
pub(crate) async fn list(
    conn: &mut PgConnection,
    case: CaseId,
    restricted: Restricted<'_>,
    page: &Page,
) -> Result<Vec<Entry>, Fault> {
    let after: i32 = match &page.after {
        Some(key) => key.parse().map_err(|_| Fault::invalid_page_token())?,
        None => 0,
    };
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT ordinal, cycle, kind, visibility, happened_at, actor, text, trace_id FROM timeline
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND ordinal > $2
           AND (visibility <> $4 OR $5 OR actor = $6)
         ORDER BY ordinal LIMIT $3",
    )
    .bind(case.0)
    .bind(after)
    .bind(page.limit())
    .bind(Visibility::Restricted.number())
    .bind(restricted == Restricted::All)
    .bind(match restricted {
        Restricted::By(subject) => Some(subject),
        Restricted::All | Restricted::None => None,
    })
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.into_entry(case)).collect()
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

/// Reads the first entries of some kinds, oldest first, none that is kept to few.
pub(crate) async fn first_of(
    conn: &mut PgConnection,
    case: CaseId,
    kinds: &[Kind],
    most: usize,
) -> Result<Vec<Entry>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT ordinal, cycle, kind, visibility, happened_at, actor, text, trace_id FROM timeline
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND kind = ANY($2)
           AND visibility <> $3
         ORDER BY ordinal LIMIT $4",
    )
    .bind(case.0)
    .bind(kinds.iter().map(|kind| kind.number()).collect::<Vec<_>>())
    .bind(Visibility::Restricted.number())
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.into_entry(case)).collect()
}

/// Reads what was tried in the cycles before one, and why each was taken up again, oldest
/// first, none that is kept to few: the latest so many.
pub(crate) async fn tried_before(
    conn: &mut PgConnection,
    case: CaseId,
    cycle: i32,
    most: i64,
) -> Result<Vec<Entry>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT ordinal, cycle, kind, visibility, happened_at, actor, text, trace_id FROM timeline
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND visibility <> $2
           AND (cycle < $3 AND kind = ANY($4) OR kind = $5)
         ORDER BY ordinal DESC LIMIT $6",
    )
    .bind(case.0)
    .bind(Visibility::Restricted.number())
    .bind(cycle)
    .bind(Kind::TRIED.map(Kind::number).as_slice())
    .bind(Kind::Reopened.number())
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
