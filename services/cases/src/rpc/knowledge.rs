//! `KnowledgeService`: read, transact, render.

use std::collections::{BTreeSet, HashMap};

use fault::Fault;
use filter::terms::Terms;
use kernel::{Caller, CaseId};
use pg::{Db, MutationContext, Tx};
use prost::Message;
use proto::redress::cases::v1::knowledge_service_server::KnowledgeService;
use proto::redress::cases::v1::{
    Article as ArticleView, ArticleContent, ArticleSuggestion, CreateArticleRequest, CreateArticleResponse,
    EditArticleRequest, EditArticleResponse, GetArticleRequest, GetArticleResponse, ListArticlesRequest,
    ListArticlesResponse, ListSolvedClustersRequest, ListSolvedClustersResponse, PublishArticleRequest,
    PublishArticleResponse, RecordArticleUseRequest, RecordArticleUseResponse, RetireArticleRequest,
    RetireArticleResponse, SubmitArticleRequest, SubmitArticleResponse, SuggestArticlesRequest,
    SuggestArticlesResponse,
};
use server::Length;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::acting;
use crate::acting::Act;
use crate::article::suggestion::{self, Suggestion};
use crate::article::{ArticleWord, Content, MAX_ARTICLES, Revision};
use crate::reading::HEAVY_BYTES;
use crate::refusal::Refusal;
use crate::review::{Reviewed, ReviewedKind};
use crate::solved;
use crate::store::articles::{self, ArticleFilter, Use};
use crate::store::{self, categories, reviewed};
use crate::wire::knowledge::{self as wire, Used};
use crate::wire::review::ReviewTarget;

/// The rpcs of `KnowledgeService`.
#[derive(Clone)]
pub(crate) struct Knowledge {
    db: Db,
}

/// An article and a revision of it.
type Read = (Reviewed, Revision);

impl Knowledge {
    /// Serves the articles of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Does something to an article that the caller has seen, and answers as it is then.
    async fn change<A: Message + Default, F>(
        &self,
        context: MutationContext,
        target: ReviewTarget,
        act: impl FnOnce(Tx, Caller, Read) -> F + Send,
        render: fn(Option<ArticleView>) -> A,
    ) -> Result<Response<A>, Status>
    where
        F: Future<Output = Result<Tx, Fault>> + Send,
    {
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let read = articles::lock(&mut tx, target.id).await?.ok_or(Refusal::ArticleNotFound)?;
                if read.0.version != target.version {
                    return Err(Fault::version_mismatch(read.0.version));
                }
                let mut tx = act(tx, caller, read).await?;
                let article = shown(&mut tx, target.id, None).await?;
                Ok((tx, render(Some(article))))
            })
            .await?;
        Ok(server::reply(done))
    }
}

/// A revision of an article, the latest where none is named, with what came of its uses.
async fn shown(tx: &mut Tx, id: Uuid, revision: Option<i32>) -> Result<ArticleView, Fault> {
    let read = articles::get(tx, id, revision).await?.ok_or(Refusal::ArticleNotFound)?;
    let uses = articles::usefulness(tx, &[id]).await?.remove(&id).unwrap_or_default();
    Ok(wire::article(read, uses, tx.now()))
}

/// Refuses sources that are no cases, and categories that the tenant's tree does not have.
async fn admit(tx: &mut Tx, content: &Content) -> Result<(), Fault> {
    let sources: Vec<Uuid> = content.sources.iter().map(|case| case.0).collect();
    if store::get_all(tx, &sources).await?.len() != sources.len() {
        return Err(Refusal::CaseNotFound.into());
    }
    if let Some(version) = categories::version(tx).await? {
        let known = categories::known(tx, version, &content.categories).await?;
        if !content.categories.iter().all(|path| known.contains(path)) {
            return Err(Refusal::CategoryNotInTree.into());
        }
    }
    Ok(())
}

/// Bytes of a text that take about a millisecond to be looked through for personal details,
/// where all of them are numbers.
const LONG_BYTES: usize = 1_000;

