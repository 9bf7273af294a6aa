//! `redress knowledge …`: articles, what they help with, and the cases they grow from.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use proto::redress::cases::v1::knowledge_service_client::KnowledgeServiceClient;
use proto::redress::cases::v1::{
    Article, ArticleContent, ArticleState, CreateArticleRequest, EditArticleRequest, GetArticleRequest,
    ListArticlesRequest, ListSolvedClustersRequest, PublishArticleRequest, RecordArticleUseRequest,
    RetireArticleRequest, SubmitArticleRequest, SuggestArticlesRequest,
};
use show::{text, words};

use super::connection::{Caller, Connection, Page};

#[derive(Args)]
pub(crate) struct Knowledge {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists articles, newest first
    List(List),
    /// Shows an article with its text
    Show {
        /// Id of the article
        article: String,
        /// As this revision has it; else as the latest
        #[arg(long, default_value_t = 0)]
        revision: i32,
    },
    /// Writes an article: a draft, without telephone numbers, addresses and the like
    Create {
        /// What it is about, in one line
        title: String,
        #[command(flatten)]
        content: Content,
    },
    /// Writes the next revision of an article; what is not named stays as it is
    Edit {
        /// Id of the article
        article: String,
        /// What it is about, in one line
        #[arg(long)]
        title: Option<String>,
        #[command(flatten)]
        content: Content,
    },
    /// Hands a draft in, for somebody else to look at
    Submit {
        /// Id of the article
        article: String,
    },
    /// Puts what was handed in in force; not for those who wrote it
    Publish {
        /// Id of the article
        article: String,
    },
    /// Takes an article out of use
    Retire {
        /// Id of the article
        article: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Shows what may help with a case, and why
    Suggest {
        /// Id of the case
        case: String,
        /// Most articles to show, at most 20
        #[arg(long, default_value_t = 5)]
        limit: i32,
    },
    /// Records that an article was used in a case, and whether it was useful
    #[command(group(ArgGroup::new("verdict").required(true)))]
    Use {
        /// Id of the case
        case: String,
        /// Id of the article
        article: String,
        /// It helped
        #[arg(long, group = "verdict")]
        useful: bool,
        /// It did not help
        #[arg(long, group = "verdict")]
        useless: bool,
        /// The revision that was used; else the one in force
        #[arg(long, default_value_t = 0)]
        revision: i32,
    },
    /// Shows closed cases that are alike: what articles might be written about
    Clusters {
        /// Only cases of this category, or of one below it
        #[arg(long, default_value = "")]
        category: String,
        /// Most clusters to show, at most 50
        #[arg(long, default_value_t = 10)]
        limit: i32,
    },
}

#[derive(Args)]
struct List {
    /// Only those in this state: draft, in-review, published, retired
    #[arg(long, value_parser = words::read::<ArticleState>)]
    state: Option<ArticleState>,
    /// Only those in force, as they are then
    #[arg(long)]
    in_force: bool,
    /// Only those in force whose review date is over
    #[arg(long)]
    due: bool,
    /// Only those of this category, or of one below it
    #[arg(long, default_value = "")]
    category: String,
    /// Only those in this language, e.g. zh
    #[arg(long, default_value = "")]
    language: String,
    #[command(flatten)]
    page: Page,
}

/// What an article says besides its title.
#[derive(Args)]
struct Content {
    /// The text
    #[arg(long, conflicts_with = "file")]
    text: Option<String>,
    /// A file with the text, plain or Markdown; `-` for standard input
    #[arg(long)]
    file: Option<PathBuf>,
    /// Its language, e.g. en or zh-CN
    #[arg(long)]
    language: Option<String>,
    /// A category it applies to; may be repeated
    #[arg(long = "category")]
    categories: Vec<String>,
    /// A product it applies to; may be repeated
    #[arg(long = "product")]
    products: Vec<String>,
    /// A case it grew from; may be repeated
    #[arg(long = "case")]
    cases: Vec<String>,
    /// Last day on which it need not be looked at again, e.g. 2027-11-30
    #[arg(long)]
    review_date: Option<String>,
}

impl Content {
    /// What is named in the place of what there is.
    fn over(self, title: Option<String>, now: Article) -> anyhow::Result<ArticleContent> {
        let Self { text, file, language, categories, products, cases, review_date } = self;
        let body = match file {
            Some(file) => Some(super::submit::read_text(&file)?),
            None => text,
        };
        let listed = |named: Vec<String>, now| if named.is_empty() { now } else { named };
        Ok(ArticleContent {
            title: title.unwrap_or(now.title),
            body: body.unwrap_or(now.body),
            language: language.unwrap_or(now.language),
            categories: listed(categories, now.categories),
            products: listed(products, now.products),
            source_case_ids: listed(cases, now.source_case_ids),
            review_date: review_date.unwrap_or(now.review_date),
        })
    }
}

type Client = KnowledgeServiceClient<client::Calls>;

/// The article as it is now: its version goes with what is done to it.
async fn seen(knowledge: &mut Client, article_id: &str) -> anyhow::Result<Article> {
    let request = GetArticleRequest { article_id: article_id.to_owned(), revision: 0 };
    Ok(knowledge.get_article(request).await?.into_inner().article.unwrap_or_default())
}

/// Does something to an article, or reads it.
async fn change(knowledge: &mut Client, caller: &Caller, verb: Verb) -> anyhow::Result<Option<Article>> {
    let request_id = caller.request_id();
    Ok(match verb {
        Verb::Create { title, content } => {
            let content = Some(content.over(Some(title), Article::default())?);
            let request = CreateArticleRequest { request_id, content };
            knowledge.create_article(request).await?.into_inner().article
        }
        Verb::Edit { article: article_id, title, content } => {
            let now = seen(knowledge, &article_id).await?;
            let expected_version = now.version;
            let content = Some(content.over(title, now)?);
            let request = EditArticleRequest { request_id, article_id, expected_version, content };
            knowledge.edit_article(request).await?.into_inner().article
        }
        Verb::Submit { article: article_id } => {
            let expected_version = seen(knowledge, &article_id).await?.version;
            let request = SubmitArticleRequest { request_id, article_id, expected_version };
            knowledge.submit_article(request).await?.into_inner().article
        }
        Verb::Publish { article: article_id } => {
            let expected_version = seen(knowledge, &article_id).await?.version;
            let request = PublishArticleRequest { request_id, article_id, expected_version };
            knowledge.publish_article(request).await?.into_inner().article
        }
        Verb::Retire { article: article_id, reason } => {
            let expected_version = seen(knowledge, &article_id).await?.version;
            let request = RetireArticleRequest { request_id, article_id, expected_version, reason };
            knowledge.retire_article(request).await?.into_inner().article
        }
        Verb::Use { case: case_id, article: article_id, useful, useless: _, revision } => {
            let useful = Some(useful);
            let request = RecordArticleUseRequest { request_id, case_id, article_id, revision, useful };
            knowledge.record_article_use(request).await?.into_inner().article
        }
        Verb::Show { article: article_id, revision } => {
            let request = GetArticleRequest { article_id, revision };
            knowledge.get_article(request).await?.into_inner().article
        }
        Verb::List(_) | Verb::Suggest { .. } | Verb::Clusters { .. } => None,
    })
}

impl Knowledge {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut knowledge = KnowledgeServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::List(List { state, in_force, due, category, language, page }) => {
                let request = ListArticlesRequest {
                    page_size: page.limit,
                    page_token: page.page,
                    state: state.unwrap_or_default().into(),
                    in_force,
                    review_due: due,
                    category,
                    language,
                };
                let answer = knowledge.list_articles(request).await?.into_inner();
                show::answer(caller.json, &answer, text::articles)
            }
            Verb::Suggest { case: case_id, limit: max_results } => {
                let request = SuggestArticlesRequest { case_id, max_results };
                let answer = knowledge.suggest_articles(request).await?.into_inner();
                show::answer(caller.json, &answer, text::suggestions)
            }
            Verb::Clusters { category, limit: max_results } => {
                let request = ListSolvedClustersRequest { category, max_results };
                let answer = knowledge.list_solved_clusters(request).await?.into_inner();
                show::answer(caller.json, &answer, text::solved_clusters)
            }
            other => {
                let article = change(&mut knowledge, &caller, other).await?;
                show::answer(caller.json, &article.unwrap_or_default(), text::article)
            }
        }
    }
}
