//! Webhook sources, their mappings, and what a mapping makes of posts.

use proto::redress::intake::v1::{
    Channel, KeywordRule, ListWebhookMappingsResponse, ListWebhookSourcesResponse, PostField,
    PreviewWebhookMappingResponse, PreviewedPost, WebhookMapping, WebhookSignature, WebhookSource,
    WebhookSourceState,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// One source; its secrets are never told.
pub fn webhook_source(one: &WebhookSource) -> String {
    let silent = one.silent_after.map(|after| format!("{} h", after.seconds / 3_600));
    let rotating = if one.has_next_secret { "a second one is good, too" } else { "" };
    facts(&[
        ("source", one.source_id.clone()),
        ("version", one.version.to_string()),
        ("posts to", one.uri_path.clone()),
        ("channel", word::<Channel>(one.channel)),
        ("owner", one.owner.clone()),
        ("language", one.language.clone()),
        ("category", one.category_hint.clone()),
        ("signed as", word::<WebhookSignature>(one.signature)),
        ("secret", rotating.to_owned()),
        ("token to ask with", one.verify_token.clone()),
        ("may be silent for", silent.unwrap_or_default()),
        ("an author's posts an hour", one.max_per_author_hour.to_string()),
        ("longest reply", one.max_reply_length.to_string()),
        ("mapping", mapping_number(one.active_mapping)),
        ("state", word::<WebhookSourceState>(one.state)),
        ("refused because", joined(&one.error_reason, &one.error)),
        ("since", time(one.error_time.as_ref())),
        ("latest delivery", time(one.last_delivery_time.as_ref())),
        ("changed by", one.updater.clone()),
        ("changed", time(one.update_time.as_ref())),
    ])
}

fn joined(reason: &str, words: &str) -> String {
    if words.is_empty() { reason.to_owned() } else { format!("{reason}: {words}") }
}

fn mapping_number(number: i64) -> String {
    if number == 0 { "none is active".to_owned() } else { number.to_string() }
}

/// All sources.
pub fn webhook_sources(list: &ListWebhookSourcesResponse) -> String {
    if list.sources.is_empty() {
        return none_of("webhook sources", "");
    }
    let mut table = Table::new(["source", "channel", "state", "mapping", "latest delivery", "owner", "why"]);
    for one in &list.sources {
        table.row([
            one.source_id.clone(),
            word::<Channel>(one.channel),
            word::<WebhookSourceState>(one.state),
            mapping_number(one.active_mapping),
            time(one.last_delivery_time.as_ref()),
            one.owner.clone(),
            one.error_reason.clone(),
        ]);
    }
    table.render()
}

/// One mapping.
pub fn webhook_mapping(one: &WebhookMapping) -> String {
    let fields: Vec<String> = one
        .fields
        .iter()
        .map(|field| format!("{}: {}", word::<PostField>(field.field), field.path))
        .collect();
    let rules: Vec<String> = one.rules.iter().map(rule).collect();
    let numbers = |numbers: &[i64]| {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        numbers.join(", ")
    };
    let templates: Vec<String> =
        one.templates.iter().map(|template| format!("{}: {}", template.language, template.text)).collect();
    facts(&[
        ("mapping", format!("{} of {}", one.number, one.source_id)),
        ("active", if one.active { "yes" } else { "no" }.to_owned()),
        ("posts at", one.items.clone()),
        ("fields", fields.join("\n")),
        ("rules", rules.join("\n")),
        ("told at so many posts", numbers(&one.mention_thresholds)),
        ("told at a reach of", numbers(&one.reach_thresholds)),
        ("replies", templates.join("\n")),
        ("created by", one.creator.clone()),
        ("created", time(one.create_time.as_ref())),
    ])
}

/// A rule in a line.
fn rule(one: &KeywordRule) -> String {
    let list =
        |what: &str, words: &[String]| (!words.is_empty()).then(|| format!("{what} {}", words.join(" | ")));
    let parts = [list("any of", &one.any_of), list("all of", &one.all_of), list("none of", &one.none_of)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}: {}", one.name, parts.join("; "))
}

/// The versions of a mapping, a line each.
pub fn webhook_mappings(list: &ListWebhookMappingsResponse) -> String {
    if list.mappings.is_empty() {
        return none_of("mappings", &list.next_page_token);
    }
    let mut table = Table::new(["mapping", "active", "fields", "rules", "created", "by"]);
    for one in &list.mappings {
        table.row([
            one.number.to_string(),
            if one.active { "yes" } else { "" }.to_owned(),
            one.fields.len().to_string(),
            one.rules.len().to_string(),
            time(one.create_time.as_ref()),
            one.creator.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What a mapping makes of posts.
pub fn webhook_preview(preview: &PreviewWebhookMappingResponse) -> String {
    if preview.posts.is_empty() {
        return none_of("posts", "");
    }
    let posts: Vec<String> = preview.posts.iter().map(previewed).collect();
    posts.join("\n")
}

fn previewed(one: &PreviewedPost) -> String {
    let verdict = match (one.taken, one.rule.as_str()) {
        (false, _) => "no".to_owned(),
        (true, "") => "yes".to_owned(),
        (true, rule) => format!("yes, by {rule}"),
    };
    let problems: Vec<String> = one
        .problems
        .iter()
        .map(|problem| format!("{} {}", word::<PostField>(problem.field), problem.description))
        .collect();
    let mut all = vec![("post", one.post_id.clone()), ("a complaint", verdict)];
    if let Some(content) = &one.content {
        all.extend(super::posts::content(content));
    }
    all.push(("left out", problems.join("\n")));
    facts(&all)
}

#[cfg(test)]
mod tests {
    use proto::redress::intake::v1::{PostContent, PostFieldPath, PostProblem};

    use super::*;

    #[test]
    fn a_source_says_why_it_fails_and_nothing_of_its_secret() {
        let one = WebhookSource {
            source_id: "weibo".to_owned(),
            state: WebhookSourceState::Failing.into(),
            error_reason: "SIGNATURE_REFUSED".to_owned(),
            error: "another secret".to_owned(),
            has_next_secret: true,
            ..WebhookSource::default()
        };
        let text = webhook_source(&one);
        assert!(
            text.contains("SIGNATURE_REFUSED: another secret") && text.contains("a second one"),
            "{text}"
        );
        assert!(text.contains("none is active"), "{text}");
        let row = webhook_sources(&ListWebhookSourcesResponse { sources: vec![one] });
        assert!(row.contains("failing") && row.contains("SIGNATURE_REFUSED"), "{row}");
        assert!(webhook_sources(&ListWebhookSourcesResponse::default()).contains("no webhook sources"));
    }

    #[test]
    fn a_mapping_and_what_it_makes_are_said() {
        let one = WebhookMapping {
            number: 2,
            source_id: "weibo".to_owned(),
            fields: vec![PostFieldPath { field: PostField::AuthorId.into(), path: "$.user.id".to_owned() }],
            rules: vec![KeywordRule {
                name: "refund".to_owned(),
                any_of: vec!["退款".to_owned(), "refund".to_owned()],
                none_of: vec!["招聘".to_owned()],
                ..KeywordRule::default()
            }],
            ..WebhookMapping::default()
        };
        let text = webhook_mapping(&one);
        assert!(text.contains("author id: $.user.id"), "{text}");
        assert!(text.contains("refund: any of 退款 | refund; none of 招聘"), "{text}");
        let post = PreviewedPost {
            content: Some(PostContent { text: "我要退款".to_owned(), ..PostContent::default() }),
            problems: vec![PostProblem {
                field: PostField::Reach.into(),
                description: "is no number".to_owned(),
            }],
            taken: true,
            rule: "refund".to_owned(),
            ..PreviewedPost::default()
        };
        let text = webhook_preview(&PreviewWebhookMappingResponse { posts: vec![post] });
        assert!(text.contains("yes, by refund") && text.contains("reach is no number"), "{text}");
    }
}
