//! Supervision: the ladder, read and set, and how departments stand.

use fault::Fault;
use pg::Db;
use proto::redress::resolution::v1::supervision_service_server::SupervisionService;
use proto::redress::resolution::v1::{
    GetDepartmentBoardRequest, GetDepartmentBoardResponse, GetSupervisionRequest, GetSupervisionResponse,
    SetSupervisionRequest, SetSupervisionResponse,
};
use tonic::{Request, Response, Status};

use crate::refusal::Refusal;
use crate::{store, wire};

/// The rpcs over one schema.
pub(crate) struct DepartmentSupervision {
    db: Db,
}

impl DepartmentSupervision {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl SupervisionService for DepartmentSupervision {
    async fn get_supervision(
        &self,
        request: Request<GetSupervisionRequest>,
    ) -> Result<Response<GetSupervisionResponse>, Status> {
        let caller = server::caller(&request)?;
        let (version, supervision) = self
            .db
            .transact("resolution.get_supervision", &caller.tenant, async move |mut tx| {
                let found = store::supervision::get(&mut tx).await?;
                Ok((tx, found))
            })
            .await?;
        let supervision = Some(wire::supervision::supervision(version, &supervision));
        Ok(Response::new(GetSupervisionResponse { supervision }))
    }

    async fn set_supervision(
        &self,
        request: Request<SetSupervisionRequest>,
    ) -> Result<Response<SetSupervisionResponse>, Status> {
        Ok(set(&self.db, request).await?)
    }

    async fn get_department_board(
        &self,
        request: Request<GetDepartmentBoardRequest>,
    ) -> Result<Response<GetDepartmentBoardResponse>, Status> {
        let caller = server::caller(&request)?;
        let department_id = wire::supervision::reading(request.into_inner())?;
        server::seeing(&caller, &department_id)?;
        let (queue, standing, supervision) = self
            .db
            .transact("resolution.get_department_board", &caller.tenant, async move |mut tx| {
                let queue = store::departments::queue(&mut tx, &department_id).await?;
                let queue = queue.ok_or(Refusal::DepartmentNotFound)?;
                let now = tx.now();
                let standing = store::supervision::standing(&mut tx, &department_id, now).await?;
                let (_, supervision) = store::supervision::get(&mut tx).await?;
                Ok((tx, (queue, standing, supervision)))
            })
            .await?;
        let board = Some(wire::supervision::board(&queue, &standing, &supervision));
        Ok(Response::new(GetDepartmentBoardResponse { board }))
    }
}

async fn set(
    db: &Db,
    request: Request<SetSupervisionRequest>,
) -> Result<Response<SetSupervisionResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (supervision, seen) = wire::supervision::setting(request)?;
    let done = db
        .mutate(context, async move |mut tx, _| {
            let Some(version) = store::supervision::set(&mut tx, seen, &supervision).await? else {
                let (current, _) = store::supervision::get(&mut tx).await?;
                return Err(Fault::version_mismatch(current));
            };
            let supervision = Some(wire::supervision::supervision(version, &supervision));
            Ok((tx, SetSupervisionResponse { supervision }))
        })
        .await?;
    Ok(server::reply(done))
}
