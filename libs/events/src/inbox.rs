//! What a consumer could not apply, to be seen and driven again.

use std::collections::HashMap;
use std::sync::Arc;

use fault::{Check, Fault, Kind};
use kernel::page::Page;
use kernel::{Caller, Lane, TenantId};
use prost_types::Any;
use proto::redress::event::v1::event_inbox_server::{EventInbox, EventInboxServer};
use proto::redress::event::v1::{
    Event, ListParkedEventsRequest, ListParkedEventsResponse, ParkedEvent, RedriveParkedEventsRequest,
    RedriveParkedEventsResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::grpc::caller;
use crate::parked::{self, Aside, Row};
use crate::{Consumer, Delivered};
use crate::{capability, cursor};

/// Serves the inboxes of this process's consumers.
pub fn inbox_service(consumers: Vec<Arc<Consumer>>) -> EventInboxServer<impl EventInbox> {
    let consumers = consumers.into_iter().map(|consumer| (consumer.name(), consumer)).collect();
    EventInboxServer::new(Inboxes(consumers))
}

struct Inboxes(HashMap<&'static str, Arc<Consumer>>);

impl Inboxes {
    fn get(&self, consumer: &str) -> Result<&Arc<Consumer>, Fault> {
        self.0.get(consumer).ok_or_else(|| {
            Fault::new(Kind::NotFound, "UNKNOWN_CONSUMER", "this process does not host that consumer")
        })
    }
}

#[tonic::async_trait]
impl EventInbox for Inboxes {
    async fn list_parked_events(
        &self,
        request: Request<ListParkedEventsRequest>,
    ) -> Result<Response<ListParkedEventsResponse>, Status> {
        let Caller { tenant, .. } = caller(&request)?;
        let ListParkedEventsRequest { consumer, page_size, page_token } = request.into_inner();
        let mut check = Check::new();
        let page = check.page(page_size, &page_token, &consumer);
        let after = after(&mut check, &page);
        check.done("INVALID_LIST")?;
        let consumer = self.get(&consumer)?;
        let limit = page.limit();
        let mut rows = consumer
            .db()
            .transact("inbox.list", &tenant, async move |mut tx| {
                let rows = parked::list(&mut tx, after, limit).await?;
                Ok((tx, rows))
            })
            .await?;
        let next_page_token = page.cut(&mut rows, |row| format!("{} {}", row.source, row.position));
        let parked_events = rows.into_iter().map(|row| parked_event(consumer.name(), row)).collect();
        Ok(Response::new(ListParkedEventsResponse { parked_events, next_page_token }))
    }

    async fn redrive_parked_events(
        &self,
        request: Request<RedriveParkedEventsRequest>,
    ) -> Result<Response<RedriveParkedEventsResponse>, Status> {
        let Caller { tenant, .. } = caller(&request)?;
        let RedriveParkedEventsRequest { consumer, subject } = request.into_inner();
        let mut check = Check::new();
        let subject = check.id("subject", &subject);
        check.done("INVALID_REDRIVE")?;
        let consumer = self.get(&consumer)?;
        let (applied, remaining) = consumer.redrive(&tenant, subject).await?;
        let remaining = i32::try_from(remaining).unwrap_or(i32::MAX);
        Ok(Response::new(RedriveParkedEventsResponse { applied, remaining }))
    }
}

fn after(check: &mut Check, page: &Page) -> Option<(String, i64)> {
    let key = page.after.as_ref()?;
    let read =
        key.split_once(' ').and_then(|(source, position)| Some((source.to_owned(), position.parse().ok()?)));
    check.ensure(read.is_some(), "page_token", "must be a next_page_token of this list");
    read
}

impl Consumer {
    /// Applies a subject's parked events, source by source, each up to the first
    /// that still fails; answers how many were applied and how many remain.
    ///
    /// # Errors
    ///
    /// Fails if the database does; an event that still fails stays parked, with its reason.
    pub async fn redrive(&self, tenant: &TenantId, subject: Uuid) -> Result<(i32, i64), Fault> {
        let mut applied = 0;
        for source in self.sources() {
            loop {
                match self.redrive_first(tenant, source, subject).await {
                    Ok(Some(left)) => {
                        applied += 1;
                        self.note_aside(source, left);
                    }
                    Ok(None) => break,
                    Err(fault) => {
                        self.note_failure(tenant, source, subject, fault.chain()).await?;
                        break;
                    }
                }
            }
        }
        let remaining = self
            .db()
            .transact("inbox.count", tenant, async move |mut tx| {
                let count = parked::count_of(&mut tx, subject).await?;
                Ok((tx, count))
            })
            .await?;
        Ok((applied, remaining))
    }

    /// Applies the first parked event of a subject in one transaction with its
    /// leaving the inbox; answers how many of the source are left, none when the
    /// subject has none.
    async fn redrive_first(
        &self,
        tenant: &TenantId,
        source: &'static str,
        subject: Uuid,
    ) -> Result<Option<i64>, Fault> {
        let (name, reactor, of) = (self.name(), self.reactor(), tenant.clone());
        self.db()
            .transact("inbox.redrive", tenant, async move |mut tx| {
                // The cursors' locks keep newer events of the subject from overtaking.
                cursor::lock_tenant(&mut tx, source, &of).await?;
                let bulk = cursor::look(&mut tx, source).await?.position(Lane::Bulk, &of);
                let row = parked::first_of(&mut tx, source, subject).await?;
                let Some(row) = row.filter(|row| row.follows <= bulk) else { return Ok((tx, None)) };
                let (position, lane) = (row.position, Lane::of(row.lane.into()));
                let event = Delivered::open(&Arc::new(event(row)), name)?;
                tx.set_lane(lane);
                fault::caught(reactor.react(&mut tx, std::slice::from_ref(&event))).await?;
                let left = parked::delete(&mut tx, source, position).await?;
                Ok((tx, Some(left)))
            })
            .await
    }

    async fn note_failure(
        &self,
        tenant: &TenantId,
        source: &'static str,
        subject: Uuid,
        error: String,
    ) -> Result<(), Fault> {
        self.db()
            .transact("inbox.fail", tenant, async move |mut tx| {
                if let Some(row) = parked::first_of(&mut tx, source, subject).await? {
                    let aside = Aside {
                        error,
                        attempts: u32::try_from(row.attempts).unwrap_or_default().saturating_add(1),
                        retry_at: row.retry_at.map(jiff_sqlx::Timestamp::to_jiff),
                        failing_since: row.failing_since.map(jiff_sqlx::Timestamp::to_jiff),
                    };
                    parked::failed_again(&mut tx, &row, &aside).await?;
                }
                Ok((tx, ()))
            })
            .await
    }
}

fn parked_event(consumer: &str, row: Row) -> ParkedEvent {
    let (error, attempts, parked_at) = (row.error.clone(), row.attempts, row.parked_at);
    let retry_at = row.retry_at;
    let mut event = event(row);
    capability::blank(&mut event);
    ParkedEvent {
        event: Some(event),
        consumer: consumer.to_owned(),
        error,
        attempts,
        park_time: Some(proto::timestamp(parked_at.to_jiff())),
        retry_time: retry_at.map(|at| proto::timestamp(at.to_jiff())),
    }
}

pub(crate) fn event(row: Row) -> Event {
    Event {
        id: row.event_id.to_string(),
        source: row.source,
        position: row.position,
        tenant_id: row.tenant_id,
        subject: row.subject.to_string(),
        occur_time: Some(proto::timestamp(row.occurred_at.to_jiff())),
        traceparent: row.traceparent,
        payload: Some(Any { type_url: format!("type.googleapis.com/{}", row.r#type), value: row.payload }),
        lane: row.lane.into(),
        follows_position: row.follows,
    }
}
