//! `redress form …`: what is asked of complaints, and what is added to them later.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use proto::redress::cases::v1::directory_service_client::DirectoryServiceClient;
use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{
    AddInformationRequest, Attachment, CreateFormRequest, Form, GetFormRequest, GetInformationRequest,
    InformationSource, ListAttachmentsRequest, ListFormsRequest, PrefillFormRequest, ValidateFormRequest,
};
use show::{text, words};

use super::attachment::attached;
use super::connection::{Caller, Connection, Page};
use super::directory::Named;
use super::submit::read_text;

/// Files of a complaint that are named: as many as a page has.
const MOST_FILES: i32 = 500;

#[derive(Args)]
pub(crate) struct Forms {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Keeps a JSON Schema as the next version of a category's form
    Create {
        /// The schema, `-` for standard input
        schema: PathBuf,
        /// The category, e.g. `delivery`; without it the form is for all
        #[arg(long, default_value = "")]
        category: String,
        /// Title for people
        #[arg(long, default_value = "")]
        title: String,
    },
    /// Shows the form that serves a category, with its schema
    Get {
        /// The category, as a path, e.g. `delivery/damaged`
        #[arg(default_value = "")]
        category: String,
        /// A version of exactly this category's form
        #[arg(long, default_value_t = 0)]
        version: i64,
    },
    /// Lists the forms that hold
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Tells what is wrong with and missing from an answer
    Check {
        /// The category, as a path, e.g. `delivery/damaged`
        category: String,
        /// The answer as JSON, `-` for standard input
        answer: PathBuf,
    },
    /// Fills in what the company's directory knows of a customer, an order and a product
    Prefill {
        /// The category, as a path, e.g. `delivery/damaged`
        category: String,
        #[command(flatten)]
        named: Named,
        /// What is filled in already as JSON, `-` for standard input
        #[arg(long, value_name = "FILE")]
        answer: Option<PathBuf>,
    },
    /// Adds something to a registered complaint
    Add(Add),
    /// Shows what was added to a complaint, and its form as it now is
    Information {
        /// Id of the complaint
        complaint: String,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("addition").args(["text", "answer", "attach"]).required(true).multiple(true))]
struct Add {
    /// Id of the complaint
    complaint: String,
    /// In their words
    #[arg(default_value = "")]
    text: String,
    /// Fields of the form as JSON, `-` for standard input; null takes one out
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,
    /// A file that proves it, uploaded first; may be given several times
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    /// From whom it comes: complainant, staff
    #[arg(long, value_parser = words::read::<InformationSource>, default_value = "complainant")]
    source: InformationSource,
}

impl Forms {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let request_id = caller.request_id();
        let mut forms = FormServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Create { schema, category, title } => {
                let form = Form { category, title, schema: read_text(&schema)?, ..Form::default() };
                let request = CreateFormRequest { request_id, form: Some(form) };
                let answer = forms.create_form(request).await?.into_inner();
                show::answer(caller.json, &answer.form.unwrap_or_default(), text::form)
            }
            Verb::Get { category, version } => {
                let answer = forms.get_form(GetFormRequest { category, version }).await?.into_inner();
                show::answer(caller.json, &answer.form.unwrap_or_default(), text::form)
            }
            Verb::List { page } => {
                let request = ListFormsRequest { page_size: page.limit, page_token: page.page };
                show::answer(caller.json, &forms.list_forms(request).await?.into_inner(), text::forms)
            }
            Verb::Check { category, answer } => {
                let request = ValidateFormRequest { category, form_data: read_text(&answer)? };
                show::answer(caller.json, &forms.validate_form(request).await?.into_inner(), text::checked)
            }
            Verb::Prefill { category, named, answer } => {
                let form_data = answer.map(|file| read_text(&file)).transpose()?.unwrap_or_default();
                let mut directories = DirectoryServiceClient::new(caller.client.calls());
                let found = directories.look_up_directory(named.request()).await?.into_inner();
                let known = found.snapshot.unwrap_or_default();
                let (customer, order) = (known.customer, known.orders.into_iter().next());
                let product = known.product;
                let request = PrefillFormRequest { category, form_data, customer, order, product };
                show::answer(caller.json, &forms.prefill_form(request).await?.into_inner(), text::prefilled)
            }
            Verb::Add(Add { complaint, text: words, answer, attach, source }) => {
                let evidence = attached(&caller, &attach, &request_id).await?;
                let form_data = answer.map(|file| read_text(&file)).transpose()?.unwrap_or_default();
                let request = AddInformationRequest {
                    request_id,
                    complaint_id: complaint,
                    source: source.into(),
                    text: words,
                    form_data,
                    evidence,
                    ..AddInformationRequest::default()
                };
                show::answer(caller.json, &forms.add_information(request).await?.into_inner(), text::added)
            }
            Verb::Information { complaint } => {
                let request = GetInformationRequest { complaint_id: complaint.clone() };
                let answer = forms.get_information(request).await?.into_inner();
                let has_files = answer.additions.iter().any(|one| !one.evidence.is_empty());
                let files =
                    if has_files && !caller.json { files(&caller, complaint).await } else { Vec::new() };
                show::answer(caller.json, &answer, |all| text::information(all, &files))
            }
        }
    }
}

/// The files of a complaint, for their names: where they cannot be had, there are the ids.
async fn files(caller: &Caller, complaint_id: String) -> Vec<Attachment> {
    let request = ListAttachmentsRequest { page_size: MOST_FILES, page_token: String::new(), complaint_id };
    let listed = AttachmentServiceClient::new(caller.client.calls()).list_attachments(request).await;
    listed.map(|list| list.into_inner().attachments).unwrap_or_default()
}
