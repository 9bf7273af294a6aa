//! Types of remedy of a tenant's own: set, disabled, read.

use std::sync::Arc;

use fault::Fault;
use pg::{Db, Tx};
use proto::redress::resolution::v1::remedy_type_service_server::RemedyTypeService;
use proto::redress::resolution::v1::{
    DisableRemedyTypeRequest, DisableRemedyTypeResponse, GetRemedyTypeRequest, GetRemedyTypeResponse,
    ListRemedyTypesRequest, ListRemedyTypesResponse, RemedyType as WireRemedyType, SetRemedyTypeRequest,
    SetRemedyTypeResponse,
};
use server::Length;
use tonic::{Request, Response, Status};

use crate::flow::departments::Departments;
use crate::refusal::Refusal;
use crate::remedy_type::RemedyType;
use crate::{store, wire};

/// The rpcs over one schema.
pub(crate) struct RemedyTypeRpc {
    db: Db,
    departments: Arc<Departments>,
}

impl RemedyTypeRpc {
    pub(crate) fn new(db: Db, departments: Arc<Departments>) -> Self {
        Self { db, departments }
    }
}

#[tonic::async_trait]
impl RemedyTypeService for RemedyTypeRpc {
    async fn set_remedy_type(
        &self,
        request: Request<SetRemedyTypeRequest>,
    ) -> Result<Response<SetRemedyTypeResponse>, Status> {
        Ok(set(&self.db, &self.departments, request).await?)
    }

    async fn get_remedy_type(
        &self,
        request: Request<GetRemedyTypeRequest>,
    ) -> Result<Response<GetRemedyTypeResponse>, Status> {
        let caller = server::caller(&request)?;
        let (type_id, version) = wire::remedy_types::reading(request.into_inner())?;
        let kept = self
            .db
            .transact("resolution.get_remedy_type", &caller.tenant, async move |mut tx| {
                let kept = shown(&mut tx, &type_id, version).await?;
                Ok((tx, kept))
            })
            .await?;
        Ok(Response::new(GetRemedyTypeResponse { remedy_type: Some(kept) }))
    }

    async fn list_remedy_types(
        &self,
        request: Request<ListRemedyTypesRequest>,
    ) -> Result<Response<ListRemedyTypesResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::remedy_types::TypeQuery { page, after } =
            wire::remedy_types::listing(request.into_inner())?;
        let limit = page.limit();
        let found = self
            .db
            .transact("resolution.list_remedy_types", &caller.tenant, async move |mut tx| {
                let found = store::remedy_types::list(&mut tx, &after, limit).await?;
                Ok((tx, found))
            })
            .await?;
        let found = found.iter().map(|one| (one.type_id.clone(), wire::remedy_types::remedy_type(one)));
        let (remedy_types, next_page_token) = server::page(&page, found);
        Ok(Response::new(ListRemedyTypesResponse { remedy_types, next_page_token }))
    }

    async fn disable_remedy_type(
        &self,
        request: Request<DisableRemedyTypeRequest>,
    ) -> Result<Response<DisableRemedyTypeResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let target = wire::remedy_types::disabling(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let newest = lock(&mut tx, &target.type_id, target.seen).await?;
                newest.ok_or(Refusal::RemedyTypeNotFound)?;
                let now = tx.now();
                store::remedy_types::disable(&mut tx, &target.type_id, now).await?;
                let kept = shown(&mut tx, &target.type_id, 0).await?;
                Ok((tx, DisableRemedyTypeResponse { remedy_type: Some(kept) }))
            })
            .await?;
        Ok(server::reply(done))
    }
}

async fn set(
    db: &Db,
    departments: &Departments,
    request: Request<SetRemedyTypeRequest>,
) -> Result<Response<SetRemedyTypeResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (tenant, creator) = (context.caller.tenant.clone(), context.caller.subject.to_string());
    let read = move || wire::remedy_types::setting(request, creator);
    let (new, seen) = server::blocking(&tenant, Length::Quick, "remedy_type.read", read).await??;
    if let Some(department_id) = &new.department_id {
        departments.ensure(db, &tenant, department_id).await?;
    }
    let done = db
        .mutate(context, async move |mut tx, _| {
            lock(&mut tx, &new.type_id, seen).await?;
            let new = RemedyType { created_at: tx.now(), ..new };
            let version = store::remedy_types::insert(&mut tx, &new).await?;
            let kept = wire::remedy_types::remedy_type(&RemedyType { version, ..new });
            Ok((tx, SetRemedyTypeResponse { remedy_type: Some(kept) }))
        })
        .await?;
    Ok(server::reply(done))
}

/// Has the caller take turns with others who set or disable types, and refuses one who has
/// seen another version; answers the version that holds, if there is one.
async fn lock(tx: &mut Tx, type_id: &str, seen: Option<i64>) -> Result<Option<i64>, Fault> {
    store::remedy_types::take_turns(tx).await?;
    let newest = store::remedy_types::newest(tx, type_id).await?;
    match seen {
        Some(seen) if seen != newest.unwrap_or(0) => Err(Fault::version_mismatch(newest.unwrap_or(0))),
        _ => Ok(newest),
    }
}

async fn shown(tx: &mut Tx, type_id: &str, version: i64) -> Result<WireRemedyType, Fault> {
    let kept = store::remedy_types::get(tx, type_id, version).await?.ok_or(Refusal::RemedyTypeNotFound)?;
    Ok(wire::remedy_types::remedy_type(&kept))
}
