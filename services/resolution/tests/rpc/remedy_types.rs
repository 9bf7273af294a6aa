//! Types of remedy of a tenant's own: set, read, disabled, and used by plans; good, bad,
//! repeated, another tenant's.

use proto::redress::resolution::v1::remedy_type_service_client::RemedyTypeServiceClient;
use proto::redress::resolution::v1::{
    DisableRemedyTypeRequest, GetRemedyTypeRequest, ListRemedyTypesRequest, PlanState, ProposePlanRequest,
    RemedyKind, RemedyType, SetRemedyTypeRequest, Step, TaskCompleted, TaskState,
};
use serde_json::{Value, json};
use testkit::{CallerChannel, request_id};
use tonic::{Code, Status};

use crate::approval_policies::{automatic, in_force, of_rules};
use crate::repeated;
use crate::world::{
    LEASE, World, apology, completion, failure, found_departments, invalid, proposal, refused, task_id,
    unknown_outcome,
};

type Client = RemedyTypeServiceClient<CallerChannel>;

pub(crate) fn types_of(world: &World, tenant: &str) -> Client {
    Client::new(world.house.channel_as(tenant, "admin", &["admin", "supervisor"]))
}

pub(crate) fn types(world: &World) -> Client {
    types_of(world, "development")
}

/// A gift card: so much, for somebody; its code comes of it.
pub(crate) fn gift_card() -> RemedyType {
    let input = json!({
        "type": "object",
        "required": ["value"],
        "additionalProperties": false,
        "properties": { "value": { "type": "integer", "minimum": 1 }, "to": { "type": "string" } },
    });
    let result = json!({
        "type": "object",
        "required": ["code", "until"],
        "properties": {
            "code": { "type": "string", "pattern": "^[A-Z]{4}$" },
            "until": { "type": "string", "format": "date" },
        },
    });
    RemedyType {
        type_id: "gift-card".to_owned(),
        title: "礼品卡 / gift card".to_owned(),
        department_id: "outlet".to_owned(),
        input_schema: input.to_string(),
        result_schema: result.to_string(),
        moves_value: true,
        attempt_duration: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        undo_instructions: "Void the card.".to_owned(),
        ..RemedyType::default()
    }
}

pub(crate) fn setting(remedy_type: RemedyType) -> SetRemedyTypeRequest {
    SetRemedyTypeRequest { request_id: request_id(), expected_version: None, remedy_type: Some(remedy_type) }
}

pub(crate) async fn set(world: &World, remedy_type: RemedyType) -> RemedyType {
    types(world).set_remedy_type(setting(remedy_type)).await.unwrap().into_inner().remedy_type.unwrap()
}

/// A step of a gift card, in the department its type names.
pub(crate) fn card(id: &str, input: &str) -> Step {
    Step {
        step_id: id.to_owned(),
        kind: RemedyKind::Custom.into(),
        remedy_type: "gift-card".to_owned(),
        input: input.to_owned(),
        instructions: "In gold.".to_owned(),
        ..Step::default()
    }
}

pub(crate) const FIFTY: &str = r#"{"value": 50, "to": "ann"}"#;
pub(crate) const CODE: &str = r#"{"code": "ABCD", "until": "2027-11-28"}"#;

fn get(version: i64) -> GetRemedyTypeRequest {
    GetRemedyTypeRequest { type_id: "gift-card".to_owned(), version }
}

fn disabling() -> DisableRemedyTypeRequest {
    DisableRemedyTypeRequest {
        request_id: request_id(),
        type_id: "gift-card".to_owned(),
        expected_version: None,
    }
}

/// That a request was refused for these fields, in whatever order.
pub(crate) fn refused_for<T: std::fmt::Debug>(answer: Result<T, Status>, reason: &str, fields: &[&str]) {
    let status = answer.unwrap_err();
    let mut told = testkit::violations(&status);
    told.sort_unstable();
    assert_eq!(told, fields, "{status:?}");
    refused(Err::<(), _>(status), Code::InvalidArgument, reason);
}

