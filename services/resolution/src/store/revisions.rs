//! Changes of plans: who made each, and who approved it.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::PlanId;
use pg::Binds;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::impossible;
use crate::approval::{Approval, Ruling};
use crate::plan::revision::{Place, Revision, RevisionState};

#[derive(sqlx::FromRow)]
struct Row {
    plan_id: Uuid,
    number: i16,
    state: i16,
    reviser: String,
    reviser_roles: Vec<String>,
    reason: String,
    places: Json<Vec<Place>>,
    added: Vec<String>,
    removed: Vec<String>,
    approvers: Vec<String>,
    approvers_for: Vec<String>,
    approve_times: Vec<jiff_sqlx::Timestamp>,
    approvals_required: i16,
    ruling: Json<Ruling>,
    decider: String,
    decision_reason: String,
    created_at: jiff_sqlx::Timestamp,
    decided_at: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn revision(self) -> Result<Revision, Fault> {
        let id = (self.plan_id, self.number);
        let state =
            RevisionState::of(self.state).ok_or_else(|| impossible("plan_revision.state", self.state, id))?;
        let people = self.approvers.into_iter().zip(self.approvers_for);
        let approvals = people.zip(self.approve_times).map(|((approver, on_behalf_of), at)| Approval {
            approver,
            on_behalf_of,
            approved_at: at.to_jiff(),
        });
        Ok(Revision {
            number: self.number,
            plan_id: PlanId(self.plan_id),
            state,
            reviser: self.reviser,
            reviser_roles: self.reviser_roles,
            reason: self.reason,
            places: self.places.0,
            added: self.added,
            removed: self.removed,
            approvals: approvals.collect(),
            approvals_required: self.approvals_required,
            ruling: self.ruling.0,
            decider: self.decider,
            decision_reason: self.decision_reason,
            created_at: self.created_at.to_jiff(),
            decided_at: self.decided_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// Stores a revision as it stands: a new one, or over what was stored of it. Its plan is
/// locked.
pub(crate) async fn keep(conn: &mut PgConnection, revision: &Revision) -> Result<(), Fault> {
    let texts = "ARRAY(SELECT jsonb_array_elements_text({}))";
    let times = "ARRAY(SELECT jsonb_array_elements_text({})::timestamptz)";
    let each = |of: fn(&Approval) -> String| Json(revision.approvals.iter().map(of).collect::<Vec<_>>());
    let mut binds = Binds::default();
    let rows = binds
        .rows(std::slice::from_ref(revision))
        .column("plan_id", |one| one.plan_id.0)
        .column("number", |one| one.number)
        .column("state", |one| one.state.number())
        .column("reviser", |one| one.reviser.as_str())
        .list("reviser_roles", |one| &one.reviser_roles)
        .column("reason", |one| one.reason.as_str())
        .column("places", |one| Json(&one.places))
        .list("added", |one| &one.added)
        .list("removed", |one| &one.removed)
        .column_as("approvers", texts, |_| each(|one| one.approver.clone()))
        .column_as("approvers_for", texts, |_| each(|one| one.on_behalf_of.clone()))
        .column_as("approve_times", times, |_| each(|one| one.approved_at.to_string()))
        .column("approvals_required", |one| one.approvals_required)
        .column("ruling", |one| Json(&one.ruling))
        .column("decider", |one| one.decider.as_str())
        .column("decision_reason", |one| one.decision_reason.as_str())
        .column("created_at", |one| one.created_at.to_sqlx())
        .column("decided_at", |one| one.decided_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .done();
    let key = ["plan_id", "number"];
    let statement = format!(
        "{} ON CONFLICT (tenant_id, plan_id, number) DO UPDATE SET {}",
        rows.insert_into("plan_revision"),
        rows.overwrite(&key),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// The revisions of plans that wait lapse: the plans, which are locked, are cancelled.
pub(crate) async fn lapse(conn: &mut PgConnection, plans: &[Uuid], now: Timestamp) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE plan_revision SET state = {lapsed}, decided_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND plan_id = ANY ($1) AND state = {pending}",
        lapsed = RevisionState::Lapsed,
        pending = RevisionState::Pending,
    ))
    .bind(plans)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// A plan's revision of this number.
pub(crate) async fn get(
    conn: &mut PgConnection,
    plan_id: PlanId,
    number: i16,
) -> Result<Option<Revision>, Fault> {
    Ok(list(conn, plan_id, number.saturating_add(1), 1).await?.pop().filter(|found| found.number == number))
}

/// A plan's revisions, newest first, those below this number.
pub(crate) async fn list(
    conn: &mut PgConnection,
    plan_id: PlanId,
    below: i16,
    limit: i64,
) -> Result<Vec<Revision>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT plan_id, number, state, reviser, reviser_roles, reason, places, added, removed, approvers,
                approvers_for, approve_times, approvals_required, ruling, decider, decision_reason, created_at,
                decided_at
         FROM plan_revision
         WHERE tenant_id = current_setting('redress.tenant') AND plan_id = $1 AND number < $2
         ORDER BY number DESC LIMIT $3",
    )
    .bind(plan_id.0)
    .bind(below)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::revision).collect()
}
