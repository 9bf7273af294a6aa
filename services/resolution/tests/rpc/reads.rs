//! Reading and listing.

use proto::redress::resolution::v1::{
    GetPlanRequest, GetTaskRequest, ListPlansRequest, ListTasksRequest, Plan, RejectPlanRequest, Task,
    TaskState,
};
use testkit::request_id;
use tonic::Code;
use uuid::Uuid;

use crate::world::{Client, World, apology, exchange, invalid, refund, refused};

async fn plans(client: &mut Client, case_id: &str, page_token: &str) -> (Vec<Plan>, String) {
    let request =
        ListPlansRequest { case_id: case_id.to_owned(), page_size: 2, page_token: page_token.to_owned() };
    let answer = client.list_plans(request).await.unwrap().into_inner();
    (answer.plans, answer.next_page_token)
}

#[tokio::test]
async fn a_cases_plans_are_listed_newest_first_page_by_page() {
    let world = World::open().await;
    let case = world.decided_case().await;
    world.proposed(world.decided_case().await, vec![apology("a")]).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        world.house.advance(std::time::Duration::from_secs(1));
        let plan = world.proposed(case, vec![apology("a"), refund("b")]).await;
        if n < 2 {
            let reject = RejectPlanRequest {
                request_id: request_id(),
                plan_id: plan.plan_id.clone(),
                expected_version: None,
                reason: "no".to_owned(),
            };
            world.approver().reject_plan(reject).await.unwrap();
        }
        ids.insert(0, plan.plan_id);
    }
    let case_id = case.to_string();
    let mut handler = world.handler();
    let (first, token) = plans(&mut handler, &case_id, "").await;
    let (second, end) = plans(&mut handler, &case_id, &token).await;
    let listed: Vec<String> = first.iter().chain(&second).map(|plan| plan.plan_id.clone()).collect();
    assert_eq!((first.len(), listed, end.as_str()), (2, ids, ""));
    assert_eq!(first[0].steps.len(), 2);
    assert_eq!(world.plan(&first[0]).await, first[0]);
    let elsewhere = ListPlansRequest { case_id: Uuid::nil().to_string(), page_size: 2, page_token: token };
    invalid(handler.list_plans(elsewhere).await, "INVALID_REQUEST", &["page_token"]);
    world.house.done().await;
}

async fn tasks(world: &World, request: ListTasksRequest) -> Vec<Task> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListTasksRequest { page_size: 2, page_token, ..request.clone() };
        let answer = world.handler().list_tasks(request).await.unwrap().into_inner();
        assert!(answer.tasks.len() <= 2);
        all.extend(answer.tasks);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

#[tokio::test]
async fn tasks_are_listed_by_case_and_by_department_and_state() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a"), refund("b"), refund("c"), exchange("d")]).await;
    world.approved(vec![refund("e")]).await;
    let held = world.poll("finance").await;
    world.complete(&held[0]).await.unwrap();
    let case = ListTasksRequest { case_id: plan.case_id.clone(), ..ListTasksRequest::default() };
    let of_case = tasks(&world, case).await;
    assert_eq!(of_case.len(), 4);
    assert!(of_case.is_sorted_by(|one, next| one.task_id > next.task_id), "newest first");
    let department = ListTasksRequest { department_id: "finance".to_owned(), ..ListTasksRequest::default() };
    let of_department = tasks(&world, department.clone()).await;
    assert_eq!(of_department.len(), 4);
    assert!(of_department.is_sorted_by(|one, next| one.task_id > next.task_id), "whatever their state");
    for (state, count) in [(TaskState::Leased, 3), (TaskState::Completed, 1), (TaskState::Ready, 0)] {
        let listed = tasks(&world, ListTasksRequest { state: state.into(), ..department.clone() }).await;
        assert_eq!(listed.len(), count, "{state:?}");
        assert!(listed.iter().all(|task| task.state() == state));
    }
    world.house.done().await;
}

#[tokio::test]
async fn reads_of_plans_and_tasks_with_bad_arguments_are_refused() {
    let world = World::open().await;
    let mut handler = world.handler();
    let unknown = Uuid::from_u128(7).to_string();
    let plan = |id: &str| GetPlanRequest { plan_id: id.to_owned() };
    let task = |id: &str| GetTaskRequest { task_id: id.to_owned() };
    invalid(handler.get_plan(plan("x")).await, "INVALID_REQUEST", &["plan_id"]);
    invalid(handler.get_task(task("")).await, "INVALID_REQUEST", &["task_id"]);
    refused(handler.get_plan(plan(&unknown)).await, Code::NotFound, "PLAN_NOT_FOUND");
    refused(handler.get_task(task(&unknown)).await, Code::NotFound, "TASK_NOT_FOUND");
    let bad = ListPlansRequest { page_size: -1, ..ListPlansRequest::default() };
    invalid(handler.list_plans(bad).await, "INVALID_REQUEST", &["page_size", "case_id"]);
    let nothing = ListTasksRequest::default();
    invalid(handler.list_tasks(nothing).await, "INVALID_REQUEST", &["case_id"]);
    let without_index = ListTasksRequest { case_id: unknown, state: 1, ..ListTasksRequest::default() };
    invalid(handler.list_tasks(without_index).await, "INVALID_REQUEST", &["state"]);
    let department_id = "finance".to_owned();
    let bad = ListTasksRequest {
        department_id,
        state: 99,
        page_token: "?".to_owned(),
        ..ListTasksRequest::default()
    };
    invalid(handler.list_tasks(bad).await, "INVALID_REQUEST", &["page_token", "state"]);
    world.house.done().await;
}
