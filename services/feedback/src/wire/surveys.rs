//! Surveys: what is asked, answered and listed.

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::{INVALID_REQUEST, score};
use crate::response::{MAX_COMMENT, Satisfaction};
use crate::revision::{MAX_NOTE, Revision};
use crate::survey::SurveyFilter;
use crate::survey::{
    MAX_LOW_SCORE, MAX_QUESTION, MAX_SEND_AFTER_HOURS, MAX_VALID_FOR_HOURS, MAX_WORDINGS, Questionnaire,
    Reply, State, Survey, Wording,
};

/// Reason of a version that is none.
const INVALID_VERSION: &str = "INVALID_VERSION";
/// Most characters of a language tag.
const MAX_LANGUAGE: usize = 35;

/// A number within bounds.
pub(super) fn within(
    check: &mut Check,
    field: &str,
    number: i32,
    bounds: std::ops::RangeInclusive<i32>,
) -> i32 {
    if !bounds.contains(&number) {
        check.fail(field, format!("must be {} to {}", bounds.start(), bounds.end()));
    }
    number
}

/// A questionnaire somebody wants, and why.
pub(crate) fn created(request: wire::CreateQuestionnaireRequest) -> Result<(Questionnaire, String), Fault> {
    let wire::CreateQuestionnaireRequest { request_id, questionnaire } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(questionnaire.is_some(), "questionnaire", "is required");
    let Some(questionnaire) = questionnaire else {
        check.done("INVALID_QUESTIONNAIRE")?;
        return Err(Fault::internal("a questionnaire is missing"));
    };
    let wire::Questionnaire {
        wordings,
        send_after_hours,
        remind_after_hours,
        valid_for_hours,
        low_score,
        note,
        version: _,
        create_time: _,
        creator: _,
        activate_time: _,
        activator: _,
    } = questionnaire;
    let wordings = check.some("questionnaire.wordings", wordings, MAX_WORDINGS);
    let wordings: Vec<Wording> = wordings
        .into_iter()
        .enumerate()
        .map(|(place, wording)| read_wording(&mut check, place, wording))
        .collect();
    let same = |one: &Wording, other: &Wording| one.language.eq_ignore_ascii_case(&other.language);
    let twice = wordings
        .iter()
        .enumerate()
        .any(|(place, one)| wordings[..place].iter().any(|other| same(one, other)));
    check.ensure(!twice, "questionnaire.wordings", "must name each language once");
    let mut hours =
        |field: &str, number: i32, most: i32, least: i32| within(&mut check, field, number, least..=most);
    let send_after_hours = hours("questionnaire.send_after_hours", send_after_hours, MAX_SEND_AFTER_HOURS, 0);
    let valid_for_hours = hours("questionnaire.valid_for_hours", valid_for_hours, MAX_VALID_FOR_HOURS, 1);
    let latest = valid_for_hours.saturating_sub(1).clamp(0, MAX_VALID_FOR_HOURS);
    let remind_after_hours = hours("questionnaire.remind_after_hours", remind_after_hours, latest, 0);
    let low_score = within(&mut check, "questionnaire.low_score", low_score, 0..=MAX_LOW_SCORE.into());
    let note = check.text("questionnaire.note", note, MAX_NOTE);
    check.done("INVALID_QUESTIONNAIRE")?;
    let low_score = i16::try_from(low_score).map_err(Fault::internal)?;
    let asked = Questionnaire { wordings, send_after_hours, remind_after_hours, valid_for_hours, low_score };
    Ok((asked, note))
}

fn read_wording(check: &mut Check, place: usize, wording: wire::SurveyWording) -> Wording {
    let wire::SurveyWording { language, handling, outcome, effort, comment } = wording;
    let at = |field: &str| format!("questionnaire.wordings[{place}].{field}");
    let is_tag = |tag: &str| tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    check.ensure(is_tag(&language), &at("language"), "is not a BCP 47 tag");
    let language = check.required(&at("language"), language, MAX_LANGUAGE);
    let mut question = |field: &str, text: String| check.required(&at(field), text, MAX_QUESTION);
    Wording {
        language,
        handling: question("handling", handling),
        outcome: question("outcome", outcome),
        effort: question("effort", effort),
        comment: question("comment", comment),
    }
}

pub(crate) fn activated(request: wire::ActivateQuestionnaireRequest) -> Result<i64, Fault> {
    let wire::ActivateQuestionnaireRequest { request_id, version } = request;
    put_in_force(request_id, version)
}

/// The version that is put in force.
pub(crate) fn put_in_force(request_id: String, version: i64) -> Result<i64, Fault> {
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(version >= 0, "version", "must not be negative");
    check.done(INVALID_VERSION)?;
    Ok(version)
}

