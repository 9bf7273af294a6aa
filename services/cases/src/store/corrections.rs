//! Statements about corrections of decisions.

use std::slice;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;
use vocabulary::Outcome;

use super::row::impossible;
use crate::case::{Correction, CorrectionState, Decision};

#[derive(sqlx::FromRow)]
struct Row {
    correction_id: Uuid,
    case_id: Uuid,
    cycle: i32,
    state: i16,
    outcome: i16,
    reasons: String,
    remedy_due: bool,
    reason: String,
    proposed_by: String,
    proposed_at: Timestamp,
    decided_by: String,
    decided_at: Option<Timestamp>,
    refusal: String,
}

impl Row {
    fn correction(self) -> Result<Correction, Fault> {
        let known = |column: &'static str| move || impossible("correction", column, self.case_id);
        Ok(Correction {
            id: self.correction_id,
            case: CaseId(self.case_id),
            cycle: self.cycle,
            state: CorrectionState::of(self.state).ok_or_else(known("state"))?,
            decision: Decision {
                outcome: Outcome::of(self.outcome).ok_or_else(known("outcome"))?,
                reasons: self.reasons,
                remedy_due: self.remedy_due,
            },
            reason: self.reason,
            proposer: self.proposed_by,
            proposed: self.proposed_at.to_jiff(),
            decider: self.decided_by,
            decided: self.decided_at.map(Timestamp::to_jiff),
            refusal: self.refusal,
        })
    }
}

/// The case a correction belongs to; none if there is no such correction.
pub(crate) async fn case_of(conn: &mut PgConnection, id: Uuid) -> Result<Option<CaseId>, Fault> {
    let case: Option<Uuid> = sqlx::query_scalar(
        "SELECT case_id FROM correction
         WHERE tenant_id = current_setting('redress.tenant') AND correction_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    Ok(case.map(CaseId))
}

/// Reads the corrections of a case, oldest first.
pub(crate) async fn of(conn: &mut PgConnection, case: CaseId) -> Result<Vec<Correction>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT correction_id, case_id, cycle, state, outcome, reasons, remedy_due, reason, proposed_by,
                proposed_at, decided_by, decided_at, refusal
         FROM correction WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1
         ORDER BY correction_id",
    )
    .bind(case.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::correction).collect()
}

/// Writes a correction, a new one or one that was decided, of a case locked by this
/// transaction.
pub(crate) async fn save(conn: &mut PgConnection, correction: &Correction) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(correction))
        .column("correction_id", |one| one.id)
        .column("case_id", |one| one.case.0)
        .column("cycle", |one| one.cycle)
        .column("state", |one| one.state.number())
        .column("outcome", |one| one.decision.outcome.number())
        .column("reasons", |one| one.decision.reasons.as_str())
        .column("remedy_due", |one| one.decision.remedy_due)
        .column("reason", |one| one.reason.as_str())
        .column("proposed_by", |one| one.proposer.as_str())
        .column("proposed_at", |one| one.proposed.to_sqlx())
        .column("decided_by", |one| one.decider.as_str())
        .column("decided_at", |one| one.decided.map(jiff::Timestamp::to_sqlx))
        .column("refusal", |one| one.refusal.as_str())
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT correction_pkey DO UPDATE
         SET state = excluded.state, decided_by = excluded.decided_by, decided_at = excluded.decided_at,
             refusal = excluded.refusal",
        rows.insert_into("correction")
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}
