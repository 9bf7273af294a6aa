//! More complaints than usual: a supervisor says that they mean nothing.

use proto::redress::feedback::v1::improvement_service_client::ImprovementServiceClient;
use proto::redress::feedback::v1::problem_service_client::ProblemServiceClient;
use proto::redress::feedback::v1::signal_service_client::SignalServiceClient;
use proto::redress::feedback::v1::{
    AssessImprovementActionRequest, CloseProblemRequest, CompleteImprovementActionRequest,
    CreateImprovementActionRequest, DismissSignalRequest, GetRootCausesRequest, GetSignalRequest,
    GetSignalSettingsRequest, ImprovementKind, ImprovementState, LinkProblemCasesRequest,
    ListProblemCasesRequest, ListProblemTasksRequest, ListProblemsRequest, ListSignalsRequest,
    NameRootCauseRequest, OpenProblemRequest, ProblemState, ProblemTask, ProblemTaskKind, ProblemTaskState,
    RequestProblemTaskRequest, SignalHint, SignalRaised, SignalSettings, SignalState,
    UnlinkProblemCasesRequest, UpdateImprovementActionRequest, UpdateRootCausesRequest,
    UpdateSignalSettingsRequest,
};
use proto::redress::intake::v1::{Channel, Complaint};
use proto::redress::resolution::v1::{
    CompleteTaskRequest, PollTasksRequest, RejectTaskRequest, RemedyKind, RequeueTaskRequest, TaskResult,
};
use testkit::{eventually, request_id};

use super::scene::{BOSS, Scene, WORKER};
use crate::twice::Twice;

fn signals(scene: &Scene) -> SignalServiceClient<Twice> {
    SignalServiceClient::new(scene.line("supervisor"))
}

async fn update(scene: &Scene, settings: SignalSettings) -> SignalSettings {
    let request = UpdateSignalSettingsRequest {
        request_id: request_id(),
        expected_version: settings.version,
        settings: Some(settings),
    };
    signals(scene).update_signal_settings(request).await.unwrap().into_inner().settings.unwrap()
}

/// One complaint that counts as received forty days ago gives today's a past, which they are
/// above. Nothing else is raised before, as a day is asked for more than the stories have.
pub(crate) async fn dismissed(scene: &Scene) {
    let read = signals(scene).get_signal_settings(GetSignalSettingsRequest {}).await.unwrap().into_inner();
    let settings = read.settings.unwrap();
    let hint = SignalHint {
        kind: ProblemTaskKind::Stock.into(),
        department_id: "warehouse".to_owned(),
        series: None,
        instructions: "Count what is left.".to_owned(),
    };
    let settings = update(scene, SignalSettings { hints: vec![hint], ..settings }).await;
    let now = jiff::SignedDuration::from_hours(24 * 40);
    let received = scene.house.db("feedback").clock().now() - now;
    let old = Complaint {
        channel: Channel::Letter.into(),
        subject: "A complaint of long ago".to_owned(),
        description: "It came by letter.".to_owned(),
        language: "en".to_owned(),
        receive_time: Some(proto::timestamp(received)),
        ..Complaint::default()
    };
    scene.submit(old).await;
    let list = async |state: SignalState| {
        let request = ListSignalsRequest { state: state.into(), ..ListSignalsRequest::default() };
        signals(scene).list_signals(request).await.unwrap().into_inner().signals
    };
    eventually(|| async { !list(SignalState::Active).await.is_empty() }).await;
    // Of all that came; whatever else is told from now on changes nothing.
    update(scene, SignalSettings { min_count: 10_000, ..settings }).await;
    let raised = list(SignalState::Active).await;
    let told: Vec<SignalRaised> = scene.house.published("feedback").await;
    assert_eq!(told.len(), raised.len(), "each is told once");
    for signal in raised {
        let request = DismissSignalRequest {
            request_id: request_id(),
            signal_id: signal.signal_id.clone(),
            expected_version: signal.version,
            reason: "the stories of a test".to_owned(),
        };
        let dismissed = signals(scene).dismiss_signal(request).await.unwrap().into_inner().signal.unwrap();
        let request = GetSignalRequest { signal_id: signal.signal_id };
        let read = signals(scene).get_signal(request).await.unwrap().into_inner().signal.unwrap();
        assert_eq!((read.state(), read.version), (SignalState::Dismissed, 2));
        assert_eq!(read, dismissed);
        assert!(read.days.len() > 28, "with the days it is told from");
    }
    assert!(list(SignalState::Active).await.is_empty());
    hinted(scene).await;
    seen_to(scene).await;
}

