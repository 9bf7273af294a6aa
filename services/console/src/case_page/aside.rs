//! What helps with a case and is loaded when it is opened: cases alike, and what is known.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use proto::redress::cases::v1::knowledge_service_client::KnowledgeServiceClient;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::{
    ArticleSuggestion, FindSimilarCasesRequest, SimilarCase, SuggestArticlesRequest,
};

use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;

/// Most of each.
const RESULTS: i32 = 5;

#[derive(Template)]
#[template(path = "case/similar.html")]
struct Similar {
    f: Frame,
    cases: Vec<SimilarCase>,
    articles: Vec<ArticleSuggestion>,
}

/// Shows cases alike and articles.
pub(super) async fn similar(visitor: Visitor, Path(case): Path<String>) -> Result<Response, Problem> {
    let client = visitor.client()?;
    let mut links = LinkServiceClient::new(client.calls());
    let mut knowledge = KnowledgeServiceClient::new(client.calls());
    let alike = FindSimilarCasesRequest {
        case_id: case.clone(),
        max_results: RESULTS,
        ..FindSimilarCasesRequest::default()
    };
    let (cases, articles) = tokio::join!(
        links.find_similar_cases(alike),
        knowledge.suggest_articles(SuggestArticlesRequest { case_id: case, max_results: RESULTS }),
    );
    let cases = cases?.into_inner().cases;
    let articles = articles.map(|answer| answer.into_inner().suggestions).unwrap_or_default();
    Ok(html(&Similar { f: Frame::new(&visitor, visitor.words.similar(), ""), cases, articles }))
}
