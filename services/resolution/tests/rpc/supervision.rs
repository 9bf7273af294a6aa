//! What is overdue climbs the ladder; how departments stand; tasks by age and time left.

use std::time::{Duration, Instant};

use proto::redress::cases::v1::{CaseDecided, CaseDueTimeChanged};
use proto::redress::resolution::v1::supervision_service_client::SupervisionServiceClient;
use proto::redress::resolution::v1::{
    DepartmentBoard, DepartmentSupervisors, GetDepartmentBoardRequest, GetSupervisionRequest, GetTaskRequest,
    ListTasksRequest, RejectTaskRequest, RequeueTaskRequest, SetSupervisionRequest, Step, Supervision,
    SupervisionLevel, SupervisionRung, SupervisionStep, Task, TaskCompleted, TaskEscalated, TaskOrder,
    TaskOverdue, TaskState,
};
use testkit::{CallerChannel, PATIENCE, request_id};
use tonic::Code;
use uuid::Uuid;

use crate::repeated;
use crate::world::{World, apology, decided, invalid, refund, refused, task_id};

type Client = SupervisionServiceClient<CallerChannel>;

const HOUR: i64 = 3_600;

fn client(world: &World, roles: &[&str]) -> Client {
    Client::new(world.house.channel_as("development", "boss", roles))
}

fn rung(level: SupervisionLevel, seconds: i64) -> SupervisionRung {
    let after_duration = Some(prost_types::Duration { seconds, nanos: 0 });
    SupervisionRung { level: level.into(), after_duration }
}

fn named(department: &str) -> DepartmentSupervisors {
    DepartmentSupervisors {
        department_id: department.to_owned(),
        supervisor_id: "fay".to_owned(),
        head_id: "hal".to_owned(),
    }
}

fn setting(rungs: Vec<SupervisionRung>) -> SetSupervisionRequest {
    let departments = vec![named("finance")];
    SetSupervisionRequest { request_id: request_id(), expected_version: None, rungs, departments }
}

/// The shipped ladder, with people for finance.
fn shipped() -> SetSupervisionRequest {
    setting(vec![
        rung(SupervisionLevel::Department, 0),
        rung(SupervisionLevel::Supervisor, 4 * HOUR),
        rung(SupervisionLevel::Head, 24 * HOUR),
    ])
}

async fn held(world: &World) -> Supervision {
    let request = GetSupervisionRequest {};
    client(world, &["reader"]).get_supervision(request).await.unwrap().into_inner().supervision.unwrap()
}

async fn board(world: &World, department: &str) -> DepartmentBoard {
    let request = GetDepartmentBoardRequest { department_id: department.to_owned() };
    client(world, &["reader"]).get_department_board(request).await.unwrap().into_inner().board.unwrap()
}

async fn steps(world: &World, task: &str) -> Vec<SupervisionStep> {
    let request = GetTaskRequest { task_id: task.to_owned() };
    world.handler().get_task(request).await.unwrap().into_inner().supervision_steps
}

/// A step due so many seconds from now.
async fn due_in(world: &World, seconds: i64, step: Step) -> Step {
    let plan = world.proposed(world.decided_case().await, vec![apology("now")]).await;
    let now = plan.create_time.unwrap();
    Step { due_time: Some(prost_types::Timestamp { seconds: now.seconds + seconds, ..now }), ..step }
}

