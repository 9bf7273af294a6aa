//! Surveys, and the questions they ask.

use proto::redress::feedback::v1::{
    GetSurveyResponse, ListSurveysResponse, Questionnaire, SubmitSurveyResponse, SurveyState, SurveyWording,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// A page of surveys.
pub fn surveys(list: &ListSurveysResponse) -> String {
    if list.surveys.is_empty() {
        return none_of("surveys", &list.next_page_token);
    }
    let mut table = Table::new([
        "case",
        "cycle",
        "state",
        "handling",
        "outcome",
        "effort",
        "told",
        "until",
        "in words, or why",
    ]);
    for survey in &list.surveys {
        let answer = survey.answer.clone().unwrap_or_default();
        let score = |score: i32| if score == 0 { "–".to_owned() } else { score.to_string() };
        let why = &survey.cancel_reason;
        table.row([
            survey.case_id.clone(),
            survey.cycle.to_string(),
            word::<SurveyState>(survey.state),
            score(answer.handling),
            score(answer.outcome),
            score(answer.effort),
            time(survey.create_time.as_ref()),
            time(survey.expire_time.as_ref()),
            if why.is_empty() { answer.comment } else { why.clone() },
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What the holder of a code is asked.
pub fn survey_questions(asked: &GetSurveyResponse) -> String {
    let head = facts(&[("complaint", asked.subject.clone()), ("until", time(asked.expire_time.as_ref()))]);
    format!("{head}\n{}", asked.wording.as_ref().map(wording).unwrap_or_default())
}

/// That an answer was taken.
pub fn survey_answered(answer: &SubmitSurveyResponse) -> String {
    facts(&[("answered", time(answer.answer_time.as_ref()))])
}

/// A version of the questions.
pub fn questionnaire(asked: &Questionnaire) -> String {
    let hours = |hours: i32| format!("{hours} h");
    let head = facts(&[
        ("version", asked.version.to_string()),
        ("sent after", hours(asked.send_after_hours)),
        (
            "reminded after",
            if asked.remind_after_hours == 0 { "never".to_owned() } else { hours(asked.remind_after_hours) },
        ),
        ("valid for", hours(asked.valid_for_hours)),
        ("low score", asked.low_score.to_string()),
        ("note", asked.note.clone()),
        ("made", time(asked.create_time.as_ref())),
        ("by", asked.creator.clone()),
        ("in force since", time(asked.activate_time.as_ref())),
        ("put so by", asked.activator.clone()),
    ]);
    let questions: Vec<String> = asked.wordings.iter().map(wording).collect();
    format!("{head}\n{}", questions.join("\n"))
}

fn wording(wording: &SurveyWording) -> String {
    facts(&[
        ("language", wording.language.clone()),
        ("handling", wording.handling.clone()),
        ("outcome", wording.outcome.clone()),
        ("effort", wording.effort.clone()),
        ("comment", wording.comment.clone()),
    ])
}
