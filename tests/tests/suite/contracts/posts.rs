//! The lines of webhook sources, posts and public replies.

use super::table::{EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "WebhookSourceService.SetWebhookSource",
        r#"{"source": {"channel": 4, "signature": 9, "silentAfter": "-1s", "maxPerAuthorHour": 1001,
            "maxReplyLength": -1}, "secret": "x", "nextSecret": "y", "expectedVersion": "-1"}"#,
        "INVALID_WEBHOOK_SOURCE",
        &[
            "request_id",
            "expected_version",
            "source.channel",
            "source.signature",
            "source.max_per_author_hour",
            "source.max_reply_length",
            "source.silent_after",
            "source.source_id",
            "source.owner",
            "source.language",
            "secret",
            "next_secret",
        ],
    ),
    invalid("WebhookSourceService.GetWebhookSource", EMPTY, "INVALID_WEBHOOK_SOURCE_ID", &["source_id"]),
    invalid(
        "WebhookSourceService.DeleteWebhookSource",
        EMPTY,
        "INVALID_WEBHOOK_SOURCE_ID",
        &["request_id", "source_id"],
    ),
    invalid(
        "WebhookSourceService.CreateWebhookMapping",
        r#"{"mapping": {"items": "x", "fields": [{"field": 99, "path": "$..a..b"}], "rules": [{}],
            "mentionThresholds": ["1"], "reachThresholds": ["3", "2"],
            "templates": [{"language": "?", "text": "{phone}"}]}}"#,
        "INVALID_WEBHOOK_MAPPING",
        &[
            "request_id",
            "mapping.source_id",
            "mapping.items",
            "mapping.fields[0].path",
            "mapping.fields[0].field",
            "mapping.fields",
            "mapping.rules[0].name",
            "mapping.rules[0]",
            "mapping.mention_thresholds",
            "mapping.reach_thresholds",
            "mapping.templates[0].language",
            "mapping.templates[0].text",
        ],
    ),
    invalid(
        "WebhookSourceService.ActivateWebhookMapping",
        EMPTY,
        "INVALID_WEBHOOK_MAPPING",
        &["request_id", "source_id", "number"],
    ),
    invalid(
        "WebhookSourceService.ListWebhookMappings",
        r#"{"pageSize": -1}"#,
        "INVALID_LIST",
        &["page_size", "source_id"],
    ),
    invalid(
        "WebhookSourceService.PreviewWebhookMapping",
        r#"{"number": "-1", "keptPosts": 101, "sample": "eA=="}"#,
        "INVALID_WEBHOOK_MAPPING",
        &["source_id", "number", "mapping", "kept_posts", "sample"],
    ),
    invalid("WebhookSourceService.ReceiveWebhook", EMPTY, "INVALID_WEBHOOK_DELIVERY", &["source_id", "body"]),
    invalid(
        "WebhookSourceService.CheckWebhookChallenge",
        r#"{"challenge": "<b>"}"#,
        "INVALID_WEBHOOK_CHALLENGE",
        &["source_id", "challenge"],
    ),
    invalid(
        "PostService.ListPosts",
        r#"{"pageSize": -1, "sourceId": "A B", "state": 99, "complaintId": "x", "headPostId": "y"}"#,
        "INVALID_LIST",
        &["page_size", "source_id", "state", "complaint_id", "head_post_id"],
    ),
    invalid("PostService.GetPost", EMPTY, "INVALID_POST_ID", &["post_id"]),
    invalid(
        "PostService.RegisterPost",
        r#"{"complaintId": "x"}"#,
        "INVALID_POST",
        &["request_id", "post_id", "complaint_id"],
    ),
    invalid(
        "PostService.DraftReply",
        r#"{"text": " ", "expectedVersion": "-1"}"#,
        "INVALID_REPLY",
        &["request_id", "post_id", "text", "expected_version"],
    ),
    invalid(
        "PostService.ApproveReply",
        EMPTY,
        "INVALID_REPLY",
        &["request_id", "post_id", "expected_version"],
    ),
    invalid(
        "PostService.RecordReplySent",
        EMPTY,
        "INVALID_REPLY",
        &["request_id", "post_id", "reply_uri", "expected_version"],
    ),
    invalid(
        "PostService.ListReplyDrafts",
        r#"{"pageSize": -1, "state": 99, "sourceId": "A B"}"#,
        "INVALID_LIST",
        &["page_size", "state", "source_id"],
    ),
];

/// A mapping that reads a text.
const MAPPING: &str = r#"{"request_id": "$KEY", "mapping": {"source_id": "nowhere",
    "fields": [{"field": "POST_FIELD_TEXT", "path": "$.text"}]}}"#;

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown(
        "WebhookSourceService.GetWebhookSource",
        r#"{"source_id": "nowhere"}"#,
        "WEBHOOK_SOURCE_NOT_FOUND",
    ),
    unknown(
        "WebhookSourceService.DeleteWebhookSource",
        r#"{"request_id": "$KEY", "source_id": "nowhere"}"#,
        "WEBHOOK_SOURCE_NOT_FOUND",
    ),
    unknown("WebhookSourceService.CreateWebhookMapping", MAPPING, "WEBHOOK_SOURCE_NOT_FOUND"),
    unknown(
        "WebhookSourceService.ActivateWebhookMapping",
        r#"{"request_id": "$KEY", "source_id": "nowhere", "number": "1"}"#,
        "WEBHOOK_SOURCE_NOT_FOUND",
    ),
    unknown(
        "WebhookSourceService.ListWebhookMappings",
        r#"{"source_id": "nowhere"}"#,
        "WEBHOOK_SOURCE_NOT_FOUND",
    ),
    unknown(
        "WebhookSourceService.PreviewWebhookMapping",
        r#"{"source_id": "nowhere", "number": "1", "kept_posts": 1}"#,
        "WEBHOOK_SOURCE_NOT_FOUND",
    ),
    unknown("PostService.GetPost", r#"{"post_id": "$ID"}"#, "POST_NOT_FOUND"),
    unknown("PostService.RegisterPost", r#"{"request_id": "$KEY", "post_id": "$ID"}"#, "POST_NOT_FOUND"),
    unknown("PostService.DraftReply", r#"{"request_id": "$KEY", "post_id": "$ID"}"#, "POST_NOT_FOUND"),
    unknown(
        "PostService.ApproveReply",
        r#"{"request_id": "$KEY", "post_id": "$ID", "expected_version": "1"}"#,
        "REPLY_NOT_FOUND",
    ),
    unknown(
        "PostService.RecordReplySent",
        r#"{"request_id": "$KEY", "post_id": "$ID", "expected_version": "1",
            "reply_uri": "https://x.example/1"}"#,
        "REPLY_NOT_FOUND",
    ),
];
