//! `redress survey …`: what complainants are asked once they were told an outcome.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgGroup, Args, Subcommand};
use proto::redress::feedback::v1::survey_service_client::SurveyServiceClient;
use proto::redress::feedback::v1::{
    ActivateQuestionnaireRequest, CreateQuestionnaireRequest, GetQuestionnaireRequest, GetSurveyRequest,
    ListSurveysRequest, Questionnaire, SubmitSurveyRequest, SurveyAnswer, SurveyState,
};

use super::connection::{Connection, Page};
use show::{self, json, text, words};

#[derive(Args)]
pub(crate) struct Surveys {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists surveys and what was answered
    List {
        /// Only this case's
        #[arg(long, default_value = "", conflicts_with = "state")]
        case: String,
        /// Only those in this state: open, answered, cancelled, expired
        #[arg(long, value_parser = words::read::<SurveyState>)]
        state: Option<SurveyState>,
        #[command(flatten)]
        page: Page,
    },
    /// Shows what the holder of a code is asked
    Ask {
        /// The code of the mail
        code: String,
    },
    /// Answers for the holder of a code
    Answer(Answer),
    /// Shows the questions in force, or those of a version; 0 are the shipped ones
    Questions {
        /// Which version
        #[arg(long)]
        version: Option<i64>,
    },
    /// Makes the next version of the questions, not in force yet
    Add {
        /// The questionnaire as JSON, as `questions --json` shows one
        file: PathBuf,
    },
    /// Puts a version of the questions in force; 0 are the shipped ones
    Activate {
        /// Which version
        version: i64,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("said").required(true).multiple(true))]
struct Answer {
    /// The code of the mail
    code: String,
    /// Satisfaction with the handling, 1–5
    #[arg(long, default_value_t = 0, group = "said")]
    handling: i32,
    /// Satisfaction with what came of it, 1–5
    #[arg(long, default_value_t = 0, group = "said")]
    outcome: i32,
    /// Effort, 1 (very easy) – 5 (very hard)
    #[arg(long, default_value_t = 0, group = "said")]
    effort: i32,
    /// Anything else
    #[arg(long, default_value = "", group = "said")]
    comment: String,
}

impl Surveys {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut surveys = SurveyServiceClient::new(caller.client.calls());
        let end_user = String::new();
        let questionnaire = match self.verb {
            Verb::List { case: case_id, state, page } => {
                let state = state.unwrap_or_default().into();
                let request =
                    ListSurveysRequest { page_size: page.limit, page_token: page.page, case_id, state };
                let answer = surveys.list_surveys(request).await?.into_inner();
                return show::answer(caller.json, &answer, text::surveys);
            }
            Verb::Ask { code: survey_code } => {
                let request = GetSurveyRequest { survey_code, end_user };
                let answer = surveys.get_survey(request).await?.into_inner();
                return show::answer(caller.json, &answer, text::survey_questions);
            }
            Verb::Answer(Answer { code: survey_code, handling, outcome, effort, comment }) => {
                let answer = Some(SurveyAnswer { handling, outcome, effort, comment });
                let request =
                    SubmitSurveyRequest { request_id: caller.request_id(), survey_code, answer, end_user };
                let answer = surveys.submit_survey(request).await?.into_inner();
                return show::answer(caller.json, &answer, text::survey_answered);
            }
            Verb::Questions { version } => {
                let request = GetQuestionnaireRequest { version };
                surveys.get_questionnaire(request).await?.into_inner().questionnaire
            }
            Verb::Add { file } => {
                let questionnaire: Questionnaire = json::read(&super::submit::read_text(&file)?)
                    .with_context(|| format!("{}", file.display()))?;
                let request = CreateQuestionnaireRequest {
                    request_id: caller.request_id(),
                    questionnaire: Some(questionnaire),
                };
                surveys.create_questionnaire(request).await?.into_inner().questionnaire
            }
            Verb::Activate { version } => {
                let request = ActivateQuestionnaireRequest { request_id: caller.request_id(), version };
                surveys.activate_questionnaire(request).await?.into_inner().questionnaire
            }
        };
        show::answer(caller.json, &questionnaire.unwrap_or_default(), text::questionnaire)
    }
}
