//! `redress callback …`: complainants who are called back, and what came of it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use proto::redress::feedback::v1::call_back_service_client::CallBackServiceClient;
use proto::redress::feedback::v1::{
    ActivateCallBackPolicyRequest, CallBackOutcome, CallBackPolicy, CallBackState, CountCallBacksRequest,
    CreateCallBackPolicyRequest, GetCallBackPolicyRequest, ListCallBacksRequest,
    RecordCallBackAttemptRequest, RequestCallBackRequest,
};

use super::connection::{Connection, Page};
use show::{self, json, text, words};

#[derive(Args)]
pub(crate) struct CallBacks {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists call-backs; of those due the first due first
    List {
        /// Only this case's
        #[arg(long, default_value = "", conflicts_with = "state")]
        case: String,
        /// Only those in this state: due, done, cancelled
        #[arg(long, value_parser = words::read::<CallBackState>)]
        state: Option<CallBackState>,
        #[command(flatten)]
        page: Page,
    },
    /// Records an attempt to call
    Record(Record),
    /// Has a complainant called who asks for it
    Request(Wanted),
    /// Counts what became owed within a time, and the share reached
    Count {
        /// From when on, e.g. `2026-11-01T00:00:00+08:00`
        #[arg(long, value_parser = crate::cli::moment::read)]
        from: Timestamp,
        /// Until when, exclusive
        #[arg(long, value_parser = crate::cli::moment::read)]
        until: Timestamp,
    },
    /// Shows the policy in force, or that of a version; 0 is the shipped one
    Policy {
        /// Which version
        #[arg(long)]
        version: Option<i64>,
    },
    /// Makes the next version of the policy, not in force yet
    Add {
        /// The policy as JSON, as `policy --json` shows one
        file: PathBuf,
    },
    /// Puts a version of the policy in force; 0 is the shipped one
    Activate {
        /// Which version
        version: i64,
    },
}

#[derive(Args)]
struct Record {
    /// Id of the call-back
    call_back: String,
    /// What came of it
    #[arg(value_enum)]
    result: CallResult,
    /// What was said; needed of one who is not satisfied
    #[arg(long, default_value = "", required_if_eq("result", "dissatisfied"))]
    note: String,
}

#[derive(Args)]
struct Wanted {
    /// Id of the case
    case: String,
    /// From when on they want to be called, e.g. `2026-12-01T14:00:00+08:00`
    #[arg(long, requires = "until", value_parser = crate::cli::moment::read)]
    from: Option<Timestamp>,
    /// Until when
    #[arg(long, requires = "from", value_parser = crate::cli::moment::read)]
    until: Option<Timestamp>,
    /// The number to call; without it, the one that is known
    #[arg(long, default_value = "")]
    phone: String,
    /// What they want to talk about
    #[arg(long, default_value = "")]
    note: String,
}

impl Wanted {
    fn request(self, request_id: String) -> RequestCallBackRequest {
        let Self { case: case_id, from, until, phone, note } = self;
        let (prefer_start_time, prefer_end_time) = (from.map(proto::timestamp), until.map(proto::timestamp));
        RequestCallBackRequest { request_id, case_id, prefer_start_time, prefer_end_time, phone, note }
    }
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CallResult {
    /// They were spoken to; nothing was asked: of those who only wanted to be called
    Reached,
    /// They were spoken to and are satisfied
    Satisfied,
    /// They were spoken to and are not: what they said disputes the outcome
    Dissatisfied,
    /// Nobody answered, or somebody else
    NotReached,
    /// They did not want to talk
    Refused,
}

impl Record {
    fn request(self, request_id: String) -> RecordCallBackAttemptRequest {
        let Self { call_back: call_back_id, result, note } = self;
        let (outcome, satisfied) = match result {
            CallResult::Reached => (CallBackOutcome::Reached, None),
            CallResult::Satisfied => (CallBackOutcome::Reached, Some(true)),
            CallResult::Dissatisfied => (CallBackOutcome::Reached, Some(false)),
            CallResult::NotReached => (CallBackOutcome::NotReached, None),
            CallResult::Refused => (CallBackOutcome::Refused, None),
        };
        RecordCallBackAttemptRequest { request_id, call_back_id, outcome: outcome.into(), satisfied, note }
    }
}

impl CallBacks {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut call_backs = CallBackServiceClient::new(caller.client.calls());
        let policy = match self.verb {
            Verb::List { case: case_id, state, page } => {
                let state = state.unwrap_or_default().into();
                let request =
                    ListCallBacksRequest { page_size: page.limit, page_token: page.page, case_id, state };
                let answer = call_backs.list_call_backs(request).await?.into_inner();
                return show::answer(caller.json, &answer, text::call_backs);
            }
            Verb::Record(record) => {
                let request = record.request(caller.request_id());
                let answer = call_backs.record_call_back_attempt(request).await?.into_inner();
                return show::answer(caller.json, &answer.call_back.unwrap_or_default(), text::call_back);
            }
            Verb::Request(wanted) => {
                let request = wanted.request(caller.request_id());
                let answer = call_backs.request_call_back(request).await?.into_inner();
                return show::answer(caller.json, &answer.call_back.unwrap_or_default(), text::call_back);
            }
            Verb::Count { from, until } => {
                let (start_time, end_time) = (Some(proto::timestamp(from)), Some(proto::timestamp(until)));
                let request = CountCallBacksRequest { start_time, end_time };
                let answer = call_backs.count_call_backs(request).await?.into_inner();
                return show::answer(caller.json, &answer, text::call_back_count);
            }
            Verb::Policy { version } => {
                let request = GetCallBackPolicyRequest { version };
                call_backs.get_call_back_policy(request).await?.into_inner().policy
            }
            Verb::Add { file } => {
                let read = super::submit::read_text(&file)?;
                let policy: CallBackPolicy =
                    json::read(&read).with_context(|| format!("{}", file.display()))?;
                let request =
                    CreateCallBackPolicyRequest { request_id: caller.request_id(), policy: Some(policy) };
                call_backs.create_call_back_policy(request).await?.into_inner().policy
            }
            Verb::Activate { version } => {
                let request = ActivateCallBackPolicyRequest { request_id: caller.request_id(), version };
                call_backs.activate_call_back_policy(request).await?.into_inner().policy
            }
        };
        show::answer(caller.json, &policy.unwrap_or_default(), text::call_back_policy)
    }
}
