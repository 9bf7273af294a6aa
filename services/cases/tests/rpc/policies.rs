//! What is promised, as data: made, tried, put in force.

use jiff::SignedDuration;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::policy_service_client::PolicyServiceClient;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, ActivatePolicyResponse, CaseClock, CaseEscalated, CasePriorityRaised,
    CaseReturned, CaseState, ClockBreached, ClockKind, ClockState, CreatePolicyRequest, GetPolicyRequest,
    LadderRung, ListClocksRequest, ListPoliciesRequest, MovedDeadline, PauseClocksRequest, PauseReason,
    Policy, RungAction,
};
use proto::redress::feedback::v1::Response;
use sqlx::PgConnection;
use testkit::{CallerChannel, House, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::Scene;

const PACK: &str = r#"
    name = "ours"
    version = 2
    title = "Our own"
    source = "own choice"
    calendar = "always"
    effective_from = "2026-01-01"
    promises = [
        { kind = "acknowledge", budget = "2 days", own_target = true },
        { kind = "decide", budget = "10 days", extension = { most = 5 } },
        { kind = "decide", budget = "2 days", when = { priority = 1 } },
        { kind = "final", budget = "8 weeks" },
    ]
"#;

fn policies(house: &House) -> PolicyServiceClient<CallerChannel> {
    PolicyServiceClient::new(house.channel())
}

fn own(pack: &str) -> CreatePolicyRequest {
    CreatePolicyRequest {
        request_id: request_id(),
        pack_toml: pack.to_owned(),
        note: "as agreed".to_owned(),
        ..CreatePolicyRequest::default()
    }
}

async fn create(house: &House, request: CreatePolicyRequest) -> Policy {
    policies(house).create_policy(request).await.expect("made").into_inner().policy.expect("a policy")
}

async fn activate(
    house: &House,
    version: i32,
    validate_only: bool,
) -> Result<ActivatePolicyResponse, Status> {
    let request = ActivatePolicyRequest { request_id: request_id(), version, validate_only };
    Ok(policies(house).activate_policy(request).await?.into_inner())
}

async fn clocks(scene: &Scene, case: Uuid) -> Vec<CaseClock> {
    let request = ListClocksRequest { case_id: case.to_string() };
    let mut client = ClockServiceClient::new(scene.house.channel());
    client.list_clocks(request).await.expect("listed").into_inner().clocks
}

async fn clock(scene: &Scene, case: Uuid, kind: ClockKind) -> CaseClock {
    clocks(scene, case).await.into_iter().find(|clock| clock.kind() == kind).expect("there is such a clock")
}

#[tokio::test]
async fn a_policy_is_made_tried_and_put_in_force() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    let paused = scene.assigned().await;
    let pause = PauseClocksRequest {
        request_id: request_id(),
        case_id: paused.to_string(),
        expected_version: None,
        kinds: vec![ClockKind::Decide.into()],
        reason: PauseReason::Appraisal.into(),
        remark: "at the laboratory".to_owned(),
    };
    ClockServiceClient::new(scene.house.channel()).pause_clocks(pause).await.expect("paused");
    scene.advance(SignedDuration::from_mins(30));
    let policy = create(&scene.house, own(PACK)).await;
    assert_eq!((policy.version, policy.pack.as_str(), policy.shipped), (1, "ours@2", false));
    assert!(policy.activate_time.is_none() && !policy.rungs.is_empty() && policy.promises.len() == 4);

    let before = (clocks(&scene, case).await, clocks(&scene, paused).await);
    let tried = activate(&scene.house, 1, true).await.expect("tried");
    assert_eq!(before, (clocks(&scene, case).await, clocks(&scene, paused).await), "nothing moved");
    let done = activate(&scene.house, 1, false).await.expect("activated");
    assert_eq!((&tried.moved, tried.moved_count), (&done.moved, 4), "what was tried is what came");
    assert!(done.policy.is_some_and(|policy| policy.activate_time.is_some()));

    for (id, before) in [(case, before.0), (paused, before.1)] {
        for (before, after) in before.iter().zip(clocks(&scene, id).await) {
            let told = |moved: &&MovedDeadline| moved.case_id == id.to_string() && moved.kind == after.kind;
            let moved = done.moved.iter().find(told).expect("told");
            assert_eq!((moved.before_time, moved.after_time), (before.due_time, after.due_time));
            assert_eq!((after.policy.as_str(), after.calendar.as_str()), ("ours@2", "always"));
            assert_eq!(after.start_time, before.start_time, "spent stays spent");
            assert_eq!(after.state(), ClockState::Running, "this policy lets nothing stand still");
        }
    }
    let acknowledge = clock(&scene, case, ClockKind::Acknowledge).await;
    assert_eq!(scene.case(case).await.due_time, acknowledge.due_time);
    let fresh = scene.triaged().await;
    assert_eq!(clock(&scene, fresh, ClockKind::Final).await.budget, "8 weeks");
    assert_eq!(activate(&scene.house, 1, true).await.expect("tried again").moved, []);
    scene.house.done().await;
}

