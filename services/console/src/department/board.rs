//! The board: what waits for a department, and who takes the next.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use client::Client;
use futures::StreamExt as _;
use futures::stream;
use http::HeaderMap;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::supervision_service_client::SupervisionServiceClient;
use proto::redress::resolution::v1::{
    DepartmentBoard, GetDepartmentBoardRequest, GetTaskRequest, ListTasksRequest, PollTasksRequest, Task,
    TaskOrder, TaskState,
};
use serde::Deserialize;

use super::leases::Leases;
use super::{BRING, DO, Place, SEE};
use crate::app::App;
use crate::boards::{AT_ONCE, Tab, When, encoded, task_class};
use crate::form::Posted;
use crate::money;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::session::Visitor;
use crate::words::Words;

/// Rows of a page.
const ROWS: i32 = 50;
/// How long somebody holds a task before they have to say that they still do.
pub(super) const LEASE_SECONDS: i64 = 3_600;
/// Ways to look at tasks: a key, the state it means.
const VIEWS: [(&str, TaskState); 6] = [
    ("ready", TaskState::Ready),
    ("leased", TaskState::Leased),
    ("attention", TaskState::NeedsAttention),
    ("unknown", TaskState::OutcomeUnknown),
    ("stock", TaskState::AwaitingStock),
    ("done", TaskState::Completed),
];

/// What the board is asked with.
#[derive(Default, Deserialize)]
pub(super) struct TasksQuery {
    #[serde(default)]
    department: String,
    #[serde(default)]
    view: String,
    #[serde(default)]
    order: String,
    /// Where to go on.
    #[serde(default)]
    page: String,
    /// What was just done.
    #[serde(default)]
    done: String,
}

/// A task as a row.
pub(super) struct Row {
    path: String,
    kind: i32,
    undoes: bool,
    state: i32,
    class: &'static str,
    priority: i32,
    sum: String,
    goods: String,
    age: Option<When>,
    due: Option<When>,
    worker: String,
    last_error: String,
    tries: Option<(i32, i32)>,
    is_escalated: bool,
}

impl Row {
    fn of(task: Task, visitor: &Visitor) -> Self {
        let goods = task.goods.as_ref().map(|goods| format!("{} × {}", goods.sku, goods.quantity));
        Self {
            path: visitor.app.path(&format!("/department/tasks/{}", encoded(&task.task_id))),
            kind: task.kind,
            undoes: task.compensation,
            state: task.state,
            class: task_class(task.state),
            priority: task.priority,
            sum: money::text(task.amount.as_ref()),
            goods: goods.unwrap_or_default(),
            age: When::of(task.create_time.as_ref(), visitor),
            due: When::of(task.due_time.as_ref(), visitor),
            tries: (task.attempt > 1).then_some((task.attempt, task.max_attempts)),
            worker: task.worker,
            last_error: task.last_error,
            is_escalated: task.escalated,
        }
    }

    fn is_overdue(&self) -> bool {
        self.state != i32::from(TaskState::Completed) && self.due.as_ref().is_some_and(|due| due.is_past)
    }
}

/// In which order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Slack,
    Oldest,
    Newest,
}

impl Order {
    fn of(key: &str, state: TaskState) -> Self {
        match key {
            // What is done has no time left.
            _ if state == TaskState::Completed => Self::Newest,
            "oldest" => Self::Oldest,
            "newest" => Self::Newest,
            _ => Self::Slack,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Oldest => "oldest",
            Self::Newest => "newest",
        }
    }

    fn name(self, t: Words) -> &'static str {
        match self {
            Self::Slack => t.order_slack(),
            Self::Oldest => t.order_oldest(),
            Self::Newest => t.order_newest(),
        }
    }

    fn wire(self) -> TaskOrder {
        match self {
            Self::Slack => TaskOrder::LeastSlack,
            Self::Oldest => TaskOrder::Oldest,
            Self::Newest => TaskOrder::Unspecified,
        }
    }
}

