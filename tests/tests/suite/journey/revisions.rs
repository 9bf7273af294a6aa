//! A plan is revised while it is carried out: the money stays paid, other goods go out.

use proto::redress::cases::v1::{CaseState, Outcome, TimelineKind as Kind};
use proto::redress::feedback::v1::{RespondToOutcomeRequest, Response};
use proto::redress::resolution::v1::revision_service_client::RevisionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRevisionRequest, ListPlanRevisionsRequest, Plan, PlanRevision, PlanRevisionState, PlanState,
    RejectPlanRevisionRequest, RevisePlanRequest, TaskState,
};
use testkit::request_id;
use tests::life::{exchange, refund};
use tonic::Code;

use super::scene::{BOSS, Scene, approved_sum, broken_cups, refused};
use crate::twice::Twice;

fn revisions(scene: &Scene, subject: &str) -> RevisionServiceClient<Twice> {
    RevisionServiceClient::new(scene.line(subject))
}

/// There are no more cups of the kind that was to be exchanged: others are sent instead.
pub(crate) async fn other_cups(scene: &Scene) {
    let case_id = scene.submit(broken_cups()).await.complaint_id;
    let agent = scene.accept(&case_id).await;
    scene.decide(&agent, &case_id, Outcome::Upheld, true).await;
    let plan = scene.propose(&agent, &case_id).await;
    scene.approve(BOSS, &plan).await.unwrap();
    let paid = scene.poll("finance").await;
    scene.complete(&paid, Some(approved_sum())).await.unwrap();

    let first = revise(scene, &agent, &plan, "CUP-9").await;
    let own = RejectPlanRevisionRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        number: first.number,
        expected_version: None,
        reason: "those are dearer".to_owned(),
    };
    revisions(scene, BOSS).reject_plan_revision(own).await.unwrap();
    let second = revise(scene, &agent, &plan, "CUP-7").await;
    let request = ApprovePlanRevisionRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        number: second.number,
        ..ApprovePlanRevisionRequest::default()
    };
    let alone = revisions(scene, &agent).approve_plan_revision(request.clone()).await;
    refused(alone, Code::PermissionDenied, "APPROVER_IS_PROPOSER");
    let answer = revisions(scene, BOSS).approve_plan_revision(request).await.unwrap().into_inner();
    assert_eq!(answer.revision.unwrap().state(), PlanRevisionState::Applied);
    scene.settled().await;

    let sent = scene.poll("warehouse").await;
    assert_eq!(sent.task.as_ref().unwrap().goods.as_ref().unwrap().sku, "CUP-7");
    scene.complete(&sent, None).await.unwrap();
    ended(scene, &case_id, &plan).await;
}

/// Who handles the case revises its plan, which waits for approval.
async fn revise(scene: &Scene, agent: &str, plan: &Plan, sku: &str) -> PlanRevision {
    let request = RevisePlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        expected_version: None,
        steps: vec![refund(approved_sum()), exchange(sku, &["refund"])],
        reason: "CUP-6 is sold out".to_owned(),
    };
    let answer = revisions(scene, agent).revise_plan(request).await.unwrap().into_inner();
    scene.settled().await;
    let revision = answer.revision.unwrap();
    assert_eq!((revision.state(), revision.changes.len()), (PlanRevisionState::Pending, 1));
    revision
}

/// The money was paid once, one exchange was made, and it is all on record.
async fn ended(scene: &Scene, case_id: &str, plan: &Plan) {
    assert_eq!(scene.plan(&plan.plan_id).await.state(), PlanState::Completed);
    let tasks = scene.tasks(case_id).await;
    let states: Vec<_> = tasks.iter().map(|task| (task.step_id.as_str(), task.state())).collect();
    let expected = [
        ("refund", TaskState::Completed),
        ("exchange", TaskState::Cancelled),
        ("exchange-r2", TaskState::Completed),
    ];
    assert_eq!(states, expected);
    let request =
        ListPlanRevisionsRequest { plan_id: plan.plan_id.clone(), ..ListPlanRevisionsRequest::default() };
    let listed =
        revisions(scene, "reader").list_plan_revisions(request).await.unwrap().into_inner().revisions;
    let states: Vec<_> = listed.iter().map(|one| (one.number, one.state())).collect();
    assert_eq!(states, [(2, PlanRevisionState::Applied), (1, PlanRevisionState::Rejected)]);
    let told = scene.timeline(case_id).await;
    let told: Vec<&str> = told
        .iter()
        .filter(|entry| entry.kind() == Kind::PlanRevised)
        .map(|entry| entry.text.as_str())
        .collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(
        told[3],
        "the remedy plan was revised (exchange of 1 × CUP-7 in place of exchange of 1 × CUP-6), approved by boss: CUP-6 is sold out"
    );
    let request = RespondToOutcomeRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        cycle: 1,
        response: Response::Accepted.into(),
        ..RespondToOutcomeRequest::default()
    };
    scene.feedback().respond_to_outcome(request).await.unwrap();
    scene.settled().await;
    assert_eq!(scene.case(case_id).await.state(), CaseState::Closed);
}
