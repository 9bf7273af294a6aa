//! Statements about articles, their revisions and their uses.

use std::collections::HashMap;
use std::slice;

use fault::Fault;
use jiff::civil::Date as Day;
use jiff_sqlx::{Date, Timestamp, ToSqlx as _};
use kernel::page::Page;
use kernel::{CaseId, person};
use pg::Binds;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::impossible;
use crate::article::suggestion::{ASKED_WORDS, Bearer, Candidate, MOST_BEARERS, SuggestionQuery};
use crate::article::{ArticleWord, Content, Revision, Usefulness};
use crate::review::{ReviewState, Reviewed, ReviewedKind};
use crate::timeline::{Ending, Kind};

/// Articles and a revision of each: what follows the tenant's condition is given.
macro_rules! select_articles {
    ($rest:literal) => {
        concat!(
            "SELECT a.article_id, a.version, a.state, a.latest, a.in_force, a.retirer, a.retire_reason,
                    r.revision, r.title, r.body, r.language, r.categories, r.products, r.sources, r.review_date,
                    r.author, r.revised_at, r.reviewer, r.published_at
             FROM article a JOIN article_revision r ON r.tenant_id = a.tenant_id AND r.article_id = a.article_id
             WHERE a.tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    article_id: Uuid,
    version: i64,
    state: i16,
    latest: i32,
    in_force: Option<i32>,
    retirer: String,
    retire_reason: String,
    revision: i32,
    title: String,
    body: String,
    language: String,
    categories: Vec<String>,
    products: Vec<String>,
    sources: Vec<Uuid>,
    review_date: Option<Date>,
    author: String,
    revised_at: Timestamp,
    reviewer: String,
    published_at: Option<Timestamp>,
}

impl Row {
    fn read(self) -> Result<(Reviewed, Revision), Fault> {
        let state = ReviewState::of(self.state);
        let article = Reviewed {
            kind: ReviewedKind::Article,
            id: self.article_id,
            version: self.version,
            state: state.ok_or_else(|| impossible("article", "state", self.article_id))?,
            latest: self.latest,
            in_force: self.in_force,
            retired: (!self.retirer.is_empty()).then_some((self.retirer, self.retire_reason)),
        };
        let content = Content {
            title: self.title,
            body: self.body,
            language: self.language,
            categories: self.categories,
            products: self.products,
            sources: self.sources.into_iter().map(CaseId).collect(),
            review_date: self.review_date.map(Date::to_jiff),
        };
        let revision = Revision {
            number: self.revision,
            content,
            author: self.author,
            revise_time: self.revised_at.to_jiff(),
            published: self.published_at.map(|at| (self.reviewer, at.to_jiff())),
        };
        Ok((article, revision))
    }
}

/// Reads an article with a revision of it, the latest where none is named.
pub(crate) async fn get(
    conn: &mut PgConnection,
    id: Uuid,
    revision: Option<i32>,
) -> Result<Option<(Reviewed, Revision)>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_articles!("AND a.article_id = $1 AND r.revision = coalesce($2, a.latest)"))
            .bind(id)
            .bind(revision)
            .fetch_optional(conn)
            .await?;
    row.map(Row::read).transpose()
}

/// Reads an article with its latest revision and keeps others from changing it.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<(Reviewed, Revision)>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_articles!(
        "AND a.article_id = $1 AND r.revision = a.latest FOR NO KEY UPDATE OF a"
    ))
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// Writes a new article.
pub(crate) async fn insert(conn: &mut PgConnection, article: &Reviewed) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO article (tenant_id, article_id, version, state, latest, in_force, retirer, retire_reason)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, NULL, '', '')",
    )
    .bind(article.id)
    .bind(article.version)
    .bind(article.state.number())
    .bind(article.latest)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a new revision of an article that this transaction has saved; `words` is how many it
