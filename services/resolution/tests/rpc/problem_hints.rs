//! What departments are asked about problems: made tasks, answered, given up.

use proto::redress::cases::v1::{CaseClosed, CaseOpened, CaseWithdrawn, CloseReason, Priority};
use proto::redress::event::v1::Event;
use proto::redress::feedback::v1::{ProblemTaskKind, ProblemTaskRequested};
use proto::redress::resolution::v1::{
    CompleteTaskRequest, FailTaskRequest, Lease, ProblemTaskAnswered, ProblemTaskOutcome, ProblemTaskRefused,
    RejectTaskRequest, RemedyKind, RequeueTaskRequest, Task, TaskCompleted, TaskNeedsAttention, TaskResult,
    TaskState,
};
use testkit::request_id;
use uuid::Uuid;

use crate::repeated;
use crate::world::{LEASE, World, invalid, task_id};

fn new_id() -> Uuid {
    Uuid::try_parse(&request_id()).unwrap()
}

fn requested(case: Uuid, department: &str) -> ProblemTaskRequested {
    ProblemTaskRequested {
        task_id: new_id().to_string(),
        problem_id: new_id().to_string(),
        kind: ProblemTaskKind::Stock.into(),
        department_id: department.to_owned(),
        case_id: case.to_string(),
        cycle: 1,
        title: "Kettles leak".to_owned(),
        instructions: "Lot 9 only.".to_owned(),
        requester: "su".to_owned(),
    }
}

async fn tell(world: &World, told: &ProblemTaskRequested) -> Event {
    let problem = Uuid::try_parse(&told.problem_id).unwrap();
    let event = world.house.tell("feedback", problem, told).await;
    world.house.settled().await;
    event
}

fn completion(lease: &Lease, remark: &str) -> CompleteTaskRequest {
    CompleteTaskRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        result: Some(TaskResult { reference: "W-7".into(), remark: remark.to_owned(), ..Default::default() }),
    }
}

async fn complete(world: &World, lease: &Lease, remark: &str) -> Task {
    let answer = world.client("worker").complete_task(completion(lease, remark)).await.unwrap();
    answer.into_inner().task.unwrap()
}

async fn reject(world: &World, lease: &Lease) {
    let request = RejectTaskRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        reason: "not ours".to_owned(),
    };
    world.client("worker").reject_task(request).await.unwrap();
}

async fn give_to(world: &World, id: &str, department: &str) -> Task {
    let request = RequeueTaskRequest {
        request_id: request_id(),
        task_id: id.to_owned(),
        reason: "theirs".to_owned(),
        department_id: department.to_owned(),
    };
    world.client("boss").requeue_task(request).await.unwrap().into_inner().task.unwrap()
}

async fn answers(world: &World) -> Vec<ProblemTaskAnswered> {
    world.house.published::<ProblemTaskAnswered>("resolution").await
}

#[tokio::test]
async fn a_department_has_the_task_once_answers_it_and_that_is_told() {
    let world = World::open().await;
    let case = world.case_decided(1, true).await;
    let told = requested(case, "warehouse");
    let event = tell(&world, &told).await;
    let position = world.house.fake("feedback").head() + 1;
    world.house.tell_raw("feedback", event.clone()).await;
    world.house.tell_raw("feedback", Event { position, ..event }).await;
    world.house.settled().await;
    let lease = world.take("warehouse").await;
    let task = lease.task.clone().unwrap();
    assert_eq!((task.task_id.clone(), task.kind()), (told.task_id.clone(), RemedyKind::ProblemHint));
    assert_eq!((task.problem_id.clone(), task.hint()), (told.problem_id.clone(), ProblemTaskKind::Stock));
    assert_eq!(
        (task.case_id.clone(), task.priority(), task.plan_id.as_str()),
        (case.to_string(), Priority::P1, "")
    );
    assert_eq!((task.requester.as_str(), task.moves_value), ("su", false));
    let words = "Kettles leak: see to the stock of what this is about. Lot 9 only.";
    assert_eq!(task.instructions, words);

    let silent = world.client("worker").complete_task(completion(&lease, " ")).await;
    invalid(silent, "INVALID_RESULT", &["result.remark"]);
    let request = completion(&lease, "a pallet is ordered");
    let mut worker = world.client("worker");
    let change = |other: &mut CompleteTaskRequest| other.lease_token.push('0');
    repeated!(worker, complete_task, request, change);
    let told_back = answers(&world).await;
    assert_eq!(told_back.len(), 1);
    let answer = &told_back[0];
    assert_eq!((answer.task_id.clone(), answer.problem_id.clone()), (told.task_id, told.problem_id));
    assert_eq!((answer.outcome(), answer.answer.as_str()), (ProblemTaskOutcome::Done, "a pallet is ordered"));
    assert_eq!((answer.department_id.as_str(), answer.reference.as_str()), ("warehouse", "W-7"));
    assert_eq!((answer.case_id.clone(), answer.cycle), (case.to_string(), 1));
    assert_eq!(world.published::<TaskCompleted>().await, 0, "it is no step of a plan");
    world.house.done().await;
}

