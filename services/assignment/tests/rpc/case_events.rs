//! What is done about the events of cases.

use proto::redress::assignment::v1::AssignmentState;
use proto::redress::cases::v1::{CaseClosed, CaseDeclined, CaseOpened, CaseWithdrawn, Priority};
use proto::redress::event::v1::{Event, Lane};

use crate::{World, agent, new_case, opened, reopened, resolved, state};

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_to_the_least_loaded_agent_of_its_department() {
    let mut world = World::open().await;
    world.department("delivery", &["delivery"]).await;
    world.department("general", &["*"]).await;
    world.agent("ann", "delivery", 2).await;
    world.agent("bo", "delivery", 4).await;
    world.agent("cy", "general", 9).await;
    let mut handlers = Vec::new();
    for category in ["delivery", "delivery/late", "delivery/late", "billing", "delivery"] {
        let case = world.case(category).await;
        handlers.push(world.handler(case).await);
    }
    // 0/2 0/4 → the first by id; 1/2 0/4 → bo; 1/2 1/4 → bo; 1/2 2/4 → longest without.
    assert_eq!(handlers, ["ann", "bo", "bo", "cy", "ann"]);
    let told = world.told_assigned().await;
    assert_eq!(told.len(), 5);
    assert_eq!((told[1].department_id.as_str(), told[1].agent_id.as_str()), ("delivery", "bo"));
    assert_eq!(
        told[1].explanation,
        "delivery takes delivery/late; bo is the least loaded of 2: bo 0/4, ann 1/2"
    );
    assert!(world.told_queued().await.is_empty());
    assert_eq!((world.load("ann").await, world.load("bo").await, world.load("cy").await), (2, 2, 1));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_room_waits_and_is_taken_on_release_most_urgent_first() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 1).await;
    let first = world.case("delivery").await;
    let usual = world.case("delivery").await;
    let older = world.case_like(CaseOpened { priority: Priority::P1.into(), ..opened("delivery") }).await;
    let newer = world.case_like(CaseOpened { priority: Priority::P1.into(), ..opened("delivery") }).await;
    let queued = [older, newer, usual].map(|case| case.to_string());
    assert_eq!(world.queue("delivery").await, queued);
    let told = world.told_queued().await;
    assert_eq!(told.len(), 3);
    assert_eq!((told[0].department_id.as_str(), told[0].cycle), ("delivery", 1));
    assert!(told[0].explanation.contains("nobody can take it now"), "{}", told[0].explanation);

    world.resolved(first, 1).await;
    assert_eq!(world.handler(older).await, "ann");
    assert_eq!(world.queue("delivery").await, &queued[1..]);
    let done = world.assignment(first).await;
    assert_eq!((state(&done), done.agent_id.as_str()), (AssignmentState::Released, "ann"));
    assert_eq!(world.load("ann").await, 1);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_of_a_case_frees_capacity_once() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 9).await;
    let mut cases = Vec::new();
    for _ in 0..5 {
        cases.push(world.case("delivery").await);
    }
    let house = &world.house;
    let id = |at: usize| cases[at].to_string();
    house.tell("cases", cases[0], &resolved(cases[0], 1)).await;
    house.tell("cases", cases[0], &CaseClosed { case_id: id(0), cycle: 1, reason: 1 }).await;
    house.tell("cases", cases[1], &CaseClosed { case_id: id(1), cycle: 1, reason: 3 }).await;
    house.tell("cases", cases[2], &CaseWithdrawn { case_id: id(2), cycle: 1, ..Default::default() }).await;
    house.tell("cases", cases[3], &CaseDeclined { case_id: id(3), cycle: 1, ..Default::default() }).await;
    // Not the current cycle, and a case nobody knows: skipped.
    house.tell("cases", cases[4], &resolved(cases[4], 2)).await;
    let unknown = new_case();
    house.tell("cases", unknown, &resolved(unknown, 1)).await;
    house.settled().await;
    assert_eq!(world.load("ann").await, 1);
    for over in &cases[..4] {
        let over = world.assignment(*over).await;
        assert_eq!((state(&over), over.version), (AssignmentState::Released, 2));
    }
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_case_leaves_the_queue_and_is_given_to_nobody() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 1).await;
    let held = world.case("delivery").await;
    let (leaving, staying) = (world.case("delivery").await, world.case("delivery").await);
    // Whether one batch or two: the next in the queue is gone, or goes at once.
    let withdrawn = CaseWithdrawn { case_id: leaving.to_string(), cycle: 1, ..Default::default() };
    world.house.tell("cases", held, &resolved(held, 1)).await;
    world.house.tell("cases", leaving, &withdrawn).await;
    world.house.settled().await;
    let left = world.assignment(leaving).await;
    assert_eq!(state(&left), AssignmentState::Released);
    assert_eq!((world.handler(staying).await.as_str(), world.load("ann").await), ("ann", 1));
    world.resolved(staying, 1).await;
    assert_eq!(world.load("ann").await, 0);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_it_is_about_never_gets_it() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 9).await;
    let about_ann = CaseOpened { respondent_staff: "ANN".to_owned(), ..opened("delivery") };
    let case = world.case_like(about_ann.clone()).await;
    assert_eq!(world.handler(case).await, "");
    assert!(world.assignment(case).await.explanation.contains("1 concerned"));
    // It does not keep others from the room there is.
    let other = world.case("delivery").await;
    assert_eq!(world.handler(other).await, "ann");
    world.resolved(other, 1).await;
    assert_eq!(world.handler(case).await, "");
    world.agent("bo", "delivery", 1).await;
    assert_eq!(world.handler(case).await, "bo");
    // The next cycle is still about ann, though the event does not say so again.
    world.resolved(case, 1).await;
    world.house.tell("cases", case, &reopened(case, 2, "bo")).await;
    world.house.settled().await;
    assert_eq!(world.handler(case).await, "bo");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reopened_case_begins_anew_with_another_agent_while_one_has_room() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 9).await;
    let case = world.case("delivery/late").await;
    world.resolved(case, 1).await;
    world.agent("bo", "delivery", 1).await;
    world.house.tell("cases", case, &reopened(case, 2, "ann")).await;
    world.house.settled().await;
    let second = world.assignment(case).await;
    assert_eq!((second.agent_id.as_str(), second.cycle, second.transfers), ("bo", 2, 0));
    assert_eq!(second.priority(), Priority::P2);
    // An old cycle's end and a cycle told before do nothing.
    world.house.tell("cases", case, &resolved(case, 1)).await;
    world.house.tell("cases", case, &reopened(case, 2, "ann")).await;
    world.house.settled().await;
    assert_eq!(world.assignment(case).await, second);
    world.resolved(case, 2).await;
    world.update_agent(agent("bo", "delivery", 0)).await;
    world.house.tell("cases", case, &reopened(case, 3, "ann")).await;
    world.house.settled().await;
    assert_eq!(world.handler(case).await, "ann");
    assert_eq!((world.load("ann").await, world.load("bo").await), (1, 0));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_told_twice_has_one_effect() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 9).await;
    let case = new_case();
    let mut events: Vec<Event> = Vec::new();
    let house = &world.house;
    let opened = CaseOpened { case_id: case.to_string(), ..opened("delivery") };
    events.push(house.tell("cases", case, &opened).await);
    events.push(house.tell("cases", case, &resolved(case, 1)).await);
    events.push(house.tell("cases", case, &reopened(case, 2, "ann")).await);
    house.settled().await;
    let told = house.published_by("assignment").await;
    let stored = world.assignment(case).await;
    for event in events {
        // As it was, and as a producer that lost count would: under a new position.
        world.house.tell_raw("cases", event.clone()).await;
        let position = world.house.fake("cases").head() + 1;
        world.house.tell_raw("cases", Event { position, ..event }).await;
    }
    world.house.settled().await;
    assert_eq!(world.house.published_by("assignment").await, told);
    assert_eq!(world.assignment(case).await, stored);
    assert_eq!(world.load("ann").await, 1);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_department_takes_waits_until_one_does() {
    let mut world = World::with_delivery().await;
    let (one, two) = (world.case("billing/refund").await, world.case("billing").await);
    let other = world.case("warranty").await;
    assert_eq!(world.queue("").await, [one, two, other].map(|case| case.to_string()));
    assert!(world.told_queued().await.iter().all(|told| told.department_id.is_empty()));
    world.department("finance", &["billing"]).await;
    assert_eq!(world.queue("finance").await, [one, two].map(|case| case.to_string()));
    assert_eq!(world.queue("").await, [other.to_string()]);
    world.agent("ann", "finance", 1).await;
    assert_eq!((world.handler(one).await.as_str(), world.handler(two).await.as_str()), ("ann", ""));
    // A longer prefix of another department takes over what waits.
    world.department("general", &[]).await;
    world.agent("cy", "general", 9).await;
    world.update_department("general", &["*"]).await;
    assert_eq!(world.handler(other).await, "cy");
    assert_eq!(world.handler(two).await, "");
    world.update_department("general", &["*", "billing"]).await;
    assert_eq!(world.handler(two).await, "", "a prefix both take is the first department's");
    world.update_department("finance", &[]).await;
    world.update_department("general", &["*", "billing"]).await;
    assert_eq!(world.handler(two).await, "cy");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn room_gained_by_a_change_of_an_agent_is_filled() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 0).await;
    let mut cases = Vec::new();
    for _ in 0..4 {
        cases.push(world.case("delivery").await);
    }
    let updated = world.update_agent(agent("ann", "delivery", 3)).await;
    assert_eq!((updated.load, updated.version), (3, 2));
    assert_eq!(world.queue("delivery").await, [cases[3].to_string()]);
    // Lowered below the load: they keep what they hold, and get nothing new.
    assert_eq!(world.update_agent(agent("ann", "delivery", 1)).await.load, 3);
    world.resolved(cases[0], 1).await;
    assert_eq!((world.load("ann").await, world.handler(cases[3]).await.as_str()), (2, ""));
    world.resolved(cases[1], 1).await;
    world.resolved(cases[2], 1).await;
    assert_eq!((world.load("ann").await, world.handler(cases[3]).await.as_str()), (1, "ann"));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_at_once_fill_all_room_and_no_more() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 100).await;
    world.agent("bo", "delivery", 200).await;
    let mut cases = Vec::new();
    for _ in 0..1_200 {
        let case = new_case();
        world.house.tell("cases", case, &opened("delivery")).await;
        cases.push(case);
    }
    world.house.settled().await;
    assert_eq!((world.load("ann").await, world.load("bo").await), (100, 200));
    assert_eq!((world.told_assigned().await.len(), world.told_queued().await.len()), (300, 900));
    // A newcomer with more room than is read at once takes all that is left.
    assert_eq!(world.agent("cy", "delivery", 2_000).await.load, 900);
    for case in &cases {
        world.house.tell("cases", *case, &resolved(*case, 1)).await;
    }
    world.house.settled().await;
    for agent in ["ann", "bo", "cy"] {
        assert_eq!(world.load(agent).await, 0);
    }
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cases_trace_goes_on_in_what_is_told_about_it() {
    let mut world = World::with_delivery().await;
    let case = new_case();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    // An event that is skipped, for the shape of an event.
    let shape = world.house.tell("cases", case, &resolved(case, 1)).await;
    let event = CaseOpened { case_id: case.to_string(), ..opened("delivery") };
    let payload = prost_types::Any {
        type_url: "type.googleapis.com/redress.cases.v1.CaseOpened".to_owned(),
        value: prost::Message::encode_to_vec(&event),
    };
    let event = Event {
        position: shape.position + 1,
        traceparent: format!("00-{trace}-b7ad6b7169203331-01"),
        payload: Some(payload),
        ..shape
    };
    world.house.tell_raw("cases", event).await;
    world.house.settled().await;
    // Taken from the queue by somebody else's doing, long after.
    world.agent("ann", "delivery", 1).await;
    let mut told = world.house.published_by("assignment").await;
    // That there are ann and the department is told as well, of no case.
    let of_no_case = ["AgentChanged", "DepartmentCreated"];
    told.retain(|event| !of_no_case.iter().any(|name| event.type_name.ends_with(name)));
    // That it waits, that nobody can take it, that ann has it.
    assert_eq!(told.len(), 3);
    for told in told {
        assert_eq!(pg::trace::trace_id(&told.traceparent), trace);
    }
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_bulk_waits_a_day_longer_than_what_is_live() {
    let mut world = World::with_delivery().await;
    let (bulk, live) = (new_case(), new_case());
    // An event that is skipped, for the shape of an event.
    let shape = world.house.tell("cases", bulk, &resolved(bulk, 1)).await;
    let event = CaseOpened { case_id: bulk.to_string(), ..opened("delivery") };
    let payload = prost_types::Any {
        type_url: "type.googleapis.com/redress.cases.v1.CaseOpened".to_owned(),
        value: prost::Message::encode_to_vec(&event),
    };
    let event =
        Event { position: shape.position + 1, lane: Lane::Bulk.into(), payload: Some(payload), ..shape };
    world.house.tell_raw("cases", event).await;
    world.house.settled().await;
    world.house.tell("cases", live, &CaseOpened { case_id: live.to_string(), ..opened("delivery") }).await;
    world.house.settled().await;
    assert_eq!(world.queue("delivery").await, [live.to_string(), bulk.to_string()], "although it came later");
    for (case, hours) in [(live, 24), (bulk, 48)] {
        let waiting = world.assignment(case).await;
        let (rank, since) = (waiting.rank_time.unwrap(), waiting.enqueue_time.unwrap());
        assert_eq!(rank.seconds - since.seconds, hours * 3_600);
    }
    world.house.done().await;
}
