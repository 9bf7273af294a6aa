//! One function per rpc.

mod bounces;
pub(crate) mod call_backs;
mod contact;
pub(crate) mod event_subscriptions;
pub(crate) mod fact_states;
pub(crate) mod improvement;
pub(crate) mod kpis;
pub(crate) mod notice_routing;
mod notices;
pub(crate) mod problems;
pub(crate) mod process;
pub(crate) mod quality;
pub(crate) mod reports;
mod respond;
pub(crate) mod returns;
pub(crate) mod revisions;
pub(crate) mod signals;
pub(crate) mod supervision;
pub(crate) mod surveys;
pub(crate) mod templates;

use std::sync::Arc;

use fault::Fault;
use pg::{Db, Group, Tx};
use proto::redress::feedback::v1::feedback_service_server::FeedbackService;
use proto::redress::feedback::v1::{
    CorrectContactRequest, CorrectContactResponse, GetContactRequest, GetContactResponse, GetFeedbackRequest,
    GetFeedbackResponse, ListNoticesRequest, ListNoticesResponse, RecordNoticeRequest, RecordNoticeResponse,
    ReportBounceRequest, ReportBounceResponse, ResendNoticeRequest, ResendNoticeResponse,
    RespondToOutcomeRequest, RespondToOutcomeResponse,
};
use server::CodeRateLimit;
use tonic::{Request, Response, Status};

use crate::bounce::ReturnPath;
use crate::notice::Delivery;
use crate::refusal::Refusal;
use crate::{store, wire};
use respond::Responses;

/// The rpcs of feedback.
pub(crate) struct Rpc {
    db: Db,
    responses: Arc<Group<Responses>>,
    codes: CodeRateLimit,
    delivery: Delivery,
    /// Where mails come back to, where that is configured.
    path: Option<ReturnPath>,
}

impl Rpc {
    pub(crate) fn new(db: Db, delivery: Delivery, path: Option<ReturnPath>) -> Self {
        let codes = CodeRateLimit::new(db.clone());
        let responses = Responses { delivery: delivery.clone() };
        Self { responses: Group::new(db.clone(), responses), codes, db, delivery, path }
    }
}

#[tonic::async_trait]
impl FeedbackService for Rpc {
    async fn respond_to_outcome(
        &self,
        request: Request<RespondToOutcomeRequest>,
    ) -> Result<Response<RespondToOutcomeResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (reference, respond) = wire::respond(request)?;
        let by_code = reference.is_code();
        let find = async |tx: &mut Tx, hash| store::case_by_receipt(tx, hash).await;
        let wrong = (Refusal::ReceiptCodeUnknown, Refusal::TooManyGuesses);
        let case_id = self.codes.case(&context.caller, reference, find, wrong).await?;
        let mut done = self.responses.mutate(context, wire::Respond { case_id, ..respond }).await?;
        if by_code {
            wire::leave_out_case(&mut done.answer);
        }
        Ok(server::reply(done))
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
        let wire::NoticeListQuery { filter, page, after } = wire::listing(request.into_inner())?;
        let wanted = page.clone();
        let (notices, mut earlier, mut reports) = self
            .db
            .transact("notices.list", &caller.tenant, async move |mut tx| {
                let notices = store::notices(&mut tx, filter, &wanted, after).await?;
                let again: Vec<_> = notices.iter().filter(|notice| notice.sending > 1).collect();
                let again: Vec<_> = again.into_iter().map(|notice| notice.id).collect();
                let earlier = store::sendings(&mut tx, &again).await?;
                let mailed: Vec<_> = notices.iter().map(|notice| notice.id).collect();
                let reports = store::delivery_reports(&mut tx, &mailed).await?;
                Ok((tx, (notices, earlier, reports)))
            })
            .await?;
        let notices = notices.into_iter().map(|notice| {
            let earlier = earlier.remove(&notice.id).unwrap_or_default();
            let reports = reports.remove(&notice.id).unwrap_or_default();
            (notice.id.to_string(), wire::notice(notice, earlier, reports))
        });
        let (notices, next_page_token) = server::page(&page, notices);
        Ok(Response::new(ListNoticesResponse { notices, next_page_token }))
    }

    async fn record_notice(
        &self,
        request: Request<RecordNoticeRequest>,
    ) -> Result<Response<RecordNoticeResponse>, Status> {
        notices::record(&self.db, &self.delivery, request).await
    }

    async fn resend_notice(
        &self,
        request: Request<ResendNoticeRequest>,
    ) -> Result<Response<ResendNoticeResponse>, Status> {
        notices::resend(&self.db, &self.delivery, request).await
    }

    async fn report_bounce(
        &self,
        request: Request<ReportBounceRequest>,
    ) -> Result<Response<ReportBounceResponse>, Status> {
        bounces::report(&self.db, &self.delivery, self.path.as_ref(), request).await
    }

    async fn get_contact(
        &self,
        request: Request<GetContactRequest>,
    ) -> Result<Response<GetContactResponse>, Status> {
        contact::get(&self.db, request).await
    }

    async fn correct_contact(
        &self,
        request: Request<CorrectContactRequest>,
    ) -> Result<Response<CorrectContactResponse>, Status> {
        contact::correct(&self.db, request).await
    }
}
