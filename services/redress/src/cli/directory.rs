//! `redress directory …`: where the company's own directory of customers and orders is.

use std::time::Duration;

use clap::{Args, Subcommand};
use proto::redress::cases::v1::directory_service_client::DirectoryServiceClient;
use proto::redress::cases::v1::{
    DeleteDirectoryRequest, DirectoryKind, GetDirectoryRequest, LookUpDirectoryRequest, SetDirectoryRequest,
};
use show::{text, words};

use super::connection::{Connection, Expect};

#[derive(Args)]
pub(crate) struct Directories {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Says where the directory is, or changes it
    Set {
        /// Where it is, e.g. `https://shop.example.com/api`
        url: String,
        /// How it is reached: `http` or `grpc`
        #[arg(long, default_value = "http", value_parser = words::read::<DirectoryKind>)]
        kind: DirectoryKind,
        /// What it is shown as `authorization: Bearer …`. Shown by no answer
        #[arg(long, env = "REDRESS_DIRECTORY_TOKEN", hide_env_values = true, default_value = "")]
        directory_token: String,
        /// Longest that one question may take, in milliseconds
        #[arg(long, value_name = "MILLISECONDS")]
        ask_timeout: Option<u32>,
        /// How old an answer may be before it is asked anew, in minutes
        #[arg(long, value_name = "MINUTES")]
        max_age: Option<u32>,
        #[command(flatten)]
        expect: Expect,
    },
    /// Shows where it is
    Get,
    /// Asks it about somebody who has no case yet
    LookUp(Named),
    /// Forgets where it is; what it said stays
    Delete {
        #[command(flatten)]
        expect: Expect,
    },
}

/// By what the directory is asked.
#[derive(Args)]
pub(super) struct Named {
    /// The organisation's number for the customer
    #[arg(long, default_value = "", hide_default_value = true)]
    customer: String,
    /// Their e-mail address
    #[arg(long, default_value = "", hide_default_value = true)]
    email: String,
    /// Their telephone number
    #[arg(long, default_value = "", hide_default_value = true)]
    phone: String,
    /// An order
    #[arg(long, default_value = "", hide_default_value = true)]
    order: String,
    /// A product
    #[arg(long, default_value = "", hide_default_value = true)]
    product: String,
}

impl Named {
    pub(super) fn request(self) -> LookUpDirectoryRequest {
        let Self { customer, email, phone, order, product } = self;
        LookUpDirectoryRequest { customer_id: customer, email, phone, order_ref: order, product_ref: product }
    }
}

fn length(length: Option<Duration>) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(length?).ok()
}

impl Directories {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut client = DirectoryServiceClient::new(caller.client.calls());
        let directory = match self.verb {
            Verb::Set { url, kind, directory_token, ask_timeout, max_age, expect } => {
                let request = SetDirectoryRequest {
                    request_id: caller.request_id(),
                    expected_version: expect.version,
                    kind: kind.into(),
                    url,
                    token: directory_token,
                    timeout_duration: length(ask_timeout.map(|millis| Duration::from_millis(millis.into()))),
                    max_age_duration: length(
                        max_age.map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
                    ),
                };
                client.set_directory(request).await?.into_inner().directory
            }
            Verb::Get => client.get_directory(GetDirectoryRequest {}).await?.into_inner().directory,
            Verb::LookUp(named) => {
                let answer = client.look_up_directory(named.request()).await?.into_inner();
                return show::answer(caller.json, &answer, text::looked_up);
            }
            Verb::Delete { expect } => {
                let request = DeleteDirectoryRequest {
                    request_id: caller.request_id(),
                    expected_version: expect.version,
                };
                let answer = client.delete_directory(request).await?.into_inner();
                return show::answer(caller.json, &answer, |_| "the directory is forgotten\n".to_owned());
            }
        };
        show::answer(caller.json, &directory.unwrap_or_default(), text::directory)
    }
}
