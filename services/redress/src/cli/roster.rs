//! `redress queue`, `redress department …`.

use clap::{Args, Subcommand};
use proto::redress::assignment::v1::{
    CreateDepartmentRequest, Department, GetDepartmentRequest, ListDepartmentsRequest, ListQueueRequest,
    ListQueueResponse, UpdateDepartmentRequest,
};
use show::text;

use super::connection::{Caller, Connection, Expect, Page};

#[derive(Args)]
pub(crate) struct Queue {
    #[command(flatten)]
    connection: Connection,
    /// Whose queue; without it the cases no department takes
    #[arg(long, default_value = "")]
    department: String,
    #[command(flatten)]
    page: Page,
}

impl Queue {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let request = ListQueueRequest {
            department_id: self.department,
            page_size: self.page.limit,
            page_token: self.page.page,
        };
        let is_nobodys = request.department_id.is_empty();
        let answer = caller.assignment().list_queue(request).await?.into_inner();
        show::answer(caller.json, &answer, if is_nobodys { nobodys_queue } else { text::queue })
    }
}

/// The queue of no department, and that there are others.
fn nobodys_queue(list: &ListQueueResponse) -> String {
    format!(
        "{}\nThese are cases that no department takes; --department ID has a department's.\n",
        text::queue(list).trim_end()
    )
}

#[derive(Args)]
pub(crate) struct Departments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: DepartmentVerb,
}

#[derive(Subcommand)]
enum DepartmentVerb {
    /// Registers a department
    Add(DepartmentArgs),
    /// Replaces a department's name and categories
    Set {
        #[command(flatten)]
        department: DepartmentArgs,
        #[command(flatten)]
        expect: Expect,
    },
    /// Shows a department
    Get {
        /// Name of the department
        department: String,
    },
    /// Lists departments
    List {
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
struct DepartmentArgs {
    /// Identity, e.g. `finance`
    department: String,
    /// Name for people
    #[arg(long)]
    name: String,
    /// Categories whose cases it handles, e.g. `refund,billing`; `*` takes the rest
    #[arg(long, value_delimiter = ',')]
    categories: Vec<String>,
}

impl From<DepartmentArgs> for Department {
    fn from(args: DepartmentArgs) -> Self {
        let DepartmentArgs { department, name, categories } = args;
        Self { department_id: department, display_name: name, categories, version: 0 }
    }
}

impl Departments {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut assignment = caller.assignment();
        match self.verb {
            DepartmentVerb::Add(department) => {
                let (request_id, department) = (caller.request_id(), Some(department.into()));
                let request = CreateDepartmentRequest { request_id, department };
                told(&caller, assignment.create_department(request).await?.into_inner().department)
            }
            DepartmentVerb::Set { department, expect } => {
                let request = UpdateDepartmentRequest {
                    request_id: caller.request_id(),
                    expected_version: expect.version,
                    department: Some(department.into()),
                };
                told(&caller, assignment.update_department(request).await?.into_inner().department)
            }
            DepartmentVerb::Get { department } => {
                let request = GetDepartmentRequest { department_id: department };
                told(&caller, assignment.get_department(request).await?.into_inner().department)
            }
            DepartmentVerb::List { page } => {
                let request = ListDepartmentsRequest { page_size: page.limit, page_token: page.page };
                let answer = assignment.list_departments(request).await?.into_inner();
                show::answer(caller.json, &answer, text::departments)
            }
        }
    }
}

fn told(caller: &Caller, department: Option<Department>) -> anyhow::Result<()> {
    show::answer(caller.json, &department.unwrap_or_default(), text::department)
}
