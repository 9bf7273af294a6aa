//! What departments are asked about problems: by people, by hints, and what they answer.

use jiff::SignedDuration;
use kernel::Clock as _;
use proto::redress::cases::v1::{CaseMerged, CaseOpened, CaseReopened, CaseWithdrawn};
use proto::redress::event::v1::Event;
use proto::redress::feedback::v1::problem_service_client::ProblemServiceClient;
use proto::redress::feedback::v1::signal_service_client::SignalServiceClient;
use proto::redress::feedback::v1::{
    CloseProblemRequest, GetProblemRequest, GetSignalSettingsRequest, LinkProblemCasesRequest,
    ListProblemTasksRequest, ListProblemsRequest, OpenProblemRequest, Problem, ProblemTask, ProblemTaskKind,
    ProblemTaskRequested, ProblemTaskState, RequestProblemTaskRequest, SignalHint, SignalSeries,
    SignalSettings, UnlinkProblemCasesRequest, UpdateSignalSettingsRequest,
};
use proto::redress::intake::v1::Respondent;
use proto::redress::resolution::v1::{ProblemTaskAnswered, ProblemTaskOutcome, ProblemTaskRefused};
use testkit::{CallerChannel, House, MockClock, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{case, house, refused, registered};

type Problems = ProblemServiceClient<CallerChannel>;

const KETTLE: &str = "kettle";

fn problems(house: &House) -> Problems {
    Problems::new(house.channel())
}

async fn open(house: &House, series: Option<SignalSeries>) -> Problem {
    let request = OpenProblemRequest {
        request_id: request_id(),
        title: "Kettles leak".to_owned(),
        series,
        ..OpenProblemRequest::default()
    };
    problems(house).open_problem(request).await.unwrap().into_inner().problem.unwrap()
}

async fn get(house: &House, id: &str) -> Problem {
    let request = GetProblemRequest { problem_id: id.to_owned() };
    problems(house).get_problem(request).await.unwrap().into_inner().problem.unwrap()
}

async fn link(house: &House, problem: &Problem, cases: &[Uuid]) -> Problem {
    let request = LinkProblemCasesRequest {
        request_id: request_id(),
        problem_id: problem.problem_id.clone(),
        expected_version: problem.version,
        case_ids: cases.iter().map(Uuid::to_string).collect(),
    };
    problems(house).link_problem_cases(request).await.unwrap().into_inner().problem.unwrap()
}

async fn unlink(house: &House, problem: &Problem, cases: &[Uuid]) -> Problem {
    let request = UnlinkProblemCasesRequest {
        request_id: request_id(),
        problem_id: problem.problem_id.clone(),
        expected_version: problem.version,
        case_ids: cases.iter().map(Uuid::to_string).collect(),
    };
    problems(house).unlink_problem_cases(request).await.unwrap().into_inner().problem.unwrap()
}

async fn close(house: &House, problem: &Problem) -> Problem {
    let request = CloseProblemRequest {
        request_id: request_id(),
        problem_id: problem.problem_id.clone(),
        expected_version: problem.version,
        conclusion: "they are mended".to_owned(),
    };
    problems(house).close_problem(request).await.unwrap().into_inner().problem.unwrap()
}

fn asking(problem: &Problem) -> RequestProblemTaskRequest {
    RequestProblemTaskRequest {
        request_id: request_id(),
        problem_id: problem.problem_id.clone(),
        expected_version: problem.version,
        kind: ProblemTaskKind::Recall.into(),
        department_id: "quality".to_owned(),
        instructions: "Lot 9 only.".to_owned(),
    }
}

async fn ask(house: &House, request: RequestProblemTaskRequest) -> Result<(Problem, ProblemTask), Status> {
    let answer = problems(house).request_problem_task(request).await?.into_inner();
    Ok((answer.problem.unwrap(), answer.task.unwrap()))
}

async fn list(house: &House, request: ListProblemTasksRequest) -> Vec<ProblemTask> {
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListProblemTasksRequest { page_size: 2, page_token, ..request.clone() };
        let page = problems(house).list_problem_tasks(request).await.unwrap().into_inner();
        listed.extend(page.tasks);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return listed;
        }
    }
}

/// A case of which feedback knows that it is open, received so many days ago.
async fn received(house: &House, days_ago: i64, product: &str) -> Uuid {
    let one = case();
    let mut registered = registered(one, "");
    let complaint = registered.complaint.as_mut().unwrap();
    complaint.respondent = Some(Respondent { product: product.to_owned(), ..Respondent::default() });
    let at = MockClock::default().now() - SignedDuration::from_hours(24 * days_ago);
    complaint.receive_time = Some(proto::timestamp(at));
    house.tell("intake", one, &registered).await;
    let opened = CaseOpened { case_id: one.to_string(), cycle: 1, ..CaseOpened::default() };
    house.tell("cases", one, &opened).await;
    one
}

