//! What can happen to a complaint, from the first call to the last entry of its
//! timeline.

use proto::redress::assignment::v1::{AssignmentState, TransferCaseRequest};
use proto::redress::cases::v1::{
    AddNoteRequest, Case, CaseState, CloseCaseRequest, DeclineCaseRequest, Outcome, Priority,
    RecordFindingsRequest, ReopenCaseRequest, TimelineEntry, TimelineKind as Kind, Visibility,
    WithdrawCaseRequest,
};
use proto::redress::feedback::v1::{
    Feedback, GetFeedbackRequest, NoticeKind, RespondToOutcomeRequest, Response, Satisfaction,
};
use proto::redress::resolution::v1::{
    CancelPlanRequest, FailTaskRequest, GetApprovalLimitsRequest, HeartbeatRequest, Lease, Plan, PlanState,
    RejectPlanRequest, RejectTaskRequest, RequeueTaskRequest, SetApprovalLimitsRequest, SettleTaskRequest,
    Task, TaskState,
};
use testkit::{request_id, violations};
use tests::complaint::yuan;
use tonic::Code;

use super::approvals;
use super::roster::SENIOR;
use super::scene::{BOSS, Scene, approved_sum, broken_cups, refused};

/// The main road: remedied, disputed, looked into by somebody senior, accepted.
pub(crate) async fn disputed_then_accepted(scene: &Scene) {
    let registered = scene.submit(broken_cups()).await;
    let case_id = registered.complaint_id;
    let watched = scene.watch(&case_id).await;
    let case = scene.case(&case_id).await;
    assert_eq!((case.state(), case.priority(), case.tier), (CaseState::Assigned, Priority::P3, 0));
    let first = investigated(scene, &case_id).await;
    scene.decide(&first, &case_id, Outcome::Upheld, true).await;
    let plan = planned(scene, &first, &case_id).await;
    capped(scene).await;
    carried_out(scene, &plan).await;
    let resolved = scene.case(&case_id).await;
    assert_eq!((resolved.state(), resolved.outcome()), (CaseState::Resolved, Outcome::Upheld));

    answer(scene, &case_id, Response::Disputed, "one of the new cups is broken, too").await;
    let case = scene.case(&case_id).await;
    assert_eq!((case.state(), case.cycle, case.tier), (CaseState::Assigned, 2, 1));
    assert_eq!(case.priority(), Priority::P2, "one level up");
    assert_ne!(case.agent_id, first, "somebody else looks at it afresh");
    handed_on(scene, &case_id).await;
    assert_eq!(scene.accept(&case_id).await, SENIOR);
    scene.decide(SENIOR, &case_id, Outcome::PartlyUpheld, false).await;
    answer(scene, &case_id, Response::Accepted, "").await;

    recorded(scene, &case_id, &first).await;
    shown(scene, &case_id, &registered.receipt_code).await;
    let seen = watched.await.unwrap().unwrap();
    followed_to_the_end(&seen, CaseState::Closed);
    let last = seen.last().unwrap();
    assert_eq!((last, last.cycle), (&scene.case(&case_id).await, 2));
}

/// Accepted, noted, looked into; answers by whom.
async fn investigated(scene: &Scene, case_id: &str) -> String {
    let agent = scene.accept(case_id).await;
    assert_eq!(scene.case(case_id).await.state(), CaseState::Investigating);
    for (text, visibility) in [
        ("the carrier has been asked", Visibility::Public),
        ("third one of this carrier", Visibility::Unspecified),
    ] {
        let request = AddNoteRequest {
            request_id: request_id(),
            case_id: case_id.to_owned(),
            text: text.to_owned(),
            visibility: visibility.into(),
        };
        scene.cases(&agent).add_note(request).await.unwrap();
    }
    let version = scene.case(case_id).await.version;
    let request = RecordFindingsRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        expected_version: Some(version),
        findings: "dropped in the depot".to_owned(),
        root_cause: "carrier".to_owned(),
    };
    let stale = RecordFindingsRequest { request_id: request_id(), ..request.clone() };
    scene.cases(&agent).record_findings(request).await.unwrap();
    refused(scene.cases(&agent).record_findings(stale).await, Code::Aborted, "VERSION_MISMATCH");
    agent
}

