//! `redress supervision …`: which open cases are looked at, and who sits on what.

use clap::{Args, Subcommand};
use proto::google::r#type::Money;
use proto::redress::feedback::v1::case_supervision_service_client::CaseSupervisionServiceClient;
use proto::redress::feedback::v1::{
    GetSupervisionOverviewRequest, ListSupervisedCasesRequest, SupervisionReason,
};

use super::connection::{Connection, Page};
use show::{self, lines, text, words};

#[derive(Args)]
pub(crate) struct Supervision {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Counts open cases by who has them: those with most overdue ones first
    Overview {
        #[command(flatten)]
        scope: Scope,
        /// Most holders to show, 1–500
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        holders: i32,
    },
    /// Lists the open cases that are looked at, the oldest first
    Cases {
        #[command(flatten)]
        scope: Scope,
        /// Only those looked at for this: overdue, escalated, reworked, disputed,
        /// money-over-limit; may be given more than once
        #[arg(long = "reason", value_parser = words::read::<SupervisionReason>)]
        reasons: Vec<SupervisionReason>,
        /// Only this agent's
        #[arg(long, conflicts_with = "waiting")]
        agent: Option<String>,
        /// Only those that wait for somebody
        #[arg(long)]
        waiting: bool,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
struct Scope {
    /// Only cases that lie with this department
    #[arg(long, default_value = "")]
    department: String,
    /// Above how much a case is about much money, as `CNY 5000`; once for each currency
    #[arg(long = "over", value_parser = lines::read_money)]
    limits: Vec<Money>,
}

impl Supervision {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut service = CaseSupervisionServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Overview { scope: Scope { department: department_id, limits: money_limits }, holders } => {
                let request =
                    GetSupervisionOverviewRequest { department_id, money_limits, max_holders: holders };
                let answer = service.get_supervision_overview(request).await?.into_inner();
                show::answer(caller.json, &answer, text::supervision_overview)
            }
            Verb::Cases { scope, reasons, agent, waiting, page } => {
                let request = ListSupervisedCasesRequest {
                    page_size: page.limit,
                    page_token: page.page,
                    reasons: reasons.into_iter().map(Into::into).collect(),
                    department_id: scope.department,
                    agent_id: agent.or(waiting.then(String::new)),
                    money_limits: scope.limits,
                };
                let answer = service.list_supervised_cases(request).await?.into_inner();
                show::answer(caller.json, &answer, text::supervised_cases)
            }
        }
    }
}
