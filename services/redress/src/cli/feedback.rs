//! `redress feedback …` and `redress notices`: what complainants say and are told.

use clap::{ArgGroup, Args, Subcommand};
use proto::redress::feedback::v1::{
    GetFeedbackRequest, ListNoticesRequest, NoticeState, RespondToOutcomeRequest, Response, Satisfaction,
};

use super::connection::{Connection, Page};
use crate::show::{self, text, words};

#[derive(Args)]
pub(crate) struct FeedbackArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Records the complainant's answer to an outcome
    Respond(Respond),
    /// Shows what came back for a case, cycle by cycle
    Get { case: String },
}

#[derive(Args)]
#[command(group = ArgGroup::new("response").required(true))]
struct Respond {
    case: String,
    /// It is put right: the case is closed
    #[arg(long, group = "response")]
    accept: bool,
    /// It is not put right: the case goes into its next cycle
    #[arg(long, group = "response", requires = "comment")]
    dispute: bool,
    /// The answer in words; needed with a dispute
    #[arg(long, default_value = "")]
    comment: String,
    /// Which cycle's outcome; the latest without
    #[arg(long, default_value_t = 0)]
    cycle: i32,
    /// Satisfaction with the handling, 1–5
    #[arg(long, default_value_t = 0)]
    handling: i32,
    /// Satisfaction with what came of it, 1–5
    #[arg(long, default_value_t = 0)]
    outcome: i32,
}

impl FeedbackArgs {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        match self.verb {
            Verb::Respond(respond) => {
                let request = respond.request(caller.request_id());
                let answer = caller.feedback().respond_to_outcome(request).await?.into_inner();
                show::answer(caller.json, &answer.feedback.unwrap_or_default(), text::feedback)
            }
            Verb::Get { case } => {
                let request = GetFeedbackRequest { case_id: case };
                let answer = caller.feedback().get_feedback(request).await?.into_inner();
                show::answer(caller.json, &answer, |answer| {
                    answer.cycles.iter().map(text::feedback).collect::<Vec<_>>().join("\n")
                })
            }
        }
    }
}

impl Respond {
    fn request(self, request_id: String) -> RespondToOutcomeRequest {
        let Self { case, accept, dispute: _, comment, cycle, handling, outcome } = self;
        let response = if accept { Response::Accepted } else { Response::Disputed };
        let rated = handling != 0 || outcome != 0;
        RespondToOutcomeRequest {
            request_id,
            case_id: case,
            cycle,
            response: response.into(),
            comment,
            satisfaction: rated.then_some(Satisfaction { handling, outcome }),
        }
    }
}

#[derive(Args)]
pub(crate) struct Notices {
    #[command(flatten)]
    connection: Connection,
    /// Only this case's
    #[arg(long, default_value = "", conflicts_with = "state")]
    case: String,
    /// Only those in this state: pending, delivered, undelivered
    #[arg(long, value_parser = words::read::<NoticeState>)]
    state: Option<NoticeState>,
    #[command(flatten)]
    page: Page,
}

impl Notices {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let request = ListNoticesRequest {
            page_size: self.page.limit,
            page_token: self.page.page,
            case_id: self.case,
            state: self.state.unwrap_or_default().into(),
        };
        let answer = caller.feedback().list_notices(request).await?.into_inner();
        show::answer(caller.json, &answer, text::notices)
    }
}