/// Proposed, rejected, proposed again, and approved by somebody else.
async fn planned(scene: &Scene, agent: &str, case_id: &str) -> Plan {
    let plan = scene.propose(agent, case_id).await;
    let request = RejectPlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id,
        expected_version: Some(plan.version),
        reason: "say which cups".to_owned(),
    };
    let rejected = scene.resolution(BOSS).reject_plan(request).await.unwrap().into_inner().plan.unwrap();
    assert_eq!((rejected.state(), rejected.approver.as_str()), (PlanState::Rejected, BOSS));
    scene.settled().await;

    let plan = scene.propose(agent, case_id).await;
    refused(scene.approve(agent, &plan).await, Code::PermissionDenied, "APPROVER_IS_PROPOSER");
    let approved = scene.approve(BOSS, &plan).await.unwrap();
    assert_eq!((approved.state(), approved.proposer.as_str()), (PlanState::Executing, agent));
    assert_eq!(approved.ruling.as_ref().unwrap().rule, approvals::RULE);
    assert_eq!(scene.case(case_id).await.state(), CaseState::Remedying);
    approved
}

/// One approver grants up to a cap in a case; this story stays below it.
async fn capped(scene: &Scene) {
    let request = SetApprovalLimitsRequest {
        request_id: request_id(),
        expected_version: None,
        case_caps: vec![yuan(10_000, 0)],
    };
    let set = scene.resolution(BOSS).set_approval_limits(request).await.unwrap().into_inner();
    let limits = scene.resolution(BOSS).get_approval_limits(GetApprovalLimitsRequest {}).await.unwrap();
    assert_eq!(limits.into_inner().limits, set.limits);
}

/// The refund fails once, is refused once, and is paid once; then the goods go.
async fn carried_out(scene: &Scene, plan: &Plan) {
    super::tasks::paused(scene, "finance").await;
    super::tasks::supervised(scene, "finance").await;
    super::tasks::reached_elsewhere(scene, "warehouse").await;
    let lease = scene.poll("finance").await;
    failed(scene, &lease).await;
    let lease = scene.poll("finance").await;
    let task = lease.task.as_ref().unwrap();
    assert_eq!((task.attempt, task.checkpoint.as_slice()), (2, b"half way".as_slice()));
    let request = RejectTaskRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        lease_token: lease.lease_token.clone(),
        reason: "the account is closed".to_owned(),
    };
    let rejected = scene.resolution("worker").reject_task(request).await.unwrap().into_inner();
    assert_eq!(rejected.task.unwrap().state(), TaskState::NeedsAttention);
    let request = RequeueTaskRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        department_id: String::new(),
        reason: "another account was given".to_owned(),
    };
    scene.resolution(BOSS).requeue_task(request).await.unwrap();
    refused(scene.complete(&lease, Some(approved_sum())).await, Code::FailedPrecondition, "LEASE_LOST");

    let lease = scene.poll("finance").await;
    let above = scene.complete(&lease, Some(yuan(199, 91))).await;
    let status = refused(above, Code::InvalidArgument, "INVALID_RESULT");
    assert_eq!(violations(&status), ["result.amount"]);
    scene.complete(&lease, Some(approved_sum())).await.unwrap();
    let halfway = scene.plan(&plan.plan_id).await;
    assert_eq!(halfway.steps.iter().map(|step| step.done).collect::<Vec<_>>(), [true, false]);
    super::tasks::brought_in_vain(scene, "warehouse").await;
    let lease = scene.poll("warehouse").await;
    super::tasks::decided_by_two(scene, &lease).await;
    settled_as_not_done(scene, &lease).await;
    scene.complete(&scene.poll("warehouse").await, None).await.unwrap();
    super::tasks::polls_at_last(scene, "warehouse").await;

    assert_eq!(scene.plan(&plan.plan_id).await.state(), PlanState::Completed);
    let tasks = scene.tasks(&plan.case_id).await;
    let done: Vec<_> = tasks.iter().map(|task| (task.state(), result_of(task))).collect();
    let expected = [("REF-refund", Some(approved_sum())), ("REF-exchange", None)];
    assert_eq!(done, expected.map(|(reference, sum)| (TaskState::Completed, (reference.to_owned(), sum))));
}

async fn failed(scene: &Scene, lease: &Lease) {
    let task_id = lease.task.as_ref().unwrap().task_id.clone();
    let request = HeartbeatRequest {
        task_id: task_id.clone(),
        lease_token: lease.lease_token.clone(),
        lease_duration: None,
        checkpoint: b"half way".to_vec(),
    };
    let heard = scene.resolution("worker").heartbeat(request).await.unwrap().into_inner();
    assert!(!heard.cancel_requested);
    let request = FailTaskRequest {
        request_id: request_id(),
        task_id,
        lease_token: lease.lease_token.clone(),
        code: "BANK_DOWN".to_owned(),
        message: "no answer".to_owned(),
        retryable: true,
        outcome_unknown: false,
    };
    let failed = scene.resolution("worker").fail_task(request).await.unwrap().into_inner().task.unwrap();
    assert_eq!((failed.state(), failed.last_error.as_str()), (TaskState::Ready, "BANK_DOWN: no answer"));
}

