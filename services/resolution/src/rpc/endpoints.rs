//! Endpoints of departments: set, read, paused, taken away; and what was brought to them.

mod deliveries;

use std::sync::Arc;

use fault::Fault;
use pg::{Db, Tx};
use proto::redress::resolution::v1::endpoint_service_server::EndpointService;
use proto::redress::resolution::v1::{
    DeleteEndpointRequest, DeleteEndpointResponse, GetEndpointRequest, GetEndpointResponse,
    ListDeliveriesRequest, ListDeliveriesResponse, ListEndpointsRequest, ListEndpointsResponse,
    PauseEndpointRequest, PauseEndpointResponse, RedeliverTaskRequest, RedeliverTaskResponse,
    ResumeEndpointRequest, ResumeEndpointResponse, RotateEndpointSecretRequest, RotateEndpointSecretResponse,
    SetEndpointRequest, SetEndpointResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::endpoint::{Endpoint, EndpointPause};
use crate::flow::departments::Departments;
use crate::flow::progress;
use crate::refusal::Refusal;
use crate::{store, wire};

/// The rpcs over one schema.
pub(crate) struct Endpoints {
    db: Db,
    departments: Arc<Departments>,
}

impl Endpoints {
    pub(crate) fn new(db: Db, departments: Arc<Departments>) -> Self {
        Self { db, departments }
    }
}

#[tonic::async_trait]
impl EndpointService for Endpoints {
    async fn set_endpoint(
        &self,
        request: Request<SetEndpointRequest>,
    ) -> Result<Response<SetEndpointResponse>, Status> {
        Ok(set(&self.db, request).await?)
    }

    async fn get_endpoint(
        &self,
        request: Request<GetEndpointRequest>,
    ) -> Result<Response<GetEndpointResponse>, Status> {
        let caller = server::caller(&request)?;
        let department_id = wire::endpoints::reading(request.into_inner())?;
        let endpoint = self
            .db
            .transact("resolution.get_endpoint", &caller.tenant, async move |mut tx| {
                let endpoint = store::endpoints::get(&mut tx, &department_id).await?;
                Ok((tx, endpoint.ok_or(Refusal::EndpointNotFound)?))
            })
            .await?;
        Ok(Response::new(GetEndpointResponse { endpoint: Some(wire::endpoints::endpoint(&endpoint)) }))
    }

    async fn list_endpoints(
        &self,
        request: Request<ListEndpointsRequest>,
    ) -> Result<Response<ListEndpointsResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::endpoints::EndpointQuery { page, after } = wire::endpoints::listing(request.into_inner())?;
        let limit = page.limit();
        let found = self
            .db
            .transact("resolution.list_endpoints", &caller.tenant, async move |mut tx| {
                let found = store::endpoints::list(&mut tx, &after, limit).await?;
                Ok((tx, found))
            })
            .await?;
        let found = found.iter().map(|one| (one.department_id.clone(), wire::endpoints::endpoint(one)));
        let (endpoints, next_page_token) = server::page(&page, found);
        Ok(Response::new(ListEndpointsResponse { endpoints, next_page_token }))
    }

    async fn rotate_endpoint_secret(
        &self,
        request: Request<RotateEndpointSecretRequest>,
    ) -> Result<Response<RotateEndpointSecretResponse>, Status> {
        Ok(rotate(&self.db, request).await?)
    }

    async fn pause_endpoint(
        &self,
        request: Request<PauseEndpointRequest>,
    ) -> Result<Response<PauseEndpointResponse>, Status> {
        Ok(pause(&self.db, request).await?)
    }

    async fn resume_endpoint(
        &self,
        request: Request<ResumeEndpointRequest>,
    ) -> Result<Response<ResumeEndpointResponse>, Status> {
        Ok(resume(&self.db, request).await?)
    }

    async fn delete_endpoint(
        &self,
        request: Request<DeleteEndpointRequest>,
    ) -> Result<Response<DeleteEndpointResponse>, Status> {
        Ok(delete(&self.db, request).await?)
    }

    async fn list_deliveries(
        &self,
        request: Request<ListDeliveriesRequest>,
    ) -> Result<Response<ListDeliveriesResponse>, Status> {
        Ok(deliveries::list(&self.db, &self.departments, request).await?)
    }

    async fn redeliver_task(
        &self,
        request: Request<RedeliverTaskRequest>,
    ) -> Result<Response<RedeliverTaskResponse>, Status> {
        Ok(deliveries::redeliver(&self.db, request).await?)
    }
}

/// A department's endpoint, locked.
async fn lock(tx: &mut Tx, department_id: &str) -> Result<Endpoint, Fault> {
    Ok(store::endpoints::lock(tx, department_id).await?.ok_or(Refusal::EndpointNotFound)?)
}