#[tokio::test]
async fn a_type_is_set_in_versions_read_listed_and_disabled() {
    let world = World::identified().await;
    let mut admin = types(&world);
    let request = SetRemedyTypeRequest { expected_version: Some(0), ..setting(gift_card()) };
    let answer = repeated!(admin, set_remedy_type, request, |other: &mut SetRemedyTypeRequest| {
        other.remedy_type.as_mut().unwrap().title.push('!');
    });
    let first = answer.remedy_type.unwrap();
    assert_eq!((first.version, first.creator.as_str()), (1, "admin"));
    assert_eq!(admin.get_remedy_type(get(0)).await.unwrap().into_inner().remedy_type.unwrap(), first);
    let stale = SetRemedyTypeRequest { expected_version: Some(0), ..setting(gift_card()) };
    refused(admin.set_remedy_type(stale).await, Code::Aborted, "VERSION_MISMATCH");
    let second = set(&world, RemedyType { attempt_duration: None, ..gift_card() }).await;
    assert_eq!(second.version, 2);
    assert_eq!(second.attempt_duration, Some(prost_types::Duration { seconds: 3 * 24 * 3_600, nanos: 0 }));
    assert_eq!(admin.get_remedy_type(get(1)).await.unwrap().into_inner().remedy_type.unwrap(), first);
    refused(admin.get_remedy_type(get(3)).await, Code::NotFound, "REMEDY_TYPE_NOT_FOUND");

    let stale = DisableRemedyTypeRequest { expected_version: Some(1), ..disabling() };
    refused(admin.disable_remedy_type(stale).await, Code::Aborted, "VERSION_MISMATCH");
    let answer =
        repeated!(admin, disable_remedy_type, disabling(), |other: &mut DisableRemedyTypeRequest| {
            other.expected_version = Some(2);
        });
    let disabled = answer.remedy_type.unwrap();
    assert!(disabled.disable_time.is_some());
    let again = admin.disable_remedy_type(disabling()).await.unwrap().into_inner().remedy_type.unwrap();
    assert_eq!(again, disabled, "it is already");
    set(&world, RemedyType { type_id: "a.voucher-2".to_owned(), ..gift_card() }).await;
    let list = |token: &str| ListRemedyTypesRequest { page_size: 1, page_token: token.to_owned() };
    let page = admin.list_remedy_types(list("")).await.unwrap().into_inner();
    assert_eq!(page.remedy_types[0].type_id, "a.voucher-2");
    assert_eq!(page.remedy_types[0].input_schema, "", "lists are short");
    let page = admin.list_remedy_types(list(&page.next_page_token)).await.unwrap().into_inner();
    assert_eq!((page.remedy_types[0].version, page.next_page_token.as_str()), (2, ""));
    assert!(page.remedy_types[0].disable_time.is_some());
    let enabled = set(&world, gift_card()).await;
    assert_eq!((enabled.version, enabled.disable_time), (3, None), "setting it enables it");

    found_departments(&world.house, "other-tenant").await;
    let mut other = types_of(&world, "other-tenant");
    refused(other.get_remedy_type(get(0)).await, Code::NotFound, "REMEDY_TYPE_NOT_FOUND");
    refused(other.disable_remedy_type(disabling()).await, Code::NotFound, "REMEDY_TYPE_NOT_FOUND");
    assert_eq!(other.list_remedy_types(list("")).await.unwrap().into_inner().remedy_types, []);
    let theirs = other.set_remedy_type(setting(gift_card())).await.unwrap().into_inner().remedy_type.unwrap();
    assert_eq!(theirs.version, 1);
    world.house.done().await;
}

