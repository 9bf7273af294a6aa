//! Statements that read what a classifier learns from, page by page, newest first.

use fault::Fault;
use sqlx::PgConnection;
use uuid::Uuid;
use vocabulary::{State, UNCLASSIFIED};

use crate::classifier::Lesson;
use crate::reading;

/// Rows of a page.
const PAGE: i64 = 500;
/// Most characters of a description that are read.
const MOST_CHARACTERS: i32 = 6_000;

/// Where cases of known category are found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// Those whose category a person has confirmed.
    Confirmed,
    /// Those that are closed, and whose category nobody was to confirm.
    Closed,
}

/// Reads a page of cases older than one; with it where the next page begins, if there
/// is one.
pub(crate) async fn page(
    conn: &mut PgConnection,
    source: Source,
    before: Uuid,
) -> Result<(Vec<Lesson>, Option<Uuid>), Fault> {
    let query = match source {
        Source::Confirmed => sqlx::query_as(
            "SELECT c.case_id, c.category, c.subject, left(coalesce(t.description, ''), $3)
             FROM case_reading r
             JOIN cases c ON c.tenant_id = r.tenant_id AND c.case_id = r.case_id
             LEFT JOIN case_text t ON t.tenant_id = r.tenant_id AND t.case_id = r.case_id
             WHERE r.tenant_id = current_setting('redress.tenant') AND r.confirmer IS NOT NULL
               AND r.case_id < $1
             ORDER BY r.case_id DESC LIMIT $2",
        )
        .bind(before)
        .bind(PAGE)
        .bind(MOST_CHARACTERS),
        Source::Closed => sqlx::query_as(
            "SELECT c.case_id, c.category, c.subject, left(coalesce(t.description, ''), $3)
             FROM cases c
             LEFT JOIN case_text t ON t.tenant_id = c.tenant_id AND t.case_id = c.case_id
             LEFT JOIN case_reading r ON r.tenant_id = c.tenant_id AND r.case_id = c.case_id
             WHERE c.tenant_id = current_setting('redress.tenant') AND c.state = $4 AND c.category <> $5
               AND r.confirmer IS NULL AND r.unconfirmed IS NOT TRUE AND c.case_id < $1
             ORDER BY c.case_id DESC LIMIT $2",
        )
        .bind(before)
        .bind(PAGE)
        .bind(MOST_CHARACTERS)
        .bind(State::Closed.number())
        .bind(UNCLASSIFIED),
    };
    let rows: Vec<(Uuid, String, String, String)> = query.fetch_all(conn).await?;
    let full = i64::try_from(rows.len()) == Ok(PAGE);
    let next = rows.last().map(|row| row.0).filter(|_| full);
    let lesson = |(_, category, subject, description): (Uuid, String, String, String)| Lesson {
        category,
        text: reading::text(&subject, &description),
    };
    Ok((rows.into_iter().map(lesson).collect(), next))
}