/// is found by.
pub(crate) async fn add_revision(
    conn: &mut PgConnection,
    article: Uuid,
    revision: &Revision,
    words: usize,
) -> Result<(), Fault> {
    let words = i32::try_from(words).map_err(Fault::internal)?;
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(revision))
        .column("article_id", |_| article)
        .column("revision", |one| one.number)
        .column("title", |one| one.content.title.as_str())
        .column("body", |one| one.content.body.as_str())
        .column("language", |one| one.content.language.as_str())
        .list("categories", |one| &one.content.categories)
        .list("products", |one| &one.content.products)
        .column_as("sources", "ARRAY(SELECT jsonb_array_elements_text({})::uuid)", |one| {
            Json(one.content.sources.iter().map(CaseId::to_string).collect::<Vec<_>>())
        })
        .column("review_date", |one| one.content.review_date.map(Day::to_sqlx))
        .column("words", |_| words)
        .column("author", |one| one.author.as_str())
        .column("revised_at", |one| one.revise_time.to_sqlx())
        .done();
    binds.execute(&rows.insert_into("article_revision"), conn).await?;
    Ok(())
}

/// Has an article be found by these words and no others.
pub(crate) async fn find_by(
    conn: &mut PgConnection,
    article: Uuid,
    words: &[ArticleWord],
) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM article_word WHERE tenant_id = current_setting('redress.tenant') AND article_id = $1",
    )
    .bind(article)
    .execute(&mut *conn)
    .await?;
    let mut binds = Binds::default();
    let rows = binds
        .rows(words)
        .column("article_id", |_| article)
        .column("word", |one| one.word.as_str())
        .column("in_title", |one| one.in_title)
        .done();
    binds.execute(&rows.insert_into("article_word"), conn).await?;
    Ok(())
}

/// Which articles are listed.
#[derive(Clone, Debug)]
pub(crate) struct ArticleFilter {
    /// Only those in this state.
    pub(crate) state: Option<ReviewState>,
    /// Only those in force, as they are then.
    pub(crate) in_force: bool,
    /// Only those that were to be looked at again before this day.
    pub(crate) due_before: Option<Day>,
    /// Only those of this category or one below it; empty for all.
    pub(crate) category: String,
    /// Only those in this language, whatever the region; empty for all.
    pub(crate) language: String,
}

/// Reads a page of articles, newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    listing: &ArticleFilter,
    before: Option<Uuid>,
    page: &Page,
) -> Result<Vec<(Reviewed, Revision)>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_articles!(
        "AND a.article_id < $1
           AND r.revision = CASE WHEN $2 THEN a.in_force ELSE a.latest END
           AND ($3::smallint IS NULL OR a.state = $3) AND ($4::date IS NULL OR r.review_date < $4)
           AND ($5 = '' OR EXISTS (SELECT FROM UNNEST(r.categories) AS c (path)
                                   WHERE c.path = $5 OR starts_with(c.path, $5 || '/')))
           AND ($6 = '' OR lower(split_part(r.language, '-', 1)) = $6)
         ORDER BY a.article_id DESC LIMIT $7"
    ))
    .bind(before.unwrap_or(Uuid::max()))
    .bind(listing.in_force)
    .bind(listing.state.map(ReviewState::number))
    .bind(listing.due_before.map(Day::to_sqlx))
    .bind(&listing.category)
    .bind(&listing.language)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Reads articles as they are in force, those of the ids that are.
pub(crate) async fn in_force(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, (Reviewed, Revision)>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_articles!("AND a.article_id = ANY($1) AND r.revision = a.in_force"))
            .bind(ids)
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(|row| Ok((row.article_id, row.read()?))).collect()
}

/// What articles are sought by for a case: what it is, and its text; none where there is no
/// such case. The text is the beginning that `ASKED_WORDS` are taken from.
pub(crate) async fn asked(
    conn: &mut PgConnection,
    case: CaseId,
) -> Result<Option<(SuggestionQuery, Vec<String>)>, Fault> {
    let row: Option<(String, String, String, String)> = sqlx::query_as(
        "SELECT c.category, c.language, coalesce(t.product, ''), c.subject || chr(10) || left(coalesce(t.description, ''), 4000)
         FROM cases c LEFT JOIN case_text t ON t.tenant_id = c.tenant_id AND t.case_id = c.case_id
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id = $1",
    )
    .bind(case.0)
    .fetch_optional(conn)
    .await?;
    let asked = |(category, language, product, text): (String, String, String, String)| {
        (SuggestionQuery { category, product, language }, filter::keywords::keywords(&text, ASKED_WORDS))
    };
    Ok(row.map(asked))
}

