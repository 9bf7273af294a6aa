//! The rpcs of `AttachmentService`.

use std::sync::Arc;

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use jiff::Timestamp;
use kernel::TenantId;
use pg::{Db, Tx};
use proto::redress::intake::v1::attachment_service_server::AttachmentService;
use proto::redress::intake::v1::{
    CreateAttachmentRequest, CreateAttachmentResponse, DeleteAttachmentRequest, DeleteAttachmentResponse,
    DownloadAttachmentRequest, DownloadAttachmentResponse, DownloadByTokenRequest, DownloadByTokenResponse,
    GetAttachmentRequest, GetAttachmentResponse, GetAttachmentSettingsRequest, GetAttachmentSettingsResponse,
    GetDownloadTokenRequest, GetDownloadTokenResponse, ListAttachmentsRequest, ListAttachmentsResponse,
    UpdateAttachmentSettingsRequest, UpdateAttachmentSettingsResponse, UploadAttachmentRequest,
    UploadAttachmentResponse,
};
use server::FileRequest;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::attachment::token::Token;
use crate::attachment::{Attachment, CHUNK, Store, Upload};
use crate::flow::attachments::Receiver;
use crate::flow::attachments::contents::Contents;
use crate::flow::submission_queue::SubmissionQueue;
use crate::refusal::Refusal;
use crate::store;
use crate::store::attachments as kept;
use crate::wire::attachments as wire;

/// Most bytes of the parts of all uploads that are worked on at once.
const PARTS_BYTES: usize = 16 << 20;

/// The rpcs of `AttachmentService`.
pub(crate) struct AttachmentRpc {
    db: Db,
    receiver: Arc<Receiver>,
    /// Has the key that tokens are signed with.
    queue: Arc<SubmissionQueue>,
    /// Bytes that parts may still have.
    bytes: Arc<Semaphore>,
}

impl AttachmentRpc {
    /// Serves the attachments of a schema.
    pub(crate) fn new(db: Db, receiver: Arc<Receiver>, queue: Arc<SubmissionQueue>) -> Self {
        Self { db, receiver, queue, bytes: Arc::new(Semaphore::new(PARTS_BYTES)) }
    }

    async fn read(&self, tenant: &TenantId, id: Uuid) -> Result<Attachment, Fault> {
        self.db
            .transact("attachment.get", tenant, async move |mut tx| {
                let attachment = kept::get(&mut tx, id).await?.ok_or(Refusal::AttachmentNotFound)?;
                Ok((tx, attachment))
            })
            .await
    }

    /// A part of an attachment's content, for who may fetch it.
    async fn fetch(
        &self,
        tenant: TenantId,
        id: Uuid,
        wanted: Wanted,
    ) -> Result<BoxStream<'static, Result<DownloadAttachmentResponse, Status>>, Fault> {
        let attachment = self.read(&tenant, id).await?;
        attachment.fetched()?;
        let range = wanted.of(&attachment)?;
        Ok(content(self.receiver.contents().clone(), tenant, attachment, range))
    }

    /// Keeps what a part completes; answers the attachment, where that changed it.
    async fn keep(
        &self,
        tenant: &TenantId,
        (id, lies_in): (Uuid, Store),
        upload: &mut Upload,
    ) -> Result<Option<Attachment>, Fault> {
        let mut last = None;
        while let Some(chunk) = upload.chunk() {
            let attachment = self.receiver.keep(tenant, (id, lies_in), chunk).await?;
            if let Some(refusal) = attachment.refusal() {
                return Err(refusal.into());
            }
            upload.keep(attachment.received);
            last = Some(attachment);
        }
        Ok(last)
    }

    /// Takes a stream of parts in; answers the attachment as it then is.
    async fn take(
        &self,
        tenant: &TenantId,
        mut parts: Streaming<UploadAttachmentRequest>,
    ) -> Result<Attachment, Status> {
        let first = parts.message().await?.unwrap_or_default();
        let id = wire::upload(&first)?;
        let mut attachment = self.read(tenant, id).await?;
        if let Some(refusal) = attachment.refusal() {
            return Err(Fault::from(refusal).into());
        }
        let mut upload = Upload::new(attachment.size, attachment.received);
        let mut next = Some(first);
        while let Some(part) = next {
            let (offset, data) = wire::part(part, id)?;
            let weight = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let _room = self.bytes.acquire_many(weight).await.map_err(Fault::internal)?;
            upload.take(offset, &data).map_err(wire::refused_part)?;
            drop(data);
            attachment = self.keep(tenant, (id, attachment.store), &mut upload).await?.unwrap_or(attachment);
            next = parts.message().await?;
        }
        Ok(attachment)
    }
}

