//! What waits for a decision. Services list such things case by case and task by task, so those
//! are looked at that are due first, as many as a page can ask for, and the page says how many
//! that were.

use client::Client;
use futures::StreamExt as _;
use futures::stream;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    Case, ClockExtension, ExtensionState, ListCasesRequest, ListClocksRequest, ListExtensionsRequest,
};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    GetTaskRequest, ListPlansRequest, ListTasksRequest, Plan, PlanState, ProposalKind, ProposalState, Step,
    Task, TaskOrder, TaskProposal,
};

use super::load::departments;
use crate::boards::{AT_ONCE, When, encoded};
use crate::money;
use crate::problem::Problem;
use crate::session::Visitor;

/// Cases looked at: those that are decided, and those that are due first.
const CASES: i32 = 60;
/// Tasks looked at, of each department and of all.
const TASKS: i32 = 20;
const TASKS_MAX: usize = 60;
/// Plans of a case that are looked at: the newest.
const PLANS: i32 = 3;

/// Something to decide.
pub(super) struct Item {
    /// `plan`, `extension` or `proposal`.
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) case_path: String,
    pub(super) case_name: String,
    pub(super) who: String,
    pub(super) when: Option<When>,
    /// What would come of it, a line each.
    pub(super) lines: Vec<String>,
    /// Why, in the words of who asks.
    pub(super) reason: String,
    /// The version that is decided; 0 where there is none.
    pub(super) version: i64,
    /// Whether who looks asked for it.
    pub(super) is_own: bool,
}

impl Item {
    /// What its forms are called.
    pub(super) fn key(&self) -> String {
        format!("{}-{}", self.kind, self.id)
    }
}

/// What waits, and how much was looked at for it.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) plans: Vec<Item>,
    pub(super) extensions: Vec<Item>,
    pub(super) proposals: Vec<Item>,
    pub(super) cases: usize,
    pub(super) tasks: usize,
}

/// Finds what waits.
pub(super) async fn pending(client: &Client, visitor: &Visitor) -> Result<Pending, Problem> {
    let (decided, open, proposals) = tokio::join!(
        cases(client, "open = true AND state = DECIDED"),
        cases(client, "open = true"),
        proposals(client, visitor),
    );
    let (decided, open, (proposals, tasks)) = (decided?, open?, proposals?);
    let looked = open.len();
    let (plans, extensions) =
        tokio::join!(plans(client, visitor, decided), extensions(client, visitor, open));
    Ok(Pending { plans, extensions, proposals, cases: looked, tasks })
}

async fn cases(client: &Client, filter: &str) -> Result<Vec<Case>, Problem> {
    let request = ListCasesRequest {
        page_size: CASES,
        filter: filter.to_owned(),
        order_by: "due_time".to_owned(),
        ..ListCasesRequest::default()
    };
    Ok(CaseServiceClient::new(client.calls()).list_cases(request).await?.into_inner().cases)
}

fn case_path(visitor: &Visitor, case: &str) -> String {
    visitor.app.path(&format!("/cases/{}", encoded(case)))
}

fn is_own(visitor: &Visitor, who: &str) -> bool {
    visitor.session.person.as_ref().is_some_and(|person| person.subject.eq_ignore_ascii_case(who))
}

async fn plans(client: &Client, visitor: &Visitor, cases: Vec<Case>) -> Vec<Item> {
    let read = |case: Case| async move {
        let request =
            ListPlansRequest { case_id: case.case_id.clone(), page_size: PLANS, page_token: String::new() };
        let answer =
            ResolutionServiceClient::new(client.calls()).list_plans(request).await.ok()?.into_inner();
        let plan = answer.plans.into_iter().find(|plan| plan.state() == PlanState::Proposed)?;
        Some(plan_item(plan, case, visitor))
    };
    let read = stream::iter(cases.into_iter().map(read)).buffered(AT_ONCE);
    read.filter_map(|item| async { item }).collect().await
}

fn plan_item(plan: Plan, case: Case, visitor: &Visitor) -> Item {
    let t = visitor.words;
    let step = |step: &Step| {
        let mut line = t.remedy(step.kind).to_owned();
        let goods = step.goods.as_ref().map(|goods| format!("{} × {}", goods.sku, goods.quantity));
        let parts = [step.remedy_type.clone(), money::text(step.amount.as_ref()), goods.unwrap_or_default()];
        for part in parts.into_iter().chain([step.department_id.clone()]).filter(|part| !part.is_empty()) {
            line.extend([" · ", &part]);
        }
        line
    };
    let mut lines: Vec<String> = plan.steps.iter().map(step).collect();
    if !plan.second_approval_reason.is_empty() {
        lines.push(t.decide_second(&plan.second_approval_reason));
    }
    Item {
        kind: "plan",
        title: t.plan().to_owned(),
        case_path: case_path(visitor, &case.case_id),
        case_name: case.subject,
        when: When::of(plan.create_time.as_ref(), visitor),
        lines,
        reason: String::new(),
        version: plan.version,
        is_own: is_own(visitor, &plan.proposer),
        who: plan.proposer,
        id: plan.plan_id,
    }
}

