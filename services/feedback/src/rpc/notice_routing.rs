//! The rpcs of `NoticeRoutingService`.

use pg::Db;
use proto::redress::feedback::v1::notice_routing_service_server::NoticeRoutingService;
use proto::redress::feedback::v1::{
    ActivateNoticeRoutingRequest, ActivateNoticeRoutingResponse, CreateNoticeRoutingRequest,
    CreateNoticeRoutingResponse, GetNoticeRoutingRequest, GetNoticeRoutingResponse,
};
use tonic::{Request, Response, Status};

use super::revisions::{self, Settled};
use crate::notice::routing::Routing;
use crate::refusal::Refusal;
use crate::revision::Subject;
use crate::wire;

const ROUTING: Settled<'static> =
    Settled { subject: Subject::NoticeRouting, name: "", missing: Refusal::NoticeRoutingNotFound };

/// Serves by which means notices go.
pub(crate) struct NoticeRoutings {
    db: Db,
}

impl NoticeRoutings {
    /// Serves the routing of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl NoticeRoutingService for NoticeRoutings {
    async fn create_notice_routing(
        &self,
        request: Request<CreateNoticeRoutingRequest>,
    ) -> Result<Response<CreateNoticeRoutingResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (wanted, note) = wire::made_routing(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let made = revisions::create(&mut tx, ROUTING, wanted, note, &caller.subject).await?;
            Ok((tx, CreateNoticeRoutingResponse { notice_routing: Some(wire::notice_routing(made)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn activate_notice_routing(
        &self,
        request: Request<ActivateNoticeRoutingRequest>,
    ) -> Result<Response<ActivateNoticeRoutingResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let ActivateNoticeRoutingRequest { request_id, version } = request;
        let version = wire::put_in_force(request_id, version)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let shipped = Routing::shipped();
            let put = revisions::activate(&mut tx, ROUTING, version, shipped, &caller.subject).await?;
            Ok((tx, ActivateNoticeRoutingResponse { notice_routing: Some(wire::notice_routing(put)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_notice_routing(
        &self,
        request: Request<GetNoticeRoutingRequest>,
    ) -> Result<Response<GetNoticeRoutingResponse>, Status> {
        let caller = server::caller(&request)?;
        let version = wire::version_of(request.into_inner().version)?;
        let read = self.db.transact("notice_routing.get", &caller.tenant, async move |mut tx| {
            let read = revisions::read(&mut tx, ROUTING, version, Routing::shipped()).await?;
            Ok((tx, read))
        });
        let notice_routing = Some(wire::notice_routing(read.await?));
        Ok(Response::new(GetNoticeRoutingResponse { notice_routing }))
    }
}
