//! `redress plan …`: how a case is put right.

mod step;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use proto::redress::resolution::v1::{
    ApprovePlanRequest, CancelPlanRequest, GetPlanRequest, ListPlansRequest, Plan, ProposePlanRequest,
    RejectPlanRequest, Step,
};

use super::connection::{Caller, Connection, Expect, Page};
use crate::show::{self, json, text};

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
        plan: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Rejects a plan
    Reject {
        plan: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Cancels a plan and has undone what was done of it
    Cancel {
        plan: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Shows a plan
    Get { plan: String },
    /// Shows a case's plans, newest first
    List {
        case: String,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
struct Propose {
    case: String,
    /// A step: `ID=KIND@DEPARTMENT`, and where they apply `,amount=CNY 128`,
    /// `,goods=SKU*2`, `,after=ID+ID`, `,note=WORDS`
    #[arg(long = "step", value_name = "STEP", value_parser = step::read, required_unless_present = "file")]
    steps: Vec<Step>,
    /// The plan as JSON, `-` for standard input, instead of steps
    #[arg(long, conflicts_with = "steps")]
    file: Option<PathBuf>,
}

impl Plans {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let (request_id, mut resolution) = (caller.request_id(), caller.resolution());
        match self.verb {
            Verb::Propose(Propose { case, steps, file }) => {
                let steps = match file {
                    Some(file) => steps_of(&file)?,
                    None => steps,
                };
                let request = ProposePlanRequest { request_id, case_id: case, steps };
                told(&caller, resolution.propose_plan(request).await?.into_inner().plan)
            }
            Verb::Approve { plan, expect } => {
                let request =
                    ApprovePlanRequest { request_id, plan_id: plan, expected_version: expect.version };
                told(&caller, resolution.approve_plan(request).await?.into_inner().plan)
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

/// The steps of a plan in a file; whatever else the plan says is not ours to say.
fn steps_of(file: &Path) -> anyhow::Result<Vec<Step>> {
    let name = || format!("{}", file.display());
    let text = super::submit::read_text(file)?;
    let plan: Plan = json::read(&text).with_context(name)?;
    ensure!(!plan.steps.is_empty(), "{}: a plan needs steps", name());
    Ok(plan.steps)
}
