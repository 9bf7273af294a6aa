//! Plans revised while they are carried out: what is kept goes on, what is taken out is
//! stopped or undone, what is put in waits for what it replaces.

use proto::redress::resolution::v1::revision_service_client::RevisionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRevisionRequest, HeartbeatRequest, Lease, LedgerMovement, ListPlanRevisionsRequest, Plan,
    PlanCompleted, PlanRevised, PlanRevision, PlanRevisionProposed, PlanRevisionRejected, PlanRevisionState,
    PlanState, RejectPlanRevisionRequest, RevisePlanRequest, RevisePlanResponse, Step, StepChangeKind,
    StepState, TaskState,
};
use testkit::{CallerChannel, request_id};
use tonic::Status;

use crate::ledger::{moved, unbalanced};
use crate::world::{
    LEASE, World, apology, completion, exchange, failure, refund, settlement, step_id, task_id,
    unknown_outcome, yuan,
};

pub(crate) type Revisions = RevisionServiceClient<CallerChannel>;

pub(crate) fn revised(plan: &Plan, steps: Vec<Step>) -> RevisePlanRequest {
    RevisePlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        expected_version: None,
        steps,
        reason: "there are no more cups".to_owned(),
    }
}

pub(crate) fn approval(plan: &Plan, number: i32) -> ApprovePlanRevisionRequest {
    ApprovePlanRevisionRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        number,
        ..ApprovePlanRevisionRequest::default()
    }
}

pub(crate) fn rejection(plan: &Plan, number: i32) -> RejectPlanRevisionRequest {
    RejectPlanRevisionRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        number,
        expected_version: None,
        reason: "the cups have come".to_owned(),
    }
}

impl World {
    pub(crate) fn revisions(&self, subject: &str) -> Revisions {
        self.revisions_as(subject, &["supervisor"])
    }

    pub(crate) fn revisions_as(&self, subject: &str, roles: &[&str]) -> Revisions {
        Revisions::new(self.house.channel_as("development", subject, roles))
    }

    /// A supervisor, who neither proposed the plan nor approved it, revises it.
    pub(crate) async fn revise(&self, plan: &Plan, steps: Vec<Step>) -> Result<(Plan, PlanRevision), Status> {
        let answer = self.revisions("planner").revise_plan(revised(plan, steps)).await?;
        let RevisePlanResponse { plan, revision } = answer.into_inner();
        Ok((plan.unwrap(), revision.unwrap()))
    }

    pub(crate) async fn approve_revision(&self, by: &str, plan: &Plan, number: i32) -> Result<Plan, Status> {
        let answer = self.revisions(by).approve_plan_revision(approval(plan, number)).await?;
        Ok(answer.into_inner().plan.unwrap())
    }

    /// Revises a plan, and has that approved by who approved the plan.
    pub(crate) async fn revise_approved(&self, plan: &Plan, steps: Vec<Step>) -> Plan {
        let (_, revision) = self.revise(plan, steps).await.unwrap();
        self.approve_revision("approver", plan, revision.number).await.unwrap()
    }

    pub(crate) async fn listed(&self, plan: &Plan) -> Vec<PlanRevision> {
        let request =
            ListPlanRevisionsRequest { plan_id: plan.plan_id.clone(), ..ListPlanRevisionsRequest::default() };
        let answer = self.revisions_as("auditor", &["reader"]).list_plan_revisions(request).await.unwrap();
        answer.into_inner().revisions
    }
}

pub(crate) fn refund_of(id: &str, units: i64) -> Step {
    Step { amount: Some(yuan(units)), ..refund(id) }
}

fn states(steps: &[Step]) -> Vec<(&str, StepState)> {
    steps.iter().map(|step| (step.step_id.as_str(), step.state())).collect()
}