#[tokio::test]
async fn everything_wrong_with_a_type_is_told_at_once_and_nothing_is_kept() {
    let world = World::open().await;
    let mut admin = types(&world);
    let bad = RemedyType {
        type_id: "Gift Card".to_owned(),
        title: String::new(),
        department_id: "The Shop".to_owned(),
        input_schema: r#"{"type": "object", "properties": {"a": {"type": 3}}}"#.to_owned(),
        result_schema: "[]".to_owned(),
        attempt_duration: Some(prost_types::Duration { seconds: 59, nanos: 0 }),
        undo_instructions: "x".repeat(4_001),
        ..RemedyType::default()
    };
    let fields = [
        "remedy_type.undo_instructions",
        "remedy_type.type_id",
        "remedy_type.title",
        "remedy_type.department_id",
        "remedy_type.attempt_duration",
        "remedy_type.input_schema",
        "remedy_type.result_schema",
    ];
    let refusal = admin.set_remedy_type(setting(bad)).await;
    assert!(format!("{refusal:?}").contains("/properties/a/type"), "the place is told: {refusal:?}");
    invalid(refusal, "INVALID_REMEDY_TYPE", &fields);
    let nothing = SetRemedyTypeRequest::default();
    invalid(admin.set_remedy_type(nothing).await, "INVALID_REMEDY_TYPE", &["request_id", "remedy_type"]);
    for nanos in [1, -1] {
        let attempt_duration = Some(prost_types::Duration { seconds: 60, nanos });
        let broken = setting(RemedyType { attempt_duration, ..gift_card() });
        invalid(
            admin.set_remedy_type(broken).await,
            "INVALID_REMEDY_TYPE",
            &["remedy_type.attempt_duration"],
        );
    }
    let nowhere = setting(RemedyType { department_id: "nowhere".to_owned(), ..gift_card() });
    refused(admin.set_remedy_type(nowhere).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let malformed = GetRemedyTypeRequest { type_id: "A B".to_owned(), version: -1 };
    invalid(admin.get_remedy_type(malformed).await, "INVALID_REQUEST", &["type_id", "version"]);
    let nameless = DisableRemedyTypeRequest::default();
    invalid(admin.disable_remedy_type(nameless).await, "INVALID_REQUEST", &["request_id", "type_id"]);
    let paging = ListRemedyTypesRequest { page_size: -1, page_token: String::new() };
    invalid(admin.list_remedy_types(paging).await, "INVALID_REQUEST", &["page_size"]);
    refused(admin.get_remedy_type(get(0)).await, Code::NotFound, "REMEDY_TYPE_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test]
async fn hostile_schemas_are_refused_and_none_is_fetched() {
    let world = World::open().await;
    let mut deep = json!({});
    for _ in 0..60 {
        deep = json!({ "properties": { "a": deep } });
    }
    deep["type"] = Value::from("object");
    let refusing = |name: &str, value: Value| json!({ "type": "object", name: value }).to_string();
    let doubled = |at: i32| json!({ "allOf": [{ "$ref": format!("#/$defs/{}", at + 1) }, { "$ref": format!("#/$defs/{}", at + 1) }] });
    let mut parts: serde_json::Map<String, Value> = (0..40).map(|at| (at.to_string(), doubled(at))).collect();
    parts.insert("40".to_owned(), json!({}));
    let doubling = json!({ "type": "object", "$defs": parts, "$ref": "#/$defs/0" }).to_string();
    for schema in [
        deep.to_string(),
        "[".repeat(20_000),
        refusing("title", Value::from("x".repeat(50_000))),
        refusing("$ref", Value::from("https://example.org/schema")),
        refusing("$ref", Value::from("file:///etc/passwd")),
        refusing("properties", json!({ "a": { "$ref": "#" } })),
        refusing("properties", json!({ "a": { "pattern": "(\\p{L}{100}){100}" } })),
        refusing("properties", json!({ "a": { "pattern": "(?=a)b" } })),
        doubling,
    ] {
        for (field, hostile) in [
            ("remedy_type.input_schema", RemedyType { input_schema: schema.clone(), ..gift_card() }),
            ("remedy_type.result_schema", RemedyType { result_schema: schema.clone(), ..gift_card() }),
        ] {
            invalid(types(&world).set_remedy_type(setting(hostile)).await, "INVALID_REMEDY_TYPE", &[field]);
        }
    }
    // What backtracking would take ages for is matched in linear time.
    let slow = json!({ "type": "object", "properties": { "a": { "pattern": "(a*)*(b|a*)*c$" } } });
    set(&world, RemedyType { input_schema: slow.to_string(), ..gift_card() }).await;
    let case = world.decided_case().await;
    let input = json!({ "a": "a".repeat(9_000) }).to_string();
    let plan = world.handler().propose_plan(proposal(case, vec![card("gift", &input)])).await;
    invalid(plan, "INVALID_PLAN", &["steps[0].input.a"]);
    world.house.done().await;
}

#[tokio::test]
async fn what_a_tenant_calls_a_remedy_is_planned_done_and_undone() {
    let world = World::open().await;
    set(&world, gift_card()).await;
    let plan = world
        .approved(vec![card("gift", FIFTY), Step { depends_on: vec!["gift".into()], ..apology("sorry") }])
        .await;
    let step = &plan.steps[0];
    assert_eq!((step.remedy_type.as_str(), step.remedy_type_version), ("gift-card", 1));
    assert_eq!((step.input.as_str(), step.department_id.as_str()), (FIFTY, "outlet"));
    let lease = world.take("outlet").await;
    let task = lease.task.clone().unwrap();
    assert_eq!((task.kind(), task.input.as_str(), task.moves_value), (RemedyKind::Custom, FIFTY, true));
    assert_eq!((task.remedy_type.as_str(), task.remedy_type_version), ("gift-card", 1));
    let until = task.attempt_end_time.unwrap().seconds - task.create_time.unwrap().seconds;
    assert_eq!(until, 3_600, "as long as its type says");

    let mut report = completion(&lease);
    for (output, fields) in [
        ("", vec!["result.output"]),
        ("{", vec!["result.output"]),
        ("[]", vec!["result.output"]),
        (r#"{"code": "ab", "until": "soon"}"#, vec!["result.output.code", "result.output.until"]),
        ("{}", vec!["result.output.code", "result.output.until"]),
    ] {
        report.request_id = request_id();
        report.result.as_mut().unwrap().output = output.to_owned();
        let refusal = world.client("worker").complete_task(report.clone()).await;
        refused_for(refusal, "INVALID_RESULT", &fields);
    }
    report.request_id = request_id();
    report.result.as_mut().unwrap().output = CODE.to_owned();
    let done = world.client("worker").complete_task(report).await.unwrap().into_inner().task.unwrap();
    assert_eq!((done.state(), done.result.clone().unwrap().output.as_str()), (TaskState::Completed, CODE));
    assert_eq!(world.task(&task.task_id).await, done);
    let told = world.house.published::<TaskCompleted>("resolution").await;
    assert_eq!(told.iter().map(|told| told.remedy_type.as_str()).collect::<Vec<_>>(), ["gift-card"]);

    world.cancel(&plan).await;
    let undo = world.take("outlet").await;
    let task = undo.task.clone().unwrap();
    assert_eq!((task.compensation, task.compensates_task_id.as_str()), (true, done.task_id.as_str()));
    assert_eq!((task.input.as_str(), task.instructions.as_str()), (FIFTY, "Void the card."));
    let mut undone = completion(&undo);
    undone.result.as_mut().unwrap().output = CODE.to_owned();
    invalid(world.client("worker").complete_task(undone).await, "INVALID_RESULT", &["result.output"]);
    world.complete(&undo).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    world.house.done().await;
}

#[tokio::test]
async fn what_cannot_be_undone_stays_done_and_a_lost_card_waits_for_its_departments_word() {
    let world = World::open().await;
    set(&world, RemedyType { undo_instructions: String::new(), ..gift_card() }).await;
    let plan = world
        .approved(vec![card("gift", FIFTY), Step { depends_on: vec!["gift".into()], ..apology("sorry") }])
        .await;
    let mut report = completion(&world.take("outlet").await);
    report.result.as_mut().unwrap().output = CODE.to_owned();
    world.client("worker").complete_task(report).await.unwrap();
    world.cancel(&plan).await;
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    assert!(world.poll("outlet").await.is_empty());

    for (moves_value, state) in [(true, TaskState::OutcomeUnknown), (false, TaskState::NeedsAttention)] {
        set(&world, RemedyType { moves_value, ..gift_card() }).await;
        world.approved(vec![card("gift", FIFTY)]).await;
        let mut last = None;
        for _ in 0..resolution::task::MAX_ATTEMPTS {
            last = Some(world.take("outlet").await);
            world.house.advance(LEASE * 2);
        }
        assert!(world.poll("outlet").await.is_empty());
        assert_eq!(world.task(task_id(&last.unwrap())).await.state(), state);
    }
    world.house.done().await;
}

#[tokio::test]
async fn a_plan_keeps_its_version_while_the_next_holds_for_others() {
    let world = World::open().await;
    set(&world, gift_card()).await;
    let before = world.decided_case().await;
    let old = world.proposed(before, vec![card("gift", FIFTY)]).await;
    let input_schema = json!({ "type": "object", "required": ["points"] }).to_string();
    let result_schema = json!({ "type": "object", "required": ["account"] }).to_string();
    let changed =
        RemedyType { input_schema, result_schema, department_id: "service".to_owned(), ..gift_card() };
    set(&world, changed).await;
    let case = world.decided_case().await;
    let refusal = world.handler().propose_plan(proposal(case, vec![card("gift", FIFTY)])).await;
    invalid(refusal, "INVALID_PLAN", &["steps[0].input.points"]);
    let new = world.approved_for(case, vec![card("gift", r#"{"points": 9}"#)]).await;
    let old = world.approve(&old).await;
    assert_eq!((old.steps[0].remedy_type_version, new.steps[0].remedy_type_version), (1, 2));
    for (department, good, bad) in
        [("outlet", CODE, r#"{"account": 7}"#), ("service", r#"{"account": 7}"#, CODE)]
    {
        let mut report = completion(&world.take(department).await);
        report.result.as_mut().unwrap().output = bad.to_owned();
        refused(
            world.client("worker").complete_task(report.clone()).await,
            Code::InvalidArgument,
            "INVALID_RESULT",
        );
        report.request_id = request_id();
        report.result.as_mut().unwrap().output = good.to_owned();
        world.client("worker").complete_task(report).await.unwrap();
    }
    assert_eq!(world.plan(&old).await.state(), PlanState::Completed);
    world.house.done().await;
}

#[tokio::test]
async fn everything_wrong_with_a_step_of_a_type_is_told_at_once() {
    let world = World::open().await;
    set(&world, RemedyType { department_id: String::new(), ..gift_card() }).await;
    let case = world.decided_case().await;
    let unknown = Step { remedy_type: "voucher".to_owned(), ..card("b", "{}") };
    let nowhere = Step { department_id: "nowhere".to_owned(), ..card("c", FIFTY) };
    let steps = vec![card("a", r#"{"value": 0, "colour": "red"}"#), unknown, nowhere];
    let refusal = world.handler().propose_plan(proposal(case, steps)).await;
    let fields = [
        "steps[0].department_id",
        "steps[0].input.colour",
        "steps[0].input.value",
        "steps[1].remedy_type",
        "steps[2].department_id",
    ];
    refused_for(refusal, "INVALID_PLAN", &fields);
    let typed = Step { remedy_type: "gift-card".to_owned(), input: FIFTY.to_owned(), ..apology("a") };
    let input = Step { input: FIFTY.to_owned(), ..apology("b") };
    let typeless = Step { remedy_type: String::new(), department_id: "outlet".to_owned(), ..card("c", "") };
    let long = Step { input: format!("{{\"to\": \"{}\"}}", "x".repeat(10_000)), ..card("d", "") };
    let refusal = world.handler().propose_plan(proposal(case, vec![typed, input, typeless, long])).await;
    let fields = ["steps[0].remedy_type", "steps[1].input", "steps[2].remedy_type", "steps[3].input"];
    invalid(refusal, "INVALID_PLAN", &fields);
    world.house.done().await;
}

#[tokio::test]
async fn a_disabled_type_takes_no_new_plan_and_what_runs_goes_on() {
    let world = World::open().await;
    set(&world, gift_card()).await;
    let case = world.decided_case().await;
    let plan = world.proposed(case, vec![card("gift", FIFTY)]).await;
    types(&world).disable_remedy_type(disabling()).await.unwrap();
    let case = world.decided_case().await;
    let request: ProposePlanRequest = proposal(case, vec![card("gift", FIFTY)]);
    invalid(world.handler().propose_plan(request.clone()).await, "INVALID_PLAN", &["steps[0].remedy_type"]);
    world.approve(&plan).await;
    let mut report = completion(&world.take("outlet").await);
    report.result.as_mut().unwrap().output = CODE.to_owned();
    world.client("worker").complete_task(report).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    set(&world, gift_card()).await;
    world.handler().propose_plan(request).await.unwrap();
    world.house.done().await;
}

#[tokio::test]
async fn a_type_is_approved_by_a_rule_only_that_names_it() {
    let world = World::open().await;
    set(&world, gift_card()).await;
    for (when, state) in
        [("'custom' in kinds", PlanState::Proposed), ("'gift-card' in remedy_types", PlanState::Executing)]
    {
        in_force(&world, of_rules(vec![automatic("small", when)])).await;
        let case = world.decided_case().await;
        let plan = world.proposed(case, vec![card("gift", FIFTY)]).await;
        assert_eq!(plan.state(), state, "{when}: {:?}", plan.ruling);
        assert_eq!(plan.ruling.unwrap().rule, "small");
    }
    world.house.done().await;
}

#[tokio::test]
async fn failed_attempts_keep_their_input() {
    let world = World::open().await;
    set(&world, gift_card()).await;
    world.approved(vec![card("gift", FIFTY)]).await;
    let lease = world.take("outlet").await;
    world.client("worker").fail_task(failure(&lease, "BUSY", true)).await.unwrap();
    world.house.advance(LEASE);
    let again = world.take("outlet").await;
    assert_eq!(again.task.as_ref().unwrap().input, FIFTY);
    world.client("worker").fail_task(unknown_outcome(&again)).await.unwrap();
    assert_eq!(world.task(task_id(&again)).await.state(), TaskState::OutcomeUnknown);
    world.house.done().await;
}
