//! Statements on surveys.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::response::Satisfaction;
use crate::survey::{Reply, State, Survey, SurveyFilter};

#[derive(sqlx::FromRow)]
struct Row {
    survey_id: Uuid,
    case_id: Uuid,
    cycle: i32,
    questionnaire: i64,
    language: String,
    state: i16,
    cancel_reason: String,
    handling: i16,
    outcome: i16,
    effort: i16,
    comment: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    ended_at: Option<Timestamp>,
}

impl Row {
    fn survey(self) -> Result<Survey, Fault> {
        let satisfaction = Satisfaction { handling: self.handling, outcome: self.outcome };
        Ok(Survey {
            id: self.survey_id,
            case_id: CaseId(self.case_id),
            cycle: self.cycle,
            questionnaire: self.questionnaire,
            language: self.language,
            state: State::of(self.state).ok_or_else(|| impossible("survey", "state", self.survey_id))?,
            cancel_reason: self.cancel_reason,
            reply: Reply { satisfaction, effort: self.effort, comment: self.comment },
            created: self.created_at.to_jiff(),
            expires: self.expires_at.to_jiff(),
            ended: self.ended_at.map(Timestamp::to_jiff),
        })
    }
}

/// Reads surveys of the tenant: what follows the tenant's condition is given.
macro_rules! select_surveys {
    ($rest:literal) => {
        concat!(
            "SELECT survey_id, case_id, cycle, questionnaire, language, state, cancel_reason, handling, outcome, effort,
                    comment, created_at, expires_at, ended_at
             FROM survey WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// Opens surveys, one per cycle.
pub(crate) async fn open_surveys(conn: &mut PgConnection, surveys: &[Survey]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(surveys)
        .column("survey_id", |survey| survey.id)
        .column("case_id", |survey| survey.case_id.0)
        .column("cycle", |survey| survey.cycle)
        .column("questionnaire", |survey| survey.questionnaire)
        .column("language", |survey| survey.language.as_str())
        .column("state", |survey| survey.state.number())
        .column("created_at", |survey| survey.created.to_sqlx())
        .column("expires_at", |survey| survey.expires.to_sqlx())
        .done();
    let statement =
        format!("{} ON CONFLICT ON CONSTRAINT survey_once DO NOTHING", rows.insert_into("survey"));
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Keeps what codes open: of a survey's notice, the survey of its cycle.
pub(crate) async fn keep_codes(
    conn: &mut PgConnection,
    codes: &[(CaseId, i32, [u8; 32])],
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO survey_code (tenant_id, code_hash, survey_id)
         SELECT s.tenant_id, c.code_hash, s.survey_id
         FROM UNNEST($1::uuid[], $2::int[], $3::bytea[]) AS c (case_id, cycle, code_hash)
         JOIN survey s ON s.tenant_id = current_setting('redress.tenant') AND s.case_id = c.case_id
              AND s.cycle = c.cycle",
    )
    .bind(codes.iter().map(|(case, ..)| case.0).collect::<Vec<_>>())
    .bind(codes.iter().map(|(_, cycle, _)| *cycle).collect::<Vec<_>>())
    .bind(codes.iter().map(|(.., hash)| hash.to_vec()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// The survey that a code opens; nobody else changes it until the transaction ends.
pub(crate) async fn lock_survey(conn: &mut PgConnection, code: [u8; 32]) -> Result<Option<Survey>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_surveys!(
        "AND survey_id = (SELECT c.survey_id FROM survey_code c
                          WHERE c.tenant_id = current_setting('redress.tenant') AND c.code_hash = $1)
         FOR UPDATE"
    ))
    .bind(code.to_vec())
    .fetch_optional(conn)
    .await?;
    row.map(Row::survey).transpose()
}

/// Writes the answer of a survey that this transaction holds.
pub(crate) async fn save_survey(conn: &mut PgConnection, survey: &Survey) -> Result<(), Fault> {
    let Reply { satisfaction: Satisfaction { handling, outcome }, effort, comment } = &survey.reply;
    let saved = sqlx::query(
        "UPDATE survey SET state = $2, handling = $3, outcome = $4, effort = $5, comment = $6, ended_at = $7
         WHERE tenant_id = current_setting('redress.tenant') AND survey_id = $1",
    )
    .bind(survey.id)
    .bind(survey.state.number())
    .bind(handling)
    .bind(outcome)
    .bind(effort)
    .bind(comment)
    .bind(survey.ended.map(jiff_sqlx::ToSqlx::to_sqlx))
    .execute(conn)
    .await?;
    if saved.rows_affected() == 1 { Ok(()) } else { Err(Fault::internal("a survey was not written")) }
}

/// Cancels the open surveys of cases, each for its reason; answers whose they were.
pub(crate) async fn cancel_surveys(
    conn: &mut PgConnection,
    cases: &[(CaseId, &'static str)],
    now: jiff::Timestamp,
) -> Result<Vec<(CaseId, i32)>, Fault> {
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(pg::sql!(
        "UPDATE survey s SET state = {cancelled}, cancel_reason = c.reason, ended_at = $3
         FROM (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::text[]) AS reason) AS c
         WHERE s.tenant_id = current_setting('redress.tenant') AND s.case_id = c.case_id AND s.state = {open}
         RETURNING s.case_id, s.cycle",
        cancelled = State::Cancelled,
        open = State::Open,
    ))
    .bind(cases.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(cases.iter().map(|(_, reason)| *reason).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(case, cycle)| (CaseId(case), cycle)).collect())
}

/// One page of surveys, newest first.
pub(crate) async fn surveys(
    conn: &mut PgConnection,
    filter: SurveyFilter,
    page: &Page,
    after: Option<Uuid>,
    now: jiff::Timestamp,
) -> Result<Vec<Survey>, Fault> {
    let (case, state) = match filter {
        SurveyFilter::All => (None, None),
        SurveyFilter::Case(case) => (Some(case.0), None),
        SurveyFilter::State(state) => (None, Some(state)),
    };
    let stored = state.map(|state| if state == State::Expired { State::Open } else { state });
    let rows: Vec<Row> = sqlx::query_as(select_surveys!(
        "AND survey_id < $1 AND ($3::uuid IS NULL OR case_id = $3) AND ($4::smallint IS NULL OR state = $4)
         AND ($5::boolean IS NULL OR (expires_at <= $6) = $5)
         ORDER BY survey_id DESC LIMIT $2"
    ))
    .bind(after.unwrap_or(Uuid::max()))
    .bind(page.limit())
    .bind(case)
    .bind(stored.map(State::number))
    .bind(
        state
            .filter(|state| matches!(state, State::Open | State::Expired))
            .map(|state| state == State::Expired),
    )
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::survey).collect()
}
