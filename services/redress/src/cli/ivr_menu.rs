//! `redress ivr-menu …`: what the keys of the telephone system mean.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgGroup, Args, Subcommand};
use proto::redress::intake::v1::ivr_menu_service_client::IvrMenuServiceClient;
use proto::redress::intake::v1::{
    ActivateIvrMenuRequest, CreateIvrMenuRequest, GetIvrMenuRequest, IvrMenu, ListIvrMenusRequest,
    TryIvrMenuRequest,
};
use show::{json, text};

use super::connection::{Connection, Page};
use super::submit::read_text;

#[derive(Args)]
pub(crate) struct IvrMenus {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Keeps a menu as the next version, not in force yet
    Create {
        /// The menu as JSON, as `get --json` shows one; `-` for standard input
        file: PathBuf,
    },
    /// Tells what keys come to by a version, those that are named or those of the latest calls
    Try(Try),
    /// Puts a version in force; 0 puts none
    Activate {
        /// Which version
        version: i64,
        /// The version that is in force now, 0 for none: another is refused
        #[arg(long)]
        expected: Option<i64>,
    },
    /// Shows the menu in force, or a version
    Get {
        /// Which version
        #[arg(default_value_t = 0)]
        version: i64,
    },
    /// Lists the versions, newest first
    List {
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("tried").args(["keys", "latest"]).required(true).multiple(true))]
struct Try {
    /// Keys as they are pressed, e.g. `1.3.2`
    keys: Vec<String>,
    /// The version; without it, the one in force
    #[arg(long, default_value_t = 0)]
    version: i64,
    /// How many of the phone complaints registered last are looked at
    #[arg(long, default_value_t = 0)]
    latest: i32,
    /// Language of the labels, e.g. `zh-CN`
    #[arg(long, default_value = "")]
    language: String,
}

impl IvrMenus {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut menus = IvrMenuServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Create { file } => {
                let menu: IvrMenu =
                    json::read(&read_text(&file)?).with_context(|| format!("{}", file.display()))?;
                let request = CreateIvrMenuRequest { request_id: caller.request_id(), menu: Some(menu) };
                let answer = menus.create_ivr_menu(request).await?.into_inner();
                show::answer(caller.json, &answer.menu.unwrap_or_default(), text::ivr_menu)
            }
            Verb::Try(Try { keys, version, latest, language }) => {
                let request = TryIvrMenuRequest { version, keys, latest, language };
                show::answer(caller.json, &menus.try_ivr_menu(request).await?.into_inner(), text::ivr_trial)
            }
            Verb::Activate { version, expected } => {
                let request = ActivateIvrMenuRequest {
                    request_id: caller.request_id(),
                    version,
                    expected_version: expected,
                };
                let answer = menus.activate_ivr_menu(request).await?.into_inner();
                show::answer(caller.json, &answer, |answer| match (answer.version, answer.previous_version) {
                    (0, previous) => format!("no menu is in force now; version {previous} was before\n"),
                    (version, 0) => format!("version {version} is in force now\n"),
                    (version, previous) => {
                        format!("version {version} is in force now; version {previous} was before\n")
                    }
                })
            }
            Verb::Get { version } => {
                let answer = menus.get_ivr_menu(GetIvrMenuRequest { version }).await?.into_inner();
                show::answer(caller.json, &answer.menu.unwrap_or_default(), text::ivr_menu)
            }
            Verb::List { page } => {
                let request = ListIvrMenusRequest { page_size: page.limit, page_token: page.page };
                show::answer(caller.json, &menus.list_ivr_menus(request).await?.into_inner(), text::ivr_menus)
            }
        }
    }
}