#[tokio::test]
async fn version_0_puts_the_shipped_policy_in_force_again() {
    let scene = Scene::timed().await;
    let first = scene.triaged().await;
    let shipped = clocks(&scene, first).await;
    create(&scene.house, own(PACK)).await;
    activate(&scene.house, 1, false).await.expect("activated");
    let tried = activate(&scene.house, 0, true).await.expect("tried");
    assert_eq!(tried.policy.expect("shown").version, 0);
    let done = activate(&scene.house, 0, false).await.expect("activated");
    assert_eq!((tried.moved, done.policy.expect("kept").version), (done.moved, 2));
    let back = clocks(&scene, first).await;
    let due =
        |clocks: &[CaseClock]| clocks.iter().map(|clock| (clock.kind, clock.due_time)).collect::<Vec<_>>();
    assert_eq!(due(&back), due(&shipped));
    let again = activate(&scene.house, 0, false).await.expect("activated again");
    assert_eq!(again.policy.expect("kept").version, 2, "there is but one of it");
    scene.house.done().await;
}

#[tokio::test]
async fn a_regimes_clock_runs_on_and_is_put_under_the_next_policy() {
    let scene = Scene::timed().await;
    create(&scene.house, own(PACK)).await;
    activate(&scene.house, 1, false).await.expect("activated");
    let case = scene.resolved().await;
    scene.respond(case, 1, Response::Disputed, "still broken").await;
    let decide: Vec<_> =
        clocks(&scene, case).await.into_iter().filter(|clock| clock.kind() == ClockKind::Decide).collect();
    assert_eq!(decide.len(), 2);
    assert_eq!((decide[0].cycle, decide[0].end_time), (2, None), "as if never met");
    assert_eq!((decide[1].cycle, decide[1].state()), (1, ClockState::Met), "what was kept stays kept");
    assert_eq!(decide[0].start_time, decide[1].start_time);
    let next = PACK.replace("10 days", "12 days").replace("version = 2", "version = 3");
    create(&scene.house, own(&next)).await;
    let moved = activate(&scene.house, 2, false).await.expect("activated").moved;
    assert_eq!(moved.iter().map(MovedDeadline::kind).collect::<Vec<_>>(), [ClockKind::Decide]);
    // One that begins to apply next year says nothing about this year's complaints.
    let later = PACK.replace("2026-01-01", "2027-01-01").replace("10 days", "1 day");
    create(&scene.house, own(&later)).await;
    assert_eq!(activate(&scene.house, 3, false).await.expect("activated").moved, []);
    let fresh = scene.triaged().await;
    assert_eq!(clock(&scene, fresh, ClockKind::Decide).await.policy, "ours@3");
    scene.house.done().await;
}

