//! The rpcs of `EventSubscriptionService`.

use fault::Fault;
use kernel::TenantId;
use pg::{Db, MutationContext, Tx};
use prost::Message;
use proto::redress::feedback::v1::event_subscription_service_server::EventSubscriptionService;
use proto::redress::feedback::v1::{
    CreateEventSubscriptionRequest, CreateEventSubscriptionResponse, DeleteEventSubscriptionRequest,
    DeleteEventSubscriptionResponse, EventSubscription as SubscriptionView, GetEventSubscriptionRequest,
    GetEventSubscriptionResponse, ListEventSubscriptionsRequest, ListEventSubscriptionsResponse,
    PauseEventSubscriptionRequest, PauseEventSubscriptionResponse, ReplayEventSubscriptionRequest,
    ReplayEventSubscriptionResponse, ResumeEventSubscriptionRequest, ResumeEventSubscriptionResponse,
    RotateEventSubscriptionSecretRequest, RotateEventSubscriptionSecretResponse,
    UpdateEventSubscriptionRequest, UpdateEventSubscriptionResponse,
};
use server::{FollowedSources, Length};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::event_subscription::{EventSubscription, MAX_SUBSCRIPTIONS, Pause, SOURCES};
use crate::flow::event_push;
use crate::refusal::Refusal;
use crate::{store, wire};

/// Serves where events are posted to.
pub(crate) struct EventSubscriptions {
    db: Db,
    sources: FollowedSources,
}

impl EventSubscriptions {
    /// Serves the subscriptions of a schema; `sources` are the feeds of all services.
    pub(crate) fn new(db: Db, sources: FollowedSources) -> Self {
        Self { db, sources }
    }

    /// Does something to a subscription, and answers as it is then.
    async fn change<A: Message + Default, F>(
        &self,
        context: MutationContext,
        id: Uuid,
        act: impl FnOnce(Tx, EventSubscription, String) -> F + Send,
        render: fn(Option<SubscriptionView>) -> A,
    ) -> Result<Response<A>, Status>
    where
        F: Future<Output = Result<(Tx, EventSubscription), Fault>> + Send,
    {
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let one = store::lock_event_subscription(&mut tx, id).await?;
                let one = one.ok_or(Refusal::EventSubscriptionNotFound)?;
                let (mut tx, one) = act(tx, one, caller.subject.to_string()).await?;
                store::save_event_subscription(&mut tx, &one).await?;
                tx.notify(event_push::TOPIC);
                let view = shown(&mut tx, one).await?;
                Ok((tx, render(Some(view))))
            })
            .await?;
        Ok(server::reply(done))
    }
}

/// Reads what was asked for where calls are not in the way: a filter is parsed.
async fn aside<R: Send + 'static, T: Send + 'static>(
    tenant: &TenantId,
    request: R,
    read: fn(R) -> Result<T, Fault>,
) -> Result<T, Fault> {
    server::blocking(tenant, Length::Quick, "event_subscription.read", move || read(request)).await?
}

async fn shown(tx: &mut Tx, one: EventSubscription) -> Result<SubscriptionView, Fault> {
    let progress = store::event_progress(tx, &[one.id]).await?.remove(&one.id).unwrap_or_default();
    Ok(wire::event_subscription(one, progress))
}

