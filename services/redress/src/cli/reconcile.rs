//! `redress reconcile`: a department's own statement, held against the ledger.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use proto::redress::resolution::v1::{
    ListReconciledRowsRequest, ListReconciledRowsResponse, ReconcileStatementRequest, Reconciliation,
    StatementVerdict,
};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;

use super::connection::{Caller, Connection};
use show::{self, text};
use statements::{ROWS_MAX, Statement};

/// Messages that are read ahead.
const AHEAD: usize = 4;
/// Longest that a statement may take.
const PATIENCE: Duration = Duration::from_mins(10);
/// Rows of a page of verdicts.
const PAGE: i32 = 500;
/// Most rows that are lined up with each other: of more, so many are held at once.
const LINED_UP: usize = 10_000;

/// A statement: a bank's message `camt.053` (ISO 20022) or MT940 (SWIFT), or a table of
/// separated cells with a line of names. Of a table, the columns `reference` and `amount`
/// (`128.50`) are needed; `currency` (else `--currency`), `direction` (`paid` or
/// `collected`; else every row was paid) and `day` (`2026-11-28`) are read where they are
/// there, others are passed over. Of a bank's message, what was debited was paid; the
/// reference is the number the organisation gave the payment, else the bank's. Rows are
/// numbered from 1.
#[derive(Args)]
pub(crate) struct Reconcile {
    #[command(flatten)]
    connection: Connection,
    /// The statement, `-` for standard input
    file: PathBuf,
    /// Whose it is
    #[arg(long)]
    department: String,
    /// First day of its period, e.g. `2026-11-01`
    #[arg(long)]
    from: String,
    /// Last day of its period
    #[arg(long)]
    to: String,
    /// The currency of rows that name none, e.g. `CNY`
    #[arg(long, default_value = "")]
    currency: String,
    /// Shows the rows that match, too
    #[arg(long)]
    all: bool,
}

impl Reconcile {
    /// Succeeds where every row matches and nothing is missing.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let caller = self.connection.open().await?;
        let done = self.send(&caller).await?;
        let verdicts: &[StatementVerdict] =
            if self.all { &[StatementVerdict::Unspecified] } else { &DIFFERENCES };
        let mut rows = ListReconciledRowsResponse::default();
        for verdict in verdicts {
            show_rows(&caller, &done, *verdict, &mut rows).await?;
        }
        show_table(&mut rows)?;
        show::piece(caller.json, &done, text::reconciliation)?;
        let differs = done.matched_count != done.row_count || done.missing_count > 0;
        Ok(if differs { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// Sends the file while it is read. One that cannot be read to its end is not sent to its
    /// end either: the call is dropped, and the server keeps nothing of it.
    async fn send(&self, caller: &Caller) -> anyhow::Result<Reconciliation> {
        let (sender, receiver) = channel(AHEAD);
        let first = ReconcileStatementRequest {
            request_id: caller.request_id(),
            department_id: self.department.clone(),
            start_day: self.from.clone(),
            end_day: self.to.clone(),
            rows: Vec::new(),
        };
        sender.send(first).await.context("the statement cannot be sent")?;
        let (file, currency) = (self.file.clone(), self.currency.clone());
        let mut reading = tokio::task::spawn_blocking(move || {
            let read = read(&file, &currency, &sender);
            // Only a statement that was read whole may end.
            read.map_err(|error| (error, sender))
        });
        let mut stream = Request::new(ReceiverStream::new(receiver));
        stream.set_timeout(PATIENCE);
        let mut ledger = caller.ledger();
        let mut answering = std::pin::pin!(ledger.reconcile_statement(stream));
        let answer = tokio::select! {
            answer = &mut answering => answer?,
            read = &mut reading => match read? {
                Ok(()) => answering.await?,
                Err((error, _open)) => return Err(error),
            },
        };
        answer.into_inner().reconciliation.ok_or_else(|| anyhow!("the server answered nothing"))
    }
}

const DIFFERENCES: [StatementVerdict; 5] = [
    StatementVerdict::Doubled,
    StatementVerdict::DifferentAmount,
    StatementVerdict::Unknown,
    StatementVerdict::Unreadable,
    StatementVerdict::Missing,
];

fn read(
    file: &std::path::Path,
    currency: &str,
    sender: &Sender<ReconcileStatementRequest>,
) -> anyhow::Result<()> {
    let name = || format!("{}", file.display());
    let mut rows = Statement::open(file, currency).with_context(name)?;
    loop {
        let rows = rows.next(ROWS_MAX).with_context(name)?;
        if rows.is_empty() {
            return Ok(());
        }
        let message = ReconcileStatementRequest { rows, ..ReconcileStatementRequest::default() };
        // Nobody listens once the server has refused it; it says why.
        if sender.blocking_send(message).is_err() {
            return Ok(());
        }
    }
}

/// Shows the rows that were gathered under one heading, and a blank line after them.
fn show_table(rows: &mut ListReconciledRowsResponse) -> anyhow::Result<()> {
    if !rows.rows.is_empty() {
        show::say(&text::reconciled(rows))?;
        show::say("")?;
        rows.rows.clear();
    }
    Ok(())
}

/// Programs are shown the rows of a verdict page by page; for people they are gathered, so
/// that all are lined up, whatever their verdict.
async fn show_rows(
    caller: &Caller,
    of: &Reconciliation,
    verdict: StatementVerdict,
    gathered: &mut ListReconciledRowsResponse,
) -> anyhow::Result<()> {
    let mut request = ListReconciledRowsRequest {
        reconciliation_id: of.reconciliation_id.clone(),
        verdict: verdict.into(),
        page_size: PAGE,
        page_token: String::new(),
    };
    loop {
        let mut answer = caller.ledger().list_reconciled_rows(request.clone()).await?.into_inner();
        request.page_token = std::mem::take(&mut answer.next_page_token);
        if !caller.json {
            gathered.rows.append(&mut answer.rows);
            if gathered.rows.len() >= LINED_UP {
                show_table(gathered)?;
            }
        } else if !answer.rows.is_empty() {
            show::piece(true, &answer, text::reconciled)?;
        }
        if request.page_token.is_empty() {
            return Ok(());
        }
    }
}
