//! Departments' queues: read, paused, resumed.

use fault::Fault;
use pg::Db;
use proto::redress::resolution::v1::department_service_server::DepartmentService;
use proto::redress::resolution::v1::{
    GetDepartmentQueueRequest, GetDepartmentQueueResponse, PauseDepartmentRequest, PauseDepartmentResponse,
    ResumeDepartmentRequest, ResumeDepartmentResponse,
};
use tonic::{Request, Response, Status};

use crate::department::{Pause, Resumed, must_not_be_paused, of_kind};
use crate::flow::progress;
use crate::refusal::Refusal;
use crate::{store, wire};

/// The rpcs over one schema.
pub(crate) struct DepartmentQueues {
    db: Db,
}

impl DepartmentQueues {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl DepartmentService for DepartmentQueues {
    async fn get_department_queue(
        &self,
        request: Request<GetDepartmentQueueRequest>,
    ) -> Result<Response<GetDepartmentQueueResponse>, Status> {
        let caller = server::caller(&request)?;
        let department_id = wire::departments::reading(request.into_inner())?;
        server::seeing(&caller, &department_id)?;
        let queue = self
            .db
            .transact("resolution.get_department_queue", &caller.tenant, async move |mut tx| {
                let queue = store::departments::queue(&mut tx, &department_id).await?;
                Ok((tx, queue.ok_or(Refusal::DepartmentNotFound)?))
            })
            .await?;
        Ok(Response::new(GetDepartmentQueueResponse { queue: Some(wire::departments::queue(&queue)) }))
    }

    async fn pause_department(
        &self,
        request: Request<PauseDepartmentRequest>,
    ) -> Result<Response<PauseDepartmentResponse>, Status> {
        Ok(pause(&self.db, request).await?)
    }

    async fn resume_department(
        &self,
        request: Request<ResumeDepartmentRequest>,
    ) -> Result<Response<ResumeDepartmentResponse>, Status> {
        Ok(resume(&self.db, request).await?)
    }
}

async fn pause(
    db: &Db,
    request: Request<PauseDepartmentRequest>,
) -> Result<Response<PauseDepartmentResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let turn = wire::departments::pausing(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let watch = store::departments::lock(&mut tx, &turn.department_id).await?;
            let watch = watch.ok_or(Refusal::DepartmentNotFound)?;
            let pauses = store::departments::pauses(&mut tx, &turn.department_id).await?;
            must_not_be_paused(&pauses, turn.kind)?;
            let pause = Pause {
                pause_id: tx.new_id(),
                department_id: turn.department_id,
                kind: turn.kind,
                reason: turn.reason,
                by: caller.subject.to_string(),
                at: tx.now(),
                resumed: None,
            };
            store::departments::insert_pause(&mut tx, &pause).await?;
            tx.emit(watch, &wire::departments::paused(&pause));
            Ok((tx, PauseDepartmentResponse { pause: Some(wire::departments::pause(&pause)) }))
        })
        .await?;
    Ok(server::reply(done))
}

async fn resume(
    db: &Db,
    request: Request<ResumeDepartmentRequest>,
) -> Result<Response<ResumeDepartmentResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let turn = wire::departments::resuming(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let watch = store::departments::lock(&mut tx, &turn.department_id).await?;
            let watch = watch.ok_or(Refusal::DepartmentNotFound)?;
            let pauses = store::departments::pauses(&mut tx, &turn.department_id).await?;
            let pause = of_kind(pauses, turn.kind)?;
            let resumed = Resumed { by: caller.subject.to_string(), reason: turn.reason, at: tx.now() };
            store::departments::resume(&mut tx, pause.pause_id, &resumed).await?;
            let pause = Pause { resumed: Some(resumed), ..pause };
            tx.emit(watch, &wire::departments::resumed(&pause));
            tx.notify(progress::TASKS);
            Ok((tx, ResumeDepartmentResponse { pause: Some(wire::departments::pause(&pause)) }))
        })
        .await?;
    Ok(server::reply(done))
}
