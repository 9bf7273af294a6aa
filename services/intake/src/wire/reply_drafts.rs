//! Proto ⇄ domain: public replies.

use fault::{Check, Fault};
use kernel::page::Page;
use proto::redress::intake::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::checked_uri;
use crate::post::Post;
use crate::reply_draft::{Filter, ReplyDraft, State};

const INVALID: &str = "INVALID_REPLY";
/// Longest text; each source allows less.
const MAX_TEXT: usize = 10_000;

/// A reply somebody writes.
pub(crate) struct Drafted {
    pub(crate) post: Uuid,
    /// Empty where the template is taken.
    pub(crate) text: String,
    pub(crate) expected: Option<i64>,
}

/// Reads what somebody writes.
pub(crate) fn drafted(request: wire::DraftReplyRequest) -> Result<Drafted, Fault> {
    let wire::DraftReplyRequest { request_id, post_id, text, expected_version: expected } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let post = check.id("post_id", &post_id);
    let text = check.text("text", text, MAX_TEXT);
    check.ensure(text.is_empty() || !text.trim().is_empty(), "text", "must say something, or be empty");
    check.ensure(expected.is_none_or(|seen| seen >= 0), "expected_version", "must not be negative");
    check.done(INVALID)?;
    Ok(Drafted { post, text, expected })
}

/// Refuses a text for all that keeps it from being said in public.
pub(crate) fn unfit(wrong: Vec<String>) -> Result<(), Fault> {
    let mut check = Check::new();
    for what in wrong {
        check.fail("text", what);
    }
    check.done(INVALID)
}

/// Reads which reply is approved: it, and the version that was read.
pub(crate) fn approved(request: wire::ApproveReplyRequest) -> Result<(Uuid, i64), Fault> {
    let wire::ApproveReplyRequest { request_id, post_id, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let post = check.id("post_id", &post_id);
    check.ensure(expected_version > 0, "expected_version", "must be at least 1");
    check.done(INVALID)?;
    Ok((post, expected_version))
}

/// A reply that was posted.
pub(crate) struct Sent {
    pub(crate) post: Uuid,
    pub(crate) uri: String,
    pub(crate) expected: i64,
}

/// Reads which reply was posted.
pub(crate) fn sent(request: wire::RecordReplySentRequest) -> Result<Sent, Fault> {
    let wire::RecordReplySentRequest { request_id, post_id, reply_uri, expected_version: expected } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let post = check.id("post_id", &post_id);
    let uri = checked_uri(&mut check, "reply_uri", reply_uri);
    check.ensure(expected > 0, "expected_version", "must be at least 1");
    check.done(INVALID)?;
    Ok(Sent { post, uri, expected })
}

/// What a list of replies asks for.
pub(crate) struct List {
    pub(crate) page: Page,
    pub(crate) filter: Filter,
    pub(crate) before: Option<Uuid>,
}

/// Reads what a list of replies asks for.
pub(crate) fn list(request: wire::ListReplyDraftsRequest) -> Result<List, Fault> {
    let wire::ListReplyDraftsRequest { page_size, page_token, state, source_id } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("{state} {source_id}"));
    let before = page.after.as_deref().and_then(|key| check.optional_id("page_token", key));
    let known = wire::ReplyDraftState::try_from(state).is_ok();
    check.ensure(known, "state", "must be one of the states");
    let source = check.optional_slug("source_id", source_id);
    check.done("INVALID_LIST")?;
    let state = i16::try_from(state).ok().and_then(State::of);
    Ok(List { page, filter: Filter { state, source }, before })
}

/// A reply as it is shown, with what is known of its post.
pub(crate) fn reply(reply: ReplyDraft, post: Option<&Post>) -> wire::ReplyDraft {
    let content = post.map(|post| post.content.clone()).unwrap_or_default();
    let complaint = post.and_then(|post| post.complaint);
    wire::ReplyDraft {
        post_id: reply.post.to_string(),
        complaint_id: complaint.map(|id| id.to_string()).unwrap_or_default(),
        source_id: reply.source,
        author: content.author,
        post_uri: content.uri,
        external_id: content.external_id,
        language: reply.language,
        text: reply.text,
        state: i32::from(reply.state.number()),
        drafter: reply.drafter,
        approver: reply.approver,
        approve_time: reply.approved.map(timestamp),
        reply_uri: reply.reply_uri,
        send_time: reply.sent.map(timestamp),
        sender: reply.sender,
        version: reply.version,
        update_time: Some(timestamp(reply.updated)),
    }
}
