//! `redress endpoint …`: where departments that cannot poll have their tasks brought to.

use std::time::Duration;

use clap::{Args, Subcommand};
use proto::redress::resolution::v1::{
    DeleteEndpointRequest, EndpointKind, GetEndpointRequest, ListDeliveriesRequest, ListEndpointsRequest,
    PauseEndpointRequest, RedeliverTaskRequest, ResumeEndpointRequest, RotateEndpointSecretRequest,
    SetEndpointRequest,
};
use show::{text, words};

use super::connection::{Caller, Connection, Expect, Page};

#[derive(Args)]
pub(crate) struct Endpoints {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

/// What webhooks are signed with, or the token a gRPC endpoint is shown. Shown by no
/// answer.
#[derive(Args)]
struct SecretOf {
    /// `whsec_` and 24 to 64 bytes in base64; of gRPC a token
    #[arg(long, env = "REDRESS_ENDPOINT_SECRET", hide_env_values = true, default_value = "")]
    secret: String,
}

#[derive(Subcommand)]
enum Verb {
    /// Says where a department has its tasks brought to, or changes it
    Set {
        /// Name of the department
        department: String,
        /// Where it is, e.g. `https://pay.example.com/tasks`
        url: String,
        /// How it is reached: `webhook` or `grpc`
        #[arg(long, default_value = "webhook", value_parser = words::read::<EndpointKind>)]
        kind: EndpointKind,
        #[command(flatten)]
        secret: SecretOf,
        /// Longest that one try may take, in seconds
        #[arg(long, value_name = "SECONDS")]
        try_timeout: Option<u32>,
        /// How long a task is held once the department took it, in seconds
        #[arg(long, value_name = "SECONDS")]
        hold: Option<u32>,
        #[command(flatten)]
        expect: Expect,
    },
    /// Shows a department's endpoint
    Get {
        /// Name of the department
        department: String,
    },
    /// Lists endpoints
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Gives an endpoint another secret; for a while, webhooks are signed with both
    Rotate {
        /// Name of the department
        department: String,
        #[command(flatten)]
        secret: SecretOf,
        /// How long the old one signs as well, in seconds
        #[arg(long, value_name = "SECONDS")]
        keep: Option<u32>,
        #[command(flatten)]
        expect: Expect,
    },
    /// Brings an endpoint nothing more until it is resumed
    Pause {
        /// Name of the department
        department: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Brings a paused endpoint its tasks again
    Resume {
        /// Name of the department
        department: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Takes an endpoint away
    Delete {
        /// Name of the department
        department: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Lists what was brought to a department, or of a task, try by try
    Deliveries {
        /// Only those to this department
        #[arg(long, default_value = "", required_unless_present = "task", conflicts_with = "task")]
        department: String,
        /// Only those of this task
        #[arg(long, default_value = "")]
        task: String,
        #[command(flatten)]
        page: Page,
    },
    /// Makes a task's latest delivery again, now
    Redeliver {
        /// Id of the task
        task: String,
    },
}

fn seconds(seconds: Option<u32>) -> Option<prost_types::Duration> {
    let length = Duration::from_secs(seconds?.into());
    prost_types::Duration::try_from(length).ok()
}

impl Endpoints {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let (mut endpoints, json) = (caller.endpoints(), caller.json);
        let endpoint = match self.verb {
            Verb::Set { department, url, kind, secret, try_timeout, hold, expect } => {
                let request = SetEndpointRequest {
                    request_id: caller.request_id(),
                    department_id: department,
                    expected_version: expect.version,
                    kind: kind.into(),
                    url,
                    secret: secret.secret,
                    timeout_duration: seconds(try_timeout),
                    hold_duration: seconds(hold),
                };
                endpoints.set_endpoint(request).await?.into_inner().endpoint
            }
            Verb::Get { department } => {
                let request = GetEndpointRequest { department_id: department };
                endpoints.get_endpoint(request).await?.into_inner().endpoint
            }
            Verb::List { page } => {
                let request = ListEndpointsRequest { page_size: page.limit, page_token: page.page };
                let found = endpoints.list_endpoints(request).await?.into_inner();
                return show::answer(json, &found, text::endpoints);
            }
            Verb::Rotate { department, secret, keep, expect } => {
                let request = RotateEndpointSecretRequest {
                    request_id: caller.request_id(),
                    department_id: department,
                    expected_version: expect.version,
                    secret: secret.secret,
                    keep_duration: seconds(keep),
                };
                endpoints.rotate_endpoint_secret(request).await?.into_inner().endpoint
            }
            Verb::Pause { department, reason } => {
                let request = PauseEndpointRequest {
                    request_id: caller.request_id(),
                    department_id: department,
                    reason,
                };
                endpoints.pause_endpoint(request).await?.into_inner().endpoint
            }
            Verb::Resume { department, reason } => {
                let request = ResumeEndpointRequest {
                    request_id: caller.request_id(),
                    department_id: department,
                    reason,
                };
                endpoints.resume_endpoint(request).await?.into_inner().endpoint
            }
            Verb::Delete { department, expect } => {
                let request = DeleteEndpointRequest {
                    request_id: caller.request_id(),
                    department_id: department,
                    expected_version: expect.version,
                };
                endpoints.delete_endpoint(request).await?.into_inner().endpoint
            }
            Verb::Deliveries { department, task, page } => {
                return deliveries(&caller, (department, task), page).await;
            }
            Verb::Redeliver { task } => return redeliver(&caller, task).await,
        };
        show::answer(json, &endpoint.unwrap_or_default(), text::endpoint)
    }
}

async fn deliveries(
    caller: &Caller,
    (department_id, task_id): (String, String),
    page: Page,
) -> anyhow::Result<()> {
    let request =
        ListDeliveriesRequest { page_size: page.limit, page_token: page.page, department_id, task_id };
    let found = caller.endpoints().list_deliveries(request).await?.into_inner();
    show::answer(caller.json, &found, text::deliveries)
}

async fn redeliver(caller: &Caller, task_id: String) -> anyhow::Result<()> {
    let request = RedeliverTaskRequest { request_id: caller.request_id(), task_id };
    let found = caller.endpoints().redeliver_task(request).await?.into_inner();
    show::answer(caller.json, &found.delivery.unwrap_or_default(), text::delivery)
}