/// What is wanted of a content.
enum Wanted {
    /// From a byte on, so many; all that follow where that is none.
    Range(i64, i64),
    /// What HTTP asks for.
    File(FileRequest),
}

impl Wanted {
    fn new(file: Option<FileRequest>, offset: i64, length: i64) -> Self {
        file.map_or(Self::Range(offset, length), Self::File)
    }

    /// From which byte to the one before which.
    fn of(&self, attachment: &Attachment) -> Result<(i64, i64), Fault> {
        match self {
            Self::Range(offset, length) => {
                attachment.range(*offset, *length).ok_or_else(|| wire::after_the_end(attachment.size))
            }
            Self::File(file) => Ok(file.bytes(attachment.size, &wire::sha256(attachment))),
        }
    }
}

/// Changes what the tenant accepts.
async fn settle(
    mut tx: Tx,
    settings: crate::attachment::Settings,
    (updater, expected): (String, Option<i64>),
) -> Result<(Tx, UpdateAttachmentSettingsResponse), Fault> {
    let now = tx.now();
    let version = kept::settle(&mut tx, &settings, &updater, now).await?;
    if expected.is_some_and(|seen| seen != version - 1) {
        return Err(Fault::version_mismatch(version - 1));
    }
    let used = kept::used(&mut tx).await?;
    let settings = crate::attachment::Settings { version, updater, updated: Some(now), ..settings };
    Ok((tx, UpdateAttachmentSettingsResponse { settings: Some(wire::settings(settings, used)) }))
}

/// A range of a content, part by part: each is read when the one before has been taken.
fn content(
    contents: Arc<Contents>,
    tenant: TenantId,
    of: Attachment,
    (from, to): (i64, i64),
) -> BoxStream<'static, Result<DownloadAttachmentResponse, Status>> {
    let head = wire::head(&of, from);
    let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
    let rest =
        stream::try_unfold((contents, tenant, of, from), move |(contents, tenant, of, at)| async move {
            if at >= to {
                return Ok(None);
            }
            let end = (at - at % chunk + chunk).min(to);
            let data = contents.part(&tenant, &of, (at, end)).await?;
            Ok::<_, Status>(Some((wire::piece(at, data), (contents, tenant, of, end))))
        });
    stream::once(async move { Ok(head) }).chain(rest).boxed()
}

#[tonic::async_trait]
impl AttachmentService for AttachmentRpc {
    type DownloadByTokenStream = BoxStream<'static, Result<DownloadByTokenResponse, Status>>;
    type DownloadAttachmentStream = BoxStream<'static, Result<DownloadAttachmentResponse, Status>>;

    async fn create_attachment(
        &self,
        request: Request<CreateAttachmentRequest>,
    ) -> Result<Response<CreateAttachmentResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (announced, lies_in) = (wire::create(request), self.receiver.contents().store());
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let settings = kept::settings(&mut tx).await?;
                let new = announced.accepted(&settings)?;
                if !kept::reserve(&mut tx, new.size(), settings.quota).await? {
                    let used = kept::used(&mut tx).await?;
                    let refused = Fault::from(Refusal::QuotaExceeded);
                    let refused = refused.with("quota_bytes", settings.quota.to_string());
                    return Err(refused.with("used_bytes", used.to_string()));
                }
                let attachment = new.attachment((tx.new_id(), lies_in), caller.subject.to_string(), tx.now());
                kept::create(&mut tx, &attachment).await?;
                let attachment = Some(wire::attachment(&attachment));
                Ok((tx, CreateAttachmentResponse { attachment }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn upload_attachment(
        &self,
        request: Request<Streaming<UploadAttachmentRequest>>,
    ) -> Result<Response<UploadAttachmentResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let mut attachment = self.take(&tenant, request.into_inner()).await?;
        if attachment.is_to_be_finished() {
            attachment = self.receiver.finish(&tenant, attachment).await?;
        }
        if let Some(refusal) = attachment.refusal() {
            return Err(Fault::from(refusal).into());
        }
        Ok(Response::new(UploadAttachmentResponse { attachment: Some(wire::attachment(&attachment)) }))
    }

    async fn get_attachment(
        &self,
        request: Request<GetAttachmentRequest>,
    ) -> Result<Response<GetAttachmentResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let attachment = self.read(&tenant, wire::get(request.get_ref())?).await?;
        Ok(Response::new(GetAttachmentResponse { attachment: Some(wire::attachment(&attachment)) }))
    }