#[derive(Template)]
#[template(path = "department/board.html")]
#[expect(clippy::struct_excessive_bools, reason = "what a template asks")]
struct Page {
    f: Frame,
    place: Place,
    tabs: Vec<Tab>,
    orders: Vec<Tab>,
    facts: Vec<(&'static str, String, bool)>,
    pauses: Vec<(String, String)>,
    mine: Vec<Row>,
    rows: Vec<Row>,
    next: Option<String>,
    is_slack: bool,
    has_nothing: bool,
    can_take: bool,
    can_reconcile: bool,
}

fn path(visitor: &Visitor, department: &str, rest: &str) -> String {
    visitor.app.path(&format!("/department?department={}{rest}", encoded(department)))
}

/// Shows the board.
pub(super) async fn board(
    visitor: Visitor,
    headers: HeaderMap,
    Query(asked): Query<TasksQuery>,
) -> Result<Response, Problem> {
    let client = visitor.client()?;
    let place = Place::of(&visitor, &asked.department, &SEE).await?;
    let t = visitor.words;
    let (key, state) = VIEWS.into_iter().find(|(key, _)| *key == asked.view).unwrap_or(VIEWS[0]);
    let order = Order::of(&asked.order, state);
    if place.department.is_empty() {
        return Ok(html(&Page::empty(Frame::new(&visitor, t.department_board(), "department"), place)));
    }
    let leases = Leases::of(&visitor, &headers);
    let (listed, board, mine) = tokio::join!(
        tasks(&client, &place.department, state, order, &asked.page),
        stands(&client, &place.department),
        held(&client, &leases),
    );
    let (tasks, next_page) = listed?;
    let board = board?;
    let rest = |view: &str, order: Order| format!("&view={view}&order={}", order.key());
    let to = |rest: String| path(&visitor, &place.department, &rest);
    let queue = board.queue.clone().unwrap_or_default();
    let counts =
        [queue.ready, queue.leased, queue.needs_attention, queue.outcome_unknown, queue.awaiting_stock];
    let tabs = VIEWS.into_iter().enumerate().map(|(number, (view, state))| Tab {
        name: t.task_state(i32::from(state)).to_owned(),
        path: to(rest(view, order)),
        is_here: view == key,
        count: counts.get(number).map(ToString::to_string).unwrap_or_default(),
    });
    let orders = [Order::Slack, Order::Oldest, Order::Newest].into_iter().map(|one| Tab {
        name: one.name(t).to_owned(),
        path: to(rest(key, one)),
        is_here: one == order,
        count: String::new(),
    });
    let orders = if state == TaskState::Completed { Vec::new() } else { orders.collect() };
    let next =
        (!next_page.is_empty()).then(|| to(format!("{}&page={}", rest(key, order), encoded(&next_page))));
    let pauses = queue.pauses.iter().map(|pause| {
        let kind = if pause.kind == 0 { t.all_kinds().to_owned() } else { t.remedy(pause.kind).to_owned() };
        (kind, pause.reason.clone())
    });
    Ok(html(&Page {
        f: Frame::new(&visitor, t.department_board(), "department"),
        tabs: tabs.collect(),
        orders,
        facts: facts(&board, &visitor),
        pauses: pauses.collect(),
        mine: mine.into_iter().map(|task| Row::of(task, &visitor)).collect(),
        rows: tasks.into_iter().map(|task| Row::of(task, &visitor)).collect(),
        next,
        is_slack: order == Order::Slack,
        has_nothing: asked.done == "none",
        can_take: visitor.may_act_as(DO[0]),
        can_reconcile: BRING.iter().any(|role| visitor.may_act_as(*role)),
        place,
    }))
}

impl Page {
    /// Before somebody has said which department.
    fn empty(f: Frame, place: Place) -> Self {
        Self {
            f,
            place,
            tabs: Vec::new(),
            orders: Vec::new(),
            facts: Vec::new(),
            pauses: Vec::new(),
            mine: Vec::new(),
            rows: Vec::new(),
            next: None,
            is_slack: false,
            has_nothing: false,
            can_take: false,
            can_reconcile: false,
        }
    }
}

/// What stands large: a name, a number, whether it is bad.
fn facts(board: &DepartmentBoard, visitor: &Visitor) -> Vec<(&'static str, String, bool)> {
    let t = visitor.words;
    let mut facts = vec![
        (t.board_overdue(), board.overdue.to_string(), board.overdue > 0),
        (t.board_looping(), board.looping.to_string(), board.looping > 0),
        (t.board_not_undone(), board.not_undone.to_string(), board.not_undone > 0),
    ];
    if let Some(oldest) = When::of(board.oldest_create_time.as_ref(), visitor) {
        facts.push((t.board_oldest(), oldest.far, false));
    }
    if let Some(due) = When::of(board.least_due_time.as_ref(), visitor) {
        facts.push((t.board_next_due(), due.far, due.is_past));
    }
    facts
}

async fn tasks(
    client: &Client,
    department: &str,
    state: TaskState,
    order: Order,
    page: &str,
) -> Result<(Vec<Task>, String), Problem> {
    let request = ListTasksRequest {
        page_size: ROWS,
        page_token: page.to_owned(),
        department_id: department.to_owned(),
        state: state.into(),
        order: order.wire().into(),
        ..ListTasksRequest::default()
    };
    let answer = ResolutionServiceClient::new(client.calls()).list_tasks(request).await?.into_inner();
    Ok((answer.tasks, answer.next_page_token))
}

async fn stands(client: &Client, department: &str) -> Result<DepartmentBoard, Problem> {
    let request = GetDepartmentBoardRequest { department_id: department.to_owned() };
    let answer = SupervisionServiceClient::new(client.calls()).get_department_board(request).await?;
    Ok(answer.into_inner().board.unwrap_or_default())
}

/// Those in somebody's hands that are not over.
async fn held(client: &Client, leases: &Leases) -> Vec<Task> {
    let read = |task_id: String| async move {
        let answer =
            ResolutionServiceClient::new(client.calls()).get_task(GetTaskRequest { task_id }).await.ok()?;
        answer.into_inner().task.filter(|task| task.state() == TaskState::Leased)
    };
    let ids: Vec<String> = leases.held.iter().map(|held| held.task.clone()).collect();
    let read = stream::iter(ids.into_iter().map(read)).buffered(AT_ONCE);
    read.filter_map(|task| async { task }).collect().await
}

/// Takes the most urgent task, for as long as a lease holds.
pub(super) async fn take(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    let client = visitor.client()?;
    let place = Place::of(&visitor, posted.text("department"), &DO).await?;
    let request = PollTasksRequest {
        request_id: posted.request_id(),
        department_id: place.department.clone(),
        worker: visitor.person()?.subject.clone(),
        max_tasks: 1,
        wait_duration: None,
        lease_duration: Some(prost_types::Duration { seconds: LEASE_SECONDS, nanos: 0 }),
    };
    let answer = ResolutionServiceClient::new(client.calls()).poll_tasks(request).await?.into_inner();
    let lease = answer.leases.into_iter().next();
    let Some((task, token)) = lease.and_then(|lease| Some((lease.task?, lease.lease_token))) else {
        return Ok(see_other(&path(&visitor, &place.department, "&done=none")));
    };
    let mut answer = see_other(&app.path(&format!("/department/tasks/{}?done=take", encoded(&task.task_id))));
    Leases::of(&visitor, &headers).with(&task.task_id, &token).keep(&app, answer.headers_mut());
    Ok(answer)
}