/// The warehouse was asked by itself about each problem that signals opened, and answers.
async fn hinted(scene: &Scene) {
    let mut problems = ProblemServiceClient::new(scene.line("supervisor"));
    let request = ListProblemsRequest { state: ProblemState::Open.into(), ..Default::default() };
    let opened = problems.list_problems(request).await.unwrap().into_inner().problems;
    scene.settled().await;
    let request = PollTasksRequest {
        request_id: request_id(),
        department_id: "warehouse".to_owned(),
        worker: WORKER.to_owned(),
        max_tasks: 100,
        ..PollTasksRequest::default()
    };
    let leases = scene.resolution(WORKER).poll_tasks(request).await.unwrap().into_inner().leases;
    assert_eq!(leases.len(), opened.len(), "once for each");
    for lease in leases {
        let task = lease.task.unwrap();
        assert_eq!((task.kind(), task.hint()), (RemedyKind::ProblemHint, ProblemTaskKind::Stock));
        let request = CompleteTaskRequest {
            request_id: request_id(),
            task_id: task.task_id.clone(),
            lease_token: lease.lease_token,
            result: Some(TaskResult { remark: "There is enough.".to_owned(), ..TaskResult::default() }),
        };
        scene.resolution(WORKER).complete_task(request).await.unwrap();
        scene.settled().await;
        let known = only_task(scene, &task.problem_id).await;
        assert_eq!((known.task_id, known.answer.as_str()), (task.task_id, "There is enough."));
    }
}

/// A problem that a signal has opened gives its cases to one that somebody opens, which is
/// given a root cause of the tenant's own, and closed.
async fn seen_to(scene: &Scene) {
    let mut problems = ProblemServiceClient::new(scene.line("supervisor"));
    let request = ListProblemsRequest { state: ProblemState::Open.into(), ..Default::default() };
    let opened = problems.list_problems(request).await.unwrap().into_inner().problems;
    let of_signal = opened.iter().find(|problem| problem.case_count > 2).unwrap();
    let request = ListProblemCasesRequest { problem_id: of_signal.problem_id.clone(), ..Default::default() };
    let cases = problems.list_problem_cases(request).await.unwrap().into_inner().cases;
    let case_ids: Vec<String> = cases.into_iter().take(2).map(|one| one.case_id).collect();

    let request = OpenProblemRequest {
        request_id: request_id(),
        title: "What the stories have in common".to_owned(),
        ..OpenProblemRequest::default()
    };
    let problem = problems.open_problem(request).await.unwrap().into_inner().problem.unwrap();
    let problem_id = problem.problem_id;
    let request = LinkProblemCasesRequest {
        request_id: request_id(),
        problem_id: problem_id.clone(),
        expected_version: 1,
        case_ids: case_ids.clone(),
    };
    problems.link_problem_cases(request).await.unwrap();
    let request = UnlinkProblemCasesRequest {
        request_id: request_id(),
        problem_id: problem_id.clone(),
        expected_version: 2,
        case_ids: case_ids[..1].to_vec(),
    };
    let left = problems.unlink_problem_cases(request).await.unwrap().into_inner().problem.unwrap();
    assert_eq!((left.version, left.case_count), (3, 1));
    asked(scene, &problem_id).await;

    let read = problems.get_root_causes(GetRootCausesRequest { version: None }).await.unwrap().into_inner();
    let request = UpdateRootCausesRequest {
        request_id: request_id(),
        expected_version: 0,
        root_causes: read.root_causes,
    };
    problems.update_root_causes(request).await.unwrap();
    let request = NameRootCauseRequest {
        request_id: request_id(),
        problem_id: problem_id.clone(),
        expected_version: 4,
        root_cause: "process/handover".to_owned(),
    };
    problems.name_root_cause(request).await.unwrap();
    put_right(scene, &problem_id).await;
    let request = CloseProblemRequest {
        request_id: request_id(),
        problem_id,
        expected_version: 5,
        conclusion: "Each story has its own end.".to_owned(),
    };
    let closed = problems.close_problem(request).await.unwrap().into_inner().problem.unwrap();
    assert_eq!((closed.state(), closed.root_causes_version), (ProblemState::Closed, 1));
}

