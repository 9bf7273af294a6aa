//! Statements on reviews of closed cases, and on what the work of handlers came to.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use pg::Binds;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::quality::scorecard::{Scorecard, Share, Sums};
use crate::quality::{Rating, Review, State};
use crate::sample::Draw;

/// Who handled these cycles, as far as is known.
pub(crate) async fn cycle_agents(
    conn: &mut PgConnection,
    cycles: &[(CaseId, i32)],
) -> Result<HashMap<(CaseId, i32), String>, Fault> {
    let rows: Vec<(Uuid, i32, String)> = sqlx::query_as(
        "SELECT case_id, cycle, agent FROM cycle_fact
         JOIN UNNEST($1::uuid[], $2::integer[]) AS w (case_id, cycle) USING (case_id, cycle)
         WHERE tenant_id = current_setting('redress.tenant') AND agent IS NOT NULL",
    )
    .bind(cycles.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(cycles.iter().map(|(_, cycle)| *cycle).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(case, cycle, agent)| ((CaseId(case), cycle), agent)).collect())
}

/// Who handled any cycle of a case, as far as is known.
pub(crate) async fn case_agents(conn: &mut PgConnection, case: CaseId) -> Result<Vec<String>, Fault> {
    let agents = sqlx::query_scalar(
        "SELECT DISTINCT agent FROM cycle_fact
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND agent IS NOT NULL",
    )
    .bind(case.0)
    .fetch_all(conn)
    .await?;
    Ok(agents)
}

