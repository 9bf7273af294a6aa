//! Articles: written, reviewed by another, in force and suggested, judged by their uses; and
//! the closed cases they might be written about.

use jiff::SignedDuration;
use proto::redress::cases::v1::knowledge_service_client::KnowledgeServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    Article, ArticleContent, ArticleMatch, ArticleState, ArticleSuggestion, CreateArticleRequest,
    EditArticleRequest, ExplainTriageRequest, GetArticleRequest, ListArticlesRequest,
    ListSolvedClustersRequest, PublishArticleRequest, RecordArticleUseRequest, RetireArticleRequest,
    SubmitArticleRequest, SuggestArticlesRequest,
};
use proto::redress::feedback::v1::Response;
use proto::redress::intake::v1::{Complaint, Respondent};
use testkit::{CallerChannel, House, reason, request_id, violations};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::scene::{Scene, complaint};

type Client = KnowledgeServiceClient<CallerChannel>;

fn of(scene: &Scene, subject: &str) -> Client {
    KnowledgeServiceClient::new(scene.house.channel_as("development", subject, &[]))
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

fn content(title: &str, body: &str) -> ArticleContent {
    ArticleContent {
        title: title.to_owned(),
        body: body.to_owned(),
        language: "en".to_owned(),
        ..ArticleContent::default()
    }
}

async fn create(client: &mut Client, content: ArticleContent) -> Result<Article, Status> {
    let request = CreateArticleRequest { request_id: request_id(), content: Some(content) };
    Ok(client.create_article(request).await?.into_inner().article.expect("an article"))
}

async fn edit(client: &mut Client, seen: &Article, content: ArticleContent) -> Result<Article, Status> {
    let request = EditArticleRequest {
        request_id: request_id(),
        article_id: seen.article_id.clone(),
        expected_version: seen.version,
        content: Some(content),
    };
    Ok(client.edit_article(request).await?.into_inner().article.expect("an article"))
}

async fn submit(client: &mut Client, seen: &Article) -> Result<Article, Status> {
    let (article_id, expected_version) = (seen.article_id.clone(), seen.version);
    let request = SubmitArticleRequest { request_id: request_id(), article_id, expected_version };
    Ok(client.submit_article(request).await?.into_inner().article.expect("an article"))
}

async fn publish(client: &mut Client, seen: &Article) -> Result<Article, Status> {
    let (article_id, expected_version) = (seen.article_id.clone(), seen.version);
    let request = PublishArticleRequest { request_id: request_id(), article_id, expected_version };
    Ok(client.publish_article(request).await?.into_inner().article.expect("an article"))
}

async fn retire(client: &mut Client, seen: &Article) -> Result<Article, Status> {
    let request = RetireArticleRequest {
        request_id: request_id(),
        article_id: seen.article_id.clone(),
        expected_version: seen.version,
        reason: "it is wrong".to_owned(),
    };
    Ok(client.retire_article(request).await?.into_inner().article.expect("an article"))
}

/// Written by ann, reviewed by bo.
async fn in_force(scene: &Scene, content: ArticleContent) -> Article {
    let mut ann = of(scene, "ann");
    let draft = create(&mut ann, content).await.expect("it is written");
    let submitted = submit(&mut ann, &draft).await.expect("it is handed in");
    publish(&mut of(scene, "bo"), &submitted).await.expect("it is published")
}

async fn suggested(scene: &Scene, case: Uuid) -> Vec<ArticleSuggestion> {
    let request = SuggestArticlesRequest { case_id: case.to_string(), max_results: 0 };
    of(scene, "ann").suggest_articles(request).await.expect("they are sought").into_inner().suggestions
}

async fn list(scene: &Scene, request: ListArticlesRequest) -> Vec<Article> {
    of(scene, "ann").list_articles(request).await.expect("they are listed").into_inner().articles
}

fn titles(articles: &[Article]) -> Vec<&str> {
    articles.iter().map(|article| article.title.as_str()).collect()
}

#[tokio::test]
async fn an_article_is_in_force_once_another_person_says_so_until_the_next_revision_is() {
    let scene = Scene::open().await;
    let (mut ann, mut bo) = (of(&scene, "ann"), of(&scene, "bo"));
    let case = scene.triaged().await;
    let wanted = ArticleContent {
        source_case_ids: vec![case.to_string()],
        ..content("Broken kettles", "Send a new one.")
    };
    let draft = create(&mut ann, wanted).await.expect("it is written");
    assert_eq!((draft.state(), draft.revision, draft.published_revision), (ArticleState::Draft, 1, 0));
    assert_eq!((draft.author.as_str(), draft.source_case_ids.len()), ("ann", 1));
    let early = publish(&mut bo, &draft).await;
    assert_eq!(refused(early), (Code::FailedPrecondition, "INVALID_ARTICLE_STATE".to_owned()));
    let edited = edit(&mut bo, &draft, content("Broken kettles", "Send one.")).await.expect("by anybody");
    let submitted = submit(&mut ann, &edited).await.expect("it is handed in");
    let other = of(&scene, "ANN ");
    for mut author in [bo.clone(), other] {
        let refusal = refused(publish(&mut author, &submitted).await);
        assert_eq!(refusal, (Code::PermissionDenied, "ARTICLE_REVIEWER_IS_AUTHOR".to_owned()));
    }
    let published = publish(&mut of(&scene, "cy"), &submitted).await.expect("by another");
    assert_eq!((published.published_revision, published.reviewer.as_str()), (2, "cy"));
    assert_eq!(refused(publish(&mut bo, &submitted).await), (Code::Aborted, "VERSION_MISMATCH".to_owned()));

    // Bo wrote what is in force already, and nothing since.
    let next = edit(&mut ann, &published, content("Broken kettles", "Send two.")).await.expect("again");
    assert_eq!((next.state(), next.published_revision, next.revision), (ArticleState::Draft, 2, 3));
    let request = ListArticlesRequest { in_force: true, ..ListArticlesRequest::default() };
    let listed = list(&scene, request).await;
    assert_eq!((listed[0].revision, listed[0].body.as_str()), (2, ""));
    let next = submit(&mut ann, &next).await.expect("it is handed in");
    let next = publish(&mut bo, &next).await.expect("by another");
    assert_eq!((next.published_revision, next.body.as_str()), (3, "Send two."));
    let request = GetArticleRequest { article_id: next.article_id.clone(), revision: 2 };
    let read = ann.get_article(request).await.expect("it is kept").into_inner().article.expect("an article");
    assert_eq!((read.body.as_str(), read.author.as_str()), ("Send one.", "bo"));
    let request = GetArticleRequest { article_id: next.article_id.clone(), revision: 9 };
    assert_eq!(refused(ann.get_article(request).await), (Code::NotFound, "ARTICLE_NOT_FOUND".to_owned()));

    let retired = retire(&mut bo, &next).await.expect("it is taken out of use");
    assert_eq!((retired.state(), retired.published_revision), (ArticleState::Retired, 0));
    assert_eq!((retired.retirer.as_str(), retired.retire_reason.as_str()), ("bo", "it is wrong"));
    let again = edit(&mut ann, &retired, content("x", "y")).await;
    assert_eq!(refused(again), (Code::FailedPrecondition, "INVALID_ARTICLE_STATE".to_owned()));
    scene.house.done().await;
}

#[tokio::test]
async fn another_tenant_sees_no_article_and_an_agent_publishes_none() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let of = |tenant: &str, role: &str| KnowledgeServiceClient::new(house.channel_as(tenant, role, &[role]));
    let draft = create(&mut of("acme", "agent"), content("Kettles", "text")).await.expect("it is written");
    let submitted = submit(&mut of("acme", "agent"), &draft).await.expect("it is handed in");
    for role in ["reader", "agent", "admin"] {
        let refusal = refused(publish(&mut of("acme", role), &submitted).await);
        assert_eq!(refusal, (Code::PermissionDenied, "ROLE_REQUIRED".to_owned()), "{role}");
    }
    let unseen = refused(publish(&mut of("other", "supervisor"), &submitted).await);
    assert_eq!(unseen, (Code::NotFound, "ARTICLE_NOT_FOUND".to_owned()));
    let request = ListArticlesRequest::default();
    let listed = of("other", "reader").list_articles(request).await.expect("none").into_inner();
    assert!(listed.articles.is_empty());
    publish(&mut of("acme", "supervisor"), &submitted).await.expect("by a supervisor");
    house.done().await;
}

