//! Statements about extensions.

use std::slice;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::impossible;
use crate::clocks::pauses_and_extensions::{Extension, ExtensionState};
use crate::promise::{kind_of, number};

#[derive(sqlx::FromRow)]
struct Row {
    extension_id: Uuid,
    case_id: Uuid,
    kind: i16,
    cycle: i32,
    state: i16,
    amount: i32,
    reason: String,
    requested_by: String,
    requested_at: Timestamp,
    decided_by: String,
    decided_at: Option<Timestamp>,
    refusal: String,
}

impl Row {
    fn into_extension(self) -> Result<Extension, Fault> {
        let known = |column: &'static str| move || impossible("extension", column, self.case_id);
        Ok(Extension {
            id: self.extension_id,
            case: CaseId(self.case_id),
            kind: kind_of(self.kind).ok_or_else(known("kind"))?,
            cycle: self.cycle,
            state: ExtensionState::of(self.state).ok_or_else(known("state"))?,
            amount: u32::try_from(self.amount).map_err(Fault::internal)?,
            reason: self.reason,
            requester: self.requested_by,
            requested: self.requested_at.to_jiff(),
            approver: self.decided_by,
            decided: self.decided_at.map(Timestamp::to_jiff),
            refusal: self.refusal,
        })
    }
}

/// The case an extension belongs to; none if there is no such extension.
pub(crate) async fn case_of(conn: &mut PgConnection, id: Uuid) -> Result<Option<CaseId>, Fault> {
    let case: Option<Uuid> = sqlx::query_scalar(
        "SELECT case_id FROM extension
         WHERE tenant_id = current_setting('redress.tenant') AND extension_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    Ok(case.map(CaseId))
}

/// Reads the extensions of a case, oldest first.
pub(crate) async fn of(conn: &mut PgConnection, case: CaseId) -> Result<Vec<Extension>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT extension_id, case_id, kind, cycle, state, amount, reason, requested_by, requested_at,
                decided_by, decided_at, refusal
         FROM extension WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1
         ORDER BY extension_id",
    )
    .bind(case.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_extension).collect()
}

/// Writes an extension, a new one or one that was decided, of a case locked by
/// this transaction.
pub(crate) async fn save(conn: &mut PgConnection, extension: &Extension) -> Result<(), Fault> {
    let amount = i32::try_from(extension.amount).map_err(Fault::internal)?;
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(extension))
        .column("extension_id", |one| one.id)
        .column("case_id", |one| one.case.0)
        .column("kind", |one| number(one.kind))
        .column("cycle", |one| one.cycle)
        .column("state", |one| one.state.number())
        .column("amount", |_| amount)
        .column("reason", |one| one.reason.as_str())
        .column("requested_by", |one| one.requester.as_str())
        .column("requested_at", |one| one.requested.to_sqlx())
        .column("decided_by", |one| one.approver.as_str())
        .column("decided_at", |one| one.decided.map(jiff::Timestamp::to_sqlx))
        .column("refusal", |one| one.refusal.as_str())
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT extension_pkey DO UPDATE
         SET state = excluded.state, decided_by = excluded.decided_by, decided_at = excluded.decided_at,
             refusal = excluded.refusal",
        rows.insert_into("extension")
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}
