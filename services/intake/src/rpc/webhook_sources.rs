//! The rpcs of `WebhookSourceService`.

use std::sync::Arc;

use fault::{Fault, Kind};
use kernel::TenantId;
use pg::{Db, Tx};
use posts::Mapping;
use proto::redress::intake::v1::webhook_source_service_server::WebhookSourceService;
use proto::redress::intake::v1::{
    ActivateWebhookMappingRequest, ActivateWebhookMappingResponse, CheckWebhookChallengeRequest,
    CheckWebhookChallengeResponse, CreateWebhookMappingRequest, CreateWebhookMappingResponse,
    DeleteWebhookSourceRequest, DeleteWebhookSourceResponse, GetWebhookSourceRequest,
    GetWebhookSourceResponse, ListWebhookMappingsRequest, ListWebhookMappingsResponse,
    ListWebhookSourcesRequest, ListWebhookSourcesResponse, PreviewWebhookMappingRequest,
    PreviewWebhookMappingResponse, ReceiveWebhookRequest, ReceiveWebhookResponse, SetWebhookSourceRequest,
    SetWebhookSourceResponse,
};
use server::{Length, WebhookRequest};
use tonic::{Request, Response, Status};

use crate::flow::webhooks::mappings::Mappings;
use crate::flow::webhooks::receiving::DeliveryReceiver;
use crate::flow::webhooks::{DELIVERIES, splitting};
use crate::post::Post;
use crate::refusal::Refusal;
use crate::store::{posts as kept, webhook_deliveries as deliveries, webhook_sources as store};
use crate::webhook_delivery::verify_token;
use crate::webhook_source::{KeptMapping, MAX_MAPPINGS, MAX_SOURCES, WebhookSource};
use crate::wire::webhook_mappings::{self as mappings_wire, On, Tried, TriedPost};
use crate::wire::webhook_sources as wire;

/// Has those who set up sources and write mappings take turns.
const TURN: &str = "webhook sources";
/// Whom a tenant is that is none.
const NOBODY: &str = "nobody";

/// The rpcs of `WebhookSourceService`.
pub(crate) struct WebhookSourceRpc {
    db: Db,
    receiver: DeliveryReceiver,
    mappings: Arc<Mappings>,
}

impl WebhookSourceRpc {
    /// Serves the sources of a schema.
    pub(crate) fn new(db: Db, receiver: DeliveryReceiver, mappings: Arc<Mappings>) -> Self {
        Self { db, receiver, mappings }
    }

    /// Tries a mapping on what is asked for.
    async fn try_out(
        &self,
        tenant: &TenantId,
        mappings_wire::Preview { source, mapping, on }: mappings_wire::Preview,
    ) -> Result<Vec<TriedPost>, Fault> {
        let most = if let On::Kept(most) = on { most } else { 0 };
        let of = source.clone();
        let read = self.db.transact("webhook.preview", tenant, async move |mut tx| {
            store::get(&mut tx, &of).await?.ok_or(Refusal::WebhookSourceNotFound)?;
            let posts = kept::latest(&mut tx, &of, most).await?;
            Ok((tx, posts))
        });
        let posts = read.await?;
        let mapping = match mapping {
            Tried::New(mapping) => *mapping,
            Tried::Kept(number) => self.mappings.get(tenant, &source, number).await?.mapping.clone(),
        };
        let work = move || tried(&mapping, posts, on);
        server::blocking(tenant, Length::Quick, "webhook.preview", work).await?
    }
}

/// What a mapping makes of a body, or of posts that are kept.
fn tried(mapping: &Mapping, posts: Vec<Post>, on: On) -> Result<Vec<TriedPost>, Fault> {
    let one = |id, content: posts::Content, problems| {
        let rule = mapping.taken(&content).map(str::to_owned);
        TriedPost { id, content, problems, rule }
    };
    if let On::Sample(body) = on {
        let pieces = splitting::split(mapping, &body)
            .map_err(|words| Fault::new(Kind::Invalid, "SAMPLE_UNREADABLE", words))?;
        return Ok(pieces.into_iter().map(|piece| one(None, piece.content, piece.problems)).collect());
    }
    let read = |post: Post| {
        let item: serde_json::Value = serde_json::from_str(&post.item).map_err(Fault::internal)?;
        let (content, problems) = mapping.content(&item);
        Ok(one(Some(post.id), content, problems))
    };
    posts.into_iter().map(read).collect()
}

