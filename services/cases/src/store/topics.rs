//! Statements that read what complaints speak of.

use std::collections::BTreeMap;

use fault::Fault;
use filter::terms::Terms;
use jiff::Timestamp;
use jiff::civil::Date as Day;
use jiff::tz::TimeZone;
use jiff_sqlx::{Date, ToSqlx as _};
use kernel::CaseId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::topic::{Before, Days, KeptCase, MOST_BEFORE, MOST_CASES, MOST_WORDS, Topic, Window};

/// Most cases that are read at once.
pub(crate) const PAGE: i64 = 500;
/// Longest text that phrases are read off.
const MOST_CHARACTERS: i32 = 2_000;
/// Bits of the part of an id of version 7 that is no time.
const NOT_TIME: u32 = 80;

/// Some days' cases, or one of so many of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// From this moment on.
    start: Timestamp,
    /// Before this moment.
    end: Timestamp,
    /// The least id that a case received then may have: nothing is registered before it is
    /// received.
    least: Uuid,
    /// One of so many is taken.
    pub(crate) one_in: i64,
}

impl Sample {
    fn of(start: Day, end: Day) -> Result<Self, Fault> {
        let moment = |day: Day| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
        let start = moment(start).map_err(Fault::internal)?;
        let end = moment(end).map_err(Fault::internal)?;
        let least = u128::try_from(start.as_millisecond()).unwrap_or_default() << NOT_TIME;
        Ok(Self { start, end, least: Uuid::from_u128(least), one_in: 1 })
    }

    /// The cases of a window, and those of its baseline.
    pub(crate) async fn both(conn: &mut PgConnection, window: &Window) -> Result<(Self, Self), Fault> {
        let mut now = Self::of(window.start(), window.after())?;
        let mut before = Self::of(window.baseline_start(), window.start())?;
        for (sample, most) in [(&mut now, MOST_CASES), (&mut before, MOST_BEFORE)] {
            let count: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM cases
                 WHERE tenant_id = current_setting('redress.tenant') AND case_id >= $1
                   AND received_at >= $2 AND received_at < $3",
            )
            .bind(sample.least)
            .bind(sample.start.to_sqlx())
            .bind(sample.end.to_sqlx())
            .fetch_one(&mut *conn)
            .await?;
            sample.one_in = (count + most - 1).div_euclid(most).max(1);
        }
        Ok((now, before))
    }
}

/// Reads a page of the cases of a sample, after one. Which are taken depends on the last bits
/// of their ids, which are drawn at random, alone.
pub(crate) async fn page(
    conn: &mut PgConnection,
    sample: &Sample,
    after: Uuid,
) -> Result<Vec<KeptCase>, Fault> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT c.case_id, array_to_string((tsvector_to_array(t.terms))[1:$6], ' ')
         FROM cases c JOIN case_text t ON t.tenant_id = c.tenant_id AND t.case_id = c.case_id
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id > $1
           AND c.received_at >= $2 AND c.received_at < $3
           AND ('x' || right(c.case_id::text, 6))::bit(24)::integer % $4 = 0
         ORDER BY c.case_id LIMIT $5",
    )
    .bind(after.max(sample.least))
    .bind(sample.start.to_sqlx())
    .bind(sample.end.to_sqlx())
    .bind(sample.one_in)
    .bind(PAGE)
    .bind(MOST_WORDS)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, terms)| KeptCase { case: CaseId(id), terms }).collect())
}

/// How many cases a sample has, and how many of them have each of these words.
pub(crate) async fn before(
    conn: &mut PgConnection,
    sample: &Sample,
    words: &[String],
    terms: &Terms,
) -> Result<Before, Fault> {
    let tagged: Vec<String> = words.iter().map(|word| terms.tagged(word)).collect();
    let rows: Vec<(Option<String>, i64)> = sqlx::query_as(
        "WITH taken AS MATERIALIZED (
             SELECT t.terms
             FROM cases c JOIN case_text t ON t.tenant_id = c.tenant_id AND t.case_id = c.case_id
             WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id >= $1
               AND c.received_at >= $2 AND c.received_at < $3
               AND ('x' || right(c.case_id::text, 6))::bit(24)::integer % $4 = 0)
         SELECT NULL AS term, count(*) FROM taken
         UNION ALL
         SELECT w.term, count(*)
         FROM taken CROSS JOIN LATERAL UNNEST((tsvector_to_array(taken.terms))[1:$6]) AS w (term)
         WHERE w.term = ANY($5) GROUP BY w.term",
    )
    .bind(sample.least)
    .bind(sample.start.to_sqlx())
    .bind(sample.end.to_sqlx())
    .bind(sample.one_in)
    .bind(tagged)
    .bind(MOST_WORDS)
    .fetch_all(conn)
    .await?;
    let mut before = Before::default();
    for (term, count) in rows {
        match term.as_deref().map(|term| terms.untagged(term)) {
            None => before.cases = count,
            Some(Some(word)) => {
                before.bearers.insert(word.to_owned(), count);
            }
            Some(None) => {}
        }
    }
    Ok(before)
}

/// How many cases of a sample there are by day: for each topic those that have any of its
/// words, and all of them.
pub(crate) async fn days(
    conn: &mut PgConnection,
    sample: &Sample,
    topics: &[Topic],
    terms: &Terms,
) -> Result<(Vec<Days>, Days), Fault> {
    let query = |topic: &Topic| {
        let words = topic.terms.iter().map(|term| terms.tagged(&term.word));
        words.collect::<Vec<_>>().join(" | ")
    };
    let rows: Vec<(i64, Date, i64)> = sqlx::query_as(
        "WITH taken AS MATERIALIZED (
             SELECT (c.received_at AT TIME ZONE 'UTC')::date AS day, t.terms
             FROM cases c JOIN case_text t ON t.tenant_id = c.tenant_id AND t.case_id = c.case_id
             WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id >= $1
               AND c.received_at >= $2 AND c.received_at < $3
               AND ('x' || right(c.case_id::text, 6))::bit(24)::integer % $4 = 0)
         SELECT 0::bigint AS place, day, count(*) FROM taken GROUP BY day
         UNION ALL
         SELECT sought.place, taken.day, count(*)
         FROM UNNEST($5::text[]) WITH ORDINALITY AS sought (words, place)
         JOIN taken ON taken.terms @@ sought.words::tsquery
         GROUP BY sought.place, taken.day",
    )
    .bind(sample.least)
    .bind(sample.start.to_sqlx())
    .bind(sample.end.to_sqlx())
    .bind(sample.one_in)
    .bind(topics.iter().map(query).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let (mut of_topics, mut all) = (vec![Days::new(); topics.len()], Days::new());
    for (place, day, count) in rows {
        let of = match usize::try_from(place - 1) {
            Ok(place) => of_topics.get_mut(place),
            Err(_) => Some(&mut all),
        };
        if let Some(days) = of {
            days.insert(day.to_jiff(), count);
        }
    }
    Ok((of_topics, all))
}

/// The texts of cases, their beginnings.
pub(crate) async fn texts(
    conn: &mut PgConnection,
    cases: &[CaseId],
) -> Result<BTreeMap<CaseId, String>, Fault> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT c.case_id, c.subject || chr(10) || left(t.description, $2)
         FROM cases c JOIN case_text t ON t.tenant_id = c.tenant_id AND t.case_id = c.case_id
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id = ANY($1)",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(MOST_CHARACTERS)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, text)| (CaseId(id), text)).collect())
}
