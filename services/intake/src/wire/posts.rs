//! Proto ⇄ domain: posts, and the complaints they become.

use std::collections::HashMap;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::CaseId;
use kernel::page::Page;
use posts::Content;
use proto::redress::intake::v1::{
    self as contract, AddInformationRequest, Channel, Complainant, Complaint, Evidence, InformationSource,
    Respondent, SocialDetail, complaint::ChannelDetail,
};
use proto::timestamp;
use uuid::Uuid;

use super::times::MAX_SKEW;
use super::{MAX_SUBJECT, MAX_WORD};
use crate::inbound_mail::{cut, language_by_letters};
use crate::post::{Filter, Matter, Post, SetAside, Spread, State};
use crate::webhook_source::Settings;

/// What stands where a post says nothing.
const NO_TEXT: &str = "(no text)";
/// What the page of a post is evidence of.
const OF_POST: &str = "post";
/// What else it shows.
const OF_MEDIA: &str = "media of the post";

/// What a post says, as it is registered or added.
pub(crate) fn description(content: &Content) -> String {
    let text = if content.text.is_empty() { &content.title } else { &content.text };
    if text.trim().is_empty() { NO_TEXT.to_owned() } else { text.clone() }
}

/// Where a post and what it shows can be seen.
pub(crate) fn evidence(content: &Content) -> Vec<Evidence> {
    let one = |kind: &str, uri: &String| Evidence {
        kind: kind.to_owned(),
        uri: uri.clone(),
        ..Evidence::default()
    };
    let post = Some(&content.uri).filter(|uri| !uri.is_empty()).map(|uri| one(OF_POST, uri));
    post.into_iter().chain(content.evidence_uris.iter().map(|uri| one(OF_MEDIA, uri))).collect()
}

/// The complaint a post becomes.
pub(crate) fn complaint(post: &Post, settings: &Settings, now: Timestamp) -> Complaint {
    let content = &post.content;
    let description = description(content);
    let first_line = description.lines().map(str::trim).find(|line| !line.is_empty());
    let title = Some(content.title.as_str()).filter(|title| !title.trim().is_empty());
    let language = Some(content.language.clone()).filter(|tag| !tag.is_empty());
    let is_social = settings.channel == i16::try_from(i32::from(Channel::Social)).unwrap_or_default();
    Complaint {
        channel: settings.channel.into(),
        external_ref: content.external_id.clone(),
        complainant: complainant(content),
        respondent: (!content.order_ref.is_empty())
            .then(|| Respondent { order_ref: content.order_ref.clone(), ..Respondent::default() }),
        subject: cut(title.or(first_line).unwrap_or(NO_TEXT), MAX_SUBJECT),
        language: language.unwrap_or_else(|| language_by_letters(&description, &settings.language)),
        description,
        category_hint: settings.category_hint.clone(),
        evidence: evidence(content),
        receive_time: Some(timestamp(post.received)),
        channel_detail: is_social.then(|| ChannelDetail::Social(social(content, now))),
        ..Complaint::default()
    }
}

fn complainant(content: &Content) -> Option<Complainant> {
    let name = if content.author.is_empty() { &content.author_id } else { &content.author };
    let one = Complainant {
        customer_id: content.customer_id.clone(),
        display_name: cut(name, MAX_WORD),
        email: content.email.clone(),
        phone: content.phone.clone(),
        ..Complainant::default()
    };
    (one != Complainant::default()).then_some(one)
}

fn social(content: &Content, now: Timestamp) -> SocialDetail {
    // What a network says of a moment that has not come, or long before there were any, is not
    // repeated.
    let is_likely = |time: &Timestamp| *time <= now + MAX_SKEW && *time >= Timestamp::UNIX_EPOCH;
    SocialDetail {
        author: cut(if content.author.is_empty() { &content.author_id } else { &content.author }, MAX_WORD),
        uri: content.uri.clone(),
        reach: content.reach,
        post_time: content.time.filter(is_likely).map(timestamp),
        origin_uri: content.origin_uri.clone(),
    }
}

/// What the case is told where its matter has passed thresholds: of mentions and of reach.
pub(crate) fn spread_update(
    matter: &Matter,
    case: CaseId,
    (mentions, reach): (i64, i64),
) -> AddInformationRequest {
    let Spread { mentions: posts, accounts, max_reach, total_reach, .. } = matter.spread;
    let mut passed = Vec::new();
    if mentions > matter.told_mentions {
        passed.push(format!("{mentions} posts"));
    }
    if reach > matter.told_reach {
        passed.push(format!("a reach of {reach}"));
    }
    let text = format!(
        "This post spreads: it has passed {}. By now {posts} posts of {accounts} accounts tell of it, which \
         {total_reach} may have seen, {max_reach} of them one of the posts.",
        passed.join(" and ")
    );
    AddInformationRequest {
        request_id: format!("post.spread.{}.{mentions}.{reach}", matter.id),
        complaint_id: case.to_string(),
        source: InformationSource::Staff.into(),
        text,
        ..AddInformationRequest::default()
    }
}

