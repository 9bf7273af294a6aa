//! Articles: how they are written, asked for and used, and how they read.

use fault::{Check, Fault};
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::cases::v1 as wire;
use proto::timestamp;
use statistics::wilson;
use uuid::Uuid;

use super::review::{self, ReviewTarget};
use super::{MAX_REASON, day};
use crate::article::suggestion::{ScoreTerm, Suggestion};
use crate::article::{
    Content, MAX_APPLIES, MAX_BODY, MAX_NAME, MAX_SOURCES, MAX_TITLE, Revision, Usefulness, is_review_due,
    today,
};
use crate::review::{ReviewState, Reviewed};
use crate::solved::{Cluster, MAX_CASES, Typical};

/// Reason of an article, or a move of one, that cannot be read.
const INVALID_ARTICLE: &str = "INVALID_ARTICLE";
/// Reason of a search that cannot be read.
const INVALID_SEARCH: &str = "INVALID_SEARCH";

/// A text for others, without personal details.
fn public_text(check: &mut Check, field: &str, text: String, max: usize) -> String {
    let text = check.required(field, text, max);
    // What is too long is not looked at.
    if text.chars().count() <= max {
        review::impersonal(check, field, language::personal_details(&text));
    }
    text
}

/// Names, each once, without spaces around them.
fn names(check: &mut Check, field: &str, names: Vec<String>) -> Vec<String> {
    let names = check.list(field, names, MAX_APPLIES);
    let mut read: Vec<String> = Vec::with_capacity(names.len());
    for (place, name) in names.into_iter().enumerate() {
        let name = check.required(&format!("{field}[{place}]"), name.trim().to_owned(), MAX_NAME);
        if !read.contains(&name) {
            read.push(name);
        }
    }
    read
}

fn content(check: &mut Check, content: Option<wire::ArticleContent>) -> Content {
    check.ensure(content.is_some(), "content", "is required");
    let is_given = content.is_some();
    let wire::ArticleContent { title, body, language, categories, products, source_case_ids, review_date } =
        content.unwrap_or_default();
    let mut unread = Check::new();
    // What is not there is one violation.
    let check = if is_given { check } else { &mut unread };
    let source_ids = check.list("content.source_case_ids", source_case_ids, MAX_SOURCES);
    let of_case = |(place, id): (usize, &String)| check.id(&format!("content.source_case_ids[{place}]"), id);
    let mut sources: Vec<CaseId> = source_ids.iter().enumerate().map(of_case).collect();
    sources.sort_unstable();
    sources.dedup();
    Content {
        title: public_text(check, "content.title", title, MAX_TITLE),
        body: public_text(check, "content.body", body, MAX_BODY),
        language: check.language("content.language", language),
        categories: names(check, "content.categories", categories),
        products: names(check, "content.products", products),
        sources,
        review_date: Some(review_date)
            .filter(|date| !date.is_empty())
            .and_then(|date| day(check, "content.review_date", &date)),
    }
}

/// Reads the first revision of an article.
pub(crate) fn created(request: wire::CreateArticleRequest) -> Result<Content, Fault> {
    let wire::CreateArticleRequest { request_id, content: given } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let read = content(&mut check, given);
    check.done(INVALID_ARTICLE)?;
    Ok(read)
}

/// Reads the next revision of an article.
pub(crate) fn edited(request: wire::EditArticleRequest) -> Result<(ReviewTarget, Content), Fault> {
    let wire::EditArticleRequest { request_id, article_id, expected_version, content: given } = request;
    let mut check = Check::new();
    let target = review::target(&mut check, request_id, ("article_id", &article_id), expected_version);
    let read = content(&mut check, given);
    check.done(INVALID_ARTICLE)?;
    Ok((target, read))
}

/// Reads which article is handed in.
pub(crate) fn submitted(request: wire::SubmitArticleRequest) -> Result<ReviewTarget, Fault> {
    let wire::SubmitArticleRequest { request_id, article_id, expected_version } = request;
    let mut check = Check::new();
    let target = review::target(&mut check, request_id, ("article_id", &article_id), expected_version);
    check.done(INVALID_ARTICLE)?;
    Ok(target)
}

/// Reads which article is published.
pub(crate) fn published(request: wire::PublishArticleRequest) -> Result<ReviewTarget, Fault> {
    let wire::PublishArticleRequest { request_id, article_id, expected_version } = request;
    submitted(wire::SubmitArticleRequest { request_id, article_id, expected_version })
}

