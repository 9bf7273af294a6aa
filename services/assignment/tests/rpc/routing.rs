//! Who is chosen and why, by which weights, and when a turn comes.

use std::time::Duration;

use proto::redress::assignment::v1::roster_service_client::RosterServiceClient;
use proto::redress::assignment::v1::routing_service_client::RoutingServiceClient;
use proto::redress::assignment::v1::{
    ActivateRoutingPolicyRequest, Agent, AgentRouting, Barrier, CreateRoutingPolicyRequest, EarlierHandler,
    ExplainAssignmentRequest, GetRoutingPolicyRequest, ListRoutingPoliciesRequest, ListUnassignableRequest,
    RecordAbsenceRequest, ReplayRoutingRequest, RoutingDecision, RoutingPolicy, RoutingWeights, Skill,
};
use proto::redress::cases::v1::{CaseOpened, Priority};
use testkit::{CallerChannel, reason, request_id, violations};
use tonic::Code;
use uuid::Uuid;

use crate::{World, agent, new_case, opened, reopened};

type Routing = RoutingServiceClient<CallerChannel>;

pub(crate) fn weights(load: i32, skill: i32) -> RoutingWeights {
    RoutingWeights { load, skill, ..RoutingWeights::default() }
}

pub(crate) fn create(policy: RoutingPolicy) -> CreateRoutingPolicyRequest {
    CreateRoutingPolicyRequest { request_id: request_id(), policy: Some(policy) }
}

impl World {
    pub(crate) fn routing(&self) -> Routing {
        RoutingServiceClient::new(self.house.channel())
    }

    /// Makes a policy and puts it in force.
    pub(crate) async fn policy(&self, policy: RoutingPolicy) -> RoutingPolicy {
        let made = self.routing().create_routing_policy(create(policy)).await.unwrap().into_inner();
        let version = made.policy.unwrap().version;
        let request = ActivateRoutingPolicyRequest { request_id: request_id(), version };
        self.routing().activate_routing_policy(request).await.unwrap().into_inner().policy.unwrap()
    }

    /// How many cases wait that nobody can take.
    async fn stuck(&self) -> usize {
        let request = ListUnassignableRequest::default();
        self.routing().list_unassignable(request).await.unwrap().into_inner().assignments.len()
    }

    async fn explained(&self, case: Uuid) -> RoutingDecision {
        let request = ExplainAssignmentRequest { case_id: case.to_string(), cycle: 0 };
        self.routing().explain_assignment(request).await.unwrap().into_inner().decision.unwrap()
    }
}

