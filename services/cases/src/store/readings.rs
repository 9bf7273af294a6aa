//! Statements about what was read off the texts of cases.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Moment, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use language::{Level, Threat};
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::impossible;
use crate::reading::{KeptReading, LEVELS, Reading, THREATS};

#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    category: String,
    subject: String,
    emotion: Option<i16>,
    threats: Option<i16>,
    classifier: Option<i64>,
    guess: Option<String>,
    confidence: Option<f64>,
    unconfirmed: Option<bool>,
    confirmer: Option<String>,
    confirmed_at: Option<Moment>,
}

impl Row {
    fn into_reading(self) -> Result<KeptReading, Fault> {
        let level = self.emotion.map(|stored| level(stored, self.case_id));
        let guess = self.classifier.zip(self.guess).zip(self.confidence);
        Ok(KeptReading {
            case: CaseId(self.case_id),
            category: self.category,
            subject: self.subject,
            level: level.transpose()?,
            threats: threats(self.threats.unwrap_or(0)),
            guess: guess.map(|((classifier, guess), confidence)| (classifier, guess, confidence)),
            unconfirmed: self.unconfirmed.unwrap_or(false),
            confirmed: self.confirmer.zip(self.confirmed_at.map(Moment::to_jiff)),
        })
    }
}

/// How angry the text of a case is, from how it is stored.
pub(super) fn level(stored: i16, case: Uuid) -> Result<Level, Fault> {
    let known = usize::try_from(stored).ok().and_then(|at| LEVELS.get(at).copied());
    known.ok_or_else(|| impossible("case_reading", "emotion", case))
}

/// What a text threatens, from how it is stored.
pub(super) fn threats(stored: i16) -> Vec<Threat> {
    THREATS.iter().filter(|(_, bit)| stored & bit != 0).map(|(threat, _)| *threat).collect()
}

/// Keeps what was read off cases just opened.
pub(crate) async fn keep(conn: &mut PgConnection, read: &[(Uuid, &Reading)]) -> Result<(), Fault> {
    if read.is_empty() {
        return Ok(());
    }
    let bits = |reading: &Reading| {
        let threats = &reading.emotion.threats;
        THREATS.iter().filter(|(threat, _)| threats.contains(threat)).map(|(_, bit)| bit).sum::<i16>()
    };
    let mut binds = Binds::default();
    let rows = binds
        .rows(read)
        .column("case_id", |(case, _)| *case)
        .column("emotion", |(_, reading)| i16::from(reading.emotion.level.number()))
        .column("threats", |(_, reading)| bits(reading))
        .column("classifier", |(_, reading)| reading.guess.as_ref().map(|guess| guess.classifier))
        .column("guess", |(_, reading)| reading.guess.as_ref().map(|guess| guess.category.as_str()))
        .column("confidence", |(_, reading)| reading.guess.as_ref().map(|guess| guess.confidence))
        .column("unconfirmed", |(_, reading)| reading.is_unconfirmed())
        .done();
    binds.execute(&rows.insert_into("case_reading"), conn).await?;
    Ok(())
}

/// Reads what was read off one case; none if there is no such case.
pub(crate) async fn get(conn: &mut PgConnection, case: CaseId) -> Result<Option<KeptReading>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT c.case_id, c.category, c.subject, r.emotion, r.threats, r.classifier, r.guess, r.confidence,
                r.unconfirmed, r.confirmer, r.confirmed_at
         FROM cases c LEFT JOIN case_reading r ON r.tenant_id = c.tenant_id AND r.case_id = c.case_id
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id = $1",
    )
    .bind(case.0)
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_reading).transpose()
}

/// Lists what waits for a person to confirm its category, oldest first.
pub(crate) async fn unconfirmed(conn: &mut PgConnection, page: &Page) -> Result<Vec<KeptReading>, Fault> {
    let after = match &page.after {
        Some(key) => Uuid::try_parse(key).map_err(|_| Fault::invalid_page_token())?,
        None => Uuid::nil(),
    };
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT r.case_id, c.category, c.subject, r.emotion, r.threats, r.classifier, r.guess, r.confidence,
                r.unconfirmed, r.confirmer, r.confirmed_at
         FROM case_reading r JOIN cases c ON c.tenant_id = r.tenant_id AND c.case_id = r.case_id
         WHERE r.tenant_id = current_setting('redress.tenant') AND r.unconfirmed AND r.case_id > $1
         ORDER BY r.case_id LIMIT $2",
    )
    .bind(after)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_reading).collect()
}

/// Notes who has confirmed or corrected the category of a case.
pub(crate) async fn confirm(
    conn: &mut PgConnection,
    case: CaseId,
    confirmer: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO case_reading (tenant_id, case_id, threats, unconfirmed, confirmer, confirmed_at)
         VALUES (current_setting('redress.tenant'), $1, 0, false, $2, $3)
         ON CONFLICT (tenant_id, case_id) DO UPDATE
         SET unconfirmed = false, confirmer = excluded.confirmer, confirmed_at = excluded.confirmed_at",
    )
    .bind(case.0)
    .bind(confirmer)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}
