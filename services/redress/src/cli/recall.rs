//! `redress recall …`: one article with a defect, many cases.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::{ArgGroup, Args, Subcommand};
use proto::redress::resolution::v1::{
    AddRecallCasesRequest, CancelRecallRequest, CloseRecallRequest, GetRecallRequest,
    ListRecallCandidatesRequest, ListRecallCasesRequest, ListRecallsRequest, OpenRecallRequest,
    RecallMeasure, RecallState, RemedyKind,
};
use show::{text, words};

use super::connection::{Caller, Connection, Expect, Page};
use super::plan::step;

/// Most cases that are added by one request.
const AT_ONCE: usize = 100;

#[derive(Args)]
pub(crate) struct Recalls {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Opens a recall of an article
    Open {
        /// Number of the article, as plans have it
        article: String,
        /// The lot or batch; without, the whole article
        #[arg(long, default_value = "")]
        lot: String,
        /// What is wrong with it, for staff
        #[arg(long)]
        reason: String,
        /// What complainants are to know
        #[arg(long)]
        notice: String,
        /// What a department does for each case: `KIND@DEPARTMENT`, and where they apply
        /// `,goods=SKU*2`, `,note=WORDS`; no money
        #[arg(long = "measure", value_name = "MEASURE", required = true, value_parser = measure)]
        measures: Vec<RecallMeasure>,
    },
    /// Adds cases, and says of each what became of it
    Add(Add),
    /// Shows a recall and how far each department is
    Show {
        /// Id of the recall
        recall: String,
    },
    /// Lists recalls, newest first
    List {
        /// Only those in this state: `open`, `closed` or `cancelled`
        #[arg(long, value_parser = words::read::<RecallState>)]
        state: Option<RecallState>,
        /// Only those of this article
        #[arg(long, default_value = "")]
        article: String,
        #[command(flatten)]
        page: Page,
    },
    /// Lists the cases of a recall, each with how far it is
    Cases {
        /// Id of the recall
        recall: String,
        /// Those that may belong to it and are not in it, instead
        #[arg(long)]
        candidates: bool,
        #[command(flatten)]
        page: Page,
    },
    /// Closes a recall of which nothing is left to do
    Close {
        /// Id of the recall
        recall: String,
        /// What it ends with
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Calls a recall off: what nobody holds is cancelled, who holds something is asked to stop
    Cancel {
        /// Id of the recall
        recall: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("whose").args(["cases", "file"]).required(true))]
struct Add {
    /// Id of the recall
    recall: String,
    /// Cases, by their ids
    cases: Vec<String>,
    /// A file with an id a line, `-` for standard input, instead
    #[arg(long)]
    file: Option<PathBuf>,
}

/// Reads what a department does.
fn measure(text: &str) -> Result<RecallMeasure, String> {
    let mut parts = text.split(',');
    let what = parts.next().and_then(|head| head.split_once('@'));
    let (kind, department) = what.ok_or("must begin with KIND@DEPARTMENT")?;
    let mut measure = RecallMeasure {
        kind: words::read::<RemedyKind>(kind)?.into(),
        department_id: department.to_owned(),
        ..RecallMeasure::default()
    };
    for part in parts {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?} must be NAME=VALUE"))?;
        match name {
            "goods" => measure.goods = Some(step::goods(value)?),
            "note" => value.clone_into(&mut measure.instructions),
            other => return Err(format!("{other:?} is none of goods, note")),
        }
    }
    Ok(measure)
}

impl Recalls {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let (request_id, mut recalls) = (caller.request_id(), caller.recalls());
        let recall = match self.verb {
            Verb::Open { article, lot, reason, notice, measures } => {
                let request = OpenRecallRequest { request_id, sku: article, lot, reason, notice, measures };
                recalls.open_recall(request).await?.into_inner().recall
            }
            Verb::Add(asked) => return add(&caller, asked).await,
            Verb::Show { recall } => {
                let found = recalls.get_recall(GetRecallRequest { recall_id: recall }).await?.into_inner();
                return show::answer(caller.json, &found, text::recall_progress);
            }
            Verb::List { state, article, page } => {
                let request = ListRecallsRequest {
                    state: state.unwrap_or_default().into(),
                    sku: article,
                    page_size: page.limit,
                    page_token: page.page,
                };
                let found = recalls.list_recalls(request).await?.into_inner();
                return show::answer(caller.json, &found, text::recalls);
            }
            Verb::Cases { recall, candidates, page } => {
                return cases(&caller, recall, candidates, page).await;
            }
            Verb::Close { recall, reason, expect } => {
                let (recall_id, expected_version) = (recall, expect.version);
                let request = CloseRecallRequest { request_id, recall_id, expected_version, reason };
                recalls.close_recall(request).await?.into_inner().recall
            }
            Verb::Cancel { recall, reason, expect } => {
                let (recall_id, expected_version) = (recall, expect.version);
                let request = CancelRecallRequest { request_id, recall_id, expected_version, reason };
                recalls.cancel_recall(request).await?.into_inner().recall
            }
        };
        show::answer(caller.json, &recall.unwrap_or_default(), text::recall)
    }
}

/// Adds so many cases at a time, each time under a key of its own: the same command again
/// adds nothing twice.
async fn add(caller: &Caller, Add { recall, cases, file }: Add) -> anyhow::Result<()> {
    let cases = match file {
        Some(file) => ids(&file)?,
        None => cases,
    };
    let key = caller.request_id();
    for (number, cases) in (1_u32..).zip(cases.chunks(AT_ONCE)) {
        let request = AddRecallCasesRequest {
            request_id: if number == 1 { key.clone() } else { format!("{key}-{number}") },
            recall_id: recall.clone(),
            expected_version: None,
            case_ids: cases.to_vec(),
        };
        let answer = caller.recalls().add_recall_cases(request).await?.into_inner();
        show::answer(caller.json, &answer, text::recall_verdicts)?;
    }
    Ok(())
}

fn ids(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = super::submit::read_text(file)?;
    let ids: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    ensure!(!ids.is_empty(), "{}: names no case", file.display());
    Ok(ids)
}

async fn cases(caller: &Caller, recall_id: String, candidates: bool, page: Page) -> anyhow::Result<()> {
    let (page_size, page_token) = (page.limit, page.page);
    let mut recalls = caller.recalls();
    if candidates {
        let request = ListRecallCandidatesRequest { recall_id, page_size, page_token };
        let found = recalls.list_recall_candidates(request).await?.into_inner();
        return show::answer(caller.json, &found, text::recall_candidates);
    }
    let request = ListRecallCasesRequest { recall_id, page_size, page_token };
    let found = recalls.list_recall_cases(request).await?.into_inner();
    show::answer(caller.json, &found, text::recall_cases)
}