fn answered(task: &ProblemTask, outcome: ProblemTaskOutcome, answer: &str) -> ProblemTaskAnswered {
    ProblemTaskAnswered {
        task_id: task.task_id.clone(),
        problem_id: task.problem_id.clone(),
        case_id: task.case_id.clone(),
        cycle: task.cycle,
        department_id: "outlet".to_owned(),
        outcome: outcome.into(),
        reference: "Q-7".to_owned(),
        answer: answer.to_owned(),
    }
}

async fn tell(house: &House, task: &ProblemTask, outcome: ProblemTaskOutcome, answer: &str) -> Event {
    let told = answered(task, outcome, answer);
    let event = house.tell("resolution", Uuid::try_parse(&task.case_id).unwrap(), &told).await;
    house.settled().await;
    event
}

/// The one task of a problem, as it stands.
async fn only_task(house: &House, problem_id: &str) -> ProblemTask {
    let mut tasks = get(house, problem_id).await.tasks;
    assert_eq!(tasks.len(), 1);
    tasks.remove(0)
}

#[tokio::test]
async fn a_department_is_asked_once_and_its_answer_is_kept_and_is_the_last_word() {
    let house = house().await;
    let one = received(&house, 3, "").await;
    house.settled().await;
    let opened = open(&house, None).await;
    let linked = link(&house, &opened, &[one]).await;
    let request = asking(&linked);
    let (problem, task) = ask(&house, request.clone()).await.unwrap();
    assert_eq!(ask(&house, request.clone()).await.unwrap(), (problem.clone(), task.clone()), "repeated");
    let mut other = request;
    other.instructions.push('!');
    let reused = refused(ask(&house, other).await);
    assert_eq!(reused, (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned()));
    assert_eq!((problem.version, problem.tasks.as_slice()), (3, std::slice::from_ref(&task)));
    assert_eq!(
        (task.state(), task.case_id.clone(), task.cycle),
        (ProblemTaskState::Requested, one.to_string(), 1)
    );
    assert_eq!((task.requester.as_str(), task.answer.as_str()), ("developer", ""));
    assert_eq!(task.request_time, task.create_time);
    let told: Vec<ProblemTaskRequested> = house.published("feedback").await;
    assert_eq!((told.len(), told[0].task_id.clone()), (1, task.task_id.clone()));
    assert_eq!((told[0].title.as_str(), told[0].instructions.as_str()), ("Kettles leak", "Lot 9 only."));
    assert_eq!((told[0].kind(), told[0].department_id.as_str()), (ProblemTaskKind::Recall, "quality"));

    // One gives up, another does it; what is told afterwards, or again, changes nothing.
    let first = tell(&house, &task, ProblemTaskOutcome::GivenUp, "not ours").await;
    let given_up = only_task(&house, &problem.problem_id).await;
    assert_eq!((given_up.state(), given_up.answer.as_str()), (ProblemTaskState::GivenUp, "not ours"));
    assert_eq!(
        (given_up.answer_department_id.as_str(), given_up.department_id.as_str()),
        ("outlet", "quality")
    );
    tell(&house, &task, ProblemTaskOutcome::Done, "it must be recalled").await;
    let done = only_task(&house, &problem.problem_id).await;
    assert_eq!((done.state(), done.answer.as_str()), (ProblemTaskState::Answered, "it must be recalled"));
    assert_eq!(done.answer_time, Some(proto::timestamp(MockClock::default().now())));
    tell(&house, &task, ProblemTaskOutcome::Done, "it need not").await;
    let refusal = ProblemTaskRefused { task_id: task.task_id.clone(), ..ProblemTaskRefused::default() };
    house.tell("resolution", one, &refusal).await;
    house.tell_raw("resolution", first.clone()).await;
    let position = house.fake("resolution").head() + 1;
    house.tell_raw("resolution", Event { position, ..first }).await;
    house.settled().await;
    let now = get(&house, &problem.problem_id).await;
    assert_eq!((now.tasks.as_slice(), now.version), (std::slice::from_ref(&done), 3));
    house.done().await;
}

