//! `redress queue`, `redress agent …`, `redress department …`.

use clap::{Args, Subcommand};
use proto::redress::assignment::v1::{
    Agent, CreateAgentRequest, CreateDepartmentRequest, Department, GetAgentRequest, GetDepartmentRequest,
    ListAgentsRequest, ListDepartmentsRequest, ListQueueRequest, UpdateAgentRequest, UpdateDepartmentRequest,
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
        let answer = caller.assignment().list_queue(request).await?.into_inner();
        show::answer(caller.json, &answer, text::queue)
    }
}

#[derive(Args)]
pub(crate) struct Agents {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: AgentVerb,
}

#[derive(Subcommand)]
enum AgentVerb {
    /// Registers an agent; waiting cases are given to them at once
    Add(AgentArgs),
    /// Replaces an agent's name, capacity and availability
    Set {
        #[command(flatten)]
        agent: AgentArgs,
        #[command(flatten)]
        expect: Expect,
    },
    /// Shows an agent
    Get { agent: String },
    /// Lists agents
    List {
        /// Only this department's
        #[arg(long, default_value = "")]
        department: String,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
struct AgentArgs {
    /// Identity: the subject they sign in as
    agent: String,
    /// The department they work in
    #[arg(long)]
    department: String,
    /// Name for people
    #[arg(long)]
    name: String,
    /// Most cases at once
    #[arg(long, default_value_t = 10)]
    capacity: i32,
    /// Takes no new cases now
    #[arg(long)]
    away: bool,
}

impl From<AgentArgs> for Agent {
    fn from(args: AgentArgs) -> Self {
        let AgentArgs { agent, department, name, capacity, away } = args;
        Self {
            agent_id: agent,
            department_id: department,
            display_name: name,
            capacity,
            available: !away,
            ..Self::default()
        }
    }
}

impl Agents {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut assignment = caller.assignment();
        match self.verb {
            AgentVerb::Add(agent) => {
                let request =
                    CreateAgentRequest { request_id: caller.request_id(), agent: Some(agent.into()) };
                let answer = assignment.create_agent(request).await?.into_inner();
                show::answer(caller.json, &answer.agent.unwrap_or_default(), text::agent)
            }
            AgentVerb::Set { agent, expect } => {
                let request = UpdateAgentRequest {
                    request_id: caller.request_id(),
                    expected_version: expect.version,
                    agent: Some(agent.into()),
                };
                let answer = assignment.update_agent(request).await?.into_inner();
                show::answer(caller.json, &answer.agent.unwrap_or_default(), text::agent)
            }
            AgentVerb::Get { agent } => {
                let answer = assignment.get_agent(GetAgentRequest { agent_id: agent }).await?.into_inner();
                show::answer(caller.json, &answer.agent.unwrap_or_default(), text::agent)
            }
            AgentVerb::List { department, page } => {
                let request = ListAgentsRequest {
                    page_size: page.limit,
                    page_token: page.page,
                    department_id: department,
                };
                show::answer(caller.json, &assignment.list_agents(request).await?.into_inner(), text::agents)
            }
        }
    }
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
    Get { department: String },
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