/// Its worker does not know whether it was done; the department finds that it was not.
async fn settled_as_not_done(scene: &Scene, lease: &Lease) {
    let task_id = lease.task.as_ref().unwrap().task_id.clone();
    let request = FailTaskRequest {
        request_id: request_id(),
        task_id: task_id.clone(),
        lease_token: lease.lease_token.clone(),
        code: "CARRIER_SILENT".to_owned(),
        message: String::new(),
        retryable: false,
        outcome_unknown: true,
    };
    let failed = scene.resolution("worker").fail_task(request).await.unwrap().into_inner().task.unwrap();
    assert_eq!(failed.state(), TaskState::OutcomeUnknown);
    let reason = "the parcel is still in the warehouse".to_owned();
    let request = SettleTaskRequest { request_id: request_id(), task_id, done: false, result: None, reason };
    let settled = scene.resolution("worker").settle_task(request).await.unwrap().into_inner().task.unwrap();
    assert_eq!((settled.state(), settled.attempt), (TaskState::Ready, 0));
}

fn result_of(task: &Task) -> (String, Option<proto::google::r#type::Money>) {
    let result = task.result.clone().unwrap_or_default();
    (result.reference, result.amount)
}

async fn answer(scene: &Scene, case_id: &str, response: Response, comment: &str) {
    let request = RespondToOutcomeRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        cycle: 0,
        response: response.into(),
        comment: comment.to_owned(),
        satisfaction: Some(Satisfaction { handling: 5, outcome: 4 }),
        ..RespondToOutcomeRequest::default()
    };
    let answered = scene.feedback().respond_to_outcome(request.clone()).await.unwrap().into_inner();
    assert_eq!(answered.feedback.unwrap().response(), response);
    let twice = RespondToOutcomeRequest { request_id: request_id(), ..request };
    let refusal = scene.feedback().respond_to_outcome(twice).await;
    refused(refusal, Code::FailedPrecondition, "ALREADY_ANSWERED");
    scene.settled().await;
}

async fn handed_on(scene: &Scene, case_id: &str) {
    let request = TransferCaseRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        expected_version: None,
        department_id: String::new(),
        agent_id: SENIOR.to_owned(),
        reason: "disputed".to_owned(),
    };
    let handed = scene.assignment(BOSS).transfer_case(request).await.unwrap().into_inner();
    assert_eq!(handed.assignment.unwrap().transfers, 1);
    scene.settled().await;
    assert_eq!(scene.case(case_id).await.agent_id, SENIOR);
}

/// What is on record of the main road.
async fn recorded(scene: &Scene, case_id: &str, first: &str) {
    let first_cycle = [
        [Kind::Opened, Kind::Triaged, Kind::Assigned, Kind::Accepted, Kind::Note, Kind::Note].as_slice(),
        &[Kind::Findings, Kind::Decided, Kind::PlanProposed, Kind::PlanEnded, Kind::PlanProposed],
        &[Kind::PlanApproved, Kind::TaskNeedsAttention, Kind::TaskCompleted],
        &[Kind::TaskNeedsAttention, Kind::TaskCompleted, Kind::Resolved, Kind::Response],
    ];
    let second_cycle = [
        [Kind::Reopened, Kind::Assigned, Kind::Assigned, Kind::Accepted, Kind::Decided].as_slice(),
        &[Kind::Resolved, Kind::Response, Kind::Closed],
    ];
    assert_eq!(scene.story(case_id).await, [first_cycle.concat(), second_cycle.concat()].concat());
    let entries = scene.timeline(case_id).await;
    let actor = |kind: Kind| entries.iter().find(|entry| entry.kind() == kind).unwrap().actor.as_str();
    assert_eq!((actor(Kind::Findings), actor(Kind::PlanApproved)), (first, BOSS));

    let expected = [(NoticeKind::Acknowledgement, 1), (NoticeKind::Outcome, 1), (NoticeKind::Outcome, 2)];
    assert_eq!(scene.notices(case_id).await, expected);
    let request = GetFeedbackRequest { case_id: case_id.to_owned() };
    let cycles = scene.feedback().get_feedback(request).await.unwrap().into_inner().cycles;
    let answers: Vec<_> =
        cycles.iter().map(|cycle| (cycle.cycle, cycle.outcome(), cycle.response())).collect();
    let expected = [(1, Outcome::Upheld, Response::Disputed), (2, Outcome::PartlyUpheld, Response::Accepted)];
    assert_eq!(answers, expected);
    let open: Vec<&Feedback> = cycles.iter().filter(|cycle| cycle.open).collect();
    assert!(open.is_empty(), "nothing is awaited any more: {open:?}");
    assert_eq!(scene.assignment_of(case_id).await.state(), AssignmentState::Released);
}

