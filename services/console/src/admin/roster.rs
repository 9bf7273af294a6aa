//! The roster: departments and agents, who is there, who leaves.

use askama::Template;
use axum::response::Response;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::roster_service_client::RosterServiceClient;
use proto::redress::assignment::v1::{
    Agent, Department, ListAgentsRequest, ListDepartmentsRequest, OffboardAgentRequest, RemoveAgentRequest,
};

use super::{Admin, ROWS, encoded};
use crate::error_page::Shown;
use crate::form::Posted;
use crate::moment::Moment;
use crate::page::{Frame, html_with};
use crate::problem::Problem;
use crate::routes::see_other;

#[derive(Template)]
#[template(path = "admin/roster.html")]
struct Page {
    f: Frame,
    admin: Admin,
    departments: Vec<Department>,
    agents: Vec<Agent>,
    /// Whether there are more agents than are shown.
    has_more: bool,
    shown: Option<Shown>,
    /// Whom it went wrong with, and why they leave.
    failed: (String, String),
}

impl Page {
    fn edit(&self, what: &str, id: &str) -> String {
        self.admin.path(&format!("/admin/{what}/edit?id={}", encoded(id)))
    }

    fn until(&self, agent: &Agent) -> Option<String> {
        Moment::of(agent.absent_until_time.as_ref(), &self.admin.visitor).map(|moment| moment.text)
    }
}

pub(super) async fn show(admin: Admin) -> Result<Response, Problem> {
    page(admin, None, (String::new(), String::new())).await
}

async fn page(admin: Admin, problem: Option<Problem>, failed: (String, String)) -> Result<Response, Problem> {
    let mut departments = AssignmentServiceClient::new(admin.client.calls());
    let mut agents = AssignmentServiceClient::new(admin.client.calls());
    let of_agents = ListAgentsRequest { page_size: ROWS, ..ListAgentsRequest::default() };
    let of_departments = ListDepartmentsRequest { page_size: ROWS, page_token: String::new() };
    let (departments, agents) =
        tokio::join!(departments.list_departments(of_departments), agents.list_agents(of_agents));
    let (departments, agents) = (departments?.into_inner().departments, agents?.into_inner());
    let status = problem.as_ref().map_or(http::StatusCode::OK, Problem::status);
    let page = Page {
        f: Frame::new(&admin.visitor, admin.words().roster(), "admin"),
        departments,
        agents: agents.agents,
        has_more: !agents.next_page_token.is_empty(),
        shown: problem.map(|problem| Shown::of(&problem, &admin.visitor)),
        failed,
        admin,
    };
    Ok(html_with(status, &page))
}

/// Somebody leaves: what they hold goes to others; with nothing left they are taken off.
pub(super) async fn leave(admin: Admin, posted: Posted) -> Result<Response, Problem> {
    let (request_id, agent_id) = (posted.request_id(), posted.text("agent").to_owned());
    let (expected_version, reason) = (posted.version(), posted.text("reason").to_owned());
    let mut service = RosterServiceClient::new(admin.client.calls());
    let done = if posted.text("action") == "remove" {
        let agent_id = agent_id.clone();
        service.remove_agent(RemoveAgentRequest { request_id, expected_version, agent_id }).await.map(drop)
    } else {
        let (agent_id, reason) = (agent_id.clone(), reason.clone());
        let request = OffboardAgentRequest { request_id, expected_version, agent_id, reason };
        service.offboard_agent(request).await.map(drop)
    };
    match done {
        Ok(()) => Ok(see_other(&admin.path("/admin/roster"))),
        Err(status) => page(admin, Some(status.into()), (agent_id, reason)).await,
    }
}
