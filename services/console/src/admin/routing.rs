//! Routing weights: numbers; tried on who would have had the cases there were.

use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::routing_service_client::RoutingServiceClient;
use proto::redress::assignment::v1::{
    ActivateRoutingPolicyRequest, CreateRoutingPolicyRequest, Department, GetRoutingPolicyRequest,
    ListDepartmentsRequest, ListRoutingPoliciesRequest, ReplayRoutingRequest, ReplayRoutingResponse,
    RoutingPolicy, RoutingWeights, WaitingTimes,
};

use super::input::{Input, InputKind, Placed};
use super::trial::{Cell, Trial, arrow};
use super::versioned::{Row, Rows, Version, Versioned};
use super::{Admin, ROWS};
use crate::form::Posted;
use crate::moment::Moment;
use crate::problem::{Problem, Violation};
use crate::words::Words;

/// Most departments that a trial goes through.
const DEPARTMENTS: usize = 8;
/// The weights, as the contract names them.
const WEIGHTS: [&str; 7] = ["load", "skill", "language", "region", "affinity", "waiting", "team"];

pub(super) struct Routing;

fn number(key: &str) -> Result<Option<i32>, Problem> {
    if key.is_empty() { Ok(None) } else { key.parse().map(Some).map_err(|_| Problem::not_found()) }
}

fn row(admin: &Admin, policy: &RoutingPolicy) -> Row {
    let t = admin.words();
    let is_shipped = policy.version == 0;
    Row {
        key: policy.version.to_string(),
        name: if is_shipped { t.shipped_version().to_owned() } else { t.version_number(policy.version) },
        note: policy.note.clone(),
        created: Moment::of(policy.create_time.as_ref(), &admin.visitor),
        is_active: policy.active,
        ..Row::default()
    }
}

fn label(t: Words, weight: &str) -> &'static str {
    match weight {
        "load" => t.weight_load(),
        "skill" => t.weight_skill(),
        "language" => t.weight_language(),
        "region" => t.weight_region(),
        "affinity" => t.weight_affinity(),
        "waiting" => t.weight_waiting(),
        _ => t.weight_team(),
    }
}

fn values(weights: &RoutingWeights) -> [i32; 7] {
    let RoutingWeights { load, skill, language, region, affinity, waiting, team } = *weights;
    [load, skill, language, region, affinity, waiting, team]
}

impl Versioned for Routing {
    const KEY: &'static str = "routing";

