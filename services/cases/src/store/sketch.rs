//! Statements about what cases are found by.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::Timestamp;
use kernel::CaseId;
use sameness::{FIRST_NUMBER_MARK, Keys, Sketch, Traits, marks};
use sqlx::PgConnection;
use uuid::Uuid;
use vocabulary::{Matter, Outcome, State};

use super::row::impossible;
use crate::case::Case;
use crate::links::Closed;

/// Of the cases that bear a mark, how many of the newest are looked at when a case
/// is opened.
const NEWEST: i64 = 16;
/// Most earlier cases a new one is compared with.
const COMPARED: i64 = 12;
/// How many of the newest are looked at when somebody asks.
const NEWEST_ASKED: i64 = 100;
/// Most closed cases that are compared when somebody asks.
const COMPARED_ASKED: i64 = 60;

/// A case and what it shares with others.
pub(crate) type Sketched<'a> = (&'a Case, &'a Keys);

/// Writes sketches and marks of new cases.
pub(crate) async fn keep(conn: &mut PgConnection, cases: &[Sketched<'_>]) -> Result<(), Fault> {
    let marks = cases.iter().flat_map(|(case, keys)| {
        marks(keys, &case.origin.customer_id).into_iter().map(|mark| (case.id.0, mark))
    });
    let (marked, marks): (Vec<_>, Vec<_>) = marks.unzip();
    sqlx::query(
        "WITH sketched AS (
             INSERT INTO sketch (tenant_id, case_id, minima, order_key, phone_key, email_key)
             SELECT current_setting('redress.tenant'), n.*
             FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::bytea[]), UNNEST($3::bigint[]),
                          UNNEST($4::bigint[]), UNNEST($7::bigint[])) AS n)
         INSERT INTO mark (tenant_id, case_id, mark)
         SELECT current_setting('redress.tenant'), n.* FROM (SELECT UNNEST($5::uuid[]),
                                                                    UNNEST($6::bigint[])) AS n",
    )
    .bind(cases.iter().map(|(case, _)| case.id.0).collect::<Vec<_>>())
    .bind(cases.iter().map(|(_, keys)| keys.sketch.as_ref().map(Sketch::to_bytes)).collect::<Vec<_>>())
    .bind(cases.iter().map(|(_, keys)| keys.order).collect::<Vec<_>>())
    .bind(cases.iter().map(|(_, keys)| keys.phone).collect::<Vec<_>>())
    .bind(marked)
    .bind(marks)
    .bind(cases.iter().map(|(_, keys)| keys.email).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct KeysRow {
    minima: Option<Vec<u8>>,
    order_key: Option<i64>,
    phone_key: Option<i64>,
    email_key: Option<i64>,
}

impl KeysRow {
    fn keys(self, case: Uuid) -> Result<Keys, Fault> {
        let sketch = match self.minima {
            Some(bytes) => {
                Some(Sketch::from_bytes(&bytes).ok_or_else(|| impossible("sketch", "minima", case))?)
            }
            None => None,
        };
        Ok(Keys { sketch, order: self.order_key, phone: self.phone_key, email: self.email_key })
    }
}

#[derive(sqlx::FromRow)]
struct CandidateRow {
    place: i64,
    case_id: Uuid,
    matter: i16,
    category: String,
    customer_id: String,
    received_at: Timestamp,
    #[sqlx(flatten)]
    keys: KeysRow,
}

/// A case that one of the asking shares something with.
pub(crate) struct Candidate {
    /// Which of the asking, counted from 0.
    pub(crate) place: usize,
    /// The case.
    pub(crate) case: CaseId,
    /// What is compared of it.
    pub(crate) traits: Traits,
}

/// Cases that share marks with these, for each those that share the most: who
/// shares order, customer or telephone before who shares words.
pub(crate) async fn candidates(
    conn: &mut PgConnection,
    cases: &[Sketched<'_>],
) -> Result<Vec<Candidate>, Fault> {
    let marks = (0_i64..).zip(cases).flat_map(|(place, (case, keys))| {
        marks(keys, &case.origin.customer_id).into_iter().map(move |mark| (place, mark))
    });
    let (places, marks): (Vec<i64>, Vec<i64>) = marks.unzip();
    let rows: Vec<CandidateRow> = sqlx::query_as(
        "SELECT f.place, c.case_id, c.matter, c.category, c.customer_id, c.received_at, s.minima, s.order_key,
                s.phone_key, s.email_key
         FROM (SELECT asked.place, found.case_id,
                      row_number() OVER (PARTITION BY asked.place
                          ORDER BY sum(CASE WHEN asked.mark < $4 THEN 1 ELSE 16 END) DESC, found.case_id) AS nth
               FROM (SELECT UNNEST($1::bigint[]) AS place, UNNEST($2::bigint[]) AS mark) AS asked
               CROSS JOIN LATERAL (
                   SELECT m.case_id FROM mark m
                   WHERE m.tenant_id = current_setting('redress.tenant') AND m.mark = asked.mark
                   ORDER BY m.case_id DESC LIMIT $5) AS found
               WHERE found.case_id <> ($3::uuid[])[asked.place + 1]
               GROUP BY asked.place, found.case_id) AS f
         JOIN cases c ON c.tenant_id = current_setting('redress.tenant') AND c.case_id = f.case_id
         JOIN sketch s ON s.tenant_id = current_setting('redress.tenant') AND s.case_id = f.case_id
         WHERE f.nth <= $6
         ORDER BY f.place, f.nth",
    )
    .bind(places)
    .bind(marks)
    .bind(cases.iter().map(|(case, _)| case.id.0).collect::<Vec<_>>())
    .bind(FIRST_NUMBER_MARK)
    .bind(NEWEST)
    .bind(COMPARED)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(CandidateRow::candidate).collect()
}

impl CandidateRow {
    fn candidate(self) -> Result<Candidate, Fault> {
        let Self { place, case_id, matter, category, customer_id, received_at, keys } = self;
        let traits = Traits {
            matter: Matter::of(matter).ok_or_else(|| impossible("cases", "matter", case_id))?,
            category,
            customer: customer_id,
            received: received_at.to_jiff(),
            keys: keys.keys(case_id)?,
        };
        Ok(Candidate {
            place: usize::try_from(place).map_err(Fault::internal)?,
            case: CaseId(case_id),
            traits,
        })
    }
}

#[derive(sqlx::FromRow)]
struct OwnRow {
    case_id: Uuid,
    #[sqlx(flatten)]
    keys: KeysRow,
}

/// What cases are compared by, those that have anything.
pub(crate) async fn keys(conn: &mut PgConnection, cases: &[Uuid]) -> Result<HashMap<CaseId, Keys>, Fault> {
    let rows: Vec<OwnRow> = sqlx::query_as(
        "SELECT case_id, minima, order_key, phone_key, email_key FROM sketch
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((CaseId(row.case_id), row.keys.keys(row.case_id)?))).collect()
}

/// Reads the sketch of a case's text: none when there is no such case, or its text
/// says too little.
pub(crate) async fn get(conn: &mut PgConnection, case: CaseId) -> Result<Option<Sketch>, Fault> {
    let row: Option<KeysRow> = sqlx::query_as(
        "SELECT minima, order_key, phone_key, email_key FROM sketch
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1",
    )
    .bind(case.0)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.keys(case.0)).transpose()?.and_then(|keys| keys.sketch))
}