#[tokio::test]
async fn what_is_kept_goes_on_and_what_is_changed_is_undone_before_it_is_done_anew() {
    let world = World::open().await;
    let after = Step { depends_on: vec!["b".to_owned()], ..apology("c") };
    let plan = world.approved(vec![refund("a"), exchange("b"), after.clone()]).await;
    world.complete(&world.take("finance").await).await.unwrap();
    let held = world.take("warehouse").await;

    let (waiting, revision) =
        world.revise(&plan, vec![refund_of("a", 60), exchange("b"), after]).await.unwrap();
    assert_eq!((revision.state(), revision.number), (PlanRevisionState::Pending, 1));
    let [change] = revision.changes.as_slice() else { panic!("{:?}", revision.changes) };
    let (before, then) = (change.before.clone().unwrap(), change.after.clone().unwrap());
    assert_eq!(change.kind(), StepChangeKind::Replaced);
    assert_eq!((before.step_id.as_str(), then.step_id.as_str(), then.replaces.as_str()), ("a", "a-r1", "a"));
    assert_eq!((before.amount, then.amount), (Some(yuan(100)), Some(yuan(60))));
    assert_eq!(waiting.pending_revision, 1);
    let before = [("a", StepState::Done), ("b", StepState::Open), ("c", StepState::Waiting)];
    assert_eq!(states(&waiting.steps), before, "nothing of it holds yet");
    assert!(world.poll("finance").await.is_empty());
    assert_eq!(world.published::<PlanRevisionProposed>().await, 1);

    let going = world.approve_revision("approver", &plan, 1).await.unwrap();
    assert_eq!(
        states(&going.steps),
        [("b", StepState::Open), ("c", StepState::Waiting), ("a-r1", StepState::Waiting)]
    );
    assert_eq!(states(&going.taken_out_steps), [("a", StepState::Undoing)]);
    let told = world.house.published::<PlanRevised>("resolution").await.pop().unwrap();
    assert_eq!(told.changes, "refund of CNY 60.00 in place of refund of CNY 100.00");
    assert_eq!(told.summary, "exchange of 1 × A-17, apology, refund of CNY 60.00");
    assert_eq!((told.reviser.as_str(), told.approver.as_str()), ("planner", "approver"));
    world.complete(&held).await.expect("its holder is heard: it is the same task");
    world.complete(&world.take("service").await).await.unwrap();
    let undo = world.take("finance").await;
    assert!(undo.task.as_ref().unwrap().compensation);
    world.complete(&undo).await.unwrap();
    let anew = world.take("finance").await;
    assert_eq!((step_id(&anew), anew.task.as_ref().unwrap().amount.as_ref()), ("a-r1", Some(&yuan(60))));
    assert_eq!(world.plan(&plan).await.state(), PlanState::Executing);
    world.complete(&anew).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    assert_eq!(world.published::<PlanCompleted>().await, 1);

    let mut entries = world.entries(&plan.case_id).await;
    entries.sort_by_key(|entry| (entry.step_id.clone(), entry.movement));
    let (old, new) = entries.split_at(4);
    let as_ever = [LedgerMovement::Promised, LedgerMovement::Approved, LedgerMovement::Executed];
    let sums = |units: i64| as_ever.map(|movement| (movement, units));
    assert_eq!(moved(old), [sums(100).as_slice(), &[(LedgerMovement::Reversed, 100)]].concat());
    assert_eq!(moved(new), sums(60));
    assert_eq!(unbalanced(&mut world.schema().await).await, 0);
    world.house.done().await;
}

