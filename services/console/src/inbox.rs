//! The inbox: the cases somebody works, those of their department, those that wait, are due next
//! or overdue, and those whose category was guessed.
//!
//! - `view` is which cases a view has.
//! - `saved` keeps the views that somebody saved.
//! - `bulk` does one thing to many cases, and says of each what became of it.

mod bulk;
mod saved;
mod view;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{Router, get, post};
use http::HeaderMap;
use kernel::Role;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proto::redress::assignment::v1::ClaimNextRequest;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use serde::{Deserialize, Serialize};
use tonic::Code;

use crate::app::App;
use crate::form::Posted;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::session::Visitor;

use view::{Rows, View};

/// Paths of the inbox.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/inbox", get(inbox))
        .route("/inbox/bulk", post(bulk::bulk))
        .route("/inbox/claim", post(claim))
        .route("/inbox/views", post(saved::save))
        .route("/inbox/views/remove", post(saved::remove))
}

/// Which cases are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct InboxQuery {
    #[serde(default)]
    view: String,
    /// Words to search for.
    #[serde(default)]
    q: String,
    /// Only those of this category, or below it.
    #[serde(default)]
    category: String,
    /// Only those that are as urgent, by its number; else empty.
    #[serde(default)]
    priority: String,
    /// Where to go on.
    #[serde(default)]
    page: String,
}

/// Longest text that is searched for, and longest category.
const TEXT_MAX: usize = 200;

impl InboxQuery {
    /// What a form says of it.
    fn of(posted: &Posted) -> Self {
        let text = |field: &str| posted.text(field).chars().take(TEXT_MAX).collect::<String>();
        let [view, q, category, priority] = ["view", "q", "category", "priority"].map(text);
        Self { view, q, category, priority, page: String::new() }
    }

    /// Where these cases are shown.
    fn path(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let fields = [
            ("view", &self.view),
            ("q", &self.q),
            ("category", &self.category),
            ("priority", &self.priority),
            ("page", &self.page),
        ];
        let query = fields.iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = query.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        if query.is_empty() { "/inbox".to_owned() } else { format!("/inbox?{}", query.join("&")) }
    }

    /// Whether only some of a view are asked for.
    fn is_narrowed(&self) -> bool {
        !self.category.is_empty() || self.priority().is_some()
    }

    /// How urgent they are, as filters name it.
    fn priority(&self) -> Option<&'static str> {
        ["1", "2", "3", "4"].iter().position(|one| *one == self.priority).map(|place| PRIORITIES[place])
    }
}

/// As filters name them.
const PRIORITIES: [&str; 4] = ["P1", "P2", "P3", "P4"];

/// A view as the page leads to it.
struct Tab {
    name: &'static str,
    path: String,
    is_here: bool,
    /// How many cases it has; none where that is not known.
    count: Option<String>,
}

#[derive(Template)]
#[template(path = "inbox/page.html")]
struct Page {
    f: Frame,
    tabs: Vec<Tab>,
    view: View,
    asked: InboxQuery,
    /// Those that were saved, and whether this is one of them.
    saved: Vec<(String, String, bool)>,
    rows: Rows,
    /// Where the next page is.
    next: Option<String>,
    is_first: bool,
    can_act: bool,
    /// Whether who looks takes cases: an agent on the roster does.
    can_claim: bool,
    empty: &'static str,
}

async fn inbox(
    visitor: Visitor,
    headers: HeaderMap,
    Query(asked): Query<InboxQuery>,
) -> Result<Response, Problem> {
    let client = visitor.client()?;
    if !visitor.may_act_as(Role::Reader) {
        return Err(Problem::own(Code::PermissionDenied, "ROLE_REQUIRED"));
    }
    let view = View::of(&asked.view).unwrap_or_default();
    let q = asked.q.trim();
    let place = view::Place::of(&client, &visitor).await;
    let (rows, counts) =
        tokio::join!(view::rows(&client, &visitor, &place, view, &asked), view::counts(&client, &place),);
    let rows = rows?;
    let t = visitor.words;
    let path = |view: View, rest: &str| visitor.app.path(&format!("/inbox?view={}{rest}", view.key()));
    let tabs = View::ALL
        .into_iter()
        .filter(|view| *view != View::Team || place.department.is_some())
        .map(|one| Tab {
            name: one.name(t),
            path: path(one, ""),
            is_here: one == view && q.is_empty() && !asked.is_narrowed(),
            count: counts.iter().find(|(of, _)| *of == one).map(|(_, count)| count.clone()),
        })
        .collect();
    let next = (!rows.next.is_empty())
        .then(|| visitor.app.path(&InboxQuery { page: rows.next.clone(), ..asked.clone() }.path()));
    let first = InboxQuery { page: String::new(), ..asked.clone() };
    let saved = saved::of(&visitor, &headers)
        .into_iter()
        .map(|saved| (saved.name, visitor.app.path(&saved.asked.path()), saved.asked == first));
    let title = if q.is_empty() { view.name(t).to_owned() } else { t.search_results(q) };
    let empty = if view == View::Mine && q.is_empty() { t.inbox_empty_mine() } else { t.inbox_empty() };
    Ok(html(&Page {
        f: Frame::new(&visitor, title, "inbox"),
        tabs,
        view,
        saved: saved.collect(),
        rows,
        next,
        is_first: asked.page.is_empty(),
        can_act: visitor.may_act_as(Role::Agent),
        can_claim: place.department.is_some(),
        empty,
        asked: first,
    }))
}

impl Page {
    /// Whether there is room for one more.
    fn can_save(&self) -> bool {
        self.saved.len() < saved::VIEWS_MAX
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn name_max(&self) -> usize {
        saved::NAME_MAX
    }

    /// What keys do.
    fn keys(&self) -> Vec<(&'static str, &'static str)> {
        let t = self.f.t;
        vec![
            ("j", t.key_next()),
            ("k", t.key_previous()),
            ("x", t.key_choose()),
            ("Enter", t.key_open()),
            ("/", t.key_search()),
            ("Ctrl Enter", t.key_send()),
            ("?", t.key_help()),
        ]
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn priorities(&self) -> [(&'static str, &'static str); 4] {
        [("1", "P1"), ("2", "P2"), ("3", "P3"), ("4", "P4")]
    }
}

/// Takes the case whose turn it is.
async fn claim(State(app): State<App>, visitor: Visitor, posted: Posted) -> Result<Response, Problem> {
    let agent_id = visitor.person()?.subject.clone();
    let mut service = AssignmentServiceClient::new(visitor.client()?.calls());
    let request = ClaimNextRequest { request_id: posted.request_id(), agent_id };
    let assignment = service.claim_next(request).await?.into_inner().assignment;
    let case = assignment.map(|assignment| assignment.case_id);
    let case = case.ok_or_else(|| Problem::own(Code::NotFound, "QUEUE_EMPTY"))?;
    Ok(see_other(&app.path(&format!("/cases/{case}"))))
}
