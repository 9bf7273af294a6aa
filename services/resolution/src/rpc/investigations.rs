//! What departments are asked on a case: asked, taken back, read.

use std::slice;

use fault::Fault;
use kernel::TaskId;
use pg::Db;
use proto::redress::resolution::v1::investigation_service_server::InvestigationService;
use proto::redress::resolution::v1::{
    CancelInvestigationRequest, CancelInvestigationResponse, ListInvestigationsRequest,
    ListInvestigationsResponse, RequestInvestigationRequest, RequestInvestigationResponse,
};
use tonic::{Request, Response, Status};

use crate::flow::progress;
use crate::refusal::Refusal;
use crate::remedy::RemedyKind;
use crate::wire::investigations::InvestigationListQuery;
use crate::{store, wire};

/// The rpcs over one schema.
pub(crate) struct Investigations {
    db: Db,
}

impl Investigations {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl InvestigationService for Investigations {
    async fn request_investigation(
        &self,
        request: Request<RequestInvestigationRequest>,
    ) -> Result<Response<RequestInvestigationResponse>, Status> {
        Ok(ask(&self.db, request).await?)
    }

    async fn cancel_investigation(
        &self,
        request: Request<CancelInvestigationRequest>,
    ) -> Result<Response<CancelInvestigationResponse>, Status> {
        Ok(cancel(&self.db, request).await?)
    }

    async fn list_investigations(
        &self,
        request: Request<ListInvestigationsRequest>,
    ) -> Result<Response<ListInvestigationsResponse>, Status> {
        Ok(list(&self.db, request).await?)
    }
}

/// The case is held until the request is stored: one that ends meanwhile finds the request
/// to cancel.
async fn ask(
    db: &Db,
    request: Request<RequestInvestigationRequest>,
) -> Result<Response<RequestInvestigationResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (case_id, question) = wire::investigations::request(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let case = store::cases::lock(&mut tx, &[case_id.0]).await?.pop();
            let case = case.ok_or(Refusal::CaseNotFound)?;
            case.must_be_worked_by(&caller)?;
            case.must_take_an_investigation(store::investigations::count_open(&mut tx, case_id).await?)?;
            wire::investigations::fitting(&question, tx.now())?;
            if store::departments::known(&mut tx, &[&question.department_id]).await?.is_empty() {
                return Err(Refusal::DepartmentNotFound.into());
            }
            let task = question.asked(TaskId(tx.new_id()), &case, &caller.subject, tx.now());
            store::tasks::insert(&mut tx, slice::from_ref(&task)).await?;
            tx.join_trace(&task.traceparent);
            tx.emit(case_id.0, &wire::outbound::investigation_requested(&task));
            tx.notify(progress::TASKS);
            Ok((tx, RequestInvestigationResponse { task: Some(wire::tasks::task(&task)) }))
        })
        .await?;
    Ok(server::reply(done))
}

async fn cancel(
    db: &Db,
    request: Request<CancelInvestigationRequest>,
) -> Result<Response<CancelInvestigationResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (task_id, reason) = wire::investigations::cancellation(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let task = store::tasks::lock(&mut tx, &[task_id.0]).await?.pop();
            let task = task.filter(|task| task.remedy.kind == RemedyKind::Investigation);
            let mut task = task.ok_or(Refusal::TaskNotFound)?;
            let case = store::cases::read(&mut tx, &[task.case_id.0]).await?.pop();
            case.ok_or(Refusal::CaseNotFound)?.must_be_worked_by(&caller)?;
            task.must_be_open()?;
            let before = task.version;
            task.cancel();
            if task.version != before {
                store::tasks::save(&mut tx, slice::from_ref(&task)).await?;
                progress::tell_holders(&mut tx, slice::from_ref(&task)).await?;
                tx.join_trace(&task.traceparent);
                tx.emit(task.case_id.0, &wire::outbound::investigation_cancelled(&task, &reason));
            }
            Ok((tx, CancelInvestigationResponse { task: Some(wire::tasks::task(&task)) }))
        })
        .await?;
    Ok(server::reply(done))
}

async fn list(
    db: &Db,
    request: Request<ListInvestigationsRequest>,
) -> Result<Response<ListInvestigationsResponse>, Fault> {
    let caller = server::caller(&request)?;
    let query = wire::investigations::listing(request.into_inner())?;
    let InvestigationListQuery { case_id, open_only, page, after } = query;
    let limit = page.limit();
    let tasks = db
        .transact("resolution.list_investigations", &caller.tenant, async move |mut tx| {
            let tasks = store::investigations::list(&mut tx, (case_id, open_only), after, limit).await?;
            Ok((tx, tasks))
        })
        .await?;
    let tasks = tasks.iter().map(|task| (task.task_id.to_string(), wire::tasks::task(task)));
    let (tasks, next_page_token) = server::page(&page, tasks);
    Ok(Response::new(ListInvestigationsResponse { tasks, next_page_token }))
}
