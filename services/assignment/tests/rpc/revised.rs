//! What is done when it turns out that a case is about something else, or is more
//! or less urgent.

use futures::future::join_all;
use proto::redress::assignment::v1::{
    AcceptCaseRequest, AssignmentState, ClaimNextRequest, TransferCaseRequest,
};
use proto::redress::cases::v1::{
    CaseCategorised, CaseMerged, CaseOpened, CasePriorityRaised, CaseRetriaged, CaseUnmerged, Priority,
};
use proto::redress::event::v1::Event;
use testkit::{reason, request_id};
use uuid::Uuid;

use crate::races::wrong_loads;
use crate::{World, agent, new_case, opened, reopened, resolved, state};

fn categorised(case: Uuid, category: &str, ordinal: i32) -> CaseCategorised {
    CaseCategorised {
        case_id: case.to_string(),
        cycle: 1,
        category: category.to_owned(),
        ordinal,
        ..CaseCategorised::default()
    }
}

fn retriaged(case: Uuid, category: &str, priority: Priority, ordinal: i32) -> CaseRetriaged {
    let (case_id, category) = (case.to_string(), category.to_owned());
    CaseRetriaged { case_id, cycle: 1, category, priority: priority.into(), ordinal }
}

fn accept(case: Uuid, agent: &str) -> AcceptCaseRequest {
    AcceptCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        agent_id: agent.to_owned(),
    }
}

fn to_department(case: Uuid, department: &str) -> TransferCaseRequest {
    TransferCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        department_id: department.to_owned(),
        reason: "theirs".to_owned(),
        ..TransferCaseRequest::default()
    }
}

impl World {
    /// Deliveries and bills, an agent with room for one case each.
    async fn with_two_departments() -> Self {
        let mut world = Self::with_delivery().await;
        world.department("finance", &["billing"]).await;
        world.agent("ann", "delivery", 1).await;
        world.agent("cy", "finance", 1).await;
        world
    }

