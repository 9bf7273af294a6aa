//! `redress plan revise …`: what is left of a plan goes on, the rest is stopped or undone.

use std::path::PathBuf;

use anyhow::ensure;
use clap::{ArgGroup, Args, Subcommand};
use proto::redress::resolution::v1::{
    ApprovePlanRevisionRequest, GetPlanRequest, ListPlanRevisionsRequest, PlanRevision,
    RejectPlanRevisionRequest, RevisePlanRequest, Step,
};
use show::text;

use super::step;
use crate::cli::connection::{Caller, Expect, Page};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Revises a plan: steps that read as before go on, others are undone or begin
    Revise(Revise),
    /// Approves a revision that waits
    ApproveRevision {
        /// Id of the plan
        plan: String,
        /// Which of the plan's revisions
        number: i32,
        /// With the authority of somebody who has delegated theirs to you
        #[arg(long, default_value = "")]
        on_behalf_of: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Rejects a revision that waits: the plan stays as it was
    RejectRevision {
        /// Id of the plan
        plan: String,
        /// Which of the plan's revisions
        number: i32,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Shows a plan's revisions, newest first
    Revisions {
        /// Id of the plan
        plan: String,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("changes").args(["steps", "dropped", "file"]).multiple(true).required(true))]
pub(super) struct Revise {
    /// Id of the plan
    plan: String,
    /// A step that is put in, or in place of the one of its name; see `plan propose`
    #[arg(long = "step", value_name = "STEP", value_parser = step::read)]
    steps: Vec<Step>,
    /// A step that is taken out
    #[arg(long = "drop", value_name = "ID")]
    dropped: Vec<String>,
    /// The plan as it shall be as JSON, `-` for standard input: as `plan get --json` has it,
    /// edited
    #[arg(long, conflicts_with_all = ["steps", "dropped"])]
    file: Option<PathBuf>,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    expect: Expect,
}

impl Verb {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let (request_id, mut revisions) = (caller.request_id(), caller.revisions());
        match self {
            Self::Revise(revise) => {
                let request = revise.request(caller).await?;
                told(caller, revisions.revise_plan(request).await?.into_inner().revision)
            }
            Self::ApproveRevision { plan, number, on_behalf_of, expect } => {
                let request = ApprovePlanRevisionRequest {
                    request_id,
                    plan_id: plan,
                    number,
                    expected_version: expect.version,
                    on_behalf_of,
                };
                told(caller, revisions.approve_plan_revision(request).await?.into_inner().revision)
            }
            Self::RejectRevision { plan, number, reason, expect } => {
                let expected_version = expect.version;
                let request =
                    RejectPlanRevisionRequest { request_id, plan_id: plan, number, expected_version, reason };
                told(caller, revisions.reject_plan_revision(request).await?.into_inner().revision)
            }
            Self::Revisions { plan, page } => {
                let (page_size, page_token) = (page.limit, page.page);
                let request = ListPlanRevisionsRequest { plan_id: plan, page_size, page_token };
                let listed = revisions.list_plan_revisions(request).await?.into_inner();
                show::answer(caller.json, &listed, text::plan_revisions)
            }
        }
    }
}

fn told(caller: &Caller, revision: Option<PlanRevision>) -> anyhow::Result<()> {
    show::answer(caller.json, &revision.unwrap_or_default(), text::plan_revision)
}

impl Revise {
    /// The plan as it shall be, over the version that was read: nobody overwrites what they
    /// have not seen.
    async fn request(self, caller: &Caller) -> anyhow::Result<RevisePlanRequest> {
        let Self { plan: plan_id, steps, dropped, file, reason, expect } = self;
        let plan = if let Some(file) = file {
            super::plan_of(&file)?
        } else {
            let request = GetPlanRequest { plan_id: plan_id.clone() };
            let read = caller.resolution().get_plan(request).await?.into_inner();
            let mut plan = read.plan.unwrap_or_default();
            change(&mut plan.steps, steps, &dropped)?;
            plan
        };
        // What a file does not say was not read there.
        let read = Some(plan.version).filter(|version| *version > 0);
        let (request_id, expected_version) = (caller.request_id(), expect.version.or(read));
        Ok(RevisePlanRequest { request_id, plan_id, expected_version, steps: plan.steps, reason })
    }
}

/// Takes steps out, and puts others in, in the place of those of their names.
fn change(steps: &mut Vec<Step>, put_in: Vec<Step>, dropped: &[String]) -> anyhow::Result<()> {
    for id in dropped {
        ensure!(steps.iter().any(|step| step.step_id == *id), "the plan has no step {id}");
        steps.retain(|step| step.step_id != *id);
    }
    for step in steps.iter_mut() {
        step.depends_on.retain(|needed| !dropped.contains(needed));
    }
    for step in put_in {
        match steps.iter_mut().find(|known| known.step_id == step.step_id) {
            Some(known) => *known = step,
            None => steps.push(step),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken_out_replaced_and_put_in() {
        let read = |text: &str| step::read(text).unwrap();
        let mut steps = vec![
            read("money=refund@finance,amount=CNY 5"),
            read("swap=exchange@warehouse,goods=A,after=money+sorry"),
            read("sorry=apology@care"),
        ];
        let less = read("money=refund@finance,amount=CNY 3");
        let new = read("fix=repair@quality");
        change(&mut steps, vec![less.clone(), new.clone()], &["sorry".to_owned()]).unwrap();
        assert_eq!(steps, [less, read("swap=exchange@warehouse,goods=A,after=money"), new]);
        let unknown = change(&mut steps, Vec::new(), &["nothing".to_owned()]).unwrap_err();
        assert_eq!(unknown.to_string(), "the plan has no step nothing");
    }
}