/// The complainant sees the public entries, and those only.
async fn shown(scene: &Scene, case_id: &str, receipt_code: &str) {
    let spelt = receipt_code.to_lowercase().replace('-', " ");
    let tracked = scene.track(&spelt).await;
    assert_eq!((tracked.state(), tracked.cycle), (CaseState::Closed, 2));
    assert_eq!(tracked.outcome(), Outcome::PartlyUpheld);
    let seen: Vec<_> = tracked.entries.iter().map(|entry| (entry.kind(), entry.text.clone())).collect();
    let timeline = scene.timeline(case_id).await;
    let public = |entry: &&TimelineEntry| entry.visibility() == Visibility::Public;
    // Why a notice was not delivered is for staff.
    let told = |entry: &TimelineEntry| (entry.kind(), entry.text.replace(": NO_TRANSPORT", ""));
    let expected: Vec<_> = timeline.iter().filter(public).map(told).collect();
    assert_eq!(seen, expected);
    assert!(timeline.iter().any(|entry| entry.text.ends_with(": NO_TRANSPORT")));
    assert!(seen.iter().any(|(_, text)| text == "the carrier has been asked"));
    for hidden in ["third one", "dropped in the depot", "ann", SENIOR, "199.90"] {
        assert!(
            seen.iter().all(|(_, text)| !text.contains(hidden)),
            "{hidden} is nobody's business: {seen:?}"
        );
    }
}

/// Versions only grow, and the last state is where the stream ends.
fn followed_to_the_end(seen: &[Case], end: CaseState) {
    assert!(seen.windows(2).all(|pair| pair[0].version < pair[1].version));
    assert!(seen.len() > 1);
    assert_eq!(seen.last().map(Case::state), Some(end));
}

/// Withdrawn when the refund was paid in part and the goods were not sent: what was paid
/// is collected again, and the rest is not paid any more.
pub(crate) async fn withdrawn_and_undone(scene: &Scene) {
    let registered = scene.submit(broken_cups()).await;
    let case_id = registered.complaint_id;
    let watched = scene.watch(&case_id).await;
    let agent = scene.accept(&case_id).await;
    scene.decide(&agent, &case_id, Outcome::Upheld, true).await;
    let plan = scene.propose(&agent, &case_id).await;
    scene.approve(BOSS, &plan).await.unwrap();
    let paid = yuan(150, 0);
    scene.complete(&scene.poll("finance").await, Some(paid.clone())).await.unwrap();

    let request = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        expected_version: None,
        reason: "the cups were found".to_owned(),
    };
    let case = scene.cases("clerk").withdraw_case(request).await.unwrap().into_inner().case.unwrap();
    assert_eq!(case.state(), CaseState::Withdrawn);
    scene.settled().await;
    assert_eq!(scene.plan(&plan.plan_id).await.state(), PlanState::Cancelling);
    let lease = scene.poll("finance").await;
    let undo = lease.task.as_ref().unwrap();
    assert!(undo.compensation);
    assert_eq!(undo.amount, Some(paid.clone()));
    scene.complete(&lease, Some(yuan(100, 0))).await.unwrap();
    super::tasks::written_off(scene, &case_id, yuan(50, 0)).await;

    assert_eq!(scene.plan(&plan.plan_id).await.state(), PlanState::Cancelled);
    let tasks = scene.tasks(&case_id).await;
    let ended: Vec<_> = tasks.iter().map(|task| (task.step_id.as_str(), task.state())).collect();
    let expected = [
        ("refund", TaskState::Completed),
        ("refund", TaskState::Cancelled),
        ("refund", TaskState::Completed),
        ("refund", TaskState::WrittenOff),
    ];
    assert_eq!(ended, expected);
    assert_eq!(tasks[2].compensates_task_id, tasks[1].task_id, "the latest of its step");
    let story = [
        [Kind::Opened, Kind::Triaged, Kind::Assigned, Kind::Accepted, Kind::Decided].as_slice(),
        &[Kind::PlanProposed, Kind::PlanApproved, Kind::TaskCompleted, Kind::TaskNeedsAttention],
        &[Kind::Withdrawn, Kind::TaskCompleted, Kind::TaskNeedsAttention, Kind::TaskWrittenOff],
        &[Kind::PlanEnded],
    ];
    assert_eq!(scene.story(&case_id).await, story.concat());
    assert_eq!(scene.notices(&case_id).await, [(NoticeKind::Acknowledgement, 1)]);
    assert_eq!(scene.assignment_of(&case_id).await.state(), AssignmentState::Released);
    followed_to_the_end(&watched.await.unwrap().unwrap(), CaseState::Withdrawn);
    assert_eq!(scene.track(&registered.receipt_code).await.state(), CaseState::Withdrawn);
}

