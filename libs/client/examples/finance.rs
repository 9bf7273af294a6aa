//! A finance department's worker: pays what Redress approved, each task once.
use client::worker::{Failure, Ledger, Worker};
use client::{Client, ClientOptions};
use proto::redress::resolution::v1::{Task, TaskResult};
use sqlx::PgConnection;

/// Pays: a row of the department's own table `payment`, in one transaction with the record of its task.
pub(crate) async fn pay(books: &mut PgConnection, task: &Task) -> Result<TaskResult, Failure> {
    let unpaid = || Failure::Rejected { reason: "finance pays sums only".to_owned() };
    let amount = task.amount.clone().ok_or_else(unpaid)?;
    let paid = "INSERT INTO payment (task, currency, units, nanos) VALUES ($1, $2, $3, $4) RETURNING 'PAY-' || number";
    let paid = sqlx::query_scalar(paid).bind(&task.task_id).bind(&amount.currency_code);
    let reference = paid.bind(amount.units).bind(amount.nanos).fetch_one(books).await?;
    Ok(TaskResult { reference, amount: Some(amount), ..TaskResult::default() })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (server, books) = arguments.next().zip(arguments.next()).ok_or("usage: finance SERVER DATABASE")?;
    let client = Client::connect(ClientOptions::at(server.parse()?)).await?;
    let ledger = Ledger::open(&books).await?;
    let handler = ledger.once(|books, task| Box::pin(pay(books, task)));
    Worker::new("finance", "finance-1").run(&client, handler, <_>::default()).await?;
    Ok(())
}