#[tokio::test]
async fn a_repeated_request_writes_one_article_and_sources_must_be_cases() {
    let scene = Scene::open().await;
    let mut ann = of(&scene, "ann");
    let request = CreateArticleRequest { request_id: request_id(), content: Some(content("One", "text")) };
    let first = ann.create_article(request.clone()).await.expect("it is written").into_inner();
    assert_eq!(ann.create_article(request).await.expect("the same answer").into_inner(), first);
    assert_eq!(list(&scene, ListArticlesRequest::default()).await.len(), 1);
    let unknown = ArticleContent { source_case_ids: vec![Uuid::nil().to_string()], ..content("Two", "text") };
    assert_eq!(refused(create(&mut ann, unknown).await), (Code::NotFound, "CASE_NOT_FOUND".to_owned()));
    scene.house.done().await;
}

#[tokio::test]
async fn what_tells_who_somebody_is_is_refused_each_by_kind_and_place_and_not_repeated() {
    let scene = Scene::open().await;
    let body = "Call 13800138000,\nor write to ann@example.org.\n身份证 11010519491231002X";
    let wanted = ArticleContent {
        language: String::new(),
        review_date: "30 November".to_owned(),
        ..content("Card 4111 1111 1111 1111", body)
    };
    let refusal = create(&mut of(&scene, "ann"), wanted).await.expect_err("it must be refused");
    assert_eq!((refusal.code(), reason(&refusal)), (Code::InvalidArgument, "INVALID_ARTICLE".to_owned()));
    let fields = ["content.title", "content.body", "content.body", "content.body"];
    assert_eq!(violations(&refusal), [&fields[..], &["content.language", "content.review_date"]].concat());
    let told = refusal.get_details_bad_request().expect("each is told").field_violations;
    let told: Vec<&str> = told.iter().map(|one| one.description.as_str()).collect();
    assert_eq!(
        told[..4],
        [
            "must not have the number of a bank card: see line 1, character 6",
            "must not have a telephone number: see line 1, character 6",
            "must not have an e-mail address: see line 2, character 13",
            "must not have an identity number: see line 3, character 5",
        ]
    );
    assert!(!format!("{refusal:?}").contains("13800138000"), "what is refused is not repeated");
    scene.house.done().await;
}

