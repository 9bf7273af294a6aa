//! Statements on what notices had to say, for templates to be tried on.

use fault::Fault;
use kernel::CaseId;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::letter::trial::Places;
use crate::notice::Kind;

/// Reads what notices of a kind in a language had to say, the latest first: what follows the
/// tenant's condition is given.
macro_rules! select_places {
    ($rest:literal) => {
        concat!(
            "SELECT case_id, places FROM notice
             WHERE tenant_id = current_setting('redress.tenant') AND kind = $1 AND places IS NOT NULL
               AND lower(split_part(replace(language, '_', '-'), '-', 1)) = $2 ",
            $rest
        )
    };
}

/// What the latest notices of a kind in a language had to say.
pub(crate) async fn latest_places(
    conn: &mut PgConnection,
    kind: Kind,
    language: &str,
    limit: i32,
) -> Result<Vec<(CaseId, Places)>, Fault> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let rows: Vec<(Uuid, Json<Places>)> =
        sqlx::query_as(select_places!("ORDER BY notice_id DESC LIMIT $3::int"))
            .bind(kind.number())
            .bind(language)
            .bind(limit)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|(case, places)| (CaseId(case), places.0)).collect())
}

/// What the last notice of a kind in a language had to say in a case.
pub(crate) async fn last_places(
    conn: &mut PgConnection,
    kind: Kind,
    language: &str,
    case: CaseId,
) -> Result<Option<Places>, Fault> {
    let row: Option<(Uuid, Json<Places>)> =
        sqlx::query_as(select_places!("AND case_id = $3 ORDER BY notice_id DESC LIMIT 1"))
            .bind(kind.number())
            .bind(language)
            .bind(case.0)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|(_, places)| places.0))
}
