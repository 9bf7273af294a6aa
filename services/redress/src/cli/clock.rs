//! `redress clock …`: by when what is owed, why then, and more time.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    ApproveExtensionRequest, ClockKind, ExplainDeadlineRequest, ListClocksRequest, ListExtensionsRequest,
    PauseClocksRequest, PauseReason, RefuseExtensionRequest, RequestExtensionRequest, ResumeClocksRequest,
    SendHoldingReplyRequest,
};
use show::{text, words};

use super::connection::{Connection, Expect};

#[derive(Args)]
pub(crate) struct Clocks {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists the clocks of a case
    List {
        /// Id of the case
        case: String,
    },
    /// Lays out why a clock is due when it is, interval by interval
    Explain {
        /// Id of the case
        case: String,
        /// Which promise, e.g. `decide`
        #[arg(value_parser = words::read::<ClockKind>)]
        kind: ClockKind,
    },
    /// Lets clocks of a case stand still
    Pause {
        /// Id of the case
        case: String,
        /// For which reason: `awaiting-complainant`, `appraisal`, `proceedings`, `force-majeure`
        #[arg(long, value_parser = words::read::<PauseReason>)]
        reason: PauseReason,
        #[command(flatten)]
        which: Which,
    },
    /// Lets paused clocks of a case run on
    Resume {
        /// Id of the case
        case: String,
        #[command(flatten)]
        which: Which,
    },
    /// Asks for more time
    Extend {
        /// Id of the case
        case: String,
        /// Which promise, e.g. `decide`
        #[arg(value_parser = words::read::<ClockKind>)]
        kind: ClockKind,
        /// How much more, in the unit of its budget
        amount: i32,
        /// Why, in words the complainant may read
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Tells the complainant that there is no answer yet, and when there is news
    Hold {
        /// Id of the case
        case: String,
        #[command(flatten)]
        reply: Reply,
    },
    /// Grants more time that somebody else asked for
    Approve {
        /// Id of the extension
        extension: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Refuses more time that was asked for
    Refuse {
        /// Id of the extension
        extension: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Lists the extensions of a case that were asked for
    Extensions {
        /// Id of the case
        case: String,
    },
}

#[derive(Args)]
struct Reply {
    /// What the complainant reads
    #[arg(long)]
    text: String,
    /// Why it takes longer, in words the complainant reads
    #[arg(long)]
    reason: String,
    /// When they hear again, e.g. `2026-12-01T09:00:00Z`
    #[arg(long, value_parser = crate::cli::moment::read)]
    next: Option<Timestamp>,
    /// How much more time to answer it gives where the policy allows that, in the unit of
    /// the budget; as much as may be without
    #[arg(long)]
    extend_by: Option<i32>,
    /// The cause for which more time is lawful, where the policy names some
    #[arg(long, default_value = "")]
    cause: String,
    #[command(flatten)]
    expect: Expect,
}

impl Reply {
    fn request(self, request_id: String, case_id: String) -> SendHoldingReplyRequest {
        let Self { text, reason, next, extend_by, cause, expect } = self;
        SendHoldingReplyRequest {
            request_id,
            case_id,
            expected_version: expect.version,
            text,
            reason,
            next_update_time: next.map(proto::timestamp),
            extend_by,
            cause,
        }
    }
}

#[derive(Args)]
struct Which {
    /// Only this clock, e.g. `decide`; can be repeated
    #[arg(long = "kind", value_parser = words::read::<ClockKind>)]
    kinds: Vec<ClockKind>,
    /// What happened, for the record
    #[arg(long)]
    remark: String,
    #[command(flatten)]
    expect: Expect,
}

impl Which {
    fn pause(self, request_id: String, case_id: String, reason: PauseReason) -> PauseClocksRequest {
        PauseClocksRequest {
            request_id,
            case_id,
            expected_version: self.expect.version,
            kinds: self.kinds.into_iter().map(i32::from).collect(),
            reason: reason.into(),
            remark: self.remark,
        }
    }

    fn resume(self, request_id: String, case_id: String) -> ResumeClocksRequest {
        ResumeClocksRequest {
            request_id,
            case_id,
            expected_version: self.expect.version,
            kinds: self.kinds.into_iter().map(i32::from).collect(),
            remark: self.remark,
        }
    }
}

impl Clocks {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut clocks = ClockServiceClient::new(caller.client.calls());
        let request_id = caller.request_id();
        match self.verb {
            Verb::List { case } => {
                let answer = clocks.list_clocks(ListClocksRequest { case_id: case }).await?.into_inner();
                show::answer(caller.json, &answer, |answer| text::clocks(&answer.clocks))
            }
            Verb::Explain { case, kind } => {
                let request = ExplainDeadlineRequest { case_id: case, kind: kind.into() };
                show::answer(
                    caller.json,
                    &clocks.explain_deadline(request).await?.into_inner(),
                    text::explained,
                )
            }
            Verb::Pause { case, reason, which } => {
                let answer = clocks.pause_clocks(which.pause(request_id, case, reason)).await?.into_inner();
                show::answer(caller.json, &answer, |answer| text::clocks(&answer.clocks))
            }
            Verb::Resume { case, which } => {
                let answer = clocks.resume_clocks(which.resume(request_id, case)).await?.into_inner();
                show::answer(caller.json, &answer, |answer| text::clocks(&answer.clocks))
            }
            Verb::Extend { case, kind, amount, reason, expect } => {
                let request = RequestExtensionRequest {
                    request_id,
                    case_id: case,
                    expected_version: expect.version,
                    kind: kind.into(),
                    amount,
                    reason,
                };
                let answer = clocks.request_extension(request).await?.into_inner();
                show::answer(caller.json, &answer.extension.unwrap_or_default(), text::extension)
            }
            Verb::Hold { case, reply } => {
                let answer = clocks.send_holding_reply(reply.request(request_id, case)).await?.into_inner();
                show::answer(caller.json, &answer, |answer| text::clocks(&answer.clocks))
            }
            Verb::Approve { extension, expect } => {
                let expected_version = expect.version;
                let request =
                    ApproveExtensionRequest { request_id, extension_id: extension, expected_version };
                let answer = clocks.approve_extension(request).await?.into_inner();
                show::answer(caller.json, &answer.extension.unwrap_or_default(), text::extension)
            }
            Verb::Refuse { extension, reason } => {
                let request = RefuseExtensionRequest { request_id, extension_id: extension, reason };
                let answer = clocks.refuse_extension(request).await?.into_inner();
                show::answer(caller.json, &answer.extension.unwrap_or_default(), text::extension)
            }
            Verb::Extensions { case } => {
                let request = ListExtensionsRequest { case_id: case };
                show::answer(
                    caller.json,
                    &clocks.list_extensions(request).await?.into_inner(),
                    text::extensions,
                )
            }
        }
    }
}
