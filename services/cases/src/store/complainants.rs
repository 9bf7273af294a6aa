//! Statements about the cases of a complainant.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use pg::Binds;
use sameness::{Keys, Person};
use sqlx::PgConnection;
use uuid::Uuid;
use vocabulary::{Channel, Matter, Outcome, State};

use super::row::impossible;
use crate::complainant::{CaseInShort, ComplainantQuery, MAX_HISTORY, OutcomeCount};

/// The cases that bear one of the marks, those registered last, each fetched by its key: as a
/// plain join, all cases might be read to find them.
macro_rules! of_complainant {
    ($rest:literal) => {
        concat!(
            "WITH newest AS (
                 SELECT DISTINCT found.case_id
                 FROM (SELECT marked.case_id
                       FROM UNNEST($1::bigint[]) AS asked (mark)
                       CROSS JOIN LATERAL (
                           SELECT m.case_id FROM mark m
                           WHERE m.tenant_id = current_setting('redress.tenant') AND m.mark = asked.mark
                           ORDER BY m.case_id DESC LIMIT $3) AS marked
                       UNION ALL SELECT UNNEST($2::uuid[])) AS found (case_id)
                 ORDER BY found.case_id DESC LIMIT $3),
             theirs AS (
                 SELECT c.* FROM newest n
                 CROSS JOIN LATERAL (
                     SELECT case_id, state, cycle, matter, channel, category, subject, outcome, received_at,
                            closed_at, merged_into, customer_id
                     FROM cases
                     WHERE tenant_id = current_setting('redress.tenant') AND case_id = n.case_id LIMIT 1) AS c) ",
            $rest
        )
    };
}

macro_rules! counting {
    () => {
        of_complainant!(
            "SELECT outcome, count(*) AS cases, count(*) FILTER (WHERE closed_at IS NULL) AS open
             FROM theirs GROUP BY outcome ORDER BY outcome NULLS LAST"
        )
    };
}

macro_rules! listing {
    () => {
        of_complainant!(
            ", page AS (
                 SELECT * FROM theirs
                 WHERE $4::timestamptz IS NULL OR (received_at, case_id) < ($4, $5)
                 ORDER BY received_at DESC, case_id DESC LIMIT $6)
             SELECT p.*, s.phone_key, s.email_key FROM page p
             LEFT JOIN LATERAL (
                 SELECT phone_key, email_key FROM sketch
                 WHERE tenant_id = current_setting('redress.tenant') AND case_id = p.case_id LIMIT 1) AS s ON true
             ORDER BY p.received_at DESC, p.case_id DESC"
        )
    };
}

#[cfg(test)]
mod tests; // below the macros it uses

#[derive(sqlx::FromRow)]
struct CountRow {
    outcome: Option<i16>,
    cases: i64,
    open: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    state: i16,
    cycle: i32,
    matter: i16,
    channel: i16,
    category: String,
    subject: String,
    outcome: Option<i16>,
    received_at: Timestamp,
    closed_at: Option<Timestamp>,
    merged_into: Option<Uuid>,
    customer_id: String,
    phone_key: Option<i64>,
    email_key: Option<i64>,
}

/// What both statements begin with.
fn arguments(asked: &ComplainantQuery) -> Binds {
    let mut binds = Binds::default();
    binds.value(asked.person.marks().into_iter().flatten().collect::<Vec<_>>());
    binds.value(asked.case.iter().map(|case| case.0).collect::<Vec<_>>());
    binds.value(MAX_HISTORY);
    binds
}

fn arguments_of_page(asked: &ComplainantQuery, after: Option<Place>, limit: i64) -> Binds {
    let mut binds = arguments(asked);
    binds.value(after.map(|place| place.received.to_sqlx()));
    binds.value(after.map(|place| place.id));
    binds.value(limit);
    binds
}

/// Counts somebody's cases by outcome.
pub(crate) async fn count(
    conn: &mut PgConnection,
    asked: &ComplainantQuery,
) -> Result<Vec<OutcomeCount>, Fault> {
    let arguments = arguments(asked).arguments()?;
    let rows: Vec<CountRow> = sqlx::query_as_with(counting!(), arguments).fetch_all(conn).await?;
    let counts = rows.into_iter().map(|CountRow { outcome, cases, open }| {
        Ok(OutcomeCount { outcome: decided(outcome, Uuid::nil())?, cases, open })
    });
    counts.collect()
}

/// Reads a page of somebody's cases, the one received last first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    asked: &ComplainantQuery,
    page: &Page,
) -> Result<Vec<CaseInShort>, Fault> {
    let after = page.after.as_deref().map(Place::read).transpose()?;
    let arguments = arguments_of_page(asked, after, page.limit()).arguments()?;
    let rows: Vec<Row> = sqlx::query_as_with(listing!(), arguments).fetch_all(conn).await?;
    rows.into_iter().map(Row::case).collect()
}

/// Where a page ends.
#[derive(Clone, Copy)]
struct Place {
    received: jiff::Timestamp,
    id: Uuid,
}

/// The key of a case, for the token of the next page.
pub(crate) fn page_key(case: &CaseInShort) -> String {
    format!("{} {}", case.receive_time, case.id)
}

impl Place {
    fn read(key: &str) -> Result<Self, Fault> {
        let (received, id) = key.split_once(' ').unwrap_or_default();
        let received = received.parse().map_err(|_| Fault::invalid_page_token())?;
        let id = Uuid::try_parse(id).map_err(|_| Fault::invalid_page_token())?;
        Ok(Self { received, id })
    }
}

/// The outcome that a number stands for, if any.
fn decided(number: Option<i16>, case: Uuid) -> Result<Option<Outcome>, Fault> {
    let known = |number| Outcome::of(number).ok_or_else(|| impossible("cases", "outcome", case));
    number.map(known).transpose()
}

impl Row {
    fn case(self) -> Result<CaseInShort, Fault> {
        let known = |column: &'static str| move || impossible("cases", column, self.case_id);
        let keys = Keys { phone: self.phone_key, email: self.email_key, ..Keys::default() };
        Ok(CaseInShort {
            id: CaseId(self.case_id),
            state: State::of(self.state).ok_or_else(known("state"))?,
            cycle: self.cycle,
            matter: Matter::of(self.matter).ok_or_else(known("matter"))?,
            channel: Channel::of(self.channel).ok_or_else(known("channel"))?,
            outcome: decided(self.outcome, self.case_id)?,
            receive_time: self.received_at.to_jiff(),
            close_time: self.closed_at.map(Timestamp::to_jiff),
            merged_into: self.merged_into.map(CaseId),
            person: Person::of(&self.customer_id, &keys),
            category: self.category,
            subject: self.subject,
        })
    }
}
