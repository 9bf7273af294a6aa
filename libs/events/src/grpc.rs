//! The feed over gRPC: served to anyone, read from a peer.

use std::collections::HashMap;
use std::sync::Arc;

use fault::{Check, Fault, Kind};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use kernel::{Caller, Lane, Role, TenantId};
use proto::redress::event::v1 as contract;
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::event::v1::event_feed_server::{EventFeed, EventFeedServer};
use proto::redress::event::v1::{SubscribeRequest, SubscribeResponse};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_types::{ErrorInfo, StatusExt as _};

use crate::capability;
use crate::feed::{EPOCH_CHANGED, Pace, RESUME_POSITION};
use crate::outside::Outside;
use crate::{Batch, Feed, MAX_BATCH, Source, Subscription, Tenants};

/// Most payload types one subscription may name.
const MAX_TYPES: usize = 32;
/// Most events a subscriber may ask for in one message.
const MAX_MESSAGE_EVENTS: i32 = 1_000;
/// Most tenants one subscription may leave out.
const MAX_EXCEPTED: usize = 64;
/// Longest epoch.
const MAX_EPOCH: usize = 64;
/// Reasons of a stream's end that says nothing about the peer.
const IN_GOOD_ORDER: [&str; 2] = ["STREAM_EXPIRED", "TOKEN_EXPIRED"];
/// Largest message of events sent, and accepted from a peer: a batch is far below it,
/// however long its events are.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// Serves the feeds of this process.
pub fn feed_service(feeds: Vec<Arc<Feed>>) -> EventFeedServer<impl EventFeed> {
    let feeds = feeds.into_iter().map(|feed| (feed.source(), feed)).collect();
    EventFeedServer::new(Feeds { feeds, outside: Outside::new() })
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

struct Feeds {
    feeds: HashMap<&'static str, Arc<Feed>>,
    outside: Outside,
}

/// Takes a request apart: the source, and what a caller may see of what it asks for.
fn subscription(request: SubscribeRequest, caller: &Caller) -> Result<(String, Subscription), Fault> {
    let SubscribeRequest { source, cursor, types, max_batch, lane, epoch, tenant_id, except_tenant_ids } =
        request;
    let sees_all = caller.roles.held().has(Role::Platform);
    let mut check = Check::new();
    check.ensure(!source.is_empty(), "source", "is required");
    check.ensure(cursor >= 0, "cursor", "must not be negative");
    check.ensure(types.len() <= MAX_TYPES, "types", "must name at most 32 types");
    check.ensure((0..=MAX_MESSAGE_EVENTS).contains(&max_batch), "max_batch", "must be 0 to 1000");
    check.ensure(contract::Lane::try_from(lane).is_ok(), "lane", "must be one of the contract's");
    check.ensure(epoch.len() <= MAX_EPOCH, "epoch", "must be what a feed has answered");
    let of_tenant =
        Some(tenant_id.as_str()).filter(|tenant| !tenant.is_empty()).map(TenantId::parse).transpose();
    let is_seen = |tenant: &TenantId| sees_all || *tenant == caller.tenant;
    let names_own = of_tenant.as_ref().is_ok_and(|tenant| tenant.as_ref().is_none_or(is_seen));
    check.ensure(names_own, "tenant_id", "must be a tenant whose events the caller may see");
    let except: Result<Arc<[TenantId]>, _> =
        except_tenant_ids.iter().take(MAX_EXCEPTED + 1).map(|tenant| TenantId::parse(tenant)).collect();
    let is_short = except_tenant_ids.len() <= MAX_EXCEPTED && except.is_ok();
    check.ensure(is_short, "except_tenant_ids", "must name at most 64 tenants");
    check.done("INVALID_SUBSCRIPTION")?;
    let except = except.unwrap_or_default();
    let tenants = match of_tenant.ok().flatten() {
        Some(tenant) => Tenants::Only(tenant),
        None if !sees_all => Tenants::Only(caller.tenant.clone()),
        None if except.is_empty() => Tenants::All,
        None => Tenants::Except(except),
    };
    let max = usize::try_from(max_batch).ok().filter(|max| *max > 0).unwrap_or(MAX_BATCH);
    let lane = (lane != 0).then(|| Lane::of(lane));
    Ok((source, Subscription { cursor, epoch, lane, tenants, types: types.into(), max }))
}

#[tonic::async_trait]
impl EventFeed for Feeds {
    type SubscribeStream = BoxStream<'static, Result<SubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let caller = caller(&request)?;
        let (source, wanted) = subscription(request.into_inner(), &caller)?;
        let feed = self.feeds.get(source.as_str()).cloned().ok_or_else(|| {
            Fault::new(Kind::NotFound, "UNKNOWN_SOURCE", "this process does not serve that source's feed")
        })?;
        let is_outside = !caller.roles.held().has(Role::Platform);
        let place = if is_outside { Some(self.outside.place(&caller)?) } else { None };
        let served = if is_outside { self.outside.pace() } else { Pace::default() };
        let stream = feed.stream(wanted, served).map(move |batch| {
            let _held = &place;
            batch.map(|batch| answer(batch, is_outside)).map_err(Status::from)
        });
        Ok(Response::new(stream.boxed()))
    }
}

