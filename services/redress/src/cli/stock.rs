//! `redress stock …`: goods that departments lack.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use proto::redress::resolution::v1::{ListStockAlertsRequest, ReportShortageRequest};
use show::text;

use super::connection::{Connection, Page};

#[derive(Args)]
pub(crate) struct Stock {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Says for its department that it lacks what a task needs, and until when; for who holds it
    Short {
        /// Id of the task
        task: String,
        /// Proof of holding it, as `task take` shows it
        #[arg(long)]
        lease_token: String,
        /// When it is expected, e.g. `2026-12-10T09:00:00+08:00`
        #[arg(long, value_parser = crate::cli::moment::read)]
        until: Timestamp,
        /// The article, where it is not the task's own
        #[arg(long, default_value = "")]
        article: String,
    },
    /// Lists articles that are short again and again, newest alert first
    Alerts {
        /// Only those that nobody has seen to
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        page: Page,
    },
}

impl Stock {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        match self.verb {
            Verb::Short { task, lease_token, until, article } => {
                let request = ReportShortageRequest {
                    request_id: caller.request_id(),
                    task_id: task,
                    lease_token,
                    sku: article,
                    expect_time: Some(proto::timestamp(until)),
                };
                let answer = caller.stock().report_shortage(request).await?.into_inner();
                show::answer(caller.json, &answer.task.unwrap_or_default(), text::task)
            }
            Verb::Alerts { open, page } => {
                let request =
                    ListStockAlertsRequest { open_only: open, page_size: page.limit, page_token: page.page };
                let answer = caller.stock().list_stock_alerts(request).await?.into_inner();
                show::answer(caller.json, &answer, text::stock_alerts)
            }
        }
    }
}