/// Opens reviews; of a cycle that has one, none.
pub(crate) async fn open_quality_reviews(conn: &mut PgConnection, reviews: &[Review]) -> Result<(), Fault> {
    if reviews.is_empty() {
        return Ok(());
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(reviews)
        .column("review_id", |one| one.id)
        .column("case_id", |one| one.case_id.0)
        .column("cycle", |one| one.cycle)
        .column("agent", |one| one.agent.as_str())
        .column("policy", |one| one.policy)
        .column("draw", |one| Json(one.draw.clone()))
        .column("created_at", |one| one.created.to_sqlx())
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT quality_review_once DO NOTHING",
        rows.insert_into("quality_review")
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    review_id: Uuid,
    case_id: Uuid,
    cycle: i32,
    agent: String,
    policy: i64,
    draw: Json<Draw>,
    created_at: Timestamp,
    completed_at: Option<Timestamp>,
    score: Option<f64>,
}

impl Row {
    fn review(self, ratings: Vec<Rating>) -> Review {
        Review {
            id: self.review_id,
            case_id: CaseId(self.case_id),
            cycle: self.cycle,
            agent: self.agent,
            policy: self.policy,
            draw: self.draw.0,
            created: self.created_at.to_jiff(),
            completed: self.completed_at.map(Timestamp::to_jiff).zip(self.score),
            ratings,
        }
    }
}

/// Reads reviews of the tenant: what follows the tenant's condition is given.
macro_rules! select_reviews {
    ($rest:literal) => {
        concat!(
            "SELECT review_id, case_id, cycle, agent, policy, draw, created_at, completed_at, score
             FROM quality_review WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct RatingRow {
    review_id: Uuid,
    rater: String,
    classes: Vec<i16>,
    note: String,
    rated_at: Timestamp,
}

/// The reviews of these rows, with their ratings.
async fn with_ratings(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Review>, Fault> {
    let ratings: Vec<RatingRow> = sqlx::query_as(
        "SELECT review_id, rater, classes, note, rated_at FROM quality_rating
         WHERE tenant_id = current_setting('redress.tenant') AND review_id = ANY($1) ORDER BY review_id, number",
    )
    .bind(rows.iter().map(|row| row.review_id).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut of_review: HashMap<Uuid, Vec<Rating>> = HashMap::new();
    for RatingRow { review_id, rater, classes, note, rated_at } in ratings {
        let rating = Rating { rater, classes, note, at: rated_at.to_jiff() };
        of_review.entry(review_id).or_default().push(rating);
    }
    let review = |row: Row| {
        let ratings = of_review.remove(&row.review_id).unwrap_or_default();
        row.review(ratings)
    };
    Ok(rows.into_iter().map(review).collect())
}

/// A review, as it stands now.
pub(crate) async fn quality_review(conn: &mut PgConnection, id: Uuid) -> Result<Option<Review>, Fault> {
    let row =
        sqlx::query_as(select_reviews!("AND review_id = $1")).bind(id).fetch_optional(&mut *conn).await?;
    Ok(with_ratings(conn, row.into_iter().collect()).await?.pop())
}

/// A review; nobody else rates it until the transaction ends.
pub(crate) async fn lock_quality_review(conn: &mut PgConnection, id: Uuid) -> Result<Option<Review>, Fault> {
    let row = sqlx::query_as(select_reviews!("AND review_id = $1 FOR UPDATE"))
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    Ok(with_ratings(conn, row.into_iter().collect()).await?.pop())
}

/// One page of reviews, newest first.
pub(crate) async fn quality_reviews(
    conn: &mut PgConnection,
    state: Option<State>,
    page: &Page,
    after: Option<Uuid>,
) -> Result<Vec<Review>, Fault> {
    let rows = sqlx::query_as(select_reviews!(
        "AND ($1::boolean IS NULL OR (completed_at IS NOT NULL) = $1)
         AND ($2::uuid IS NULL OR review_id < $2) ORDER BY review_id DESC LIMIT $3"
    ))
    .bind(state.map(|state| state == State::Completed))
    .bind(after)
    .bind(page.limit())
    .fetch_all(&mut *conn)
    .await?;
    with_ratings(conn, rows).await
}

/// Writes the latest rating of a review that is locked, and what has become of it.
pub(crate) async fn save_quality_rating(conn: &mut PgConnection, review: &Review) -> Result<(), Fault> {
    let Some(rating) = review.ratings.last() else { return Ok(()) };
    let number = i32::try_from(review.ratings.len()).map_err(Fault::internal)?;
    sqlx::query(
        "INSERT INTO quality_rating (tenant_id, review_id, number, rater, classes, note, rated_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6)",
    )
    .bind(review.id)
    .bind(number)
    .bind(&rating.rater)
    .bind(&rating.classes)
    .bind(&rating.note)
    .bind(rating.at.to_sqlx())
    .execute(&mut *conn)
    .await?;
    let Some((at, score)) = review.completed else { return Ok(()) };
    sqlx::query(
        "UPDATE quality_review SET completed_at = $2, score = $3
         WHERE tenant_id = current_setting('redress.tenant') AND review_id = $1",
    )
    .bind(review.id)
    .bind(at.to_sqlx())
    .bind(score)
    .execute(conn)
    .await?;
    Ok(())
}

/// Of the reviews of a version of the policy that were completed from one time until another:
/// how often who rated first and who rated second put a criterion into which classes. All are
/// places.
pub(crate) async fn rated_pairs(
    conn: &mut PgConnection,
    policy: i64,
    (from, until): (jiff::Timestamp, jiff::Timestamp),
) -> Result<Vec<(i64, i16, i16, i64)>, Fault> {
    let rows = sqlx::query_as(
        "SELECT c.place, c.first, c.second, count(*)
         FROM quality_review q
         JOIN quality_rating a ON a.tenant_id = q.tenant_id AND a.review_id = q.review_id AND a.number = 1
         JOIN quality_rating b ON b.tenant_id = q.tenant_id AND b.review_id = q.review_id AND b.number = 2
         CROSS JOIN LATERAL UNNEST(a.classes, b.classes) WITH ORDINALITY AS c (first, second, place)
         WHERE q.tenant_id = current_setting('redress.tenant') AND q.policy = $1
           AND q.completed_at >= $2 AND q.completed_at < $3
         GROUP BY c.place, c.first, c.second",
    )
    .bind(policy)
    .bind(from.to_sqlx())
    .bind(until.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

#[derive(sqlx::FromRow)]
struct CardRow {
    agent: String,
    resolved: i64,
    adjusted: f64,
    first_resolved: i64,
    on_time: i64,
    reopened: i64,
    answers: i64,
    answers_sum: f64,
    answers_squares: f64,
    reviews: i64,
    reviews_sum: f64,
    reviews_squares: f64,
}

/// Cases of a category that are taken to have lasted as all do: what draws a category with few
/// towards the rest.
const USUAL_CASES: f64 = 10.0;

/// One page of what the work of handlers came to from one time until another, in the order of
/// their ids; of one of them where named.
pub(crate) async fn scorecards(
    conn: &mut PgConnection,
    (from, until): (jiff::Timestamp, jiff::Timestamp),
    agent: Option<&str>,
    page: &Page,
    after: Option<&str>,
) -> Result<Vec<Scorecard>, Fault> {
    let rows: Vec<CardRow> = sqlx::query_as(
        "WITH work AS (
             SELECT y.agent, y.case_id, c.category, y.reopened_at, y.handling,
                    c.breached_at, c.resolved_at AS first_at, y.resolved_at AS at,
                    CASE WHEN c.resolved_at = y.resolved_at THEN c.resolved_work - c.received_work END AS lasted
             FROM cycle_fact y
             LEFT JOIN case_fact c ON c.tenant_id = y.tenant_id AND c.case_id = y.case_id
             WHERE y.tenant_id = current_setting('redress.tenant') AND y.agent IS NOT NULL
               AND y.resolved_at >= $1 AND y.resolved_at < $2),
         usual AS (SELECT avg(lasted)::double precision AS lasted FROM work),
         weight AS (
             SELECT w.category, CASE WHEN u.lasted > 0
                 THEN (coalesce(sum(w.lasted), 0) / u.lasted + $6) / (count(w.lasted) + $6) ELSE 1 END AS weight
             FROM work w CROSS JOIN usual u GROUP BY w.category, u.lasted),
         shown AS (
             SELECT DISTINCT agent FROM work
             WHERE ($3::text IS NULL OR agent = $3) AND ($4::text IS NULL OR agent > $4)
             ORDER BY agent LIMIT $5),
         review AS (
             SELECT agent, count(*) AS reviews, sum(score) AS reviews_sum, sum(score * score) AS reviews_squares
             FROM quality_review
             WHERE tenant_id = current_setting('redress.tenant') AND completed_at >= $1 AND completed_at < $2
             GROUP BY agent)
         SELECT s.agent, count(*) AS resolved, sum(g.weight)::double precision AS adjusted,
                count(*) FILTER (WHERE w.first_at = w.at) AS first_resolved,
                count(*) FILTER (WHERE w.first_at = w.at AND (w.breached_at IS NULL OR w.breached_at > w.at)) AS on_time,
                count(w.reopened_at) AS reopened,
                count(w.handling) AS answers,
                coalesce(sum(w.handling), 0)::double precision AS answers_sum,
                coalesce(sum(w.handling * w.handling), 0)::double precision AS answers_squares,
                coalesce(max(r.reviews), 0) AS reviews,
                coalesce(max(r.reviews_sum), 0) AS reviews_sum,
                coalesce(max(r.reviews_squares), 0) AS reviews_squares
         FROM shown s
         JOIN work w ON w.agent = s.agent
         JOIN weight g ON g.category IS NOT DISTINCT FROM w.category
         LEFT JOIN review r ON r.agent = s.agent
         GROUP BY s.agent ORDER BY s.agent",
    )
    .bind(from.to_sqlx())
    .bind(until.to_sqlx())
    .bind(agent)
    .bind(after)
    .bind(page.limit())
    .bind(USUAL_CASES)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(card).collect())
}

fn card(row: CardRow) -> Scorecard {
    Scorecard {
        agent: row.agent,
        resolved: row.resolved,
        adjusted: row.adjusted,
        on_time: Share { count: row.on_time, total: row.first_resolved },
        reopened: Share { count: row.reopened, total: row.resolved },
        satisfaction: Sums { count: row.answers, sum: row.answers_sum, squares: row.answers_squares },
        quality: Sums { count: row.reviews, sum: row.reviews_sum, squares: row.reviews_squares },
    }
}
