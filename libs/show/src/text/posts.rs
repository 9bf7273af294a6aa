//! Posts that webhook sources delivered, and what is answered to them.

use proto::redress::intake::v1::{
    ListPostsResponse, ListReplyDraftsResponse, Post, PostContent, PostSetAside, PostState, ReplyDraft,
    ReplyDraftState, Spread,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts, one_line};
use crate::words::word;

/// What a post says, fact by fact.
pub(super) fn content(one: &PostContent) -> Vec<(&'static str, String)> {
    let reach = if one.reach == 0 { String::new() } else { one.reach.to_string() };
    vec![
        ("author", named(&one.author, &one.author_id)),
        ("number", one.external_id.clone()),
        ("address", one.uri.clone()),
        ("posted", time(one.post_time.as_ref())),
        ("reach", reach),
        ("language", one.language.clone()),
        ("customer", one.customer_id.clone()),
        ("e-mail", one.email.clone()),
        ("telephone", one.phone.clone()),
        ("order", one.order_ref.clone()),
        ("answers", one.parent_id.clone()),
        ("repeats", named(&one.origin_id, &one.origin_uri)),
        ("shows", one.evidence_uris.join("\n")),
        ("title", one.title.clone()),
        ("text", one.text.clone()),
    ]
}

fn named(name: &str, id: &str) -> String {
    match (name, id) {
        ("", id) => id.to_owned(),
        (name, "") => name.to_owned(),
        (name, id) => format!("{name} ({id})"),
    }
}

/// One post, and what became of it.
pub fn post(one: &Post) -> String {
    let mut all = vec![
        ("post", one.post_id.clone()),
        ("source", format!("{}, mapping {}", one.source_id, one.mapping_number)),
        ("arrived", time(one.receive_time.as_ref())),
        ("state", word::<PostState>(one.state)),
        ("set aside as", set_aside(one.set_aside)),
        ("taken by rule", one.rule.clone()),
        ("complaint", one.complaint_id.clone()),
        ("matter of", one.head_post_id.clone()),
        ("spread", one.spread.as_ref().map(spread).unwrap_or_default()),
        ("registered by", one.registrar.clone()),
        ("remarks", one.remarks.join("\n")),
    ];
    if let Some(said) = &one.content {
        all.extend(content(said));
    }
    facts(&all)
}

fn set_aside(why: i32) -> String {
    if why == 0 { String::new() } else { word::<PostSetAside>(why) }
}

/// How far a matter has spread, in a line.
fn spread(one: &Spread) -> String {
    let Spread { mentions, accounts, reports, max_reach, total_reach, first_time, last_time } = one;
    format!(
        "{mentions} posts of {accounts} accounts, told {reports} times, seen by up to {total_reach} \
         ({max_reach} one of them), {} to {}",
        time(first_time.as_ref()),
        time(last_time.as_ref())
    )
}

/// Posts, a line each.
pub fn posts(list: &ListPostsResponse) -> String {
    if list.posts.is_empty() {
        return none_of("posts", &list.next_page_token);
    }
    let mut table = Table::new(["post", "arrived", "author", "state", "complaint", "text"]);
    for one in &list.posts {
        let (state, why) = (word::<PostState>(one.state), set_aside(one.set_aside));
        let said = one.content.clone().unwrap_or_default();
        table.row([
            one.post_id.clone(),
            time(one.receive_time.as_ref()),
            named(&said.author, ""),
            if why.is_empty() { state } else { format!("{state}: {why}") },
            one.complaint_id.clone(),
            one_line(&said.text),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One public reply.
pub fn reply_draft(one: &ReplyDraft) -> String {
    facts(&[
        ("post", one.post_id.clone()),
        ("version", one.version.to_string()),
        ("complaint", one.complaint_id.clone()),
        ("to", named(&one.author, &one.external_id)),
        ("of", named(&one.source_id, &one.post_uri)),
        ("language", one.language.clone()),
        ("state", word::<ReplyDraftState>(one.state)),
        ("written by", one.drafter.clone()),
        ("approved by", one.approver.clone()),
        ("approved", time(one.approve_time.as_ref())),
        ("sent by", one.sender.clone()),
        ("sent", time(one.send_time.as_ref())),
        ("stands at", one.reply_uri.clone()),
        ("changed", time(one.update_time.as_ref())),
        ("text", one.text.clone()),
    ])
}

/// Public replies, a line each.
pub fn reply_drafts(list: &ListReplyDraftsResponse) -> String {
    if list.replies.is_empty() {
        return none_of("replies", &list.next_page_token);
    }
    let mut table = Table::new(["post", "version", "to", "state", "written by", "approved by", "text"]);
    for one in &list.replies {
        table.row([
            one.post_id.clone(),
            one.version.to_string(),
            one.author.clone(),
            word::<ReplyDraftState>(one.state),
            one.drafter.clone(),
            one.approver.clone(),
            one_line(&one.text),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_says_what_became_of_it_and_how_far_it_spread() {
        let one = Post {
            post_id: "p1".to_owned(),
            state: PostState::SetAside.into(),
            set_aside: PostSetAside::NoRule.into(),
            content: Some(PostContent {
                author: "ann".to_owned(),
                text: "a\nb".to_owned(),
                ..PostContent::default()
            }),
            spread: Some(Spread { mentions: 3, accounts: 2, reports: 4, ..Spread::default() }),
            ..Post::default()
        };
        let text = post(&one);
        assert!(text.contains("no rule") && text.contains("3 posts of 2 accounts, told 4 times"), "{text}");
        let list = posts(&ListPostsResponse { posts: vec![one], next_page_token: String::new() });
        assert!(list.contains("set aside: no rule") && list.contains("ann"), "{list}");
        assert!(posts(&ListPostsResponse::default()).contains("no posts"));
    }

    #[test]
    fn a_reply_says_who_wrote_it_and_who_approved_it() {
        let one = ReplyDraft {
            post_id: "p1".to_owned(),
            state: ReplyDraftState::Approved.into(),
            drafter: "ann".to_owned(),
            approver: "bob".to_owned(),
            text: "Sorry".to_owned(),
            ..ReplyDraft::default()
        };
        let text = reply_draft(&one);
        assert!(text.contains("approved") && text.contains("ann") && text.contains("Sorry"), "{text}");
        let list =
            reply_drafts(&ListReplyDraftsResponse { replies: vec![one], next_page_token: String::new() });
        assert!(list.contains("bob"), "{list}");
        assert!(reply_drafts(&ListReplyDraftsResponse::default()).contains("no replies"));
    }
}
