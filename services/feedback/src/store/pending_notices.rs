//! Statements on notices owed before it is known whom to write to.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx};
use kernel::CaseId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::notice::{Delay, Holding, Kind, Owed, Word};
use crate::response::{Outcome, Ruling};

#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    cycle: i32,
    kind: i16,
    outcome: Option<i16>,
    reasons: String,
    respond_until: Option<Timestamp>,
    number: i32,
    news: String,
    next_update: Option<Timestamp>,
    time_zone: String,
    traceparent: String,
}

impl Row {
    fn owed(self) -> Result<Owed, Fault> {
        let wrong = |column| impossible("untold", column, self.case_id);
        let word = match Kind::of(self.kind).ok_or_else(|| wrong("kind"))? {
            Kind::Acknowledgement => Word::Acknowledgement,
            Kind::Recourse => Word::Recourse,
            Kind::Extension => Word::Extension(Delay {
                number: self.number,
                due: self.respond_until.map(Timestamp::to_jiff),
                reason: self.reasons,
            }),
            Kind::Holding => Word::Holding(Holding {
                number: self.number,
                text: self.news,
                reason: self.reasons,
                next: self.next_update.map(Timestamp::to_jiff),
                due: self.respond_until.map(Timestamp::to_jiff),
            }),
            Kind::Outcome => Word::Outcome(Ruling {
                outcome: self.outcome.and_then(Outcome::of).ok_or_else(|| wrong("outcome"))?,
                respond_until: self.respond_until.ok_or_else(|| wrong("respond_until"))?.to_jiff(),
                reasons: self.reasons,
                correction: self.number,
            }),
        };
        let case_id = CaseId(self.case_id);
        Ok(Owed { case_id, cycle: self.cycle, word, zone: self.time_zone, traceparent: self.traceparent })
    }
}

/// Keeps what is owed until its contact is known.
pub(crate) async fn put_off(conn: &mut PgConnection, owed: &[Owed]) -> Result<(), Fault> {
    let outcome = |owed: &Owed| match &owed.word {
        Word::Outcome(ruling) => Some(ruling.outcome.number()),
        _ => None,
    };
    let until = |owed: &Owed| match &owed.word {
        Word::Outcome(ruling) => Some(ruling.respond_until.to_sqlx()),
        Word::Extension(delay) => delay.due.map(ToSqlx::to_sqlx),
        Word::Holding(holding) => holding.due.map(ToSqlx::to_sqlx),
        Word::Acknowledgement | Word::Recourse => None,
    };
    let holding = |owed: &Owed| match &owed.word {
        Word::Holding(holding) => Some(holding.clone()),
        _ => None,
    };
    let holding: Vec<Option<Holding>> = owed.iter().map(holding).collect();
    let news = |holding: &Option<Holding>| holding.as_ref().map_or_else(String::new, |one| one.text.clone());
    let next = |holding: &Option<Holding>| Some(holding.as_ref()?.next?.to_sqlx());
    sqlx::query(
        "INSERT INTO untold (tenant_id, case_id, cycle, kind, outcome, reasons, respond_until, traceparent, number,
                             news, next_update, time_zone)
         SELECT current_setting('redress.tenant'), o.*
         FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::int[]), UNNEST($3::smallint[]),
                      UNNEST($4::smallint[]), UNNEST($5::text[]), UNNEST($6::timestamptz[]),
                      UNNEST($7::text[]), UNNEST($8::integer[]), UNNEST($9::text[]),
                      UNNEST($10::timestamptz[]), UNNEST($11::text[])) AS o
         ON CONFLICT ON CONSTRAINT untold_pkey DO NOTHING",
    )
    .bind(owed.iter().map(|owed| owed.case_id.0).collect::<Vec<_>>())
    .bind(owed.iter().map(|owed| owed.cycle).collect::<Vec<_>>())
    .bind(owed.iter().map(|owed| owed.word.kind().number()).collect::<Vec<_>>())
    .bind(owed.iter().map(outcome).collect::<Vec<_>>())
    .bind(owed.iter().map(|owed| reasons(&owed.word)).collect::<Vec<_>>())
    .bind(owed.iter().map(until).collect::<Vec<_>>())
    .bind(owed.iter().map(|owed| owed.traceparent.as_str()).collect::<Vec<_>>())
    .bind(owed.iter().map(|owed| owed.word.number()).collect::<Vec<_>>())
    .bind(holding.iter().map(news).collect::<Vec<_>>())
    .bind(holding.iter().map(next).collect::<Vec<_>>())
    .bind(owed.iter().map(|owed| owed.zone.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

fn reasons(word: &Word) -> &str {
    match word {
        Word::Outcome(ruling) => &ruling.reasons,
        Word::Extension(delay) => &delay.reason,
        Word::Holding(holding) => &holding.reason,
        Word::Acknowledgement | Word::Recourse => "",
    }
}

/// Takes up what was put off for these cases.
pub(crate) async fn take_up(conn: &mut PgConnection, cases: &[CaseId]) -> Result<Vec<Owed>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "DELETE FROM untold WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
         RETURNING case_id, cycle, kind, outcome, reasons, respond_until, number, news,
                   next_update, time_zone, traceparent",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::owed).collect()
}