fn able(id: &str, level: i32) -> Agent {
    let skills = vec![Skill { name: "delivery".to_owned(), level }];
    Agent { routing: Some(AgentRouting { skills, ..AgentRouting::default() }), ..agent(id, "delivery", 10) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_told_with_every_candidate_its_score_by_term_and_what_kept_it_out() {
    let mut world = World::with_delivery().await;
    let unknown = ExplainAssignmentRequest { case_id: new_case().to_string(), cycle: 0 };
    let refused = world.routing().explain_assignment(unknown).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ASSIGNMENT_NOT_FOUND"));
    let bad = ExplainAssignmentRequest { case_id: "7".to_owned(), cycle: -1 };
    let refused = world.routing().explain_assignment(bad).await.unwrap_err();
    assert_eq!(violations(&refused), ["case_id", "cycle"]);

    let linguist = AgentRouting {
        languages: vec!["zh".to_owned()],
        regions: vec!["上海".to_owned()],
        ..AgentRouting::default()
    };
    world.hire(Agent { routing: Some(linguist), ..agent("ling", "delivery", 10) }).await;
    world.hire(able("able", 5)).await;
    world.agent("full", "delivery", 0).await;
    world.puller("away", "delivery", 5).await;
    world.agent("bo", "delivery", 5).await;
    let wary = AgentRouting { conflict_customer_ids: vec!["C-9".to_owned()], ..AgentRouting::default() };
    world.hire(Agent { routing: Some(wary), ..agent("wary", "delivery", 10) }).await;
    let event = CaseOpened {
        respondent_staff: "BO".to_owned(),
        customer_id: "C-9".to_owned(),
        language: "zh-CN".to_owned(),
        region: "上海".to_owned(),
        ..opened("delivery/late")
    };
    let case = world.case_like(event).await;
    let decision = world.explained(case).await;
    assert_eq!((decision.agent_id.as_str(), decision.cycle, decision.policy_version), ("ling", 1, 0));
    assert_eq!((decision.considered, decision.eligible), (6, 2));
    let kept: Vec<_> = decision.candidates.iter().map(|one| (one.agent_id.as_str(), one.barrier())).collect();
    let expected = [
        ("ling", Barrier::Unspecified),
        ("able", Barrier::Unspecified),
        ("away", Barrier::Away),
        ("bo", Barrier::Recused),
        ("full", Barrier::Full),
        ("wary", Barrier::Conflict),
    ];
    assert_eq!(kept, expected);
    let best = &decision.candidates[0];
    let terms = best.terms.unwrap();
    assert_eq!((terms.load, terms.language, terms.region, terms.skill), (1_000_000, 1_000_000, 1_000_000, 0));
    assert_eq!((best.score, best.load, best.capacity), ((100 + 120 + 20) * 1_000_000, 0, 10));
    assert_eq!(decision.candidates[1].score, (100 + 60) * 1_000_000);
    assert_eq!(decision.explanation, world.assignment(case).await.explanation);
    assert_eq!(decision.barriers.iter().map(|count| count.agents).sum::<i32>(), 4);
    let other_cycle = ExplainAssignmentRequest { case_id: case.to_string(), cycle: 2 };
    assert_eq!(
        reason(&world.routing().explain_assignment(other_cycle).await.unwrap_err()),
        "ASSIGNMENT_NOT_FOUND"
    );
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_versions_of_which_one_is_in_force() {
    let mut world = World::with_delivery().await;
    let shipped = world.routing().get_routing_policy(GetRoutingPolicyRequest { version: None }).await;
    let shipped = shipped.unwrap().into_inner().policy.unwrap();
    assert_eq!((shipped.version, shipped.active, shipped.accept_seconds), (0, true, 86_400));
    assert_eq!(shipped.earlier_handler(), EarlierHandler::Avoided);

    let mut busy = able("able", 2);
    busy.capacity = 2;
    world.hire(busy).await;
    let first = world.case("delivery").await;
    world.agent("free", "delivery", 10).await;
    assert_eq!(world.handler(first).await, "able");
    let by_skill = create(RoutingPolicy { weights: Some(weights(1, 1_000)), ..RoutingPolicy::default() });
    let made = world.routing().create_routing_policy(by_skill.clone()).await.unwrap().into_inner();
    assert_eq!(world.routing().create_routing_policy(by_skill).await.unwrap().into_inner(), made);
    let made = made.policy.unwrap();
    assert_eq!((made.version, made.active), (1, false));
    let by_load = world.case("delivery").await;
    assert_eq!(world.handler(by_load).await, "free", "what is not in force decides nothing");
    let activate = ActivateRoutingPolicyRequest { request_id: request_id(), version: 1 };
    let active = world.routing().activate_routing_policy(activate.clone()).await.unwrap().into_inner();
    assert!(active.policy.as_ref().unwrap().active);
    assert_eq!(world.routing().activate_routing_policy(activate).await.unwrap().into_inner(), active);
    let by_skill = world.case("delivery").await;
    assert_eq!(world.handler(by_skill).await, "able");
    assert_eq!(world.explained(by_skill).await.policy_version, 1);

    world.policy(RoutingPolicy { weights: Some(weights(5, 5)), ..RoutingPolicy::default() }).await;
    let mut page = ListRoutingPoliciesRequest { page_size: 1, page_token: String::new() };
    let mut listed = Vec::new();
    loop {
        let answer = world.routing().list_routing_policies(page.clone()).await.unwrap().into_inner();
        listed.extend(answer.policies.into_iter().map(|policy| (policy.version, policy.active)));
        if answer.next_page_token.is_empty() {
            break;
        }
        page.page_token = answer.next_page_token;
    }
    assert_eq!(listed, [(2, true), (1, false)]);
    let back = ActivateRoutingPolicyRequest { request_id: request_id(), version: 0 };
    world.routing().activate_routing_policy(back).await.unwrap();
    let in_force =
        world.routing().get_routing_policy(GetRoutingPolicyRequest { version: None }).await.unwrap();
    assert_eq!(in_force.into_inner().policy, Some(shipped));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_refused_for_everything_wrong_with_it() {
    let world = World::open().await;
    let bad = RoutingPolicy {
        weights: Some(RoutingWeights { load: -1, waiting: 1_001, ..RoutingWeights::default() }),
        earlier_handler: 9,
        accept_seconds: -1,
        note: "x".repeat(2_001),
        ..RoutingPolicy::default()
    };
    let refused = world.routing().create_routing_policy(create(bad)).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_ROUTING_POLICY");
    let fields = ["weights.load", "weights.waiting", "earlier_handler", "accept_seconds", "note"];
    assert_eq!(violations(&refused), fields.map(|field| format!("policy.{field}")));
    let missing = ActivateRoutingPolicyRequest { request_id: request_id(), version: 7 };
    let refused = world.routing().activate_routing_policy(missing).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ROUTING_POLICY_NOT_FOUND"));
    let missing = world.routing().get_routing_policy(GetRoutingPolicyRequest { version: Some(7) }).await;
    assert_eq!(reason(&missing.unwrap_err()), "ROUTING_POLICY_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rework_goes_to_another_and_where_none_fits_it_says_so_or_waits() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 5).await;
    let case = world.case("delivery").await;
    world.resolved(case, 1).await;
    world.house.tell("cases", case, &reopened(case, 2, "ann")).await;
    world.house.settled().await;
    let again = world.assignment(case).await;
    assert_eq!(again.agent_id, "ann");
    assert!(again.explanation.ends_with("handled the cycle before, and no other can take it"), "{again:?}");
    world.resolved(case, 2).await;
    world
        .policy(RoutingPolicy {
            weights: Some(weights(100, 0)),
            earlier_handler: EarlierHandler::Recused.into(),
            ..RoutingPolicy::default()
        })
        .await;
    world.house.tell("cases", case, &reopened(case, 3, "ann")).await;
    world.house.settled().await;
    let waits = world.assignment(case).await;
    assert_eq!(waits.agent_id, "");
    assert!(waits.unassignable_time.is_some(), "nobody could ever take it");
    let decision = world.explained(case).await;
    assert_eq!(decision.candidates[0].barrier(), Barrier::EarlierHandler);
    let refused = world.client.assign_case(crate::assign(case, "ann")).await.unwrap_err();
    assert_eq!(reason(&refused), "AGENT_RECUSED");
    world.agent("bo", "delivery", 5).await;
    assert_eq!(world.handler(case).await, "bo");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_given_and_looked_at_anew_as_soon_as_another_policy_is_in_force() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 2).await;
    let (first, second) = (world.case("delivery").await, world.case("delivery").await);
    for case in [first, second] {
        world.resolved(case, 1).await;
    }
    let strict = RoutingPolicy {
        weights: Some(weights(100, 0)),
        earlier_handler: EarlierHandler::Recused.into(),
        ..RoutingPolicy::default()
    };
    world.policy(strict).await;
    for case in [first, second] {
        world.house.tell("cases", case, &reopened(case, 2, "ann")).await;
    }
    world.house.settled().await;
    let other = world.case("delivery").await;
    assert_eq!(world.handler(other).await, "ann");
    assert_eq!((world.stuck().await, world.handler(first).await), (2, String::new()));
    let activate = ActivateRoutingPolicyRequest { request_id: request_id(), version: 0 };
    world.routing().activate_routing_policy(activate.clone()).await.unwrap();
    assert_eq!(world.handler(first).await, "ann", "she may have it now, and has room for one");
    let waits = world.assignment(second).await;
    assert_eq!((waits.agent_id.as_str(), waits.unassignable_time), ("", None), "for room only");
    assert_eq!(world.stuck().await, 0);
    let back = ActivateRoutingPolicyRequest { request_id: request_id(), version: 1 };
    world.routing().activate_routing_policy(back).await.unwrap();
    assert!(world.assignment(second).await.unassignable_time.is_some());
    assert_eq!(
        (world.stuck().await, world.handler(first).await),
        (1, "ann".to_owned()),
        "what is given stays"
    );
    // The same activation sent again is the one of before: nothing is put in force.
    world.routing().activate_routing_policy(activate).await.unwrap();
    assert_eq!(world.stuck().await, 1);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_passes_on_goes_rather_to_their_team() {
    let mut world = World::at_nine().await;
    let of_team = |id: &str, team: &str, capacity| {
        let routing = AgentRouting { team_id: team.to_owned(), ..AgentRouting::default() };
        Agent { routing: Some(routing), ..agent(id, "delivery", capacity) }
    };
    world.hire(of_team("ann", "parcels", 10)).await;
    let case = world.case("delivery").await;
    assert_eq!(world.handler(case).await, "ann");
    world.hire(of_team("bo", "parcels", 4)).await;
    // Bo holds one of four: less room than who is of another team, or of none.
    let busy = world.case("delivery").await;
    assert_eq!(world.handler(busy).await, "bo");
    world.hire(of_team("cy", "letters", 10)).await;
    world.hire(of_team("di", "", 10)).await;
    let absent = RecordAbsenceRequest {
        request_id: request_id(),
        agent_id: "ann".to_owned(),
        until_time: Some(proto::timestamp(
            world.house.db("assignment").clock().now() + Duration::from_hours(9),
        )),
        reason: "ill".to_owned(),
        hand_over: true,
    };
    RosterServiceClient::new(world.house.channel()).record_absence(absent).await.unwrap();
    let given = world.assignment(case).await;
    assert_eq!(given.agent_id, "bo", "{given:?}");
    assert!(given.explanation.contains("is of the team that had it"), "{given:?}");
    let decision = world.explained(case).await;
    let team = |id: &str| {
        let one = decision.candidates.iter().find(|one| one.agent_id == id).unwrap();
        one.terms.unwrap().team
    };
    assert_eq!((team("bo"), team("cy"), team("di")), (1_000_000, 0, 0));
    let fresh = world.case("delivery").await;
    assert_ne!(world.handler(fresh).await, "bo", "nobody had it before");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complainant_comes_back_to_who_handled_their_case() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 10).await;
    let of_customer = || CaseOpened { customer_id: "C-1".to_owned(), ..opened("delivery") };
    let first = world.case_like(of_customer()).await;
    assert_eq!(world.handler(first).await, "ann");
    world.agent("bo", "delivery", 10).await;
    let second = world.case_like(of_customer()).await;
    let taken = world.assignment(second).await;
    assert_eq!(taken.agent_id, "ann", "{taken:?}");
    assert!(taken.explanation.contains("knows its customer"), "{taken:?}");
    let stranger = world.case("delivery").await;
    assert_eq!(world.handler(stranger).await, "bo");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_p4_comes_before_a_fresh_p3_and_a_fresh_one_does_not() {
    let mut world = World::at_nine().await;
    let like = |priority: Priority| CaseOpened { priority: priority.into(), ..opened("delivery") };
    let old = world.case_like(like(Priority::P4)).await;
    world.house.advance(Duration::from_hours(49));
    let minor = world.case_like(like(Priority::P4)).await;
    let usual = world.case_like(like(Priority::P3)).await;
    let urgent = world.case_like(like(Priority::P1)).await;
    let order = [urgent, old, usual, minor].map(|case| case.to_string());
    assert_eq!(world.queue("delivery").await, order);
    world.puller("ann", "delivery", 1).await;
    world.update_agent(agent("ann", "delivery", 2)).await;
    assert_eq!((world.handler(urgent).await, world.handler(old).await), ("ann".to_owned(), "ann".to_owned()));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn past_cases_are_replayed_with_other_weights_page_by_page() {
    let mut world = World::at_nine().await;
    world.hire(able("able", 1)).await;
    world.agent("free", "delivery", 10).await;
    let mut cases = Vec::new();
    for _ in 0..6 {
        cases.push(world.case("delivery/late").await.to_string());
        world.house.advance(Duration::from_mins(1));
    }
    let mut had = Vec::new();
    for case in &cases {
        had.push(world.handler(case.parse().unwrap()).await);
    }
    assert!(had.contains(&"able".to_owned()) && had.contains(&"free".to_owned()), "{had:?}");
    world.resolved(cases[0].parse().unwrap(), 1).await;
    let request = ReplayRoutingRequest {
        department_id: "delivery".to_owned(),
        weights: Some(weights(0, 1_000)),
        page_size: 4,
        ..ReplayRoutingRequest::default()
    };
    let first = world.routing().replay_routing(request.clone()).await.unwrap().into_inner();
    let next = ReplayRoutingRequest { page_token: first.next_page_token.clone(), ..request.clone() };
    let second = world.routing().replay_routing(next).await.unwrap().into_inner();
    let rows: Vec<_> = first.assignments.iter().chain(&second.assignments).cloned().collect();
    assert_eq!(rows.iter().map(|row| row.case_id.as_str()).collect::<Vec<_>>(), cases);
    assert!(rows.iter().all(|row| row.replayed_agent_id == "able"), "{rows:?}");
    assert_eq!(rows.iter().map(|row| row.agent_id.clone()).collect::<Vec<_>>(), had);
    let to_free = i32::try_from(had.iter().filter(|agent| *agent == "free").count()).unwrap();
    assert_eq!((first.examined, first.changed, first.partial), (6, to_free, false));
    assert_eq!((first.spread.clone(), first.examined), (second.spread, second.examined));
    let able = first.spread.iter().find(|one| one.agent_id == "able").unwrap();
    assert_eq!((able.assignments, able.replayed_assignments), (6 - to_free, 6));
    let waited = first.replayed_waited.unwrap();
    assert_eq!((waited.assigned, waited.longest.unwrap().seconds), (6, 0));
    assert_eq!(world.handler(cases[1].parse().unwrap()).await, had[1], "nothing is changed");

    let shipped = ReplayRoutingRequest { weights: None, ..request.clone() };
    let same = world.routing().replay_routing(shipped).await.unwrap().into_inner();
    assert_eq!(same.changed, 0, "{same:?}");
    let late = ReplayRoutingRequest {
        start_time: rows[4].enqueue_time,
        end_time: rows[5].enqueue_time,
        page_size: 0,
        ..request.clone()
    };
    let late = world.routing().replay_routing(late).await.unwrap().into_inner();
    assert_eq!((late.examined, late.assignments[0].case_id.as_str()), (1, cases[4].as_str()));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_refused_for_its_reasons() {
    let world = World::with_delivery().await;
    let request =
        ReplayRoutingRequest { department_id: "delivery".to_owned(), ..ReplayRoutingRequest::default() };
    let foreign = "AAAAAAAAAAAAAAAA".to_owned();
    for (wrong, code, why) in [
        (
            ReplayRoutingRequest { department_id: "nowhere".to_owned(), ..request.clone() },
            Code::NotFound,
            "DEPARTMENT_NOT_FOUND",
        ),
        (ReplayRoutingRequest { version: 9, ..request.clone() }, Code::NotFound, "ROUTING_POLICY_NOT_FOUND"),
        (ReplayRoutingRequest { page_token: foreign, ..request }, Code::InvalidArgument, "INVALID_REPLAY"),
    ] {
        let refused = world.routing().replay_routing(wrong).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (code, why));
    }
    let bad = ReplayRoutingRequest {
        version: -1,
        weights: Some(weights(-1, 0)),
        page_size: -1,
        ..ReplayRoutingRequest::default()
    };
    let refused = world.routing().replay_routing(bad).await.unwrap_err();
    assert_eq!(violations(&refused), ["department_id", "version", "weights.load", "page_size"]);
    world.house.done().await;
}
