//! What is answered in public: written by one, approved by another, posted by the organisation's
//! own tool.

use proto::redress::intake::v1::{
    ApproveReplyRequest, DraftReplyRequest, ListReplyDraftsRequest, RecordReplySentRequest, ReplyDraft,
    ReplyDraftState, ReplyTemplate, WebhookMapping,
};
use testkit::{House, reason, request_id, violations};
use tonic::Status;

use super::{Posts, Sent, deliver, mapping, post, rule, set_up, settled};

async fn draft(client: &Posts, post_id: &str, text: &str) -> Result<ReplyDraft, Status> {
    let request = DraftReplyRequest {
        request_id: request_id(),
        post_id: post_id.to_owned(),
        text: text.to_owned(),
        expected_version: None,
    };
    Ok(client.clone().draft_reply(request).await?.into_inner().reply.expect("a reply"))
}

async fn approve(client: &Posts, reply: &ReplyDraft) -> Result<ReplyDraft, Status> {
    let request = ApproveReplyRequest {
        request_id: request_id(),
        post_id: reply.post_id.clone(),
        expected_version: reply.version,
    };
    Ok(client.clone().approve_reply(request).await?.into_inner().reply.expect("a reply"))
}

async fn sent(client: &Posts, reply: &ReplyDraft) -> Result<ReplyDraft, Status> {
    let request = RecordReplySentRequest {
        request_id: request_id(),
        post_id: reply.post_id.clone(),
        reply_uri: "https://weibo.example/shop/9".to_owned(),
        expected_version: reply.version,
    };
    Ok(client.clone().record_reply_sent(request).await?.into_inner().reply.expect("a reply"))
}

fn template(language: &str, text: &str) -> ReplyTemplate {
    ReplyTemplate { language: language.to_owned(), text: text.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_needs_four_eyes_and_says_nothing_personal() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let templates = vec![
        template("en", "@{author} sorry: {reference}"),
        template("zh-CN", "@{author} 抱歉,编号 {reference}"),
    ];
    let owner =
        set_up(&house, WebhookMapping { templates, rules: vec![rule("lost", &["丢了"])], ..mapping() }).await;
    let mut lost = post(1, "安", "快递丢了");
    lost["order"] = "A-4711".into();
    for body in [lost, post(2, "bob", "真好看")] {
        deliver(&house, house.address(), Sent::default(), body.to_string().as_bytes()).await;
    }
    let all = settled(&owner, 2).await;
    let (id, case) = (&all[0].post_id, &all[0].complaint_id);
    let agent = |name: &str| Posts::new(house.channel_as("development", name, &["agent"]));
    let (ann, bob) = (agent("Ann"), agent("bob"));
    let refused = draft(&ann, &all[1].post_id, "x").await.expect_err("it is no complaint");
    assert_eq!(reason(&refused), "POST_NOT_REGISTERED");
    let first = draft(&ann, id, "").await.expect("by the template");
    assert_eq!(
        (first.text.clone(), first.state()),
        (format!("@安 抱歉,编号 {case}"), ReplyDraftState::Drafted)
    );
    assert_eq!(
        (first.complaint_id.as_str(), first.external_id.as_str(), first.author.as_str()),
        (case.as_str(), "1", "安")
    );
    let refused = approve(&agent("ANN"), &first).await.expect_err("her own");
    assert_eq!(reason(&refused), "OWN_REPLY");
    for text in ["call 13800138000", "order a-4711", &"长".repeat(141)] {
        let refused = draft(&bob, id, text).await.expect_err("not in public");
        assert_eq!(
            (reason(&refused).as_str(), violations(&refused)),
            ("INVALID_REPLY", vec!["text".to_owned()]),
            "{text}"
        );
    }
    let other = draft(&bob, id, "@安 抱歉").await.expect("written anew");
    let stale = approve(&ann, &first).await.expect_err("she has not read this one");
    assert_eq!(reason(&stale), "VERSION_MISMATCH");
    let refused = sent(&bob, &other).await.expect_err("not approved");
    assert_eq!(reason(&refused), "REPLY_NOT_APPROVED");
    let approved = approve(&ann, &other).await.expect("by another");
    assert_eq!((approved.state(), approved.approver.as_str()), (ReplyDraftState::Approved, "Ann"));

    // The tool asks for what it may post, and says that it has.
    let tool = Posts::new(house.channel_as("development", "tool", &["channel"]));
    let waiting = async |state: ReplyDraftState| {
        let request = ListReplyDraftsRequest { state: state.into(), ..ListReplyDraftsRequest::default() };
        tool.clone().list_reply_drafts(request).await.expect("listed").into_inner().replies
    };
    assert_eq!(waiting(ReplyDraftState::Approved).await, std::slice::from_ref(&approved));
    let done = sent(&tool, &approved).await.expect("posted");
    assert_eq!(
        (done.state(), done.reply_uri.as_str(), done.sender.as_str()),
        (ReplyDraftState::Sent, "https://weibo.example/shop/9", "tool")
    );
    assert_eq!(waiting(ReplyDraftState::Approved).await, []);
    assert_eq!(waiting(ReplyDraftState::Sent).await.len(), 1);
    let refused = draft(&ann, id, "x").await.expect_err("it is out");
    assert_eq!(reason(&refused), "REPLY_ALREADY_SENT");
    house.done().await;
}