    async fn list_attachments(
        &self,
        request: Request<ListAttachmentsRequest>,
    ) -> Result<Response<ListAttachmentsResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let wire::List { page, complaint, after } = wire::list(request.into_inner())?;
        let limit = page.limit();
        let rows = self
            .db
            .transact("attachment.list", &tenant, async move |mut tx| {
                store::get(&mut tx, complaint).await?.ok_or(Refusal::ComplaintNotFound)?;
                let rows = kept::list(&mut tx, complaint, after, limit).await?;
                Ok((tx, rows))
            })
            .await?;
        let rows = rows.iter().map(|one| (one.id.to_string(), wire::attachment(one)));
        let (attachments, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListAttachmentsResponse { attachments, next_page_token }))
    }

    async fn download_attachment(
        &self,
        request: Request<DownloadAttachmentRequest>,
    ) -> Result<Response<Self::DownloadAttachmentStream>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let file = FileRequest::of(&request).cloned();
        let wire::Download { id, offset, length } = wire::download(request.get_ref())?;
        Ok(Response::new(self.fetch(tenant, id, Wanted::new(file, offset, length)).await?))
    }

    async fn get_download_token(
        &self,
        request: Request<GetDownloadTokenRequest>,
    ) -> Result<Response<GetDownloadTokenResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let (id, seconds) = wire::token_wanted(request.get_ref())?;
        self.read(&tenant, id).await?.fetched().map_err(Fault::from)?;
        let end = self.db.clock().now().as_second().saturating_add(seconds);
        let token = Token { id, end }.signed(self.queue.key().await?, &tenant);
        let end = Timestamp::from_second(end).map_err(Fault::internal)?;
        Ok(Response::new(wire::token(token, end)))
    }

    async fn download_by_token(
        &self,
        request: Request<DownloadByTokenRequest>,
    ) -> Result<Response<Self::DownloadByTokenStream>, Status> {
        let file = FileRequest::of(&request).cloned();
        let is_by_link = file.as_ref().is_some_and(FileRequest::is_by_link);
        let caller = if is_by_link { None } else { Some(server::caller(&request)?) };
        let wire::ByToken { token, offset, length } = wire::by_token(request.into_inner())?;
        let (key, now) = (self.queue.key().await?, self.db.clock().now());
        let (Token { id, .. }, tenant) = match caller {
            Some(caller) => {
                let token = Token::read(&token, key, &caller.tenant, now).map_err(Fault::from)?;
                (token, caller.tenant)
            }
            None => Token::of_link(&token, key, now).map_err(Fault::from)?,
        };
        let parts = self.fetch(tenant, id, Wanted::new(file, offset, length)).await?;
        Ok(Response::new(parts.map(|part| part.map(wire::of_token)).boxed()))
    }

    async fn delete_attachment(
        &self,
        request: Request<DeleteAttachmentRequest>,
    ) -> Result<Response<DeleteAttachmentResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let id = wire::delete(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let attachment = kept::lock(&mut tx, id).await?.ok_or(Refusal::AttachmentNotFound)?;
                if attachment.complaint.is_some() {
                    return Err(Refusal::AttachmentReferredTo.into());
                }
                kept::delete(&mut tx, id).await?;
                Ok((tx, DeleteAttachmentResponse {}))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_attachment_settings(
        &self,
        request: Request<GetAttachmentSettingsRequest>,
    ) -> Result<Response<GetAttachmentSettingsResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let GetAttachmentSettingsRequest {} = request.into_inner();
        let (settings, used) = self
            .db
            .transact("attachment.settings", &tenant, async move |mut tx| {
                let settings = kept::settings(&mut tx).await?;
                let used = kept::used(&mut tx).await?;
                Ok((tx, (settings, used)))
            })
            .await?;
        Ok(Response::new(GetAttachmentSettingsResponse { settings: Some(wire::settings(settings, used)) }))
    }

    async fn update_attachment_settings(
        &self,
        request: Request<UpdateAttachmentSettingsRequest>,
    ) -> Result<Response<UpdateAttachmentSettingsResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (settings, expected) = wire::settle(request)?;
        let done = self
            .db
            .mutate(context, async move |tx, caller| {
                settle(tx, settings, (caller.subject.to_string(), expected)).await
            })
            .await?;
        Ok(server::reply(done))
    }
}
