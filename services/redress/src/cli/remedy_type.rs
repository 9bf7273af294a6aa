//! `redress remedy-type …`: types of remedy of a tenant's own.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use proto::redress::resolution::v1::remedy_type_service_client::RemedyTypeServiceClient;
use proto::redress::resolution::v1::{
    DisableRemedyTypeRequest, GetRemedyTypeRequest, ListRemedyTypesRequest, RemedyType, SetRemedyTypeRequest,
};
use show::text;

use super::connection::{Connection, Expect, Page};
use super::submit::read_text;

#[derive(Args)]
pub(crate) struct RemedyTypes {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Keeps a type, or its next version, for plans that are proposed from now on
    Set(Set),
    /// Shows a type with its schemas
    #[command(visible_alias = "show")]
    Get {
        /// Name of the type
        remedy_type: String,
        /// Which version; without, the one that holds
        #[arg(long, default_value_t = 0)]
        version: i64,
    },
    /// Lists types as they hold
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Keeps plans from being proposed with a type, until it is set again
    Disable {
        /// Name of the type
        remedy_type: String,
        #[command(flatten)]
        expect: Expect,
    },
}

#[derive(Args)]
struct Set {
    /// Its name: lower-case letters, digits, dots and dashes
    remedy_type: String,
    /// Title for people
    #[arg(long)]
    title: String,
    /// JSON Schema of what a step of it brings
    #[arg(long, value_name = "FILE")]
    input_schema: PathBuf,
    /// JSON Schema of what comes of its task
    #[arg(long, value_name = "FILE")]
    result_schema: PathBuf,
    /// Who does it where a step does not say
    #[arg(long, default_value = "")]
    department: String,
    /// Doing it twice costs twice
    #[arg(long)]
    moves_value: bool,
    /// How long one attempt may go on, in seconds; without, 3 days
    #[arg(long, value_name = "SECONDS")]
    attempt: Option<u32>,
    /// What the department is told when it is to be undone; without, it cannot be
    #[arg(long, default_value = "")]
    undo: String,
    #[command(flatten)]
    expect: Expect,
}

impl Set {
    fn request(self, request_id: String) -> anyhow::Result<SetRemedyTypeRequest> {
        let remedy_type = RemedyType {
            type_id: self.remedy_type,
            title: self.title,
            department_id: self.department,
            input_schema: read_text(&self.input_schema)?,
            result_schema: read_text(&self.result_schema)?,
            moves_value: self.moves_value,
            attempt_duration: self
                .attempt
                .map(|seconds| prost_types::Duration { seconds: seconds.into(), nanos: 0 }),
            undo_instructions: self.undo,
            ..RemedyType::default()
        };
        let (expected_version, remedy_type) = (self.expect.version, Some(remedy_type));
        Ok(SetRemedyTypeRequest { request_id, expected_version, remedy_type })
    }
}

impl RemedyTypes {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let request_id = caller.request_id();
        let mut types = RemedyTypeServiceClient::new(caller.client.calls());
        let one = match self.verb {
            Verb::Set(set) => types.set_remedy_type(set.request(request_id)?).await?.into_inner().remedy_type,
            Verb::Get { remedy_type: type_id, version } => {
                let request = GetRemedyTypeRequest { type_id, version };
                types.get_remedy_type(request).await?.into_inner().remedy_type
            }
            Verb::Disable { remedy_type: type_id, expect } => {
                let expected_version = expect.version;
                let request = DisableRemedyTypeRequest { request_id, type_id, expected_version };
                types.disable_remedy_type(request).await?.into_inner().remedy_type
            }
            Verb::List { page } => {
                let request = ListRemedyTypesRequest { page_size: page.limit, page_token: page.page };
                let answer = types.list_remedy_types(request).await?.into_inner();
                return show::answer(caller.json, &answer, text::remedy_types);
            }
        };
        show::answer(caller.json, &one.unwrap_or_default(), text::remedy_type)
    }
}
