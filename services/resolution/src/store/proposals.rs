//! Proposals about tasks.

use std::slice;

use fault::Fault;
use jiff_sqlx::ToSqlx;
use kernel::TaskId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{impossible, money};
use crate::proposal::{ProposalKind, ProposalState, Proposed, TaskProposal};
use crate::refusal::Refusal;
use crate::task::TaskResult;

/// Most proposals that are shown of one task.
const MAX_SHOWN: i64 = 100;

#[derive(sqlx::FromRow)]
struct Row {
    proposal_id: Uuid,
    task_id: Uuid,
    kind: i16,
    due_time: Option<jiff_sqlx::Timestamp>,
    result_reference: Option<String>,
    result_minor: Option<i64>,
    result_currency: Option<String>,
    result_remark: Option<String>,
    result_evidence: Vec<String>,
    reason: String,
    proposer: String,
    proposed_at: jiff_sqlx::Timestamp,
    state: i16,
    decider: String,
    decision_reason: String,
    decided_at: Option<jiff_sqlx::Timestamp>,
    result_output: Option<String>,
}

/// The columns of a row.
macro_rules! proposal_columns {
    () => {
        "proposal_id, task_id, kind, due_time, result_reference, result_minor, result_currency, result_remark,
         result_evidence, reason, proposer, proposed_at, state, decider, decision_reason, decided_at,
         result_output"
    };
}

impl Row {
    fn proposal(self) -> Result<TaskProposal, Fault> {
        let id = self.proposal_id;
        let amount = money(self.result_minor, self.result_currency.as_deref());
        let given_up = amount.clone();
        let result = self.result_reference.zip(self.result_remark);
        let evidence = self.result_evidence;
        let output = self.result_output.unwrap_or_default();
        let result =
            result.map(|(reference, remark)| TaskResult { reference, amount, remark, evidence, output });
        let due_time = self.due_time.map(jiff_sqlx::Timestamp::to_jiff);
        let proposed = match ProposalKind::of(self.kind) {
            Some(ProposalKind::Extension) => due_time.map(Proposed::Extension),
            Some(ProposalKind::Completion) => result.map(Proposed::Completion),
            Some(ProposalKind::WriteOff) => Some(Proposed::WriteOff(given_up)),
            None => None,
        };
        Ok(TaskProposal {
            proposal_id: id,
            task_id: TaskId(self.task_id),
            proposed: proposed.ok_or_else(|| impossible("task_proposal.kind", self.kind, id))?,
            reason: self.reason,
            proposer: self.proposer,
            proposed_at: self.proposed_at.to_jiff(),
            state: ProposalState::of(self.state)
                .ok_or_else(|| impossible("task_proposal.state", self.state, id))?,
            decider: self.decider,
            decision_reason: self.decision_reason,
            decided_at: self.decided_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// Stores a new proposal; refuses a second of its kind about the task.
pub(crate) async fn insert(conn: &mut PgConnection, proposal: &TaskProposal) -> Result<(), Fault> {
    let (due_time, result, amount) = match &proposal.proposed {
        Proposed::Extension(due_time) => (Some(due_time.to_sqlx()), None, None),
        Proposed::Completion(result) => (None, Some(result), result.amount.as_ref()),
        Proposed::WriteOff(amount) => (None, None, amount.as_ref()),
    };
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(proposal))
        .column("proposal_id", |one| one.proposal_id)
        .column("task_id", |one| one.task_id.0)
        .column("kind", |one| one.proposed.kind().number())
        .column("due_time", |_| due_time)
        .column("result_reference", |_| result.map(|result| result.reference.as_str()))
        .column("result_minor", |_| amount.map(|amount| amount.minor))
        .column("result_currency", |_| amount.map(|amount| amount.currency.as_str()))
        .column("result_remark", |_| result.map(|result| result.remark.as_str()))
        .column("reason", |one| one.reason.as_str())
        .column("proposer", |one| one.proposer.as_str())
        .column("proposed_at", |one| one.proposed_at.to_sqlx())
        .column("state", |one| one.state.number())
        .list("result_evidence", |_| result.map_or(&[][..], |result| result.evidence.as_slice()))
        .column("result_output", |_| result.map(|result| result.output.as_str()))
        .done();
    let inserted = binds.execute(&rows.insert_into("task_proposal"), conn).await;
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if fault::breaks(&error, "task_proposal_one_pending") => {
            Err(Refusal::ProposalPending.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The task a proposal is about; none where there is no such proposal.
pub(crate) async fn task_of(conn: &mut PgConnection, proposal_id: Uuid) -> Result<Option<Uuid>, Fault> {
    let task = sqlx::query_scalar(
        "SELECT task_id FROM task_proposal
         WHERE tenant_id = current_setting('redress.tenant') AND proposal_id = $1",
    )
    .bind(proposal_id)
    .fetch_optional(conn)
    .await?;
    Ok(task)
}

/// A proposal, locked; its task is locked before.
pub(crate) async fn lock(conn: &mut PgConnection, proposal_id: Uuid) -> Result<Option<TaskProposal>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT ",
        proposal_columns!(),
        " FROM task_proposal
         WHERE tenant_id = current_setting('redress.tenant') AND proposal_id = $1 FOR UPDATE"
    ))
    .bind(proposal_id)
    .fetch_optional(conn)
    .await?;
    row.map(Row::proposal).transpose()
}

/// Stores what became of a proposal, which is locked.
pub(crate) async fn save(conn: &mut PgConnection, proposal: &TaskProposal) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE task_proposal SET state = $2, decider = $3, decision_reason = $4, decided_at = $5
         WHERE tenant_id = current_setting('redress.tenant') AND proposal_id = $1",
    )
    .bind(proposal.proposal_id)
    .bind(proposal.state.number())
    .bind(&proposal.decider)
    .bind(&proposal.decision_reason)
    .bind(proposal.decided_at.map(ToSqlx::to_sqlx))
    .execute(conn)
    .await?;
    Ok(())
}

/// The last proposals about a task, the oldest first.
pub(crate) async fn of_task(conn: &mut PgConnection, task_id: TaskId) -> Result<Vec<TaskProposal>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT ",
        proposal_columns!(),
        " FROM task_proposal
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1
         ORDER BY proposal_id DESC LIMIT $2"
    ))
    .bind(task_id.0)
    .bind(MAX_SHOWN)
    .fetch_all(conn)
    .await?;
    rows.into_iter().rev().map(Row::proposal).collect()
}