pub(crate) fn caller<T>(request: &Request<T>) -> Result<Caller, Fault> {
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| Fault::new(Kind::Unauthenticated, "UNAUTHENTICATED", "the caller is not known"))
}

fn answer(batch: Batch, is_outside: bool) -> SubscribeResponse {
    let Batch { events, cursor, head, epoch } = batch;
    let mut events: Vec<_> = events.into_iter().map(Arc::unwrap_or_clone).collect();
    if is_outside {
        events.iter_mut().for_each(capability::blank);
    }
    SubscribeResponse { events, cursor, head, epoch: epoch.to_string() }
}

/// A peer's feed.
pub struct GrpcSource {
    name: &'static str,
    channel: Channel,
    authorization: Authorization,
}

/// Yields the `authorization` header to present, if any; asked at each
/// subscription, so that a renewed token is used.
pub type Authorization = Arc<dyn Fn() -> Option<MetadataValue<Ascii>> + Send + Sync>;

impl GrpcSource {
    /// The feed of the service `name`, behind a channel.
    pub fn new(name: &'static str, channel: Channel, authorization: Authorization) -> Self {
        Self { name, channel, authorization }
    }
}

impl Source for GrpcSource {
    fn subscribe(&self, wanted: Subscription) -> BoxStream<'static, Result<Batch, Fault>> {
        let mut client =
            EventFeedClient::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let mut request = Request::new(asked(self.name, &wanted));
        if let Some(token) = (self.authorization)() {
            request.metadata_mut().insert("authorization", token);
        }
        async_stream::try_stream! {
            let mut stream = client.subscribe(request).await.map_err(peer_failed)?.into_inner();
            loop {
                let answer = match stream.message().await {
                    Ok(Some(answer)) => answer,
                    Ok(None) => break,
                    Err(status) if is_in_good_order(&status) => break,
                    Err(status) => Err(peer_failed(status))?,
                };
                let SubscribeResponse { events, cursor, epoch, head } = answer;
                // A peer of before knows no filters but the types.
                let events = events.into_iter().filter(|event| wanted.wants(event)).map(Arc::new).collect();
                yield Batch { events, cursor, head, epoch: epoch.into() };
            }
        }
        .boxed()
    }
}

fn asked(source: &str, wanted: &Subscription) -> SubscribeRequest {
    let (tenant_id, except_tenant_ids) = match &wanted.tenants {
        Tenants::All => (String::new(), Vec::new()),
        Tenants::Only(tenant) => (tenant.to_string(), Vec::new()),
        Tenants::Except(others) => (String::new(), others.iter().map(ToString::to_string).collect()),
    };
    SubscribeRequest {
        source: source.to_owned(),
        cursor: wanted.cursor,
        types: wanted.types.to_vec(),
        max_batch: i32::try_from(wanted.max).unwrap_or(0),
        lane: wanted.lane.map_or(0, |lane| lane.number().into()),
        epoch: wanted.epoch.clone(),
        tenant_id,
        except_tenant_ids,
    }
}

/// Whether a peer has ended a stream that has gone on for as long as one may, or for as
/// long as the token shown holds: the next one shows the next token.
fn is_in_good_order(status: &Status) -> bool {
    status.get_details_error_info().is_some_and(|info| IN_GOOD_ORDER.contains(&info.reason.as_str()))
}

/// What a peer refuses about the cursor is passed on; all else is that it cannot be read.
fn peer_failed(status: Status) -> Fault {
    if let Some(ErrorInfo { reason, mut metadata, .. }) = status.get_details_error_info()
        && reason == EPOCH_CHANGED
    {
        let resume = metadata.remove(RESUME_POSITION).unwrap_or_default();
        return Fault::new(Kind::Precondition, EPOCH_CHANGED, status.message().to_owned())
            .with(RESUME_POSITION, resume);
    }
    Fault::new(Kind::Unavailable, "PEER_UNAVAILABLE", "a peer's feed cannot be read").because(status)
}
