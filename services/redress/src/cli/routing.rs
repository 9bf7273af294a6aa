//! `redress routing …`: how handlers are chosen, why one was, and what nobody can take.

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use proto::redress::assignment::v1::{
    ActivateRoutingPolicyRequest, CreateRoutingPolicyRequest, EarlierHandler, ExplainAssignmentRequest,
    GetRoutingPolicyRequest, ListRoutingPoliciesRequest, ListUnassignableRequest, ReplayRoutingRequest,
    RoutingPolicy, RoutingWeights,
};

use super::connection::{Connection, Page};
use show::{self, text};

#[derive(Args)]
pub(crate) struct Routing {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Makes the next version of the weights, not in force yet
    Add {
        #[command(flatten)]
        weights: Weights,
        /// Whether who handled a cycle may handle the next
        #[arg(long, value_enum, default_value_t = Earlier::Avoided)]
        earlier_handler: Earlier,
        /// Seconds an agent has to accept; 0 for ever
        #[arg(long, default_value_t = 86_400)]
        accept_seconds: i32,
        /// Why there is this version
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Puts a version in force; 0 is the shipped one
    Activate {
        /// Which version
        version: i32,
    },
    /// Shows a version; without one, that in force; 0 is the shipped one
    #[command(visible_alias = "show")]
    Get {
        /// Which version
        version: Option<i32>,
    },
    /// Lists versions, latest first
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Shows every candidate for a case, the score by term, and what kept it from the others
    Explain {
        /// Id of the case
        case: String,
        /// Of this cycle; the latest without
        #[arg(long, default_value_t = 0)]
        cycle: i32,
    },
    /// Lists the waiting cases that nobody can take as things stand
    Unassignable {
        #[command(flatten)]
        page: Page,
    },
    /// Shows who would have had a department's past cases, by a version or by weights
    Replay {
        /// Name of the department
        department: String,
        /// The version; 0 is the shipped one
        #[arg(long, default_value_t = 0)]
        version: i32,
        /// Weights in its place, in the order load, skill, language, region, affinity, waiting,
        /// team; without the last, that is worth nothing
        #[arg(long, value_delimiter = ',', num_args = 6..=7)]
        weights: Option<Vec<i32>>,
        /// Cycles that began from this moment on
        #[arg(long, value_parser = crate::cli::moment::read)]
        from: Option<Timestamp>,
        /// Cycles that began before this moment
        #[arg(long, value_parser = crate::cli::moment::read)]
        until: Option<Timestamp>,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Earlier {
    /// Where nobody else can take it
    Avoided,
    /// Never
    Recused,
}

/// What each term of a score is worth, 0 to 1 000.
#[derive(Args)]
struct Weights {
    /// Room left
    #[arg(long, default_value_t = 100)]
    load: i32,
    /// Skill for what the case is about
    #[arg(long, default_value_t = 60)]
    skill: i32,
    /// The case's language
    #[arg(long, default_value_t = 120)]
    language: i32,
    /// The case's region
    #[arg(long, default_value_t = 20)]
    region: i32,
    /// They handled a case of this customer last
    #[arg(long, default_value_t = 40)]
    affinity: i32,
    /// Room left, the more the longer the case has waited
    #[arg(long, default_value_t = 100)]
    waiting: i32,
    /// They are of the team of who had the case before
    #[arg(long, default_value_t = 40)]
    team: i32,
}

impl From<Weights> for RoutingWeights {
    fn from(weights: Weights) -> Self {
        let Weights { load, skill, language, region, affinity, waiting, team } = weights;
        Self { load, skill, language, region, affinity, waiting, team }
    }
}

fn listed(list: &[i32]) -> RoutingWeights {
    let at = |at: usize| list.get(at).copied().unwrap_or_default();
    RoutingWeights {
        load: at(0),
        skill: at(1),
        language: at(2),
        region: at(3),
        affinity: at(4),
        waiting: at(5),
        team: at(6),
    }
}

impl Routing {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut routing = caller.routing();
        match self.verb {
            Verb::Add { weights, earlier_handler, accept_seconds, note } => {
                let earlier_handler = match earlier_handler {
                    Earlier::Avoided => EarlierHandler::Avoided,
                    Earlier::Recused => EarlierHandler::Recused,
                };
                let policy = RoutingPolicy {
                    weights: Some(weights.into()),
                    earlier_handler: earlier_handler.into(),
                    accept_seconds,
                    note,
                    ..RoutingPolicy::default()
                };
                let request =
                    CreateRoutingPolicyRequest { request_id: caller.request_id(), policy: Some(policy) };
                let answer = routing.create_routing_policy(request).await?.into_inner();
                show::answer(caller.json, &answer.policy.unwrap_or_default(), text::routing_policy)
            }
            Verb::Activate { version } => {
                let request = ActivateRoutingPolicyRequest { request_id: caller.request_id(), version };
                let answer = routing.activate_routing_policy(request).await?.into_inner();
                show::answer(caller.json, &answer.policy.unwrap_or_default(), text::routing_policy)
            }
            Verb::Get { version } => {
                let answer =
                    routing.get_routing_policy(GetRoutingPolicyRequest { version }).await?.into_inner();
                show::answer(caller.json, &answer.policy.unwrap_or_default(), text::routing_policy)
            }
            Verb::List { page } => {
                let request = ListRoutingPoliciesRequest { page_size: page.limit, page_token: page.page };
                let answer = routing.list_routing_policies(request).await?.into_inner();
                show::answer(caller.json, &answer, text::routing_policies)
            }
            Verb::Explain { case, cycle } => {
                let request = ExplainAssignmentRequest { case_id: case, cycle };
                let answer = routing.explain_assignment(request).await?.into_inner();
                show::answer(caller.json, &answer.decision.unwrap_or_default(), text::decision)
            }
            Verb::Unassignable { page } => {
                let request = ListUnassignableRequest { page_size: page.limit, page_token: page.page };
                let answer = routing.list_unassignable(request).await?.into_inner();
                show::answer(caller.json, &answer, text::unassignable)
            }
            Verb::Replay { department, version, weights, from, until, page } => {
                let request = ReplayRoutingRequest {
                    department_id: department,
                    version,
                    weights: weights.as_deref().map(listed),
                    start_time: from.map(proto::timestamp),
                    end_time: until.map(proto::timestamp),
                    page_size: page.limit,
                    page_token: page.page,
                };
                let answer = routing.replay_routing(request).await?.into_inner();
                show::answer(caller.json, &answer, text::routing_replay)
            }
        }
    }
}
