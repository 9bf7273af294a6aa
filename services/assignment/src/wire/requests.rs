//! Requests, read into what they ask for; all that is wrong with one is told at
//! once.

use fault::{Check, Fault};
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::assignment::v1 as wire;

use crate::queue::Place;
use crate::roster::{ANYTHING, DepartmentProfile};

pub(super) const MAX_NAME: usize = 200;
const MAX_CATEGORIES: usize = 200;
const MAX_CATEGORY: usize = 200;
pub(super) const MAX_REASON: usize = 2_000;
/// Reason of a malformed request where the contract names no other.
pub(super) const INVALID_REQUEST: &str = "INVALID_REQUEST";
/// Reason of bad paging or a malformed filter.
pub(super) const INVALID_LIST: &str = "INVALID_LIST";

/// What `CreateDepartment` asks for.
pub(crate) fn create_department(request: wire::CreateDepartmentRequest) -> Result<DepartmentProfile, Fault> {
    let wire::CreateDepartmentRequest { request_id, department } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let profile = department_profile(&mut check, department);
    check.done("INVALID_DEPARTMENT")?;
    Ok(profile)
}

/// What `UpdateDepartment` asks for, and the version the caller has seen.
pub(crate) fn update_department(
    request: wire::UpdateDepartmentRequest,
) -> Result<(DepartmentProfile, Option<i64>), Fault> {
    let wire::UpdateDepartmentRequest { request_id, expected_version, department } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let profile = department_profile(&mut check, department);
    check.done("INVALID_DEPARTMENT")?;
    Ok((profile, expected_version))
}

fn department_profile(check: &mut Check, department: Option<wire::Department>) -> DepartmentProfile {
    if department.is_none() {
        check.fail("department", "is required");
        return DepartmentProfile { id: String::new(), display_name: String::new(), categories: Vec::new() };
    }
    let wire::Department { department_id, version: _, display_name, categories } =
        department.unwrap_or_default();
    let id = department_id_in(check, "department.department_id", department_id);
    let display_name = check.required("department.display_name", display_name, MAX_NAME);
    let categories = check.list("department.categories", categories, MAX_CATEGORIES);
    for (i, category) in categories.iter().enumerate() {
        category_prefix(check, &format!("department.categories[{i}]"), category);
    }
    DepartmentProfile { id, display_name, categories }
}

fn category_prefix(check: &mut Check, field: &str, prefix: &str) {
    let prefix = check.required(field, prefix.to_owned(), MAX_CATEGORY);
    let whole = prefix == ANYTHING || !prefix.contains(ANYTHING);
    check.ensure(whole, field, "must be a path like delivery/damaged, or * alone");
    let segments = prefix.is_empty() || prefix.split('/').all(|segment| !segment.trim().is_empty());
    check.ensure(segments, field, "must have no empty segment");
}

/// A department's id has no dots, other than an agent's.
pub(super) fn department_id_in(check: &mut Check, field: &str, id: String) -> String {
    check.ensure(!id.contains('.'), field, "must not contain dots");
    check.slug(field, id)
}

/// Which department `GetDepartment` asks for.
pub(crate) fn get_department(request: wire::GetDepartmentRequest) -> Result<String, Fault> {
    let wire::GetDepartmentRequest { department_id } = request;
    let mut check = Check::new();
    let id = department_id_in(&mut check, "department_id", department_id);
    check.done(INVALID_REQUEST)?;
    Ok(id)
}

/// Which agent `GetAgent` asks for.
pub(crate) fn get_agent(request: wire::GetAgentRequest) -> Result<String, Fault> {
    let wire::GetAgentRequest { agent_id } = request;
    let mut check = Check::new();
    let id = check.slug("agent_id", agent_id);
    check.done(INVALID_REQUEST)?;
    Ok(id)
}

/// Which case `GetAssignment` asks for.
pub(crate) fn get_assignment(request: wire::GetAssignmentRequest) -> Result<CaseId, Fault> {
    let wire::GetAssignmentRequest { case_id } = request;
    let mut check = Check::new();
    let id = check.id("case_id", &case_id);
    check.done(INVALID_REQUEST)?;
    Ok(id)
}

/// Which page `ListDepartments` asks for.
pub(crate) fn list_departments(request: wire::ListDepartmentsRequest) -> Result<Page, Fault> {
    let wire::ListDepartmentsRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = page_by_id(&mut check, page_size, &page_token, "");
    check.done(INVALID_LIST)?;
    Ok(page)
}

/// A page of agents.
#[derive(Debug)]
pub(crate) struct AgentsPage {
    /// Only this department's.
    pub(crate) department: Option<String>,
    /// Only this team's.
    pub(crate) team: Option<String>,
    /// The page.
    pub(crate) page: Page,
}

/// Which page `ListAgents` asks for.
pub(crate) fn list_agents(request: wire::ListAgentsRequest) -> Result<AgentsPage, Fault> {
    let wire::ListAgentsRequest { page_size, page_token, department_id, team_id } = request;
    let mut check = Check::new();
    let filters =
        if team_id.is_empty() { department_id.clone() } else { format!("{department_id} {team_id}") };
    let page = page_by_id(&mut check, page_size, &page_token, &filters);
    let department =
        (!department_id.is_empty()).then(|| department_id_in(&mut check, "department_id", department_id));
    let team = check.optional_slug("team_id", team_id);
    check.done(INVALID_LIST)?;
    Ok(AgentsPage { department, team, page })
}

