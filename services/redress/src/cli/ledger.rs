//! `redress ledger …`: what was promised, approved, paid and collected again.

use clap::{ArgGroup, Args, Subcommand};
use proto::redress::resolution::v1::{
    BalanceGrouping, ListBalancesRequest, ListLedgerEntriesRequest, ListReconciledRowsRequest,
    StatementVerdict,
};

use super::connection::{Connection, Page};
use show::{self, text, words};

#[derive(Args)]
pub(crate) struct Ledger {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists the entries of a case or a department, newest first
    Entries(Entries),
    /// Lists what entries come to, by currency and one thing more
    Balances(Balances),
    /// Lists the rows of a reconciled statement with their verdicts
    Rows {
        /// Id of the reconciliation
        reconciliation: String,
        /// Only rows with this verdict, e.g. `unknown`
        #[arg(long, value_parser = words::read::<StatementVerdict>)]
        verdict: Option<StatementVerdict>,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("whose").args(["case", "department"]).required(true))]
struct Entries {
    /// Of this case
    #[arg(long)]
    case: Option<String>,
    /// In this department's books
    #[arg(long)]
    department: Option<String>,
    /// Only what the department reported under this number of its own
    #[arg(long, requires = "department", default_value = "")]
    reference: String,
    #[command(flatten)]
    page: Page,
}

#[derive(Args)]
#[command(group = ArgGroup::new("which").args(["case", "customer", "from"]).required(true).multiple(true))]
struct Balances {
    /// By `case`, `customer`, `department` or `day`
    #[arg(long, value_parser = words::read::<BalanceGrouping>)]
    by: Option<BalanceGrouping>,
    /// Only of this case
    #[arg(long, conflicts_with = "customer")]
    case: Option<String>,
    /// Only of the cases of this customer
    #[arg(long)]
    customer: Option<String>,
    /// Only in this department's books
    #[arg(long, default_value = "")]
    department: String,
    /// First day of booking in UTC, e.g. `2026-11-01`
    #[arg(long, requires = "to")]
    from: Option<String>,
    /// Last day of booking
    #[arg(long, requires = "from")]
    to: Option<String>,
    #[command(flatten)]
    page: Page,
}

impl Ledger {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut ledger = caller.ledger();
        match self.verb {
            Verb::Entries(Entries { case, department, reference, page }) => {
                let request = ListLedgerEntriesRequest {
                    page_size: page.limit,
                    page_token: page.page,
                    case_id: case.unwrap_or_default(),
                    department_id: department.unwrap_or_default(),
                    reference,
                };
                let answer = ledger.list_ledger_entries(request).await?.into_inner();
                show::answer(caller.json, &answer, text::entry_list)
            }
            Verb::Balances(Balances { by, case, customer, department, from, to, page }) => {
                let request = ListBalancesRequest {
                    page_size: page.limit,
                    page_token: page.page,
                    grouping: by.unwrap_or_default().into(),
                    case_id: case.unwrap_or_default(),
                    customer_id: customer.unwrap_or_default(),
                    department_id: department,
                    start_day: from.unwrap_or_default(),
                    end_day: to.unwrap_or_default(),
                };
                let answer = ledger.list_balances(request).await?.into_inner();
                show::answer(caller.json, &answer, text::balances)
            }
            Verb::Rows { reconciliation, verdict, page } => {
                let request = ListReconciledRowsRequest {
                    reconciliation_id: reconciliation,
                    verdict: verdict.unwrap_or_default().into(),
                    page_size: page.limit,
                    page_token: page.page,
                };
                let answer = ledger.list_reconciled_rows(request).await?.into_inner();
                show::answer(caller.json, &answer, text::reconciled)
            }
        }
    }
}