#[tokio::test]
async fn a_rejected_revision_leaves_the_plan_as_it_was_and_lets_it_end() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    let (_, revision) = world.revise(&plan, vec![refund("a"), refund_of("b", 7)]).await.unwrap();
    world.complete(&world.take("finance").await).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Executing, "more may be wanted");
    let rejected = crate::repeated!(
        world.revisions("approver"),
        reject_plan_revision,
        rejection(&plan, revision.number),
        |other: &mut RejectPlanRevisionRequest| { other.reason = "another".to_owned() }
    );
    let (shown, revision) = (rejected.plan.unwrap(), rejected.revision.unwrap());
    assert_eq!((shown.state(), states(&shown.steps)), (PlanState::Completed, vec![("a", StepState::Done)]));
    assert_eq!((shown.taken_out_steps.len(), shown.pending_revision), (0, 0));
    assert_eq!(revision.state(), PlanRevisionState::Rejected);
    assert_eq!(
        (revision.decider.as_str(), revision.decision_reason.as_str()),
        ("approver", "the cups have come")
    );
    assert_eq!(world.listed(&plan).await, [revision]);
    assert_eq!(world.published::<PlanRevisionRejected>().await, 1);
    let mut entries = world.entries(&plan.case_id).await;
    entries.retain(|entry| entry.step_id == "b");
    // Time stands still: those of one moment are in any order.
    entries.sort_by_key(|entry| entry.movement);
    assert_eq!(moved(&entries), [(LedgerMovement::Promised, 7), (LedgerMovement::Withdrawn, 7)]);
    world.house.done().await;
}

#[tokio::test]
async fn a_plan_that_waits_is_changed_at_once_and_approved_anew() {
    let world = World::open().await;
    let plan = world.proposed(world.decided_case().await, vec![refund("a"), apology("b")]).await;
    let answer = crate::repeated!(
        world.revisions("planner"),
        revise_plan,
        revised(&plan, vec![refund_of("a", 40)]),
        |other: &mut RevisePlanRequest| { other.reason = "another".to_owned() }
    );
    let (changed, revision) = (answer.plan.unwrap(), answer.revision.unwrap());
    assert_eq!((changed.state(), revision.state()), (PlanState::Proposed, PlanRevisionState::Applied));
    assert_eq!(states(&changed.steps), [("a-r1", StepState::Waiting)]);
    assert_eq!(states(&changed.taken_out_steps), [("a", StepState::Dropped), ("b", StepState::Dropped)]);
    assert_eq!(changed.revisers, ["planner"]);
    world.approve(&changed).await;
    world.complete(&world.take("finance").await).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    let mut entries = world.entries(&plan.case_id).await;
    entries.retain(|entry| entry.step_id == "a");
    entries.sort_by_key(|entry| entry.movement);
    assert_eq!(moved(&entries), [(LedgerMovement::Promised, 100), (LedgerMovement::Withdrawn, 100)]);
    world.house.done().await;
}

/// What becomes of a task that a worker holds while its step is taken out.
#[derive(Clone, Copy, Debug)]
enum Held {
    DoneLate,
    Stopped,
    Expired,
    UnknownDone,
    UnknownNotDone,
    HandedBack,
}

/// A department cannot do what nobody wants any more: revising the plan once more gives it up.
async fn given_up(world: &World, plan: &Plan, lease: &Lease) {
    world.client("worker").fail_task(failure(lease, "CLOSED", false)).await.unwrap();
    assert_eq!(world.task(task_id(lease)).await.state(), TaskState::NeedsAttention);
    assert!(world.poll("finance").await.is_empty(), "people look into it");
    let anew = Step { instructions: "do a".to_owned(), ..refund_of("a-r1", 50) };
    let (_, again) = world.revise(plan, vec![anew, apology("b")]).await.unwrap();
    assert_eq!((again.state(), again.changes.len()), (PlanRevisionState::Applied, 0));
}