fn is_long(content: Option<&ArticleContent>) -> bool {
    content.is_some_and(|content| content.body.len() > LONG_BYTES)
}

/// The words by which a text is found.
fn words(content: &Content) -> Vec<ArticleWord> {
    server::aside(content.body.len() > HEAVY_BYTES, || content.words())
}

/// Writes a revision of an article that is saved.
async fn add(tx: &mut Tx, id: Uuid, number: i32, content: Content, author: &str) -> Result<(), Fault> {
    let words = words(&content).len();
    let (author, revise_time) = (author.to_owned(), tx.now());
    let revision = Revision { number, content, author, revise_time, published: None };
    articles::add_revision(tx, id, &revision, words).await
}

async fn create(tx: &mut Tx, content: Content, caller: &Caller) -> Result<ArticleView, Fault> {
    admit(tx, &content).await?;
    if reviewed::lock_count(tx, ReviewedKind::Article).await? >= MAX_ARTICLES {
        return Err(Refusal::TooManyArticles.into());
    }
    let article = Reviewed::new(ReviewedKind::Article, tx.new_id());
    articles::insert(tx, &article).await?;
    add(tx, article.id, article.latest, content, &caller.subject).await?;
    shown(tx, article.id, None).await
}

async fn edit(mut tx: Tx, caller: Caller, (mut article, _): Read, content: Content) -> Result<Tx, Fault> {
    admit(&mut tx, &content).await?;
    let number = article.edit()?;
    reviewed::save(&mut tx, &article).await?;
    add(&mut tx, article.id, number, content, &caller.subject).await?;
    Ok(tx)
}

async fn submit(mut tx: Tx, (mut article, _): Read) -> Result<Tx, Fault> {
    article.submit()?;
    reviewed::save(&mut tx, &article).await?;
    Ok(tx)
}

async fn publish(mut tx: Tx, caller: Caller, (mut article, revision): Read) -> Result<Tx, Fault> {
    let authors = reviewed::authors(&mut tx, &article).await?;
    article.publish(&caller.subject, &authors)?;
    reviewed::save(&mut tx, &article).await?;
    let by = (&*caller.subject, tx.now());
    reviewed::publish(&mut tx, &article, by).await?;
    articles::find_by(&mut tx, article.id, &words(&revision.content)).await?;
    Ok(tx)
}

async fn retire(mut tx: Tx, caller: Caller, (mut article, _): Read, reason: String) -> Result<Tx, Fault> {
    article.retire(&caller.subject, reason)?;
    reviewed::save(&mut tx, &article).await?;
    articles::find_by(&mut tx, article.id, &[]).await?;
    Ok(tx)
}

async fn list(tx: &mut Tx, query: wire::ArticleListQuery) -> Result<Vec<(String, ArticleView)>, Fault> {
    let now = tx.now();
    let due_before = wire::due_before(&query, now);
    let wire::ArticleListQuery { state, in_force, review_due: _, category, language, page, before } = query;
    let listing = ArticleFilter { state, in_force, due_before, category, language };
    let read = articles::list(tx, &listing, before, &page).await?;
    let ids: Vec<Uuid> = read.iter().map(|(article, _)| article.id).collect();
    let uses = articles::usefulness(tx, &ids).await?;
    let view = |read: Read| {
        let id = read.0.id;
        let uses = uses.get(&id).copied().unwrap_or_default();
        (id.to_string(), wire::article_in_short(read, uses, now))
    };
    Ok(read.into_iter().map(view).collect())
}

