//! A deadline that is paused, extended and told of.

use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::policy_service_client::PolicyServiceClient;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, ApproveExtensionRequest, CaseClock, CaseState, ClockKind, ClockState,
    CreatePolicyRequest, ExtensionState, ListCasesRequest, PauseClocksRequest, PauseReason,
    RefuseExtensionRequest, RequestExtensionRequest, ResumeClocksRequest, SendHoldingReplyRequest,
};
use proto::redress::feedback::v1::NoticeKind;
use testkit::request_id;

use super::scene::{BOSS, Scene};
use crate::twice::Twice;

fn clock_line(scene: &Scene, subject: &str) -> ClockServiceClient<Twice> {
    let line = scene.house.channel_as("development", subject, &[]);
    ClockServiceClient::new(scene.twice.over(line))
}

fn of(clocks: &[CaseClock], kind: ClockKind) -> &CaseClock {
    clocks.iter().find(|clock| clock.kind() == kind).unwrap()
}

fn more(case: &str) -> RequestExtensionRequest {
    RequestExtensionRequest {
        request_id: request_id(),
        case_id: case.to_owned(),
        expected_version: None,
        kind: ClockKind::Decide.into(),
        amount: 5,
        reason: "an expert looks at it".to_owned(),
    }
}

/// The tenant's own policy is made, and put in force for what is open.
pub(crate) async fn promised(scene: &Scene) {
    let line = scene.house.channel_as("development", BOSS, &[]);
    let mut policies = PolicyServiceClient::new(scene.twice.over(line));
    let create = CreatePolicyRequest {
        request_id: request_id(),
        shipped_pack: "uk-fca-disp".to_owned(),
        ..CreatePolicyRequest::default()
    };
    let version = policies.create_policy(create).await.unwrap().into_inner().policy.unwrap().version;
    let activate = ActivatePolicyRequest { request_id: request_id(), version, validate_only: true };
    let tried = policies.activate_policy(activate.clone()).await.unwrap().into_inner();
    let activate = ActivatePolicyRequest { request_id: request_id(), validate_only: false, ..activate };
    let done = policies.activate_policy(activate).await.unwrap().into_inner();
    assert_eq!(tried.moved, done.moved);
    assert!(done.moved_count > 0, "the acknowledgements nobody could deliver are due later");
}

/// Time stands still and runs on; more of it is refused, then granted: the
/// complainant is told of that alone, and of how it goes.
pub(crate) async fn taken_longer(scene: &Scene) {
    let request = ListCasesRequest { state: CaseState::Assigned.into(), ..ListCasesRequest::default() };
    let cases = scene.cases("clerk").list_cases(request).await.unwrap().into_inner().cases;
    let case = cases[0].case_id.as_str();
    let (mut clerk, mut boss) = (clock_line(scene, "clerk"), clock_line(scene, BOSS));
    let pause = PauseClocksRequest {
        request_id: request_id(),
        case_id: case.to_owned(),
        expected_version: None,
        kinds: vec![ClockKind::Decide.into()],
        reason: PauseReason::Appraisal.into(),
        remark: "sent to the laboratory".to_owned(),
    };
    let clocks = clerk.pause_clocks(pause).await.unwrap().into_inner().clocks;
    assert_eq!(of(&clocks, ClockKind::Decide).state(), ClockState::Paused);
    let resume = ResumeClocksRequest {
        request_id: request_id(),
        case_id: case.to_owned(),
        expected_version: None,
        kinds: Vec::new(),
        remark: "the laboratory has answered".to_owned(),
    };
    let clocks = clerk.resume_clocks(resume).await.unwrap().into_inner().clocks;
    let due = of(&clocks, ClockKind::Decide).due_time.unwrap();

    let asked = clerk.request_extension(more(case)).await.unwrap().into_inner().extension.unwrap();
    let refuse = RefuseExtensionRequest {
        request_id: request_id(),
        extension_id: asked.extension_id,
        reason: "two days are enough".to_owned(),
    };
    let refused = boss.refuse_extension(refuse).await.unwrap().into_inner().extension.unwrap();
    assert_eq!((refused.state(), refused.approver.as_str()), (ExtensionState::Refused, BOSS));

    let asked = clerk.request_extension(more(case)).await.unwrap().into_inner().extension.unwrap();
    let approve = ApproveExtensionRequest {
        request_id: request_id(),
        extension_id: asked.extension_id,
        expected_version: None,
    };
    let granted = boss.approve_extension(approve).await.unwrap().into_inner();
    let longer = granted.clock.unwrap().due_time.unwrap();
    assert!(longer.seconds > due.seconds);
    // An hour before the answer is due there is news, somebody promises.
    let next = prost_types::Timestamp { seconds: longer.seconds - 3600, nanos: 0 };
    let hold = SendHoldingReplyRequest {
        request_id: request_id(),
        case_id: case.to_owned(),
        expected_version: None,
        text: "the expert has it".to_owned(),
        reason: "there is one expert only".to_owned(),
        next_update_time: Some(next),
        extend_by: None,
        cause: String::new(),
    };
    let answer = clerk.send_holding_reply(hold).await.unwrap().into_inner();
    assert_eq!((of(&answer.clocks, ClockKind::Update).due_time, answer.extension), (Some(next), None));
    scene.settled().await;
    let told: Vec<_> = scene.notices(case).await.into_iter().map(|(kind, _)| kind).collect();
    for kind in [NoticeKind::Extension, NoticeKind::Holding] {
        assert_eq!(told.iter().filter(|told| **told == kind).count(), 1, "{kind:?}");
    }
}