/// Sets a source up, or changes it.
async fn set(
    tx: &mut Tx,
    wire::Setting { mut settings, finish_rotation, expected }: wire::Setting,
    updater: String,
) -> Result<WebhookSource, Fault> {
    pg::hold(tx, TURN).await?;
    let now = tx.now();
    let before = store::lock(tx, &settings.id).await?;
    let version = before.as_ref().map_or(0, |before| before.version);
    if expected.is_some_and(|seen| seen != version) {
        return Err(Fault::version_mismatch(version));
    }
    if before.is_none() && store::count(tx).await? >= MAX_SOURCES {
        return Err(Refusal::TooManyWebhookSources.into());
    }
    if let Some(before) = &before {
        settings.keep_secrets_of(&before.settings);
    }
    if settings.secret.is_none() {
        return Err(wire::refused("secret", "is required for a new source, and another kind of signature"));
    }
    if finish_rotation && !settings.finish_rotation() {
        return Err(wire::refused("finish_rotation", "needs a next secret"));
    }
    let source = match before {
        None => WebhookSource::new(settings, updater, now),
        Some(mut before) => {
            before.change(settings, updater, now);
            before
        }
    };
    store::save(tx, &source).await?;
    Ok(source)
}

/// Writes the next version of a source's mapping.
async fn create(
    tx: &mut Tx,
    mappings_wire::NewMapping { source, spec }: mappings_wire::NewMapping,
    creator: String,
) -> Result<CreateWebhookMappingResponse, Fault> {
    pg::hold(tx, TURN).await?;
    let active = store::get(tx, &source).await?.ok_or(Refusal::WebhookSourceNotFound)?.active_mapping;
    let last = store::last_mapping(tx, &source).await?;
    if last >= MAX_MAPPINGS {
        return Err(Refusal::TooManyWebhookMappings.into());
    }
    let kept = KeptMapping { number: last + 1, spec, creator, created: tx.now() };
    store::add_mapping(tx, &source, &kept).await?;
    let mapping = Some(mappings_wire::mapping(&source, kept, active));
    Ok(CreateWebhookMappingResponse { mapping })
}

/// Has posts read by a version of the mapping.
async fn activate(
    tx: &mut Tx,
    mappings_wire::Activation { source: id, number, expected }: mappings_wire::Activation,
    updater: String,
) -> Result<WebhookSource, Fault> {
    let mut source = store::lock(tx, &id).await?.ok_or(Refusal::WebhookSourceNotFound)?;
    if expected.is_some_and(|seen| seen != source.version) {
        return Err(Fault::version_mismatch(source.version));
    }
    store::mapping(tx, &id, number).await?.ok_or(Refusal::WebhookMappingNotFound)?;
    let now = tx.now();
    source.activate(number, updater, now);
    store::save(tx, &source).await?;
    deliveries::wake(tx, &id, now).await?;
    tx.notify(DELIVERIES);
    Ok(source)
}

/// Whose a request is. By plain HTTP nobody has said who they are: whose it is said to be is not
/// believed before the signature is, or the token.
fn said_to_be<T>(request: &Request<T>) -> Result<TenantId, Fault> {
    match WebhookRequest::of(request) {
        Some(webhook) => {
            TenantId::parse(webhook.tenant()).or_else(|_| TenantId::parse(NOBODY)).map_err(Fault::internal)
        }
        None => Ok(server::caller(request)?.tenant),
    }
}