#[tokio::test]
async fn a_department_that_there_is_not_refuses_and_a_later_answer_holds() {
    let house = house().await;
    let one = received(&house, 3, "").await;
    house.settled().await;
    let linked = link(&house, &open(&house, None).await, &[one]).await;
    let (problem, task) = ask(&house, asking(&linked)).await.unwrap();
    let refusal = ProblemTaskRefused {
        task_id: task.task_id.clone(),
        problem_id: task.problem_id.clone(),
        department_id: task.department_id.clone(),
        reason: "DEPARTMENT_NOT_FOUND".to_owned(),
    };
    house.tell("resolution", one, &refusal).await;
    // Of a task that nobody asked for.
    let unknown = ProblemTaskRefused { task_id: case().to_string(), ..refusal };
    house.tell("resolution", one, &unknown).await;
    house.settled().await;
    let refused = only_task(&house, &problem.problem_id).await;
    assert_eq!(
        (refused.state(), refused.answer.as_str()),
        (ProblemTaskState::Refused, "DEPARTMENT_NOT_FOUND")
    );
    assert_eq!(refused.answer_department_id, "");
    tell(&house, &task, ProblemTaskOutcome::Done, "found after all").await;
    assert_eq!(only_task(&house, &problem.problem_id).await.state(), ProblemTaskState::Answered);
    house.done().await;
}

