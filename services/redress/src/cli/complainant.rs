//! `redress complainant …`: what somebody who has the receipt code of a complaint says as
//! its complainant.

use clap::{ArgGroup, Args, Subcommand};
use proto::redress::cases::v1::WithdrawComplaintRequest;
use proto::redress::feedback::v1::{RespondToOutcomeRequest, Response, Satisfaction};
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{AddInformationRequest, InformationSource};
use show::text;

use super::attachment::attached;
use super::connection::{Caller, Connection};

#[derive(Args)]
pub(crate) struct Complainants {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
    /// For whom it is said, as the channel tells its users apart
    #[arg(long, global = true, default_value = "")]
    end_user: String,
}

#[derive(Subcommand)]
enum Verb {
    /// Answers the outcome
    Respond(Respond),
    /// Adds something to the complaint
    Add {
        /// The code given at registration
        receipt_code: String,
        /// In their words
        #[arg(default_value = "", required_unless_present = "attach")]
        text: String,
        /// A file that proves it, uploaded first; may be given several times
        #[arg(long, value_name = "FILE")]
        attach: Vec<std::path::PathBuf>,
    },
    /// Withdraws the complaint; this is not taken back
    #[command(group = ArgGroup::new("which").args(["receipt_code", "case"]).required(true))]
    Withdraw {
        /// The code given at registration
        receipt_code: Option<String>,
        /// The case in place of the code: its complainant is known
        #[arg(long)]
        case: Option<String>,
        /// Why, as far as told
        #[arg(long, default_value = "")]
        reason: String,
        /// They were asked whether they mean it, and do
        #[arg(long, required = true)]
        confirmed: bool,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("response").required(true))]
struct Respond {
    /// The code given at registration
    receipt_code: String,
    /// It is put right: the case is closed
    #[arg(long, group = "response")]
    accept: bool,
    /// It is not put right: the case goes into its next cycle
    #[arg(long, group = "response", requires = "comment")]
    dispute: bool,
    /// The answer in words; needed with a dispute
    #[arg(long, default_value = "")]
    comment: String,
    /// Satisfaction with the handling, 1–5
    #[arg(long, default_value_t = 0)]
    handling: i32,
    /// Satisfaction with what came of it, 1–5
    #[arg(long, default_value_t = 0)]
    outcome: i32,
}

impl Complainants {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Self { connection, verb, end_user } = self;
        let caller = connection.open().await?;
        match verb {
            Verb::Respond(respond) => respond.run(&caller, end_user).await,
            Verb::Add { receipt_code, text: words, attach } => {
                let request_id = caller.request_id();
                let evidence = attached(&caller, &attach, &request_id).await?;
                let request = AddInformationRequest {
                    request_id,
                    receipt_code,
                    end_user,
                    source: InformationSource::Complainant.into(),
                    text: words,
                    evidence,
                    ..AddInformationRequest::default()
                };
                let mut forms = FormServiceClient::new(caller.client.calls());
                show::answer(caller.json, &forms.add_information(request).await?.into_inner(), text::added)
            }
            Verb::Withdraw { receipt_code, case, reason, confirmed } => {
                let request = WithdrawComplaintRequest {
                    request_id: caller.request_id(),
                    case_id: case.unwrap_or_default(),
                    receipt_code: receipt_code.unwrap_or_default(),
                    end_user,
                    reason,
                    confirmed,
                };
                let answer = caller.cases().withdraw_complaint(request).await?.into_inner();
                show::answer(caller.json, &answer, text::withdrawn)
            }
        }
    }
}

impl Respond {
    async fn run(self, caller: &Caller, end_user: String) -> anyhow::Result<()> {
        let Self { receipt_code, accept, dispute: _, comment, handling, outcome } = self;
        let response = if accept { Response::Accepted } else { Response::Disputed };
        let rated = handling != 0 || outcome != 0;
        let request = RespondToOutcomeRequest {
            request_id: caller.request_id(),
            receipt_code,
            end_user,
            response: response.into(),
            comment,
            satisfaction: rated.then_some(Satisfaction { handling, outcome }),
            ..RespondToOutcomeRequest::default()
        };
        let answer = caller.feedback().respond_to_outcome(request).await?.into_inner();
        show::answer(caller.json, &answer.feedback.unwrap_or_default(), text::feedback)
    }
}
