//! `redress rules …`: by what cases are triaged, and why one was so.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    ActivateRuleSetRequest, CreateRuleSetRequest, ExplainTriageRequest, GetRuleSetRequest,
    ListRuleSetsRequest, ReplayRulesRequest, RetriageCaseRequest, RuleSet,
};
use show::{json, text};

use super::connection::{Caller, Connection, Expect, Page};

#[derive(Args)]
pub(crate) struct Rules {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Shows the active rule set; as JSON it can be edited and created anew
    Get {
        /// Another version; 0 is the set that is shipped
        #[arg(long)]
        version: Option<i64>,
    },
    /// Lists the rule sets, newest first
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Checks a rule set and keeps it as the next version, which is not active yet
    Create {
        /// The set as JSON, `-` for standard input
        file: PathBuf,
        /// What is new in it
        #[arg(long)]
        note: Option<String>,
    },
    /// Shows which past cases a version would have triaged otherwise
    Replay(Replay),
    /// Triages new cases by a version from now on; 0 is the set that is shipped
    Activate {
        /// Which version
        version: i64,
    },
    /// Triages a case again by the active rules
    Retriage {
        /// Id of the case
        case: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Tells how a case was triaged: by which rules, and what they looked at; and what may help with it
    Explain {
        /// Id of the case
        case: String,
    },
}

#[derive(Args)]
struct Replay {
    /// Which version
    version: i64,
    /// Only cases registered from then on, e.g. `2026-11-01T00:00:00Z`
    #[arg(long, value_parser = crate::cli::moment::read)]
    from: Option<Timestamp>,
    /// Only cases registered before then
    #[arg(long, value_parser = crate::cli::moment::read)]
    to: Option<Timestamp>,
    #[command(flatten)]
    page: Page,
}

impl Rules {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut triage = TriageServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Get { version } => {
                let answer = triage.get_rule_set(GetRuleSetRequest { version }).await?.into_inner();
                told(&caller, answer.rule_set)
            }
            Verb::List { page } => {
                let request = ListRuleSetsRequest { page_size: page.limit, page_token: page.page };
                let answer = triage.list_rule_sets(request).await?.into_inner();
                show::answer(caller.json, &answer, text::rule_sets)
            }
            Verb::Create { file, note } => {
                let read = super::submit::read_text(&file)?;
                let mut set: RuleSet = json::read(&read).with_context(|| format!("{}", file.display()))?;
                set.note = note.unwrap_or(set.note);
                let request = CreateRuleSetRequest { request_id: caller.request_id(), rule_set: Some(set) };
                told(&caller, triage.create_rule_set(request).await?.into_inner().rule_set)
            }
            Verb::Replay(replay) => {
                let answer = triage.replay_rules(replay.request()).await?.into_inner();
                show::answer(caller.json, &answer, text::replayed)
            }
            Verb::Activate { version } => {
                let request = ActivateRuleSetRequest { request_id: caller.request_id(), version };
                let answer = triage.activate_rule_set(request).await?.into_inner();
                show::answer(caller.json, &answer, |answer| {
                    format!("version {} is active, before it was {}", answer.version, answer.previous_version)
                })
            }
            Verb::Retriage { case, expect } => {
                let request = RetriageCaseRequest {
                    request_id: caller.request_id(),
                    case_id: case,
                    expected_version: expect.version,
                };
                let answer = triage.retriage_case(request).await?.into_inner();
                show::answer(caller.json, &answer.triage.unwrap_or_default(), text::triage)
            }
            Verb::Explain { case } => {
                let request = ExplainTriageRequest { case_id: case };
                let answer = triage.explain_triage(request).await?.into_inner();
                show::answer(caller.json, &answer, text::explained_triage)
            }
        }
    }
}

impl Replay {
    fn request(self) -> ReplayRulesRequest {
        let Self { version, from, to, page } = self;
        ReplayRulesRequest {
            version,
            start_time: from.map(proto::timestamp),
            end_time: to.map(proto::timestamp),
            page_size: page.limit,
            page_token: page.page,
        }
    }
}

fn told(caller: &Caller, set: Option<RuleSet>) -> anyhow::Result<()> {
    show::answer(caller.json, &set.unwrap_or_default(), text::rule_set)
}
