//! Triage rules: JSON, as the command line takes it; tried on the cases there were.

use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    ActivateRuleSetRequest, CreateRuleSetRequest, GetRuleSetRequest, ListRuleSetsRequest, ReplayRulesRequest,
    ReplayedCase, RuleSet,
};

use super::contract::{self, JSON_MAX};
use super::input::{Input, InputKind, Placed};
use super::trial::{Cell, Trial, arrow};
use super::versioned::{Row, Rows, Version, Versioned};
use super::{Admin, ROWS};
use crate::form::Posted;
use crate::moment::Moment;
use crate::problem::Problem;
use crate::words::Words;

/// Most pages of past cases that a trial goes through, of 500 each.
const PAGES: usize = 2;

pub(super) struct Rules;

fn number(key: &str) -> Result<Option<i64>, Problem> {
    if key.is_empty() { Ok(None) } else { key.parse().map(Some).map_err(|_| Problem::not_found()) }
}

fn row(admin: &Admin, set: &RuleSet) -> Row {
    let t = admin.words();
    Row {
        key: set.version.to_string(),
        name: if set.version == 0 { t.shipped_version().to_owned() } else { t.version_number(set.version) },
        note: set.note.clone(),
        creator: set.creator.clone(),
        created: Moment::of(set.create_time.as_ref(), &admin.visitor),
        activated: Moment::of(set.activate_time.as_ref(), &admin.visitor),
        is_active: set.active,
    }
}

async fn get(admin: &Admin, version: Option<i64>) -> Result<RuleSet, Problem> {
    let mut service = TriageServiceClient::new(admin.client.calls());
    let answer = service.get_rule_set(GetRuleSetRequest { version }).await?.into_inner();
    answer.rule_set.ok_or_else(|| Problem::broken("a rule set is missing from its answer"))
}

/// What is edited: nothing that the service writes itself, and the note in a field of its own.
fn text(set: &RuleSet) -> Result<String, Problem> {
    let edited = RuleSet {
        version: 0,
        note: String::new(),
        active: false,
        create_time: None,
        creator: String::new(),
        activate_time: None,
        ..set.clone()
    };
    contract::write(&edited)
}

impl Versioned for Rules {
    const KEY: &'static str = "rules";

    fn title(t: Words) -> &'static str {
        t.rules()
    }

    fn about(t: Words) -> &'static str {
        t.rules_about()
    }

    fn inputs(t: Words) -> Vec<Input> {
        vec![
            Input::new("note", t.version_note(), InputKind::Line(1_000)),
            Input::new("rule_set", t.rules_json(), InputKind::Code { rows: 28, max: JSON_MAX })
                .saying(t.rules_help())
                .required(),
        ]
    }

    fn place(path: &str, inputs: &[Input]) -> Option<Placed> {
        Some(contract::place(path, "rule_set", inputs))
    }

    async fn list(admin: &Admin) -> Result<Rows, Problem> {
        let mut service = TriageServiceClient::new(admin.client.calls());
        let request = ListRuleSetsRequest { page_size: ROWS, page_token: String::new() };
        let answer = service.list_rule_sets(request).await?.into_inner();
        let rows = answer.rule_sets.iter().map(|set| row(admin, set)).collect();
        Ok(Rows::with_shipped(rows, row(admin, &RuleSet::default()), &answer.next_page_token))
    }

    async fn get(admin: &Admin, key: &str) -> Result<Version, Problem> {
        let set = get(admin, number(key)?).await?;
        let values = vec![("note", set.note.clone()), ("rule_set", text(&set)?)];
        let rules = set.rules.iter().map(|rule| format!("{}: {} — {}", rule.name, rule.when, rule.reason));
        let also = vec![(admin.words().rules_in_order(), rules.collect())];
        Ok(Version { row: row(admin, &set), values, also })
    }

    async fn create(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        let mut set: RuleSet = contract::read(posted.text("rule_set"), "rule_set")?;
        posted.text("note").clone_into(&mut set.note);
        let request = CreateRuleSetRequest { request_id: posted.request_id(), rule_set: Some(set) };
        let answer = TriageServiceClient::new(admin.client.calls()).create_rule_set(request).await?;
        Ok(answer.into_inner().rule_set.map(|set| set.version.to_string()).unwrap_or_default())
    }

    async fn trial(admin: &Admin, key: &str) -> Result<Trial, Problem> {
        let version = number(key)?.unwrap_or_default();
        let (mut examined, mut cases, mut page_token) = (0, Vec::new(), String::new());
        for _ in 0..PAGES {
            let request =
                ReplayRulesRequest { version, page_size: ROWS, page_token, ..ReplayRulesRequest::default() };
            let mut service = TriageServiceClient::new(admin.client.calls());
            let answer = service.replay_rules(request).await?.into_inner();
            examined += answer.examined;
            cases.extend(answer.cases);
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let t = admin.words();
        let changed = cases.len();
        let raised = cases.iter().filter(|case| case.new_priority < case.priority).count();
        let lowered = cases.iter().filter(|case| case.new_priority > case.priority).count();
        let mut said = vec![t.rules_trial().to_owned()];
        if !page_token.is_empty() {
            said.push(t.trial_partial(examined));
        }
        Ok(Trial {
            said,
            facts: vec![
                (t.examined().to_owned(), examined.to_string()),
                (t.changed_otherwise().to_owned(), changed.to_string()),
                (t.more_urgent().to_owned(), raised.to_string()),
                (t.less_urgent().to_owned(), lowered.to_string()),
            ],
            columns: vec![t.case_word(), t.category(), t.urgency_new(), t.why_word()],
            rows: cases.iter().map(|case| replayed(admin, case)).collect(),
            blocked: Vec::new(),
            stand: Self::list(admin).await?.stand(),
        })
    }

    async fn activate(admin: &Admin, key: &str, request_id: String) -> Result<(), Problem> {
        let version = number(key)?.unwrap_or_default();
        let request = ActivateRuleSetRequest { request_id, version };
        TriageServiceClient::new(admin.client.calls()).activate_rule_set(request).await?;
        Ok(())
    }
}

fn replayed(admin: &Admin, case: &ReplayedCase) -> Vec<Cell> {
    let t = admin.words();
    let path = Some(admin.path(&format!("/cases/{}", case.case_id)));
    vec![
        Cell { text: case.subject.clone(), path },
        arrow(&case.category, &case.new_category).into(),
        arrow(t.priority(case.priority), t.priority(case.new_priority)).into(),
        case.reasons.join("; ").into(),
    ]
}