#[tokio::test]
async fn what_is_held_while_it_is_taken_out_is_heard_and_replaced_only_then() {
    let world = World::open().await;
    for held in [
        Held::DoneLate,
        Held::Stopped,
        Held::Expired,
        Held::UnknownDone,
        Held::UnknownNotDone,
        Held::HandedBack,
    ] {
        let plan = world.approved(vec![refund("a"), apology("b")]).await;
        let lease = world.take("finance").await;
        let mut worker = world.client("worker");
        let going = world.revise_approved(&plan, vec![refund_of("a", 50), apology("b")]).await;
        assert_eq!(states(&going.taken_out_steps), [("a", StepState::Open)], "{held:?}");
        assert!(world.poll("finance").await.is_empty(), "{held:?}: it may still be paid");
        let beat = HeartbeatRequest {
            task_id: task_id(&lease).to_owned(),
            lease_token: lease.lease_token.clone(),
            ..HeartbeatRequest::default()
        };
        assert!(worker.heartbeat(beat).await.unwrap().into_inner().cancel_requested);
        let (mut undone, stopped) = (false, failure(&lease, "CANCELLED", false));
        match held {
            Held::DoneLate => {
                worker.complete_task(completion(&lease)).await.unwrap();
                undone = true;
            }
            Held::Stopped => drop(worker.fail_task(stopped).await.unwrap()),
            Held::Expired => {
                world.house.advance(LEASE);
                let again = world.take("finance").await;
                assert!(again.task.as_ref().unwrap().cancel_requested);
                worker.fail_task(failure(&again, "CANCELLED", false)).await.unwrap();
            }
            Held::UnknownDone | Held::UnknownNotDone => {
                worker.fail_task(unknown_outcome(&lease)).await.unwrap();
                assert!(world.poll("finance").await.is_empty(), "nobody knows");
                undone = matches!(held, Held::UnknownDone);
                let task = world.task(task_id(&lease)).await;
                worker.settle_task(settlement(&task, undone)).await.unwrap();
            }
            Held::HandedBack => given_up(&world, &plan, &lease).await,
        }
        let next = world.take("finance").await;
        assert_eq!(next.task.as_ref().unwrap().compensation, undone, "{held:?}");
        world.complete(&next).await.unwrap();
        if undone {
            world.complete(&world.take("finance").await).await.unwrap();
        }
        world.complete(&world.take("service").await).await.unwrap();
        let done = world.plan(&plan).await;
        let expected = if undone { StepState::Undone } else { StepState::Dropped };
        assert_eq!(
            (done.state(), done.taken_out_steps[0].state()),
            (PlanState::Completed, expected),
            "{held:?}"
        );
        assert_eq!(done.steps.iter().filter(|step| step.done).count(), 2);
    }
    assert_eq!(unbalanced(&mut world.schema().await).await, 0);
    world.house.done().await;
}

#[tokio::test]
async fn a_completion_and_a_revision_at_once_pay_once() {
    let world = World::open().await;
    for _ in 0..15 {
        let plan = world.approved(vec![refund("a"), apology("b")]).await;
        let held = world.take("finance").await;
        let (_, revision) = world.revise(&plan, vec![refund_of("a", 50), apology("b")]).await.unwrap();
        let (mut worker, mut approver) = (world.client("worker"), world.revisions("approver"));
        let (complete, approve) = (completion(&held), approval(&plan, revision.number));
        let reported = tokio::spawn(async move { worker.complete_task(complete).await });
        let applied = tokio::spawn(async move { approver.approve_plan_revision(approve).await });
        reported.await.unwrap().expect("whoever comes first, the holder is heard");
        applied.await.unwrap().unwrap();
        let undo = world.take("finance").await;
        assert!(undo.task.as_ref().unwrap().compensation, "what was paid is collected first");
        world.complete(&undo).await.unwrap();
        world.complete(&world.take("finance").await).await.unwrap();
        world.complete(&world.take("service").await).await.unwrap();
        assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    }
    assert_eq!(unbalanced(&mut world.schema().await).await, 0);
    world.house.done().await;
}

#[tokio::test]
async fn two_revisions_at_once_are_one_that_waits_and_one_that_is_refused() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    for round in 0..10 {
        let (one, two) = tokio::join!(
            world.revise(&plan, vec![refund("a"), apology("b")]),
            world.revise(&plan, vec![refund("a"), apology("c")]),
        );
        let waits: Vec<i32> = [one, two].into_iter().flatten().map(|(_, revision)| revision.number).collect();
        assert_eq!(waits, [round + 1], "one of them");
        world.revisions("approver").reject_plan_revision(rejection(&plan, round + 1)).await.unwrap();
    }
    world.house.done().await;
}