#[tokio::test]
async fn the_steps_of_a_ladder_are_data() {
    let scene = Scene::timed().await;
    let rung = |name: &str, at: &str, actions: &[RungAction]| LadderRung {
        kind: ClockKind::Decide.into(),
        name: name.to_owned(),
        at: at.to_owned(),
        actions: actions.iter().map(|action| (*action).into()).collect(),
    };
    let rungs = vec![
        rung("half", "50%", &[RungAction::Reassign, RungAction::RaisePriority]),
        rung("eve", "1 day before", &[RungAction::Escalate]),
    ];
    create(&scene.house, CreatePolicyRequest { rungs, ..own(PACK) }).await;
    activate(&scene.house, 1, false).await.expect("activated");
    let case = scene.assigned().await;
    let before = clock(&scene, case, ClockKind::Decide).await;
    scene.advance(SignedDuration::from_hours(24 * 6));
    eventually(async || !scene.house.published::<CaseReturned>("cases").await.is_empty()).await;
    assert_eq!(scene.house.published::<CasePriorityRaised>("cases").await.len(), 1);
    assert_eq!(scene.house.published::<CaseEscalated>("cases").await, []);
    let after = clock(&scene, case, ClockKind::Decide).await;
    assert_eq!(after.due_time, before.due_time, "its own delay makes no deadline shorter");
    assert_eq!(after.rungs_done, ["half"]);
    scene.advance(SignedDuration::from_hours(24 * 4));
    eventually(async || scene.case(case).await.tier == 1).await;
    scene.house.done().await;
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_policy_is_said_at_once() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let mut client = PolicyServiceClient::new(house.channel_as("tenant-a", "ann", &["admin"]));
    let broken = PACK.replace("version = 2", "version = 0").replace("\"ours\"", "\"o u r s\"");
    let rungs = vec![
        LadderRung { kind: 99, name: "breach".to_owned(), at: "soon".to_owned(), actions: vec![1] },
        LadderRung { kind: 0, name: "a".to_owned(), at: "80%".to_owned(), actions: vec![] },
    ];
    let request = CreatePolicyRequest { request_id: String::new(), rungs, ..own(&broken) };
    let refusal = client.create_policy(request).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_POLICY"));
    assert_eq!(
        violations(&refusal),
        [
            "request_id",
            "pack_toml.name",
            "pack_toml.version",
            "rungs[0].kind",
            "rungs[0].name",
            "rungs[0].at",
            "rungs[1].actions",
        ]
    );
    let both = CreatePolicyRequest { shipped_pack: "uk-fca-disp".to_owned(), ..own(PACK) };
    assert_eq!(violations(&client.create_policy(both).await.unwrap_err()), ["shipped_pack"]);
    let nowhere = own(&PACK.replace("\"always\"", "\"mars\""));
    assert_eq!(violations(&client.create_policy(nowhere).await.unwrap_err()), ["pack_toml.calendar"]);

    let disp = CreatePolicyRequest {
        request_id: request_id(),
        shipped_pack: "uk-fca-disp".to_owned(),
        ..CreatePolicyRequest::default()
    };
    let made = client.create_policy(disp.clone()).await.expect("made").into_inner();
    let again = client.create_policy(disp).await.expect("the same answer").into_inner();
    assert_eq!(made, again);
    assert!(made.policy.is_some_and(|policy| policy.shipped && policy.pack == "uk-fca-disp@3"));
    let mut other = PolicyServiceClient::new(house.channel_as("tenant-b", "bob", &["admin"]));
    let refusal =
        other.get_policy(GetPolicyRequest { version: Some(1), ..Default::default() }).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "POLICY_NOT_FOUND"));
    let list = other.list_policies(ListPoliciesRequest::default()).await.expect("listed").into_inner();
    assert_eq!(list.policies, []);
    let shipped = other.get_policy(GetPolicyRequest::default()).await.expect("read").into_inner();
    assert_eq!(
        shipped.policy.map(|policy| (policy.version, policy.pack)),
        Some((0, "general-e-commerce@1".to_owned()))
    );
    house.done().await;
}

/// A transaction that has what is promised to itself, as an activation does before it
/// takes the cases.
async fn activation(scene: &Scene) -> PgConnection {
    let mut conn = scene.house.owner().await;
    for statement in [
        "BEGIN",
        "SELECT pg_advisory_xact_lock(hashtextextended('cases.calendars.development', 0))",
        "SET LOCAL lock_timeout = '300ms'",
    ] {
        sqlx::query(statement).execute(&mut conn).await.expect("as an activation does");
    }
    conn
}

/// Whether anybody waits for such a transaction.
async fn somebody_waits(scene: &Scene) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
    )
    .fetch_one(&mut scene.house.owner().await)
    .await
    .expect("locks can be seen")
}

#[tokio::test]
async fn who_waits_for_a_policy_to_be_in_force_holds_no_case() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    let mut activation = activation(&scene).await;
    let mut client = ClockServiceClient::new(scene.house.channel());
    let pause = PauseClocksRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        reason: PauseReason::Appraisal.into(),
        remark: "sent to the laboratory".to_owned(),
        ..PauseClocksRequest::default()
    };
    let paused = tokio::spawn(async move { client.pause_clocks(pause).await });
    eventually(async || somebody_waits(&scene).await).await;
    let locked = sqlx::query("SELECT FROM cases.cases WHERE case_id = $1 FOR NO KEY UPDATE")
        .bind(case)
        .execute(&mut activation)
        .await;
    assert_eq!(locked.expect("nobody holds the case").rows_affected(), 1);
    sqlx::query("COMMIT").execute(&mut activation).await.unwrap();
    paused.await.unwrap().expect("paused, once the activation is through");
    scene.house.done().await;
}

