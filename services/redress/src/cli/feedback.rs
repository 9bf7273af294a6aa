//! `redress feedback …` and `redress notices`: what complainants say and are told.

mod notices;

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use proto::redress::feedback::v1::{
    CorrectContactRequest, GetContactRequest, GetFeedbackRequest, ListNoticesRequest, NoticeMeans,
    NoticeState, RecordNoticeRequest, ResendNoticeRequest, RespondToOutcomeRequest, Response, Satisfaction,
};
use show::{text, words};

use super::connection::{Caller, Connection, Expect, Page};

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
    Get {
        /// Id of the case
        case: String,
    },
    /// Records that a complainant was told of a notice by other means than e-mail
    Told(Told),
    /// Sends a notice again, to the address that is now known
    Resend {
        /// Id of the notice
        notice: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Shows whom the notices of a case go to, and what was corrected
    Contact {
        /// Id of the case
        case: String,
    },
    /// Corrects whom the notices of a case go to
    Correct(Correct),
}

#[derive(Args)]
struct Told {
    /// Id of the notice
    notice: String,
    /// By which means: letter, telephone, in-person, message
    #[arg(long, value_parser = words::read::<NoticeMeans>)]
    by: NoticeMeans,
    /// When they were told, e.g. `2026-12-01T09:00:00+08:00`
    #[arg(long, value_parser = crate::cli::moment::read)]
    time: Timestamp,
    /// What proves it: number of the posting, of the recording
    #[arg(long)]
    evidence: String,
}

#[derive(Args)]
struct Correct {
    /// Id of the case
    case: String,
    /// The right e-mail address; without one a person tells them
    #[arg(long, default_value = "")]
    email: String,
    /// The right telephone number for text messages; empty where there is none
    #[arg(long)]
    phone: Option<String>,
    /// The right name
    #[arg(long)]
    name: Option<String>,
    /// The language to write in, e.g. `zh-CN`
    #[arg(long)]
    language: Option<String>,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    expect: Expect,
}

#[derive(Args)]
#[command(group = ArgGroup::new("response").required(true))]
struct Respond {
    /// Id of the case
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
            Verb::Told(told) => told.record(&caller).await,
            Verb::Resend { notice: notice_id, reason } => {
                let request = ResendNoticeRequest { request_id: caller.request_id(), notice_id, reason };
                let answer = caller.feedback().resend_notice(request).await?.into_inner();
                show::answer(caller.json, &answer.notice.unwrap_or_default(), text::notice)
            }
            Verb::Contact { case: case_id } => {
                let answer = caller.feedback().get_contact(GetContactRequest { case_id }).await?.into_inner();
                show::answer(caller.json, &answer.contact.unwrap_or_default(), text::contact)
            }
            Verb::Correct(correct) => correct.correct(&caller).await,
        }
    }
}

impl Told {
    async fn record(self, caller: &Caller) -> anyhow::Result<()> {
        let Self { notice: notice_id, by, time, evidence } = self;
        let request = RecordNoticeRequest {
            request_id: caller.request_id(),
            notice_id,
            means: by.into(),
            tell_time: Some(proto::timestamp(time)),
            evidence,
        };
        let answer = caller.feedback().record_notice(request).await?.into_inner();
        show::answer(caller.json, &answer.notice.unwrap_or_default(), text::notice)
    }
}

impl Correct {
    async fn correct(self, caller: &Caller) -> anyhow::Result<()> {
        let Self { case: case_id, email, phone, name, language, reason, expect } = self;
        let request = CorrectContactRequest {
            request_id: caller.request_id(),
            case_id,
            expected_version: expect.version,
            email,
            display_name: name,
            language,
            reason,
            phone,
        };
        let answer = caller.feedback().correct_contact(request).await?.into_inner();
        show::answer(caller.json, &answer.contact.unwrap_or_default(), text::contact)
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
            ..RespondToOutcomeRequest::default()
        }
    }
}

#[derive(Args)]
pub(crate) struct Notices {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Option<notices::Verb>,
    /// Only this case's
    #[arg(long, default_value = "", conflicts_with = "state")]
    case: String,
    /// Only those in this state: pending, delivered, undelivered
    #[arg(long, value_parser = words::read::<NoticeState>)]
    state: Option<NoticeState>,
    /// Only those that wait for a person: undelivered, though somebody can be told
    #[arg(long, conflicts_with_all = ["case", "state"])]
    needs_person: bool,
    #[command(flatten)]
    page: Page,
}

impl Notices {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Some(notices::Verb::Bounce(bounce)) => return bounce.run(self.connection).await,
            Some(notices::Verb::Routing { verb }) => verb.run(&self.connection.open().await?).await?,
            None => self.list().await?,
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn list(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let request = ListNoticesRequest {
            page_size: self.page.limit,
            page_token: self.page.page,
            case_id: self.case,
            state: self.state.unwrap_or_default().into(),
            needs_person: self.needs_person,
        };
        let answer = caller.feedback().list_notices(request).await?.into_inner();
        show::answer(caller.json, &answer, text::notices)
    }
}
