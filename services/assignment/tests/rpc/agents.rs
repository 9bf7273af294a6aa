//! What agents are: skills, shifts, who is above them.

use std::time::Duration;

use proto::redress::assignment::v1::{
    Agent, AgentRouting, CreateAgentRequest, GetAgentRequest, ListAgentsRequest, Presence, Shift, Skill,
    UpdateAgentRequest, WorkingHours,
};
use proto::redress::cases::v1::CalendarChanged;
use testkit::{eventually, reason, request_id, violations};
use tonic::Code;

use crate::{World, agent, new_case};

fn skill(name: &str, level: i32) -> Skill {
    Skill { name: name.to_owned(), level }
}

fn hours(weekday: i32, start_minute: i32, end_minute: i32) -> WorkingHours {
    WorkingHours { weekday, start_minute, end_minute }
}

fn routed(id: &str, routing: AgentRouting) -> Agent {
    Agent { routing: Some(routing), ..agent(id, "delivery", 5) }
}

fn below(id: &str, supervisor: &str) -> Agent {
    routed(id, AgentRouting { supervisor_id: supervisor.to_owned(), ..AgentRouting::default() })
}

fn full() -> AgentRouting {
    AgentRouting {
        team_id: "night".to_owned(),
        skills: vec![skill("delivery/damaged", 5), skill("delivery", 2)],
        languages: vec!["zh".to_owned(), "en-GB".to_owned()],
        regions: vec!["Shanghai 上海".to_owned()],
        shift: Some(Shift {
            calendar: "always".to_owned(),
            hours: (1..=7).map(|day| hours(day, 0, 1_440)).collect(),
        }),
        supervisor_id: String::new(),
        conflict_customer_ids: vec!["C-1".to_owned()],
        conflict_subjects: vec!["Bo Ek".to_owned()],
    }
}

