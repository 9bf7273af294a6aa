//! Whole rosters at once.

use proto::redress::assignment::v1::AgentRowState::{Created, Refused, Unchanged, Updated};
use proto::redress::assignment::v1::{
    Agent, AgentRouting, AgentRowState, AgentVerdict, ImportAgentsRequest, Shift, Skill, WorkingHours,
};
use testkit::{reason, request_id, violations};

use crate::{World, agent};

fn import(agents: Vec<Agent>) -> ImportAgentsRequest {
    ImportAgentsRequest { request_id: request_id(), agents }
}

fn below(id: &str, department: &str, supervisor: &str) -> Agent {
    let skills = vec![Skill { name: "delivery".to_owned(), level: 3 }];
    let routing = AgentRouting { supervisor_id: supervisor.to_owned(), skills, ..AgentRouting::default() };
    Agent { routing: Some(routing), ..agent(id, department, 2) }
}

fn states(verdicts: &[AgentVerdict]) -> Vec<AgentRowState> {
    verdicts.iter().map(AgentVerdict::state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_has_its_verdict_and_the_same_roster_changes_nothing_again() {
    let mut world = World::with_delivery().await;
    world.department("finance", &["billing"]).await;
    world.agent("old", "finance", 1).await;
    let waiting = world.case("delivery").await;
    let roster = vec![
        agent("lead", "finance", 0),
        below("ann", "delivery", "lead"),
        agent("Bad Id", "nowhere!", -1),
        below("bo", "nowhere", "nobody"),
        agent("old", "finance", 7),
        Agent { routing: below("lead", "finance", "ann").routing, ..agent("lead", "finance", 0) },
    ];
    let request = import(roster.clone());
    let answer = world.roster().import_agents(request.clone()).await.unwrap().into_inner();
    assert_eq!(world.roster().import_agents(request).await.unwrap().into_inner(), answer);
    let verdicts = answer.verdicts;
    assert_eq!(states(&verdicts), [Created, Created, Refused, Refused, Updated, Refused]);
    assert_eq!(verdicts.iter().map(|one| one.row).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(verdicts[4].version, 2);
    let fields = |at: usize| -> Vec<&str> {
        verdicts[at].violations.iter().map(|violation| violation.field.as_str()).collect()
    };
    assert_eq!(verdicts[2].agent_id, "Bad Id");
    assert_eq!(fields(2), ["agent.capacity", "agent.agent_id", "agent.department_id"]);
    assert_eq!(fields(3), ["agent.department_id", "agent.routing.supervisor_id"]);
    assert_eq!(
        (verdicts[5].reason.as_str(), fields(5)),
        ("INVALID_AGENT", vec!["agent.routing.supervisor_id"])
    );
    assert_eq!(world.handler(waiting).await, "ann", "what waits is given out");
    let again = world.roster().import_agents(import(roster)).await.unwrap().into_inner().verdicts;
    assert_eq!(states(&again), [Unchanged, Unchanged, Refused, Refused, Unchanged, Refused]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_cases_does_not_change_department_by_an_import() {
    let mut world = World::with_delivery().await;
    world.department("finance", &["billing"]).await;
    world.agent("ann", "delivery", 1).await;
    world.case("delivery").await;
    let rows = vec![agent("ann", "finance", 1), agent("bo", "delivery", 1)];
    let verdicts = world.roster().import_agents(import(rows)).await.unwrap().into_inner().verdicts;
    assert_eq!(states(&verdicts), [Refused, Created]);
    assert_eq!(verdicts[0].reason, "AGENT_HOLDS_CASES");
    assert!(verdicts[0].message.contains("hand their cases over first"));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_a_row_that_is_too_long_is_one_violation_of_that_row() {
    let world = World::with_delivery().await;
    let many = || vec![String::new(); 2_000];
    let hours = vec![WorkingHours::default(); 2_000];
    let routing = AgentRouting {
        skills: vec![Skill::default(); 2_000],
        languages: many(),
        regions: many(),
        shift: Some(Shift { calendar: "always".to_owned(), hours }),
        conflict_customer_ids: many(),
        conflict_subjects: many(),
        ..AgentRouting::default()
    };
    let rows = vec![Agent { routing: Some(routing), ..agent("ann", "delivery", 1) }];
    let verdicts = world.roster().import_agents(import(rows)).await.unwrap().into_inner().verdicts;
    let fields: Vec<&str> = verdicts[0].violations.iter().map(|one| one.field.as_str()).collect();
    let lists =
        ["skills", "languages", "regions", "shift.hours", "conflict_customer_ids", "conflict_subjects"];
    assert_eq!(fields, lists.map(|list| format!("agent.routing.{list}")));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_has_some_rows_and_not_too_many() {
    let world = World::open().await;
    let refused = world.roster().import_agents(ImportAgentsRequest::default()).await.unwrap_err();
    assert_eq!(
        (reason(&refused).as_str(), violations(&refused)),
        ("INVALID_IMPORT", vec!["request_id".to_owned(), "agents".to_owned()])
    );
    let many = (0..501).map(|i| agent(&format!("a{i}"), "delivery", 1)).collect();
    let refused = world.roster().import_agents(import(many)).await.unwrap_err();
    assert_eq!(violations(&refused), ["agents"]);
    world.house.done().await;
}