/// Writes a new subscription, which begins after these positions of the services' feeds.
async fn create(
    tx: &mut Tx,
    made: wire::CreatedSubscription,
    heads: Vec<(&'static str, i64)>,
    creator: String,
) -> Result<SubscriptionView, Fault> {
    if store::hold_event_subscriptions(tx).await? >= MAX_SUBSCRIPTIONS {
        return Err(Refusal::TooManyEventSubscriptions.into());
    }
    let wire::CreatedSubscription { wanted, secret, from_beginning: _ } = made;
    let (created, updated) = (tx.now(), tx.now());
    let id = tx.new_id();
    let one = EventSubscription {
        id,
        version: 1,
        wanted,
        secret,
        old_secret: None,
        pause: None,
        creator,
        created,
        updated,
    };
    store::save_event_subscription(tx, &one).await?;
    for head in heads {
        store::move_event_feed(tx, id, head).await?;
    }
    tx.notify(event_push::TOPIC);
    shown(tx, one).await
}

#[tonic::async_trait]
impl EventSubscriptionService for EventSubscriptions {
    async fn create_event_subscription(
        &self,
        request: Request<CreateEventSubscriptionRequest>,
    ) -> Result<Response<CreateEventSubscriptionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let made = aside(&context.caller.tenant, request, wire::created_subscription).await?;
        if let Some(done) = self.db.answered(&context).await? {
            return Ok(server::reply(done));
        }
        let heads = if made.from_beginning {
            SOURCES.map(|source| (source, 0)).to_vec()
        } else {
            event_push::heads(&self.sources).await?
        };
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let view = create(&mut tx, made, heads, caller.subject.to_string()).await?;
            Ok((tx, CreateEventSubscriptionResponse { event_subscription: Some(view) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn update_event_subscription(
        &self,
        request: Request<UpdateEventSubscriptionRequest>,
    ) -> Result<Response<UpdateEventSubscriptionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (seen, wanted) = aside(&context.caller.tenant, request, wire::updated_subscription).await?;
        let act = async move |tx: Tx, mut one: EventSubscription, _| {
            one.seen_as(seen.version)?;
            one.change(wanted, tx.now());
            Ok((tx, one))
        };
        let render = |event_subscription| UpdateEventSubscriptionResponse { event_subscription };
        self.change(context, seen.id, act, render).await
    }

    async fn rotate_event_subscription_secret(
        &self,
        request: Request<RotateEventSubscriptionSecretRequest>,
    ) -> Result<Response<RotateEventSubscriptionSecretResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (seen, secret, keep) = wire::rotated_secret(request)?;
        let act = async move |tx: Tx, mut one: EventSubscription, _| {
            one.seen_as(seen.version)?;
            one.rotate(secret, keep, tx.now());
            Ok((tx, one))
        };
        let render = |event_subscription| RotateEventSubscriptionSecretResponse { event_subscription };
        self.change(context, seen.id, act, render).await
    }

    async fn pause_event_subscription(
        &self,
        request: Request<PauseEventSubscriptionRequest>,
    ) -> Result<Response<PauseEventSubscriptionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, reason) = wire::paused_subscription(request)?;
        let act = async move |tx: Tx, mut one: EventSubscription, by| {
            one.pause(Pause { reason, by, at: tx.now() })?;
            Ok((tx, one))
        };
        let render = |event_subscription| PauseEventSubscriptionResponse { event_subscription };
        self.change(context, id, act, render).await
    }

    async fn resume_event_subscription(
        &self,
        request: Request<ResumeEventSubscriptionRequest>,
    ) -> Result<Response<ResumeEventSubscriptionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let id = wire::resumed_subscription(request)?;
        let act = async move |mut tx: Tx, mut one: EventSubscription, _| {
            one.resume(tx.now())?;
            store::forgive_event_failures(&mut tx, id).await?;
            Ok((tx, one))
        };
        let render = |event_subscription| ResumeEventSubscriptionResponse { event_subscription };
        self.change(context, id, act, render).await
    }

    async fn replay_event_subscription(
        &self,
        request: Request<ReplayEventSubscriptionRequest>,
    ) -> Result<Response<ReplayEventSubscriptionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, source, position) = wire::replayed_subscription(request)?;
        let act = async move |mut tx: Tx, one: EventSubscription, _| {
            store::move_event_feed(&mut tx, id, (&source, position)).await?;
            Ok((tx, one))
        };
        let render = |event_subscription| ReplayEventSubscriptionResponse { event_subscription };
        self.change(context, id, act, render).await
    }

    async fn delete_event_subscription(
        &self,
        request: Request<DeleteEventSubscriptionRequest>,
    ) -> Result<Response<DeleteEventSubscriptionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let seen = wire::deleted_subscription(request)?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            let one = store::lock_event_subscription(&mut tx, seen.id).await?;
            let one = one.ok_or(Refusal::EventSubscriptionNotFound)?;
            one.seen_as(seen.version)?;
            let view = shown(&mut tx, one).await?;
            store::delete_event_subscription(&mut tx, seen.id).await?;
            Ok((tx, DeleteEventSubscriptionResponse { event_subscription: Some(view) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_event_subscription(
        &self,
        request: Request<GetEventSubscriptionRequest>,
    ) -> Result<Response<GetEventSubscriptionResponse>, Status> {
        let caller = server::caller(&request)?;
        let id = wire::subscription_key(request.get_ref())?;
        let read = self.db.transact("event_subscription.get", &caller.tenant, async move |mut tx| {
            let one = store::event_subscription(&mut tx, id).await?;
            let view = shown(&mut tx, one.ok_or(Refusal::EventSubscriptionNotFound)?).await?;
            Ok((tx, view))
        });
        Ok(Response::new(GetEventSubscriptionResponse { event_subscription: Some(read.await?) }))
    }

    async fn list_event_subscriptions(
        &self,
        request: Request<ListEventSubscriptionsRequest>,
    ) -> Result<Response<ListEventSubscriptionsResponse>, Status> {
        let caller = server::caller(&request)?;
        let read = self.db.transact("event_subscription.list", &caller.tenant, async move |mut tx| {
            let all = store::event_subscriptions(&mut tx).await?;
            let ids: Vec<Uuid> = all.iter().map(|one| one.id).collect();
            let mut progress = store::event_progress(&mut tx, &ids).await?;
            let view = |one: EventSubscription| {
                let progress = progress.remove(&one.id).unwrap_or_default();
                wire::event_subscription(one, progress)
            };
            Ok((tx, all.into_iter().map(view).collect()))
        });
        Ok(Response::new(ListEventSubscriptionsResponse { event_subscriptions: read.await? }))
    }
}