    fn title(t: Words) -> &'static str {
        t.routing()
    }

    fn about(t: Words) -> &'static str {
        t.routing_about()
    }

    fn inputs(t: Words) -> Vec<Input> {
        let mut inputs = vec![Input::new("note", t.version_note(), InputKind::Line(2_000))];
        inputs
            .extend(WEIGHTS.map(|weight| Input::new(weight, label(t, weight), InputKind::Number).required()));
        let earlier = [1, 2].map(|value: i32| (value.to_string(), t.earlier_handler(value).to_owned()));
        inputs.push(Input::new("earlier_handler", t.earlier_word(), InputKind::Choice(earlier.to_vec())));
        inputs.push(
            Input::new("accept_seconds", t.accept_seconds(), InputKind::Number)
                .saying(t.accept_seconds_help()),
        );
        inputs
    }

    fn place(path: &str, _: &[Input]) -> Option<Placed> {
        let name = path.rsplit('.').next()?;
        let known = WEIGHTS.iter().chain(&["note", "earlier_handler", "accept_seconds"]);
        known.copied().find(|one| *one == name).map(|input| Placed { input, line: None })
    }

    async fn list(admin: &Admin) -> Result<Rows, Problem> {
        let mut service = RoutingServiceClient::new(admin.client.calls());
        let request = ListRoutingPoliciesRequest { page_size: ROWS, page_token: String::new() };
        let answer = service.list_routing_policies(request).await?.into_inner();
        let rows = answer.policies.iter().map(|policy| row(admin, policy)).collect();
        Ok(Rows::with_shipped(rows, row(admin, &RoutingPolicy::default()), &answer.next_page_token))
    }

    async fn get(admin: &Admin, key: &str) -> Result<Version, Problem> {
        let mut service = RoutingServiceClient::new(admin.client.calls());
        let request = GetRoutingPolicyRequest { version: number(key)? };
        let policy = service.get_routing_policy(request).await?.into_inner().policy;
        let policy = policy.ok_or_else(|| Problem::broken("a policy is missing from its answer"))?;
        let weights = values(&policy.weights.unwrap_or_default());
        let mut all = vec![
            ("note", policy.note.clone()),
            ("earlier_handler", policy.earlier_handler.max(1).to_string()),
            ("accept_seconds", policy.accept_seconds.to_string()),
        ];
        all.extend(WEIGHTS.into_iter().zip(weights.map(|weight| weight.to_string())));
        Ok(Version { row: row(admin, &policy), values: all, also: Vec::new() })
    }

    async fn create(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        let mut wrong = Vec::new();
        let mut number = |name: &str| {
            let read = posted.number::<i32>(name);
            if read.is_none() {
                wrong.push(Violation {
                    field: name.to_owned(),
                    description: "must be a whole number".to_owned(),
                });
            }
            read.unwrap_or_default()
        };
        let [load, skill, language, region, affinity, waiting, team] = WEIGHTS.map(&mut number);
        let accept_seconds = number("accept_seconds");
        if !wrong.is_empty() {
            return Err(super::input::all_wrong(wrong));
        }
        let policy = RoutingPolicy {
            weights: Some(RoutingWeights { load, skill, language, region, affinity, waiting, team }),
            earlier_handler: posted.number("earlier_handler").unwrap_or_default(),
            accept_seconds,
            note: posted.text("note").to_owned(),
            ..RoutingPolicy::default()
        };
        let request = CreateRoutingPolicyRequest { request_id: posted.request_id(), policy: Some(policy) };
        let answer = RoutingServiceClient::new(admin.client.calls()).create_routing_policy(request).await?;
        Ok(answer.into_inner().policy.map(|policy| policy.version.to_string()).unwrap_or_default())
    }

    async fn trial(admin: &Admin, key: &str) -> Result<Trial, Problem> {
        let version = number(key)?.unwrap_or_default();
        let mut service = AssignmentServiceClient::new(admin.client.calls());
        let request = ListDepartmentsRequest { page_size: ROWS, page_token: String::new() };
        let departments = service.list_departments(request).await?.into_inner().departments;
        let handling: Vec<Department> =
            departments.into_iter().filter(|department| !department.categories.is_empty()).collect();
        let t = admin.words();
        let mut trial = Trial {
            said: vec![t.routing_trial().to_owned()],
            columns: vec![t.department(), t.agent_word(), t.cases_had()],
            stand: Self::list(admin).await?.stand(),
            ..Trial::default()
        };
        if handling.len() > DEPARTMENTS {
            trial.said.push(t.trial_departments(DEPARTMENTS));
        }
        for department in handling.into_iter().take(DEPARTMENTS) {
            let request = ReplayRoutingRequest {
                department_id: department.department_id.clone(),
                version,
                page_size: 1,
                ..ReplayRoutingRequest::default()
            };
            let mut service = RoutingServiceClient::new(admin.client.calls());
            let replayed = service.replay_routing(request).await?.into_inner();
            tell(&mut trial, t, &department.department_id, &replayed);
        }
        Ok(trial)
    }

    async fn activate(admin: &Admin, key: &str, request_id: String) -> Result<(), Problem> {
        let version = number(key)?.unwrap_or_default();
        let request = ActivateRoutingPolicyRequest { request_id, version };
        RoutingServiceClient::new(admin.client.calls()).activate_routing_policy(request).await?;
        Ok(())
    }
}

/// What the weights would have made of one department.
fn tell(trial: &mut Trial, t: Words, department: &str, replayed: &ReplayRoutingResponse) {
    let waited = |times: Option<&WaitingTimes>| {
        let average = times.and_then(|times| times.average.as_ref()).map_or(0, |time| time.seconds);
        t.minutes(average / 60)
    };
    let waits = arrow(&waited(replayed.waited.as_ref()), &waited(replayed.replayed_waited.as_ref()));
    trial.facts.push((department.to_owned(), t.routing_fact(replayed.examined, replayed.changed, waits)));
    if replayed.partial {
        trial.said.push(t.trial_partial(replayed.examined));
    }
    for spread in &replayed.spread {
        let counts = arrow(&spread.assignments.to_string(), &spread.replayed_assignments.to_string());
        trial.rows.push(vec![Cell::from(department), spread.agent_id.clone().into(), counts.into()]);
    }
}
