//! The rpcs of `PostService`.

use std::collections::HashMap;

use fault::Fault;
use kernel::TenantId;
use pg::{Db, Tx};
use posts::reply::rendered;
use prost::Message as _;
use proto::redress::intake::v1::post_service_server::PostService;
use proto::redress::intake::v1::{
    ApproveReplyRequest, ApproveReplyResponse, ComplaintRegistered, DraftReplyRequest, DraftReplyResponse,
    GetPostRequest, GetPostResponse, ListPostsRequest, ListPostsResponse, ListReplyDraftsRequest,
    ListReplyDraftsResponse, RecordReplySentRequest, RecordReplySentResponse, RegisterPostRequest,
    RegisterPostResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::flow::webhooks::POSTS;
use crate::post::{Post, SetAside, State};
use crate::refusal::Refusal;
use crate::reply_draft::{ReplyDraft, Wording, unfit};
use crate::store::{self, matters, posts as kept, reply_drafts, webhook_sources};
use crate::webhook_source::DEFAULT_REPLY_LENGTH;
use crate::wire::posts::{self as wire, Matters};
use crate::wire::reply_drafts as replies_wire;

/// The rpcs of `PostService`.
pub(crate) struct PostRpc {
    db: Db,
}

impl PostRpc {
    /// Serves the posts of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

/// The matters of some posts.
async fn matters_of(tx: &mut Tx, posts: &[Post]) -> Result<Matters, Fault> {
    let ids: Vec<Uuid> = posts.iter().filter_map(|post| post.matter).collect();
    Ok(matters::find(tx, &ids).await?.into_iter().map(|matter| (matter.id, matter)).collect())
}

/// Has a post registered.
async fn register(
    tx: &mut Tx,
    (id, complaint): (Uuid, Option<kernel::CaseId>),
    registrar: String,
) -> Result<Post, Fault> {
    let mut post = kept::lock(tx, id).await?.ok_or(Refusal::PostNotFound)?;
    if !matches!(post.state, State::SetAside | State::Mention) {
        return Err(Refusal::PostNotSetAside.into());
    }
    if post.set_aside == Some(SetAside::Unreadable) {
        return Err(Refusal::PostUnreadable.into());
    }
    if let Some(complaint) = complaint {
        store::get(tx, complaint).await?.ok_or(Refusal::ComplaintNotFound)?;
    }
    (post.state, post.set_aside) = (State::Waiting, None);
    (post.complaint, post.by_hand, post.attempts) = (complaint, true, 0);
    post.registrar = registrar;
    let now = tx.now();
    kept::save(tx, &post, Some(now)).await?;
    tx.notify(POSTS);
    Ok(post)
}

/// Writes the reply to a post, or writes it anew.
async fn draft(
    tx: &mut Tx,
    replies_wire::Drafted { post: id, text, expected }: replies_wire::Drafted,
    drafter: String,
) -> Result<(ReplyDraft, Post), Fault> {
    // The post first: of two who write its first reply, one waits here.
    let post = kept::lock(tx, id).await?.ok_or(Refusal::PostNotFound)?;
    let complaint = post.complaint.filter(|_| post.state == State::Registered);
    let case = complaint.ok_or(Refusal::PostNotRegistered)?;
    let before = reply_drafts::lock(tx, id).await?;
    let version = before.as_ref().map_or(0, |before| before.version);
    if expected.is_some_and(|seen| seen != version) {
        return Err(Fault::version_mismatch(version));
    }
    let (_, event) = store::get(tx, case).await?.ok_or(Refusal::PostNotRegistered)?;
    let event = ComplaintRegistered::decode(event.as_slice()).map_err(Fault::internal)?;
    let language = event.complaint.unwrap_or_default().language;
    let text = if text.is_empty() {
        let mapping = webhook_sources::mapping(tx, &post.source, post.mapping).await?;
        let template = mapping.as_ref().and_then(|mapping| mapping.spec.template(&language));
        let template = template.ok_or(Refusal::NoReplyTemplate)?;
        let content = &post.content;
        let author = if content.author.is_empty() { &content.author_id } else { &content.author };
        rendered(&template.text, author, &case.to_string())
    } else {
        text
    };
    let source = webhook_sources::get(tx, &post.source).await?;
    let most = source.map_or(DEFAULT_REPLY_LENGTH, |source| source.settings.max_reply_length);
    replies_wire::unfit(unfit(&text, (&post.content, &case.to_string()), most))?;
    let (wording, now) = (Wording { text, language, drafter }, tx.now());
    let reply = match before {
        None => ReplyDraft::new((id, post.source.clone()), wording, now),
        Some(mut before) => {
            before.rewrite(wording, now)?;
            before
        }
    };
    reply_drafts::save(tx, &reply).await?;
    Ok((reply, post))
}

/// The reply to a post as somebody has seen it, and the post.
async fn seen(tx: &mut Tx, id: Uuid, expected: i64) -> Result<(ReplyDraft, Option<Post>), Fault> {
    let reply = reply_drafts::lock(tx, id).await?.ok_or(Refusal::ReplyNotFound)?;
    if reply.version != expected {
        return Err(Fault::version_mismatch(reply.version));
    }
    let post = kept::get(tx, id).await?;
    Ok((reply, post))
}

impl PostRpc {
    async fn replies(
        &self,
        tenant: &TenantId,
        replies_wire::List { page, filter, before }: replies_wire::List,
    ) -> Result<ListReplyDraftsResponse, Fault> {
        let limit = page.limit();
        let read = self.db.transact("reply.list", tenant, async move |mut tx| {
            let rows = reply_drafts::list(&mut tx, &filter, before, limit).await?;
            let ids: Vec<Uuid> = rows.iter().map(|reply| reply.post).collect();
            let posts = kept::find(&mut tx, &ids).await?;
            Ok((tx, (rows, posts)))
        });
        let (rows, posts) = read.await?;
        let posts: HashMap<Uuid, Post> = posts.into_iter().map(|post| (post.id, post)).collect();
        let row = |reply: ReplyDraft| {
            let post = posts.get(&reply.post);
            (reply.post.to_string(), replies_wire::reply(reply, post))
        };
        let (replies, next_page_token) = server::page(&page, rows.into_iter().map(row));
        Ok(ListReplyDraftsResponse { replies, next_page_token })
    }
}

#[tonic::async_trait]
impl PostService for PostRpc {
    async fn list_posts(
        &self,
        request: Request<ListPostsRequest>,
    ) -> Result<Response<ListPostsResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let wire::List { page, filter, before } = wire::list(request.into_inner())?;
        let limit = page.limit();
        let read = self.db.transact("post.list", &tenant, async move |mut tx| {
            let rows = kept::list(&mut tx, &filter, before, limit).await?;
            let matters = matters_of(&mut tx, &rows).await?;
            Ok((tx, (rows, matters)))
        });
        let (rows, matters) = read.await?;
        let rows = rows.into_iter().map(|one| (one.id.to_string(), wire::post(one, &matters)));
        let (posts, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListPostsResponse { posts, next_page_token }))
    }

    async fn get_post(&self, request: Request<GetPostRequest>) -> Result<Response<GetPostResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let id = wire::post_id(request.get_ref())?;
        let read = self.db.transact("post.get", &tenant, async move |mut tx| {
            let post = kept::get(&mut tx, id).await?.ok_or(Refusal::PostNotFound)?;
            let matters = matters_of(&mut tx, std::slice::from_ref(&post)).await?;
            Ok((tx, GetPostResponse { post: Some(wire::post(post, &matters)) }))
        });
        Ok(Response::new(read.await?))
    }

    async fn register_post(
        &self,
        request: Request<RegisterPostRequest>,
    ) -> Result<Response<RegisterPostResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let asked = wire::registered(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let post = register(&mut tx, asked, caller.subject.to_string()).await?;
            let matters = matters_of(&mut tx, std::slice::from_ref(&post)).await?;
            Ok((tx, RegisterPostResponse { post: Some(wire::post(post, &matters)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn draft_reply(
        &self,
        request: Request<DraftReplyRequest>,
    ) -> Result<Response<DraftReplyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let drafted = replies_wire::drafted(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let (reply, post) = draft(&mut tx, drafted, caller.subject.to_string()).await?;
            let reply = Some(replies_wire::reply(reply, Some(&post)));
            Ok((tx, DraftReplyResponse { reply }))
        });
        Ok(server::reply(done.await?))
    }

    async fn approve_reply(
        &self,
        request: Request<ApproveReplyRequest>,
    ) -> Result<Response<ApproveReplyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, expected) = replies_wire::approved(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let (mut reply, post) = seen(&mut tx, id, expected).await?;
            reply.approve(&caller.subject, tx.now())?;
            reply_drafts::save(&mut tx, &reply).await?;
            let reply = Some(replies_wire::reply(reply, post.as_ref()));
            Ok((tx, ApproveReplyResponse { reply }))
        });
        Ok(server::reply(done.await?))
    }

    async fn record_reply_sent(
        &self,
        request: Request<RecordReplySentRequest>,
    ) -> Result<Response<RecordReplySentResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let replies_wire::Sent { post: id, uri, expected } = replies_wire::sent(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let (mut reply, post) = seen(&mut tx, id, expected).await?;
            reply.record_sent(&caller.subject, uri, tx.now())?;
            reply_drafts::save(&mut tx, &reply).await?;
            let reply = Some(replies_wire::reply(reply, post.as_ref()));
            Ok((tx, RecordReplySentResponse { reply }))
        });
        Ok(server::reply(done.await?))
    }

    async fn list_reply_drafts(
        &self,
        request: Request<ListReplyDraftsRequest>,
    ) -> Result<Response<ListReplyDraftsResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let list = replies_wire::list(request.into_inner())?;
        Ok(Response::new(self.replies(&tenant, list).await?))
    }
}