/// What a list of posts asks for.
pub(crate) struct List {
    pub(crate) page: Page,
    pub(crate) filter: Filter,
    pub(crate) before: Option<Uuid>,
}

/// Reads what a list of posts asks for.
pub(crate) fn list(request: contract::ListPostsRequest) -> Result<List, Fault> {
    let contract::ListPostsRequest { page_size, page_token, source_id, state, complaint_id, head_post_id } =
        request;
    let mut check = Check::new();
    let filters = format!("{source_id} {state} {complaint_id} {head_post_id}");
    let page = check.page(page_size, &page_token, &filters);
    let before = page.after.as_deref().and_then(|key| check.optional_id("page_token", key));
    let source = check.optional_slug("source_id", source_id);
    let known = contract::PostState::try_from(state).is_ok();
    check.ensure(known, "state", "must be one of the states");
    let complaint = check.optional_id::<CaseId>("complaint_id", &complaint_id);
    let head = check.optional_id("head_post_id", &head_post_id);
    check.done("INVALID_LIST")?;
    let state = i16::try_from(state).ok().and_then(State::of);
    Ok(List { page, filter: Filter { source, state, complaint, head }, before })
}

/// Reads which post is wanted.
pub(crate) fn post_id(request: &contract::GetPostRequest) -> Result<Uuid, Fault> {
    let mut check = Check::new();
    let id = check.id("post_id", &request.post_id);
    check.done("INVALID_POST_ID")?;
    Ok(id)
}

/// Reads which post is to be registered, and on which case.
pub(crate) fn registered(request: contract::RegisterPostRequest) -> Result<(Uuid, Option<CaseId>), Fault> {
    let contract::RegisterPostRequest { request_id, post_id, complaint_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("post_id", &post_id);
    let complaint = check.optional_id("complaint_id", &complaint_id);
    check.done("INVALID_POST")?;
    Ok((id, complaint))
}

/// Matters by their id.
pub(crate) type Matters = HashMap<Uuid, Matter>;

/// A post as it is shown.
pub(crate) fn post(post: Post, matters: &Matters) -> contract::Post {
    let matter = post.matter.and_then(|id| matters.get(&id));
    let is_done = matches!(post.state, State::Registered | State::Added);
    let own = post.complaint.filter(|_| is_done);
    let of_matter = || matter.filter(|_| post.state == State::Mention).and_then(|matter| matter.complaint);
    let complaint = own.or_else(of_matter);
    contract::Post {
        post_id: post.id.to_string(),
        source_id: post.source,
        mapping_number: post.mapping,
        content: Some(content(post.content)),
        receive_time: Some(timestamp(post.received)),
        state: i32::from(post.state.number()),
        set_aside: i32::from(post.set_aside.map_or(0, SetAside::number)),
        complaint_id: complaint.map(|id| id.to_string()).unwrap_or_default(),
        head_post_id: matter.map(|matter| matter.head.to_string()).unwrap_or_default(),
        rule: post.rule,
        remarks: post.remarks,
        spread: matter.map(|matter| spread(&matter.spread)),
        registrar: post.registrar,
    }
}

fn spread(spread: &Spread) -> contract::Spread {
    let Spread { mentions, accounts, reports, max_reach, total_reach, first, last } = *spread;
    contract::Spread {
        mentions,
        accounts,
        reports,
        max_reach,
        total_reach,
        first_time: Some(timestamp(first)),
        last_time: Some(timestamp(last)),
    }
}

/// What a post says, as it is shown.
pub(crate) fn content(content: Content) -> contract::PostContent {
    let Content {
        text,
        title,
        author,
        author_id,
        external_id,
        uri,
        reach,
        time,
        language,
        customer_id,
        email,
        phone,
        order_ref,
        parent_id,
        origin_id,
        origin_uri,
        evidence_uris,
    } = content;
    contract::PostContent {
        text,
        title,
        author,
        author_id,
        external_id,
        uri,
        reach,
        post_time: time.map(timestamp),
        language,
        customer_id,
        email,
        phone,
        order_ref,
        parent_id,
        origin_id,
        origin_uri,
        evidence_uris,
    }
}