/// Reads which article is taken out of use, and why.
pub(crate) fn retired(request: wire::RetireArticleRequest) -> Result<(ReviewTarget, String), Fault> {
    let wire::RetireArticleRequest { request_id, article_id, expected_version, reason } = request;
    let mut check = Check::new();
    let target = review::target(&mut check, request_id, ("article_id", &article_id), expected_version);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_ARTICLE)?;
    Ok((target, reason))
}

/// Reads which revision of which article is wanted; none is the latest.
pub(crate) fn wanted(request: wire::GetArticleRequest) -> Result<(Uuid, Option<i32>), Fault> {
    let wire::GetArticleRequest { article_id, revision: number } = request;
    let mut check = Check::new();
    let wanted = (check.id("article_id", &article_id), review::revision(&mut check, number));
    check.done("INVALID_REQUEST")?;
    Ok(wanted)
}

/// Which articles to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct ArticleListQuery {
    /// Only those in this state.
    pub(crate) state: Option<ReviewState>,
    /// Only those in force, as they are then.
    pub(crate) in_force: bool,
    /// Only those that were to be looked at again before today.
    pub(crate) review_due: bool,
    /// Only those of this category or one below it.
    pub(crate) category: String,
    /// Only those in this language.
    pub(crate) language: String,
    /// How many, and after which.
    pub(crate) page: Page,
    /// The last article of the page before.
    pub(crate) before: Option<Uuid>,
}

/// Reads which articles are to be listed.
pub(crate) fn listed(request: wire::ListArticlesRequest) -> Result<ArticleListQuery, Fault> {
    let wire::ListArticlesRequest { page_size, page_token, state, in_force, review_due, category, language } =
        request;
    let mut check = Check::new();
    let same = format!("{state} {in_force} {review_due} {language} {category}");
    let page = check.page(page_size, &page_token, &same);
    let by_state = ReviewState::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of an article");
    let (category, language) = review::of_kind(&mut check, &category, language);
    let before = review::before(&mut check, &page);
    check.done("INVALID_LIST")?;
    Ok(ArticleListQuery {
        state: by_state,
        in_force: in_force || review_due,
        review_due,
        category,
        language,
        page,
        before,
    })
}

/// The most that an answer has; 0 is as usual.
pub(super) fn most(check: &mut Check, given: i32, usual: usize, max: usize) -> usize {
    let most = if given == 0 { Some(usual) } else { usize::try_from(given).ok().filter(|one| *one > 0) };
    let most = most.filter(|most| *most <= max);
    check.ensure(most.is_some(), "max_results", &format!("must be 1 to {max}, or 0 for {usual}"));
    most.unwrap_or(usual)
}

/// Most suggestions, and as many as are told if nobody says.
const SUGGESTIONS: (usize, usize) = (5, 20);
/// Most clusters, and as many as are told if nobody says.
const CLUSTERS: (usize, usize) = (10, 50);

/// Reads for which case articles are sought, and how many.
pub(crate) fn suggested_for(request: wire::SuggestArticlesRequest) -> Result<(CaseId, usize), Fault> {
    let wire::SuggestArticlesRequest { case_id, max_results } = request;
    let mut check = Check::new();
    let case = check.id("case_id", &case_id);
    let most = most(&mut check, max_results, SUGGESTIONS.0, SUGGESTIONS.1);
    check.done(INVALID_SEARCH)?;
    Ok((case, most))
}

/// Reads of which category clusters are sought, and how many.
pub(crate) fn clusters_of(request: wire::ListSolvedClustersRequest) -> Result<(String, usize), Fault> {
    let wire::ListSolvedClustersRequest { category, max_results } = request;
    let mut check = Check::new();
    let category = check.text("category", category.trim().to_owned(), MAX_NAME);
    let most = most(&mut check, max_results, CLUSTERS.0, CLUSTERS.1);
    check.done(INVALID_SEARCH)?;
    Ok((category, most))
}

/// A use of an article that somebody tells of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// The case.
    pub(crate) case: CaseId,
    /// The article.
    pub(crate) article: Uuid,
    /// The revision; none is the one in force.
    pub(crate) revision: Option<i32>,
    /// Whether it was useful.
    pub(crate) useful: bool,
}