/// What may help with a case: a word is looked up where the tenant's articles have it, and
/// what was found is weighed.
pub(super) async fn suggest(tx: &mut Tx, case: CaseId, most: usize) -> Result<Vec<ArticleSuggestion>, Fault> {
    let (asked, words) = articles::asked(tx, case).await?.ok_or(Refusal::CaseNotFound)?;
    let bearers = articles::bearers(tx, &words).await?;
    let named: BTreeSet<Uuid> = bearers.iter().map(|bearer| bearer.article).collect();
    let named: Vec<Uuid> = named.into_iter().collect();
    let (candidates, count) = articles::candidates(tx, &asked, &named).await?;
    let is_heavy = bearers.len() + candidates.len() > HEAVY_ROWS;
    let ranked: Vec<Suggestion> =
        server::aside(is_heavy, || suggestion::rank(&asked, candidates, &bearers, count, most));
    let ids: Vec<Uuid> = ranked.iter().map(|one| one.article).collect();
    let mut read = articles::in_force(tx, &ids).await?;
    let uses = articles::usefulness(tx, &ids).await?;
    let now = tx.now();
    let view = |one: Suggestion| {
        let uses = uses.get(&one.article).copied().unwrap_or_default();
        let article = wire::article_in_short(read.remove(&one.article)?, uses, now);
        Some(wire::suggestion(one, article))
    };
    Ok(ranked.into_iter().filter_map(view).collect())
}

/// Words and articles that take about a millisecond to be weighed.
const HEAVY_ROWS: usize = 2_000;

async fn record(tx: &mut Tx, used: Used, caller: &Caller) -> Result<ArticleView, Fault> {
    let case = store::get(tx, used.case).await?.ok_or(Refusal::CaseNotFound)?;
    let actor = acting::actor(tx, caller, std::iter::once(&case)).await?;
    case.authorize(Act::Assist, &actor)?;
    let (article, latest) = articles::get(tx, used.article, None).await?.ok_or(Refusal::ArticleNotFound)?;
    let number = used.revision.or(article.in_force).ok_or(Refusal::ArticleNotPublished)?;
    let revision = if number == latest.number {
        latest
    } else {
        articles::get(tx, used.article, Some(number)).await?.ok_or(Refusal::ArticleNotFound)?.1
    };
    if revision.published.is_none() {
        return Err(Refusal::ArticleNotPublished.into());
    }
    let told = Use {
        article: article.id,
        revision: number,
        case: case.id,
        cycle: case.cycle,
        person: &caller.subject,
        useful: used.useful,
        time: tx.now(),
    };
    articles::record_use(tx, &told).await?;
    shown(tx, article.id, Some(number)).await
}

/// Clusters with what is told of each.
async fn told(tx: &mut Tx, clusters: Vec<solved::Cluster>) -> Result<ListSolvedClustersResponse, Fault> {
    let firsts: Vec<CaseId> = clusters.iter().filter_map(|one| one.cases.first().copied()).collect();
    let mut typical: HashMap<CaseId, solved::Typical> = store::solved::typical(tx, &firsts).await?;
    let mut answer = ListSolvedClustersResponse::default();
    for (cluster, first) in clusters.into_iter().zip(firsts) {
        let named = &cluster.cases[..cluster.cases.len().min(solved::MAX_CASES)];
        let grown = store::solved::grown_from(tx, named).await?;
        if let Some(typical) = typical.remove(&first) {
            answer.clusters.push(wire::cluster(cluster, typical, &grown));
        }
    }
    Ok(answer)
}