/// A page of what is listed by ids people chose.
fn page_by_id(check: &mut Check, page_size: i32, page_token: &str, filters: &str) -> Page {
    let page = check.page(page_size, page_token, filters);
    if let Some(after) = &page.after {
        check.slug("page_token", after.clone());
    }
    page
}

/// A page of a queue.
#[derive(Debug)]
pub(crate) struct QueuePage {
    /// Whose queue; empty for the cases no department takes.
    pub(crate) department: String,
    /// The page.
    pub(crate) page: Page,
    /// The place it begins after.
    pub(crate) after: Place,
}

/// Which page `ListQueue` asks for.
pub(crate) fn list_queue(request: wire::ListQueueRequest) -> Result<QueuePage, Fault> {
    let wire::ListQueueRequest { department_id, page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &department_id);
    let after = page.after.as_ref().map_or(Place::FRONT, |after| {
        after.parse().unwrap_or_else(|_| {
            check.fail("page_token", "must be a next_page_token of this queue");
            Place::FRONT
        })
    });
    let department = if department_id.is_empty() {
        department_id
    } else {
        department_id_in(&mut check, "department_id", department_id)
    };
    check.done(INVALID_LIST)?;
    Ok(QueuePage { department, page, after })
}

/// What `AssignCase` asks for.
#[derive(Debug)]
pub(crate) struct Assign {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The version the caller has seen.
    pub(crate) expected_version: Option<i64>,
    /// Whom to give it to; none lets routing choose.
    pub(crate) agent: Option<String>,
}

/// Reads an `AssignCase` request.
pub(crate) fn assign(request: wire::AssignCaseRequest) -> Result<Assign, Fault> {
    let wire::AssignCaseRequest { request_id, case_id, expected_version, agent_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case_id = check.id("case_id", &case_id);
    let agent = check.optional_slug("agent_id", agent_id);
    check.done(INVALID_REQUEST)?;
    Ok(Assign { case_id, expected_version, agent })
}

/// What `AcceptCase` asks for.
#[derive(Debug)]
pub(crate) struct Accept {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The version the caller has seen.
    pub(crate) expected_version: Option<i64>,
    /// Who accepts.
    pub(crate) agent: String,
}

/// Reads an `AcceptCase` request.
pub(crate) fn accept(request: wire::AcceptCaseRequest) -> Result<Accept, Fault> {
    let wire::AcceptCaseRequest { request_id, case_id, expected_version, agent_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case_id = check.id("case_id", &case_id);
    let agent = check.slug("agent_id", agent_id);
    check.done(INVALID_REQUEST)?;
    Ok(Accept { case_id, expected_version, agent })
}

/// What `DeclineAssignment` asks for.
#[derive(Debug)]
pub(crate) struct Decline {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The version the caller has seen.
    pub(crate) expected_version: Option<i64>,
    /// Who declines.
    pub(crate) agent: String,
    /// Why.
    pub(crate) reason: String,
}

/// Reads a `DeclineAssignment` request.
pub(crate) fn decline(request: wire::DeclineAssignmentRequest) -> Result<Decline, Fault> {
    let wire::DeclineAssignmentRequest { request_id, case_id, expected_version, agent_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case_id = check.id("case_id", &case_id);
    let agent = check.slug("agent_id", agent_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_REQUEST)?;
    Ok(Decline { case_id, expected_version, agent, reason })
}

/// What `TransferCase` asks for.
#[derive(Debug)]
pub(crate) struct Transfer {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The version the caller has seen.
    pub(crate) expected_version: Option<i64>,
    /// Where it goes.
    pub(crate) to: Destination,
    /// Why.
    pub(crate) reason: String,
}

/// Where a case is handed.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// To a department; routing picks the agent.
    Department(String),
    /// To an agent.
    Agent(String),
}

const INVALID_TRANSFER: &str = "INVALID_TRANSFER";

/// Reads a `TransferCase` request.
pub(crate) fn transfer(request: wire::TransferCaseRequest) -> Result<Transfer, Fault> {
    let wire::TransferCaseRequest { request_id, case_id, expected_version, department_id, agent_id, reason } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case_id = check.id("case_id", &case_id);
    let reason = check.required("reason", reason, MAX_REASON);
    let exactly_one = department_id.is_empty() != agent_id.is_empty();
    check.ensure(exactly_one, "department_id", "exactly one of department_id and agent_id must be set");
    let to = if department_id.is_empty() {
        Destination::Agent(check.optional_slug("agent_id", agent_id).unwrap_or_default())
    } else {
        Destination::Department(department_id_in(&mut check, "department_id", department_id))
    };
    check.done(INVALID_TRANSFER)?;
    Ok(Transfer { case_id, expected_version, to, reason })
}

/// A case is to be handed to whom has it.
pub(crate) fn in_charge_already(field: &str) -> Fault {
    refuse_field(INVALID_TRANSFER, field, "is in charge already")
}

/// Who asks for work by `ClaimNext`.
pub(crate) fn claim(request: wire::ClaimNextRequest) -> Result<String, Fault> {
    let wire::ClaimNextRequest { request_id, agent_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let agent = check.slug("agent_id", agent_id);
    check.done(INVALID_REQUEST)?;
    Ok(agent)
}

/// The fault of one field that only the state shows to be wrong.
fn refuse_field(reason: &'static str, field: &str, description: &str) -> Fault {
    let violation = fault::Violation::new(field, description);
    let message = format!("the request is not valid: {field} {description}");
    Fault::new(fault::Kind::Invalid, reason, message).violating(vec![violation])
}
