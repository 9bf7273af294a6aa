//! Statements about the long texts of cases, which never change, and their words.

use fault::Fault;
use filter::terms::Terms;
use kernel::TenantId;
use sqlx::PgConnection;

use super::Opening;
use crate::reading::HEAVY_BYTES;

/// Keeps the texts of cases this transaction has inserted.
pub(crate) async fn keep(
    conn: &mut PgConnection,
    tenant: &TenantId,
    openings: &[Opening],
) -> Result<(), Fault> {
    if openings.is_empty() {
        return Ok(());
    }
    let terms = Terms::of(tenant);
    let vector = |opening: &Opening| terms.vector(&[&opening.case.origin.subject, &opening.description]);
    let is_heavy = openings.iter().map(|opening| opening.description.len()).sum::<usize>() > HEAVY_BYTES;
    let vectors: Vec<String> = server::aside(is_heavy, || openings.iter().map(vector).collect());
    sqlx::query(
        "INSERT INTO case_text (tenant_id, case_id, description, terms)
         SELECT current_setting('redress.tenant'), n.id, n.description, n.terms::tsvector
         FROM (SELECT UNNEST($1::uuid[]) AS id, UNNEST($2::text[]) AS description,
                      UNNEST($3::text[]) AS terms) AS n",
    )
    .bind(openings.iter().map(|opening| opening.case.id.0).collect::<Vec<_>>())
    .bind(openings.iter().map(|opening| opening.description.as_str()).collect::<Vec<_>>())
    .bind(vectors)
    .execute(conn)
    .await?;
    Ok(())
}

/// Merges the words of new cases into their index; answers how many pages of them
/// there were.
pub(crate) async fn merge_words(conn: &mut PgConnection) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar("SELECT merge_words()").fetch_one(conn).await?)
}