pub(crate) fn version_of(version: Option<i64>) -> Result<Option<i64>, Fault> {
    let mut check = Check::new();
    check.ensure(version.is_none_or(|version| version >= 0), "version", "must not be negative");
    check.done(INVALID_VERSION)?;
    Ok(version)
}

pub(crate) fn questionnaire(revision: Revision<Questionnaire>) -> wire::Questionnaire {
    let Revision { version, content, note, created, activated } = revision;
    let Questionnaire { wordings, send_after_hours, remind_after_hours, valid_for_hours, low_score } =
        content;
    let (create_time, creator) = created.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    let (activate_time, activator) =
        activated.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    wire::Questionnaire {
        version,
        wordings: wordings.into_iter().map(wording).collect(),
        send_after_hours,
        remind_after_hours,
        valid_for_hours,
        low_score: low_score.into(),
        note,
        create_time,
        creator,
        activate_time,
        activator,
    }
}

fn wording(wording: Wording) -> wire::SurveyWording {
    let Wording { language, handling, outcome, effort, comment } = wording;
    wire::SurveyWording { language, handling, outcome, effort, comment }
}

/// What the holder of a code is asked.
pub(crate) fn survey_questions(
    subject: String,
    asked: Wording,
    expires: Timestamp,
) -> wire::GetSurveyResponse {
    let (wording, expire_time) = (Some(wording(asked)), Some(timestamp(expires)));
    wire::GetSurveyResponse { subject, wording, expire_time }
}

/// What the holder of a code answers: code, end user and answer.
pub(crate) fn submitted(request: wire::SubmitSurveyRequest) -> Result<(String, String, Reply), Fault> {
    let wire::SubmitSurveyRequest { request_id, survey_code, answer, end_user } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(!survey_code.trim().is_empty(), "survey_code", "is required");
    let wire::SurveyAnswer { handling, outcome, effort, comment } = answer.unwrap_or_default();
    let reply = Reply {
        satisfaction: Satisfaction {
            handling: score(&mut check, "answer.handling", handling),
            outcome: score(&mut check, "answer.outcome", outcome),
        },
        effort: score(&mut check, "answer.effort", effort),
        comment: check.text("answer.comment", comment, MAX_COMMENT),
    };
    check.ensure(!check.is_clean() || !reply.is_empty(), "answer", "must answer something");
    check.done("INVALID_SURVEY")?;
    Ok((survey_code, end_user, reply))
}

/// Which surveys to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct SurveyListQuery {
    pub(crate) filter: SurveyFilter,
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

pub(crate) fn surveys_of(request: wire::ListSurveysRequest) -> Result<SurveyListQuery, Fault> {
    let wire::ListSurveysRequest { page_size, page_token, case_id, state } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("case={case_id} state={state}"));
    let case_id = check.optional_id("case_id", &case_id);
    let by_state = State::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of a survey");
    check.ensure(case_id.is_none() || state == 0, "state", "cannot be combined with case_id");
    let after = page.after.as_deref().and_then(|key| check.optional_id("page_token", key));
    check.done(INVALID_REQUEST)?;
    let filter = match (case_id, by_state) {
        (Some(case_id), _) => SurveyFilter::Case(case_id),
        (None, Some(state)) => SurveyFilter::State(state),
        (None, None) => SurveyFilter::All,
    };
    Ok(SurveyListQuery { filter, page, after })
}

pub(crate) fn survey(survey: Survey, now: Timestamp) -> wire::Survey {
    let state = survey.state_at(now);
    let answer = (state == State::Answered).then(|| answer(&survey.reply));
    let Survey {
        id,
        case_id,
        cycle,
        questionnaire,
        language,
        state: _,
        cancel_reason,
        reply: _,
        created,
        expires,
        ended,
    } = survey;
    wire::Survey {
        survey_id: id.to_string(),
        case_id: case_id.to_string(),
        cycle,
        state: state.number().into(),
        questionnaire_version: questionnaire,
        language,
        create_time: Some(timestamp(created)),
        expire_time: Some(timestamp(expires)),
        end_time: ended.map(timestamp),
        cancel_reason,
        answer,
    }
}

fn answer(reply: &Reply) -> wire::SurveyAnswer {
    let Reply { satisfaction: Satisfaction { handling, outcome }, effort, comment } = reply;
    wire::SurveyAnswer {
        handling: (*handling).into(),
        outcome: (*outcome).into(),
        effort: (*effort).into(),
        comment: comment.clone(),
    }
}

pub(crate) fn answered(survey: &Survey, low: bool) -> wire::SurveyAnswered {
    wire::SurveyAnswered {
        case_id: survey.case_id.to_string(),
        cycle: survey.cycle,
        survey_id: survey.id.to_string(),
        questionnaire_version: survey.questionnaire,
        answer: Some(answer(&survey.reply)),
        low,
    }
}
