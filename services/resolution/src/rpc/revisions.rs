//! Plans revised: asked for, approved or rejected, listed.

use std::collections::HashSet;
use std::slice;
use std::sync::Arc;

use fault::Fault;
use kernel::{Caller, Role, person};
use pg::{Db, Tx};
use proto::redress::resolution::v1::revision_service_server::RevisionService;
use proto::redress::resolution::v1::{
    ApprovePlanRevisionRequest, ApprovePlanRevisionResponse, ListPlanRevisionsRequest,
    ListPlanRevisionsResponse, RejectPlanRevisionRequest, RejectPlanRevisionResponse, RevisePlanRequest,
    RevisePlanResponse,
};
use tonic::{Request, Response, Status};

use super::plans::{self, HEAVY, delegated, refused};
use crate::approval::policy::ApprovalPolicy;
use crate::approval::{Approval, ApprovalEvaluation, Facts, Outcome};
use crate::flow::approval_policies::ApprovalPolicies;
use crate::flow::progress;
use crate::flow::remedy_types::TypesInUse;
use crate::plan::revision::{Draft, Reviser, Revision, RevisionState};
use crate::plan::{Plan, PlanState};
use crate::refusal::Refusal;
use crate::task::Task;
use crate::wire::revisions::{RevisionRequest, RevisionTarget};
use crate::{store, wire};

/// The rpcs over one schema.
pub(crate) struct PlanRevisions {
    db: Db,
    policies: Arc<ApprovalPolicies>,
    types: Arc<TypesInUse>,
}

impl PlanRevisions {
    pub(crate) fn new(db: Db, policies: Arc<ApprovalPolicies>, types: Arc<TypesInUse>) -> Self {
        Self { db, policies, types }
    }
}

