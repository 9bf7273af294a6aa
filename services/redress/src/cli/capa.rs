//! `redress capa …`: what is done about problems, and whether it has helped.

use clap::{Args, Subcommand};
use proto::redress::feedback::v1::improvement_service_client::ImprovementServiceClient;
use proto::redress::feedback::v1::{
    AssessImprovementActionRequest, CompleteImprovementActionRequest, CreateImprovementActionRequest,
    GetImprovementActionRequest, ImprovementAction, ImprovementKind, ImprovementState,
    ListImprovementActionsRequest, UpdateImprovementActionRequest,
};

use super::connection::{Caller, Connection, Page};
use show::{self, text, words};

#[derive(Args)]
pub(crate) struct Capa {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists actions, newest first
    List {
        /// Only those of this problem
        #[arg(long, default_value = "")]
        problem: String,
        /// Only those in this state: open, done, verified, ineffective
        #[arg(long, value_parser = words::read::<ImprovementState>)]
        state: Option<ImprovementState>,
        /// Only those whose day has passed while they are open
        #[arg(long)]
        overdue: bool,
        #[command(flatten)]
        page: Page,
    },
    /// Shows an action, and what has become of the complaints since it was done
    Show {
        /// Id of the action
        action: String,
    },
    /// Creates an action of a problem
    Create(Create),
    /// Gives an open action to somebody, by a day
    Assign {
        /// Id of the action
        action: String,
        /// Who sees to it; as it was where none is named
        #[arg(long)]
        owner: Option<String>,
        /// By which day, e.g. `2026-12-31`; as it was where none is named
        #[arg(long)]
        due: Option<String>,
    },
    /// Says that an action is done
    Done {
        /// Id of the action
        action: String,
        /// What was done
        #[arg(long)]
        note: String,
    },
    /// Says that an action works; not of one's own
    Verify {
        /// Id of the action
        action: String,
        /// What was found
        #[arg(long)]
        finding: String,
    },
    /// Says that an action does not work; not of one's own
    Ineffective {
        /// Id of the action
        action: String,
        /// What was found
        #[arg(long)]
        finding: String,
    },
}

#[derive(Args)]
struct Create {
    /// Id of the problem
    problem: String,
    /// What is to be done
    title: String,
    /// What it is for: corrective, preventive
    #[arg(long, value_parser = words::read::<ImprovementKind>, default_value = "corrective")]
    kind: ImprovementKind,
    /// Who sees to it
    #[arg(long)]
    owner: String,
    /// By which day, e.g. `2026-12-31`
    #[arg(long)]
    due: String,
}

impl Create {
    fn request(self, request_id: String) -> CreateImprovementActionRequest {
        let Self { problem: problem_id, title, kind, owner, due: due_date } = self;
        CreateImprovementActionRequest { request_id, problem_id, kind: kind.into(), title, owner, due_date }
    }
}

type Actions = ImprovementServiceClient<client::Calls>;

/// The action as it is now: its version goes with what is done to it.
async fn seen(actions: &mut Actions, action_id: &str) -> anyhow::Result<ImprovementAction> {
    let request = GetImprovementActionRequest { action_id: action_id.to_owned() };
    Ok(actions.get_improvement_action(request).await?.into_inner().action.unwrap_or_default())
}

async fn assess(
    actions: &mut Actions,
    caller: &Caller,
    (action_id, effective, finding): (String, bool, String),
) -> anyhow::Result<Option<ImprovementAction>> {
    let expected_version = seen(actions, &action_id).await?.version;
    let request_id = caller.request_id();
    let request =
        AssessImprovementActionRequest { request_id, action_id, expected_version, effective, finding };
    Ok(actions.assess_improvement_action(request).await?.into_inner().action)
}

/// Does something to an action, which is answered as it is then.
async fn change(
    actions: &mut Actions,
    caller: &Caller,
    verb: Verb,
) -> anyhow::Result<Option<ImprovementAction>> {
    let request_id = caller.request_id();
    Ok(match verb {
        Verb::List { .. } => None,
        Verb::Show { action } => Some(seen(actions, &action).await?),
        Verb::Create(create) => {
            actions.create_improvement_action(create.request(request_id)).await?.into_inner().action
        }
        Verb::Assign { action: action_id, owner, due } => {
            let known = seen(actions, &action_id).await?;
            let request = UpdateImprovementActionRequest {
                request_id,
                action_id,
                expected_version: known.version,
                owner: owner.unwrap_or(known.owner),
                due_date: due.unwrap_or(known.due_date),
            };
            actions.update_improvement_action(request).await?.into_inner().action
        }
        Verb::Done { action: action_id, note } => {
            let expected_version = seen(actions, &action_id).await?.version;
            let request = CompleteImprovementActionRequest { request_id, action_id, expected_version, note };
            actions.complete_improvement_action(request).await?.into_inner().action
        }
        Verb::Verify { action, finding } => assess(actions, caller, (action, true, finding)).await?,
        Verb::Ineffective { action, finding } => assess(actions, caller, (action, false, finding)).await?,
    })
}

impl Capa {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut actions = ImprovementServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::List { problem: problem_id, state, overdue, page } => {
                let state = state.unwrap_or_default().into();
                let (page_size, page_token) = (page.limit, page.page);
                let request =
                    ListImprovementActionsRequest { page_size, page_token, problem_id, state, overdue };
                let answer = actions.list_improvement_actions(request).await?.into_inner();
                show::answer(caller.json, &answer, text::improvement_actions)
            }
            other => {
                let action = change(&mut actions, &caller, other).await?;
                show::answer(caller.json, &action.unwrap_or_default(), text::improvement_action)
            }
        }
    }
}
