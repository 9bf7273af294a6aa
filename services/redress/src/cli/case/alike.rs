//! Cases that are the same, and cases that are alike; who complained before, and what the
//! company knows of them.

use clap::{Args, Subcommand};
use proto::redress::cases::v1::directory_service_client::DirectoryServiceClient;
use proto::redress::cases::v1::{
    FindSimilarCasesRequest, GetCaseDirectoryRequest, GetComplainantHistoryRequest, LinkCasesRequest,
    LinkKind, ListLinksRequest, MergeCaseRequest, UnlinkCasesRequest, UnmergeCaseRequest,
};
use show::{text, words};

use crate::cli::connection::{Caller, Expect, Page};

/// What is done about cases that are alike.
#[derive(Subcommand)]
pub(super) enum Verb {
    /// Lists what a case is linked to, suggested links included, and what is merged
    /// into it
    Links {
        /// Id of the case
        case: String,
        #[command(flatten)]
        page: Page,
    },
    /// Links two cases, or confirms the link suggested between them
    Link(Link),
    /// Dismisses the link between two cases
    Unlink(Unlink),
    /// Merges a case into another of the same complainant
    Merge(Merge),
    /// Undoes a merge
    Unmerge(Unmerge),
    /// Finds closed cases like a case or a text, and how they ended
    Similar(Similar),
    /// Shows every case of a complainant and how each ended: of the complainant of a case, or
    /// of whoever has a telephone number, an e-mail address or a customer number
    History(History),
    /// Shows what the company's own directory said of a case when it was opened, and says now
    Directory {
        /// Id of the case
        case: String,
        /// Asks anew, however old the latest answer is
        #[arg(long)]
        refresh: bool,
    },
}

#[derive(Args)]
pub(super) struct Link {
    /// Id of the case
    case: String,
    /// Id of the other case
    other: String,
    /// duplicate or related
    #[arg(long, value_parser = words::read::<LinkKind>, default_value = "duplicate")]
    kind: LinkKind,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Args)]
pub(super) struct Unlink {
    /// Id of the case
    case: String,
    /// Id of the other case
    other: String,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Args)]
pub(super) struct Merge {
    /// Id of the case
    case: String,
    /// The case that goes on
    into: String,
    /// Why
    #[arg(long)]
    reason: String,
    /// Why cases of different people are merged; for supervisors
    #[arg(long, value_name = "REASON")]
    different_complainants: Option<String>,
    #[command(flatten)]
    expect: Expect,
}

#[derive(Args)]
pub(super) struct Unmerge {
    /// Id of the case
    case: String,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    expect: Expect,
}

#[derive(Args)]
#[group(id = "model", required = true, multiple = false, args = ["case", "text"])]
pub(super) struct Similar {
    /// The case whose like is sought
    case: Option<String>,
    /// The text whose like is sought
    #[arg(long)]
    text: Option<String>,
    /// Only those whose outcome was accepted
    #[arg(long)]
    accepted: bool,
    /// Most cases to show
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    most: i32,
}

#[derive(Args)]
#[group(id = "complainant", required = true, multiple = true, args = ["case", "phone", "email", "customer"])]
pub(super) struct History {
    /// A case of theirs
    #[arg(conflicts_with_all = ["phone", "email", "customer"])]
    case: Option<String>,
    /// A telephone number of theirs, however it is written
    #[arg(long)]
    phone: Option<String>,
    /// An e-mail address of theirs
    #[arg(long)]
    email: Option<String>,
    /// The organisation's number for them
    #[arg(long)]
    customer: Option<String>,
    #[command(flatten)]
    page: Page,
}

impl Verb {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        match self {
            Self::Links { case, page } => links(caller, case, page).await,
            Self::Link(link) => link.run(caller).await,
            Self::Unlink(unlink) => unlink.run(caller).await,
            Self::Merge(merge) => merge.run(caller).await,
            Self::Unmerge(unmerge) => unmerge.run(caller).await,
            Self::Similar(similar) => similar.run(caller).await,
            Self::History(history) => history.run(caller).await,
            Self::Directory { case, refresh } => directory(caller, case, refresh).await,
        }
    }
}

async fn links(caller: &Caller, case_id: String, page: Page) -> anyhow::Result<()> {
    let request = ListLinksRequest { case_id: case_id.clone(), page_size: page.limit, page_token: page.page };
    let answer = caller.links().list_links(request).await?.into_inner();
    show::answer(caller.json, &answer, |answer| text::links(&case_id, answer))
}

impl Link {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = LinkCasesRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            other_case_id: self.other,
            kind: self.kind.into(),
            reason: self.reason,
        };
        let answer = caller.links().link_cases(request).await?.into_inner();
        show::answer(caller.json, &answer.link.unwrap_or_default(), text::link)
    }
}

impl Unlink {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = UnlinkCasesRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            other_case_id: self.other,
            reason: self.reason,
        };
        let answer = caller.links().unlink_cases(request).await?.into_inner();
        show::answer(caller.json, &answer.link.unwrap_or_default(), text::link)
    }
}

impl Merge {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = MergeCaseRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            into_case_id: self.into,
            reason: self.reason,
            different_complainants_reason: self.different_complainants.unwrap_or_default(),
        };
        let answer = caller.links().merge_case(request).await?.into_inner();
        show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
    }
}

impl Unmerge {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = UnmergeCaseRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            reason: self.reason,
        };
        let answer = caller.links().unmerge_case(request).await?.into_inner();
        show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
    }
}

impl Similar {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = FindSimilarCasesRequest {
            case_id: self.case.unwrap_or_default(),
            text: self.text.unwrap_or_default(),
            accepted_only: self.accepted,
            max_results: self.most,
        };
        let answer = caller.links().find_similar_cases(request).await?.into_inner();
        show::answer(caller.json, &answer, text::similar)
    }
}

impl History {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = GetComplainantHistoryRequest {
            case_id: self.case.unwrap_or_default(),
            customer_id: self.customer.unwrap_or_default(),
            phone: self.phone.unwrap_or_default(),
            email: self.email.unwrap_or_default(),
            page_size: self.page.limit,
            page_token: self.page.page,
        };
        let answer = caller.complainants().get_complainant_history(request).await?.into_inner();
        show::answer(caller.json, &answer, text::complainant_history)
    }
}

async fn directory(caller: &Caller, case_id: String, refresh: bool) -> anyhow::Result<()> {
    let request = GetCaseDirectoryRequest { case_id, refresh };
    let mut client = DirectoryServiceClient::new(caller.client.calls());
    let answer = client.get_case_directory(request).await?.into_inner();
    show::answer(caller.json, &answer, text::case_directory)
}