#[tonic::async_trait]
impl RevisionService for PlanRevisions {
    async fn revise_plan(
        &self,
        request: Request<RevisePlanRequest>,
    ) -> Result<Response<RevisePlanResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let asked = wire::revisions::revision(request)?;
        let (policies, types) = (Arc::clone(&self.policies), Arc::clone(&self.types));
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let (plan, revision) = revise(&mut tx, (&policies, &types), &caller, asked).await?;
                let revision = Some(wire::revisions::shown(&plan, &revision));
                Ok((tx, RevisePlanResponse { plan: Some(wire::plans::plan(&plan)), revision }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn approve_plan_revision(
        &self,
        request: Request<ApprovePlanRevisionRequest>,
    ) -> Result<Response<ApprovePlanRevisionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let asked = wire::revisions::approval(request)?;
        let policies = Arc::clone(&self.policies);
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let (plan, revision) = approve(&mut tx, &policies, &caller, asked).await?;
                let revision = Some(wire::revisions::shown(&plan, &revision));
                Ok((tx, ApprovePlanRevisionResponse { plan: Some(wire::plans::plan(&plan)), revision }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn reject_plan_revision(
        &self,
        request: Request<RejectPlanRevisionRequest>,
    ) -> Result<Response<RejectPlanRevisionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, reason) = wire::revisions::rejection(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let mut plan = plans::lock(&mut tx, target.plan, &caller).await?;
                let mut revision = named(&mut tx, &plan, target).await?;
                plan.reject_revision(&mut revision, (&caller.subject, reason), tx.now())?;
                store::revisions::keep(&mut tx, &revision).await?;
                tx.emit(plan.case_id.0, &wire::outbound::revision_rejected(&plan, &revision));
                // What was held back by the revision goes on: it may be the plan's end.
                progress::carry_on(&mut tx, slice::from_mut(&mut plan), &[]).await?;
                let revision = Some(wire::revisions::shown(&plan, &revision));
                Ok((tx, RejectPlanRevisionResponse { plan: Some(wire::plans::plan(&plan)), revision }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn list_plan_revisions(
        &self,
        request: Request<ListPlanRevisionsRequest>,
    ) -> Result<Response<ListPlanRevisionsResponse>, Status> {
        let caller = server::caller(&request)?;
        let (plan_id, page, below) = wire::revisions::listing(request.into_inner())?;
        let limit = page.limit();
        let (plan, found) = self
            .db
            .transact("resolution.list_plan_revisions", &caller.tenant, async move |mut tx| {
                let plan = store::plans::get(&mut tx, plan_id).await?.ok_or(Refusal::PlanNotFound)?;
                let found = store::revisions::list(&mut tx, plan_id, below, limit).await?;
                Ok((tx, (plan, found)))
            })
            .await?;
        let shown = found.iter().map(|one| (one.number.to_string(), wire::revisions::shown(&plan, one)));
        let (revisions, next_page_token) = server::page(&page, shown);
        Ok(Response::new(ListPlanRevisionsResponse { revisions, next_page_token }))
    }
}

/// The case first, then the plan and its tasks, as whoever ends the case locks them.
async fn revise(
    tx: &mut Tx,
    (policies, types): (&ApprovalPolicies, &TypesInUse),
    caller: &Caller,
    asked: RevisionRequest,
) -> Result<(Plan, Revision), Fault> {
    let RevisionRequest { target, steps, reason } = asked;
    let policy = policies.active(tx, &caller.tenant).await?;
    let mut plan = lock_with_case(tx, target, caller, &policy).await?;
    plan.may_be_revised()?;
    let types =
        types.of_steps(tx, &caller.tenant, steps.iter().filter(|step| plan.kept(step).is_none())).await?;
    let departments: Vec<&str> = steps.iter().map(|step| step.department_id.as_str()).collect();
    let departments: Vec<&str> = departments.into_iter().chain(types.departments()).collect();
    let departments: HashSet<String> = store::departments::known(tx, &departments).await?;
    let is_heavy = types.is_heavy_for_inputs(steps.iter().map(|step| &step.remedy));
    let steps = server::aside(is_heavy, || wire::revisions::taken(&plan, steps, &departments, &types))?;
    let draft = plan.draft(&steps);
    let mut tasks = open_tasks(tx, &plan).await?;
    if !plan.is_changed_by(&draft) && !plan.has_stuck(&tasks) {
        return Err(Refusal::NothingToRevise.into());
    }
    let reviser = Reviser {
        subject: caller.subject.to_string(),
        roles: caller.roles.held().iter().map(|role| role.name().to_owned()).collect(),
        may_cancel: caller.roles.may_act_as(Role::Supervisor),
        reason,
    };
    let evaluation = evaluate(tx, &policy, &plan.as_revised(&draft, &reviser)).await?;
    let before = progress::versions(&tasks);
    let revision = revised(tx, &mut plan, (draft, reviser), evaluation, &mut tasks).await?;
    go_on(tx, &mut plan, &revision, progress::changed(&before, tasks)).await?;
    Ok((plan, revision))
}

/// Revises a plan as it was judged, and stores that; how far it goes is stored next.
async fn revised(
    tx: &mut Tx,
    plan: &mut Plan,
    (draft, reviser): (Draft, Reviser),
    (facts, evaluation): (Facts, ApprovalEvaluation),
    tasks: &mut [Task],
) -> Result<Revision, Fault> {
    let (known, now, ruling) = (plan.steps.len(), tx.now(), evaluation.ruling);
    let revision = plan
        .revise(draft, reviser, ruling.clone(), (tasks, now))
        .map_err(|refusal| refused(refusal, &ruling))?;
    store::plans::revise(tx, plan, known).await?;
    let of = (plan.case_id, tx.new_id());
    store::approval_policies::keep_revised(tx, &revision, of, (&facts, &ruling)).await?;
    Ok(revision)
}

async fn approve(
    tx: &mut Tx,
    policies: &ApprovalPolicies,
    caller: &Caller,
    (target, on_behalf_of): (RevisionTarget, String),
) -> Result<(Plan, Revision), Fault> {
    let policy = policies.active(tx, &caller.tenant).await?;
    let mut plan = plans::lock(tx, target.plan, caller).await?;
    if !policy.is_shipped() {
        store::approvals::hold_complainants(tx, &[plan.case_id.0]).await?;
    }
    let mut revision = named(tx, &plan, target).await?;
    let now = tx.now();
    let approval = Approval { approver: caller.subject.to_string(), on_behalf_of, approved_at: now };
    may_use(tx, &plan, &approval).await?;
    let revised = plan.as_revised_by(&revision);
    let (_, evaluation) = evaluate(tx, &policy, &revised).await?;
    let limit = policy.limit_of(approval.authority(), &evaluation);
    let ruling = evaluation.ruling;
    let mut tasks = open_tasks(tx, &plan).await?;
    let before = progress::versions(&tasks);
    let given = (approval, &limit, ruling.clone());
    plan.approve_revision(&mut revision, given, &revised, &mut tasks)
        .map_err(|refusal| refused(refusal, &ruling))?;
    let known = plan.steps.len();
    store::plans::revise(tx, &plan, known).await?;
    go_on(tx, &mut plan, &revision, progress::changed(&before, tasks)).await?;
    Ok((plan, revision))
}

/// Refuses an approval with an authority that is not delegated, or is of whom the case is about.
async fn may_use(tx: &mut Tx, plan: &Plan, approval: &Approval) -> Result<(), Fault> {
    let Approval { approver, on_behalf_of, approved_at: now } = approval;
    if on_behalf_of.is_empty() {
        return Ok(());
    }
    if let Some(case) = store::cases::read(tx, &[plan.case_id.0]).await?.pop() {
        case.not_about_person(on_behalf_of)?;
    }
    let given = delegated(tx, vec![person::folded(on_behalf_of)], *now).await?;
    let lets = given.iter().any(|given| given.lets(approver, on_behalf_of, *now));
    if lets { Ok(()) } else { Err(Refusal::NoDelegation.into()) }
}

/// The plan a caller means and may revise, locked, and its case before it; where a tenant has a
/// policy of its own, those linked to it by an order and its complainants are held, as they are
/// when a plan is proposed.
async fn lock_with_case(
    tx: &mut Tx,
    target: wire::plans::PlanTarget,
    caller: &Caller,
    policy: &ApprovalPolicy,
) -> Result<Plan, Fault> {
    let case_id = store::plans::get(tx, target.plan_id).await?.ok_or(Refusal::PlanNotFound)?.case_id;
    let mut cases = vec![case_id.0];
    if !policy.is_shipped() {
        cases.extend(store::approvals::same_order(tx, &[case_id.0]).await?);
    }
    let cases = store::cases::lock(tx, &cases).await?;
    let case = cases.into_iter().find(|case| case.case_id == case_id).ok_or(Refusal::CaseNotFound)?;
    case.must_be_worked_by(caller)?;
    let plan = plans::lock(tx, target, caller).await?;
    case.must_want_a_plan()?;
    if !policy.is_shipped() {
        store::approvals::hold_complainants(tx, &[case_id.0]).await?;
    }
    Ok(plan)
}

/// How a policy judges a plan as it would be: beside its own sums, which it has instead of
/// those it has now.
async fn evaluate(
    tx: &mut Tx,
    policy: &ApprovalPolicy,
    revised: &Plan,
) -> Result<(Facts, ApprovalEvaluation), Fault> {
    let (case, plan, now) = ([revised.case_id.0], [revised.plan_id.0], tx.now());
    let grounds = store::approvals::grounds_beside(tx, &case, &plan, now).await?;
    let facts = revised.facts().against(grounds.get(revised.case_id));
    let evaluation = server::aside(policy.weight() > HEAVY, || policy.evaluate(&facts));
    Ok((facts, evaluation))
}

/// The revision that is meant.
async fn named(tx: &mut Tx, plan: &Plan, target: RevisionTarget) -> Result<Revision, Fault> {
    let found = store::revisions::get(tx, plan.plan_id, target.number).await?;
    Ok(found.ok_or(Refusal::RevisionNotFound)?)
}

/// The tasks of a plan, which is locked, that have not ended; locked.
async fn open_tasks(tx: &mut Tx, plan: &Plan) -> Result<Vec<Task>, Fault> {
    if plan.state == PlanState::Proposed {
        return Ok(Vec::new());
    }
    store::tasks::lock_open(tx, &[(plan.case_id, plan.plan_id)]).await
}

/// A plan is revised, or waits to be: it goes on, and that is told.
async fn go_on(tx: &mut Tx, plan: &mut Plan, revision: &Revision, changed: Vec<Task>) -> Result<(), Fault> {
    store::revisions::keep(tx, revision).await?;
    let is_applied = revision.state == RevisionState::Applied;
    match revision.state {
        RevisionState::Applied => tx.emit(plan.case_id.0, &wire::outbound::plan_revised(plan, revision)),
        RevisionState::Pending if revision.approvals.is_empty() => {
            tx.emit(plan.case_id.0, &wire::outbound::revision_proposed(plan, revision));
        }
        RevisionState::Pending | RevisionState::Rejected | RevisionState::Lapsed => {}
    }
    let by_rule = revision.ruling.outcome == Outcome::Automatic;
    if is_applied && by_rule && plan.state == PlanState::Proposed {
        plan.approve_automatically(tx.now())?;
        tx.emit(plan.case_id.0, &wire::outbound::plan_approved(plan));
    }
    if is_applied {
        store::approvals::keep(tx, slice::from_ref(plan)).await?;
    }
    progress::carry_on(tx, slice::from_mut(plan), &changed).await?;
    progress::tell_holders(tx, &changed).await
}