/// Waits for so many events of a kind: timers fire by themselves.
async fn told<M: prost::Message + prost::Name + Default>(world: &World, expected: usize) -> Vec<M> {
    let started = Instant::now();
    loop {
        let told = world.house.published::<M>("resolution").await;
        if told.len() >= expected || started.elapsed() > PATIENCE {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Lets departments be looked at once more, and then some.
async fn looked_at(world: &World) {
    world.house.advance(Duration::from_secs(61));
    tokio::time::sleep(Duration::from_millis(700)).await;
}

fn level_of(told: &TaskEscalated) -> (SupervisionLevel, &str, i32) {
    (told.level(), told.recipient.as_str(), told.rung)
}

#[tokio::test]
async fn an_overdue_task_is_told_of_once_and_climbs_one_rung_after_the_other() {
    let world = World::open().await;
    client(&world, &["admin"]).set_supervision(shipped()).await.unwrap();
    let step = due_in(&world, HOUR, refund("a")).await;
    let plan = world.approved(vec![step.clone()]).await;
    looked_at(&world).await;
    assert_eq!(world.published::<TaskOverdue>().await, 0, "it is not due");
    world.house.advance(Duration::from_hours(1));
    let first = told::<TaskEscalated>(&world, 1).await;
    assert_eq!(level_of(&first[0]), (SupervisionLevel::Department, "", 1));
    let overdue = told::<TaskOverdue>(&world, 1).await;
    assert_eq!((overdue[0].case_id.as_str(), overdue[0].due_time), (plan.case_id.as_str(), step.due_time));
    world.house.advance(Duration::from_hours(4));
    let second = told::<TaskEscalated>(&world, 2).await;
    assert_eq!(level_of(&second[1]), (SupervisionLevel::Supervisor, "fay", 2));
    // Held by a worker or not: it is overdue.
    world.take("finance").await;
    world.house.advance(Duration::from_hours(20));
    let third = told::<TaskEscalated>(&world, 3).await;
    assert_eq!(level_of(&third[2]), (SupervisionLevel::Head, "hal", 3));
    looked_at(&world).await;
    looked_at(&world).await;
    assert_eq!(world.published::<TaskEscalated>().await, 3, "each rung once");
    assert_eq!(world.published::<TaskOverdue>().await, 1);
    let steps = steps(&world, &plan.steps[0].task_id).await;
    assert_eq!(
        steps.iter().map(|step| (step.rung, step.skipped)).collect::<Vec<_>>(),
        [1, 2, 3].map(|n| (n, false))
    );
    assert!(steps.iter().all(|climbed| climbed.due_time == step.due_time));
    world.house.done().await;
}

#[tokio::test]
async fn after_a_standstill_the_highest_rung_is_told_and_those_below_are_on_record() {
    let world = World::open().await;
    let step = due_in(&world, HOUR, refund("a")).await;
    let plan = world.approved(vec![step]).await;
    world.house.advance(Duration::from_hours(30));
    let escalated = told::<TaskEscalated>(&world, 1).await;
    assert_eq!(level_of(&escalated[0]), (SupervisionLevel::Head, "", 3), "as shipped, nobody is named");
    looked_at(&world).await;
    assert_eq!(world.published::<TaskEscalated>().await, 1);
    assert_eq!(world.published::<TaskOverdue>().await, 1);
    let steps = steps(&world, &plan.steps[0].task_id).await;
    let kept: Vec<_> = steps.iter().map(|step| (step.rung, step.skipped)).collect();
    assert_eq!(kept, [(1, true), (2, true), (3, false)]);
    world.house.done().await;
}

#[tokio::test]
async fn what_is_done_in_time_or_has_no_due_time_is_never_told_of() {
    let world = World::open().await;
    let due = due_in(&world, HOUR, refund("a")).await;
    world.approved(vec![due]).await;
    world.approved(vec![apology("whenever")]).await;
    let lease = world.take("finance").await;
    world.house.advance(Duration::from_secs(30));
    world.complete(&lease).await.unwrap();
    world.house.advance(Duration::from_hours(100));
    looked_at(&world).await;
    assert_eq!(world.published::<TaskOverdue>().await, 0);
    assert_eq!(world.published::<TaskEscalated>().await, 0);
    world.house.done().await;
}

#[tokio::test]
async fn a_later_due_time_begins_anew() {
    let world = World::open().await;
    let case = Uuid::try_parse(&request_id()).unwrap();
    let due = due_in(&world, HOUR, refund("a")).await.due_time.unwrap();
    let decided = CaseDecided { due_time: Some(due), ..decided(case, 1, 3, true) };
    world.house.tell("cases", case, &decided).await;
    world.house.settled().await;
    let plan = world.approved_for(case, vec![refund("a")]).await;
    world.house.advance(Duration::from_hours(2));
    told::<TaskEscalated>(&world, 1).await;
    let later = prost_types::Timestamp { seconds: due.seconds + 3 * HOUR, ..due };
    let extended =
        CaseDueTimeChanged { case_id: case.to_string(), cycle: 1, due_time: Some(later), number: 1 };
    world.house.tell("cases", case, &extended).await;
    world.house.settled().await;
    assert_eq!(board(&world, "finance").await.overdue, 0, "it has more time");
    world.house.advance(Duration::from_hours(3));
    let overdue = told::<TaskOverdue>(&world, 2).await;
    assert_eq!(overdue.iter().map(|told| told.due_time).collect::<Vec<_>>(), [Some(due), Some(later)]);
    told::<TaskEscalated>(&world, 2).await;
    let steps = steps(&world, &plan.steps[0].task_id).await;
    assert_eq!(
        steps.iter().map(|step| step.rung).collect::<Vec<_>>(),
        [1, 1],
        "the first rung, for each due time"
    );
    world.house.done().await;
}

#[tokio::test]
async fn more_that_is_overdue_than_is_told_at_a_time_is_told_soon_after() {
    let world = World::open().await;
    for _ in 0..11 {
        let mut steps = Vec::new();
        let first = due_in(&world, HOUR, refund("s")).await;
        for number in 0..50 {
            steps.push(Step { step_id: format!("s{number}"), ..first.clone() });
        }
        world.approved(steps).await;
    }
    world.house.advance(Duration::from_mins(61));
    told::<TaskOverdue>(&world, 500).await;
    world.house.advance(Duration::from_secs(2));
    assert_eq!(told::<TaskOverdue>(&world, 550).await.len(), 550);
    assert_eq!(board(&world, "finance").await.overdue, 550);
    world.house.done().await;
}

#[tokio::test]
async fn a_ladder_is_set_once_by_who_has_seen_it() {
    let world = World::identified().await;
    let mut admin = client(&world, &["admin"]);
    let before = held(&world).await;
    assert_eq!((before.version, &before.rungs), (0, &shipped().rungs), "the shipped ladder");
    let one = || setting(vec![rung(SupervisionLevel::Head, 60)]);
    let set = repeated!(admin, set_supervision, one(), |other: &mut SetSupervisionRequest| {
        other.departments.clear();
    });
    assert_eq!(set.supervision.as_ref().unwrap(), &held(&world).await);
    assert_eq!(held(&world).await.departments, [named("finance")]);
    for (seen, stands) in [(0, false), (2, false), (1, true), (1, false)] {
        let request = SetSupervisionRequest { expected_version: Some(seen), ..setting(Vec::new()) };
        let answer = admin.set_supervision(request).await;
        if stands {
            assert_eq!(answer.unwrap().into_inner().supervision.unwrap().version, 2);
        } else {
            refused(answer, Code::Aborted, "VERSION_MISMATCH");
        }
    }
    let other = Client::new(world.house.channel_as("other", "boss", &["reader"]))
        .get_supervision(GetSupervisionRequest {})
        .await;
    assert_eq!(other.unwrap().into_inner().supervision.unwrap(), before, "another tenant's is its own");
    let supervisor = client(&world, &["supervisor"]).set_supervision(one()).await;
    refused(supervisor, Code::PermissionDenied, "ROLE_REQUIRED");
    world.house.done().await;
}

#[tokio::test]
async fn everything_wrong_with_a_ladder_is_said_at_once() {
    let world = World::open().await;
    let mut admin = client(&world, &["admin"]);
    let request = SetSupervisionRequest {
        request_id: String::new(),
        expected_version: None,
        rungs: vec![
            rung(SupervisionLevel::Unspecified, 0),
            rung(SupervisionLevel::Head, 60),
            rung(SupervisionLevel::Head, 60),
            rung(SupervisionLevel::Head, -1),
            rung(SupervisionLevel::Head, 366 * 24 * HOUR),
            SupervisionRung { level: 1, after_duration: None },
        ],
        departments: vec![named("finance"), named("finance"), named("No Such")],
    };
    let fields = [
        "request_id",
        "rungs[0].level",
        "rungs[2].after_duration",
        "rungs[3].after_duration",
        "rungs[4].after_duration",
        "rungs[5].after_duration",
        "departments[1].department_id",
        "departments[2].department_id",
    ];
    invalid(admin.set_supervision(request).await, "INVALID_SUPERVISION", &fields);
    let eleven = (0..11).map(|seconds| rung(SupervisionLevel::Head, seconds)).collect();
    invalid(admin.set_supervision(setting(eleven)).await, "INVALID_SUPERVISION", &["rungs"]);
    assert_eq!(held(&world).await.version, 0, "nothing is stored");
    world.house.done().await;
}

/// Has a task handed back and given to a department again, so many times.
async fn handed_back(world: &World, times: usize) -> String {
    world.approved(vec![refund("loop")]).await;
    let mut department = "finance";
    let mut task = String::new();
    for _ in 0..times {
        let lease = world.take(department).await;
        let reject = RejectTaskRequest {
            request_id: request_id(),
            task_id: task_id(&lease).to_owned(),
            lease_token: lease.lease_token.clone(),
            reason: "not ours".to_owned(),
        };
        world.client("worker").reject_task(reject).await.unwrap();
        department = "audit";
        let requeue = RequeueTaskRequest {
            request_id: request_id(),
            task_id: task_id(&lease).to_owned(),
            department_id: department.to_owned(),
            reason: "theirs".to_owned(),
        };
        let given = world.client("boss").requeue_task(requeue).await.unwrap().into_inner().task;
        task = given.unwrap().task_id;
    }
    task
}

#[tokio::test]
async fn a_board_shows_what_waits_what_is_overdue_and_what_goes_to_and_fro() {
    let world = World::open().await;
    let task = handed_back(&world, 2).await;
    let audit = board(&world, "audit").await;
    assert_eq!((audit.looping, audit.overdue, audit.least_due_time), (1, 0, None));
    assert_eq!(audit.oldest_create_time, world.task(&task).await.create_time);
    assert_eq!(audit.queue.unwrap().ready, 1);

    let soon = due_in(&world, HOUR, refund("soon")).await;
    let later = due_in(&world, 40 * HOUR, refund("later")).await;
    world.approved(vec![soon.clone(), later.clone()]).await;
    assert_eq!(board(&world, "finance").await.least_due_time, soon.due_time);
    // Overdue at once; told a minute later at most.
    world.house.advance(Duration::from_mins(61));
    assert_eq!(board(&world, "finance").await.overdue, 1);
    told::<TaskEscalated>(&world, 1).await;
    let finance = board(&world, "finance").await;
    assert_eq!((finance.overdue, finance.looping, finance.least_due_time), (1, 0, soon.due_time));
    let counts: Vec<_> = finance.supervision_counts.iter().map(|told| (told.level(), told.count)).collect();
    assert_eq!(counts, [(SupervisionLevel::Department, 1)]);
    world.house.done().await;
}

#[tokio::test]
async fn a_board_is_of_a_department_that_there_is_and_for_who_may_see_it() {
    let world = World::identified().await;
    let of = |department: &str| GetDepartmentBoardRequest { department_id: department.to_owned() };
    let mut reader = client(&world, &["reader"]);
    refused(reader.get_department_board(of("nowhere")).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    invalid(reader.get_department_board(of("")).await, "INVALID_REQUEST", &["department_id"]);
    let mut theirs = Client::new(world.house.channel_as("other", "boss", &["reader"]));
    refused(theirs.get_department_board(of("finance")).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let mut bound = client(&world, &["department-worker:warehouse"]);
    refused(bound.get_department_board(of("finance")).await, Code::PermissionDenied, "ROLE_REQUIRED");
    bound.get_department_board(of("warehouse")).await.unwrap();
    world.house.done().await;
}

async fn listed(world: &World, request: ListTasksRequest) -> Vec<Task> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListTasksRequest { page_size: 2, page_token, ..request.clone() };
        let answer = world.handler().list_tasks(request).await.unwrap().into_inner();
        all.extend(answer.tasks);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

#[tokio::test]
async fn tasks_of_a_department_are_listed_by_age_by_the_time_left_and_by_being_handed_back() {
    let world = World::open().await;
    let task = handed_back(&world, 2).await;
    let mut steps = Vec::new();
    for (id, due) in [("c", 3 * HOUR), ("a", HOUR), ("e", 30 * HOUR), ("b", HOUR + 1), ("d", 9 * HOUR)] {
        steps.push(due_in(&world, due, refund(id)).await);
    }
    world.approved(steps).await;
    world.approved(vec![refund("never-due")]).await;
    world.house.advance(Duration::from_mins(61));
    told::<TaskEscalated>(&world, 2).await;
    let of = |order: TaskOrder| ListTasksRequest {
        department_id: "finance".to_owned(),
        order: order.into(),
        ..ListTasksRequest::default()
    };
    let slack = listed(&world, of(TaskOrder::LeastSlack)).await;
    let order: Vec<&str> = slack.iter().map(|task| task.step_id.as_str()).collect();
    assert_eq!(order, ["a", "b", "c", "d", "e"], "told of or not");
    let oldest = listed(&world, of(TaskOrder::Oldest)).await;
    assert_eq!(oldest.len(), 7, "whatever their state: one was given away");
    assert!(oldest.is_sorted_by(|one, next| one.task_id < next.task_id));
    let ready = ListTasksRequest { state: TaskState::Ready.into(), ..of(TaskOrder::LeastSlack) };
    assert_eq!(listed(&world, ready).await.len(), 5);
    let leased = ListTasksRequest { state: TaskState::Leased.into(), ..of(TaskOrder::LeastSlack) };
    assert_eq!(listed(&world, leased).await.len(), 0);
    let looping =
        ListTasksRequest { department_id: "audit".to_owned(), looping: true, ..of(TaskOrder::Unspecified) };
    let going: Vec<String> = listed(&world, looping).await.into_iter().map(|task| task.task_id).collect();
    assert_eq!(going, [task]);

    let mut handler = world.handler();
    let bad = ListTasksRequest { order: 9, ..of(TaskOrder::Unspecified) };
    invalid(handler.list_tasks(bad).await, "INVALID_REQUEST", &["order"]);
    let bad = ListTasksRequest { looping: true, state: 1, ..of(TaskOrder::Oldest) };
    invalid(handler.list_tasks(bad).await, "INVALID_REQUEST", &["looping"]);
    let bad = ListTasksRequest { state: TaskState::Completed.into(), ..of(TaskOrder::LeastSlack) };
    invalid(handler.list_tasks(bad).await, "INVALID_REQUEST", &["state"]);
    let bad =
        ListTasksRequest { case_id: request_id(), order: 1, looping: true, ..ListTasksRequest::default() };
    invalid(handler.list_tasks(bad).await, "INVALID_REQUEST", &["order", "looping", "looping"]);
    world.house.done().await;
}

#[tokio::test]
async fn a_completion_tells_how_long_a_task_waited_and_whether_it_was_in_time() {
    let world = World::open().await;
    let step = due_in(&world, HOUR, refund("a")).await;
    let plan = world.approved(vec![step.clone()]).await;
    world.house.advance(Duration::from_mins(5));
    let first = world.take("finance").await;
    world.house.advance(Duration::from_mins(10));
    let second = world.take("finance").await;
    assert_ne!(first.lease_token, second.lease_token);
    world.house.advance(Duration::from_secs(30));
    world.complete(&second).await.unwrap();
    let told = &world.house.published::<TaskCompleted>("resolution").await[0];
    let seconds = |time: Option<prost_types::Timestamp>| time.unwrap().seconds;
    let created = seconds(told.create_time);
    assert_eq!(seconds(told.first_lease_time) - created, 300, "the first hand-out counts");
    assert_eq!(seconds(told.complete_time) - created, 930);
    assert_eq!(told.due_time, step.due_time);
    let task = world.task(&plan.steps[0].task_id).await;
    assert_eq!((task.create_time, task.first_lease_time), (told.create_time, told.first_lease_time));
    world.house.done().await;
}