/// Somebody else's matter.
pub(crate) async fn declined(scene: &Scene) {
    let case_id = scene.submit(broken_cups()).await.complaint_id;
    let watched = scene.watch(&case_id).await;
    let request = DeclineCaseRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        expected_version: None,
        referral: "the shop's own counter".to_owned(),
        ground: String::new(),
    };
    scene.cases("clerk").decline_case(request.clone()).await.unwrap();
    scene.settled().await;
    let again = DeclineCaseRequest { request_id: request_id(), ..request };
    let answer = scene.cases("clerk").decline_case(again).await;
    refused(answer, Code::FailedPrecondition, "INVALID_CASE_STATE");
    let answer = scene.feedback().get_feedback(GetFeedbackRequest { case_id: case_id.clone() }).await;
    refused(answer, Code::NotFound, "FEEDBACK_NOT_FOUND");
    let story = [Kind::Opened, Kind::Triaged, Kind::Assigned, Kind::OutOfScope];
    assert_eq!(scene.story(&case_id).await, story);
    assert_eq!(scene.assignment_of(&case_id).await.state(), AssignmentState::Released);
    followed_to_the_end(&watched.await.unwrap().unwrap(), CaseState::OutOfScope);
}

/// Not upheld, closed without an answer, taken up again; its plan is dropped before
/// anyone approved it.
pub(crate) async fn closed_and_reopened(scene: &Scene) {
    let case_id = scene.submit(broken_cups()).await.complaint_id;
    let watched = scene.watch(&case_id).await;
    let agent = scene.accept(&case_id).await;
    scene.decide(&agent, &case_id, Outcome::NotUpheld, false).await;
    let request = CloseCaseRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        expected_version: None,
        reason: "moved away".to_owned(),
    };
    scene.cases(BOSS).close_case(request).await.unwrap();
    scene.settled().await;
    followed_to_the_end(&watched.await.unwrap().unwrap(), CaseState::Closed);

    let request = ReopenCaseRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        expected_version: None,
        reason: "a photograph has come".to_owned(),
    };
    let case = scene.cases(BOSS).reopen_case(request).await.unwrap().into_inner().case.unwrap();
    assert_eq!((case.state(), case.cycle, case.tier), (CaseState::Triaged, 2, 1));
    scene.settled().await;
    let agent = scene.accept(&case_id).await;
    scene.decide(&agent, &case_id, Outcome::Upheld, true).await;
    let plan = scene.propose(&agent, &case_id).await;
    let request = CancelPlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id,
        expected_version: Some(plan.version),
        reason: "the cups are sold out".to_owned(),
    };
    let cancelled = scene.resolution(&agent).cancel_plan(request).await.unwrap().into_inner().plan.unwrap();
    assert_eq!(cancelled.state(), PlanState::Cancelled);
    scene.settled().await;
    let story = [
        [Kind::Opened, Kind::Triaged, Kind::Assigned, Kind::Accepted, Kind::Decided].as_slice(),
        &[Kind::Resolved, Kind::Closed, Kind::Reopened, Kind::Assigned, Kind::Accepted, Kind::Decided],
        &[Kind::PlanProposed, Kind::PlanEnded],
    ];
    assert_eq!(scene.story(&case_id).await, story.concat());
    assert_eq!(scene.case(&case_id).await.state(), CaseState::Decided);
    let expected = [(NoticeKind::Acknowledgement, 1), (NoticeKind::Outcome, 1)];
    assert_eq!(scene.notices(&case_id).await, expected);
}