    async fn tell_category(&self, case: Uuid, category: &str, ordinal: i32) -> Event {
        let event = self.house.tell("cases", case, &categorised(case, category, ordinal)).await;
        self.house.settled().await;
        event
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_nobody_has_accepted_goes_to_the_department_it_belongs_to() {
    let mut world = World::with_two_departments().await;
    let (wrong, waiting) = (world.case("delivery").await, world.case("delivery").await);
    assert_eq!((world.handler(wrong).await.as_str(), world.handler(waiting).await.as_str()), ("ann", ""));
    world.tell_category(wrong, "billing/refund", 4).await;
    let now = world.assignment(wrong).await;
    assert_eq!((now.department_id.as_str(), now.agent_id.as_str()), ("finance", "cy"));
    assert_eq!((now.transfers, now.category.as_str()), (0, "billing/refund"));
    let why = "taken from ann, it is about something else: finance takes billing/refund; cy is the only one";
    assert!(now.explanation.starts_with(why), "{}", now.explanation);
    // The room it left is filled, and both are told.
    assert_eq!(world.handler(waiting).await, "ann");
    let told = world.told_assigned().await;
    let told: Vec<_> = told.iter().map(|told| (told.case_id.clone(), told.agent_id.as_str())).collect();
    assert_eq!(told[1..], [(wrong.to_string(), "cy"), (waiting.to_string(), "ann")]);
    assert_eq!((world.load("ann").await, world.load("cy").await), (1, 1));

    // One that waits leaves the queue for the other, and waits there for room.
    let third = world.case("delivery").await;
    world.tell_category(third, "billing", 4).await;
    assert!(world.queue("delivery").await.is_empty());
    assert_eq!(world.queue("finance").await, [third.to_string()]);
    let queued = world.told_queued().await;
    assert_eq!(queued.last().unwrap().department_id, "finance");
    world.resolved(wrong, 1).await;
    assert_eq!(world.handler(third).await, "cy");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_accepted_a_case_keeps_it_and_the_next_cycle_goes_by_what_it_is_about() {
    let mut world = World::with_two_departments().await;
    let case = world.case("delivery").await;
    world.client.accept_case(accept(case, "ann")).await.unwrap();
    let told = world.house.published_by("assignment").await.len();
    world.tell_category(case, "billing", 5).await;
    let now = world.assignment(case).await;
    assert_eq!((state(&now), now.agent_id.as_str()), (AssignmentState::Accepted, "ann"));
    assert_eq!((now.department_id.as_str(), now.category.as_str()), ("delivery", "billing"));
    assert_eq!(world.house.published_by("assignment").await.len(), told, "nothing has changed for others");
    world.resolved(case, 1).await;
    let next = proto::redress::cases::v1::CaseReopened {
        category: "billing".to_owned(),
        ..reopened(case, 2, "ann")
    };
    world.house.tell("cases", case, &next).await;
    world.house.settled().await;
    assert_eq!(world.handler(case).await, "cy");
    // Of the cycle before: nothing.
    world.tell_category(case, "delivery", 9).await;
    assert_eq!((world.handler(case).await.as_str(), world.load("ann").await), ("cy", 0));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_people_have_put_a_case_it_stays_while_its_department_is_the_same() {
    let mut world = World::with_two_departments().await;
    let case = world.case("delivery").await;
    world.client.transfer_case(to_department(case, "finance")).await.unwrap();
    assert_eq!(world.handler(case).await, "cy");
    let before = world.assignment(case).await;
    world.tell_category(case, "delivery", 4).await;
    // Confirmed: heard, and nothing else.
    let confirmed = world.assignment(case).await;
    assert_eq!((confirmed.agent_id, confirmed.explanation), (before.agent_id, before.explanation.clone()));
    world.tell_category(case, "delivery/late", 5).await;
    world.tell_category(case, "warranty", 6).await;
    let now = world.assignment(case).await;
    assert_eq!((now.agent_id.as_str(), now.category.as_str()), ("cy", "warranty"), "nobody takes that");
    world.tell_category(case, "billing", 7).await;
    assert_eq!(world.assignment(case).await.explanation, before.explanation, "it is there already");
    world.tell_category(case, "delivery", 8).await;
    assert_eq!(world.handler(case).await, "ann");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_department_goes_where_it_belongs() {
    let mut world = World::with_two_departments().await;
    let case = world.case("warranty").await;
    assert_eq!(world.queue("").await, [case.to_string()]);
    world.tell_category(case, "billing", 4).await;
    assert!(world.queue("").await.is_empty());
    assert_eq!(world.handler(case).await, "cy");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn triaged_anew_a_case_changes_its_place_and_nothing_else_moves() {
    let mut world = World::with_two_departments().await;
    let held = world.case("delivery").await;
    let cases = [world.case("delivery").await, world.case("delivery").await, world.case("delivery").await];
    let order = |order: [usize; 3]| order.map(|at| cases[at].to_string());
    assert_eq!(world.queue("delivery").await, order([0, 1, 2]));
    let told = world.house.published_by("assignment").await.len();
    let house = &world.house;
    house.tell("cases", cases[2], &retriaged(cases[2], "delivery", Priority::P1, 3)).await;
    house.tell("cases", cases[0], &retriaged(cases[0], "delivery/late", Priority::P4, 3)).await;
    house.tell("cases", held, &retriaged(held, "delivery", Priority::P4, 4)).await;
    house.settled().await;
    assert_eq!(world.queue("delivery").await, order([2, 1, 0]));
    let low = world.assignment(cases[0]).await;
    assert_eq!((low.priority(), low.category.as_str()), (Priority::P4, "delivery/late"));
    let kept = world.assignment(held).await;
    assert_eq!((kept.agent_id.as_str(), kept.priority()), ("ann", Priority::P4));
    assert_eq!(world.house.published_by("assignment").await.len(), told, "others know");
    // Lowered again below who was never raised: oldest first within priority.
    world.house.tell("cases", cases[2], &retriaged(cases[2], "delivery", Priority::P3, 5)).await;
    world.house.settled().await;
    assert_eq!(world.queue("delivery").await, order([1, 2, 0]));
    world.resolved(held, 1).await;
    assert_eq!(world.handler(cases[1]).await, "ann");
    // Found to be another department's: there it goes.
    world.house.tell("cases", cases[0], &retriaged(cases[0], "billing", Priority::P4, 6)).await;
    world.house.settled().await;
    assert_eq!(world.handler(cases[0]).await, "cy");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_or_again_has_no_effect() {
    let mut world = World::with_two_departments().await;
    let case = world.case("delivery").await;
    let raised = CasePriorityRaised {
        case_id: case.to_string(),
        cycle: 1,
        priority: Priority::P1.into(),
        reason: String::new(),
        ordinal: 4,
    };
    let mut events = vec![
        world.tell_category(case, "billing", 3).await,
        world.house.tell("cases", case, &raised).await,
        world.tell_category(case, "delivery", 5).await,
        world.house.tell("cases", case, &retriaged(case, "delivery", Priority::P4, 6)).await,
    ];
    world.house.settled().await;
    let (stored, told) = (world.assignment(case).await, world.house.published_by("assignment").await);
    assert_eq!((stored.agent_id.as_str(), stored.priority()), ("ann", Priority::P4));
    events.reverse();
    for event in events {
        // As it was, and as a producer that lost count would: under a new position.
        world.house.tell_raw("cases", event.clone()).await;
        let position = world.house.fake("cases").head() + 1;
        world.house.tell_raw("cases", Event { position, ..event }).await;
    }
    let unknown = new_case();
    world.house.tell("cases", unknown, &categorised(unknown, "billing", 3)).await;
    world.house.settled().await;
    assert_eq!(world.assignment(case).await, stored);
    assert_eq!(world.house.published_by("assignment").await, told);
    assert_eq!((world.load("ann").await, world.load("cy").await), (1, 0));
    world.resolved(case, 1).await;
    world.tell_category(case, "billing", 9).await;
    assert_eq!(state(&world.assignment(case).await), AssignmentState::Released);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_case_is_known_better_when_it_comes_back() {
    let mut world = World::with_two_departments().await;
    let (held, case) = (world.case("delivery").await, world.case("delivery").await);
    let older = world.case("delivery").await;
    let merged = CaseMerged { case_id: older.to_string(), cycle: 1, ..CaseMerged::default() };
    world.house.tell("cases", older, &merged).await;
    world.house.tell("cases", older, &retriaged(older, "delivery/late", Priority::P1, 5)).await;
    let unmerged = CaseUnmerged { case_id: older.to_string(), cycle: 1, ..CaseUnmerged::default() };
    world.house.tell("cases", older, &unmerged).await;
    world.house.settled().await;
    assert_eq!(world.queue("delivery").await, [older, case].map(|case| case.to_string()));
    assert_eq!(world.assignment(older).await.category, "delivery/late");
    assert_eq!(world.handler(held).await, "ann");
    world.house.done().await;
}

/// In peace again, one more correction brings each case nobody has accepted home.
async fn all_come_home(world: &mut World, cases: &[Uuid], categories: [&str; 2]) {
    for (i, case) in cases.iter().enumerate() {
        for (ordinal, category) in [(7, categories[i % 2]), (8, categories[(i + 1) % 2])] {
            world.house.tell("cases", *case, &categorised(*case, category, ordinal)).await;
        }
    }
    world.house.settled().await;
    for (i, case) in cases.iter().enumerate() {
        let now = world.assignment(*case).await;
        let home = ["finance", "delivery"][i % 2];
        assert!(state(&now) == AssignmentState::Accepted || now.department_id == home, "{now:?}");
    }
}

/// People accept, claim and hand on while categories are corrected to and fro.
#[tokio::test(flavor = "multi_thread")]
async fn corrections_race_with_people_and_the_books_stay_right() {
    let mut world = World::with_two_departments().await;
    for (id, department) in [("bo", "delivery"), ("di", "finance")] {
        world.agent(id, department, 3).await;
    }
    let categories = ["delivery", "billing"];
    let mut cases = Vec::new();
    for i in 0..24 {
        let case = new_case();
        world.house.tell("cases", case, &opened(categories[i % 2])).await;
        cases.push(case);
    }
    let corrections = async {
        for ordinal in 4..7_i32 {
            for (i, case) in cases.iter().enumerate() {
                let category = categories[(i + usize::try_from(ordinal).unwrap()) % 2];
                world.house.tell("cases", *case, &categorised(*case, category, ordinal)).await;
                tokio::task::yield_now().await;
            }
        }
    };
    let people = cases.iter().enumerate().map(|(i, case)| {
        let (mut client, case) = (world.client.clone(), *case);
        async move {
            let agent = ["ann", "cy", "bo", "di"][i % 4];
            match i % 3 {
                0 => client.accept_case(accept(case, agent)).await.map(|_| ()),
                1 => {
                    let claim = ClaimNextRequest { request_id: request_id(), agent_id: agent.to_owned() };
                    client.claim_next(claim).await.map(|_| ())
                }
                _ => client
                    .transfer_case(to_department(case, ["delivery", "finance"][i % 2]))
                    .await
                    .map(|_| ()),
            }
        }
    });
    let (answers, ()) = tokio::join!(join_all(people), corrections);
    let lawful = [
        "ASSIGNMENT_NOT_FOUND",
        "NOT_ASSIGNED_TO_AGENT",
        "NO_CAPACITY",
        "TRANSACTION_CONFLICT",
        "INVALID_TRANSFER",
    ];
    for refused in answers.into_iter().filter_map(Result::err) {
        assert!(lawful.contains(&reason(&refused).as_str()), "{refused:?}");
    }
    world.house.settled().await;
    assert_eq!(wrong_loads(&mut world.house.owner().await).await, Vec::<String>::new());
    for (one, other, department) in [("ann", "bo", "delivery"), ("cy", "di", "finance")] {
        let room = 1 + 3 - world.load(one).await - world.load(other).await;
        assert!(room == 0 || world.queue(department).await.is_empty(), "{department}: room {room}");
    }
    all_come_home(&mut world, &cases, categories).await;
    for agent_ in [agent("ann", "delivery", 30), agent("cy", "finance", 30)] {
        world.update_agent(agent_).await;
    }
    assert!(world.queue("delivery").await.is_empty() && world.queue("finance").await.is_empty());
    for case in &cases {
        world.house.tell("cases", *case, &resolved(*case, 1)).await;
    }
    world.house.settled().await;
    for id in ["ann", "bo", "cy", "di"] {
        assert_eq!(world.load(id).await, 0);
    }
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_waiting_cases_move_in_more_than_one_transaction() {
    let mut world = World::with_delivery().await;
    for _ in 0..450 {
        let case = new_case();
        let event = CaseOpened { case_id: case.to_string(), ..opened("delivery/express") };
        world.house.tell("cases", case, &event).await;
    }
    world.house.settled().await;
    world.department("express", &["delivery/express"]).await;
    // Cases, and the transactions that moved them.
    let moved = "SELECT count(*), count(DISTINCT xmin::text) FROM assignment.assignment
                 WHERE department_id = 'express'";
    let mut owner = world.house.owner().await;
    let mut seen: (i64, i64) = (0, 0);
    for _ in 0..500 {
        seen = sqlx::query_as(moved).fetch_one(&mut owner).await.unwrap();
        if seen.0 == 450 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(seen, (450, 3));
    let queued = world.told_queued().await;
    assert_eq!(queued.iter().filter(|told| told.department_id == "express").count(), 450);
    // Who has room now takes from there.
    world.agent("ed", "express", 2).await;
    assert_eq!(world.load("ed").await, 2);
    world.house.done().await;
}
