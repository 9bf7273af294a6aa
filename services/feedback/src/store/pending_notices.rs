//! Statements on notices owed before it is known whom to write to.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx};
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::notice::{Delay, Holding, Kind, Lacking, Missed, Owed, Planned, Word};
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
            Kind::Withdrawal => Word::Withdrawal,
            Kind::CallBackPlanned => Word::CallBackPlanned(Planned {
                number: self.number,
                from: self.next_update.map(Timestamp::to_jiff),
                until: self.respond_until.ok_or_else(|| wrong("respond_until"))?.to_jiff(),
            }),
            Kind::CallBackMissed => Word::CallBackMissed(Missed {
                number: self.number,
                tried: self.next_update.ok_or_else(|| wrong("next_update"))?.to_jiff(),
                again: self.respond_until.map(Timestamp::to_jiff),
            }),
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
            Kind::Shortage => Word::Shortage(Lacking {
                number: self.number,
                article: self.news,
                expected: self.respond_until.ok_or_else(|| wrong("respond_until"))?.to_jiff(),
            }),
            // Is owed to those only who are known.
            Kind::Survey | Kind::ClosingSoon | Kind::Progress => return Err(wrong("kind")),
        };
        let case_id = CaseId(self.case_id);
        Ok(Owed { case_id, cycle: self.cycle, word, zone: self.time_zone, traceparent: self.traceparent })
    }
}

/// Keeps what is owed until its contact is known.
pub(crate) async fn put_off(conn: &mut PgConnection, owed: &[Owed]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(owed)
        .column("case_id", |owed| owed.case_id.0)
        .column("cycle", |owed| owed.cycle)
        .column("kind", |owed| owed.word.kind().number())
        .column("number", |owed| owed.word.number())
        .column("outcome", |owed| outcome(&owed.word))
        .column("reasons", |owed| reasons(&owed.word))
        .column("respond_until", |owed| until(&owed.word))
        .column("news", |owed| message(&owed.word))
        .column("next_update", |owed| next_update(&owed.word))
        .column("time_zone", |owed| owed.zone.as_str())
        .column("traceparent", |owed| owed.traceparent.as_str())
        .done();
    let statement =
        format!("{} ON CONFLICT ON CONSTRAINT untold_pkey DO NOTHING", rows.insert_into("untold"));
    binds.execute(&statement, conn).await?;
    Ok(())
}

fn outcome(word: &Word) -> Option<i16> {
    match word {
        Word::Outcome(ruling) => Some(ruling.outcome.number()),
        _ => None,
    }
}

/// A time by which something is promised, or may be done.
fn until(word: &Word) -> Option<Timestamp> {
    match word {
        Word::Outcome(ruling) => Some(ruling.respond_until.to_sqlx()),
        Word::Extension(delay) => delay.due.map(ToSqlx::to_sqlx),
        Word::Holding(holding) => holding.due.map(ToSqlx::to_sqlx),
        Word::Shortage(lacking) => Some(lacking.expected.to_sqlx()),
        Word::ClosingSoon(closing) => Some(closing.until.to_sqlx()),
        Word::CallBackPlanned(planned) => Some(planned.until.to_sqlx()),
        Word::CallBackMissed(missed) => missed.again.map(ToSqlx::to_sqlx),
        Word::Acknowledgement | Word::Recourse | Word::Withdrawal | Word::Progress(_) | Word::Survey(_) => {
            None
        }
    }
}

/// Another time: of the next news, of a call.
fn next_update(word: &Word) -> Option<Timestamp> {
    match word {
        Word::Holding(holding) => holding.next.map(ToSqlx::to_sqlx),
        Word::CallBackPlanned(planned) => planned.from.map(ToSqlx::to_sqlx),
        Word::CallBackMissed(missed) => Some(missed.tried.to_sqlx()),
        _ => None,
    }
}

/// What is new: a holding reply's words, an article that is lacking.
fn message(word: &Word) -> &str {
    match word {
        Word::Holding(holding) => &holding.text,
        Word::Shortage(lacking) => &lacking.article,
        _ => "",
    }
}

fn reasons(word: &Word) -> &str {
    match word {
        Word::Outcome(ruling) => &ruling.reasons,
        Word::Extension(delay) => &delay.reason,
        Word::Holding(holding) => &holding.reason,
        _ => "",
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
