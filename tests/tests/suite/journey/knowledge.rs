//! What was learnt from a case is written down, looked at by another, suggested, and used.

use proto::redress::cases::v1::knowledge_service_client::KnowledgeServiceClient;
use proto::redress::cases::v1::{
    Article, ArticleContent, ArticleState, CaseState, CreateArticleRequest, EditArticleRequest,
    ListArticlesRequest, ListCasesRequest, ListSolvedClustersRequest, PublishArticleRequest,
    RecordArticleUseRequest, RetireArticleRequest, SubmitArticleRequest, SuggestArticlesRequest,
};
use testkit::request_id;

use super::scene::Scene;
use crate::twice::Twice;

fn of(scene: &Scene, subject: &str) -> KnowledgeServiceClient<Twice> {
    KnowledgeServiceClient::new(scene.line(subject))
}

/// An article grows from a closed case, and helps with it; then it is taken out of use.
pub(crate) async fn written(scene: &Scene) {
    let request = ListCasesRequest { state: CaseState::Closed.into(), ..ListCasesRequest::default() };
    let closed = scene.cases("reader").list_cases(request).await.unwrap().into_inner().cases;
    let case = closed.first().unwrap();
    let request = ListSolvedClustersRequest::default();
    let solved = of(scene, "ann").list_solved_clusters(request).await.unwrap().into_inner();
    assert!(solved.case_count > 0, "there are closed cases");

    let content = ArticleContent {
        title: case.subject.clone(),
        body: "What we did then.".to_owned(),
        language: case.language.clone(),
        categories: vec![case.category.clone()],
        source_case_ids: vec![case.case_id.clone()],
        ..ArticleContent::default()
    };
    let request = CreateArticleRequest { request_id: request_id(), content: Some(content.clone()) };
    let draft = of(scene, "ann").create_article(request).await.unwrap().into_inner().article.unwrap();
    let request = EditArticleRequest {
        request_id: request_id(),
        article_id: draft.article_id.clone(),
        expected_version: draft.version,
        content: Some(ArticleContent { body: "What we do now.".to_owned(), ..content }),
    };
    let edited = of(scene, "bo").edit_article(request).await.unwrap().into_inner().article.unwrap();
    let article = published(scene, edited).await;

    let request = SuggestArticlesRequest { case_id: case.case_id.clone(), max_results: 1 };
    let found = of(scene, "ann").suggest_articles(request).await.unwrap().into_inner().suggestions;
    assert_eq!(found[0].article.as_ref().unwrap().article_id, article.article_id);
    let request = RecordArticleUseRequest {
        request_id: request_id(),
        case_id: case.case_id.clone(),
        article_id: article.article_id.clone(),
        revision: 0,
        useful: Some(true),
    };
    let used = of(scene, "ann").record_article_use(request).await.unwrap().into_inner().article.unwrap();
    assert_eq!(used.usefulness.unwrap().use_count, 1, "recorded twice, it is one use");
    let request = RetireArticleRequest {
        request_id: request_id(),
        article_id: article.article_id,
        expected_version: article.version,
        reason: "It was for a test.".to_owned(),
    };
    of(scene, "supervisor").retire_article(request).await.unwrap();
    let request = ListArticlesRequest { in_force: true, ..ListArticlesRequest::default() };
    assert!(of(scene, "ann").list_articles(request).await.unwrap().into_inner().articles.is_empty());
}

/// Handed in, and put in force by somebody who wrote none of it.
async fn published(scene: &Scene, seen: Article) -> Article {
    let (article_id, expected_version) = (seen.article_id, seen.version);
    let request = SubmitArticleRequest { request_id: request_id(), article_id, expected_version };
    let submitted = of(scene, "ann").submit_article(request).await.unwrap().into_inner().article.unwrap();
    let (article_id, expected_version) = (submitted.article_id, submitted.version);
    let request = PublishArticleRequest { request_id: request_id(), article_id, expected_version };
    let published = of(scene, "supervisor").publish_article(request).await.unwrap().into_inner().article;
    let article = published.unwrap();
    assert_eq!((article.state(), article.published_revision), (ArticleState::Published, 2));
    article
}
