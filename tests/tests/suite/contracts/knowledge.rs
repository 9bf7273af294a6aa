//! The lines of articles and topics.

use super::table::{BAD_PAGE, EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid("KnowledgeService.CreateArticle", EMPTY, "INVALID_ARTICLE", &["request_id", "content"]),
    invalid(
        "KnowledgeService.EditArticle",
        r#"{"content": {"categories": [""], "products": [" "], "source_case_ids": ["x"], "review_date": "x"}}"#,
        "INVALID_ARTICLE",
        &[
            "request_id",
            "article_id",
            "expected_version",
            "content.source_case_ids[0]",
            "content.title",
            "content.body",
            "content.language",
            "content.categories[0]",
            "content.products[0]",
            "content.review_date",
        ],
    ),
    invalid(
        "KnowledgeService.SubmitArticle",
        EMPTY,
        "INVALID_ARTICLE",
        &["request_id", "article_id", "expected_version"],
    ),
    invalid(
        "KnowledgeService.PublishArticle",
        EMPTY,
        "INVALID_ARTICLE",
        &["request_id", "article_id", "expected_version"],
    ),
    invalid(
        "KnowledgeService.RetireArticle",
        EMPTY,
        "INVALID_ARTICLE",
        &["request_id", "article_id", "expected_version", "reason"],
    ),
    invalid(
        "KnowledgeService.GetArticle",
        r#"{"revision": -1}"#,
        "INVALID_REQUEST",
        &["article_id", "revision"],
    ),
    invalid("KnowledgeService.ListArticles", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid(
        "KnowledgeService.SuggestArticles",
        r#"{"max_results": 21}"#,
        "INVALID_SEARCH",
        &["case_id", "max_results"],
    ),
    invalid(
        "KnowledgeService.RecordArticleUse",
        r#"{"revision": -1}"#,
        "INVALID_ARTICLE_USE",
        &["request_id", "case_id", "article_id", "revision", "useful"],
    ),
    invalid(
        "KnowledgeService.ListSolvedClusters",
        r#"{"max_results": 51}"#,
        "INVALID_SEARCH",
        &["max_results"],
    ),
    invalid(
        "TopicService.ListTopics",
        r#"{"end_date": "soon", "days": 32, "baseline_days": 6, "max_results": 51}"#,
        "INVALID_REQUEST",
        &["end_date", "days", "baseline_days", "max_results"],
    ),
    invalid("TopicService.GetTopic", EMPTY, "INVALID_REQUEST", &["topic_id"]),
];

/// Does something to an article that there is not.
const CHANGE: &str = r#"{"request_id": "$KEY", "article_id": "$ID", "expected_version": 1}"#;

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown(
        "KnowledgeService.CreateArticle",
        r#"{"request_id": "$KEY",
            "content": {"title": "x", "body": "x", "language": "en", "source_case_ids": ["$ID"]}}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "KnowledgeService.EditArticle",
        r#"{"request_id": "$KEY", "article_id": "$ID", "expected_version": 1,
            "content": {"title": "x", "body": "x", "language": "en"}}"#,
        "ARTICLE_NOT_FOUND",
    ),
    unknown("KnowledgeService.SubmitArticle", CHANGE, "ARTICLE_NOT_FOUND"),
    unknown("KnowledgeService.PublishArticle", CHANGE, "ARTICLE_NOT_FOUND"),
    unknown(
        "KnowledgeService.RetireArticle",
        r#"{"request_id": "$KEY", "article_id": "$ID", "expected_version": 1, "reason": "x"}"#,
        "ARTICLE_NOT_FOUND",
    ),
    unknown("KnowledgeService.GetArticle", r#"{"article_id": "$ID"}"#, "ARTICLE_NOT_FOUND"),
    unknown("KnowledgeService.SuggestArticles", r#"{"case_id": "$ID"}"#, "CASE_NOT_FOUND"),
    unknown(
        "KnowledgeService.RecordArticleUse",
        r#"{"request_id": "$KEY", "case_id": "$ID", "article_id": "$ID", "useful": true}"#,
        "CASE_NOT_FOUND",
    ),
    unknown("TopicService.GetTopic", r#"{"topic_id": "2026-11-29/7/56/x"}"#, "TOPIC_NOT_FOUND"),
];