/// The warehouse is asked about a problem by a supervisor, in its one case, and hands that back;
/// finance answers instead, under the id it was asked for by.
async fn asked(scene: &Scene, problem_id: &str) {
    let mut problems = ProblemServiceClient::new(scene.line("supervisor"));
    let request = RequestProblemTaskRequest {
        request_id: request_id(),
        problem_id: problem_id.to_owned(),
        expected_version: 3,
        kind: ProblemTaskKind::Recall.into(),
        department_id: "warehouse".to_owned(),
        instructions: "The first story only.".to_owned(),
    };
    let task = problems.request_problem_task(request).await.unwrap().into_inner().task.unwrap();
    scene.settled().await;
    let lease = scene.poll("warehouse").await;
    let given = lease.task.as_ref().unwrap();
    assert_eq!((&given.task_id, &given.case_id), (&task.task_id, &task.case_id));
    assert_eq!((given.kind(), given.hint()), (RemedyKind::ProblemHint, ProblemTaskKind::Recall));
    let request = RejectTaskRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        lease_token: lease.lease_token,
        reason: "finance has the lists".to_owned(),
    };
    scene.resolution(WORKER).reject_task(request).await.unwrap();
    let request = RequeueTaskRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        department_id: "finance".to_owned(),
        reason: "so it has".to_owned(),
    };
    scene.resolution(BOSS).requeue_task(request).await.unwrap();
    scene.settled().await;
    assert_eq!(only_task(scene, problem_id).await.state(), ProblemTaskState::GivenUp);
    answer(scene, "finance", "No lot has a fault.").await;
    let answered = only_task(scene, problem_id).await;
    assert_eq!((&answered.task_id, answered.state()), (&task.task_id, ProblemTaskState::Answered));
    assert_eq!(
        (answered.answer_department_id.as_str(), answered.answer.as_str()),
        ("finance", "No lot has a fault.")
    );
}

/// What a department is asked about a problem, answered.
async fn answer(scene: &Scene, department: &str, remark: &str) {
    let lease = scene.poll(department).await;
    let request = CompleteTaskRequest {
        request_id: request_id(),
        task_id: lease.task.unwrap().task_id,
        lease_token: lease.lease_token,
        result: Some(TaskResult { remark: remark.to_owned(), ..TaskResult::default() }),
    };
    scene.resolution(WORKER).complete_task(request).await.unwrap();
    scene.settled().await;
}

/// What departments are asked about a problem, as the list of all has it.
async fn only_task(scene: &Scene, problem_id: &str) -> ProblemTask {
    let mut problems = ProblemServiceClient::new(scene.line("supervisor"));
    let request = ListProblemTasksRequest { problem_id: problem_id.to_owned(), ..Default::default() };
    let mut tasks = problems.list_problem_tasks(request).await.unwrap().into_inner().tasks;
    assert_eq!(tasks.len(), 1);
    tasks.remove(0)
}

/// An action is taken, given to another, done, and found to work by a third.
async fn put_right(scene: &Scene, problem_id: &str) {
    let line = |subject: &str| ImprovementServiceClient::new(scene.line(subject));
    let request = CreateImprovementActionRequest {
        request_id: request_id(),
        problem_id: problem_id.to_owned(),
        kind: ImprovementKind::Preventive.into(),
        title: "Tell the story to the end".to_owned(),
        owner: "ann".to_owned(),
        due_date: "2099-12-31".to_owned(),
    };
    let created = line("supervisor").create_improvement_action(request).await.unwrap().into_inner();
    let action_id = created.action.unwrap().action_id;
    let request = UpdateImprovementActionRequest {
        request_id: request_id(),
        action_id: action_id.clone(),
        expected_version: 1,
        owner: "bo".to_owned(),
        due_date: "2098-12-31".to_owned(),
    };
    line("supervisor").update_improvement_action(request).await.unwrap();
    let request = CompleteImprovementActionRequest {
        request_id: request_id(),
        action_id: action_id.clone(),
        expected_version: 2,
        note: "It was told.".to_owned(),
    };
    line("bo").complete_improvement_action(request).await.unwrap();
    let request = AssessImprovementActionRequest {
        request_id: request_id(),
        action_id,
        expected_version: 3,
        effective: true,
        finding: "It ends.".to_owned(),
    };
    let assessed = line("supervisor").assess_improvement_action(request).await.unwrap().into_inner();
    assert_eq!(assessed.action.unwrap().state(), ImprovementState::Verified);
}
