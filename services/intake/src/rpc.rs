//! One function per rpc: parse, go through the submission queue, render.

pub(crate) mod attachments;
pub(crate) mod channels;
pub(crate) mod file_drops;
pub(crate) mod forms;
pub(crate) mod ivr_menus;
pub(crate) mod mailboxes;
pub(crate) mod posts;
pub(crate) mod webhook_sources;

use std::sync::Arc;

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use kernel::Lane;
use pg::{Db, Done};
use prost::Message as _;
use proto::redress::intake::v1::intake_service_server::IntakeService;
use proto::redress::intake::v1::{
    GetComplaintRequest, GetComplaintResponse, ListComplaintsRequest, ListComplaintsResponse, RowVerdict,
    SubmitComplaintRequest, SubmitComplaintResponse, SubmitComplaintsRequest, SubmitComplaintsResponse,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use crate::flow::submissions::{Answer, Submissions};
use crate::refusal::Refusal;
use crate::{store, wire};

/// Most rows of one bulk stream.
const MAX_ROWS: usize = 10_000;
/// Rows of one stream that are in the queue at once.
const ROWS_AT_ONCE: usize = 256;
/// Most bytes of one stream's rows that are worked on at once, if it is more than one row.
const STREAM_BYTES: usize = 2 << 20;
/// Most bytes of all streams' rows that are worked on at once.
const STREAMS_BYTES: usize = 16 << 20;
/// Most bytes of the refusals of one stream that are told in full: the answer has to
/// fit into one message, whatever is wrong with the rows.
const REFUSALS_BYTES: usize = 1 << 20;

/// Serves the contract.
pub(crate) struct Intake {
    db: Db,
    submissions: Arc<Submissions>,
    /// Bytes that rows of streams may still have.
    stream_bytes: Arc<Semaphore>,
}

impl Intake {
    /// Serves the complaints of a schema.
    pub(crate) fn new(db: Db, submissions: Arc<Submissions>) -> Self {
        Self { db, submissions, stream_bytes: Arc::new(Semaphore::new(STREAMS_BYTES)) }
    }
}

#[tonic::async_trait]
impl IntakeService for Intake {
    async fn submit_complaint(
        &self,
        request: Request<SubmitComplaintRequest>,
    ) -> Result<Response<SubmitComplaintResponse>, Status> {
        let caller = server::caller(&request)?;
        let (done, _) = self.submissions.submit(&caller, Lane::Live, request.into_inner()).await?;
        Ok(server::reply(done))
    }

    async fn submit_complaints(
        &self,
        request: Request<Streaming<SubmitComplaintsRequest>>,
    ) -> Result<Response<SubmitComplaintsResponse>, Status> {
        let caller = server::caller(&request)?;
        let mut rows = request.into_inner();
        let mut under_way = FuturesOrdered::new();
        let mut verdicts = Vec::new();
        let (mut position, mut room) = (0, REFUSALS_BYTES);
        let mut settle = |(request_id, outcome): (String, Result<(Answer, bool), Fault>)| {
            if let Ok((done, _)) = &outcome {
                position = done.position.max(position);
            }
            verdicts.push(verdict(request_id, outcome, &mut room));
        };
        let (mut count, own_bytes) = (0, Arc::new(Semaphore::new(STREAM_BYTES)));
        while let Some(row) = rows.message().await? {
            count += 1;
            let bytes = u32::try_from(row.encoded_len().clamp(1, STREAM_BYTES)).unwrap_or(u32::MAX);
            if count > MAX_ROWS {
                while under_way.next().await.is_some() {}
                return Err(Fault::from(Refusal::TooManyRows).into());
            }
            if under_way.len() == ROWS_AT_ONCE
                && let Some(outcome) = under_way.next().await
            {
                settle(outcome);
            }
            // Rows that are worked on end by themselves: whoever waits for their room gets it.
            let room = async {
                let own = Arc::clone(&own_bytes).acquire_many_owned(bytes).await;
                let of_all = Arc::clone(&self.stream_bytes).acquire_many_owned(bytes).await;
                Ok::<_, Fault>((own.map_err(Fault::internal)?, of_all.map_err(Fault::internal)?))
            };
            tokio::pin!(room);
            let room = loop {
                tokio::select! {
                    biased;
                    room = &mut room => break room?,
                    Some(outcome) = under_way.next(), if !under_way.is_empty() => settle(outcome),
                }
            };
            let SubmitComplaintsRequest { request_id, complaint } = row;
            let (service, caller) = (&self, &caller);
            under_way.push_back(async move {
                let request = SubmitComplaintRequest { request_id: request_id.clone(), complaint };
                let outcome = service.submissions.submit(caller, Lane::Bulk, request).await;
                drop(room);
                (request_id, outcome)
            });
        }
        while let Some(outcome) = under_way.next().await {
            settle(outcome);
        }
        let answer = SubmitComplaintsResponse { verdicts };
        Ok(server::reply(Done { answer, source: crate::SERVICE.name, position, lane: Lane::Bulk }))
    }

    async fn get_complaint(
        &self,
        request: Request<GetComplaintRequest>,
    ) -> Result<Response<GetComplaintResponse>, Status> {
        let caller = server::caller(&request)?;
        let id = wire::complaint_id(request.into_inner())?;
        let found = self
            .db
            .transact("intake.get", &caller.tenant, async move |mut tx| {
                let found = store::get(&mut tx, id).await?;
                Ok((tx, found))
            })
            .await?;
        let (_, event) = found.ok_or(Refusal::ComplaintNotFound).map_err(Fault::from)?;
        Ok(Response::new(GetComplaintResponse { complaint: Some(wire::complaint(&event)?) }))
    }

    async fn list_complaints(
        &self,
        request: Request<ListComplaintsRequest>,
    ) -> Result<Response<ListComplaintsResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::List { page, filter, before } = wire::list(request.into_inner())?;
        let limit = page.limit();
        let rows = self
            .db
            .transact("intake.list", &caller.tenant, async move |mut tx| {
                let rows = store::list(&mut tx, filter, before, limit).await?;
                Ok((tx, rows))
            })
            .await?;
        let complaint = |(id, event): &store::Kept| Ok((id.to_string(), wire::complaint(event)?));
        let complaints = rows.iter().map(complaint).collect::<Result<Vec<_>, Fault>>()?;
        let (complaints, next_page_token) = server::page(&page, complaints);
        Ok(Response::new(ListComplaintsResponse { complaints, next_page_token }))
    }
}

/// What became of a row, in full while there is room.
fn verdict(request_id: String, outcome: Result<(Answer, bool), Fault>, room: &mut usize) -> RowVerdict {
    let registered_before = outcome.as_ref().is_ok_and(|(_, before)| *before);
    let verdict = match outcome {
        Ok((done, _)) => wire::Verdict::Registered(done.answer),
        Err(fault) => {
            let full = wire::refused(&fault);
            let left = room.checked_sub(full.encoded_len());
            *room = left.unwrap_or_default();
            wire::Verdict::Refused(if left.is_some() { full } else { wire::refused_briefly(&fault) })
        }
    };
    RowVerdict { request_id, verdict: Some(verdict), registered_before }
}