/// The subject of events about a department. After its endpoint, where that is locked too.
async fn watch(tx: &mut Tx, department_id: &str) -> Result<Uuid, Fault> {
    Ok(store::departments::lock(tx, department_id).await?.ok_or(Refusal::DepartmentNotFound)?)
}

/// Has what waits for a department looked at now.
async fn wake(tx: &mut Tx, department_id: &str) -> Result<(), Fault> {
    let now = tx.now();
    store::deliveries::wake(tx, department_id, now).await?;
    tx.notify(progress::DELIVERIES);
    Ok(())
}

async fn set(db: &Db, request: Request<SetEndpointRequest>) -> Result<Response<SetEndpointResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (setting, seen) = wire::endpoints::setting(request)?;
    let done = db
        .mutate(context, async move |mut tx, _| {
            let present = store::endpoints::lock(&mut tx, &setting.department_id).await?;
            watch(&mut tx, &setting.department_id).await?;
            // Two who set the first one take turns there, and the second sees it.
            let present = match present {
                None => store::endpoints::lock(&mut tx, &setting.department_id).await?,
                present => present,
            };
            match (&present, seen) {
                (Some(present), seen) => present.seen_as(seen)?,
                (None, Some(seen)) if seen != 0 => return Err(Fault::version_mismatch(0)),
                (None, _) => {}
            }
            wire::endpoints::fitting(&setting, present.as_ref())?;
            let endpoint = setting.set(present, tx.now());
            store::endpoints::save(&mut tx, &endpoint).await?;
            wake(&mut tx, &endpoint.department_id).await?;
            Ok((tx, SetEndpointResponse { endpoint: Some(wire::endpoints::endpoint(&endpoint)) }))
        })
        .await?;
    Ok(server::reply(done))
}

async fn rotate(
    db: &Db,
    request: Request<RotateEndpointSecretRequest>,
) -> Result<Response<RotateEndpointSecretResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let rotation = wire::endpoints::rotation(request)?;
    let done = db
        .mutate(context, async move |mut tx, _| {
            let mut endpoint = lock(&mut tx, &rotation.department_id).await?;
            endpoint.seen_as(rotation.seen)?;
            let (secret, keep) = wire::endpoints::new_secret(rotation, endpoint.kind)?;
            endpoint.rotate(secret, keep, tx.now());
            store::endpoints::save(&mut tx, &endpoint).await?;
            Ok((tx, RotateEndpointSecretResponse { endpoint: Some(wire::endpoints::endpoint(&endpoint)) }))
        })
        .await?;
    Ok(server::reply(done))
}

async fn pause(
    db: &Db,
    request: Request<PauseEndpointRequest>,
) -> Result<Response<PauseEndpointResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let turn = wire::endpoints::pausing(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let mut endpoint = lock(&mut tx, &turn.department_id).await?;
            let pause = EndpointPause { reason: turn.reason, by: caller.subject.to_string(), at: tx.now() };
            endpoint.pause(pause.clone())?;
            store::endpoints::save(&mut tx, &endpoint).await?;
            let watch = watch(&mut tx, &turn.department_id).await?;
            tx.emit(watch, &wire::endpoints::paused(&endpoint, &pause));
            wake(&mut tx, &endpoint.department_id).await?;
            Ok((tx, PauseEndpointResponse { endpoint: Some(wire::endpoints::endpoint(&endpoint)) }))
        })
        .await?;
    Ok(server::reply(done))
}

async fn resume(
    db: &Db,
    request: Request<ResumeEndpointRequest>,
) -> Result<Response<ResumeEndpointResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let turn = wire::endpoints::resuming(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let mut endpoint = lock(&mut tx, &turn.department_id).await?;
            endpoint.resume(tx.now())?;
            store::endpoints::save(&mut tx, &endpoint).await?;
            let watch = watch(&mut tx, &turn.department_id).await?;
            tx.emit(watch, &wire::endpoints::resumed(&turn.department_id, &caller.subject, turn.reason));
            wake(&mut tx, &endpoint.department_id).await?;
            Ok((tx, ResumeEndpointResponse { endpoint: Some(wire::endpoints::endpoint(&endpoint)) }))
        })
        .await?;
    Ok(server::reply(done))
}

async fn delete(
    db: &Db,
    request: Request<DeleteEndpointRequest>,
) -> Result<Response<DeleteEndpointResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (department_id, seen) = wire::endpoints::deletion(request)?;
    let done = db
        .mutate(context, async move |mut tx, _| {
            let endpoint = lock(&mut tx, &department_id).await?;
            endpoint.seen_as(seen)?;
            store::endpoints::delete(&mut tx, &department_id).await?;
            wake(&mut tx, &department_id).await?;
            Ok((tx, DeleteEndpointResponse { endpoint: Some(wire::endpoints::endpoint(&endpoint)) }))
        })
        .await?;
    Ok(server::reply(done))
}
