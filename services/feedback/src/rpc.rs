//! One function per rpc.

mod respond;

use std::sync::Arc;

use fault::Fault;
use pg::{Db, Group};
use proto::redress::feedback::v1::feedback_service_server::FeedbackService;
use proto::redress::feedback::v1::{
    GetFeedbackRequest, GetFeedbackResponse, ListNoticesRequest, ListNoticesResponse,
    RespondToOutcomeRequest, RespondToOutcomeResponse,
};
use tonic::{Request, Response, Status};

use crate::refusal::Refusal;
use crate::{store, wire};
use respond::Responses;

/// The rpcs of feedback.
pub(crate) struct Rpc {
    db: Db,
    responses: Arc<Group<Responses>>,
}

impl Rpc {
    pub(crate) fn new(db: Db) -> Self {
        Self { responses: Group::new(db.clone(), Responses), db }
    }
}

#[tonic::async_trait]
impl FeedbackService for Rpc {
    async fn respond_to_outcome(
        &self,
        request: Request<RespondToOutcomeRequest>,
    ) -> Result<Response<RespondToOutcomeResponse>, Status> {
        let caller = server::caller(&request)?;
        let request = request.into_inner();
        let key = pg::Key::of(&request);
        let respond = wire::respond(request)?;
        Ok(server::reply(self.responses.mutate(caller, key, respond).await?))
    }

    async fn get_feedback(
        &self,
        request: Request<GetFeedbackRequest>,
    ) -> Result<Response<GetFeedbackResponse>, Status> {
        let caller = server::caller(&request)?;
        let case_id = wire::feedback_of(request.into_inner())?;
        let (cycles, now) = self
            .db
            .transact("feedback.get", &caller.tenant, async move |mut tx| {
                let cycles = store::cycles(&mut tx, case_id).await?;
                let now = tx.now();
                Ok((tx, (cycles, now)))
            })
            .await?;
        if cycles.is_empty() {
            return Err(Fault::from(Refusal::FeedbackNotFound).into());
        }
        let cycles = cycles.into_iter().map(|cycle| wire::feedback(cycle, now)).collect();
        Ok(Response::new(GetFeedbackResponse { cycles }))
    }

    async fn list_notices(
        &self,
        request: Request<ListNoticesRequest>,
    ) -> Result<Response<ListNoticesResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::Listing { filter, page, after } = wire::listing(request.into_inner())?;
        let wanted = page.clone();
        let notices = self
            .db
            .transact("notices.list", &caller.tenant, async move |mut tx| {
                let notices = store::notices(&mut tx, filter, &wanted, after).await?;
                Ok((tx, notices))
            })
            .await?;
        let notices = notices.into_iter().map(|notice| (notice.id.to_string(), wire::notice(notice)));
        let (notices, next_page_token) = server::page(&page, notices);
        Ok(Response::new(ListNoticesResponse { notices, next_page_token }))
    }
}
