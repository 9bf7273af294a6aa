//! The feed over gRPC: served to anyone, read from a peer.

use std::collections::HashMap;
use std::sync::Arc;

use fault::{Check, Fault, Kind};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use kernel::{Caller, Role};
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::event::v1::event_feed_server::{EventFeed, EventFeedServer};
use proto::redress::event::v1::{Event, SubscribeRequest, SubscribeResponse};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::delivered::type_name;
use crate::feed::Wanted;
use crate::{Batch, Feed, MAX_BATCH, Source};

/// Most payload types one subscription may name.
const MAX_TYPES: usize = 32;
/// Most events a subscriber may ask for in one message.
const MAX_MESSAGE_EVENTS: i32 = 1_000;
/// Largest message of events sent, and accepted from a peer: a batch is far below it,
/// however long its events are.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// Serves the feeds of this process.
pub fn feed_service(feeds: Vec<Arc<Feed>>) -> EventFeedServer<impl EventFeed> {
    let feeds = feeds.into_iter().map(|feed| (feed.source(), feed)).collect();
    EventFeedServer::new(Feeds(feeds)).max_encoding_message_size(MAX_MESSAGE_BYTES)
}

struct Feeds(HashMap<&'static str, Arc<Feed>>);

struct Subscription {
    source: String,
    cursor: i64,
    types: Vec<String>,
    max: usize,
}

fn subscription(request: SubscribeRequest) -> Result<Subscription, Fault> {
    let SubscribeRequest { source, cursor, types, max_batch } = request;
    let mut check = Check::new();
    check.ensure(!source.is_empty(), "source", "is required");
    check.ensure(cursor >= 0, "cursor", "must not be negative");
    check.ensure(types.len() <= MAX_TYPES, "types", "must name at most 32 types");
    check.ensure((0..=MAX_MESSAGE_EVENTS).contains(&max_batch), "max_batch", "must be 0 to 1000");
    check.done("INVALID_SUBSCRIPTION")?;
    let max = usize::try_from(max_batch).ok().filter(|max| *max > 0).unwrap_or(MAX_BATCH);
    Ok(Subscription { source, cursor, types, max })
}

#[tonic::async_trait]
impl EventFeed for Feeds {
    type SubscribeStream = BoxStream<'static, Result<SubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let caller = caller(&request)?;
        let Subscription { source, cursor, types, max } = subscription(request.into_inner())?;
        let feed = self.0.get(source.as_str()).cloned().ok_or_else(|| {
            Fault::new(Kind::NotFound, "UNKNOWN_SOURCE", "this process does not serve that source's feed")
        })?;
        let all = caller.roles.held().has(Role::Platform);
        let wanted: Wanted = Arc::new(move |event: &Event| {
            (all || event.tenant_id == caller.tenant.as_str())
                && (types.is_empty() || is_one_of(event, &types))
        });
        let stream = feed.stream(cursor, max, wanted).map(|batch| batch.map(answer).map_err(Status::from));
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

fn is_one_of(event: &Event, types: &[String]) -> bool {
    let name = event.payload.as_ref().map(|payload| type_name(&payload.type_url));
    types.iter().any(|wanted| Some(wanted.as_str()) == name)
}

fn answer(batch: Batch) -> SubscribeResponse {
    let Batch { events, cursor } = batch;
    SubscribeResponse { events: events.into_iter().map(Arc::unwrap_or_clone).collect(), cursor }
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
    fn subscribe(
        &self,
        cursor: i64,
        types: &'static [&'static str],
    ) -> BoxStream<'static, Result<Batch, Fault>> {
        let mut client =
            EventFeedClient::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let mut request = Request::new(SubscribeRequest {
            source: self.name.to_owned(),
            cursor,
            types: types.iter().map(ToString::to_string).collect(),
            max_batch: 0,
        });
        if let Some(token) = (self.authorization)() {
            request.metadata_mut().insert("authorization", token);
        }
        async_stream::try_stream! {
            let mut stream = client.subscribe(request).await.map_err(peer_failed)?.into_inner();
            while let Some(SubscribeResponse { events, cursor }) = stream.message().await.map_err(peer_failed)? {
                yield Batch { events: events.into_iter().map(Arc::new).collect(), cursor };
            }
        }
        .boxed()
    }
}

fn peer_failed(status: Status) -> Fault {
    Fault::new(Kind::Unavailable, "PEER_UNAVAILABLE", "a peer's feed cannot be read").because(status)
}