async fn extensions(client: &Client, visitor: &Visitor, cases: Vec<Case>) -> Vec<Item> {
    let read = |case: Case| async move {
        let mut clocks = ClockServiceClient::new(client.calls());
        let request = ListExtensionsRequest { case_id: case.case_id.clone() };
        let all = clocks.list_extensions(request).await.ok()?.into_inner().extensions;
        let pending = all.into_iter().find(|one| one.state() == ExtensionState::Pending)?;
        let request = ListClocksRequest { case_id: case.case_id.clone() };
        let clocks = clocks.list_clocks(request).await.ok()?.into_inner().clocks;
        let budget = clocks.into_iter().find(|clock| clock.kind == pending.kind).map(|clock| clock.budget);
        Some(extension_item(pending, case, budget.unwrap_or_default(), visitor))
    };
    let read = stream::iter(cases.into_iter().map(read)).buffered(AT_ONCE);
    read.filter_map(|item| async { item }).collect().await
}

fn extension_item(extension: ClockExtension, case: Case, budget: String, visitor: &Visitor) -> Item {
    let t = visitor.words;
    let due = When::of(case.due_time.as_ref(), visitor).map(|due| format!("{} {}", t.due_at(), due.text));
    Item {
        kind: "extension",
        title: t.decide_more_time(extension.amount, t.clock_kind(extension.kind)),
        case_path: case_path(visitor, &case.case_id),
        case_name: case.subject,
        when: When::of(extension.request_time.as_ref(), visitor),
        lines: due.into_iter().chain([budget]).filter(|line| !line.is_empty()).collect(),
        reason: extension.reason,
        version: 0,
        is_own: is_own(visitor, &extension.requester),
        who: extension.requester,
        id: extension.extension_id,
    }
}

/// What is proposed about the tasks that are due first, and how many were looked at.
async fn proposals(client: &Client, visitor: &Visitor) -> Result<(Vec<Item>, usize), Problem> {
    let list = |department_id: String| async move {
        let request = ListTasksRequest {
            page_size: TASKS,
            department_id,
            order: TaskOrder::LeastSlack.into(),
            ..ListTasksRequest::default()
        };
        let answer = ResolutionServiceClient::new(client.calls()).list_tasks(request).await;
        answer.map(|answer| answer.into_inner().tasks).unwrap_or_default()
    };
    let ids: Vec<String> = departments(client).await?.into_iter().map(|one| one.department_id).collect();
    let lists: Vec<Vec<Task>> = stream::iter(ids.into_iter().map(list)).buffered(AT_ONCE).collect().await;
    let mut tasks: Vec<Task> = lists.into_iter().flatten().collect();
    tasks.sort_by_key(|task| task.due_time.map_or(i64::MAX, |due| due.seconds));
    tasks.truncate(TASKS_MAX);
    let looked = tasks.len();
    let read = |task: Task| async move {
        let request = GetTaskRequest { task_id: task.task_id.clone() };
        let answer = ResolutionServiceClient::new(client.calls()).get_task(request).await.ok()?.into_inner();
        let pending = answer.proposals.into_iter().find(|one| one.state() == ProposalState::Pending)?;
        Some(proposal_item(pending, task, visitor))
    };
    let read = stream::iter(tasks.into_iter().map(read)).buffered(AT_ONCE);
    Ok((read.filter_map(|item| async { item }).collect().await, looked))
}

fn proposal_item(proposal: TaskProposal, task: Task, visitor: &Visitor) -> Item {
    let t = visitor.words;
    let mut lines = vec![task.department_id.clone()];
    match proposal.kind() {
        ProposalKind::Extension => {
            let now =
                When::of(task.due_time.as_ref(), visitor).map(|due| format!("{} {}", t.due_at(), due.text));
            let then = When::of(proposal.due_time.as_ref(), visitor).map(|due| t.decide_until(due.text));
            lines.extend(now.into_iter().chain(then));
        }
        ProposalKind::Completion => {
            let result = proposal.result.unwrap_or_default();
            lines.extend([result.reference, money::text(result.amount.as_ref()), result.remark]);
        }
        _ => lines.push(money::text(proposal.amount.as_ref())),
    }
    let sum = money::text(task.amount.as_ref());
    let dot = if sum.is_empty() { "" } else { " · " };
    Item {
        kind: "proposal",
        title: format!("{}: {}{dot}{sum}", t.proposal_kind(proposal.kind), t.remedy(task.kind)),
        case_path: case_path(visitor, &task.case_id),
        case_name: task.case_id,
        when: When::of(proposal.propose_time.as_ref(), visitor),
        lines: lines.into_iter().filter(|line| !line.is_empty()).collect(),
        reason: proposal.reason,
        version: 0,
        is_own: is_own(visitor, &proposal.proposer),
        who: proposal.proposer,
        id: proposal.proposal_id,
    }
}
