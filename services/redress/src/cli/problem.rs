//! `redress problem …`: what many complaints have in common, and its root cause.

mod task;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use proto::redress::feedback::v1::problem_service_client::ProblemServiceClient;
use proto::redress::feedback::v1::{
    CloseProblemRequest, GetProblemRequest, GetRootCausesRequest, LinkProblemCasesRequest,
    ListProblemCasesRequest, ListProblemsRequest, NameRootCauseRequest, OpenProblemRequest, Problem,
    ProblemState, RootCauses, SignalSeries, UnlinkProblemCasesRequest, UpdateRootCausesRequest,
};

use super::connection::{Caller, Connection, Page};
use show::{self, json, text, words};

#[derive(Args)]
pub(crate) struct Problems {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists problems, newest first
    List {
        /// Only those in this state: open, closed
        #[arg(long, value_parser = words::read::<ProblemState>)]
        state: Option<ProblemState>,
        #[command(flatten)]
        page: Page,
    },
    /// Shows a problem
    Show {
        /// Id of the problem
        problem: String,
    },
    /// Lists the cases of a problem
    Cases {
        /// Id of the problem
        problem: String,
        #[command(flatten)]
        page: Page,
    },
    /// Opens a problem
    Open(Open),
    /// Links cases to a problem
    Link {
        /// Id of the problem
        problem: String,
        /// Ids of the cases
        #[arg(required = true)]
        cases: Vec<String>,
    },
    /// Takes cases out of a problem; no signal links them again
    Unlink {
        /// Id of the problem
        problem: String,
        /// Ids of the cases
        #[arg(required = true)]
        cases: Vec<String>,
    },
    /// Names the root cause of a problem, e.g. `process/handover`: see `problem causes`
    Cause {
        /// Id of the problem
        problem: String,
        /// The root cause, as a path, e.g. `process/handover`
        cause: String,
    },
    /// What departments are asked about problems
    Task(task::Tasks),
    /// Closes a problem
    Close {
        /// Id of the problem
        problem: String,
        /// What came of it
        #[arg(long)]
        conclusion: String,
    },
    /// Shows the root causes that can be named, or those of a version; 0 is the shipped one
    Causes {
        /// Which version
        #[arg(long)]
        version: Option<i64>,
    },
    /// Makes the next version of the root causes
    SetCauses {
        /// The root causes as JSON, as `problem causes --json` shows them
        file: PathBuf,
    },
}

#[derive(Args)]
struct Open {
    /// What it is, in one line
    title: String,
    /// What is known of it
    #[arg(long, default_value = "")]
    description: String,
    /// Signals of this category join it
    #[arg(long, default_value = "")]
    category: String,
    /// Signals of this product join it
    #[arg(long, default_value = "")]
    product: String,
    /// Signals of this region join it
    #[arg(long, default_value = "")]
    region: String,
}

impl Open {
    fn request(self, request_id: String) -> OpenProblemRequest {
        let Self { title, description, category, product, region } = self;
        let series = SignalSeries { category, product, region };
        let series = (series != SignalSeries::default()).then_some(series);
        OpenProblemRequest { request_id, title, description, series }
    }
}

type Client = ProblemServiceClient<client::Calls>;

/// The problem as it is now: its version goes with what is done to it.
async fn seen(problems: &mut Client, problem_id: &str) -> anyhow::Result<i64> {
    let request = GetProblemRequest { problem_id: problem_id.to_owned() };
    let answer = problems.get_problem(request).await?.into_inner();
    Ok(answer.problem.unwrap_or_default().version)
}

async fn set_causes(problems: &mut Client, caller: &Caller, file: PathBuf) -> anyhow::Result<()> {
    let read = super::submit::read_text(&file)?;
    let root_causes: RootCauses = json::read(&read).with_context(|| format!("{}", file.display()))?;
    let latest = problems.get_root_causes(GetRootCausesRequest { version: None }).await?.into_inner();
    let request = UpdateRootCausesRequest {
        request_id: caller.request_id(),
        expected_version: latest.root_causes.unwrap_or_default().version,
        root_causes: Some(root_causes),
    };
    let answer = problems.update_root_causes(request).await?.into_inner();
    show::answer(caller.json, &answer.root_causes.unwrap_or_default(), text::root_causes)
}

/// Does something to a problem, which is answered as it is then.
async fn change(problems: &mut Client, caller: &Caller, verb: Verb) -> anyhow::Result<Option<Problem>> {
    let request_id = caller.request_id();
    Ok(match verb {
        Verb::Open(open) => problems.open_problem(open.request(request_id)).await?.into_inner().problem,
        Verb::Link { problem: problem_id, cases: case_ids } => {
            let expected_version = seen(problems, &problem_id).await?;
            let request = LinkProblemCasesRequest { request_id, problem_id, expected_version, case_ids };
            problems.link_problem_cases(request).await?.into_inner().problem
        }
        Verb::Unlink { problem: problem_id, cases: case_ids } => {
            let expected_version = seen(problems, &problem_id).await?;
            let request = UnlinkProblemCasesRequest { request_id, problem_id, expected_version, case_ids };
            problems.unlink_problem_cases(request).await?.into_inner().problem
        }
        Verb::Cause { problem: problem_id, cause: root_cause } => {
            let expected_version = seen(problems, &problem_id).await?;
            let request = NameRootCauseRequest { request_id, problem_id, expected_version, root_cause };
            problems.name_root_cause(request).await?.into_inner().problem
        }
        Verb::Close { problem: problem_id, conclusion } => {
            let expected_version = seen(problems, &problem_id).await?;
            let request = CloseProblemRequest { request_id, problem_id, expected_version, conclusion };
            problems.close_problem(request).await?.into_inner().problem
        }
        Verb::Show { problem: problem_id } => {
            problems.get_problem(GetProblemRequest { problem_id }).await?.into_inner().problem
        }
        Verb::List { .. }
        | Verb::Cases { .. }
        | Verb::Causes { .. }
        | Verb::SetCauses { .. }
        | Verb::Task(_) => None,
    })
}

impl Problems {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut problems = ProblemServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::List { state, page } => {
                let state = state.unwrap_or_default().into();
                let request = ListProblemsRequest { page_size: page.limit, page_token: page.page, state };
                let answer = problems.list_problems(request).await?.into_inner();
                show::answer(caller.json, &answer, text::problems)
            }
            Verb::Cases { problem: problem_id, page } => {
                let (page_size, page_token) = (page.limit, page.page);
                let request = ListProblemCasesRequest { problem_id, page_size, page_token };
                let answer = problems.list_problem_cases(request).await?.into_inner();
                show::answer(caller.json, &answer, text::problem_cases)
            }
            Verb::Causes { version } => {
                let answer = problems.get_root_causes(GetRootCausesRequest { version }).await?.into_inner();
                show::answer(caller.json, &answer.root_causes.unwrap_or_default(), text::root_causes)
            }
            Verb::Task(tasks) => tasks.run(&mut problems, &caller).await,
            Verb::SetCauses { file } => set_causes(&mut problems, &caller, file).await,
            other => {
                let problem = change(&mut problems, &caller, other).await?;
                show::answer(caller.json, &problem.unwrap_or_default(), text::problem)
            }
        }
    }
}