/// Reads a use of an article.
pub(crate) fn used(request: wire::RecordArticleUseRequest) -> Result<Used, Fault> {
    let wire::RecordArticleUseRequest { request_id, case_id, article_id, revision: number, useful } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case = check.id("case_id", &case_id);
    let article = check.id("article_id", &article_id);
    let revision = review::revision(&mut check, number);
    check.ensure(useful.is_some(), "useful", "is required");
    check.done("INVALID_ARTICLE_USE")?;
    Ok(Used { case, article, revision, useful: useful.unwrap_or_default() })
}

/// A counted share as callers see it; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn share(hits: i64, all: i64) -> Option<wire::ShareEstimate> {
    let (lower, upper) = wilson(hits, all)?;
    Some(wire::ShareEstimate { share: hits as f64 / all as f64, lower, upper })
}

fn usefulness(usefulness: Usefulness) -> wire::ArticleUsefulness {
    let Usefulness { uses, useful, cases, disputed } = usefulness;
    wire::ArticleUsefulness {
        use_count: uses,
        useful_count: useful,
        useful: share(useful, uses),
        case_count: cases,
        disputed_case_count: disputed,
        disputed: share(disputed, cases),
    }
}

/// An article as callers see it.
pub(crate) fn article(
    (article, revision): (Reviewed, Revision),
    uses: Usefulness,
    now: Timestamp,
) -> wire::Article {
    let Reviewed { kind: _, id, version, state, latest, in_force, retired } = article;
    let Revision { number, content, author, revise_time, published } = revision;
    let Content { title, body, language, categories, products, sources, review_date } = content;
    let (reviewer, publish_time) =
        published.map_or_else(Default::default, |(by, at)| (by, Some(timestamp(at))));
    let (retirer, retire_reason) = retired.unwrap_or_default();
    wire::Article {
        article_id: id.to_string(),
        version,
        state: state.number().into(),
        revision: number,
        latest_revision: latest,
        published_revision: in_force.unwrap_or_default(),
        title,
        body,
        language,
        categories,
        products,
        source_case_ids: sources.iter().map(ToString::to_string).collect(),
        author,
        revise_time: Some(timestamp(revise_time)),
        reviewer,
        publish_time,
        review_date: review_date.map(|day| day.to_string()).unwrap_or_default(),
        review_due: in_force == Some(number) && is_review_due(review_date, now),
        retirer,
        retire_reason,
        usefulness: Some(usefulness(uses)),
    }
}

/// An article as lists show it.
pub(crate) fn article_in_short(
    read: (Reviewed, Revision),
    uses: Usefulness,
    now: Timestamp,
) -> wire::Article {
    wire::Article { body: String::new(), ..article(read, uses, now) }
}

/// The day before which what is due was to be looked at.
pub(crate) fn due_before(query: &ArticleListQuery, now: Timestamp) -> Option<Date> {
    query.review_due.then(|| today(now))
}

/// A suggestion as callers see it.
pub(crate) fn suggestion(suggestion: Suggestion, article: wire::Article) -> wire::ArticleSuggestion {
    let Suggestion { article: _, score, terms } = suggestion;
    let term = |ScoreTerm { matched, term, score }| wire::ArticleScoreTerm {
        r#match: matched.number().into(),
        term,
        score,
    };
    wire::ArticleSuggestion { article: Some(article), score, terms: terms.into_iter().map(term).collect() }
}

/// A cluster as callers see it.
pub(crate) fn cluster(cluster: Cluster, typical: Typical, articles: &[Uuid]) -> wire::SolvedCluster {
    let Cluster { category, cases, satisfied, terms } = cluster;
    let Typical { subject, outcome, decision_reasons, ending } = typical;
    let count = i64::try_from(cases.len()).unwrap_or(i64::MAX);
    wire::SolvedCluster {
        category,
        case_count: count,
        satisfied_count: satisfied,
        satisfied: share(satisfied, count),
        typical_case_id: cases.first().map(ToString::to_string).unwrap_or_default(),
        typical_subject: subject,
        typical_outcome: super::outcome(outcome),
        typical_decision_reasons: decision_reasons,
        typical_remedies: ending.remedies,
        terms,
        case_ids: cases.iter().take(MAX_CASES).map(ToString::to_string).collect(),
        article_ids: articles.iter().map(ToString::to_string).collect(),
    }
}
