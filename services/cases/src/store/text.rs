//! Statements about the long texts of cases, which never change, and their words.

use fault::Fault;
use filter::terms::Terms;
use kernel::TenantId;
use pg::Binds;
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
    let texts: Vec<(&Opening, String)> = openings.iter().zip(vectors).collect();
    let mut binds = Binds::default();
    let rows = binds
        .rows(&texts)
        .column("case_id", |(opening, _)| opening.case.id.0)
        .column("description", |(opening, _)| opening.description.as_str())
        .column("product", |(opening, _)| opening.product.as_str())
        .column_as("terms", "{}::tsvector", |(_, vector)| vector.as_str())
        .done();
    binds.execute(&rows.insert_into("case_text"), conn).await?;
    Ok(())
}

/// Merges the words of new cases into their index; answers how many pages of them
/// there were.
pub(crate) async fn merge_words(conn: &mut PgConnection) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar("SELECT merge_words()").fetch_one(conn).await?)
}
