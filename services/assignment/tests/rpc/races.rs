//! Many at once: capacity is never exceeded, nothing is taken twice, nothing is
//! forgotten in a queue.

use std::collections::HashSet;

use futures::future::join_all;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{
    ClaimNextRequest, DeclineAssignmentRequest, TransferCaseRequest, UpdateAgentRequest,
};
use sqlx::PgConnection;
use testkit::{reason, request_id};
use tonic::Status;

use crate::{World, agent, assign, new_case, opened, resolved};

/// Agents whose load is not the number of cases they hold, or exceeds capacity.
pub(crate) async fn wrong_loads(owner: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT format('%s: load %s of %s, holds %s', agent_id, load, capacity, held)
         FROM assignment.agent CROSS JOIN LATERAL (
             SELECT count(*) AS held FROM assignment.assignment
             WHERE assignment.agent_id = agent.agent_id AND state IN (2, 3)) AS held
         WHERE load <> held OR load > capacity",
    )
    .fetch_all(owner)
    .await
    .unwrap()
}

/// What the losers of a race may be told.
fn is_lawful(refused: &Status) -> bool {
    ["NO_CAPACITY", "NOT_WAITING", "TRANSACTION_CONFLICT"].contains(&reason(refused).as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_agent_is_never_given_more_than_they_can_hold() {
    let mut world = World::with_delivery().await;
    world.puller("ann", "delivery", 7).await;
    let mut cases = Vec::new();
    for _ in 0..40 {
        let case = new_case();
        world.house.tell("cases", case, &opened("delivery")).await;
        cases.push(case);
    }
    world.house.settled().await;
    let calls = cases.iter().enumerate().map(|(i, case)| {
        let (mut client, case) = (world.client.clone(), *case);
        async move {
            if i % 2 == 0 {
                client.assign_case(assign(case, "ann")).await.map(|answer| answer.into_inner().assignment)
            } else {
                let claim = ClaimNextRequest { request_id: request_id(), agent_id: "ann".to_owned() };
                client.claim_next(claim).await.map(|answer| answer.into_inner().assignment)
            }
        }
    });
    let answers = join_all(calls).await;
    let taken: Vec<String> = answers.iter().flatten().flatten().map(|taken| taken.case_id.clone()).collect();
    assert_eq!(taken.len(), 7);
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 7, "no case is taken twice");
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(is_lawful(refused), "{refused:?}");
    }
    assert_eq!(world.load("ann").await, 7);
    assert_eq!(world.queue("delivery").await.len(), 33);
    assert_eq!(wrong_loads(&mut world.house.owner().await).await, Vec::<String>::new());
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_everything_at_once_leaves_the_books_right_and_no_room_beside_a_queue() {
    let mut world = World::with_delivery().await;
    world.department("finance", &["billing"]).await;
    for (id, department) in [("ann", "delivery"), ("bo", "delivery"), ("cy", "finance"), ("di", "finance")] {
        world.agent(id, department, 4).await;
    }
    let mut cases = Vec::new();
    for i in 0..60 {
        let case = new_case();
        world.house.tell("cases", case, &opened(["delivery", "billing"][i % 2])).await;
        cases.push(case);
    }
    let transfers = cases.iter().enumerate().map(|(i, case)| {
        let (mut client, case) = (world.client.clone(), *case);
        let request = TransferCaseRequest {
            request_id: request_id(),
            case_id: case.to_string(),
            department_id: ["finance", "delivery"][i % 2].to_owned(),
            reason: "to and fro".to_owned(),
            ..TransferCaseRequest::default()
        };
        async move { client.transfer_case(request).await.map(|_| ()) }
    });
    let resizes = (0..12).map(|i| {
        let mut client = world.client.clone();
        let (id, department) = [("ann", "delivery"), ("cy", "finance")][i % 2];
        let agent = agent(id, department, 4 + i32::try_from(i % 3).unwrap());
        let request =
            UpdateAgentRequest { request_id: request_id(), agent: Some(agent), expected_version: None };
        async move { client.update_agent(request).await.map(|_| ()) }
    });
    let endings = async {
        for case in cases.iter().take(20) {
            world.house.tell("cases", *case, &resolved(*case, 1)).await;
            tokio::task::yield_now().await;
        }
    };
    let (transfers, resizes, ()) = tokio::join!(join_all(transfers), join_all(resizes), endings);
    for refused in transfers.into_iter().chain(resizes).filter_map(Result::err) {
        let known = ["ASSIGNMENT_NOT_FOUND", "ASSIGNMENT_RELEASED", "TRANSACTION_CONFLICT"];
        assert!(known.contains(&reason(&refused).as_str()), "{refused:?}");
    }
    world.house.settled().await;
    for (id, department) in [("ann", "delivery"), ("cy", "finance")] {
        world.update_agent(agent(id, department, 9)).await;
    }
    assert_eq!(wrong_loads(&mut world.house.owner().await).await, Vec::<String>::new());
    for (one, other, department) in [("ann", "bo", "delivery"), ("cy", "di", "finance")] {
        let room = 9 + 4 - world.load(one).await - world.load(other).await;
        assert!(room == 0 || world.queue(department).await.is_empty(), "{department}: room {room}");
    }
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_while_cases_begin_to_wait_sees_them_all() {
    let mut world = World::open().await;
    for round in 0..10 {
        let category = format!("c{round}");
        let department = format!("d{round}");
        let cases: Vec<_> = (0..20).map(|_| new_case()).collect();
        let telling = async {
            for case in &cases {
                world.house.tell("cases", *case, &opened(&category)).await;
                tokio::task::yield_now().await;
            }
        };
        let (mut client, made) = (world.client.clone(), crate::department(&department, &[&category]));
        let joining = async {
            let request = proto::redress::assignment::v1::CreateDepartmentRequest {
                request_id: request_id(),
                department: Some(made),
            };
            client.create_department(request).await.unwrap();
            let request = proto::redress::assignment::v1::CreateAgentRequest {
                request_id: request_id(),
                agent: Some(agent(&format!("a{round}"), &department, 50)),
            };
            client.create_agent(request).await.unwrap();
        };
        tokio::join!(telling, joining);
        world.house.settled().await;
        assert_eq!(world.load(&format!("a{round}")).await, 20);
    }
    assert!(world.queue("").await.is_empty());
    world.house.done().await;
}

/// Agents of the race of two replicas, and what each can hold.
const RACERS: [(&str, i32); 4] = [("ann", 3), ("bo", 5), ("cy", 1), ("di", 7)];
/// How many call at once.
const ASSIGNERS: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_assigners_over_two_replicas_exceed_no_capacity_and_lose_nothing() {
    let mut world = World::with_delivery().await;
    for (agent, capacity) in RACERS {
        world.puller(agent, "delivery", capacity).await;
    }
    let mut cases = Vec::new();
    for _ in 0..ASSIGNERS {
        let case = new_case();
        world.house.tell("cases", case, &opened("delivery")).await;
        cases.push(case);
    }
    world.house.settled().await;
    let replica = world.house.replica(&[assignment::SERVICE]).await;
    let beside = AssignmentServiceClient::new(replica.channel());
    let calls = cases.iter().enumerate().map(|(i, case)| {
        let (mut client, case) = (if i % 2 == 0 { world.client.clone() } else { beside.clone() }, *case);
        let agent = RACERS[i / 4 % RACERS.len()].0;
        async move {
            match i % 4 {
                0 | 1 => {
                    client.assign_case(assign(case, agent)).await.map(|answer| answer.into_inner().assignment)
                }
                2 => client
                    .claim_next(ClaimNextRequest { request_id: request_id(), agent_id: agent.to_owned() })
                    .await
                    .map(|answer| answer.into_inner().assignment),
                _ => {
                    let decline = DeclineAssignmentRequest {
                        request_id: request_id(),
                        case_id: case.to_string(),
                        expected_version: None,
                        agent_id: agent.to_owned(),
                        reason: "too much".to_owned(),
                    };
                    client.decline_assignment(decline).await.map(|answer| answer.into_inner().assignment)
                }
            }
        }
    });
    for refused in join_all(calls).await.into_iter().filter_map(Result::err) {
        assert!(is_lawful(&refused) || reason(&refused) == "NOT_ASSIGNED_TO_AGENT", "{refused:?}");
    }
    assert_eq!(wrong_loads(&mut world.house.owner().await).await, Vec::<String>::new());
    // Both give out what is left, as much as there is room for.
    let resizes = RACERS.iter().enumerate().map(|(i, (id, capacity))| {
        let mut client = if i % 2 == 0 { world.client.clone() } else { beside.clone() };
        let request = UpdateAgentRequest {
            request_id: request_id(),
            agent: Some(agent(id, "delivery", capacity + 2)),
            expected_version: None,
        };
        async move { client.update_agent(request).await.map(drop) }
    });
    for refused in join_all(resizes).await.into_iter().filter_map(Result::err) {
        assert_eq!(reason(&refused), "TRANSACTION_CONFLICT");
    }
    for (id, capacity) in RACERS {
        world.update_agent(agent(id, "delivery", capacity + 2)).await;
        assert_eq!(world.load(id).await, capacity + 2, "{id} has room while cases wait");
    }
    let held: i32 = RACERS.iter().map(|(_, capacity)| capacity + 2).sum();
    let waiting = world.queue("delivery").await.len();
    assert_eq!(waiting + usize::try_from(held).unwrap(), ASSIGNERS);
    assert_eq!(wrong_loads(&mut world.house.owner().await).await, Vec::<String>::new());
    replica.done().await;
    world.house.done().await;
}