#[tonic::async_trait]
impl KnowledgeService for Knowledge {
    async fn create_article(
        &self,
        request: Request<CreateArticleRequest>,
    ) -> Result<Response<CreateArticleResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wanted = server::aside(is_long(request.content.as_ref()), || wire::created(request))?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let article = Some(create(&mut tx, wanted, &caller).await?);
            Ok((tx, CreateArticleResponse { article }))
        });
        Ok(server::reply(done.await?))
    }

    async fn edit_article(
        &self,
        request: Request<EditArticleRequest>,
    ) -> Result<Response<EditArticleResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, wanted) = server::aside(is_long(request.content.as_ref()), || wire::edited(request))?;
        let act = async move |tx, caller, read| edit(tx, caller, read, wanted).await;
        self.change(context, target, act, |article| EditArticleResponse { article }).await
    }

    async fn submit_article(
        &self,
        request: Request<SubmitArticleRequest>,
    ) -> Result<Response<SubmitArticleResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let target = wire::submitted(request)?;
        let act = |tx, _, read| submit(tx, read);
        self.change(context, target, act, |article| SubmitArticleResponse { article }).await
    }

    async fn publish_article(
        &self,
        request: Request<PublishArticleRequest>,
    ) -> Result<Response<PublishArticleResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let target = wire::published(request)?;
        self.change(context, target, publish, |article| PublishArticleResponse { article }).await
    }

    async fn retire_article(
        &self,
        request: Request<RetireArticleRequest>,
    ) -> Result<Response<RetireArticleResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, reason) = wire::retired(request)?;
        let act = |tx, caller, read| retire(tx, caller, read, reason);
        self.change(context, target, act, |article| RetireArticleResponse { article }).await
    }

    async fn get_article(
        &self,
        request: Request<GetArticleRequest>,
    ) -> Result<Response<GetArticleResponse>, Status> {
        let caller = server::caller(&request)?;
        let (id, revision) = wire::wanted(request.into_inner())?;
        let read = self.db.transact("article.get", &caller.tenant, async move |mut tx| {
            let article = shown(&mut tx, id, revision).await?;
            Ok((tx, article))
        });
        Ok(Response::new(GetArticleResponse { article: Some(read.await?) }))
    }

    async fn list_articles(
        &self,
        request: Request<ListArticlesRequest>,
    ) -> Result<Response<ListArticlesResponse>, Status> {
        let caller = server::caller(&request)?;
        let query = wire::listed(request.into_inner())?;
        let page = query.page.clone();
        let listed = self.db.transact("article.list", &caller.tenant, async move |mut tx| {
            let articles = list(&mut tx, query).await?;
            Ok((tx, articles))
        });
        let (articles, next_page_token) = server::page(&page, listed.await?);
        Ok(Response::new(ListArticlesResponse { articles, next_page_token }))
    }

    async fn suggest_articles(
        &self,
        request: Request<SuggestArticlesRequest>,
    ) -> Result<Response<SuggestArticlesResponse>, Status> {
        let caller = server::caller(&request)?;
        let (case, most) = wire::suggested_for(request.into_inner())?;
        let found = self.db.transact("article.suggest", &caller.tenant, async move |mut tx| {
            let suggestions = suggest(&mut tx, case, most).await?;
            Ok((tx, suggestions))
        });
        Ok(Response::new(SuggestArticlesResponse { suggestions: found.await? }))
    }

    async fn record_article_use(
        &self,
        request: Request<RecordArticleUseRequest>,
    ) -> Result<Response<RecordArticleUseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let used = wire::used(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let article = Some(record(&mut tx, used, &caller).await?);
            Ok((tx, RecordArticleUseResponse { article }))
        });
        Ok(server::reply(done.await?))
    }

    async fn list_solved_clusters(
        &self,
        request: Request<ListSolvedClustersRequest>,
    ) -> Result<Response<ListSolvedClustersResponse>, Status> {
        let caller = server::caller(&request)?;
        let (category, most) = wire::clusters_of(request.into_inner())?;
        let terms = Terms::of(&caller.tenant);
        let read = self.db.transact("solved.read", &caller.tenant, async move |mut tx| {
            let cases = store::solved::closed(&mut tx, &category).await?;
            Ok((tx, cases))
        });
        let cases = read.await?;
        let case_count = i64::try_from(cases.len()).unwrap_or(i64::MAX);
        // Beside the calls, and in no transaction.
        let clusters = move || {
            let cases = cases.into_iter().map(|case| case.read(&terms)).collect();
            solved::clusters(cases, most)
        };
        let clusters = server::blocking(&caller.tenant, Length::Quick, "solved.cluster", clusters).await?;
        let answer = self.db.transact("solved.tell", &caller.tenant, async move |mut tx| {
            let answer = told(&mut tx, clusters).await?;
            Ok((tx, answer))
        });
        Ok(Response::new(ListSolvedClustersResponse { case_count, ..answer.await? }))
    }
}