#[tokio::test]
async fn the_task_is_in_the_newest_case_that_is_open_and_in_its_present_cycle() {
    let house = house().await;
    let (old, reopened) = (received(&house, 9, "").await, received(&house, 5, "").await);
    let (merged, withdrawn) = (received(&house, 3, "").await, received(&house, 1, "").await);
    let again = CaseReopened { case_id: reopened.to_string(), cycle: 2, ..CaseReopened::default() };
    house.tell("cases", reopened, &again).await;
    let merge = CaseMerged { case_id: merged.to_string(), ..CaseMerged::default() };
    house.tell("cases", merged, &merge).await;
    let gone = CaseWithdrawn {
        case_id: withdrawn.to_string(),
        cycle: 1,
        reason: "found it".into(),
        ..CaseWithdrawn::default()
    };
    house.tell("cases", withdrawn, &gone).await;
    house.settled().await;
    let linked = link(&house, &open(&house, None).await, &[old, reopened, merged, withdrawn]).await;
    let (problem, task) = ask(&house, asking(&linked)).await.unwrap();
    assert_eq!((task.case_id, task.cycle), (reopened.to_string(), 2));
    // Where none is open, the newest; one that was merged only where there is no other.
    let fewer = unlink(&house, &problem, &[old, reopened]).await;
    let (problem, task) = ask(&house, asking(&fewer)).await.unwrap();
    assert_eq!(task.case_id, withdrawn.to_string());
    let fewer = unlink(&house, &problem, &[withdrawn]).await;
    let (problem, task) = ask(&house, asking(&fewer)).await.unwrap();
    assert_eq!(task.case_id, merged.to_string());
    let none = unlink(&house, &problem, &[merged]).await;
    let without = refused(ask(&house, asking(&none)).await);
    assert_eq!(without, (Code::FailedPrecondition, "PROBLEM_WITHOUT_CASES".to_owned()));
    assert_eq!(get(&house, &none.problem_id).await, none, "nothing was stored");
    house.done().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_at_once_and_what_is_closed_stale_or_too_much_refused() {
    let house = house().await;
    let status = ask(&house, RequestProblemTaskRequest::default()).await.unwrap_err();
    assert_eq!(reason(&status), "INVALID_PROBLEM_TASK");
    assert_eq!(
        violations(&status),
        ["request_id", "problem_id", "expected_version", "kind", "department_id"]
    );
    let one = received(&house, 3, "").await;
    house.settled().await;
    let mut problem = link(&house, &open(&house, None).await, &[one]).await;
    let long = RequestProblemTaskRequest { instructions: "x".repeat(2_001), kind: 9, ..asking(&problem) };
    assert_eq!(violations(&ask(&house, long).await.unwrap_err()), ["kind", "instructions"]);
    let stale = refused(ask(&house, asking(&Problem { version: 7, ..problem.clone() })).await);
    assert_eq!(stale, (Code::Aborted, "VERSION_MISMATCH".to_owned()));
    for _ in 0..50 {
        problem = ask(&house, asking(&problem)).await.unwrap().0;
    }
    let many = refused(ask(&house, asking(&problem)).await);
    assert_eq!(many, (Code::ResourceExhausted, "TOO_MANY_PROBLEM_TASKS".to_owned()));
    let of_it = ListProblemTasksRequest { problem_id: problem.problem_id.clone(), ..Default::default() };
    let mut listed = list(&house, of_it).await;
    listed.reverse();
    assert_eq!(listed, problem.tasks, "newest first, page by page");
    let closed = close(&house, &problem).await;
    let late = refused(ask(&house, asking(&closed)).await);
    assert_eq!(late, (Code::FailedPrecondition, "PROBLEM_CLOSED".to_owned()));
    // What was asked goes on.
    tell(&house, &problem.tasks[0], ProblemTaskOutcome::Done, "all counted").await;
    let answered = ProblemTaskState::Answered.into();
    let listed = list(&house, ListProblemTasksRequest { state: answered, ..Default::default() }).await;
    assert_eq!((listed.len(), listed[0].answer.as_str()), (1, "all counted"));
    let wrong =
        ListProblemTasksRequest { problem_id: "x".into(), state: 9, page_size: -1, ..Default::default() };
    let status = problems(&house).list_problem_tasks(wrong).await.unwrap_err();
    assert_eq!(violations(&status), ["problem_id", "state", "page_size"]);
    house.done().await;
}

#[tokio::test]
async fn what_departments_are_asked_about_a_problem_of_another_tenant_is_unknown() {
    let house = House::builder(&[feedback::SERVICE]).clock(MockClock::default()).identified().open().await;
    let line = |tenant: &str| Problems::new(house.channel_as(tenant, "su", &["supervisor"]));
    let request = OpenProblemRequest { request_id: request_id(), title: "Late".into(), ..Default::default() };
    let problem = line("ours").open_problem(request).await.unwrap().into_inner().problem.unwrap();
    let missing = (Code::NotFound, "PROBLEM_NOT_FOUND".to_owned());
    assert_eq!(refused(line("theirs").request_problem_task(asking(&problem)).await), missing);
    let request = ListProblemTasksRequest { problem_id: problem.problem_id, ..Default::default() };
    assert_eq!(refused(line("theirs").list_problem_tasks(request).await), missing);
    house.done().await;
}

fn hint(kind: ProblemTaskKind, department: &str, series: Option<SignalSeries>) -> SignalHint {
    let instructions = "Count what is left.".to_owned();
    SignalHint { kind: kind.into(), department_id: department.to_owned(), series, instructions }
}

fn of_product(product: &str) -> SignalSeries {
    SignalSeries { product: product.to_owned(), ..SignalSeries::default() }
}

async fn settle(house: &House, min_count: i32, hints: Vec<SignalHint>) -> Result<SignalSettings, Status> {
    let mut signals = SignalServiceClient::new(house.channel());
    let read = signals.get_signal_settings(GetSignalSettingsRequest {}).await?.into_inner().settings.unwrap();
    let request = UpdateSignalSettingsRequest {
        request_id: request_id(),
        expected_version: read.version,
        settings: Some(SignalSettings { min_count, hints, ..read }),
    };
    let made = signals.update_signal_settings(request).await?.into_inner().settings.unwrap();
    let read = signals.get_signal_settings(GetSignalSettingsRequest {}).await?.into_inner().settings.unwrap();
    assert_eq!(read, made);
    Ok(made)
}

/// Hints that ask of kettles, and of what nobody complains about.
fn hints() -> Vec<SignalHint> {
    vec![
        hint(ProblemTaskKind::Stock, "warehouse", Some(of_product(KETTLE))),
        hint(ProblemTaskKind::Stock, "warehouse", None),
        hint(ProblemTaskKind::Recall, "quality", Some(of_product("cup"))),
    ]
}

/// Forty days of a complaint a day, and today twelve: a surge of kettles.
async fn surge(house: &House) -> Vec<Uuid> {
    for day in 1..40 {
        received(house, day, KETTLE).await;
    }
    let mut today = Vec::new();
    for _ in 0..12 {
        today.push(received(house, 0, KETTLE).await);
    }
    house.settled().await;
    today
}

async fn all_problems(house: &House) -> Vec<Problem> {
    let listed = problems(house).list_problems(ListProblemsRequest::default()).await.unwrap();
    listed.into_inner().problems
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_asks_once_for_each_problem_that_signals_open_at_two_replicas() {
    let house = house().await;
    settle(&house, 5, hints()).await.unwrap();
    let replica = house.replica(&[feedback::SERVICE]).await;
    let today = surge(&house).await;
    eventually(|| async { all_problems(&house).await.len() == 1 }).await;
    let told: Vec<ProblemTaskRequested> = house.published("feedback").await;
    assert_eq!(told.len(), 1, "more kettles, and so more of all, are one problem: {told:?}");
    for task in &told {
        assert_eq!((task.kind(), task.department_id.as_str()), (ProblemTaskKind::Stock, "warehouse"));
        assert_eq!((task.requester.as_str(), task.instructions.as_str()), ("", "Count what is left."));
        assert!(today.iter().any(|case| case.to_string() == task.case_id), "a case of the surge");
        let kept = only_task(&house, &task.problem_id).await;
        assert_eq!(
            (kept.task_id.as_str(), kept.state()),
            (task.task_id.as_str(), ProblemTaskState::Requested)
        );
    }
    // The surge goes on, and is looked at again and again: nothing more is asked.
    for _ in 0..6 {
        received(&house, 0, KETTLE).await;
    }
    house.settled().await;
    let grown = async || all_problems(&house).await.iter().all(|problem| problem.case_count == 18);
    eventually(|| async { grown().await }).await;
    assert_eq!(all_problems(&house).await.len(), 1);
    assert_eq!(house.published::<ProblemTaskRequested>("feedback").await.len(), 1);
    replica.done().await;
    house.done().await;
}

/// A problem of kettles to which a surge has linked no case, as people took them all out.
async fn without_cases(house: &House) -> (Problem, Vec<Uuid>) {
    settle(house, 10_000, Vec::new()).await.unwrap();
    let today = surge(house).await;
    let opened = open(house, Some(of_product(KETTLE))).await;
    let linked = link(house, &opened, &today).await;
    unlink(house, &linked, &today).await;
    settle(house, 5, hints()).await.unwrap();
    received(house, 0, "toaster").await;
    eventually(|| async { !get(house, &opened.problem_id).await.tasks.is_empty() }).await;
    (get(house, &opened.problem_id).await, today)
}

#[tokio::test]
async fn a_hint_waits_until_a_case_is_linked_and_asks_then() {
    let house = house().await;
    let (problem, today) = without_cases(&house).await;
    let waits = only_task(&house, &problem.problem_id).await;
    assert_eq!(
        (waits.state(), waits.case_id.as_str(), waits.request_time),
        (ProblemTaskState::Waiting, "", None)
    );
    let told = async || {
        let told: Vec<ProblemTaskRequested> = house.published("feedback").await;
        told.into_iter().filter(|told| told.problem_id == problem.problem_id).count()
    };
    assert_eq!(told().await, 0);
    let linked = link(&house, &problem, &today[..1]).await;
    let asked = &linked.tasks[0];
    assert_eq!((asked.state(), asked.case_id.clone()), (ProblemTaskState::Requested, today[0].to_string()));
    assert_eq!((asked.task_id.as_str(), told().await), (waits.task_id.as_str(), 1));
    link(&house, &linked, &today[1..2]).await;
    assert_eq!(told().await, 1);
    house.done().await;
}

#[tokio::test]
async fn what_waits_for_a_case_is_refused_when_its_problem_is_closed() {
    let house = house().await;
    let (problem, _) = without_cases(&house).await;
    let closed = close(&house, &problem).await;
    let task = &closed.tasks[0];
    assert_eq!((task.state(), task.request_time), (ProblemTaskState::Refused, None));
    assert_eq!(task.answer, "the problem was closed before a case was linked");
    house.done().await;
}

#[tokio::test]
async fn hints_are_settled_each_once_and_what_is_wrong_with_them_is_told_at_once() {
    let house = house().await;
    let three = of_product("kettle");
    let three = SignalSeries { category: "a".into(), region: "c".into(), ..three };
    let twice = hint(ProblemTaskKind::Stock, "warehouse", None);
    let wrong = vec![
        SignalHint::default(),
        hint(ProblemTaskKind::Recall, "quality", Some(three)),
        twice.clone(),
        SignalHint { instructions: "x".repeat(2_001), ..twice.clone() },
    ];
    let status = settle(&house, 5, wrong).await.unwrap_err();
    let at = |place: usize, field: &str| format!("settings.hints[{place}]{field}");
    let wrong =
        [at(0, ".kind"), at(0, ".department_id"), at(1, ".series"), at(3, ".instructions"), at(3, "")];
    assert_eq!(violations(&status), wrong);
    let many = settle(&house, 5, vec![twice.clone(); 21]).await.unwrap_err();
    assert_eq!(violations(&many), ["settings.hints"]);
    let made = settle(&house, 5, hints()).await.unwrap();
    assert_eq!(made.hints, hints());
    assert!(settle(&house, 5, Vec::new()).await.unwrap().hints.is_empty());
    house.done().await;
}