/// Which articles in force have some of these words; of a word that more than `MOST_BEARERS`
/// have, as many and one.
pub(crate) async fn bearers(conn: &mut PgConnection, words: &[String]) -> Result<Vec<Bearer>, Fault> {
    let rows: Vec<(String, Uuid, bool)> = sqlx::query_as(
        "SELECT asked.word, found.article_id, found.in_title
         FROM UNNEST($1::text[]) AS asked (word)
         CROSS JOIN LATERAL (
             SELECT w.article_id, w.in_title FROM article_word w
             WHERE w.tenant_id = current_setting('redress.tenant') AND w.word = asked.word
             ORDER BY w.article_id LIMIT $2) AS found",
    )
    .bind(words)
    .bind(i64::try_from(MOST_BEARERS + 1).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(word, article, in_title)| Bearer { word, article, in_title }).collect())
}

/// Articles in force that apply to a case's category or product, or are among those named; and
/// how many are in force in all.
pub(crate) async fn candidates(
    conn: &mut PgConnection,
    asked: &SuggestionQuery,
    named: &[Uuid],
) -> Result<(Vec<Candidate>, i64), Fault> {
    type Found = (Uuid, String, Vec<String>, Vec<String>, i32);
    let rows: Vec<Found> = sqlx::query_as(
        "SELECT r.article_id, r.language, r.categories, r.products, r.words
         FROM article a JOIN article_revision r
              ON r.tenant_id = a.tenant_id AND r.article_id = a.article_id AND r.revision = a.in_force
         WHERE a.tenant_id = current_setting('redress.tenant')
           AND (r.categories && $1::text[] OR cardinality(r.products) > 0 OR a.article_id = ANY($2))",
    )
    .bind(asked.categories())
    .bind(named)
    .fetch_all(&mut *conn)
    .await?;
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM article
         WHERE tenant_id = current_setting('redress.tenant') AND in_force IS NOT NULL",
    )
    .fetch_one(conn)
    .await?;
    let candidate = |(article, language, categories, products, words)| Candidate {
        article,
        language,
        categories,
        products,
        words,
    };
    Ok((rows.into_iter().map(candidate).collect(), count))
}

/// A use of an article.
#[derive(Clone, Debug)]
pub(crate) struct Use<'a> {
    /// The article.
    pub(crate) article: Uuid,
    /// The revision that was used.
    pub(crate) revision: i32,
    /// The case it was used in.
    pub(crate) case: CaseId,
    /// Cycle of the case.
    pub(crate) cycle: i32,
    /// Who used it.
    pub(crate) person: &'a str,
    /// Whether it was useful.
    pub(crate) useful: bool,
    /// When.
    pub(crate) time: jiff::Timestamp,
}

/// Writes a use; what the person said before of the same revision and case is replaced, but
/// for the cycle in which it was first used.
pub(crate) async fn record_use(conn: &mut PgConnection, used: &Use<'_>) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO article_use (tenant_id, article_id, case_id, revision, person, useful, cycle, used_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT ON CONSTRAINT article_use_pkey DO UPDATE
         SET useful = excluded.useful, used_at = excluded.used_at",
    )
    .bind(used.article)
    .bind(used.case.0)
    .bind(used.revision)
    .bind(person::folded(used.person))
    .bind(used.useful)
    .bind(used.cycle)
    .bind(used.time.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// What came of the uses of articles, those that were used.
pub(crate) async fn usefulness(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Usefulness>, Fault> {
    let rows: Vec<(Uuid, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT u.article_id, count(*), count(*) FILTER (WHERE u.useful), count(DISTINCT u.case_id),
                count(DISTINCT u.case_id) FILTER (
                    WHERE c.cycle > u.cycle OR EXISTS (
                        SELECT FROM timeline t
                        WHERE t.tenant_id = u.tenant_id AND t.case_id = u.case_id AND t.cycle >= u.cycle
                          AND t.kind = $2 AND t.text = $3))
         FROM article_use u JOIN cases c ON c.tenant_id = u.tenant_id AND c.case_id = u.case_id
         WHERE u.tenant_id = current_setting('redress.tenant') AND u.article_id = ANY($1)
         GROUP BY u.article_id",
    )
    .bind(ids)
    .bind(Kind::Closed.number())
    .bind(Ending::disputed())
    .fetch_all(conn)
    .await?;
    let read = |(id, uses, useful, cases, disputed)| (id, Usefulness { uses, useful, cases, disputed });
    Ok(rows.into_iter().map(read).collect())
}