#[tokio::test]
async fn what_is_due_while_a_policy_is_put_in_force_fires_afterwards() {
    let scene = Scene::timed().await;
    let case = scene.resolved().await;
    let mut activation = activation(&scene).await;
    scene.advance(SignedDuration::from_hours(24 * 15));
    tokio::time::sleep(timers::POLL * 3).await;
    assert!(!somebody_waits(&scene).await, "other tenants' timers fire meanwhile");
    assert_eq!(scene.case(case).await.state(), CaseState::Resolved);
    sqlx::query("COMMIT").execute(&mut activation).await.unwrap();
    eventually(async || scene.case(case).await.state() == CaseState::Closed).await;
    scene.house.done().await;
}

async fn policy(house: &House, version: i32) -> Policy {
    let request = GetPolicyRequest { version: Some(version), ..GetPolicyRequest::default() };
    policies(house).get_policy(request).await.expect("read").into_inner().policy.expect("a policy")
}

#[tokio::test]
async fn while_a_policy_waits_for_one_case_it_holds_for_every_other() {
    let scene = Scene::timed().await;
    let (held, other) = (scene.assigned().await, scene.assigned().await);
    create(&scene.house, own(PACK)).await;
    let mut conn = scene.house.owner().await;
    sqlx::query("BEGIN").execute(&mut conn).await.expect("begun");
    sqlx::query("SELECT FROM cases.cases WHERE case_id = $1 FOR NO KEY UPDATE")
        .bind(held)
        .execute(&mut conn)
        .await
        .expect("held");
    let done = activate(&scene.house, 1, false).await.expect("in force, though not for all");
    assert_eq!((done.moved_count, done.moved_is_partial), (4, false));
    let recount = policy(&scene.house, 1).await.recount.expect("it is under way");
    assert_eq!((recount.case_count, recount.finish_time), (0, None));

    assert_eq!(clock(&scene, other, ClockKind::Decide).await.policy, "ours@2", "who looks finds it in force");
    let pause = PauseClocksRequest {
        request_id: request_id(),
        case_id: other.to_string(),
        reason: PauseReason::Appraisal.into(),
        remark: "to the laboratory".to_owned(),
        ..PauseClocksRequest::default()
    };
    let refusal = ClockServiceClient::new(scene.house.channel()).pause_clocks(pause).await.unwrap_err();
    assert_eq!(reason(&refusal), "CLOCK_MAY_NOT_PAUSE", "it lets nothing stand still");
    // What is due fires meanwhile, by the new promise: at the end of the second day.
    scene.advance(SignedDuration::from_hours(24 * 3));
    let breached = async || {
        let told = scene.house.published::<ClockBreached>("cases").await;
        told.into_iter().filter(|told| told.kind() == ClockKind::Acknowledge).collect::<Vec<_>>()
    };
    eventually(async || !breached().await.is_empty()).await;
    let told = breached().await;
    assert_eq!((told.len(), told[0].case_id.as_str()), (1, other.to_string().as_str()));
    assert_eq!(told[0].policy, "ours@2");

    sqlx::query("COMMIT").execute(&mut conn).await.unwrap();
    let finished =
        async || policy(&scene.house, 1).await.recount.is_some_and(|one| one.finish_time.is_some());
    eventually(finished).await;
    let acknowledge = clock(&scene, held, ClockKind::Acknowledge).await;
    assert_eq!(acknowledge.policy, "ours@2");
    scene.house.done().await;
}

#[tokio::test]
async fn a_policy_is_not_put_in_force_while_somebody_keeps_the_clocks_busy() {
    let scene = Scene::timed().await;
    create(&scene.house, own(PACK)).await;
    let mut conn = scene.house.owner().await;
    for statement in
        ["BEGIN", "SELECT pg_advisory_xact_lock_shared(hashtextextended('cases.calendars.development', 0))"]
    {
        sqlx::query(statement).execute(&mut conn).await.expect("as a change of a case does");
    }
    let refusal = activate(&scene.house, 1, false).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::Unavailable, "CLOCKS_BUSY"));
    assert!(policy(&scene.house, 1).await.activate_time.is_none(), "nothing was changed");
    sqlx::query("COMMIT").execute(&mut conn).await.unwrap();
    activate(&scene.house, 1, false).await.expect("then it is");
    scene.house.done().await;
}
