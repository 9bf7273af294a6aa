//! The rpcs of `DirectoryService`.

use fault::Fault;
use kernel::{CaseId, TenantId};
use pg::Db;
use proto::redress::cases::v1::directory_service_server::DirectoryService;
use proto::redress::cases::v1::{
    DeleteDirectoryRequest, DeleteDirectoryResponse, GetCaseDirectoryRequest, GetCaseDirectoryResponse,
    GetDirectoryRequest, GetDirectoryResponse, LookUpDirectoryRequest, LookUpDirectoryResponse,
    SetDirectoryRequest, SetDirectoryResponse,
};
use tonic::{Request, Response, Status};

use crate::directory::{Directory, SETTLED};
use crate::flow::directories::{self as flow, Carrier};
use crate::refusal::Refusal;
use crate::store;
use crate::wire::{self, directories as wire_directories};

/// The rpcs of `DirectoryService`.
#[derive(Clone)]
pub(crate) struct Directories {
    db: Db,
    carrier: Carrier,
}

impl Directories {
    /// Serves the directories of a schema's tenants.
    pub(crate) fn new(db: Db, carrier: Carrier) -> Self {
        Self { db, carrier }
    }

    async fn directory(&self, tenant: &TenantId) -> Result<Directory, Fault> {
        self.db
            .transact("directory.get", tenant, async move |mut tx| {
                let directory = store::directories::get(&mut tx).await?;
                Ok((tx, directory.ok_or(Refusal::DirectoryNotFound)?))
            })
            .await
    }

    /// Whether this call is the one that asks about a case: of several at once one does.
    async fn begin(&self, tenant: &TenantId, case: CaseId) -> Result<bool, Fault> {
        self.db
            .transact("directory.question", tenant, async move |mut tx| {
                let now = tx.now();
                let since = now.saturating_sub(SETTLED).unwrap_or(now);
                let begun = store::directories::begin_question(&mut tx, case, (now, since)).await?;
                Ok((tx, begun))
            })
            .await
    }
}

#[tonic::async_trait]
impl DirectoryService for Directories {
    async fn set_directory(
        &self,
        request: Request<SetDirectoryRequest>,
    ) -> Result<Response<SetDirectoryResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (setting, seen) = wire_directories::setting(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let present = store::directories::lock(&mut tx).await?;
                let version = present.as_ref().map_or(0, |present| present.version);
                if seen.is_some_and(|seen| seen != version) {
                    return Err(Fault::version_mismatch(version));
                }
                let directory = setting.set(present.as_ref(), tx.now());
                store::directories::save(&mut tx, &directory).await?;
                let directory = Some(wire_directories::directory(&directory));
                Ok((tx, SetDirectoryResponse { directory }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_directory(
        &self,
        request: Request<GetDirectoryRequest>,
    ) -> Result<Response<GetDirectoryResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetDirectoryRequest {} = request.into_inner();
        let directory = self.directory(&caller.tenant).await?;
        Ok(Response::new(GetDirectoryResponse { directory: Some(wire_directories::directory(&directory)) }))
    }

    async fn delete_directory(
        &self,
        request: Request<DeleteDirectoryRequest>,
    ) -> Result<Response<DeleteDirectoryResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let seen = wire_directories::deletion(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let present = store::directories::lock(&mut tx).await?.ok_or(Refusal::DirectoryNotFound)?;
                if seen.is_some_and(|seen| seen != present.version) {
                    return Err(Fault::version_mismatch(present.version));
                }
                store::directories::delete(&mut tx).await?;
                Ok((tx, DeleteDirectoryResponse {}))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn look_up_directory(
        &self,
        request: Request<LookUpDirectoryRequest>,
    ) -> Result<Response<LookUpDirectoryResponse>, Status> {
        let caller = server::caller(&request)?;
        let named = wire_directories::question(request.into_inner())?;
        let directory = self.directory(&caller.tenant).await?;
        let heard = self.carrier.ask(&directory, &caller.tenant, &named).await;
        let now = self.db.clock().now();
        let snapshot = Some(wire_directories::said(&heard, now)?);
        Ok(Response::new(LookUpDirectoryResponse { snapshot }))
    }

    async fn get_case_directory(
        &self,
        request: Request<GetCaseDirectoryRequest>,
    ) -> Result<Response<GetCaseDirectoryResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetCaseDirectoryRequest { case_id, refresh } = request.into_inner();
        let id = wire::case_id(&case_id)?;
        let (directory, lookup) = self
            .db
            .transact("directory.case", &caller.tenant, async move |mut tx| {
                let case = store::get(&mut tx, id).await?.ok_or(Refusal::CaseNotFound)?;
                let directory = store::directories::get(&mut tx).await?;
                let mut lookup = store::directories::lookup(&mut tx, id).await?;
                let (customer_id, is_set) = (&case.origin.customer_id, directory.is_some());
                if refresh && is_set && lookup.is_none() && !customer_id.is_empty() {
                    store::directories::begin_late(&mut tx, id, customer_id, case.open_time).await?;
                    lookup = store::directories::lookup(&mut tx, id).await?;
                }
                Ok((tx, (directory, lookup)))
            })
            .await?;
        let Some(mut lookup) = lookup else { return Ok(Response::new(GetCaseDirectoryResponse::default())) };
        let now = self.db.clock().now();
        let is_stale = |max_age| lookup.is_stale(max_age, refresh, now);
        if directory.is_some_and(|directory| is_stale(directory.max_age))
            && self.begin(&caller.tenant, id).await?
            && let Some(asked) = flow::ask(&self.db, &self.carrier, &caller.tenant, id).await?
        {
            lookup = asked;
        }
        let now = self.db.clock().now();
        Ok(Response::new(wire_directories::lookup(&lookup, now)?))
    }
}
