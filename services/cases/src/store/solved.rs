//! Statements that read what articles might be written about.

use std::collections::HashMap;

use fault::Fault;
use kernel::CaseId;
use sqlx::PgConnection;
use uuid::Uuid;
use vocabulary::{Outcome, State};

use super::row::impossible;
use super::timeline;
use crate::solved::{KeptClosed, MOST_CASES, MOST_WORDS, Typical};

/// Most articles told of some cases.
const MAX_ARTICLES: i64 = 10;

/// The newest closed cases of a category and those below it, or of all.
pub(crate) async fn closed(conn: &mut PgConnection, category: &str) -> Result<Vec<KeptClosed>, Fault> {
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(
        "SELECT c.case_id, c.category, array_to_string((tsvector_to_array(t.terms))[1:$3], ' ')
         FROM cases c JOIN case_text t ON t.tenant_id = c.tenant_id AND t.case_id = c.case_id
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.state = $1
           AND ($2 = '' OR c.category = $2 OR starts_with(c.category, $2 || '/'))
         ORDER BY c.case_id DESC LIMIT $4",
    )
    .bind(State::Closed.number())
    .bind(category)
    .bind(MOST_WORDS)
    .bind(i64::try_from(MOST_CASES).unwrap_or(i64::MAX))
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<CaseId> = rows.iter().map(|(id, ..)| CaseId(*id)).collect();
    let endings = timeline::endings(conn, &ids).await?;
    let read = |(id, category, terms): (Uuid, String, String)| {
        let satisfied = endings.get(&CaseId(id)).is_some_and(|ending| ending.satisfied);
        KeptClosed { case: CaseId(id), category, terms, satisfied }
    };
    Ok(rows.into_iter().map(read).collect())
}

/// What is told of cases that stand for their like.
pub(crate) async fn typical(
    conn: &mut PgConnection,
    ids: &[CaseId],
) -> Result<HashMap<CaseId, Typical>, Fault> {
    let rows: Vec<(Uuid, String, Option<i16>, String)> = sqlx::query_as(
        "SELECT case_id, subject, outcome, decision_reasons FROM cases
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)",
    )
    .bind(ids.iter().map(|case| case.0).collect::<Vec<_>>())
    .fetch_all(&mut *conn)
    .await?;
    let mut endings = timeline::endings(conn, ids).await?;
    let read = |(id, subject, outcome, decision_reasons): (Uuid, String, Option<i16>, String)| {
        let outcome = match outcome {
            Some(code) => Some(Outcome::of(code).ok_or_else(|| impossible("cases", "outcome", id))?),
            None => None,
        };
        let ending = endings.remove(&CaseId(id)).unwrap_or_default();
        Ok((CaseId(id), Typical { subject, outcome, decision_reasons, ending }))
    };
    rows.into_iter().map(read).collect()
}

/// Articles, not retired ones, whose latest revisions say that they grew from some of these
/// cases, newest first.
pub(crate) async fn grown_from(conn: &mut PgConnection, cases: &[CaseId]) -> Result<Vec<Uuid>, Fault> {
    let ids = sqlx::query_scalar(
        "SELECT a.article_id
         FROM article a JOIN article_revision r
              ON r.tenant_id = a.tenant_id AND r.article_id = a.article_id AND r.revision = a.latest
         WHERE a.tenant_id = current_setting('redress.tenant') AND a.state <> $3 AND r.sources && $1
         ORDER BY a.article_id DESC LIMIT $2",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(MAX_ARTICLES)
    .bind(crate::review::ReviewState::Retired.number())
    .fetch_all(conn)
    .await?;
    Ok(ids)
}
