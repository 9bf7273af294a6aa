//! Proposals about tasks: made by one person, decided by another.

use std::slice;
use std::sync::Arc;

use fault::Fault;
use kernel::Caller;
use pg::{Db, MutationContext, Tx};
use proto::redress::resolution::v1::proposal_service_server::ProposalService;
use proto::redress::resolution::v1::{
    ApproveTaskProposalRequest, ApproveTaskProposalResponse, ProposeTaskCompletionRequest,
    ProposeTaskCompletionResponse, ProposeTaskWriteOffRequest, ProposeTaskWriteOffResponse,
    RefuseTaskProposalRequest, RefuseTaskProposalResponse, RequestTaskExtensionRequest,
    RequestTaskExtensionResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::case::CaseView;
use crate::flow::progress;
use crate::flow::remedy_types::TypesInUse;
use crate::plan::Plan;
use crate::proposal::{ProposalKind, ProposalState, TaskProposal};
use crate::refusal::Refusal;
use crate::task::{Task, TaskState};
use crate::wire::proposals::ProposalRequest;
use crate::{store, wire};

/// The rpcs over one schema.
pub(crate) struct TaskProposals {
    db: Db,
    types: Arc<TypesInUse>,
}

impl TaskProposals {
    pub(crate) fn new(db: Db, types: Arc<TypesInUse>) -> Self {
        Self { db, types }
    }
}

#[tonic::async_trait]
impl ProposalService for TaskProposals {
    async fn request_task_extension(
        &self,
        request: Request<RequestTaskExtensionRequest>,
    ) -> Result<Response<RequestTaskExtensionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let asked = wire::proposals::extension(request)?;
        let types = Arc::clone(&self.types);
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let proposal = propose(&mut tx, &types, &caller, asked).await?;
                Ok((tx, RequestTaskExtensionResponse { proposal: Some(proposal) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn propose_task_completion(
        &self,
        request: Request<ProposeTaskCompletionRequest>,
    ) -> Result<Response<ProposeTaskCompletionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let asked = wire::proposals::completion(request)?;
        let types = Arc::clone(&self.types);
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let proposal = propose(&mut tx, &types, &caller, asked).await?;
                Ok((tx, ProposeTaskCompletionResponse { proposal: Some(proposal) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn propose_task_write_off(
        &self,
        request: Request<ProposeTaskWriteOffRequest>,
    ) -> Result<Response<ProposeTaskWriteOffResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let asked = wire::proposals::write_off(request)?;
        let types = Arc::clone(&self.types);
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let proposal = propose(&mut tx, &types, &caller, asked).await?;
                Ok((tx, ProposeTaskWriteOffResponse { proposal: Some(proposal) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn approve_task_proposal(
        &self,
        request: Request<ApproveTaskProposalRequest>,
    ) -> Result<Response<ApproveTaskProposalResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let approval = wire::proposals::approval(request)?;
        Ok(approve(&self.db, context, approval).await?)
    }

    async fn refuse_task_proposal(
        &self,
        request: Request<RefuseTaskProposalRequest>,
    ) -> Result<Response<RefuseTaskProposalResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (proposal_id, reason) = wire::proposals::refusal(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let Matter { task, mut proposal, .. } = decided(&mut tx, &caller, proposal_id).await?;
                proposal.refuse(&caller.subject, reason, tx.now())?;
                store::proposals::save(&mut tx, &proposal).await?;
                tx.emit(task.case_id.0, &wire::outbound::proposal_decided(&task, &proposal));
                let proposal = Some(wire::proposals::proposal(&proposal));
                Ok((tx, RefuseTaskProposalResponse { proposal }))
            })
            .await?;
        Ok(server::reply(done))
    }
}

/// Stores what somebody proposes about a task.
async fn propose(
    tx: &mut Tx,
    types: &TypesInUse,
    caller: &Caller,
    asked: ProposalRequest,
) -> Result<proto::redress::resolution::v1::TaskProposal, Fault> {
    let (plan, task, case) = locked(tx, asked.task_id.0).await?;
    let proposed = asked.proposed.of(&task);
    match proposed.kind() {
        ProposalKind::Extension => server::serving(caller, &task.department_id)?,
        ProposalKind::Completion | ProposalKind::WriteOff => {
            task.may_be_paid_by(plan.as_ref(), &caller.subject)?;
        }
    }
    case.as_ref().map_or(Ok(()), |case| case.not_about(caller))?;
    match proposed.kind() {
        ProposalKind::Extension | ProposalKind::Completion => task.must_be_open()?,
        ProposalKind::WriteOff => task.may_be_written_off()?,
    }
    let case_due = case.and_then(|case| case.due_time);
    let types = types.of_tasks(tx, &caller.tenant, slice::from_ref(&task).iter()).await?;
    wire::proposals::fitting((&task, &types), &proposed, case_due, tx.now())?;
    let proposal = TaskProposal {
        proposal_id: tx.new_id(),
        task_id: task.task_id,
        proposed,
        reason: asked.reason,
        proposer: caller.subject.to_string(),
        proposed_at: tx.now(),
        state: ProposalState::Pending,
        decider: String::new(),
        decision_reason: String::new(),
        decided_at: None,
    };
    store::proposals::insert(tx, &proposal).await?;
    tx.join_trace(&task.traceparent);
    tx.emit(task.case_id.0, &wire::outbound::proposal_made(&task, &proposal));
    Ok(wire::proposals::proposal(&proposal))
}

/// What a proposal is about, locked.
struct Matter {
    plan: Option<Plan>,
    task: Task,
    proposal: TaskProposal,
}

/// The plan first, then the task: as whoever reports on it locks them.
async fn locked(tx: &mut Tx, task_id: Uuid) -> Result<(Option<Plan>, Task, Option<CaseView>), Fault> {
    let plan = store::plans::lock_of_tasks(tx, &[task_id]).await?.pop();
    let task = store::tasks::lock(tx, &[task_id]).await?.pop().ok_or(Refusal::TaskNotFound)?;
    let case = store::cases::read(tx, &[task.case_id.0]).await?.pop();
    Ok((plan, task, case))
}

/// What a proposal that somebody decides is about.
async fn decided(tx: &mut Tx, caller: &Caller, proposal_id: Uuid) -> Result<Matter, Fault> {
    let task_id = store::proposals::task_of(tx, proposal_id).await?.ok_or(Refusal::ProposalNotFound)?;
    let (plan, task, case) = locked(tx, task_id).await?;
    let proposal = store::proposals::lock(tx, proposal_id).await?.ok_or(Refusal::ProposalNotFound)?;
    case.map_or(Ok(()), |case| case.not_about(caller))?;
    tx.join_trace(&task.traceparent);
    Ok(Matter { plan, task, proposal })
}

async fn approve(
    db: &Db,
    context: MutationContext,
    (proposal_id, remark): (Uuid, String),
) -> Result<Response<ApproveTaskProposalResponse>, Fault> {
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let Matter { plan, mut task, mut proposal } = decided(&mut tx, &caller, proposal_id).await?;
            if proposal.proposed.kind() != ProposalKind::Extension {
                task.may_be_paid_by(plan.as_ref(), &caller.subject)?;
            }
            proposal.approve((&caller.subject, remark), &mut task, tx.now())?;
            store::proposals::save(&mut tx, &proposal).await?;
            tx.emit(task.case_id.0, &wire::outbound::proposal_decided(&task, &proposal));
            match task.state {
                TaskState::Completed => progress::task_ended(&mut tx, plan, &task).await?,
                TaskState::WrittenOff => {
                    tx.emit(task.case_id.0, &wire::outbound::task_written_off(&task, &proposal));
                    progress::task_ended(&mut tx, plan, &task).await?;
                }
                _ => store::tasks::save(&mut tx, slice::from_ref(&task)).await?,
            }
            let (proposal, task) = (wire::proposals::proposal(&proposal), wire::tasks::task(&task));
            Ok((tx, ApproveTaskProposalResponse { proposal: Some(proposal), task: Some(task) }))
        })
        .await?;
    Ok(server::reply(done))
}