#[derive(sqlx::FromRow)]
struct ClosedRow {
    case_id: Uuid,
    minima: Vec<u8>,
    subject: String,
    category: String,
    outcome: Option<i16>,
    decision_reasons: String,
}

/// Closed cases that share bands with a text, those first that share the most.
pub(crate) async fn closed_alike(conn: &mut PgConnection, sketch: &Sketch) -> Result<Vec<Closed>, Fault> {
    let rows: Vec<ClosedRow> = sqlx::query_as(
        "SELECT c.case_id, s.minima, c.subject, c.category, c.outcome, c.decision_reasons
         FROM (SELECT found.case_id, count(*) AS shared
               FROM UNNEST($1::bigint[]) AS asked (mark)
               CROSS JOIN LATERAL (
                   SELECT m.case_id FROM mark m
                   WHERE m.tenant_id = current_setting('redress.tenant') AND m.mark = asked.mark
                   ORDER BY m.case_id DESC LIMIT $2) AS found
               GROUP BY found.case_id) AS f
         JOIN cases c ON c.tenant_id = current_setting('redress.tenant') AND c.case_id = f.case_id
         JOIN sketch s ON s.tenant_id = current_setting('redress.tenant') AND s.case_id = f.case_id
         WHERE c.state = $4 AND s.minima IS NOT NULL
         ORDER BY f.shared DESC, c.case_id DESC LIMIT $3",
    )
    .bind(sketch.bands().as_slice())
    .bind(NEWEST_ASKED)
    .bind(COMPARED_ASKED)
    .bind(State::Closed.number())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(ClosedRow::closed).collect()
}

impl ClosedRow {
    fn closed(self) -> Result<Closed, Fault> {
        let Self { case_id, minima, subject, category, outcome, decision_reasons } = self;
        let known = |column: &'static str| move || impossible("sketch or cases", column, case_id);
        let sketch = Sketch::from_bytes(&minima).ok_or_else(known("minima"))?;
        let outcome = match outcome {
            Some(code) => Some(Outcome::of(code).ok_or_else(known("outcome"))?),
            None => None,
        };
        Ok(Closed { case: CaseId(case_id), sketch, subject, category, outcome, decision_reasons })
    }
}
