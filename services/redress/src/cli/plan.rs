//! `redress plan …`: how a case is put right.

mod revise;
pub(crate) mod step;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::{ArgGroup, Args, Subcommand};
use proto::google::r#type::Money;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, CancelPlanRequest, GetApprovalLimitsRequest, GetPlanRequest, ListPlansRequest, Plan,
    ProposePlanRequest, RejectPlanRequest, SetApprovalLimitsRequest, Step,
};
use show::{json, lines, text};

use super::connection::{Caller, Connection, Expect, Page};

#[derive(Args)]
pub(crate) struct Plans {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Proposes a plan for a decided case
    Propose(Propose),
    /// Approves a plan: its first tasks go to the departments
    Approve {
        /// Id of the plan
        plan: String,
        /// With the authority of somebody who has delegated theirs to you
        #[arg(long, default_value = "")]
        on_behalf_of: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Shows, or with --cap or --no-caps sets, the most that one approver grants in a case
    Limits {
        /// The cap of a currency, e.g. `CNY 1000`; beyond it two must approve. All caps at
        /// once: those not named are taken away
        #[arg(long = "cap", value_name = "SUM", value_parser = lines::read_money)]
        caps: Vec<Money>,
        /// Takes all caps away
        #[arg(long, conflicts_with = "caps")]
        no_caps: bool,
        #[command(flatten)]
        expect: Expect,
    },
    /// Rejects a plan
    Reject {
        /// Id of the plan
        plan: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Cancels a plan and has undone what was done of it
    Cancel {
        /// Id of the plan
        plan: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    #[command(flatten)]
    Revision(revise::Verb),
    /// Shows a plan
    Get {
        /// Id of the plan
        plan: String,
    },
    /// Shows a case's plans, newest first
    List {
        /// Id of the case
        case: String,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("contents").args(["steps", "file"]).required(true))]
struct Propose {
    /// Id of the case
    case: String,
    /// A step: `ID=KIND@DEPARTMENT`, and where they apply `,amount=CNY 128`,
    /// `,goods=SKU*2`, `,after=ID+ID`, `,note=WORDS`
    #[arg(long = "step", value_name = "STEP", value_parser = step::read)]
    steps: Vec<Step>,
    /// The plan as JSON, `-` for standard input, instead of steps
    #[arg(long)]
    file: Option<PathBuf>,
}

impl Plans {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let (request_id, mut resolution) = (caller.request_id(), caller.resolution());
        match self.verb {
            Verb::Propose(Propose { case, steps, file }) => {
                let steps = match file {
                    Some(file) => plan_of(&file)?.steps,
                    None => steps,
                };
                let request = ProposePlanRequest { request_id, case_id: case, steps };
                told(&caller, resolution.propose_plan(request).await?.into_inner().plan)
            }
            Verb::Approve { plan, on_behalf_of, expect } => {
                let request = ApprovePlanRequest {
                    request_id,
                    plan_id: plan,
                    expected_version: expect.version,
                    on_behalf_of,
                };
                told(&caller, resolution.approve_plan(request).await?.into_inner().plan)
            }
            Verb::Limits { caps, no_caps, expect } => {
                let limits = if caps.is_empty() && !no_caps {
                    resolution.get_approval_limits(GetApprovalLimitsRequest {}).await?.into_inner().limits
                } else {
                    let expected_version = expect.version;
                    let request = SetApprovalLimitsRequest { request_id, expected_version, case_caps: caps };
                    resolution.set_approval_limits(request).await?.into_inner().limits
                };
                show::answer(caller.json, &limits.unwrap_or_default(), text::approval_limits)
            }
            Verb::Reject { plan, reason, expect } => {
                let expected_version = expect.version;
                let request = RejectPlanRequest { request_id, plan_id: plan, expected_version, reason };
                told(&caller, resolution.reject_plan(request).await?.into_inner().plan)
            }
            Verb::Cancel { plan, reason, expect } => {
                let expected_version = expect.version;
                let request = CancelPlanRequest { request_id, plan_id: plan, expected_version, reason };
                told(&caller, resolution.cancel_plan(request).await?.into_inner().plan)
            }
            Verb::Revision(verb) => verb.run(&caller).await,
            Verb::Get { plan } => {
                told(&caller, resolution.get_plan(GetPlanRequest { plan_id: plan }).await?.into_inner().plan)
            }
            Verb::List { case, page } => {
                let request =
                    ListPlansRequest { case_id: case, page_size: page.limit, page_token: page.page };
                show::answer(caller.json, &resolution.list_plans(request).await?.into_inner(), text::plans)
            }
        }
    }
}

fn told(caller: &Caller, plan: Option<Plan>) -> anyhow::Result<()> {
    show::answer(caller.json, &plan.unwrap_or_default(), text::plan)
}

/// A plan in a file, with steps; of the rest nothing is ours to say.
fn plan_of(file: &Path) -> anyhow::Result<Plan> {
    let name = || format!("{}", file.display());
    let text = super::submit::read_text(file)?;
    let plan: Plan = json::read(&text).with_context(name)?;
    ensure!(!plan.steps.is_empty(), "{}: a plan needs steps", name());
    Ok(plan)
}
