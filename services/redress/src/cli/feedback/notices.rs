//! `redress notices …`: by which means notices go.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use proto::redress::feedback::v1::notice_routing_service_client::NoticeRoutingServiceClient;
use proto::redress::feedback::v1::{
    ActivateNoticeRoutingRequest, CreateNoticeRoutingRequest, GetNoticeRoutingRequest, NoticeRouting,
};
use show::{json, text};

use crate::cli::connection::Caller;
use crate::cli::submit::read_text;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// By which means notices go: e-mail, text message, webhook
    Routing {
        #[command(subcommand)]
        verb: Routing,
    },
}

#[derive(Subcommand)]
pub(super) enum Routing {
    /// Shows the routing in force, or that of a version; 0 is the shipped one
    Get {
        #[arg(long)]
        version: Option<i64>,
    },
    /// Makes the next version of the routing, not in force yet
    Set {
        /// The routing as JSON, as `get --json` shows one
        file: PathBuf,
    },
    /// Puts a version in force; 0 is the shipped one
    Activate { version: i64 },
}

impl Verb {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let Self::Routing { verb } = self;
        let mut routings = NoticeRoutingServiceClient::new(caller.client.calls());
        let request_id = caller.request_id();
        let routing = match verb {
            Routing::Get { version } => {
                let request = GetNoticeRoutingRequest { version };
                routings.get_notice_routing(request).await?.into_inner().notice_routing
            }
            Routing::Set { file } => {
                let wanted: NoticeRouting =
                    json::read(&read_text(&file)?).with_context(|| format!("{}", file.display()))?;
                let request = CreateNoticeRoutingRequest { request_id, notice_routing: Some(wanted) };
                routings.create_notice_routing(request).await?.into_inner().notice_routing
            }
            Routing::Activate { version } => {
                let request = ActivateNoticeRoutingRequest { request_id, version };
                routings.activate_notice_routing(request).await?.into_inner().notice_routing
            }
        };
        show::answer(caller.json, &routing.unwrap_or_default(), text::notice_routing)
    }
}