fn update(agent: Agent) -> UpdateAgentRequest {
    UpdateAgentRequest { request_id: request_id(), agent: Some(agent), expected_version: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_routing_goes_by_is_kept_and_stays_where_an_update_does_not_tell_it() {
    let mut world = World::with_delivery().await;
    let made = world.hire(routed("ann", full())).await;
    assert_eq!(made.routing, Some(full()));
    let kept = world.update_agent(Agent { capacity: 9, ..agent("ann", "delivery", 9) }).await;
    assert_eq!((kept.routing, kept.version), (Some(full()), 2));
    let plain = world.update_agent(routed("ann", AgentRouting::default())).await;
    assert_eq!(plain.routing, None);
    let read = world.client.get_agent(GetAgentRequest { agent_id: "ann".to_owned() }).await.unwrap();
    assert_eq!(read.into_inner().agent, Some(plain));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_an_agent_is_told_at_once_and_nothing_stored() {
    let mut world = World::with_delivery().await;
    let bad = AgentRouting {
        team_id: "No Team".to_owned(),
        skills: vec![skill("", 0), skill("x", 6), skill("x", 1)],
        languages: vec!["zh CN".to_owned()],
        regions: vec![String::new()],
        shift: Some(Shift {
            calendar: "mars".to_owned(),
            hours: vec![hours(0, -1, 1_441), hours(1, 60, 60), hours(1, 0, 61)],
        }),
        supervisor_id: "A B".to_owned(),
        conflict_customer_ids: vec!["x".repeat(201)],
        conflict_subjects: vec![String::new()],
    };
    let request = CreateAgentRequest { request_id: request_id(), agent: Some(routed("ann", bad)) };
    let refused = world.client.create_agent(request).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_AGENT");
    let of = |field: &str| format!("agent.routing.{field}");
    let expected = [
        "team_id",
        "skills[0].name",
        "skills[0].level",
        "skills[1].level",
        "skills[2].name",
        "languages[0]",
        "regions[0]",
        "shift.hours[0].weekday",
        "shift.hours[0].start_minute",
        "shift.hours[0].end_minute",
        "shift.hours[1].end_minute",
        "shift.hours",
        "supervisor_id",
        "conflict_customer_ids[0]",
        "conflict_subjects[0]",
    ];
    assert_eq!(violations(&refused), expected.map(of));
    let read = world.client.get_agent(GetAgentRequest { agent_id: "ann".to_owned() }).await;
    assert_eq!(reason(&read.unwrap_err()), "AGENT_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_above_themselves() {
    let mut world = World::with_delivery().await;
    world.department("finance", &["billing"]).await;
    world.agent("head", "finance", 1).await;
    world.hire(below("lead", "head")).await;
    world.hire(below("ann", "lead")).await;
    let supervisor = "agent.routing.supervisor_id";
    let head = Agent { department_id: "finance".to_owned(), ..below("head", "ann") };
    for (circle, fields) in [
        (head.clone(), vec![supervisor]),
        (Agent { department_id: "nowhere".to_owned(), ..head }, vec!["agent.department_id", supervisor]),
        (below("ann", "ann"), vec![supervisor]),
        (below("ann", "nobody"), vec![supervisor]),
    ] {
        let refused = world.client.update_agent(update(circle)).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_AGENT"));
        assert_eq!(violations(&refused), fields);
    }
    let request = CreateAgentRequest { request_id: request_id(), agent: Some(below("cy", "nobody")) };
    let refused = world.client.create_agent(request).await.unwrap_err();
    assert_eq!(violations(&refused), [supervisor]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_that_make_a_circle_together_one_is_refused() {
    let mut world = World::with_delivery().await;
    world.department("finance", &["billing"]).await;
    for round in 0..10 {
        let (one, other) = (format!("a{round}"), format!("b{round}"));
        world.agent(&one, "delivery", 1).await;
        world.agent(&other, "finance", 1).await;
        let there = below(&one, &other);
        let back = Agent { department_id: "finance".to_owned(), ..below(&other, &one) };
        let (mut left, mut right) = (world.client.clone(), world.client.clone());
        let (left, right) = tokio::join!(left.update_agent(update(there)), right.update_agent(update(back)));
        assert_eq!([left.is_ok(), right.is_ok()].iter().filter(|ok| **ok).count(), 1);
    }
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_is_listed_by_itself() {
    let mut world = World::with_delivery().await;
    for (id, team) in [("ann", "day"), ("bo", "night"), ("cy", "night")] {
        let routing = AgentRouting { team_id: team.to_owned(), ..AgentRouting::default() };
        world.hire(routed(id, routing)).await;
    }
    let mut listed = Vec::new();
    let mut page = ListAgentsRequest { page_size: 1, team_id: "night".to_owned(), ..Default::default() };
    loop {
        let answer = world.client.list_agents(page.clone()).await.unwrap().into_inner();
        listed.extend(answer.agents.into_iter().map(|agent| agent.agent_id));
        if answer.next_page_token.is_empty() {
            break;
        }
        page.page_token = answer.next_page_token;
    }
    assert_eq!(listed, ["bo", "cy"]);
    let refused = ListAgentsRequest { team_id: "No Team".to_owned(), ..Default::default() };
    assert_eq!(violations(&world.client.list_agents(refused).await.unwrap_err()), ["team_id"]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_given_out_when_a_shift_begins_and_nothing_once_it_is_over() {
    let mut world = World::at_nine().await;
    let shift = Shift { calendar: "always".to_owned(), hours: vec![hours(1, 600, 660), hours(2, 600, 660)] };
    let hired =
        world.hire(routed("ann", AgentRouting { shift: Some(shift), ..AgentRouting::default() })).await;
    assert_eq!(hired.presence(), Presence::OffShift);
    let early = world.case("delivery").await;
    assert_eq!(world.handler(early).await, "");
    world.house.advance(Duration::from_hours(1));
    let (client, id) = (world.client.clone(), early.to_string());
    eventually(async || crate::handler_of(client.clone(), &id).await == "ann").await;
    world.house.advance(Duration::from_hours(1));
    let late = world.case("delivery").await;
    assert_eq!(world.handler(late).await, "");
    world.house.advance(Duration::from_hours(23));
    let id = late.to_string();
    eventually(async || crate::handler_of(client.clone(), &id).await == "ann").await;
    world.house.done().await;
}

/// The calendar `always`, as a tenant has edited it: no work on a day.
fn without(version: i64, day: &str) -> CalendarChanged {
    let mut draft = calendar::builtin::draft("always").unwrap();
    let kind = calendar::DayKind::Holiday;
    draft.days.push(calendar::DayDraft { date: day.to_owned(), kind, name: "Founders' day".to_owned() });
    let content = serde_json::to_string(&draft).unwrap();
    CalendarChanged { name: "always".to_owned(), version, content }
}

#[tokio::test(flavor = "multi_thread")]
async fn shifts_follow_the_tenants_calendars_and_no_older_version_turns_that_back() {
    let mut world = World::at_nine().await;
    let now = world.house.db("assignment").clock().now();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let all_week = |calendar: &str| Shift {
        calendar: calendar.to_owned(),
        hours: (1..=7).map(|weekday| hours(weekday, 0, 1_440)).collect(),
    };
    let on = |calendar| AgentRouting { shift: Some(all_week(calendar)), ..AgentRouting::default() };
    let hear = async |world: &World, told: &CalendarChanged| {
        world.house.tell("cases", new_case(), told).await;
        world.house.settled().await;
    };
    let presence = async |world: &World| {
        let request = GetAgentRequest { agent_id: "ann".to_owned() };
        world.client.clone().get_agent(request).await.unwrap().into_inner().agent.unwrap().presence()
    };
    let request = CreateAgentRequest { request_id: request_id(), agent: Some(routed("ann", on("depot"))) };
    let refused = world.client.create_agent(request).await.unwrap_err();
    assert_eq!(violations(&refused), ["agent.routing.shift.calendar"], "nobody has made it");
    let own = CalendarChanged { name: "depot".to_owned(), ..without(1, "2020-01-01") };
    hear(&world, &own).await;
    world.hire(routed("bo", on("depot"))).await;

    world.hire(routed("ann", on("always"))).await;
    let before = presence(&world).await;
    // Closed on this very day: who was on shift is not any more, and is given nothing.
    hear(&world, &without(3, &today.to_string())).await;
    assert_eq!(presence(&world).await, Presence::OffShift);
    assert_eq!(before, Presence::Present, "{today} is worked");
    hear(&world, &without(2, "2020-01-01")).await;
    assert_eq!(presence(&world).await, Presence::OffShift, "that was so before");
    hear(&world, &without(4, "2020-01-01")).await;
    assert_eq!(presence(&world).await, Presence::Present);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_given_out_when_a_calendar_opens_the_day() {
    let mut world = World::at_nine().await;
    let today = world.house.db("assignment").clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    world.house.tell("cases", new_case(), &without(1, &today.to_string())).await;
    world.house.settled().await;
    let shift =
        Shift { calendar: "always".to_owned(), hours: (1..=7).map(|day| hours(day, 0, 1_440)).collect() };
    world.hire(routed("ann", AgentRouting { shift: Some(shift), ..AgentRouting::default() })).await;
    let case = world.case("delivery").await;
    assert_eq!(world.handler(case).await, "");
    world.house.tell("cases", new_case(), &without(2, "2020-01-01")).await;
    world.house.settled().await;
    assert_eq!(world.handler(case).await, "ann");
    world.house.done().await;
}
