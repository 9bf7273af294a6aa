//! `redress notices …`: by which means notices go, and what comes back of them.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use proto::redress::feedback::v1::notice_routing_service_client::NoticeRoutingServiceClient;
use proto::redress::feedback::v1::{
    ActivateNoticeRoutingRequest, CreateNoticeRoutingRequest, GetNoticeRoutingRequest, NoticeRouting,
    ReportBounceRequest,
};
use show::{json, text};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::cli::connection::{Caller, Connection};
use crate::cli::refused;
use crate::cli::submit::read_text;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// By which means notices go: e-mail, text message, webhook
    Routing {
        #[command(subcommand)]
        verb: Routing,
    },
    /// Takes in what a mail server sent back about the mail of a notice (RFC 3464)
    Bounce(Bounce),
}

#[derive(Args)]
pub(super) struct Bounce {
    /// The message as it was received; standard input without
    #[arg(default_value = "-")]
    file: PathBuf,
    /// The address it was received at, where the mail server says so
    #[arg(long, default_value = "")]
    recipient: String,
    /// For mail servers that hand messages to a program: what is refused is told and done with
    /// (0), so that nobody is answered; what fails otherwise is to be tried again (75)
    #[arg(long)]
    mail_server: bool,
}

#[derive(Subcommand)]
pub(super) enum Routing {
    /// Shows the routing in force, or that of a version; 0 is the shipped one
    Get {
        /// Which version
        #[arg(long)]
        version: Option<i64>,
    },
    /// Makes the next version of the routing, not in force yet
    Set {
        /// The routing as JSON, as `get --json` shows one
        file: PathBuf,
    },
    /// Puts a version in force; 0 is the shipped one
    Activate {
        /// Which version
        version: i64,
    },
}

/// That a mail server is to try again, as it expects to be told (`sysexits.h`).
const TRY_AGAIN: u8 = 75;

impl Bounce {
    pub(super) async fn run(self, connection: Connection) -> anyhow::Result<ExitCode> {
        let for_mail_server = self.mail_server;
        match self.report(connection).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error) if for_mail_server => {
                eprint!("{}", show::escaped(&refused::explain(&error)));
                Ok(if is_refused(&error) { ExitCode::SUCCESS } else { ExitCode::from(TRY_AGAIN) })
            }
            Err(error) => Err(error),
        }
    }

    async fn report(self, connection: Connection) -> anyhow::Result<()> {
        let Self { file, recipient, mail_server: _ } = self;
        let message = read_bytes(&file)?;
        let caller = connection.open().await?;
        let request = ReportBounceRequest { request_id: caller.request_id(), message, recipient };
        let answer = caller.feedback().report_bounce(request).await?.into_inner();
        show::answer(caller.json, &answer, text::bounce)
    }
}

/// Whether the message itself was refused: another attempt would not mend that.
fn is_refused(error: &anyhow::Error) -> bool {
    let status = error.chain().find_map(|cause| cause.downcast_ref::<Status>());
    status.is_some_and(|status| {
        matches!(status.code(), Code::InvalidArgument | Code::NotFound)
            || status.get_error_details().error_info().is_some_and(|info| info.reason == "BOUNCE_FORGED")
    })
}

fn read_bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || {
        if file == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(file)
        }
    };
    read().with_context(|| format!("{}", file.display()))
}

impl Routing {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let mut routings = NoticeRoutingServiceClient::new(caller.client.calls());
        let request_id = caller.request_id();
        let routing = match self {
            Self::Get { version } => {
                let request = GetNoticeRoutingRequest { version };
                routings.get_notice_routing(request).await?.into_inner().notice_routing
            }
            Self::Set { file } => {
                let wanted: NoticeRouting =
                    json::read(&read_text(&file)?).with_context(|| format!("{}", file.display()))?;
                let request = CreateNoticeRoutingRequest { request_id, notice_routing: Some(wanted) };
                routings.create_notice_routing(request).await?.into_inner().notice_routing
            }
            Self::Activate { version } => {
                let request = ActivateNoticeRoutingRequest { request_id, version };
                routings.activate_notice_routing(request).await?.into_inner().notice_routing
            }
        };
        show::answer(caller.json, &routing.unwrap_or_default(), text::notice_routing)
    }
}
