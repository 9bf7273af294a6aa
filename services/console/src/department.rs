//! The board of a department without a system of its own: its people take tasks, do them and
//! say what came of it, hold their statements against the ledger.
//!
//! - `board` lists tasks and hands out the next one.
//! - `task` is one task with its forms; `act` does what they ask for, `result` is what is said
//!   of a task that was done.
//! - `leases` are the tasks in somebody's hands, kept by their browser.
//! - `statement` takes a statement in as a stream, and shows what became of its rows.

mod act;
mod board;
mod leases;
mod names;
mod result;
mod statement;
mod task;

use axum::extract::DefaultBodyLimit;
use axum::routing::{Router, get, post};
use kernel::Role;
use proto::redress::assignment::v1::ListDepartmentsRequest;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use tonic::Code;

use crate::app::App;
use crate::boards::roles;
use crate::problem::Problem;
use crate::session::Visitor;

/// Who sees the board, and who carries out what is on it or brings statements.
const SEE: [Role; 2] = [Role::DepartmentWorker, Role::Reader];
const DO: [Role; 1] = [Role::DepartmentWorker];
const BRING: [Role; 2] = [Role::DepartmentWorker, Role::Supervisor];
/// Most departments to choose from.
const DEPARTMENTS_MAX: i32 = 200;
/// Longest name of a department.
const NAME_MAX: usize = 60;

/// Paths of departments.
pub(crate) fn routes() -> Router<App> {
    let statements =
        get(statement::form).post(statement::reconcile).layer(DefaultBodyLimit::max(statement::BYTES_MAX));
    Router::new()
        .route("/department", get(board::board))
        .route("/department/take", post(board::take))
        .route("/department/statements", statements)
        .route("/department/statements/{id}", get(statement::rows))
        .route("/department/tasks/{task}", get(task::show))
        .route("/department/tasks/{task}/{action}", post(act::act).get(task::back))
}

/// The department that somebody works in just now, and those they may choose.
pub(crate) struct Place {
    /// The department; empty where they have to say.
    pub(crate) department: String,
    /// Those to choose from: each id and its name. None where anything may be written.
    pub(crate) choices: Vec<(String, String)>,
}

impl Place {
    /// Of who looks, who bears one of these roles: the department asked for, else the first
    /// that is theirs.
    async fn of(visitor: &Visitor, asked: &str, roles_of: &[Role]) -> Result<Self, Problem> {
        visitor.person()?;
        if !roles_of.iter().any(|role| visitor.may_act_as(*role)) {
            return Err(Problem::own(Code::PermissionDenied, "ROLE_REQUIRED"));
        }
        let roles = roles(visitor);
        let choices: Vec<(String, String)> = match roles.bound_to() {
            Some(bound) => bound.iter().map(|one| (one.clone(), one.clone())).collect(),
            None => known(visitor).await,
        };
        let asked: String = asked.trim().chars().take(NAME_MAX).collect();
        let first = || choices.first().map(|(id, _)| id.clone()).unwrap_or_default();
        let department = if asked.is_empty() { first() } else { asked };
        Ok(Self { department, choices })
    }

    /// Whether there is more than one to choose.
    fn has_choice(&self) -> bool {
        self.choices.len() != 1
    }
}

/// The departments there are, as far as who looks may know.
async fn known(visitor: &Visitor) -> Vec<(String, String)> {
    let Ok(client) = visitor.client() else { return Vec::new() };
    let request = ListDepartmentsRequest { page_size: DEPARTMENTS_MAX, page_token: String::new() };
    let answer = AssignmentServiceClient::new(client.calls()).list_departments(request).await;
    let departments = answer.map(|answer| answer.into_inner().departments).unwrap_or_default();
    let named = |name: String, id: &str| if name.is_empty() { id.to_owned() } else { name };
    departments
        .into_iter()
        .map(|one| (one.department_id.clone(), named(one.display_name, &one.department_id)))
        .collect()
}