#[tonic::async_trait]
impl WebhookSourceService for WebhookSourceRpc {
    async fn set_webhook_source(
        &self,
        request: Request<SetWebhookSourceRequest>,
    ) -> Result<Response<SetWebhookSourceResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let setting = wire::setting(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let source = set(&mut tx, setting, caller.subject.to_string()).await?;
            let token = verify_token(&source.settings, caller.tenant.as_str()).unwrap_or_default();
            let mut source = wire::source(source, &caller.tenant, tx.now());
            source.verify_token = token;
            Ok((tx, SetWebhookSourceResponse { source: Some(source) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_webhook_source(
        &self,
        request: Request<GetWebhookSourceRequest>,
    ) -> Result<Response<GetWebhookSourceResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let id = wire::source_id(request.into_inner())?;
        let read = self.db.transact("webhook.get", &tenant, async |mut tx| {
            let source = store::get(&mut tx, &id).await?.ok_or(Refusal::WebhookSourceNotFound)?;
            let now = tx.now();
            Ok((tx, (source, now)))
        });
        let (source, now) = read.await?;
        let source = Some(wire::source(source, &tenant, now));
        Ok(Response::new(GetWebhookSourceResponse { source }))
    }

    async fn list_webhook_sources(
        &self,
        request: Request<ListWebhookSourcesRequest>,
    ) -> Result<Response<ListWebhookSourcesResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let ListWebhookSourcesRequest {} = request.into_inner();
        let read = self.db.transact("webhook.list", &tenant, async |mut tx| {
            let all = store::list(&mut tx).await?;
            let now = tx.now();
            Ok((tx, (all, now)))
        });
        let (all, now) = read.await?;
        let sources = all.into_iter().map(|one| wire::source(one, &tenant, now)).collect();
        Ok(Response::new(ListWebhookSourcesResponse { sources }))
    }

    async fn delete_webhook_source(
        &self,
        request: Request<DeleteWebhookSourceRequest>,
    ) -> Result<Response<DeleteWebhookSourceResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, expected) = wire::deleted(request)?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            let source = store::lock(&mut tx, &id).await?.ok_or(Refusal::WebhookSourceNotFound)?;
            if expected.is_some_and(|seen| seen != source.version) {
                return Err(Fault::version_mismatch(source.version));
            }
            store::delete(&mut tx, &id).await?;
            let now = tx.now();
            deliveries::wake(&mut tx, &id, now).await?;
            Ok((tx, DeleteWebhookSourceResponse {}))
        });
        Ok(server::reply(done.await?))
    }

    async fn create_webhook_mapping(
        &self,
        request: Request<CreateWebhookMappingRequest>,
    ) -> Result<Response<CreateWebhookMappingResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let new = server::aside(true, || mappings_wire::created(request))?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let answer = create(&mut tx, new, caller.subject.to_string()).await?;
            Ok((tx, answer))
        });
        Ok(server::reply(done.await?))
    }

    async fn activate_webhook_mapping(
        &self,
        request: Request<ActivateWebhookMappingRequest>,
    ) -> Result<Response<ActivateWebhookMappingResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let activation = mappings_wire::activated(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let source = activate(&mut tx, activation, caller.subject.to_string()).await?;
            let source = Some(wire::source(source, &caller.tenant, tx.now()));
            Ok((tx, ActivateWebhookMappingResponse { source }))
        });
        Ok(server::reply(done.await?))
    }

    async fn list_webhook_mappings(
        &self,
        request: Request<ListWebhookMappingsRequest>,
    ) -> Result<Response<ListWebhookMappingsResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let mappings_wire::List { page, source, before } = mappings_wire::list(request.into_inner())?;
        let (of, limit) = (source.clone(), page.limit());
        let read = self.db.transact("webhook.mappings", &tenant, async move |mut tx| {
            let found = store::get(&mut tx, &of).await?.ok_or(Refusal::WebhookSourceNotFound)?;
            let all = store::mappings(&mut tx, &of, before, limit).await?;
            Ok((tx, (found.active_mapping, all)))
        });
        let (active, all) = read.await?;
        let row =
            |kept: KeptMapping| (kept.number.to_string(), mappings_wire::mapping(&source, kept, active));
        let (mappings, next_page_token) = server::page(&page, all.into_iter().map(row));
        Ok(Response::new(ListWebhookMappingsResponse { mappings, next_page_token }))
    }

    async fn preview_webhook_mapping(
        &self,
        request: Request<PreviewWebhookMappingRequest>,
    ) -> Result<Response<PreviewWebhookMappingResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let preview = server::aside(true, || mappings_wire::preview(request.into_inner()))?;
        let tried = self.try_out(&tenant, preview).await?;
        let posts = tried.into_iter().map(mappings_wire::previewed).collect();
        Ok(Response::new(PreviewWebhookMappingResponse { posts }))
    }

    async fn receive_webhook(
        &self,
        request: Request<ReceiveWebhookRequest>,
    ) -> Result<Response<ReceiveWebhookResponse>, Status> {
        let tenant = said_to_be(&request)?;
        let signed = wire::delivery(request.into_inner())?;
        let received = self.receiver.receive(&tenant, signed).await?;
        Ok(Response::new(ReceiveWebhookResponse {
            delivery_id: received.id.to_string(),
            already_received: received.before,
        }))
    }
    async fn check_webhook_challenge(
        &self,
        request: Request<CheckWebhookChallengeRequest>,
    ) -> Result<Response<CheckWebhookChallengeResponse>, Status> {
        let tenant = said_to_be(&request)?;
        let asked = wire::challenge(request.into_inner())?;
        let challenge = self.receiver.challenged(&tenant, asked).await?;
        Ok(Response::new(CheckWebhookChallengeResponse { challenge }))
    }
}