#[tokio::test]
async fn a_case_that_is_not_known_yet_or_has_ended_is_no_reason_not_to_ask() {
    let world = World::open().await;
    let told = requested(new_id(), "warehouse");
    let told =
        ProblemTaskRequested { kind: ProblemTaskKind::Recall.into(), instructions: String::new(), ..told };
    tell(&world, &told).await;
    let case = Uuid::try_parse(&told.case_id).unwrap();
    let opened = CaseOpened { case_id: told.case_id.clone(), cycle: 1, ..CaseOpened::default() };
    world.house.tell("cases", case, &opened).await;
    let gone = CaseWithdrawn {
        case_id: told.case_id.clone(),
        cycle: 1,
        reason: "found it".to_owned(),
        ..CaseWithdrawn::default()
    };
    world.house.tell("cases", case, &gone).await;
    world.house.settled().await;
    let lease = world.take("warehouse").await;
    let task = lease.task.clone().unwrap();
    assert_eq!(
        (task.state(), task.cancel_requested, task.priority()),
        (TaskState::Leased, false, Priority::P3)
    );
    assert_eq!(task.instructions, "Kettles leak: find out whether what this is about must be recalled");
    complete(&world, &lease, "it must not").await;

    let ended = world.decided_case().await;
    let close = CaseClosed { case_id: ended.to_string(), cycle: 1, reason: CloseReason::Staff.into() };
    world.house.tell("cases", ended, &close).await;
    world.house.settled().await;
    tell(&world, &requested(ended, "warehouse")).await;
    complete(&world, &world.take("warehouse").await, "seen to").await;
    let outcomes: Vec<_> = answers(&world).await.iter().map(ProblemTaskAnswered::outcome).collect();
    assert_eq!(outcomes, [ProblemTaskOutcome::Done; 2]);
    world.house.done().await;
}

#[tokio::test]
async fn a_department_that_there_is_not_is_told_and_others_of_the_batch_are_asked() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let (wrong, right) = (requested(case, "nowhere"), requested(case, "outlet"));
    let problem = Uuid::try_parse(&wrong.problem_id).unwrap();
    world.house.tell("feedback", problem, &wrong).await;
    tell(&world, &right).await;
    let refused = world.house.published::<ProblemTaskRefused>("resolution").await;
    let expected = ProblemTaskRefused {
        task_id: wrong.task_id,
        problem_id: wrong.problem_id,
        department_id: "nowhere".to_owned(),
        reason: "DEPARTMENT_NOT_FOUND".to_owned(),
    };
    assert_eq!(refused, [expected]);
    assert_eq!(task_id(&world.take("outlet").await), right.task_id);
    world.house.done().await;
}

#[tokio::test]
async fn who_gives_up_is_told_and_who_is_given_it_answers_under_the_first_id() {
    let world = World::open().await;
    let told = requested(world.decided_case().await, "warehouse");
    tell(&world, &told).await;
    reject(&world, &world.take("warehouse").await).await;
    let second = give_to(&world, &told.task_id, "outlet").await;
    assert_ne!(second.task_id, told.task_id);
    assert_eq!((second.problem_id.clone(), second.hint()), (told.problem_id.clone(), ProblemTaskKind::Stock));
    let lease = world.take("outlet").await;
    let request = FailTaskRequest {
        request_id: request_id(),
        task_id: task_id(&lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        code: "NO_ACCESS".to_owned(),
        message: "the store is closed".to_owned(),
        ..FailTaskRequest::default()
    };
    world.client("worker").fail_task(request).await.unwrap();
    give_to(&world, &second.task_id, "audit").await;
    complete(&world, &world.take("audit").await, "two pallets are left").await;
    let told_back = answers(&world).await;
    let gist = |one: &ProblemTaskAnswered| (one.department_id.clone(), one.outcome(), one.answer.clone());
    let expected = [
        ("warehouse", ProblemTaskOutcome::GivenUp, "not ours"),
        ("outlet", ProblemTaskOutcome::GivenUp, "NO_ACCESS: the store is closed"),
        ("audit", ProblemTaskOutcome::Done, "two pallets are left"),
    ];
    let expected = expected.map(|(who, outcome, answer)| (who.to_owned(), outcome, answer.to_owned()));
    assert_eq!(told_back.iter().map(gist).collect::<Vec<_>>(), expected);
    assert!(told_back.iter().all(|one| one.task_id == told.task_id && one.problem_id == told.problem_id));
    assert_eq!(world.published::<TaskNeedsAttention>().await, 2);
    world.house.done().await;
}

#[tokio::test]
async fn who_did_it_although_it_was_given_to_another_answers_and_the_other_is_not_asked() {
    let world = World::open().await;
    let told = requested(world.decided_case().await, "warehouse");
    tell(&world, &told).await;
    let mut last = world.take("warehouse").await;
    for _ in 1..5 {
        world.house.advance(LEASE);
        last = world.take("warehouse").await;
    }
    world.house.advance(LEASE);
    assert!(world.poll("warehouse").await.is_empty(), "its attempts are used up");
    let told_back = answers(&world).await;
    assert_eq!((told_back.len(), told_back[0].outcome()), (1, ProblemTaskOutcome::GivenUp));
    assert!(!told_back[0].answer.is_empty());
    let second = give_to(&world, &told.task_id, "outlet").await;
    complete(&world, &last, "it was done by then").await;
    let told_back = answers(&world).await;
    let answer = &told_back[1];
    assert_eq!(
        (answer.outcome(), answer.task_id.as_str()),
        (ProblemTaskOutcome::Done, told.task_id.as_str())
    );
    assert_eq!((answer.department_id.as_str(), told_back.len()), ("warehouse", 2));
    assert_eq!(world.task(&second.task_id).await.state(), TaskState::Cancelled);
    assert!(world.poll("outlet").await.is_empty());
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_makes_the_task() {
    let world = World::open().await;
    let replica = world.house.replica(&[resolution::SERVICE]).await;
    let case = world.decided_case().await;
    for _ in 0..8 {
        tell(&world, &requested(case, "warehouse")).await;
    }
    assert_eq!(world.poll("warehouse").await.len(), 8);
    tell(&world, &requested(case, "nowhere")).await;
    assert_eq!(world.published::<ProblemTaskRefused>().await, 1);
    replica.done().await;
    world.house.done().await;
}
