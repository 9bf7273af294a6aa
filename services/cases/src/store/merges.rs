//! Statements about which case stands for which.

use fault::Fault;
use kernel::CaseId;
use sqlx::PgConnection;
use uuid::Uuid;

/// The cases of other people that are merged into these, directly or through others,
/// each with the one that stands for it.
pub(crate) async fn across(conn: &mut PgConnection, survivors: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, Fault> {
    let rows = sqlx::query_as(
        "WITH RECURSIVE below AS (
             SELECT case_id, merged_across, merged_into AS survivor FROM cases
             WHERE tenant_id = current_setting('redress.tenant') AND merged_into = ANY($1)
             UNION ALL
             SELECT c.case_id, c.merged_across, below.survivor FROM below
             JOIN cases c ON c.tenant_id = current_setting('redress.tenant') AND c.merged_into = below.case_id)
         SELECT case_id, survivor FROM below WHERE merged_across ORDER BY case_id",
    )
    .bind(survivors)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The case that stands for a merged one in the end, and whether on the way there is a
/// merge of cases of different people.
pub(crate) async fn survivor(conn: &mut PgConnection, case: CaseId) -> Result<Option<(CaseId, bool)>, Fault> {
    let row: Option<(Uuid, bool)> = sqlx::query_as(
        "WITH RECURSIVE above AS (
             SELECT case_id, merged_into, merged_across AS across FROM cases
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1
             UNION ALL
             SELECT c.case_id, c.merged_into, above.across OR c.merged_across FROM above
             JOIN cases c ON c.tenant_id = current_setting('redress.tenant') AND c.case_id = above.merged_into)
         SELECT case_id, across FROM above WHERE merged_into IS NULL",
    )
    .bind(case.0)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(survivor, across)| (CaseId(survivor), across)))
}