#[tokio::test]
async fn lists_are_of_a_state_a_category_a_language_and_of_what_is_due() {
    let scene = Scene::timed().await;
    let dated = |title: &str, category: &str, language: &str, day: &str| ArticleContent {
        categories: vec![category.to_owned()],
        language: language.to_owned(),
        review_date: day.to_owned(),
        ..content(title, "text")
    };
    let today = scene.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let tomorrow = today.tomorrow().expect("there is one").to_string();
    in_force(&scene, dated("due", "goods/kettles", "zh-CN", &today.to_string())).await;
    // Newest first: what is written at the same moment has no order.
    scene.advance(SignedDuration::from_secs(1));
    in_force(&scene, dated("later", "goods", "en", &tomorrow)).await;
    scene.advance(SignedDuration::from_secs(1));
    create(&mut of(&scene, "ann"), dated("draft", "staff", "zh", "")).await.expect("it is written");
    let of_all = ListArticlesRequest::default();
    let by = async |request: ListArticlesRequest| {
        let listed = list(&scene, request).await;
        listed.into_iter().map(|article| article.title).collect::<Vec<_>>()
    };
    assert_eq!(by(of_all.clone()).await, ["draft", "later", "due"]);
    let request = ListArticlesRequest { state: ArticleState::Published.into(), ..of_all.clone() };
    assert_eq!(by(request).await, ["later", "due"]);
    let request = ListArticlesRequest { category: "goods".to_owned(), ..of_all.clone() };
    assert_eq!(by(request).await, ["later", "due"]);
    let request = ListArticlesRequest { language: "zh".to_owned(), ..of_all.clone() };
    assert_eq!(by(request).await, ["draft", "due"]);
    let due = ListArticlesRequest { review_due: true, ..of_all.clone() };
    assert_eq!(by(due.clone()).await, Vec::<String>::new(), "the day is not over");
    scene.advance(SignedDuration::from_hours(24));
    let listed = list(&scene, due).await;
    assert_eq!((titles(&listed), listed[0].review_due), (vec!["due"], true));

    let page = ListArticlesRequest { page_size: 2, ..of_all };
    let first = of(&scene, "ann").list_articles(page.clone()).await.expect("a page").into_inner();
    let rest = ListArticlesRequest { page_token: first.next_page_token, ..page };
    assert_eq!(by(rest).await, ["due"]);
    scene.house.done().await;
}

