//! `redress policy …`: what is promised, and what is done as time runs out.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgGroup, Args, Subcommand};
use proto::redress::cases::v1::policy_service_client::PolicyServiceClient;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, CreatePolicyRequest, GetPolicyRequest, ListPoliciesRequest, ReopeningLimits,
};
use show::table::Table;
use show::text;

use super::connection::{Connection, Page};
use super::submit::read_text;

#[derive(Args)]
pub(crate) struct Policies {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Makes the next version, not in force yet: of a shipped pack, or of one's own
    #[command(group = ArgGroup::new("source").args(["pack", "file"]).required(true))]
    Add {
        /// Name of a shipped pack, e.g. `uk-fca-disp`
        #[arg(default_value = "")]
        pack: String,
        /// A pack of one's own, in TOML; `-` for standard input
        #[arg(long)]
        file: Option<PathBuf>,
        /// For how many days after its resolution a case may be reopened; 60 without
        #[arg(long, value_name = "DAYS", requires = "reopen_times")]
        reopen_days: Option<i32>,
        /// How often a case may be reopened in all; 3 without
        #[arg(long, value_name = "TIMES", requires = "reopen_days")]
        reopen_times: Option<i32>,
        /// Why there is this version
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Puts a version in force, and shows which due times that moves; 0 is the shipped one
    Activate {
        /// Which version
        version: i32,
        /// Changes nothing: only shows which due times would move
        #[arg(long = "dry-run")]
        dry_run: bool,
    },
    /// Shows a version; without one, that activated last; 0 is the shipped one
    #[command(visible_alias = "show")]
    Get {
        /// Which version
        version: Option<i32>,
        /// As it is for complaints received on this day, as 2026-04-14; today without
        #[arg(long, value_name = "DATE", default_value = "")]
        received: String,
    },
    /// Lists the packs that are shipped, or prints one as TOML, to be edited and added
    Packs {
        /// Name of a shipped pack, e.g. `uk-fca-disp`
        pack: Option<String>,
    },
    /// Lists versions, latest first
    List {
        #[command(flatten)]
        page: Page,
    },
}

impl Policies {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        // Asks nobody: they come with the program.
        if let Verb::Packs { pack } = self.verb {
            return packs(pack.as_deref());
        }
        let caller = self.connection.open().await?;
        let mut policies = PolicyServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Add { pack, file, reopen_days, reopen_times, note } => {
                let limits = reopen_days.zip(reopen_times);
                let pack_toml = file.map(|file| read_text(&file)).transpose()?.unwrap_or_default();
                let request = CreatePolicyRequest {
                    request_id: caller.request_id(),
                    shipped_pack: pack,
                    pack_toml,
                    rungs: Vec::new(),
                    note,
                    reopening: limits.map(|(window_days, maximum)| ReopeningLimits { window_days, maximum }),
                };
                let answer = policies.create_policy(request).await?.into_inner();
                show::answer(caller.json, &answer.policy.unwrap_or_default(), text::policy)
            }
            Verb::Activate { version, dry_run } => {
                let request = ActivatePolicyRequest {
                    request_id: caller.request_id(),
                    version,
                    validate_only: dry_run,
                };
                show::answer(
                    caller.json,
                    &policies.activate_policy(request).await?.into_inner(),
                    text::activated,
                )
            }
            Verb::Packs { pack } => packs(pack.as_deref()),
            Verb::Get { version, received } => {
                let request = GetPolicyRequest { version, received_date: received };
                let answer = policies.get_policy(request).await?.into_inner();
                show::answer(caller.json, &answer.policy.unwrap_or_default(), text::policy)
            }
            Verb::List { page } => {
                let request = ListPoliciesRequest { page_size: page.limit, page_token: page.page };
                show::answer(
                    caller.json,
                    &policies.list_policies(request).await?.into_inner(),
                    text::policies,
                )
            }
        }
    }
}

/// The shipped packs, or the latest version of one as TOML.
fn packs(name: Option<&str>) -> anyhow::Result<()> {
    if let Some(name) = name {
        let pack = calendar::versions(name).next();
        let pack = pack.with_context(|| format!("no pack {name:?} is shipped; `policy packs` lists them"))?;
        return Ok(show::say(&toml::to_string(pack)?)?);
    }
    let mut table = Table::new(["pack", "for complaints received", "what it is"]);
    for pack in calendar::packs() {
        let from = pack.effective_from;
        let until = pack.effective_until.map_or_else(String::new, |until| format!(" until {until}"));
        let unverified = if pack.unverified { " (unverified)" } else { "" };
        table.row([pack.name.clone(), format!("from {from}{until}"), format!("{}{unverified}", pack.title)]);
    }
    Ok(show::say(table.render().trim_end())?)
}
