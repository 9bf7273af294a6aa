//! One function per rpc: parse → transact → render.

mod approvals;
mod departments;
mod endpoints;
mod investigations;
mod ledger;
mod limits;
mod plans;
mod proposals;
mod recalls;
mod remedy_types;
mod revisions;
mod statements;
mod stock;
mod supervision;
mod tasks;

use std::sync::Arc;

use pg::{Db, Group};
use proto::redress::resolution::v1::resolution_service_server::ResolutionService;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, ApprovePlanResponse, CancelPlanRequest, CancelPlanResponse, CompleteTaskRequest,
    CompleteTaskResponse, FailTaskRequest, FailTaskResponse, GetApprovalLimitsRequest,
    GetApprovalLimitsResponse, GetPlanRequest, GetPlanResponse, GetTaskRequest, GetTaskResponse,
    HeartbeatRequest, HeartbeatResponse, ListPlansRequest, ListPlansResponse, ListTasksRequest,
    ListTasksResponse, PollTasksRequest, PollTasksResponse, ProposePlanRequest, ProposePlanResponse,
    RejectPlanRequest, RejectPlanResponse, RejectTaskRequest, RejectTaskResponse, RequeueTaskRequest,
    RequeueTaskResponse, SetApprovalLimitsRequest, SetApprovalLimitsResponse, SettleTaskRequest,
    SettleTaskResponse, StreamTasksRequest,
};
use tonic::{Request, Response, Status};

use crate::flow::approval_policies::ApprovalPolicies;
use crate::flow::departments::Departments;
use crate::flow::remedy_types::TypesInUse;
use crate::poll_fairness::PollFairness;
pub(crate) use ledger::Ledger;
use plans::{Approvals, Proposals};
use tasks::{Completions, Leases, Streams};

pub(crate) use approvals::PlanApprovals;
pub(crate) use departments::DepartmentQueues;
pub(crate) use endpoints::Endpoints;
pub(crate) use investigations::Investigations;
pub(crate) use proposals::TaskProposals;
pub(crate) use recalls::Recalls;
pub(crate) use remedy_types::RemedyTypeRpc;
pub(crate) use revisions::PlanRevisions;
pub(crate) use stock::Stock;
pub(crate) use supervision::DepartmentSupervision;

/// The rpcs over one schema.
pub(crate) struct Resolution {
    db: Db,
    proposals: Arc<Group<Proposals>>,
    approvals: Arc<Group<Approvals>>,
    completions: Arc<Group<Completions>>,
    fairness: PollFairness,
    departments: Arc<Departments>,
    types: Arc<TypesInUse>,
    streams: Streams,
}

impl Resolution {
    pub(crate) fn new(
        db: Db,
        departments: Arc<Departments>,
        types: Arc<TypesInUse>,
        policies: Arc<ApprovalPolicies>,
    ) -> Self {
        Self {
            proposals: Group::new(
                db.clone(),
                Proposals { policies: Arc::clone(&policies), types: Arc::clone(&types) },
            ),
            approvals: Group::new(db.clone(), Approvals(policies)),
            completions: Group::new(db.clone(), Completions(Arc::clone(&types))),
            streams: Streams::new(db.clone(), departments.clone()),
            db,
            fairness: PollFairness::default(),
            departments,
            types,
        }
    }
}

#[tonic::async_trait]
impl ResolutionService for Resolution {
    async fn propose_plan(
        &self,
        request: Request<ProposePlanRequest>,
    ) -> Result<Response<ProposePlanResponse>, Status> {
        Ok(plans::propose(&self.proposals, request).await?)
    }

    async fn approve_plan(
        &self,
        request: Request<ApprovePlanRequest>,
    ) -> Result<Response<ApprovePlanResponse>, Status> {
        Ok(plans::approve(&self.approvals, request).await?)
    }

    async fn reject_plan(
        &self,
        request: Request<RejectPlanRequest>,
    ) -> Result<Response<RejectPlanResponse>, Status> {
        Ok(plans::reject(&self.db, request).await?)
    }

    async fn cancel_plan(
        &self,
        request: Request<CancelPlanRequest>,
    ) -> Result<Response<CancelPlanResponse>, Status> {
        Ok(plans::cancel(&self.db, request).await?)
    }

    async fn get_plan(&self, request: Request<GetPlanRequest>) -> Result<Response<GetPlanResponse>, Status> {
        Ok(plans::get(&self.db, request).await?)
    }

    async fn list_plans(
        &self,
        request: Request<ListPlansRequest>,
    ) -> Result<Response<ListPlansResponse>, Status> {
        Ok(plans::list(&self.db, request).await?)
    }

    async fn get_approval_limits(
        &self,
        request: Request<GetApprovalLimitsRequest>,
    ) -> Result<Response<GetApprovalLimitsResponse>, Status> {
        Ok(limits::get(&self.db, request).await?)
    }

    async fn set_approval_limits(
        &self,
        request: Request<SetApprovalLimitsRequest>,
    ) -> Result<Response<SetApprovalLimitsResponse>, Status> {
        Ok(limits::set(&self.db, request).await?)
    }

    async fn poll_tasks(
        &self,
        request: Request<PollTasksRequest>,
    ) -> Result<Response<PollTasksResponse>, Status> {
        Ok(tasks::poll(&self.db, &self.fairness, &self.departments, request).await?)
    }

    type StreamTasksStream = Leases;

    async fn stream_tasks(&self, request: Request<StreamTasksRequest>) -> Result<Response<Leases>, Status> {
        Ok(self.streams.stream(request).await?)
    }

    async fn heartbeat(
        &self,
        request: Request<HeartbeatRequest>,
    ) -> Result<Response<HeartbeatResponse>, Status> {
        Ok(tasks::heartbeat(&self.db, request).await?)
    }

    async fn complete_task(
        &self,
        request: Request<CompleteTaskRequest>,
    ) -> Result<Response<CompleteTaskResponse>, Status> {
        Ok(tasks::complete(&self.completions, request).await?)
    }

    async fn fail_task(
        &self,
        request: Request<FailTaskRequest>,
    ) -> Result<Response<FailTaskResponse>, Status> {
        Ok(tasks::fail(&self.db, request).await?)
    }

    async fn reject_task(
        &self,
        request: Request<RejectTaskRequest>,
    ) -> Result<Response<RejectTaskResponse>, Status> {
        Ok(tasks::reject(&self.db, request).await?)
    }

    async fn settle_task(
        &self,
        request: Request<SettleTaskRequest>,
    ) -> Result<Response<SettleTaskResponse>, Status> {
        Ok(tasks::settle(&self.db, &self.types, request).await?)
    }

    async fn requeue_task(
        &self,
        request: Request<RequeueTaskRequest>,
    ) -> Result<Response<RequeueTaskResponse>, Status> {
        Ok(tasks::requeue(&self.db, &self.departments, request).await?)
    }

    async fn get_task(&self, request: Request<GetTaskRequest>) -> Result<Response<GetTaskResponse>, Status> {
        Ok(tasks::get(&self.db, request).await?)
    }

    async fn list_tasks(
        &self,
        request: Request<ListTasksRequest>,
    ) -> Result<Response<ListTasksResponse>, Status> {
        Ok(tasks::list(&self.db, &self.departments, request).await?)
    }
}