fn chinese(subject: &str, text: &str) -> Complaint {
    Complaint {
        subject: subject.to_owned(),
        description: text.to_owned(),
        language: "zh-CN".to_owned(),
        respondent: Some(Respondent { product: "X-9".to_owned(), ..Respondent::default() }),
        ..complaint()
    }
}

async fn at_triage(scene: &Scene, case: Uuid) -> Vec<ArticleSuggestion> {
    let mut triage = TriageServiceClient::new(scene.house.channel());
    let request = ExplainTriageRequest { case_id: case.to_string() };
    triage.explain_triage(request).await.expect("it is explained").into_inner().suggestions
}

#[tokio::test]
async fn a_case_is_suggested_what_applies_to_it_in_its_language_first_and_why() {
    let scene = Scene::open().await;
    let case = scene.register(chinese("电池鼓包", "买了三个月的手机电池鼓包,后盖都顶起来了")).await;
    let category = scene.case(case).await.category;
    let of_category = |title: &str, body: &str, language: &str| ArticleContent {
        categories: vec![category.clone()],
        language: language.to_owned(),
        ..content(title, body)
    };
    in_force(&scene, of_category("Swollen batteries", "Do not charge it; exchange the phone.", "en")).await;
    in_force(&scene, of_category("发票", "开发票的步骤。", "zh")).await;
    in_force(&scene, of_category("电池鼓包怎么办", "停止使用,换一台手机。", "zh")).await;
    let product = ArticleContent { products: vec!["x-9".to_owned()], ..content("The X-9", "All about it.") };
    in_force(&scene, product).await;
    in_force(&scene, content("Late parcels", "Ask the courier.")).await;

    let found = suggested(&scene, case).await;
    let article = |one: &ArticleSuggestion| one.article.clone().expect("an article");
    let told: Vec<String> = found.iter().map(|one| article(one).title).collect();
    assert_eq!(told, ["电池鼓包怎么办", "发票", "Swollen batteries", "The X-9"]);
    let why: Vec<(ArticleMatch, &str)> =
        found[0].terms.iter().map(|term| (term.r#match(), term.term.as_str())).collect();
    assert!(why.contains(&(ArticleMatch::Category, &category)), "{why:?}");
    assert!(why.contains(&(ArticleMatch::TitleWord, "鼓包")) && why.contains(&(ArticleMatch::Word, "手机")));
    let sum: f64 = found[0].terms.iter().map(|term| term.score).sum();
    assert!((sum - found[0].score).abs() < 1e-9, "{found:?}");
    assert_eq!(found[3].terms[0].r#match(), ArticleMatch::Product);
    assert!(article(&found[0]).body.is_empty());
    assert_eq!(suggested(&scene, case).await, found, "the same is found again");
    assert_eq!(at_triage(&scene, case).await, found[..3], "the first are told with how it was triaged");

    // What was edited is found by what is in force; what is retired, by nothing.
    let first = article(&found[0]);
    let edited = edit(&mut of(&scene, "ann"), &first, content("Else", "else")).await.expect("it is edited");
    assert_eq!(article(&suggested(&scene, case).await[0]).title, "电池鼓包怎么办");
    retire(&mut of(&scene, "bo"), &edited).await.expect("it is taken out of use");
    assert_eq!(article(&suggested(&scene, case).await[0]).title, "发票");
    assert_eq!(article(&at_triage(&scene, case).await[0]).title, "发票", "what is in force now");
    scene.house.done().await;
}

fn used(case: Uuid, article: &Article, useful: bool) -> RecordArticleUseRequest {
    RecordArticleUseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        article_id: article.article_id.clone(),
        revision: 0,
        useful: Some(useful),
    }
}

#[tokio::test]
async fn uses_are_counted_once_a_person_case_and_revision_and_disputes_after_them() {
    let scene = Scene::open().await;
    let article = in_force(&scene, content("Kettles", "Send a new one.")).await;
    let (first, second) = (scene.resolved().await, scene.triaged().await);
    let record = async |subject: &str, case: Uuid, useful: bool| {
        let answer = of(&scene, subject).record_article_use(used(case, &article, useful)).await;
        answer.expect("it is recorded").into_inner().article.and_then(|one| one.usefulness).expect("its uses")
    };
    record("ann", first, false).await;
    let uses = record("ANN", first, true).await;
    assert_eq!((uses.use_count, uses.useful_count, uses.case_count), (1, 1, 1), "said again, it is replaced");
    record("bo", first, false).await;
    let uses = record("ann", second, false).await;
    assert_eq!((uses.use_count, uses.useful_count, uses.case_count), (3, 1, 2));
    let useful = uses.useful.expect("a share");
    assert!(useful.lower < useful.share && useful.share < useful.upper);
    assert!((useful.share - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!((uses.disputed_case_count, uses.disputed.map(|one| one.lower)), (0, Some(0.0)));

    scene.respond(first, 1, Response::Disputed, "it broke again").await;
    let uses = record("ann", first, false).await;
    assert_eq!((uses.use_count, uses.disputed_case_count), (3, 1), "it was used before the dispute");
    let third = scene.resolved().await;
    scene.respond(third, 1, Response::Disputed, "no").await;
    let uses = record("ann", third, true).await;
    assert_eq!((uses.case_count, uses.disputed_case_count), (3, 1), "it was disputed before it was used");

    let draft = create(&mut of(&scene, "ann"), content("A draft", "text")).await.expect("it is written");
    let refusal = of(&scene, "ann").record_article_use(used(first, &draft, true)).await;
    assert_eq!(refused(refusal), (Code::FailedPrecondition, "ARTICLE_NOT_PUBLISHED".to_owned()));
    let refusal = of(&scene, "mallory").record_article_use(used(first, &article, true)).await;
    assert_eq!(refused(refusal), (Code::PermissionDenied, "CALLER_RECUSED".to_owned()));
    let unknown = Article { article_id: Uuid::nil().to_string(), ..article.clone() };
    let refusal = of(&scene, "ann").record_article_use(used(first, &unknown, true)).await;
    assert_eq!(refused(refusal), (Code::NotFound, "ARTICLE_NOT_FOUND".to_owned()));
    scene.house.done().await;
}

#[tokio::test]
async fn closed_cases_that_are_alike_are_shown_with_what_satisfied() {
    let scene = Scene::open().await;
    let mut closed = Vec::new();
    for (text, response) in [
        ("The lid of the kettle cracked on the first day, water ran out.", Response::Accepted),
        ("After one day the kettle's lid is cracked and water runs out.", Response::Accepted),
        ("Kettle lid cracked, water all over the kitchen on day one.", Response::Accepted),
        ("Water ran out of the kettle, its lid has cracked.", Response::Disputed),
    ] {
        let complaint = Complaint { subject: "Kettle lid cracked".to_owned(), ..complaint() };
        let case = scene.register(Complaint { description: text.to_owned(), ..complaint }).await;
        scene.assign(case, 1).await;
        scene.decide(case, false).await;
        scene.respond(case, 1, response, "").await;
        closed.push(case.to_string());
    }
    let request = ListSolvedClustersRequest::default();
    let answer = of(&scene, "ann").list_solved_clusters(request).await.expect("they are sought").into_inner();
    assert_eq!(
        (answer.case_count, answer.clusters.len()),
        (3, 1),
        "what is disputed is not closed: {answer:?}"
    );
    let cluster = &answer.clusters[0];
    assert_eq!((cluster.case_count, cluster.satisfied_count), (3, 3));
    assert!(cluster.satisfied.is_some_and(|share| share.lower > 0.4 && share.upper >= 1.0));
    assert_eq!(cluster.typical_decision_reasons, "the carrier dropped it");
    assert!(cluster.terms.iter().any(|term| term == "lid"), "{cluster:?}");
    let mut ids = cluster.case_ids.clone();
    ids.sort_unstable();
    assert_eq!(ids, closed[..3]);
    assert_eq!(cluster.case_ids[0], cluster.typical_case_id);

    let grown = ArticleContent { source_case_ids: ids, ..content("Cracked lids", "Send a new lid.") };
    let article = create(&mut of(&scene, "ann"), grown).await.expect("it is written");
    let request = ListSolvedClustersRequest { category: cluster.category.clone(), max_results: 1 };
    let answer = of(&scene, "ann").list_solved_clusters(request).await.expect("they are sought").into_inner();
    assert_eq!(answer.clusters[0].article_ids, [article.article_id]);
    let request = ListSolvedClustersRequest { category: "nothing".to_owned(), max_results: 0 };
    let answer = of(&scene, "ann").list_solved_clusters(request).await.expect("they are sought").into_inner();
    assert_eq!((answer.case_count, answer.clusters.len()), (0, 0));
    scene.house.done().await;
}
